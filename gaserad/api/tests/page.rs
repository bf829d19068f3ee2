//! The dashboard as a browser gets it, and what it asks for first.

use super::security::{access, guarded, post};
use super::*;

#[tokio::test]
async fn the_page_needs_nothing_and_may_load_nothing_from_elsewhere() {
    let daemon = guarded(access()).await;
    for path in ["/", "/dashboard/index.html"] {
        let answer = daemon.ask(Method::GET, path, &[]).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.headers().get_all("content-security-policy").iter().count(), 1);
        for (name, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("cache-control", "no-cache"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(header(name), value, "{path}: {name}");
        }
        let tag = header("etag");
        let again = daemon.ask(Method::GET, path, &[("if-none-match", &tag)]).await;
        assert_eq!((again.status(), again.headers()["etag"].to_str().unwrap()), (StatusCode::NOT_MODIFIED, &*tag));
        assert_eq!(whole(again).await.1, "");
        let head = daemon.ask(Method::HEAD, path, &[]).await;
        assert_eq!((head.status(), whole(head).await.1), (StatusCode::OK, String::new()));
    }
    for path in ["/dashboard/nothing.js", "/dashboard/..%2Findex.html", "/dashboard/%2e%2e"] {
        assert_eq!(daemon.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(daemon.ask(Method::POST, "/", &[]).await.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_page_learns_what_its_reader_may_do() {
    let daemon = guarded(access()).await;
    let me = async |headers: &[(&str, &str)]| -> Value {
        let answer = daemon.ask(Method::GET, "/me", headers).await;
        assert_eq!(answer.status(), StatusCode::OK);
        serde_json::from_str(&whole(answer).await.1).unwrap()
    };
    let stranger = me(&[]).await;
    assert_eq!(
        (&stranger["role"], &stranger["login"], &stranger["version"]),
        (&Value::Null, &json!(true), &Value::Null)
    );
    let (_, cookie, _) = post(&daemon, "/login", &[], "wall").await;
    let viewer = me(&[("cookie", cookie.split(';').next().unwrap())]).await;
    assert_eq!((&viewer["role"], &viewer["login"], &viewer["logout"]), (&json!("viewer"), &json!(true), &json!(true)));
    let operator = me(&[("authorization", "Bearer chief")]).await;
    assert_eq!(
        (&operator["role"], &operator["login"], &operator["logout"]),
        (&json!("operator"), &json!(false), &json!(false))
    );
    assert!(operator["who"].as_str().unwrap().starts_with("token ada from 127.0.0.1:"), "{operator}");
    assert_eq!(daemon.get("/channels").await.0, StatusCode::UNAUTHORIZED);

    let at_home = Daemon::start().await;
    let home: Value = serde_json::from_str(&at_home.get("/me").await.1).unwrap();
    assert_eq!((&home["role"], &home["login"]), (&json!("operator"), &json!(false)));
    assert_eq!(home["version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn a_page_finds_channels_gases_tasks_plans_and_observations() {
    let daemon = Daemon::start().await;
    let get = async |path: &str| -> Value {
        let (status, text) = daemon.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    };
    let channels = get("/channels").await;
    assert_eq!(
        channels["channels"][0],
        json!({ "channel": 1, "label": "<script>alert(1)</script>", "kind": "sample" })
    );
    let gases = get("/gases").await;
    let methane = gases["gases"].as_array().unwrap().iter().find(|gas| gas["formula"] == "CH4").unwrap();
    assert_eq!((&methane["cas"], &methane["color"]), (&json!("74-82-8"), &json!("#ff9f40")));
    assert!(get("/tasks").await["tasks"][0]["name"].is_string());
    let plans = get("/plans").await;
    assert_eq!(
        (&plans["plans"][0]["mistakes"], &plans["plans"][1]["plan"]["repeats"]),
        (&json!(2), &json!(7)),
        "{plans}"
    );
    let observed = get("/runs/last/visits").await;
    let visit = &observed["visits"][0];
    assert_eq!((&visit["label"], &visit["good"], &visit["discarded"]), (&json!("north"), &json!(2), &json!(3)));
    assert_eq!((&visit["gases"][0]["formula"], &visit["gases"][0]["mean"]), (&json!("CO2"), &json!(2.0)), "{visit}");
    assert_eq!(daemon.get("/runs/nothing/visits").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_happened_in_a_run_is_told_to_its_end() {
    let daemon = Daemon::start().await;
    let get = async |query: &str| -> Value {
        let (status, text) = daemon.get(&format!("/runs/last/events{query}")).await;
        assert_eq!(status, StatusCode::OK, "{query}: {text}");
        serde_json::from_str(&text).unwrap()
    };
    let (mut since, mut seen) = (0, 0);
    loop {
        let page = get(&format!("?since={since}")).await;
        let events = page["events"].as_array().unwrap();
        seen += events.len();
        since = events.last().unwrap()["id"].as_u64().unwrap();
        if page["more"] == json!(false) {
            break;
        }
    }
    assert_eq!((seen, since), (3000, 3000));
    let alarms = get("?types=alarm,run.*&since=150&limit=2").await;
    assert_eq!(
        alarms["events"],
        json!([
            { "id": 200, "type": "alarm", "data": { "timestamp": 200 } },
            { "id": 300, "type": "alarm", "data": { "timestamp": 300 } },
        ])
    );
    assert_eq!((&alarms["more"], &alarms["run_id"]), (&json!(true), &json!("01JRUN")));
    for wrong in ["?limit=0", "?limit=10001", "?since=x", "?types=alarms"] {
        assert_eq!(daemon.get(&format!("/runs/last/events{wrong}")).await.0, StatusCode::BAD_REQUEST, "{wrong}");
    }
    assert_eq!(daemon.get("/runs/nothing/events").await.0, StatusCode::NOT_FOUND);
}
