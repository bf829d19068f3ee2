//! The lines of `docs/scheduling.md`, run as cron runs them: by sh, with an environment that is nearly empty.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::lab::{Design, Lab};
use crate::support::processes::Process;

/// Three lines in an hour: as long as a run takes.
const PLAN: &str = "channels = \"1-3\"\npurge = \"5m\"\nmeasure = \"15m\"\n";
const HOURS: usize = 8;

/// A lab that is a thousand times faster, with the plans that the document names.
fn lab() -> Lab {
    let lab = Lab::new(&Design { scale: 1000, ..Design::default() });
    let plans = lab.state("plans");
    std::fs::create_dir_all(&plans).unwrap();
    for name in ["weekly", "night", "zero-check"] {
        std::fs::write(plans.join(format!("{name}.toml")), PLAN).unwrap();
    }
    lab
}

/// The command of the one documented crontab line for that plan.
fn documented(plan: &str) -> String {
    let document = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scheduling.md")).unwrap();
    let starts = |line: &&str| line.contains(&format!("gaseractl start {plan} ")) && line.contains(" * ");
    let lines: Vec<&str> = document.lines().filter(starts).collect();
    let [line] = lines[..] else { panic!("{lines:?} is not one line") };
    line.split_whitespace().skip(5).collect::<Vec<_>>().join(" ")
}

fn by_cron(lab: &Lab, command: &str) -> Process {
    let binaries = Path::new(env!("CARGO_BIN_EXE_gaseractl")).parent().unwrap();
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", command]).env_clear().env("SHELL", "/bin/sh").env("LOGNAME", "lab").env("HOME", lab.path(""));
    shell.env("PATH", format!("{}:/usr/bin:/bin", binaries.display()));
    shell.env("GASERACTL_ENDPOINT", format!("unix:{}", lab.path("sock").display()));
    Process::start(&mut shell)
}

fn runs(lab: &Lab) -> Vec<Value> {
    lab.ask(&["runs"])["runs"].as_array().unwrap().clone()
}

#[test]
fn through_a_night_the_documented_line_never_overlaps_and_prints_nothing() {
    let lab = lab();
    let command = documented("weekly");
    assert!(command.contains("--if-busy skip"), "{command}");
    let mut events = lab.events(None);
    for _ in 0..HOURS {
        let measures = by_cron(&lab, &command);
        events.until_phase("MEASURING");
        let overlaps = by_cron(&lab, &command).wait();
        assert_eq!((overlaps.exit, overlaps.stdout.as_str(), overlaps.stderr.as_str()), (0, "", ""));
        let done = measures.wait();
        assert_eq!((done.exit, done.stdout.as_str(), done.stderr.as_str()), (0, "", ""));
        events.until(|event| event["type"] == "run.finished");
    }
    let mut runs = runs(&lab);
    runs.reverse();
    assert_eq!(runs.len(), HOURS, "those that found a run under way began none");
    let moment = |run: &Value, key: &str| run[key].as_str().unwrap().to_owned();
    for pair in runs.windows(2) {
        assert!(moment(&pair[0], "ended_utc") <= moment(&pair[1], "started_utc"), "{pair:?}");
    }
    assert!(runs.iter().all(|run| run["outcome"] == "completed"), "{runs:#?}");
    lab.assert_idle();
}

#[test]
fn what_goes_wrong_is_one_line_and_its_exit_code() {
    let mut lab = lab();
    let line = |lab: &Lab, plan: &str, exit: i32, said: &str| {
        let done = by_cron(lab, &documented(plan)).wait();
        assert_eq!((done.exit, done.stdout.as_str(), done.stderr.lines().count()), (exit, "", 1), "{done:?}");
        assert!(done.stderr.starts_with("gaseractl: ") && done.stderr.contains(said), "{done:?}");
    };
    let mut events = lab.events(None);
    let measures = by_cron(&lab, &documented("weekly"));
    events.until_phase("MEASURING");
    line(&lab, "zero-check", 3, "is under way");
    let waits = by_cron(&lab, &documented("night"));
    events.until(|event| event["type"] == "run.updated" && event["data"]["change"] == "queued");
    assert_eq!(lab.ctl(&["abort"]).exit, 0);
    let aborted = measures.wait();
    assert_eq!((aborted.exit, aborted.stdout.as_str(), aborted.stderr.lines().count()), (6, "", 1), "{aborted:?}");
    let waited = waits.wait();
    assert_eq!((waited.exit, waited.stdout.as_str(), waited.stderr.as_str()), (0, "", ""));
    std::fs::remove_file(lab.state("plans").join("weekly.toml")).unwrap();
    line(&lab, "weekly", 10, "there is no plan \"weekly\"");
    lab.daemon.take().unwrap().terminate();
    line(&lab, "night", 8, "cannot reach gaserad");
}
