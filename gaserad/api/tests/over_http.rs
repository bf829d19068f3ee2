//! HTTP over TCP.

use tokio::net::TcpSocket;

use super::*;
use crate::domain::Published;

#[tokio::test]
async fn a_browser_sees_the_greeting_the_state_and_what_happens() {
    let daemon = Daemon::start().await;
    let answer = daemon.ask(Method::GET, "/events", &[]).await;
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/event-stream; charset=utf-8");
    assert_eq!(header("cache-control"), "no-cache, no-transform");
    assert_eq!(header("x-accel-buffering"), "no");
    assert!(!answer.headers().keys().any(|name| name.as_str().starts_with("access-control")));
    let mut reader = Reader { body: answer.into_body(), text: String::new() };
    assert_eq!(reader.next().await.unwrap().name, "connected");
    let snapshot = reader.next().await.unwrap();
    let (_, text) = daemon.get("/status").await;
    assert_eq!((snapshot.name.as_str(), &snapshot.data), ("snapshot", &serde_json::from_str::<Value>(&text).unwrap()));
    daemon.publish(1..=1);
    assert_eq!(reader.next().await.unwrap().id, Some(1));
}

#[tokio::test]
async fn a_reader_that_connects_again_gets_what_it_missed() {
    let daemon = Daemon::with(Settings { ring: 16, ..Settings::default() }).await;
    daemon.publish(1..=300);
    let expected: Vec<u64> = (6..=310).collect();
    let mut by_header = Reader::open(&daemon, "/events?since=250", &[("last-event-id", "5")]).await;
    let mut by_query = Reader::open(&daemon, "/sse/events?last_event_id=5", &[]).await;
    daemon.publish(301..=310);
    assert_eq!(by_header.ids(305).await, expected);
    assert_eq!(by_query.ids(305).await, expected);
}

#[tokio::test]
async fn filters_that_cannot_be_meant_are_refused() {
    let daemon = Daemon::start().await;
    for (path, part) in [
        ("/events?types=nothing", "run.finished"),
        ("/events?channels=0", "channel 0"),
        ("/events?format=xml", "merged"),
        ("/events?since=yesterday", "yesterday"),
    ] {
        let (status, text) = daemon.get(path).await;
        assert!(status == StatusCode::BAD_REQUEST && text.contains(part), "{path}: {status} {text}");
    }
    assert_eq!(daemon.get("/events?run=B").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn dashboards_of_gaseramux_find_their_stream_and_scripts_find_lines() {
    let daemon = Daemon::start().await;
    daemon.hub.tick(&status(0));
    let mut dashboard = Reader::open(&daemon, "/gasera/api/measurement/events", &[]).await;
    let message = dashboard.next().await.unwrap();
    assert_eq!((message.id, message.name.as_str(), &message.data["current_channel"]), (None, "", &json!(2)));
    let mut lines = daemon.ask(Method::GET, "/events", &[("accept", "application/x-ndjson")]).await.into_body();
    let first = lines.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&first).unwrap()["type"], "connected");
    daemon.hub.publish(vec![published(1, &Event::LiveData(live_data(Attribution::Exact, Some(3))))]);
    assert_eq!(dashboard.next().await.unwrap().data["live_data"]["channel"], json!(3));
}

#[tokio::test]
async fn a_full_house_says_when_to_come_again() {
    let daemon = Daemon::with(Settings { max_connections: 1, ..Settings::default() }).await;
    let first = Reader::open(&daemon, "/events", &[]).await;
    let answer = daemon.ask(Method::GET, "/events", &[]).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key("retry-after"));
    assert_eq!(daemon.get("/status").await.0, StatusCode::OK);
    drop(first);
    while daemon.hub.clients() > 0 {
        tokio::task::yield_now().await;
    }
    Reader::open(&daemon, "/events", &[]).await;
}

/// A connection whose own end takes hardly anything in.
async fn narrow(daemon: &Daemon) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(daemon.place.parse().unwrap()).await.unwrap();
    stream.write_all(b"GET /events?since=0 HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    stream
}

