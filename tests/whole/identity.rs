//! Another device behind the same name, other settings between a crash and the return, and a valve that is not there.

use std::fs;

use serde_json::Value;

use super::lab::{Design, Lab, gaserad};
use super::verdict::{assert_true, exported, is_good};
use crate::support::processes::Process;

const LONG: &[&str] = &["start", "--channels", "1-4", "--repeats", "50", "--purge", "6s", "--measure", "20s"];
const SHORT: &[&str] = &["start", "--channels", "2,3", "--purge", "6s", "--measure", "90s", "--wait"];

const ANALYZER: &str = "habits.analyzer_swapped = { after = \"0s\", serial = \"000002\" }";

/// Another plant in the place of this one: perhaps another analyzer, or another valve behind the same name.
fn swap_plant(lab: &mut Lab, faults: &str) {
    let path = |name: &str| lab.path(name).display().to_string();
    fs::write(path("other.toml"), faults).unwrap();
    let (vici, truth, faults, ak) = (path("vici"), path("other.jsonl"), path("other.toml"), lab.analyzer().to_owned());
    // Its places are free when it has ended.
    lab.plant.end();
    let args = ["simulator", "--ak", &ak, "--vici", &vici, "--truth", &truth, "--faults", &faults];
    lab.plant = Process::start(gaserad(&args).args(["--time-scale", &lab.scale]));
    lab.plant.line_after("VICI valve on ");
}

/// Changes the daemon's settings, which hold from its next start on.
fn set(lab: &Lab, from: &str, to: &str) {
    let config = lab.path("gaserad.toml");
    let settings = fs::read_to_string(&config).unwrap();
    assert!(settings.contains(from), "{settings}");
    fs::write(&config, settings.replacen(from, to, 1)).unwrap();
}

fn until_alarm(lab: &Lab, code: &str) -> Value {
    lab.events(Some(0)).until(|event| event["type"] == "alarm" && event["data"]["code"] == code)
}

fn is_good_sample(event: &Value) -> bool {
    event["type"] == "live_data" && event["data"]["qc"] == "good" && event["data"]["discard"] == false
}

fn doctor(lab: &Lab, check: &str) -> Value {
    let done = lab.ctl(&["doctor", "--quick", "--json"]);
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["check"] == check).unwrap().clone()
}

#[test]
fn strange_valve_moves_only_after_it_was_accepted() {
    let another = "habits.valve_swapped = { after = \"0s\", model = \"ANOTHER\", count = 5000 }";
    for faults in [another, "valve_count = 0"] {
        let mut lab = Lab::new(&Design { faults: "valve_count = 1200", ..Design::default() });
        let first = lab.ctl(SHORT);
        assert_eq!(first.exit, 0, "{first:?}");
        swap_plant(&mut lab, faults);
        let alarm = until_alarm(&lab, "multiplexer_stranger");
        assert!(alarm["data"]["text"].as_str().unwrap().contains("gaseractl mux accept"), "{alarm}");
        for again in [false, true] {
            if again {
                // It is as strange to the next process.
                lab.daemon.take().unwrap().kill();
                lab.start_daemon();
                lab.events(None).until_online();
            }
            for refused in [&["start", "--channels", "2"][..], &["mux", "home"], &["mux", "goto", "4"]] {
                let done = lab.ctl(refused);
                assert_eq!(done.exit, 5, "{done:?}");
                assert!(
                    done.stderr.contains("another one than before") && done.stderr.contains("gaseractl mux accept")
                );
            }
            let found = doctor(&lab, "valve");
            assert_eq!(found["outcome"], "fail", "{found}");
            assert!(lab.ctl(&["status"]).stdout.contains("another one than before"));
        }
        let mux = lab.ask(&["mux", "where"]);
        assert_eq!(mux["actuations"], if faults.contains("5000") { 5000 } else { 0 }, "nothing has moved it: {mux}");
        let accepted = lab.ctl(&["mux", "accept"]);
        assert_eq!(accepted.exit, 0, "{accepted:?}");
        assert_eq!(lab.ctl(&["mux", "accept"]).exit, 3, "there is nothing more to accept");
        let done = lab.ctl(SHORT);
        assert_eq!(done.exit, 0, "{done:?}");
        assert_eq!(doctor(&lab, "valve")["outcome"], "ok");
        lab.daemon.take().unwrap().terminate();
        lab.start_daemon();
        lab.events(None).until_online();
        assert_eq!(lab.ctl(&["mux", "goto", "2"]).exit, 0, "it is known from now on");
    }
}

#[test]
fn strange_analyzer_starts_only_after_it_was_accepted() {
    let mut lab = Lab::new(&Design::default());
    swap_plant(&mut lab, &format!("{ANALYZER}\nvalve_count = 10"));
    let alarm = until_alarm(&lab, "analyzer_stranger");
    let text = alarm["data"]["text"].as_str().unwrap();
    assert!(text.contains("\"000002\"") && text.contains("\"000000\"") && text.contains("gaseractl analyzer accept"));
    let refused = lab.ctl(&["start", "--channels", "2"]);
    assert_eq!((refused.exit, refused.stderr.contains("gaseractl analyzer accept")), (5, true), "{refused:?}");
    assert_eq!(doctor(&lab, "analyzer")["outcome"], "fail");
    lab.assert_idle();
    let accepted = lab.ask(&["analyzer", "accept"]);
    assert_eq!(accepted["accepted"], "serial number \"000002\"");
    let done = lab.ctl(SHORT);
    assert_eq!(done.exit, 0, "{done:?}");
}

