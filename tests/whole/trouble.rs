//! Trouble in the middle of a run, through real TCP and a pseudo-terminal: flagged, survived, or ended with the reason.

use super::lab::{Design, Lab};
use super::verdict::{assert_complete, assert_true, exported, visited};
use crate::support::processes::{Done, Process};

const LONG: &[&str] = &["start", "--channels", "2-4", "--repeats", "3", "--purge", "6s", "--measure", "20s", "--wait"];

fn lab(scale: u32, faults: &'static str) -> Lab {
    Lab::new(&Design { scale, faults, ..Design::default() })
}

/// How the run ended, whose records hold against the truth.
#[track_caller]
fn ended(lab: &Lab, done: &Done) -> serde_json::Value {
    let run = lab.ask(&["runs", "show", "last"]);
    assert_true(&exported(lab), &lab.truth());
    let exit = match run["outcome"].as_str().unwrap() {
        "completed" => 0,
        "partial" => 7,
        _ => 9,
    };
    assert_eq!(done.exit, exit, "{done:?} {run}");
    run
}

/// With this going on, every visit still gets its good sample.
#[track_caller]
fn completes(lab: &Lab) {
    let done = lab.ctl(LONG);
    lab.assert_idle();
    assert_eq!(ended(lab, &done)["outcome"], "completed", "{done:?}");
    assert_eq!(visited(&exported(lab)).len(), 9);
}

/// The run fails, with these words in its reason, and the analyzer is left at rest.
#[track_caller]
fn fails(lab: &Lab, run: Process, words: &[&str]) {
    let done = run.wait();
    let run = ended(lab, &done);
    assert_eq!(run["outcome"], "failed", "{run}");
    for word in words {
        assert!(run["reason"].as_str().unwrap().contains(word), "{word:?} is not in {run}");
        assert!(done.stderr.contains(word), "{word:?} is not in {done:?}");
    }
}

/// Until it is given up, more than an iteration passes in there.
#[test]
fn a_reply_that_stalls_half_way_costs_one_visit_at_most() {
    let lab = lab(30, "reply_stalls = { after = \"4m\" }");
    let done = lab.ctl(LONG);
    lab.assert_idle();
    let run = ended(&lab, &done);
    assert!(["completed", "partial"].contains(&run["outcome"].as_str().unwrap()), "{run}");
    assert!(visited(&exported(&lab)).len() >= 8, "{run}");
}

#[test]
fn connections_that_are_reset_now_and_then_are_survived() {
    completes(&lab(60, "reset = { every = 41 }"));
}

#[test]
fn replies_byte_by_byte_among_noise_are_read() {
    // A reply takes its time like this, in which the plant should not get far.
    let lab = lab(20, "junk = true\nreply_byte_by_byte = true\nunsolicited = { every = 13 }");
    let done = lab.ctl(&["start", "--channels", "2-4", "--purge", "6s", "--measure", "20s", "--wait"]);
    lab.assert_idle();
    assert_eq!(ended(&lab, &done)["outcome"], "completed", "{done:?}");
    assert_eq!(visited(&exported(&lab)).len(), 3);
}

#[test]
fn an_analyzer_whose_clock_is_set_by_an_hour_is_followed_all_the_same() {
    completes(&lab(60, "clock_step = { after = \"5m\", by = \"-1h\" }"));
}

#[test]
fn another_client_that_changes_the_layout_of_results_loses_nothing() {
    let lab = lab(60, "");
    let mut events = lab.events(None);
    let run = lab.begin(LONG);
    for layout in ["1 1 1 1", "0 0 1", "0 1 1"] {
        events.until_phase("MEASURING");
        assert_eq!(lab.as_another_client(&format!("SCON K0 {layout}")), ["SCON", "0"]);
    }
    let done = run.wait();
    let run = ended(&lab, &done);
    assert_eq!(run["outcome"], "completed", "{run}");
    let events = lab.events_to_the_end_of(run["id"].as_str().unwrap());
    assert_complete(&exported(&lab), &lab.truth(), &events);
}

#[test]
fn another_client_that_stops_the_task_ends_the_run() {
    let lab = lab(60, "");
    let mut events = lab.events(None);
    let run = lab.begin(LONG);
    events.until_phase("MEASURING");
    assert_eq!(lab.as_another_client("STPM K0"), ["STPM", "0"]);
    fails(&lab, run, &["stopped measuring", "not because gaserad told it to"]);
    lab.assert_idle();
}

/// It boots long enough to be seen doing so between two polls, however fast time goes.
fn rebooting(analyzer: &'static str) -> Lab {
    Lab::new(&Design { scale: 60, faults: "boot_time = \"1m\"", analyzer, ..Design::default() })
}

#[test]
fn an_analyzer_that_is_rebooted_is_started_anew_and_the_run_completed() {
    let lab = rebooting("grace = \"10m\"");
    let mut events = lab.events(None);
    let run = lab.begin(LONG);
    events.until_phase("MEASURING");
    assert_eq!(lab.as_another_client("RDEV K0"), ["RDEV", "0"]);
    let done = run.wait();
    lab.assert_idle();
    assert_eq!(ended(&lab, &done)["outcome"], "completed", "{done:?}");
    assert_eq!(visited(&exported(&lab)).len(), 9);
}

