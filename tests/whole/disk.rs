//! A disk that is full in the middle of a run: a small one that only the daemon has mounted, and that the test fills.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::evidence::assert_sound;
use super::lab::{Design, Events, Lab};
use super::verdict::{assert_true, exported, visited};
use crate::support::processes::Process;

const WHERE_TOOLS_ARE: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const START: &[&str] = &["start", "--channels", "1-3", "--repeats", "2", "--purge", "6s", "--measure", "20s"];
const WAITING: &str = "space on the disk of the state directory";
const TINY: &str = "6m";
const SMALL: &str = "32m";
const ALMOST_ALL: usize = 28_000_000;

/// A shell in a mount namespace of its own, which goes when it does.
pub fn unshared(script: &str) -> Command {
    let mut command = Command::new("unshare");
    command.env_clear().env("PATH", WHERE_TOOLS_ARE).env("TZ", "UTC").args(["-rm", "sh", "-ec", script]);
    command
}

/// The same command with an empty file system at `place`.
pub fn with_mount(command: &Command, place: &Path, size: &str) -> Command {
    let script = "mkdir -p \"$1\"; mount -t tmpfs -o size=\"$0\" none \"$1\"; shift; exec \"$@\"";
    let mut mounted = unshared(script);
    mounted.arg(size).arg(place).arg(command.get_program()).args(command.get_args());
    mounted
}

/// A path in the mount namespace of a process.
pub fn seen_by(process: &Process, path: &Path) -> PathBuf {
    let root = PathBuf::from(format!("/proc/{}/root", process.pid().as_raw_nonzero()));
    root.join(path.strip_prefix("/").unwrap())
}

/// Without leave to mount anything there is nothing to be tested.
pub fn may_mount() -> bool {
    let tried = unshared("mount -t tmpfs -o size=1m none /tmp").output();
    let may = tried.as_ref().is_ok_and(|tried| tried.status.success());
    if !may {
        eprintln!("skipped: this user may not mount a file system, not even in a namespace of its own: {tried:?}");
    }
    may
}

/// Writes until there is no space, or `most` bytes.
fn fill(path: &Path, most: usize) {
    let mut file = File::options().create(true).append(true).open(path).unwrap();
    for _ in 0..most / 512 {
        match file.write_all(&[0; 512]) {
            Err(error) if error.kind() == ErrorKind::StorageFull => return,
            written => written.unwrap(),
        }
    }
}

fn is_alarm(event: &Value, code: &str) -> bool {
    event["type"] == "alarm" && event["data"]["code"] == code
}

fn until_iterations(lab: &Lab, ticks: &mut Events, more: usize) {
    let before = lab.truth().len();
    ticks.until(|event| event["type"] == "progress" && lab.truth().len() >= before + more);
}

/// Fills the disk when the daemon measures, and makes space when the analyzer is some iterations further.
fn through_a_full_disk(lab: &Lab, run: &str) -> Vec<Value> {
    let filler = lab.state("filler");
    let mut events = lab.events(Some(0));
    events.until(|event| event["type"] == "live_data");
    fill(&filler, usize::MAX);
    events.until(|event| event["type"] == "progress" && event["data"]["waiting_for"] == WAITING);
    let status = lab.ask(&["status"]);
    assert_eq!(status["waiting_for"], WAITING, "{status}");
    assert_eq!(status["run"]["id"], run, "{status}");
    until_iterations(lab, &mut events, 4);
    fs::remove_file(&filler).unwrap();
    lab.events_to_the_end_of(run)
}

#[test]
fn a_run_waits_for_space_on_a_full_disk_and_then_goes_on() {
    if !may_mount() {
        return;
    }
    let lab = Lab::new(&Design { disk: Some(TINY), store: "min_free_mb = 0", ..Design::default() });
    assert_eq!(lab.ctl(START).exit, 0);
    let run = lab.ask(&["status"])["run"]["id"].as_str().unwrap().to_owned();
    let all = through_a_full_disk(&lab, &run);
    let ended = &all.last().unwrap()["data"]["run"];
    assert!(["completed", "partial"].contains(&ended["outcome"].as_str().unwrap()), "{ended}");
    let alarms: Vec<&Value> = all.iter().filter(|event| is_alarm(event, "disk_full")).collect();
    assert!(!alarms.is_empty(), "no alarm: {all:#?}");
    assert!(alarms.iter().all(|alarm| alarm["data"]["run_id"] == run), "{alarms:#?}");
    assert_sound(&lab, &run, &all, 0);
    let rows = exported(&lab);
    assert_true(&rows, &lab.truth());
    assert!(visited(&rows).len() >= 5, "{rows:#?}");
    lab.assert_idle();
}

