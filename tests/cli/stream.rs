//! The figures and the readers of the stream, as a daemon tells them.

use super::fake::{Fake, Script};
use super::support::{golden, run};

const STATS: &str = r#"{"active_clients":3,"total_events_broadcast":1210,"sse_connections":3,"total_connections":17,
"subscription_counts":{"run.*":1,"live_data":2},"message_queue_size":0,"recent_events_count":1000,"queue_depth_max":4,
"queue_capacity":1000,"conflated_total":88,"gaps_total":0,"replays_total":5,"disconnects_total":{"client":13,"slow":1},
"publish_latency_ms":{"p50":0.21,"p95":0.4,"p99":0.9},"events_per_s":1.5,"errors_per_min":0,"rss_bytes":9437184,
"uptime_seconds":93784.2,"timestamp":1768464020.5,"connections":[]}"#;
const CLIENTS: &str = r#"{"connections":[
{"connection_id":"7","peer":"127.0.0.1:40112","format":"named","subscriptions":["run.*"],"channel_filter":"1-4",
"connected_at":1768464000.0,"last_event_id":1210,"queue_len":0,"bytes_sent":88112,"gaps":0},
{"connection_id":"9","peer":"uid 1000","subscriptions":[],"connected_at":1768464010.0}]}"#;

fn fake() -> Fake {
    let pages = vec![
        ("/events/stats", 200, STATS.to_owned()),
        ("/events/connections", 200, CLIENTS.to_owned()),
        ("/events/test", 200, r#"{"event_type":"alarm","clients":2,"test":true}"#.to_owned()),
    ];
    Fake::new(Script { pages, ..Script::default() })
}

#[test]
fn figures_and_readers_are_told_in_words() {
    let fake = fake();
    for (name, args) in [("stream_stats", ["stream", "stats"]), ("stream_clients", ["stream", "clients"])] {
        let done = run(&[&args[..], &["--endpoint", &fake.http]].concat());
        assert_eq!((done.exit, done.stderr.as_str()), (0, ""), "{args:?}");
        golden(name, &done.stdout);
    }
    assert_eq!(run(&["stream", "stats", "-q", "--endpoint", &fake.unix]).stdout, "3\n");
    assert_eq!(fake.calls(), ["GET /events/stats", "GET /events/connections", "GET /events/stats"]);
}

#[test]
fn as_json_they_are_what_the_daemon_says() {
    let fake = fake();
    let done = run(&["stream", "clients", "--json", "--endpoint", &fake.unix]);
    assert_eq!((done.exit, done.stdout), (0, CLIENTS.to_owned() + "\n"));
    let done = run(&["stream", "stats", "--json", "--endpoint", &fake.unix]);
    assert_eq!((done.exit, done.stdout), (0, STATS.to_owned() + "\n"));
}

#[test]
fn a_test_event_is_asked_for_with_its_type() {
    let fake = fake();
    let done = run(&["stream", "test", "run.started", "--endpoint", &fake.unix]);
    assert_eq!((done.exit, done.stdout.as_str()), (0, ""), "{done:?}");
    assert_eq!(done.stderr, "a test event of type alarm was sent to 2 readers\n");
    assert_eq!(run(&["stream", "test", "--endpoint", &fake.unix]).exit, 0);
    assert_eq!(fake.calls(), ["POST /events/test?event_type=run.started", "POST /events/test"]);
}

#[test]
fn what_the_daemon_refuses_is_told_in_its_words() {
    let told = |status: u16, body: &str| {
        let pages = vec![("/events/stats", status, body.to_owned())];
        let fake = Fake::new(Script { pages, ..Script::default() });
        let done = run(&["stream", "stats", "--endpoint", &fake.unix]);
        assert_eq!(done.stdout, "");
        (done.exit, done.stderr)
    };
    let (exit, text) = told(404, r#"{"error":"NOT_FOUND","message":"there is nothing at /events/stats"}"#);
    assert!(
        exit == 10 && text.ends_with("404 Not Found to GET /events/stats: there is nothing at /events/stats\n"),
        "{text}"
    );
    let (exit, text) = told(403, r#"{"error":"ROLE","message":"viewers may not ask for this"}"#);
    assert!(exit == 11 && text.contains("viewers may not ask for this"), "{text}");
    assert_eq!(told(200, "<html>").0, 1);
}
