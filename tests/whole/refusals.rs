//! What is asked wrongly, or at the wrong time: a sentence, an exit code, and nothing left measuring.

use super::lab::{Design, Lab, gaserad};
use crate::support::processes::{Done, Process};

#[track_caller]
fn assert_refused(done: &Done, exit: i32, words: &[&str]) {
    assert_eq!(done.exit, exit, "{done:?}");
    for word in words {
        assert!(done.stderr.contains(word), "{word:?} is not in {done:?}");
    }
    assert_eq!(done.stdout, "", "{done:?}");
}

#[test]
fn a_plan_that_cannot_be_is_refused_with_the_reason() {
    let lab = Lab::new(&Design::default());
    let cases: &[(&[&str], i32, &[&str])] = &[
        (&["--task", "nonsense"], 10, &["nonsense", "DEFAULT", "FLUSH", "Calibration task", "--task"]),
        (&["--channels", "!1-31"], 2, &["channel"]),
        (&["--channels", ""], 2, &["channel"]),
        (&["--channels", "40"], 2, &["40", "31"]),
        (&["--channels", "0"], 2, &["0", "31"]),
        (&["--channels", "barn"], 2, &["barn"]),
        (&["--purge", "-5s"], 2, &["-5s", "negative"]),
        (&["--purge", "999h"], 2, &["purge"]),
        (&["--measure", "0s"], 2, &["measure"]),
        (&["--measure", "999h"], 2, &["measure"]),
        (&["--measure", "soon"], 2, &["soon"]),
        (&["--repeats", "0"], 2, &["repeats"]),
        (&["--repeats", "-1"], 2, &["repeats"]),
    ];
    for (plan, exit, words) in cases {
        assert_refused(&lab.ctl(&[&["start"], *plan].concat()), *exit, words);
        assert_eq!(lab.ask(&["status"])["run"], serde_json::Value::Null, "{plan:?}");
    }
    lab.assert_idle();
    assert_eq!(lab.ask(&["runs"])["runs"], serde_json::json!([]), "what was refused is no run");
}

#[test]
fn while_a_run_is_under_way_no_other_one_starts() {
    let lab = Lab::new(&Design { scale: 20, ..Design::default() });
    let start = ["start", "--channels", "1-31", "--measure", "10m"];
    let first = lab.ctl(&start);
    assert_eq!(first.exit, 0, "{first:?}");
    let run = lab.ask(&["status"])["run"]["id"].as_str().unwrap().to_owned();
    assert_refused(&lab.ctl(&start), 3, &[&run, "is under way", "gaseractl abort"]);
    let skipped = lab.ctl(&[&start[..], &["--if-busy", "skip"]].concat());
    assert_eq!(skipped.exit, 0, "{skipped:?}");
    assert!(skipped.stderr.contains("skipped: ") && skipped.stderr.contains(&run), "{skipped:?}");
    assert_eq!(lab.ask(&["status"])["run"]["id"], run.as_str());
    assert_eq!(lab.ctl(&["abort"]).exit, 0);
    lab.assert_idle();
}

#[test]
fn a_wait_that_takes_too_long_is_given_up_and_the_run_goes_on() {
    let lab = Lab::new(&Design { scale: 20, ..Design::default() });
    let mut events = lab.events(None);
    let done = lab.ctl(&["start", "--measure", "10m", "--wait", "--timeout", "2s"]);
    assert_eq!(done.exit, 124, "{done:?}");
    assert!(done.stderr.contains("not done within 2s"), "{done:?}");
    events.until_phase("MEASURING");
    assert_eq!(lab.ctl(&["abort"]).exit, 0);
    lab.assert_idle();
}

#[test]
fn what_is_not_there_is_not_found() {
    let lab = Lab::new(&Design::default());
    assert_refused(&lab.ctl(&["runs", "show", "last"]), 10, &["no run"]);
    assert_refused(&lab.ctl(&["runs", "show", "01NONSENSE"]), 10, &["01NONSENSE"]);
    assert_refused(&lab.ctl(&["runs", "export", "01NONSENSE"]), 10, &["01NONSENSE"]);
    assert_refused(&lab.ctl(&["abort"]), 3, &["no run is under way"]);
}

#[test]
fn without_a_daemon_it_is_said_where_it_was_looked_for() {
    let mut lab = Lab::new(&Design::default());
    let ended = lab.daemon.take().unwrap().terminate();
    assert_eq!(ended.exit, 0, "{ended:?}");
    for args in [&["start"][..], &["abort"], &["status"], &["runs"], &["start", "--wait"]] {
        assert_refused(&lab.ctl(args), 8, &["cannot reach gaserad", "sock", "--endpoint"]);
    }
    lab.assert_idle();
}

#[test]
fn a_configuration_with_a_mistake_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gaserad.toml");
    std::fs::write(&file, "[analyzer]\nadress = \"127.0.0.1:1\"\n[plan]\npurge = \"-5s\"\n").unwrap();
    let file = file.display().to_string();
    for args in [&["--config", &file][..], &["check-config", &file]] {
        let done = Process::start(&mut gaserad(args)).wait();
        let key = format!("{file}:2:1: adress is not a key of [analyzer]; did you mean address?");
        assert_refused(&done, 78, &[&key, ":4:9: purge is not a duration", "negative"]);
    }
}

#[test]
fn a_second_daemon_does_not_touch_what_the_first_one_owns() {
    let lab = Lab::new(&Design { scale: 20, ..Design::default() });
    assert_eq!(lab.ctl(&["start", "--measure", "10m"]).exit, 0);
    let state = lab.path("state").display().to_string();
    let elsewhere = lab.path("elsewhere").display().to_string();
    let cases: [(&[&str], &str); 4] = [
        (&[], "sock"),
        (&["--listen", "127.0.0.1:0"], &state),
        (&["--listen", "127.0.0.1:0", "--simulate"], &state),
        (&["--listen", lab.address(), "--state-dir", &elsewhere], lab.address()),
    ];
    for (args, what) in cases {
        let done = Process::start(lab.command().args(args)).wait();
        assert_eq!(done.exit, 69, "{args:?}: {done:?}");
        assert!(done.stderr.contains("gaserad: ") && done.stderr.contains(what), "{args:?}: {done:?}");
        assert!(done.stderr.contains("in use") || done.stderr.contains("another"), "{args:?}: {done:?}");
    }
    assert_ne!(lab.ask(&["status"])["run"], serde_json::Value::Null, "the first daemon goes on measuring");
    assert_eq!(lab.ctl(&["abort"]).exit, 0);
    lab.assert_idle();
}
