//! What can be known of the stream and done to it, and what it looks like in each format.

use super::*;
use crate::api::tests::schema::mistakes;
use crate::domain::Published;
use crate::stream::subjects;

async fn send(daemon: &Daemon, method: &str, path: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(&daemon.place).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_else(|_| panic!("{text}")))
}

async fn post(daemon: &Daemon, path: &str, body: &str) -> (u16, Value) {
    send(daemon, "POST", path, body).await
}

fn assert_described(frame: &Frame) {
    let found = mistakes(&frame.name, &frame.data);
    assert!(found.is_empty(), "{frame:?}: {found:#?}");
}

/// A stream past its greeting; gives its connection too.
async fn opened(daemon: &Daemon, path: &str) -> (Reader, String) {
    let mut reader = Reader::open(daemon, path, &[("user-agent", "a test")]).await;
    let connected = reader.next().await.unwrap();
    assert_described(&connected);
    let id = connected.data["connection_id"].as_str().unwrap().to_owned();
    let snapshot = reader.next().await.unwrap();
    assert_described(&snapshot);
    assert_eq!(snapshot.name, "snapshot");
    (reader, id)
}

fn result(seq: u64, channel: u8) -> Published {
    published(seq, &Event::LiveData(live_data(Attribution::Exact, Some(channel))))
}

#[tokio::test]
async fn a_new_reader_gets_the_last_event_of_each_kind_without_an_id() {
    let daemon = Daemon::start().await;
    daemon.hub.publish(vec![numbered(1), result(2, 1), result(3, 2), result(4, 1), numbered(5)]);
    daemon.measuring.seq.store(5, Ordering::Relaxed);
    let (mut reader, _) = opened(&daemon, "/events").await;
    for (name, channel) in [("live_data", Some(2)), ("live_data", Some(1)), ("device.phase", None)] {
        let frame = reader.next().await.unwrap();
        assert_eq!((frame.id, frame.name.as_str()), (None, name));
        assert_eq!((&frame.data["sticky"], frame.data["channel"].as_u64()), (&json!(true), channel));
    }
    daemon.hub.publish(vec![result(6, 3)]);
    let live = reader.next().await.unwrap();
    assert_eq!((live.id, live.data.get("sticky")), (Some(6), None));
    assert_described(&live);
    let (mut plain, _) = opened(&daemon, "/events?sticky=false").await;
    let (mut chosen, _) = opened(&daemon, "/events?types=live_data&channels=2").await;
    assert_eq!(chosen.next().await.unwrap().data["channel"], 2);
    daemon.hub.publish(vec![result(7, 2)]);
    assert_eq!(plain.next().await.unwrap().id, Some(6));
    assert_eq!(chosen.next().await.unwrap().id, Some(7));
}

#[tokio::test]
async fn envelopes_say_by_themselves_what_they_are() {
    let daemon = Daemon::start().await;
    let mut reader = Reader::open(&daemon, "/api/events/stream?format=envelope", &[]).await;
    let connected = reader.next().await.unwrap();
    assert_eq!((connected.name.as_str(), &connected.data["type"]), ("", &json!("connected")));
    assert_eq!(reader.next().await.unwrap().data["type"], "snapshot");
    daemon.hub.publish(vec![result(1, 3)]);
    let live = reader.next().await.unwrap();
    assert_eq!((live.id, live.name.as_str()), (Some(1), ""));
    let told = &live.data;
    assert_eq!((&told["id"], &told["type"], &told["run_id"]), (&json!(1), &json!("live_data"), &json!("A")));
    assert_eq!(told["timestamp_ms"].as_i64().unwrap(), NOW.as_micros() / 1000);
    assert_eq!((&told["time"], &told["source"]), (&json!(NOW.to_string()), &json!("gaserad")));
    assert_eq!(told["data"]["channel"], 3);
}

