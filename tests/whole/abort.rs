//! An abort at every phase: when it returns, the analyzer is idle.

use super::lab::{Design, Lab};

/// Slow enough for most aborts to meet the phase that they are meant for; whatever they meet, the same holds.
const SCALE: u32 = 20;
const START: &[&str] = &["start", "--channels", "2-3", "--purge", "20s", "--measure", "10s"];

fn lab() -> Lab {
    Lab::new(&Design { scale: SCALE, ..Design::default() })
}

/// Aborts the run, which must be granted, and looks at what is left of it.
#[track_caller]
fn abort(lab: &Lab) {
    let done = lab.ctl(&["abort"]);
    lab.assert_idle();
    assert_eq!(done.exit, 0, "{done:?}");
    assert!(done.stdout.contains("is aborted; the analyzer is idle"), "{done:?}");
    let again = lab.ctl(&["abort"]);
    assert_eq!(again.exit, 3, "{again:?}");
    assert!(again.stderr.contains("no run is under way, so there is nothing to abort"), "{again:?}");
    lab.assert_idle();
}

#[track_caller]
fn assert_aborted(lab: &Lab) {
    let run = lab.ask(&["runs", "show", "last"]);
    assert_eq!(run["outcome"], "aborted", "{run}");
    assert!(run["reason"].as_str().unwrap().starts_with("by "), "{run}");
    let status = lab.ask(&["status"]);
    assert_eq!((&status["run"], &status["phase"]), (&serde_json::Value::Null, &"ABORTED".into()), "{status}");
}

/// Starts a run, aborts it as soon as it is in this phase, and looks at how the start took it.
#[track_caller]
fn aborted_when(phase: &str, starter: &[i32]) {
    let lab = lab();
    let mut events = lab.events(None);
    let start = lab.begin(START);
    events.until_phase(phase);
    abort(&lab);
    assert_aborted(&lab);
    let start = start.wait();
    assert!(starter.contains(&start.exit), "{start:?}");
    if start.exit == 6 {
        assert!(start.stderr.contains("the run was not started: by "), "{start:?}");
    }
}

#[test]
fn an_abort_while_the_valve_goes_home_leaves_the_analyzer_idle() {
    aborted_when("HOMING", &[0, 6]);
}

#[test]
fn an_abort_while_the_valve_moves_leaves_the_analyzer_idle() {
    aborted_when("SWITCHING", &[0]);
}

#[test]
fn an_abort_in_the_purge_leaves_the_analyzer_idle() {
    aborted_when("PURGING", &[0]);
}

#[test]
fn an_abort_while_measuring_leaves_the_analyzer_idle() {
    aborted_when("MEASURING", &[0]);
}

#[test]
fn an_abort_as_soon_as_a_start_has_returned_leaves_the_analyzer_idle() {
    let lab = lab();
    assert_eq!(lab.ctl(START).exit, 0);
    abort(&lab);
    assert_aborted(&lab);
}

#[test]
fn an_abort_right_after_a_start_was_sent_leaves_the_analyzer_idle() {
    let lab = lab();
    let start = lab.begin(START);
    let granted = std::iter::repeat_with(|| lab.ctl(&["abort"])).find(|done| done.exit != 3).unwrap();
    lab.assert_idle();
    // While it is only being prepared a run has no place among the runs yet.
    assert_eq!(granted.exit, 0, "{granted:?}");
    assert_eq!(lab.ctl(&["abort"]).exit, 3);
    let start = start.wait();
    assert!([0, 6].contains(&start.exit), "{start:?}");
    lab.assert_idle();
}

#[test]
fn a_slow_analyzer_is_waited_for_by_everybody_who_aborts() {
    let lab = Lab::new(&Design { scale: SCALE, faults: "cancel_time = \"20s\"", ..Design::default() });
    assert_eq!(lab.ctl(START).exit, 0);
    let first = lab.begin(&["abort"]);
    let second = lab.ctl(&["abort"]);
    lab.assert_idle();
    assert!([0, 3].contains(&second.exit), "{second:?}");
    let first = first.wait();
    assert!([0, 3].contains(&first.exit) && first.exit + second.exit <= 3, "{first:?} {second:?}");
    assert_aborted(&lab);
}

#[test]
fn whoever_waits_for_the_run_hears_that_it_was_aborted() {
    let lab = lab();
    let mut events = lab.events(None);
    let waiting = lab.begin(&[START, &["--wait"]].concat());
    events.until_phase("MEASURING");
    abort(&lab);
    let done = waiting.wait();
    assert_eq!(done.exit, 6, "{done:?}");
    assert!(done.stderr.contains("aborted: by "), "{done:?}");
}
