//! Readers of the hub in virtual time.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::support::{Frame, Kept, frames, hub, later, live_data, numbered, published, status};
use super::{Cursor, Filter, Format, Hub, Refused, Settings, SubscribeRequest};
use crate::domain::{Attribution, Event, Phase, Status};

fn small() -> Settings {
    Settings { ring: 8, ..Settings::default() }
}

fn subscribe(hub: &Arc<Hub>, request: SubscribeRequest, now: Status) -> Cursor {
    hub.subscribe(request, Box::pin(async move { now })).unwrap()
}

fn after(id: u64) -> SubscribeRequest {
    SubscribeRequest { last_event_id: Some(id), ..SubscribeRequest::default() }
}

fn merged() -> SubscribeRequest {
    SubscribeRequest { format: Format::Merged, ..SubscribeRequest::default() }
}

async fn text(cursor: &mut Cursor) -> String {
    let frames = cursor.next().await.expect("the stream goes on");
    frames.iter().map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()).collect()
}

/// It says when to come back, and nothing more.
async fn ends(cursor: &mut Cursor) {
    let farewell = text(cursor).await;
    let wait = farewell.strip_prefix("retry: ").unwrap().trim_end().parse::<u32>().unwrap();
    assert!((1000..5000).contains(&wait), "{wait}");
    assert!(cursor.next().await.is_none());
}

async fn next(cursor: &mut Cursor) -> Vec<Frame> {
    frames(&text(cursor).await)
}

/// Reads until the event `last`; every numbered frame's number.
async fn ids_until(cursor: &mut Cursor, last: u64) -> Vec<u64> {
    let mut ids = Vec::new();
    while ids.last() != Some(&last) {
        ids.extend(next(cursor).await.iter().filter_map(|frame| frame.id));
    }
    ids
}

