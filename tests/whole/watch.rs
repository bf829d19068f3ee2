//! watch over restarts of the daemon: what it shows is what happened, all of it and once.

use std::thread::spawn;

use rustix::process::Signal;
use serde_json::Value;

use super::lab::{Design, Lab};
use super::verdict::assert_numbered;

const START: &[&str] = &["start", "--channels", "1-3", "--repeats", "2", "--purge", "6s", "--measure", "20s"];

/// The lines of what is numbered, without the snapshots.
fn numbered(jsonl: &str) -> Vec<Value> {
    let lines = jsonl.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| !line["id"].is_null() && line["type"] != "snapshot").collect()
}

fn ids(events: &[Value]) -> Vec<u64> {
    events.iter().map(|event| event["id"].as_u64().unwrap()).collect()
}

/// Ends the daemon once so many samples of the run were told, each time in another way, and starts it again.
fn restarted(lab: &mut Lab, begun: u64, signals: &[Signal]) {
    for (count, signal) in signals.iter().enumerate() {
        let mut events = lab.events(Some(begun));
        for _ in 0..=count {
            events.until(|event| event["type"] == "live_data");
        }
        let daemon = lab.daemon.take().unwrap();
        daemon.signal(*signal);
        daemon.wait();
        lab.start_daemon();
    }
}

fn costs_nothing(more: &[&str], signals: &[Signal]) {
    let mut lab = Lab::new(&Design { store: "on_restart = \"resume\"\nmax_outage = \"30d\"", ..Design::default() });
    let begun = lab.ask(&["status"])["seq"].as_u64().unwrap();
    let since = begun.to_string();
    let watch = ["watch", "--format", "jsonl", "--until-done", "--reconnect-delay", "200ms", "--since", &since];
    let watch = lab.begin(&[&watch[..], more].concat());
    let reader = spawn(move || watch.wait());
    assert_eq!(lab.ctl(START).exit, 0);
    let run = lab.ask(&["status"])["run"]["id"].as_str().unwrap().to_owned();
    restarted(&mut lab, begun, signals);
    let all = lab.events_to_the_end_of(&run);

    let done = reader.join().unwrap();
    assert!(matches!(done.exit, 0 | 7), "the run completed, or some visits have no good sample: {done:?}");
    let seen = numbered(&done.stdout);
    assert_numbered(&all);
    let happened: Vec<u64> = ids(&all).into_iter().filter(|id| *id > begun).collect();
    assert_eq!(ids(&seen), happened, "{}", done.stderr);
    assert!(!done.stdout.contains("\"type\":\"gap\""), "{done:?}");
    // While it waits for one restart it does not see the next.
    assert!(done.stderr.contains("connection lost: "), "{}", done.stderr);
}

#[test]
fn a_daemon_that_is_killed_and_then_restarted_within_a_run_costs_no_event() {
    costs_nothing(&[], &[Signal::KILL, Signal::TERM]);
}

#[test]
fn nor_does_one_that_is_polled_for() {
    costs_nothing(&["--max-reconnect", "0"], &[Signal::TERM, Signal::KILL]);
}
