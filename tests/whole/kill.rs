//! kill -9 at random instants, again and again, of a daemon that measures on a plant that goes on without it.
//!
//! `KILLS=200 cargo test --test tests kill:: -- --nocapture` kills so often in all; `SEED=…` draws other instants.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::spawn;
use std::time::Duration;

use rustix::process::{Signal, kill_process};
use serde_json::Value;

use super::evidence::{Figures, assert_sound, kept};
use super::lab::{Design, Events, Lab};
use super::verdict::{assert_true, exported, visited};
use crate::support::processes::Process;

const START: &[&str] = &["start", "--channels", "1-3", "--repeats", "2", "--pause", "6s", "--measure", "20s"];
const RESUME: Design = Design {
    scale: 100,
    faults: "",
    analyzer: "",
    elsewhere: None,
    multiplexer: super::lab::Multiplexer::Vici,
    store: "on_restart = \"resume\"\nmax_outage = \"30d\"",
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
        let killer = life.map(|life| {
            spawn(move || {
                let in_time = heard.recv_timeout(life) == Err(RecvTimeoutError::Timeout);
                in_time && kill_process(pid, Signal::KILL).is_ok()
            })
        });
        let at = at.or_else(|| daemon.find_line_after("listening on http://"));
        let is_over = at.is_some_and(|at| self.read(&at, run));
        drop(over);
        let killed = killer.is_some_and(|killer| killer.join().unwrap());
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
    let ended = &reader.seen.last().unwrap()["data"]["run"];
    assert_eq!(ended["outcome"], "completed", "{ended}");
    let rows = exported(&lab);
    assert_true(&rows, &lab.truth());
    let expected = (1..=3).flat_map(|channel| [(channel, 1), (channel, 2)]).collect();
    assert_eq!(visited(&rows), expected);
    lab.assert_idle();
    figures
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
    let kills = u32::try_from(number("KILLS", 40) / 10).unwrap();
    let mut lab = Lab::new(&Design { store: "on_restart = \"end\"", ..RESUME });
    let mut dice = Dice::new(1);
    let mut granted = Vec::new();
    let mut reader = Reader::default();
    while reader.kills < kills {
        let life = dice.life() + Duration::from_millis(200);
        let daemon = lab.daemon.take().unwrap();
        let at = lab.address().to_owned();
        let starting = lab.begin(&[START, &["--json"]].concat());
        assert!(!reader.follow(daemon, Some(at), "", Some(life)));
        let started = starting.wait();
        if started.exit == 0 {
            let run: Value = serde_json::from_str(&started.stdout).unwrap();
            granted.push(run["id"].as_str().or(run["run_id"].as_str()).unwrap().to_owned());
        }
        lab.start_daemon();
    }
    assert!(granted.len() > 1, "hardly a run was started: {granted:?}");
    let mut sum = Figures::default();
    for run in &granted {
        let ended = lab.ask(&["runs", "show", run]);
        assert_eq!(ended["outcome"], "failed", "{ended}");
        assert_eq!(ended["reason"], "gaserad ended in the middle of the run and was started again");
        sum += kept(&lab, run, &reader.seen);
    }
    let (last, seen) = (granted.last().unwrap(), &reader.seen);
    assert_sound(&lab, last, seen, reader.kills);
    assert_true(&exported(&lab), &lab.truth());
    lab.until_idle(0);
    eprintln!("ended: {} runs, {} kills, {sum:?}", granted.len(), reader.kills);
}