fn publish(hub: &Hub, history: &Kept, seqs: impl IntoIterator<Item = u64>) {
    for seq in seqs {
        history.keep(&[numbered(seq)]);
        hub.publish(vec![numbered(seq)]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_begins_with_a_greeting_and_the_state_of_everything() {
    let hub = hub(small(), &Kept::new(), 41);
    let mut cursor = subscribe(&hub, SubscribeRequest::default(), status(41));
    let greeting = text(&mut cursor).await;
    assert!(greeting.starts_with("retry: 2000\nevent: connected\ndata: {"), "{greeting}");
    assert_eq!(frames(&greeting)[0].data["seq"], 41);
    let snapshot = next(&mut cursor).await;
    assert_eq!((snapshot[0].name.as_str(), snapshot[0].id), ("snapshot", Some(41)));
    assert_eq!(serde_json::from_value::<Status>(snapshot[0].data.clone()).unwrap(), status(41));
    hub.publish(vec![numbered(42)]);
    let event = next(&mut cursor).await;
    assert_eq!((event[0].name.as_str(), event[0].id, &event[0].data["n"]), ("device.phase", Some(42), &json!(42)));
}

#[tokio::test(start_paused = true)]
async fn what_the_snapshot_includes_is_not_sent_again() {
    let hub = hub(small(), &Kept::new(), 0);
    let mut cursor = subscribe(&hub, SubscribeRequest::default(), status(2));
    next(&mut cursor).await;
    hub.publish(vec![numbered(1), numbered(2)]);
    assert_eq!(next(&mut cursor).await[0].name, "snapshot");
    hub.publish(vec![numbered(3)]);
    assert_eq!(next(&mut cursor).await[0].id, Some(3));
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_was_away_gets_everything_after_its_last_event() {
    let history = Kept::new();
    let hub = hub(small(), &history, 0);
    publish(&hub, &history, 1..=100);
    let mut cursor = subscribe(&hub, after(40), status(100));
    next(&mut cursor).await;
    assert_eq!(ids_until(&mut cursor, 100).await, (41..=100).collect::<Vec<_>>());
    publish(&hub, &history, 101..=103);
    assert_eq!(ids_until(&mut cursor, 103).await, [101, 102, 103]);
}

#[tokio::test(start_paused = true)]
async fn a_replay_has_no_gap_and_no_duplicate_while_events_go_on() {
    let history = Kept::new();
    let hub = hub(small(), &history, 0);
    publish(&hub, &history, 1..=50);
    let mut cursor = subscribe(&hub, after(0), status(50));
    let publisher = tokio::spawn({
        let (hub, history) = (hub.clone(), history.clone());
        async move {
            for seq in 51..=2000 {
                publish(&hub, &history, [seq]);
                if seq % 3 == 0 {
                    tokio::task::yield_now().await;
                }
            }
        }
    });
    assert_eq!(ids_until(&mut cursor, 2000).await, (1..=2000).collect::<Vec<_>>());
    publisher.await.unwrap();
}

/// Whoever came back with its number before it was told would be said to have one from the future.
#[tokio::test(start_paused = true)]
async fn what_is_kept_and_not_told_yet_is_not_recalled() {
    let history = Kept::new();
    let hub = hub(small(), &history, 0);
    publish(&hub, &history, 1..=20);
    history.keep(&[numbered(21), numbered(22)]);
    let mut early = subscribe(&hub, after(5), status(20));
    next(&mut early).await;
    let recalled: Vec<u64> = next(&mut early).await.iter().filter_map(|frame| frame.id).collect();
    assert_eq!(recalled, (6..=20).collect::<Vec<_>>());
    assert!(matches!(early.step().await, super::cursor::CursorStep::Current));
    hub.publish(vec![numbered(21), numbered(22)]);
    assert_eq!(ids_until(&mut early, 22).await, [21, 22]);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_fell_out_of_the_ring_is_fed_from_the_history_and_comes_back() {
    let history = Kept::new();
    let hub = hub(small(), &history, 0);
    let mut slow = subscribe(&hub, SubscribeRequest::default(), status(0));
    next(&mut slow).await;
    next(&mut slow).await;
    publish(&hub, &history, 1..=700);
    assert_eq!(ids_until(&mut slow, 700).await, (1..=700).collect::<Vec<_>>());
    publish(&hub, &history, [701]);
    assert_eq!(ids_until(&mut slow, 701).await, [701]);
}

#[tokio::test(start_paused = true)]
async fn an_id_from_the_future_is_answered_by_a_gap_and_the_state() {
    let hub = hub(small(), &Kept::new(), 5);
    let mut cursor = subscribe(&hub, after(900), status(5));
    next(&mut cursor).await;
    let begin = next(&mut cursor).await;
    assert_eq!((begin[0].name.as_str(), begin[1].name.as_str(), begin[1].id), ("gap", "snapshot", Some(5)));
    assert!(begin[0].data["reason"].as_str().unwrap().contains("900"));
    hub.publish(vec![numbered(6)]);
    assert_eq!(next(&mut cursor).await[0].id, Some(6));
}

#[tokio::test(start_paused = true)]
async fn events_that_are_not_kept_any_more_are_counted_in_a_gap() {
    let history = Kept::new();
    let hub = hub(small(), &history, 0);
    publish(&hub, &history, 1..=40);
    history.forget_up_to(20);
    let mut cursor = subscribe(&hub, after(10), status(40));
    next(&mut cursor).await;
    let begin = next(&mut cursor).await;
    assert_eq!((begin[0].name.as_str(), &begin[0].data["missed"]), ("gap", &json!(10)));
    assert_eq!(begin[1].id, Some(21));
    history.forget_up_to(40);
    let mut late = subscribe(&hub, after(10), status(40));
    next(&mut late).await;
    let begin = next(&mut late).await;
    assert_eq!((begin[0].name.as_str(), &begin[0].data["missed"]), ("gap", &json!(22)));
    assert_eq!(ids_until(&mut late, 40).await, (33..=40).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_history_that_cannot_be_read_ends_the_stream_with_an_honest_gap() {
    let history = Kept::new();
    let hub = hub(small(), &history, 0);
    publish(&hub, &history, 1..=40);
    history.fail("the disk is gone");
    let mut cursor = subscribe(&hub, after(1), status(40));
    next(&mut cursor).await;
    let gap = next(&mut cursor).await;
    assert!(gap[0].name == "gap" && gap[0].data["reason"].as_str().unwrap().contains("the disk is gone"));
    ends(&mut cursor).await;
}

#[tokio::test(start_paused = true)]
#[expect(clippy::disallowed_methods, reason = "the time is virtual")]
async fn silence_is_broken_by_comments_and_by_a_heartbeat() {
    let hub = hub(Settings { keepalive: Duration::from_secs(8), ..small() }, &Kept::new(), 0);
    let mut cursor = subscribe(&hub, SubscribeRequest::default(), status(0));
    let _other = subscribe(&hub, SubscribeRequest::default(), status(0));
    hub.tick(&status(0));
    let begun = tokio::time::Instant::now();
    let mut seen = Vec::new();
    while begun.elapsed() < Duration::from_secs(59) {
        let text = text(&mut cursor).await;
        seen.push((begun.elapsed().as_secs(), text));
    }
    let comments: Vec<u64> = seen.iter().filter(|(_, text)| text == ": keep-alive\n\n").map(|(at, _)| *at).collect();
    assert_eq!(comments, [8, 16, 24, 38, 46, 54]);
    let heartbeats: Vec<_> = seen.iter().filter(|(_, text)| text.contains("event: heartbeat")).collect();
    assert_eq!(heartbeats.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [30, 60]);
    let data = &frames(&heartbeats[0].1)[0].data;
    assert_eq!((&data["clients"], &data["phase"], &data["seq"]), (&json!(2), &json!("MEASURING"), &json!(0)));
}

#[tokio::test(start_paused = true)]
async fn a_reader_gets_only_what_its_filter_passes() {
    let hub = hub(small(), &Kept::new(), 0);
    let filter = Filter::parse(Some("run.*,live_data"), Some("1-2"), None).unwrap();
    let request = SubscribeRequest { filter, last_event_id: Some(0), ..SubscribeRequest::default() };
    let mut cursor = subscribe(&hub, request, status(0));
    next(&mut cursor).await;
    let exact = |channel| Event::LiveData(live_data(Attribution::Exact, Some(channel)));
    hub.tick(&status(0));
    hub.publish(vec![
        numbered(1),
        published(2, &exact(2)),
        published(3, &exact(3)),
        published(4, &Event::RunStarted { run: super::support::run("A") }),
        published(5, &Event::SystemShutdown { reason: "the end".into(), restart_expected_s: None }),
    ]);
    let ids: Vec<_> = next(&mut cursor).await.iter().map(|frame| frame.id.unwrap()).collect();
    assert_eq!(ids, [2, 4, 5]);
    ends(&mut cursor).await;
}

#[tokio::test(start_paused = true)]
async fn streams_end_after_the_shutdown_but_not_after_an_old_one() {
    let history = Kept::new();
    history.keep(&[published(1, &Event::SystemShutdown { reason: "before".into(), restart_expected_s: None })]);
    let hub = hub(small(), &history, 1);
    let mut cursor = subscribe(&hub, after(0), status(1));
    next(&mut cursor).await;
    assert_eq!(next(&mut cursor).await[0].name, "system.shutdown");
    hub.publish(vec![numbered(2)]);
    assert_eq!(next(&mut cursor).await[0].id, Some(2));
    hub.publish(vec![published(3, &Event::SystemShutdown { reason: "now".into(), restart_expected_s: None })]);
    assert_eq!(next(&mut cursor).await[0].name, "system.shutdown");
    ends(&mut cursor).await;
    let refused = hub.subscribe(after(3), Box::pin(async { status(3) })).err();
    assert_eq!(refused, Some(Refused::ShuttingDown));
}

#[tokio::test(start_paused = true)]
async fn only_the_latest_progress_is_sent_and_only_if_it_is_new() {
    let hub = hub(small(), &Kept::new(), 0);
    let mut cursor = subscribe(&hub, SubscribeRequest::default(), status(0));
    next(&mut cursor).await;
    next(&mut cursor).await;
    for second in 1..=5 {
        hub.tick(&later(&status(0), f64::from(second)));
    }
    let ticks = next(&mut cursor).await;
    assert_eq!((ticks.len(), ticks[0].name.as_str(), ticks[0].id), (1, "progress", None));
    assert_eq!((&ticks[0].data["elapsed_seconds"], &ticks[0].data["run_id"]), (&json!(5.0), &json!("A")));
    hub.tick(&later(&status(0), 5.0));
    assert_eq!(text(&mut cursor).await, ": keep-alive\n\n");
}

#[tokio::test(start_paused = true)]
async fn the_places_are_counted_and_given_back() {
    let hub = hub(Settings { max_connections: 2, ..small() }, &Kept::new(), 0);
    let first = subscribe(&hub, after(0), status(0));
    let _second = subscribe(&hub, after(0), status(0));
    let third = || hub.subscribe(after(0), Box::pin(async { status(0) }));
    assert_eq!(third().err(), Some(Refused::Full(2)));
    drop(first);
    assert!(third().is_ok());
}

#[tokio::test(start_paused = true)]
async fn lines_carry_id_type_and_data() {
    let hub = hub(small(), &Kept::new(), 0);
    let request = SubscribeRequest { format: Format::Lines, ..SubscribeRequest::default() };
    let mut cursor = subscribe(&hub, request, status(0));
    let mut lines = Vec::new();
    for _ in 0..2 {
        lines.push(text(&mut cursor).await);
    }
    hub.publish(vec![numbered(1)]);
    hub.tick(&status(1));
    lines.push(text(&mut cursor).await);
    // A line cannot be a comment: the next is the heartbeat.
    lines.push(text(&mut cursor).await);
    let objects: Vec<Value> = lines.concat().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let types: Vec<_> = objects.iter().map(|object| object["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["connected", "snapshot", "device.phase", "progress", "heartbeat"]);
    assert_eq!((&objects[2]["id"], &objects[2]["data"]["n"]), (&json!(1), &json!(1)));
}

const PROGRESS_FIELDS: [&str; 12] = [
    "current_channel",
    "elapsed_seconds",
    "enabled_count",
    "next_channel",
    "overall_percent",
    "percent",
    "phase",
    "repeat_index",
    "repeat_total",
    "step_index",
    "total_steps",
    "tt_seconds",
];

#[tokio::test(start_paused = true)]
async fn the_first_merged_message_is_complete() {
    let hub = hub(small(), &Kept::new(), 0);
    let mut now = status(0);
    now.live_data = Some(live_data(Attribution::Exact, Some(3)));
    let mut cursor = subscribe(&hub, merged(), now);
    let message = text(&mut cursor).await;
    assert!(message.starts_with("data: {") && message.ends_with("}\n\n:\n\n"), "{message}");
    let data = frames(&message)[0].data.clone();
    let keys: Vec<&str> = data.as_object().unwrap().keys().map(String::as_str).collect();
    assert!(keys.is_sorted());
    assert!(PROGRESS_FIELDS.iter().all(|field| keys.contains(field)), "{keys:?}");
    assert_eq!(data["connection"], json!({ "online": true }));
    assert_eq!((&data["usb_mounted"], &data["usb_event"]), (&json!(false), &Value::Null));
    assert_eq!(
        data["device_status"],
        json!({
            "buzzer": { "enabled": false },
            "connection": { "online": true },
            "usb": { "mounted": false },
            "gasera": { "online": true, "status": "measuring", "status_code": 5, "phase": "integration" },
        })
    );
    let live = &data["live_data"];
    assert_eq!((&live["channel"], &live["repeat"], &live["phase"]), (&json!(3), &json!(1), &json!("MEASURING")));
    let component =
        json!({"cas": "124-38-9", "color": "#ff6384", "label": "Carbon Dioxide (CO₂, 124-38-9)", "ppm": 426.5});
    assert_eq!(live["components"], json!([component]));
    let stamp = live["timestamp"].as_str().unwrap();
    assert_eq!(stamp, super::support::NOW.to_local_string("%Y-%m-%d %H:%M:%S"));
}

#[tokio::test(start_paused = true)]
async fn merged_messages_are_distinct_and_say_only_what_is_new() {
    let hub = hub(small(), &Kept::new(), 0);
    hub.tick(&status(0));
    let mut cursor = subscribe(&hub, merged(), status(0));
    next(&mut cursor).await;
    hub.tick(&status(0));
    assert_eq!(text(&mut cursor).await, ": keep-alive\n\n");

    hub.tick(&later(&status(0), 13.0));
    let plain = next(&mut cursor).await[0].data.clone();
    assert_eq!((&plain["elapsed_seconds"], plain.get("device_status")), (&json!(13.0), None));

    let mut offline = later(&status(0), 14.0);
    offline.analyzer.online = false;
    hub.tick(&offline);
    hub.tick(&Status { progress: later(&status(0), 15.0).progress, ..offline.clone() });
    let devices = next(&mut cursor).await[0].data.clone();
    assert_eq!((&devices["elapsed_seconds"], &devices["connection"]["online"]), (&json!(15.0), &json!(false)));
    assert_eq!(devices["device_status"]["gasera"]["online"], json!(false));

    let result = |seq, attribution, channel| published(seq, &Event::LiveData(live_data(attribution, channel)));
    hub.publish(vec![result(1, Attribution::Mixed, None), result(2, Attribution::Exact, Some(3))]);
    let results = next(&mut cursor).await;
    assert_eq!((results.len(), &results[0].data["live_data"]["channel"]), (1, &json!(3)));
    assert_eq!(results[0].data.get("device_status"), None);

    let mut failed = offline;
    failed.progress.phase = Phase::Failed;
    hub.tick(&failed);
    assert_eq!(next(&mut cursor).await[0].data["phase"], "ABORTED");
}
