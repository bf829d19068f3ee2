//! A run that people lay hands on: paused, noted, resumed, skipped, finished, and all of it in its record.

use super::lab::{Design, Lab};

#[test]
fn a_run_is_paused_noted_resumed_skipped_and_finished_and_its_record_tells_it() {
    let lab = Lab::new(&Design { scale: 20, ..Design::default() });
    let mut events = lab.events(None);
    let started = lab.ask(&["start", "--channels", "2-5", "--purge", "5s", "--measure", "100s", "--repeats", "3"]);
    events.until_phase("PURGING");
    let paused = lab.ctl(&["pause", "--now"]);
    assert_eq!(paused.exit, 0, "{paused:?}");
    events.until_phase("PAUSED");
    let status = lab.ask(&["status"]);
    assert_eq!((&status["phase"], &status["run"]["id"]), (&"PAUSED".into(), &started["run_id"]), "{status}");
    let again = lab.ctl(&["pause"]);
    assert!(again.exit == 3 && again.stderr.contains("the run is paused already"), "{again:?}");
    assert_eq!(lab.ask(&["note", "filter", "changed"])["run_id"], started["run_id"]);
    assert_eq!(lab.ctl(&["resume"]).exit, 0);
    events.until_phase("MEASURING");
    assert_eq!(lab.ctl(&["skip"]).exit, 0);
    events.until_phase("MEASURING");
    let finished = lab.ctl(&["finish", "--after", "channel"]);
    assert_eq!(finished.exit, 0, "{finished:?}");
    events.until(|event| event["type"] == "run.finished");
    let run = lab.ask(&["runs", "show", "last"]);
    assert_eq!(run["visits"].as_array().map(Vec::len), Some(2), "{run}");
    assert_eq!(run["notes"].as_array().map(Vec::len), Some(1), "{run}");
    assert_eq!(run["notes"][0]["text"], "filter changed");
    assert!(run["notes"][0]["who"].as_str().unwrap().starts_with("ada (user "), "{run}");
    let over = lab.ctl(&["resume"]);
    assert!(over.exit == 3 && over.stderr.contains("no run is under way"), "{over:?}");
    lab.assert_idle();
}