#[tokio::test]
async fn both_tells_single_events_by_name_and_the_whole_state_without() {
    let daemon = Daemon::start().await;
    daemon.hub.tick(&status(0));
    let (mut reader, _) = opened(&daemon, "/events?format=both").await;
    let whole = reader.next().await.unwrap();
    assert_eq!((whole.name.as_str(), whole.data.get("device_status").is_some()), ("", true));
    daemon.hub.publish(vec![result(1, 3)]);
    let (named, merged) = (reader.next().await.unwrap(), reader.next().await.unwrap());
    assert_eq!((named.name.as_str(), named.id), ("live_data", Some(1)));
    assert_eq!((merged.name.as_str(), merged.id, &merged.data["live_data"]["channel"]), ("", None, &json!(3)));
    daemon.hub.tick(&crate::stream::support::later(&status(1), 20.0));
    let (progress, merged) = (reader.next().await.unwrap(), reader.next().await.unwrap());
    assert_eq!((progress.name.as_str(), merged.name.as_str()), ("progress", ""));
    assert_eq!(merged.data["elapsed_seconds"], 20.0);
    assert_described(&progress);
}

#[tokio::test]
async fn a_reader_can_be_given_another_filter_while_it_reads() {
    let daemon = Daemon::start().await;
    let (mut reader, id) = opened(&daemon, "/events?types=alarm").await;
    daemon.publish(1..=3);
    let path = format!("/events/subscribe?connection_id={id}");
    let (status, told) = post(&daemon, &path, r#"{"event_types":["device.*"],"last_event_id":"1"}"#).await;
    assert_eq!((status, told["event_types"].as_array().unwrap().len()), (200, 5));
    assert_eq!(reader.ids(2).await, [2, 3]);
    daemon.publish(4..=4);
    assert_eq!(reader.ids(1).await, [4]);
    let (_, list) = daemon.get("/events/connections").await;
    let list: Value = serde_json::from_str(&list).unwrap();
    let me = &list["connections"][0];
    assert_eq!((&me["connection_id"], &me["user_agent"]), (&json!(id), &json!("a test")));
    assert_eq!((&me["queue_len"], &me["last_event_id"]), (&json!(0), &json!(4)));
    assert!(me["bytes_sent"].as_u64().unwrap() > 1000);

    for (path, body, status, part) in [
        (path.as_str(), r#"{"event_types":["nothing"]}"#, 400, "run.finished"),
        (path.as_str(), r#"{"event_types":"#, 400, "JSON"),
        (path.as_str(), r#"{"filters":[]}"#, 400, "event_types"),
        (path.as_str(), r#"{"last_event_id":"x"}"#, 400, "decimal"),
        (path.as_str(), r#"{"project_id":"B"}"#, 404, "no run B"),
        ("/events/subscribe", "{}", 400, "connection_id"),
        ("/events/subscribe?connection_id=999", "{}", 404, "/events/connections"),
        ("/events/subscribe?connection_id=x", "{}", 404, "/events/connections"),
    ] {
        let (found, answer) = post(&daemon, path, body).await;
        assert!(
            found == status && answer["message"].as_str().unwrap().contains(part),
            "{path} {body}: {found} {answer}"
        );
    }
    let huge = format!(r#"{{"channels":"{}"}}"#, "1,".repeat(20_000));
    assert_eq!(post(&daemon, &path, &huge).await.0, 413);
}

#[tokio::test]
async fn a_connection_can_be_closed_and_is_told_why() {
    let daemon = Daemon::start().await;
    let (mut reader, id) = opened(&daemon, "/events").await;
    let (status, _) = send(&daemon, "DELETE", &format!("/events/connections/{id}"), "").await;
    assert_eq!(status, 200);
    let error = reader.next().await.unwrap();
    assert_eq!((error.name.as_str(), &error.data["code"]), ("error", &json!("closed")));
    assert_described(&error);
    assert_eq!(reader.next().await, None);
    while daemon.hub.clients() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(send(&daemon, "DELETE", &format!("/events/connections/{id}"), "").await.0, 404);
    let (_, text) = daemon.get("/events/stats").await;
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["disconnects_total"]["closed"], 1);
}

#[tokio::test]
async fn a_trial_reaches_those_who_would_get_what_it_stands_for() {
    let daemon = Daemon::start().await;
    let (mut alarms, _) = opened(&daemon, "/events?types=alarm").await;
    let (mut others, _) = opened(&daemon, "/events?types=phase").await;
    let (status, told) = post(&daemon, "/events/test?event_type=alarm&message=hello", "").await;
    assert_eq!((status, &told["sent_to"]), (200, &json!(2)));
    let trial = alarms.next().await.unwrap();
    assert_eq!((trial.id, trial.name.as_str(), &trial.data["test"]), (None, "test", &json!(true)));
    assert_eq!((&trial.data["event_type"], &trial.data["message"]), (&json!("alarm"), &json!("hello")));
    assert_described(&trial);
    assert_eq!(post(&daemon, "/events/test", r#"{"event_type":"phase"}"#).await.0, 200);
    assert_eq!(others.next().await.unwrap().data["event_type"], "phase");
    let (status, refused) = post(&daemon, "/events/test?event_type=nothing", "").await;
    assert!(status == 400 && refused["message"].as_str().unwrap().contains("run.started"));
    assert_eq!(daemon.get("/events/test").await.0, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(daemon.hub.seq(), 0);
}

#[tokio::test]
async fn every_figure_is_there_and_follows_what_happens() {
    let daemon = Daemon::with(Settings { max_connections: 2, ..Settings::default() }).await;
    let (mut reader, _) = opened(&daemon, "/events?types=device.phase").await;
    let mut again = Reader::open(&daemon, "/events", &[("last-event-id", "0")]).await;
    assert_eq!(daemon.ask(Method::GET, "/events", &[]).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    daemon.publish(1..=3);
    assert_eq!((reader.ids(3).await, again.ids(3).await), (vec![1, 2, 3], vec![1, 2, 3]));
    let (_, text) = daemon.get("/events/stats").await;
    let stats: Value = serde_json::from_str(&text).unwrap();
    for (key, expected) in [
        ("active_clients", json!(2)),
        ("sse_connections", json!(2)),
        ("total_connections", json!(2)),
        ("total_events_broadcast", json!(3)),
        ("recent_events_count", json!(3)),
        ("message_queue_size", json!(0)),
        ("queue_depth_max", json!(0)),
        ("queue_capacity", json!(1000)),
        ("conflated_total", json!(0)),
        ("gaps_total", json!(0)),
        ("replays_total", json!(1)),
        ("refused_total", json!(1)),
        ("errors_per_min", json!(1)),
        ("timestamp", json!(NOW.as_seconds())),
    ] {
        assert_eq!(stats[key], expected, "{key}");
    }
    assert_eq!(
        (&stats["subscription_counts"]["device.phase"], &stats["subscription_counts"]["alarm"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(stats["connections"].as_array().unwrap().len(), 2);
    assert!(stats["rss_bytes"].as_u64().unwrap() > 1_000_000);
    assert!(stats["events_per_s"].as_f64().unwrap() > 0.0 && stats["uptime_seconds"].is_number());
    assert!(stats["publish_latency_ms"]["p95"].is_number(), "{stats}");
    drop(again);
    while daemon.hub.clients() > 1 {
        tokio::task::yield_now().await;
    }
    let (_, page) = daemon.get("/metrics").await;
    for line in [
        "gaserad_instrument_up 1",
        "gaserad_instrument_state{state=\"measuring\"} 1",
        "gaserad_stream_clients 1",
        "gaserad_stream_events_total 3",
        "gaserad_stream_disconnects_total{reason=\"peer\"} 1",
        "gaserad_run_progress_ratio 0.25",
    ] {
        assert!(page.lines().any(|found| found == line), "{line}: {page}");
    }
}

#[tokio::test]
async fn results_are_on_the_page_for_prometheus_by_channel() {
    let daemon = Daemon::start().await;
    daemon.hub.publish(vec![result(1, 3), published(2, &Event::LiveData(live_data(Attribution::Mixed, None)))]);
    let (_, page) = daemon.get("/metrics").await;
    for line in [
        "gaserad_gas_mole_fraction_ppm{channel=\"3\",gas=\"CO2\",cas=\"124-38-9\"} 426.5",
        "gaserad_samples_total{channel=\"3\",qc=\"good\"} 1",
        "gaserad_samples_total{channel=\"0\",qc=\"good\"} 1",
    ] {
        assert!(page.lines().any(|found| found == line), "{line}: {page}");
    }
    // Each family is described once, before its samples.
    let families: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    assert_eq!(families.iter().collect::<std::collections::BTreeSet<_>>().len(), families.len());
}

#[tokio::test]
async fn every_type_that_can_be_named_is_described() {
    let daemon = Daemon::start().await;
    let (status, text) = daemon.get("/events/schema").await;
    let all: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, &all["$schema"]), (StatusCode::OK, &json!("https://json-schema.org/draft/2020-12/schema")));
    for name in crate::stream::Filter::names().chain(["batch_update", "status_update"]) {
        assert!(all["properties"].get(name).is_some(), "{name}");
        let (status, one) = daemon.get(&format!("/events/schema/{name}")).await;
        let one: Value = serde_json::from_str(&one).unwrap();
        let target = one["$ref"].as_str().unwrap().strip_prefix("#/$defs/").unwrap();
        assert!(status == StatusCode::OK && one["$defs"].get(target).is_some(), "{name}");
    }
    assert_eq!(all["properties"].as_object().unwrap().len(), crate::stream::Filter::names().count() + 2);
    assert_eq!(daemon.get("/events/schema/nonsense").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn subjects_are_told_all_at_once_and_then_each_change_once() {
    let daemon = Daemon::start().await;
    let paths = ["/status/stream?ids=instrument,ch:3-4", "/status/stream?pipelineIds=ch:3,engine,instrument,ch:4"];
    let mut readers = Vec::new();
    for path in paths {
        let mut reader = Reader::open(&daemon, path, &[]).await;
        let batch = reader.next().await.unwrap();
        assert_described(&batch);
        assert_eq!(batch.name, "batch_update");
        let updates = batch.data["updates"].as_array().unwrap();
        assert!(updates.contains(&json!({"id": "ch:3", "pipelineId": "ch:3", "status": "sampling"})), "{batch:?}");
        readers.push(reader);
    }
    daemon.hub.tick(&status(0));
    let mut offline = status(0);
    offline.analyzer.online = false;
    daemon.hub.tick(&offline);
    // Nothing that they follow.
    daemon.hub.tick(&crate::stream::support::later(&offline, 99.0));
    let mut back = offline.clone();
    back.analyzer.online = true;
    for reader in &mut readers {
        let update = reader.next().await.unwrap();
        assert_described(&update);
        assert_eq!((update.name.as_str(), &update.data["id"]), ("status_update", &json!("instrument")));
        assert_eq!((&update.data["status"], &update.data["previousStatus"]), (&json!("offline"), &json!("measuring")));
        assert_eq!(update.data["previous_status"], update.data["previousStatus"]);
    }
    daemon.hub.tick(&back);
    for reader in &mut readers {
        assert_eq!(reader.next().await.unwrap().data["previousStatus"], "offline");
    }
    assert_eq!(daemon.hub.clients(), 2);
    assert_eq!(subjects::of(&back).len(), 35);
    daemon.hub.publish(vec![published(1, &Event::SystemShutdown { reason: "now".into(), restart_expected_s: None })]);
    for reader in &mut readers {
        assert_eq!(reader.next().await.unwrap().name, "system.shutdown");
        assert_eq!(reader.next().await, None);
    }
}

#[tokio::test]
async fn subjects_that_are_not_there_are_refused_as_such() {
    let daemon = Daemon::start().await;
    for path in ["/status/stream", "/status/stream?ids=", "/status/stream?ids=pump", "/status/stream?ids=ch:32"] {
        let (status, text) = daemon.get(path).await;
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((status, &answer["success"]), (StatusCode::BAD_REQUEST, &json!(false)), "{path}");
        assert!(answer["error"].as_str().unwrap().contains("ch:"), "{answer}");
    }
}