#[tokio::test]
async fn a_client_that_never_reads_delays_nobody() {
    const EVENTS: u64 = 5000;
    let daemon = Daemon::with(Settings { ring: 64, ..Settings::default() }).await;
    let mut sleeper = narrow(&daemon).await;
    let _others = [narrow(&daemon).await, narrow(&daemon).await, narrow(&daemon).await];
    let mut reader = Reader::open(&daemon, "/events?since=0", &[]).await;
    let padding = "x".repeat(1000);
    for seq in 1..=EVENTS {
        let event = Published { data: json!({ "n": seq, "padding": padding }).to_string(), ..numbered(seq) };
        daemon.history.keep(std::slice::from_ref(&event));
        daemon.hub.publish(vec![event]);
        if seq % 50 == 0 {
            let ids = tokio::time::timeout(Duration::from_secs(20), reader.ids(50)).await.expect("nobody is delayed");
            assert_eq!(ids.last(), Some(&seq));
        }
    }
    // The one that wakes up gets all of it.
    let mut text = String::new();
    let mut read = vec![0; 1 << 16];
    while !text[text.len().saturating_sub(4096)..].contains(&format!("id: {EVENTS}\nevent: device.phase\n")) {
        let count = sleeper.read(&mut read).await.unwrap();
        assert!(count > 0, "the stream goes on");
        text.push_str(&String::from_utf8_lossy(&read[..count]));
    }
    assert_eq!(text.matches("event: device.phase\n").count() as u64, EVENTS);
}

