//! kill -9 at random instants, again and again, of a daemon that measures on a plant that goes on without it.
//!
//! `KILLS=200 cargo test --test tests kill:: -- --nocapture` kills so often in all; `SEED=…` draws other instants.

use std::collections::BTreeSet;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::spawn;
use std::time::Duration;

use rustix::process::{Signal, kill_process};
use serde_json::Value;

use super::evidence::{Figures, assert_sound, records, told};
use super::lab::{Design, Events, Lab};
use super::verdict::{Row, assert_true, exported, visited};
use crate::support::processes::Process;

const START: &[&str] = &["start", "--channels", "1-3", "--repeats", "2", "--purge", "6s", "--measure", "20s"];
const RESUME: Design = Design {
    scale: 100,
    faults: "",
    analyzer: "",
    elsewhere: None,
    multiplexer: super::lab::Multiplexer::Vici,
    store: "on_restart = \"resume\"\nmax_outage = \"30d\"",
    disk: None,
    drive: None,
};
/// How often the daemon is killed in one run; then the run may come to its end.
const KILLS_IN_A_RUN: u32 = 8;
/// A life of the daemon is at most so long; a visit takes about a second.
const LONGEST_LIFE_MS: u64 = 2500;

/// The same instants for the same seed, as far as the world is the same.
struct Dice(u64);

impl Dice {
    fn new(more: u64) -> Self {
        Self(number("SEED", 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(more))
    }

    fn life(&mut self) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Duration::from_millis((self.0 >> 33) % LONGEST_LIFE_MS)
    }
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect(variable))
}

/// What a reader saw of the daemon's lives, one after the other.
#[derive(Default)]
struct Reader {
    seen: Vec<Value>,
    kills: u32,
}

impl Reader {
    /// Reads until the daemon is killed, which is after `life`, or until the end of `run`; whether that has come.
    fn follow(&mut self, mut daemon: Process, at: Option<String>, run: &str, life: Option<Duration>) -> bool {
        let pid = daemon.pid();
        let (over, heard) = channel::<()>();
        let ender = life.map(|life| {
            spawn(move || {
                let in_time = heard.recv_timeout(life) == Err(RecvTimeoutError::Timeout);
                in_time && kill_process(pid, Signal::KILL).is_ok()
            })
        });
        let at = at.or_else(|| daemon.find_line_after("listening on http://"));
        let is_over = at.is_some_and(|at| self.read(&at, run));
        drop(over);
        let killed = ender.is_some_and(|thread| thread.join().unwrap());
        assert!(killed || is_over, "the daemon ended, or its stream did, and nobody had killed it");
        self.kills += u32::from(killed);
        daemon.kill();
        is_over
    }

    fn read(&mut self, address: &str, run: &str) -> bool {
        let last = self.seen.last().map_or(0, |event| event["id"].as_u64().unwrap());
        let Ok(events) = Events::try_open(address, Some(last)) else { return false };
        for event in events.filter(|event| !event["id"].is_null()) {
            let over = event["type"] == "run.finished" && event["data"]["run"]["id"] == run;
            self.seen.push(event);
            if over {
                return true;
            }
        }
        false
    }
}

/// One run with so many kills in it, and what is left of it then.
fn resumed(kills: u32, dice: &mut Dice) -> Figures {
    let mut lab = Lab::new(&RESUME);
    assert_eq!(lab.ctl(START).exit, 0);
    let run = lab.ask(&["status"])["run"]["id"].as_str().unwrap().to_owned();
    let mut reader = Reader::default();
    let (first, at) = (lab.daemon.take().unwrap(), lab.address().to_owned());
    let mut over = reader.follow(first, Some(at), &run, Some(dice.life()));
    while !over {
        let life = (reader.kills < kills).then(|| dice.life());
        over = reader.follow(Process::start(&mut lab.command()), None, &run, life);
    }
    lab.start_daemon();
    let figures = assert_sound(&lab, &run, &reader.seen, reader.kills);
    let rows = exported(&lab);
    assert_true(&rows, &lab.truth());
    assert_through(&reader.seen.last().unwrap()["data"]["run"], &rows, reader.kills);
    lab.assert_idle();
    figures
}

/// All of the plan was carried out. A result that the analyzer had not finished when it was stopped is gone, and the
/// valve may have left for the next channel by then: that visit is told to be without a good sample.
fn assert_through(ended: &Value, rows: &[Row], kills: u32) {
    let missing = 6 - visited(rows).len();
    let told = ended["reason"].as_str().unwrap();
    if missing == 0 {
        assert_eq!(ended["outcome"], "completed", "{ended}");
    } else {
        assert_eq!(ended["outcome"], "partial", "{ended}");
        assert!(told.starts_with(&format!("visits without a good sample: {missing} of 6")), "{ended}");
        assert!(missing <= usize::try_from(kills).unwrap(), "{ended}");
    }
}

#[test]
fn a_run_completes_however_often_and_whenever_the_daemon_is_killed() {
    let kills = u32::try_from(number("KILLS", 16)).unwrap();
    let mut dice = Dice::new(0);
    let mut sum = Figures::default();
    while sum.kills < kills {
        sum += resumed(KILLS_IN_A_RUN.min(kills - sum.kills), &mut dice);
    }
    eprintln!("resumed: {sum:?}");
}

/// Each life begins with the end of the run before, and begins another one, or is killed while it tries.
#[test]
fn a_run_whose_daemon_is_killed_is_closed_if_the_settings_say_so() {
    let kills = u32::try_from(number("KILLS", 40) / 8).unwrap();
    let mut lab = Lab::new(&Design { store: "on_restart = \"end\"", ..RESUME });
    let mut dice = Dice::new(1);
    let mut granted = BTreeSet::new();
    let mut reader = Reader::default();
    while reader.kills < kills {
        let (daemon, at) = (lab.daemon.take().unwrap(), lab.address().to_owned());
        let starting = lab.begin(&[START, &["--json"]].concat());
        assert!(!reader.follow(daemon, Some(at), "", Some(dice.life())));
        let started = starting.wait();
        if started.exit == 0 {
            let run: Value = serde_json::from_str(&started.stdout).unwrap();
            granted.insert(run["run_id"].as_str().unwrap_or_else(|| panic!("{run}")).to_owned());
        }
        lab.start_daemon();
    }
    let runs = runs(&lab);
    assert!(!granted.is_empty() && granted.iter().all(|run| runs.contains(run)), "{granted:?} {runs:?}");
    let last = runs.last().unwrap();
    let mut sum = Figures { runs: 0, records: 0, good: 0, ..assert_sound(&lab, last, &reader.seen, reader.kills) };
    let told = told(&lab, last, reader.seen.len());
    for run in &runs {
        let ended = lab.ask(&["runs", "show", run]);
        assert_eq!(ended["outcome"], "failed", "{ended}");
        assert_eq!(ended["reason"], "gaserad ended in the middle of the run and was started again");
        sum += records(&lab, run, &told);
    }
    assert_true(&exported(&lab), &lab.truth());
    lab.until_idle(0);
    eprintln!("ended: {sum:?}");
}

/// All runs, the oldest first: their ids tell.
fn runs(lab: &Lab) -> BTreeSet<String> {
    let runs = lab.ask(&["runs", "list"]);
    runs["runs"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap().to_owned()).collect()
}