#[test]
fn run_that_meets_strangers_credits_nothing_to_them() {
    let mut lab = Lab::new(&Design::default());
    assert_eq!(lab.ctl(LONG).exit, 0);
    let run = lab.ask(&["status"])["run"]["id"].as_str().unwrap().to_owned();
    lab.events(Some(0)).until(is_good_sample);
    swap_plant(&mut lab, &format!("{ANALYZER}\nhabits.valve_swapped = {{ after = \"0s\", model = \"ANOTHER\" }}"));
    let all = lab.events_to_the_end_of(&run);
    let ended = &all.last().unwrap()["data"]["run"];
    assert_eq!(ended["outcome"], "failed", "{ended}");
    assert!(ended["reason"].as_str().unwrap().contains("the analyzer is another one than before"), "{ended}");
    let rows = exported(&lab);
    assert!(rows.iter().any(is_good));
    assert_true(&rows, &lab.truth());
}

#[test]
fn run_is_not_taken_up_with_other_settings() {
    for (from, to, says) in [
        ("/vici\"", "/other\"", "[multiplexer.vici] port was"),
        ("[multiplexer]\n", "[multiplexer]\nchannels = 9\n", "[multiplexer] channels was \"31\" and is \"9\""),
        ("[analyzer]\n", "[analyzer]\ntask = \"FLUSH\"\n", "[analyzer] task was \"DEFAULT\" and is \"FLUSH\""),
    ] {
        let mut lab = Lab::new(&Design::default());
        assert_eq!(lab.ctl(LONG).exit, 0);
        let run = lab.ask(&["status"])["run"]["id"].as_str().unwrap().to_owned();
        let moves = lab.ask(&["status"])["multiplexer"]["actuations"].clone();
        lab.events(Some(0)).until(|event| event["type"] == "live_data");
        lab.daemon.take().unwrap().kill();
        set(&lab, from, to);
        lab.start_daemon();
        let all = lab.events_to_the_end_of(&run);
        let ended = &all.last().unwrap()["data"]["run"];
        assert_eq!(ended["outcome"], "failed", "{ended}");
        let reason = ended["reason"].as_str().unwrap();
        assert!(reason.starts_with("gaserad ended in the middle of the run and was started again"), "{reason}");
        assert!(reason.contains(says), "{says}: {reason} {moves}");
        let changed = |event: &&Value| event["type"] == "alarm" && event["data"]["code"] == "settings_changed";
        assert_eq!(all.iter().filter(changed).count(), 1);
        lab.assert_idle();
        assert_true(&exported(&lab), &lab.truth());
    }
}

#[test]
fn run_goes_on_after_changes_that_do_not_matter() {
    let mut lab = Lab::new(&Design::default());
    assert_eq!(lab.ctl(&SHORT[..SHORT.len() - 1]).exit, 0);
    let run = lab.ask(&["status"])["run"]["id"].as_str().unwrap().to_owned();
    lab.events(Some(0)).until(|event| event["type"] == "live_data");
    lab.daemon.take().unwrap().kill();
    set(&lab, "[analyzer]\n", "[channels.2]\nlabel = \"barn\"\n[plan]\nrepeats = 3\n[analyzer]\ngrace = \"5m\"\n");
    lab.start_daemon();
    let all = lab.events_to_the_end_of(&run);
    assert_eq!(all.last().unwrap()["data"]["run"]["outcome"], "completed", "{:?}", all.last());
}

#[test]
fn simulated_valve_beside_a_real_analyzer_gives_no_good_sample() {
    let mut lab = Lab::new(&Design::default());
    lab.daemon.take().unwrap().terminate();
    let vici = lab.path("vici").display().to_string();
    set(&lab, &format!("[multiplexer.vici]\nport = \"{vici}\"\n"), "");
    for driver in ["driver = \"simulated\"", ""] {
        let before = fs::read_to_string(lab.path("gaserad.toml")).unwrap();
        set(&lab, "driver = \"vici\"", driver);
        let refused = Process::start(&mut lab.command()).wait();
        assert_eq!(refused.exit, 78, "{refused:?}");
        assert!(refused.stderr.contains("\"modbus\"") && refused.stderr.contains("\"gpio\""), "{refused:?}");
        fs::write(lab.path("gaserad.toml"), before).unwrap();
    }
    set(&lab, "driver = \"vici\"", "driver = \"simulated\"\nsimulated_with_real_analyzer = true");
    lab.start_daemon();
    lab.events(None).until_online();
    let done = lab.ctl(SHORT);
    assert_eq!(done.exit, 7, "no visit has a good sample: {done:?}");
    let rows = exported(&lab);
    assert!(rows.len() > 2);
    for row in &rows {
        assert_eq!(row["qc"], "2", "{row:?}");
        assert!(row["qc_flags"].contains("valve_simulated"), "{row:?}");
    }
    assert!(lab.ctl(&["status"]).stdout.contains("simulated: no sample is good"));
    assert_eq!(doctor(&lab, "valve")["outcome"], "fail");
    assert!(doctor(&lab, "config")["found"].as_str().unwrap().contains("no sample is good"));
    let folder = lab.ask(&["runs", "show", "last"])["folder"].as_str().unwrap().to_owned();
    let package: Value = serde_json::from_slice(&fs::read(format!("{folder}/datapackage.json")).unwrap()).unwrap();
    assert_eq!(package["multiplexer"]["simulated"], true);
    assert_eq!(package["simulated"], false);
}
