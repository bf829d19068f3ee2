//! Devices that do not do what they should: a sentence, an exit code, and nothing left measuring.

use std::net::TcpListener;

use super::lab::{Design, Lab};
use super::verdict::{assert_true, exported};

const START: &[&str] = &["start", "--channels", "2-3", "--purge", "6s", "--measure", "20s"];

/// A start that is refused because of the plant's faults.
#[track_caller]
fn refuses(faults: &'static str, exit: i32, words: &[&str]) {
    let lab = Lab::new(&Design { faults, ..Design::default() });
    let done = lab.ctl(START);
    lab.assert_idle();
    assert_eq!(done.exit, exit, "{done:?}");
    for word in words {
        assert!(done.stderr.contains(word), "{word:?} is not in {done:?}");
    }
    assert_eq!(lab.ask(&["status"])["run"], serde_json::Value::Null);
    assert_eq!(lab.ctl(&["abort"]).exit, 3);
}

#[test]
fn an_analyzer_that_refuses_to_start_fails_the_start() {
    refuses("refuse_start = true", 5, &["analyzer", "STAM"]);
}

#[test]
fn an_analyzer_without_tasks_measures_none() {
    refuses("no_tasks = true", 10, &["no tasks at all", "create one"]);
}

#[test]
fn an_analyzer_with_blocking_errors_is_not_started() {
    refuses("errors = [\"8004\"]", 5, &["8004", "cell temperature high", "--ignore-errors"]);
}

#[test]
fn a_valve_that_does_not_answer_fails_the_start() {
    refuses("valve_silent = true", 5, &["valve"]);
}

#[test]
fn a_valve_that_does_not_move_fails_the_run() {
    let lab = Lab::new(&Design { faults: "valve_stuck = true", ..Design::default() });
    // It stands at home, so that only the first move tells.
    let done = lab.ctl(&[START, &["--wait"]].concat());
    lab.assert_idle();
    assert!([5, 9].contains(&done.exit), "{done:?}");
    assert!(done.stderr.contains("valve"), "{done:?}");
    let run = lab.ask(&["runs", "show", "last"]);
    assert_eq!((&run["outcome"], &run["good_records"]), (&"failed".into(), &0.into()), "{run}");
    assert!(run["reason"].as_str().unwrap().contains("valve"), "{run}");
}

#[test]
fn blocking_errors_can_be_ignored_and_mark_every_record() {
    let lab = Lab::new(&Design { faults: "errors = [\"8004\"]", ..Design::default() });
    let done = lab.ctl(&[START, &["--ignore-errors", "--wait"]].concat());
    lab.assert_idle();
    // None of its records counts as good.
    assert_eq!(done.exit, 7, "{done:?}");
    let rows = exported(&lab);
    assert!(rows.len() >= 2, "{rows:#?}");
    for row in &rows {
        assert!(row["qc"] != "0" && row["qc_flags"].contains("err_blocker"), "{row:#?}");
    }
}

#[test]
fn an_analyzer_that_is_not_there_is_offline() {
    // A port that nobody else takes, and that nobody answers on.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let elsewhere = nobody.local_addr().unwrap().to_string();
    drop(nobody);
    let lab = Lab::unseen(&Design { elsewhere: Some(elsewhere.clone()), ..Design::default() });
    lab.events(Some(0)).until(|event| event["type"] == "device.connection" && event["data"]["online"] == false);
    let done = lab.ctl(START);
    assert_eq!(done.exit, 4, "{done:?}");
    for word in ["the analyzer is offline", "[analyzer] address", &elsewhere] {
        assert!(done.stderr.contains(word), "{word:?} is not in {done:?}");
    }
    lab.assert_idle();
}

#[test]
fn a_run_whose_visits_are_too_short_for_a_sample_is_partial() {
    let lab = Lab::new(&Design::default());
    let done =
        lab.ctl(&["start", "--channels", "1-4", "--purge", "6s", "--measure", "1s", "--sync", "dwell", "--wait"]);
    lab.assert_idle();
    assert_eq!(done.exit, 7, "{done:?}");
    assert!(done.stderr.contains("visits without a good sample"), "{done:?}");
    assert_true(&exported(&lab), &lab.truth());
}
