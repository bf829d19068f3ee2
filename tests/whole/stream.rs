//! The stream of a daemon that measures: what dashboards rely on, and that readers cost the instrument nothing.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::spawn;

use serde_json::Value;

use super::lab::{Design, Lab};
use crate::support::processes::Watchdog;

/// The messages of a merged stream.
struct Dashboard {
    lines: BufReader<TcpStream>,
    _watchdog: Watchdog,
}

impl Dashboard {
    fn open(lab: &Lab) -> Self {
        let mut stream = TcpStream::connect(lab.address()).unwrap();
        let path = "/gasera/api/measurement/events";
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", lab.address()).unwrap();
        let other = stream.try_clone().unwrap();
        let watchdog = Watchdog::new(move || drop(other.shutdown(Shutdown::Both)));
        Self { lines: BufReader::new(stream), _watchdog: watchdog }
    }
}

impl Iterator for Dashboard {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).ok()? == 0 {
                return None;
            }
            assert!(!line.starts_with("id:") && !line.starts_with("event:"), "{line}");
            if let Some(data) = line.strip_prefix("data: ") {
                return Some(serde_json::from_str(data).unwrap());
            }
        }
    }
}

/// Keys and types of what GaseraMux was recorded to send; `?` marks what may be null.
const PROGRESS: [(&str, &str); 12] = [
    ("current_channel", "int"),
    ("elapsed_seconds", "float"),
    ("enabled_count", "int"),
    ("next_channel", "int?"),
    ("overall_percent", "int"),
    ("percent", "int"),
    ("phase", "str"),
    ("repeat_index", "int"),
    ("repeat_total", "int"),
    ("step_index", "int"),
    ("total_steps", "int"),
    ("tt_seconds", "float?"),
];
const LIVE: [(&str, &str); 5] =
    [("channel", "int"), ("components", "list"), ("phase", "str"), ("repeat", "int"), ("timestamp", "str")];
const COMPONENT: [(&str, &str); 4] = [("cas", "str"), ("color", "str"), ("label", "str"), ("ppm", "float?")];
/// What a run of three channels was recorded to go through.
const PHASES: [&str; 10] = [
    "HOMING",
    "PAUSED",
    "MEASURING",
    "SWITCHING",
    "PAUSED",
    "MEASURING",
    "SWITCHING",
    "PAUSED",
    "MEASURING",
    "SWITCHING",
];

fn is(kind: &str, value: &Value) -> bool {
    match kind.strip_suffix('?').unwrap_or(kind) {
        _ if value.is_null() => kind.ends_with('?'),
        "int" => value.is_u64(),
        "float" => value.is_f64(),
        "str" => value.is_string(),
        "list" => value.is_array(),
        other => panic!("{other}"),
    }
}

#[track_caller]
fn assert_shape(shape: &[(&str, &str)], value: &Value) {
    for (key, kind) in shape {
        assert!(value.get(key).is_some_and(|value| is(kind, value)), "{key}: {value}");
    }
}

fn assert_message(message: &Value) {
    assert_shape(&PROGRESS, message);
    let keys: Vec<_> = message.as_object().unwrap().keys().collect();
    assert!(keys.is_sorted(), "{keys:?}");
    assert!(message["connection"]["online"].is_boolean() && message["usb_mounted"].is_boolean(), "{message}");
    assert!(message["usb_event"].is_null(), "{message}");
    if let Some(devices) = message.get("device_status") {
        for (device, key) in [("buzzer", "enabled"), ("connection", "online"), ("usb", "mounted"), ("gasera", "online")]
        {
            assert!(devices[device][key].is_boolean(), "{message}");
        }
    }
    if let Some(live) = message.get("live_data") {
        assert_shape(&LIVE, live);
        assert!((1..=31).contains(&live["channel"].as_u64().unwrap()), "{live}");
        assert_eq!(live["timestamp"].as_str().unwrap().len(), "2026-01-15 08:03:12".len());
        live["components"].as_array().unwrap().iter().for_each(|component| assert_shape(&COMPONENT, component));
    }
}

#[test]
fn a_dashboard_sees_a_run_as_it_was_recorded() {
    let lab = Lab::new(&Design { scale: 10, ..Design::default() });
    let mut dashboard = Dashboard::open(&lab);
    let first = dashboard.next().unwrap();
    assert_message(&first);
    assert_eq!((&first["phase"], first.get("device_status").is_some()), (&"IDLE".into(), true));
    let plan = ["start", "--channels", "1-3", "--purge", "30s", "--measure", "70s", "--sync", "dwell", "--wait"];
    let run = lab.begin(&plan);
    let (mut phases, mut last, mut results) = (Vec::new(), first, BTreeMap::new());
    for message in dashboard {
        assert_message(&message);
        assert_ne!(message, last, "each message is another");
        if message["phase"] != last["phase"] {
            phases.push(message["phase"].as_str().unwrap().to_owned());
        }
        if let Some(live) = message.get("live_data") {
            *results.entry(live["channel"].as_u64().unwrap()).or_insert(0) += 1;
        }
        let over = message["phase"] == "IDLE" && !phases.is_empty();
        last = message;
        if over {
            break;
        }
    }
    assert_eq!(phases.pop().as_deref(), Some("IDLE"));
    assert_eq!(phases, PHASES);
    assert!(last["tt_seconds"].is_null() && last["overall_percent"] == 100, "{last}");
    assert!(!results.is_empty() && results.keys().all(|channel| (1..=3).contains(channel)), "{results:?}");
    run.wait();
}

/// What each AK question begins with.
const STX: u8 = 0x02;

/// Lets bytes through in both directions, and counts the questions.
fn counting(target: String) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap().to_string();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(&target) else { continue };
            let (to_server, from_server) = (server.try_clone().unwrap(), server);
            let (to_client, from_client) = (client.try_clone().unwrap(), client);
            let counted = counted.clone();
            spawn(move || {
                pass(from_client, to_server, |bytes| {
                    counted.fetch_add(bytes.split(|byte| *byte == STX).count() - 1, Ordering::Relaxed);
                });
            });
            spawn(move || pass(from_server, to_client, |_| {}));
        }
    });
    (place, count)
}

fn pass(mut from: TcpStream, mut to: TcpStream, see: impl Fn(&[u8])) {
    let mut buffer = [0; 4096];
    while let Ok(read) = from.read(&mut buffer) {
        see(&buffer[..read]);
        if read == 0 || to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

#[test]
fn fifty_readers_ask_the_analyzer_no_more_than_one_does() {
    let mut lab = Lab::new(&Design { scale: 20, ..Design::default() });
    let (place, count) = counting(lab.analyzer().to_owned());
    lab.look_elsewhere(&place);
    let run = lab.begin(&["start", "--channels", "1", "--purge", "0s", "--measure", "1h", "--wait"]);
    let mut events = lab.events(None);
    let mut questions = |iterations: usize| {
        let mut next = || events.until(|event| event["type"] == "live_data");
        next();
        let before = count.load(Ordering::Relaxed);
        (0..iterations).for_each(|_| drop(next()));
        count.load(Ordering::Relaxed) - before
    };
    let one = questions(2);
    let readers: Vec<_> = (0..50).map(|_| lab.events(None)).collect();
    let panels: Vec<_> = (0..5).map(|_| Dashboard::open(&lab)).collect();
    let fifty = questions(2);
    assert!(one > 20 && fifty * 10 <= one * 13, "{one} questions with one reader, {fifty} with fifty");
    assert_eq!((readers.len(), panels.len()), (50, 5));
    lab.ctl(&["abort", "--wait"]);
    run.wait();
}