#[test]
fn a_disk_that_is_nearly_full_is_told_in_the_middle_of_a_run_which_waits_if_the_settings_say_so() {
    if !may_mount() {
        return;
    }
    let store = "min_free_mb = 10\n[pause]\ndisk = \"pause\"";
    let lab = Lab::new(&Design { disk: Some(SMALL), store, ..Design::default() });
    assert_eq!(
        lab.ctl(&["start", "--channels", "1-3", "--repeats", "40", "--purge", "6s", "--measure", "20s"]).exit,
        0
    );
    let run = lab.ask(&["status"])["run"]["id"].as_str().unwrap().to_owned();
    let mut events = lab.events(Some(0));
    events.until(|event| event["type"] == "live_data");
    let filler = lab.state("filler");
    fill(&filler, ALMOST_ALL);
    let alarm = events.until(|event| is_alarm(event, "disk_low"));
    assert_eq!(alarm["data"]["run_id"], run, "{alarm}");
    events.until_phase("PAUSED");
    fs::remove_file(&filler).unwrap();
    events.until_phase("MEASURING");
    assert_eq!(lab.ctl(&["abort", "--wait"]).exit, 0);
    let all = lab.events_to_the_end_of(&run);
    let told: Vec<&Value> = all.iter().filter(|event| event["type"] == "storage").collect();
    let changes: Vec<&Value> = told.iter().map(|event| &event["data"]["change"]).collect();
    assert_eq!(changes, ["low", "enough"], "{told:#?}");
    assert_sound(&lab, &run, &all, 0);
    assert_true(&exported(&lab), &lab.truth());
}

#[test]
fn no_run_begins_on_a_disk_that_is_nearly_full_and_the_refusal_says_why() {
    if !may_mount() {
        return;
    }
    let lab = Lab::new(&Design { disk: Some(SMALL), store: "min_free_mb = 10", ..Design::default() });
    let filler = lab.state("filler");
    fill(&filler, ALMOST_ALL);
    let refused = lab.ctl(START);
    assert_eq!(refused.exit, 3, "{refused:?}");
    assert!(refused.stderr.contains("MB left, and [store] min_free_mb asks for 10"), "{refused:?}");
    assert_eq!(lab.ctl(&["storage"]).exit, 1);
    fs::remove_file(&filler).unwrap();
    assert_eq!(lab.ctl(START).exit, 0);
    assert_eq!(lab.ctl(&["abort", "--wait"]).exit, 0);
}

fn began(design: &Design) -> (Lab, String) {
    let lab = Lab::new(design);
    assert_eq!(lab.ctl(START).exit, 0);
    let run = lab.ask(&["status"])["run"]["id"].as_str().unwrap().to_owned();
    (lab, run)
}

fn until_it_waits(lab: &Lab) {
    let mut events = lab.events(Some(0));
    events.until(|event| event["type"] == "live_data");
    fill(&lab.state("filler"), usize::MAX);
    events.until(|event| event["type"] == "progress" && event["data"]["waiting_for"] == WAITING);
}

#[test]
fn while_the_disk_is_full_what_is_kept_can_be_read() {
    if !may_mount() {
        return;
    }
    let (lab, run) = began(&Design { disk: Some(TINY), store: "min_free_mb = 0", ..Design::default() });
    until_it_waits(&lab);
    assert_eq!(lab.ask(&["status"])["waiting_for"], WAITING);
    assert_eq!(lab.ask(&["runs", "list"])["runs"][0]["id"], run);
    assert_eq!(lab.ask(&["runs", "show", "last"])["id"], run);
    assert!(!exported(&lab).is_empty());
    fs::remove_file(lab.state("filler")).unwrap();
    lab.events_to_the_end_of(&run);
}

#[test]
fn a_daemon_that_is_told_to_stop_while_the_disk_is_full_stops_the_analyzer_says_so_and_leaves_the_run_open() {
    if !may_mount() {
        return;
    }
    let (mut lab, run) = began(&Design { disk: Some(TINY), store: "min_free_mb = 0", ..Design::default() });
    until_it_waits(&lab);
    let database = lab.state("state.sqlite");
    // Their mount goes with the daemon: what it leaves is read through files that are open before.
    let left = ["", "-wal"].map(|end| File::open(format!("{}{end}", database.display())).unwrap());
    let done = lab.daemon.take().unwrap().terminate();
    assert_eq!(done.exit, 0, "{done:?}");
    assert!(done.stderr.contains("stopped while the disk of the state directory is full"), "{done:?}");
    lab.assert_idle();
    for (mut file, end) in left.into_iter().zip(["", "-wal"]) {
        std::io::copy(&mut file, &mut File::create(lab.path(&format!("left{end}"))).unwrap()).unwrap();
    }
    let left = rusqlite::Connection::open(lab.path("left")).unwrap();
    let intact: String = left.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    let open: String = left.query_row("SELECT id FROM runs WHERE ended IS NULL", [], |row| row.get(0)).unwrap();
    assert_eq!((intact.as_str(), open), ("ok", run));
}