#[test]
fn an_analyzer_that_is_rebooted_ends_the_run_if_it_is_to() {
    let lab = rebooting("after_restart = \"fail\"");
    let mut events = lab.events(None);
    let run = lab.begin(LONG);
    events.until_phase("MEASURING");
    assert_eq!(lab.as_another_client("RDEV K0"), ["RDEV", "0"]);
    fails(&lab, run, &["the analyzer restarted"]);
}

#[test]
fn an_analyzer_in_malfunction_ends_the_run() {
    let lab = lab(60, "malfunction_after = \"6m\"");
    let run = lab.begin(LONG);
    fails(&lab, run, &["malfunction"]);
}

#[test]
fn an_error_that_blocks_measuring_is_told_and_marks_what_comes_after() {
    let lab = lab(60, "errors_after = { after = \"5m\", codes = [\"8004\"] }");
    let mut events = lab.events(None);
    // Errors are asked for every ten seconds of the world's time, however fast the plant runs.
    let run =
        lab.begin(&["start", "--channels", "2-4", "--repeats", "100", "--purge", "6s", "--measure", "20s", "--wait"]);
    let alarm = events.until(|event| event["type"] == "alarm");
    assert!(alarm["data"]["text"].as_str().unwrap().contains("cell temperature high"), "{alarm}");
    for _ in 0..2 {
        events
            .until(|event| event["type"] == "live_data" && event["data"]["flags"].to_string().contains("err_blocker"));
    }
    assert_eq!(lab.ctl(&["abort"]).exit, 0);
    assert_eq!(run.wait().exit, 6);
    let rows = exported(&lab);
    assert_true(&rows, &lab.truth());
    let marked = rows.iter().filter(|row| row["qc_flags"].contains("err_blocker"));
    assert!(marked.clone().count() >= 2 && marked.into_iter().all(|row| row["qc"] == "1"), "{rows:#?}");
}

#[test]
fn an_analyzer_that_stays_away_ends_the_run_after_the_grace_time() {
    let faults = "analyzer_silent_after = \"5m\"\nanalyzer_silent_for = \"30m\"";
    let lab = Lab::new(&Design { scale: 100, faults, analyzer: "grace = \"2m\"", ..Design::default() });
    let run = lab.begin(LONG);
    fails(&lab, run, &["offline for 2m, longer than [analyzer] grace"]);
    // It is stopped as soon as it is back.
    lab.until_idle(lab.ask(&["status"])["seq"].as_u64().unwrap());
}

/// Another pseudo-terminal, as a USB adapter comes back under another number; the link to it is the same.
#[test]
fn a_valve_that_is_unplugged_and_comes_back_as_another_port_costs_one_visit_at_most() {
    let lab = lab(60, "serial_unplugged = { after = \"4m\", for = \"40s\" }");
    let mut events = lab.events(None);
    let run = lab.begin(LONG);
    let alarm = events.until(|event| event["type"] == "alarm");
    assert_eq!(alarm["data"]["code"], "multiplexer_fault", "{alarm}");
    events.until(|event| event["type"] == "mux.position" && !event["data"]["channel"].is_null());
    let done = run.wait();
    lab.assert_idle();
    let run = ended(&lab, &done);
    assert!(["completed", "partial"].contains(&run["outcome"].as_str().unwrap()), "{run}");
    let rows = exported(&lab);
    assert!(visited(&rows).len() >= 8, "{rows:#?}");
    assert!(rows.iter().filter(|row| row["qc_flags"].contains("pos_unverified")).count() <= 2, "{rows:#?}");
}

#[test]
fn a_valve_that_jams_in_the_middle_of_a_run_ends_it() {
    let lab = lab(60, "valve_stuck_after = \"5m\"");
    let run = lab.begin(LONG);
    fails(&lab, run, &["valve", "CP says port"]);
    lab.assert_idle();
}

#[test]
fn a_valve_that_stops_between_two_ports_once_is_sent_there_again() {
    let lab = lab(60, "valve_between_ports = 4\nlegacy_valve = true");
    let mut events = lab.events(None);
    completes(&lab);
    let alarm = events.until(|event| event["type"] == "alarm");
    assert!(alarm["data"]["text"].as_str().unwrap().contains("between two ports"), "{alarm}");
}

#[test]
fn a_valve_that_somebody_turns_by_hand_is_sent_back() {
    let lab = lab(60, "valve_moved_by_hand = { after = \"5m\", to = 17 }");
    let done = lab.ctl(LONG);
    lab.assert_idle();
    let run = ended(&lab, &done);
    assert!(["completed", "partial"].contains(&run["outcome"].as_str().unwrap()), "{run}");
    assert!(visited(&exported(&lab)).len() >= 8, "{run}");
}
