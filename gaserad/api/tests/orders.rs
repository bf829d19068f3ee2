//! Orders over HTTP: what a page posts reaches the measuring side as a call over gRPC would.

use super::security::{access, guarded, post};
use super::*;

const JSON: (&str, &str) = ("content-type", "application/json");

async fn ordered(daemon: &Daemon, path: &str, form: &Value) -> (StatusCode, Value) {
    let (status, _, text) = post(daemon, path, &[JSON], &form.to_string()).await;
    (status, serde_json::from_str(&text).unwrap())
}

fn asked(daemon: &Daemon) -> Vec<String> {
    let asked = daemon.measuring.asked.lock().unwrap().clone();
    let port = |text: &str| text.split("127.0.0.1:").next().unwrap().to_owned();
    asked.iter().map(|text| port(text)).collect()
}

#[tokio::test]
async fn what_a_page_orders_is_done_by_whom_it_names() {
    let daemon = Daemon::start().await;
    let start = json!({ "channels": [1, 2], "repeats": 3, "purge": "5m", "measure": 60, "operator": "ada" });
    let (status, told) = ordered(&daemon, "/control/start", &start).await;
    assert_eq!((status, &told["run_id"], &told["purge_s"]), (StatusCode::OK, &json!("01JRUN"), &json!(300)), "{told}");
    for (verb, form) in [
        ("pause", json!({ "now": true })),
        ("resume", json!({})),
        ("skip", json!({ "operator": "bob" })),
        ("finish", json!({ "after": "repeat" })),
        ("note", json!({ "text": "window open" })),
        ("abort", json!({ "run": "01J" })),
        ("abort", json!({ "wait": false })),
    ] {
        let (status, told) = ordered(&daemon, &format!("/control/{verb}"), &form).await;
        assert_eq!((status, &told["run_id"]), (StatusCode::OK, &json!("01JRUN")), "{verb}: {told}");
    }
    assert_eq!(
        asked(&daemon),
        [
            "start 3 by ada (",
            "pause --now by ",
            "resume by ",
            "skip by bob (",
            "finish --after repeat by ",
            "note window open by ",
            "abort 01J by ",
            "abort by ",
        ]
    );
    let waiting = json!({ "channels": "1", "if_busy": "wait" });
    assert_eq!(ordered(&daemon, "/control/start", &waiting).await.1["queued"], true);
    // What the measuring side keeps is not kept twice.
    assert_eq!(daemon.ledger.0.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn a_refusal_has_the_reason_that_it_has_over_grpc() {
    let daemon = Daemon::start().await;
    daemon.deny(Reason::RunUnderWay, "run 01J is under way");
    for path in ["/control/start", "/control/skip", "/control/abort"] {
        let form = if path.ends_with("start") { json!({ "channels": "1" }) } else { json!({}) };
        let (status, told) = ordered(&daemon, path, &form).await;
        let expected = json!({ "error": "RUN_UNDER_WAY", "message": "run 01J is under way" });
        assert_eq!((status, told), (StatusCode::CONFLICT, expected), "{path}");
    }
    daemon.deny(Reason::AnalyzerOffline, "the analyzer is away");
    assert_eq!(daemon.get("/tasks").await.0, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn what_is_not_meant_as_an_order_changes_nothing() {
    let daemon = Daemon::start().await;
    for (path, form, field) in [
        ("/control/start", json!({ "chanels": "1" }), "chanels"),
        ("/control/start", json!({ "channels": "1", "repeats": 0 }), "repeats"),
        ("/control/start", json!({ "channels": "99" }), "channels"),
        ("/control/start", json!({}), "channels"),
        ("/control/start", json!({ "plan": "weekly", "toml": "7" }), "toml"),
        ("/control/pause", json!({ "now": "yes" }), "now"),
        ("/control/finish", json!({ "after": "x" }), "after"),
        ("/control/note", json!({ "txt": "x" }), "txt"),
    ] {
        let (status, told) = ordered(&daemon, path, &form).await;
        assert_eq!((status, &told["errors"][0]["field"]), (StatusCode::BAD_REQUEST, &json!(field)), "{told}");
        assert!(!told["message"].as_str().unwrap().is_empty());
    }
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx"] {
        let (status, _, text) = post(&daemon, "/control/skip", &[("content-type", kind)], "{}").await;
        assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{text}");
    }
    let large = json!({ "text": "x".repeat(70_000) });
    assert_eq!(ordered(&daemon, "/control/note", &large).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let foreign = [JSON, ("origin", "http://evil.example")];
    assert_eq!(post(&daemon, "/control/abort", &foreign, "{}").await.0, StatusCode::FORBIDDEN);
    assert_eq!(
        post(&daemon, "/control/abort", &[JSON, ("sec-fetch-site", "cross-site")], "{}").await.0,
        StatusCode::FORBIDDEN
    );
    assert_eq!(ordered(&daemon, "/control/note", &json!({ "text": " " })).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(asked(&daemon), Vec::<String>::new());
}

#[tokio::test]
async fn a_viewer_checks_plans_and_orders_nothing() {
    let daemon = guarded(access()).await;
    let by = |token: &str| [JSON, ("authorization", token)].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let send = async |token: &str, path: &str| {
        let headers = by(token);
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        post(&daemon, path, &headers, r#"{"channels":"1"}"#).await.0
    };
    assert_eq!(send("Bearer wall", "/plan/check").await, StatusCode::OK);
    assert_eq!(send("Bearer wall", "/control/start").await, StatusCode::FORBIDDEN);
    assert_eq!(send("Bearer guess", "/control/start").await, StatusCode::UNAUTHORIZED);
    assert_eq!(asked(&daemon), Vec::<String>::new());
    assert_eq!(send("Bearer chief", "/control/start").await, StatusCode::OK);
    assert_eq!(asked(&daemon), ["start 2 by token ada from "]);
    let kept = daemon.ledger.0.lock().unwrap().clone();
    assert_eq!(kept[0].what, "POST /control/start", "{kept:?}");
}

#[tokio::test]
async fn a_check_tells_the_timeline_or_where_the_mistakes_are() {
    let daemon = Daemon::start().await;
    let form = json!({ "channels": "1-2", "repeats": 1, "purge": "1m", "measure": "2m", "sync": "dwell" });
    let (status, told) = ordered(&daemon, "/plan/check", &form).await;
    assert_eq!((status, &told["errors"], &told["channels"]), (StatusCode::OK, &json!([]), &json!("1-2")), "{told}");
    assert_eq!(told["estimate_s"], told["total_s"]);
    assert!(told["warnings"].is_array());
    let phases: Vec<_> = told["timeline"].as_array().unwrap().iter().map(|entry| entry["phase"].clone()).collect();
    assert_eq!(phases.iter().filter(|phase| *phase == "MEASURING").count(), 2, "{told}");
    let dry_run =
        json!({ "channels": "1-2", "repeats": 1, "purge": "1m", "measure": "2m", "sync": "dwell", "dry_run": true });
    let (_, planned) = ordered(&daemon, "/control/start", &dry_run).await;
    assert_eq!((&planned["timeline"], &planned["run_id"]), (&told["timeline"], &Value::Null));

    let (status, told) = ordered(&daemon, "/plan/check", &json!({ "toml": "x" })).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(told["errors"][0], json!({ "line": 2, "column": 2, "sentence": "no number" }));
    assert_eq!(told["errors"][1], json!({ "sentence": "nothing else" }));
    for (form, field) in [
        (json!({ "channels": "x" }), "channels"),
        (json!({ "channels": "1", "purge": "5" }), "purge"),
        (json!({ "channels": "1", "pause": "5" }), "purge"),
        (json!({ "channels": "1", "pause": "5s", "purge": "5s" }), "pause"),
        (json!({ "plan": "monthly" }), "plan"),
    ] {
        let (_, told) = ordered(&daemon, "/plan/check", &form).await;
        assert_eq!(told["errors"][0]["field"], field, "{told}");
    }
    assert_eq!(asked(&daemon), Vec::<String>::new());
}
