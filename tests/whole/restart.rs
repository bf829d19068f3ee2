//! The daemon's end in the middle of a run, asked for or not, and its return.

use rustix::process::Signal;
use serde_json::Value;

use super::lab::{Design, Lab};
use super::verdict::{assert_numbered, assert_true, exported, is_good};

const LONG: &[&str] = &["start", "--channels", "1-4", "--repeats", "50", "--purge", "6s", "--measure", "20s"];

fn lossless(events: impl IntoIterator<Item = Value>) -> Vec<Value> {
    events.into_iter().filter(|event| !event["id"].is_null()).collect()
}

/// A lab in which an interrupted run is over.
fn ending() -> Lab {
    Lab::new(&Design { store: "on_restart = \"end\"", ..Design::default() })
}

/// What was seen of a run up to its `count`th record.
fn until_records(lab: &Lab, count: usize) -> Vec<Value> {
    let mut events = lab.events(Some(0));
    let mut seen: Vec<Value> = Vec::new();
    while seen.iter().filter(|event| event["type"] == "live_data").count() < count {
        seen.push(events.until(|event| !event["id"].is_null()));
    }
    seen
}

/// Starts a run, kills the daemon after so many records, starts it again and waits for the end of the run: its id, and all
/// that is told of it then, which begins with what was told before.
fn killed_in_a_run(lab: &mut Lab, start: &[&str], records: usize) -> (String, Vec<Value>) {
    assert_eq!(lab.ctl(start).exit, 0);
    let run = lab.ask(&["status"])["run"]["id"].as_str().unwrap().to_owned();
    let seen = until_records(lab, records);
    lab.daemon.take().unwrap().kill();
    lab.start_daemon();
    let all = lab.events_to_the_end_of(&run);
    assert_eq!(all[..seen.len()], seen, "what was told is told again as it was");
    assert_numbered(&all);
    (run, all)
}

#[test]
fn a_daemon_that_is_killed_in_a_run_loses_nothing_that_it_has_told() {
    let mut lab = ending();
    let (run, all) = killed_in_a_run(&mut lab, LONG, 5);
    let ended = &all.last().unwrap()["data"]["run"];
    assert_eq!(ended["outcome"], "failed", "{ended}");
    assert_eq!(ended["reason"], "gaserad ended in the middle of the run and was started again");
    let kept = exported(&lab);
    let told = all.iter().filter(|event| event["type"] == "live_data").count();
    assert_eq!(kept.len(), told, "every record that was told is kept, and no other one");
    assert_true(&kept, &lab.truth());

    lab.assert_idle();
    let done = lab.ctl(&["start", "--channels", "3", "--purge", "6s", "--measure", "20s", "--wait"]);
    assert_eq!(done.exit, 0, "{done:?}");
    let again = lab.ask(&["runs", "show", "last"])["id"].as_str().unwrap().to_owned();
    assert_ne!(again, run);
    assert_numbered(&lab.events_to_the_end_of(&again));
    assert_true(&exported(&lab), &lab.truth());
}

#[test]
fn a_run_goes_on_where_a_kill_interrupted_it_unless_that_is_not_wanted() {
    let mut lab = Lab::new(&Design::default());
    let short = ["start", "--channels", "1-3", "--purge", "6s", "--measure", "20s"];
    let (_, all) = killed_in_a_run(&mut lab, &short, 1);
    let ended = &all.last().unwrap()["data"]["run"];
    assert_eq!(ended["outcome"], "completed", "{ended}");
    let good: Vec<_> = exported(&lab).into_iter().filter(is_good).collect();
    assert_true(&good, &lab.truth());
}

#[test]
fn a_daemon_that_is_told_to_end_brings_the_run_to_its_end_first() {
    let mut lab = ending();
    assert_eq!(lab.ctl(LONG).exit, 0);
    until_records(&lab, 2);
    let events = lab.events(Some(0));
    let done = lab.daemon.take().unwrap().terminate();
    lab.assert_idle();
    assert_eq!(done.exit, 0, "{done:?}");
    assert!(done.stderr.contains("stopping on SIGTERM"), "{done:?}");

    let told = lossless(events.rest());
    assert_numbered(&told);
    let [.., finished, shutdown] = &told[..] else { panic!("{told:?}") };
    assert_eq!(finished["type"], "run.finished", "{told:?}");
    assert_eq!(finished["data"]["run"]["outcome"], "aborted");
    assert_eq!(finished["data"]["run"]["reason"], "gaserad was shut down");
    assert_eq!(shutdown["type"], "system.shutdown");
    assert_true(&exported_after_restart(&mut lab), &lab.truth());
}

fn exported_after_restart(lab: &mut Lab) -> Vec<super::verdict::Row> {
    lab.start_daemon();
    let run = lab.ask(&["runs", "show", "last"]);
    assert_eq!((&run["outcome"], &run["reason"]), (&"aborted".into(), &"gaserad was shut down".into()), "{run}");
    let planned = lab.ask(&["start", "--channels", "1", "--dry-run"]);
    let pace = planned["pace"].as_str().unwrap();
    assert!(pace.starts_with("reckoned with iterations of "), "the pace is not forgotten: {pace}");
    exported(lab)
}

#[test]
fn an_interrupt_from_the_keyboard_ends_an_idle_daemon_cleanly() {
    let mut lab = Lab::new(&Design::default());
    let daemon = lab.daemon.take().unwrap();
    daemon.signal(Signal::INT);
    let done = daemon.wait();
    assert_eq!(done.exit, 0, "{done:?}");
    assert!(!lab.path("sock").exists(), "the socket is taken away");
}