#[tokio::test]
async fn runs_are_listed_shown_and_exported() {
    let daemon = Daemon::start().await;
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let (_, list) = daemon.get("/runs?limit=2").await;
    assert_eq!(json(&list)["runs"].as_array().unwrap().len(), 2);
    let (_, one) = daemon.get("/runs/last").await;
    assert_eq!(json(&one)["run"]["folder"], "/data/01JRUN");
    assert_eq!(json(&one)["visits"][0]["good_records"], 1);
    assert_eq!(json(&one)["notes"][0]["text"], "window open");
    let (status, csv) = daemon.get("/runs/01J/samples.csv").await;
    assert_eq!((status, csv.as_str()), (StatusCode::OK, "a,b\n1,2\n"));
    let (status, some) =
        daemon.get("/runs/last/export?format=parquet&gases=CO2,CH4&good_only=1&air_pressure_hpa=990").await;
    assert!(
        status == StatusCode::OK && some.contains("good_only: true") && some.contains("[\"CO2\", \"CH4\"]"),
        "{some}"
    );
    let head = daemon.ask(Method::HEAD, "/runs/last/export?format=netcdf", &[]).await;
    assert_eq!(head.headers()["content-type"], "application/netcdf");
    assert_eq!(head.headers()["content-disposition"], "attachment; filename=\"samples-01JRUN.nc\"");
    for wrong in
        ["format=xls", "channels=9-1", "from=soon", "decimal=x", "format=parquet&delimiter=;", "air_pressure_hpa=x"]
    {
        assert_eq!(daemon.get(&format!("/runs/last/export?{wrong}")).await.0, StatusCode::BAD_REQUEST, "{wrong}");
    }
    let (status, failed) = daemon.get("/runs/A/samples.csv").await;
    assert!(status == StatusCode::INTERNAL_SERVER_ERROR && failed.contains("the disk is gone"));
    let (status, unknown) = daemon.get("/runs/xyz").await;
    assert_eq!((status, json(&unknown)["error"].as_str()), (StatusCode::NOT_FOUND, Some("RUN_UNKNOWN")));
    assert_eq!(daemon.get("/runs?limit=0").await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_path_that_is_nearly_one_is_none() {
    let daemon = Daemon::start().await;
    for path in
        ["/events/", "/runs/", "/runs/a/b", "/events/connections/", "/event", "//", "/control/x", "/dashboard/a/b"]
    {
        for path in [path.to_owned(), format!("/v1{path}")] {
            assert_eq!(daemon.get(&path).await.0, StatusCode::NOT_FOUND, "{path}");
        }
    }
}

#[tokio::test]
async fn every_path_stands_below_v1_too() {
    let daemon = Daemon::start().await;
    for path in
        ["/", "/healthz", "/livez", "/readyz", "/status", "/runs", "/runs/last", "/schedules", "/help", "/metrics"]
    {
        let (status, plain) = daemon.get(path).await;
        let (stable, same) = daemon.get(&format!("/v1{path}")).await;
        assert_eq!((status, stable), (StatusCode::OK, StatusCode::OK), "{path}");
        assert!(plain == same || path == "/metrics", "{path}: {plain} {same}");
    }
    assert_eq!(Reader::open(&daemon, "/v1/events", &[]).await.next().await.unwrap().name, "connected");
    assert_eq!(daemon.get("/v1").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn unknown_query_keys_are_refused_with_the_known_ones() {
    let daemon = Daemon::start().await;
    for (path, known) in [
        ("/runs?limt=2", "limit"),
        ("/events?type=alarm", "event_types"),
        ("/runs/last/export?fmt=csv", "delimiter"),
        ("/status/stream?id=engine", "pipelineIds"),
        ("/gasera/api/measurement/events?x", "sticky"),
        ("/status?verbose=1", "takes none"),
    ] {
        let (status, text) = daemon.get(path).await;
        let told: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((status, &told["error"]), (StatusCode::BAD_REQUEST, &json!("INVALID_ARGUMENT")), "{path}: {text}");
        assert!(told["message"].as_str().unwrap().contains(known), "{path}: {text}");
    }
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_allowed_is_said_in_a_sentence() {
    let daemon = Daemon::start().await;
    for path in ["/nothing", "/runs/", "/runs/a/b", "/events/", "/index.html"] {
        let (status, text) = daemon.get(path).await;
        let body: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((status, &body["error"]), (StatusCode::NOT_FOUND, &json!("NOT_FOUND")), "{path}");
    }
    let refused = daemon.ask(Method::POST, "/events", &[]).await;
    assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(refused.headers()["allow"], "GET, HEAD");
    for path in ["/", "/healthz", "/readyz", "/status", "/runs", "/events", "/runs/last/samples.csv"] {
        let head = daemon.ask(Method::HEAD, path, &[]).await;
        assert_eq!(head.status(), StatusCode::OK, "{path}");
        let is_long = ["/events", "/runs/last/samples.csv"].contains(&path);
        assert_eq!(head.headers().contains_key("content-length"), !is_long, "{path}");
    }
    assert_eq!(daemon.hub.clients(), 0);
    assert_eq!(daemon.get("/healthz").await.1, "ok\n");
    assert!(daemon.get("/help").await.1.contains("/events"));
    let (status, _) = daemon.get("/gasera.v1.GaseraService/GetStatus").await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn a_page_from_elsewhere_is_turned_away() {
    let daemon = Daemon::start().await;
    let foreign = daemon.ask(Method::GET, "/status", &[("host", "evil.example")]).await;
    let (status, text) = whole(foreign).await;
    assert!(status == StatusCode::FORBIDDEN && text.contains("evil.example"), "{text}");
    let local = daemon.ask(Method::GET, "/status", &[("host", "localhost:80")]).await;
    assert_eq!(local.status(), StatusCode::OK);
}

#[tokio::test]
async fn everything_ends_in_bounded_time_and_the_socket_goes() {
    let daemon = Daemon::start().await;
    let mut reader = Reader::open(&daemon, "/events", &[]).await;
    let mut stubborn = TcpStream::connect(&daemon.place).await.unwrap();
    stubborn.write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let (idle_sender, idle) = oneshot::channel::<()>();
    let idle_stream = TcpStream::connect(&daemon.place).await.unwrap();
    tokio::spawn(async move {
        let _stream = idle_stream;
        let _ = idle.await;
    });
    daemon
        .hub
        .publish(vec![published(1, &Event::SystemShutdown { reason: "the end".into(), restart_expected_s: None })]);
    let mut last = None;
    while let Some(frame) = reader.next().await {
        last = Some(frame.name);
    }
    assert_eq!(last.as_deref(), Some("system.shutdown"));
    daemon.cancel.cancel();
    tokio::time::timeout(Duration::from_secs(10), daemon.served).await.expect("it ends").unwrap();
    assert!(!daemon.socket.exists());
    drop(idle_sender);
}
