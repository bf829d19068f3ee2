//! Many hours in one process: its memory stays what it is, and its timings stay where the plan has them.
//!
//! `HOURS=48 cargo test --test tests endurance -- --nocapture` takes three minutes, at a thousand times the speed of the
//! world. Two things are measured of each purge and each measuring time. The deadline that was set for its end is held
//! against the plan: from one repeat to the next it is later by the length of a repeat, to 10 ms of the run's own time,
//! unless an alarm said that the schedule slipped. How late each phase began against the deadline before it is seen in the
//! real world's time, in which the timer of the system is good to a millisecond: within 10 ms for at least half of them,
//! since other programs have the processors too; how late 99 of 100 and the latest are is printed. It does not add up:
//! the last quarter of the run is as late as the first one, to 10 ms. That all this holds to 10 ms of the run's time at
//! the speed of the world is shown in virtual time, with the tests of the engine.
//!
//! At a thousand times the speed a tenth of a second for which the process does not get a processor, or the disk takes
//! its time for a commit, is a hundred seconds of the run: no plan of a laboratory has room for that, and a visit of which
//! every gas exchange passed unseen has no good sample, rightly so. The plan here has visits of half an hour, which stand
//! a second of the real world; and 300 s to settle, since a valve takes half a minute or more for its move.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use gasera::domain::Utc;
use serde_json::Value;

use super::lab::{Events, gaserad};
use crate::support::processes::Process;

const SCALE: u32 = 1000;
/// Four visits of 300 s to settle, 300 s and 1200 s, in seconds.
const REPEAT_S: u32 = 7200;
const PLAN: &[&str] = &["--channels", "1-4", "--purge", "300s", "--measure", "1200s", "--sync", "dwell"];
/// Memory is looked at from then on: buffers and caches are filled.
const WARM_S: f64 = 3.0 * 3600.0;
/// A stream is read for so many events, then the next one goes on where it ended.
const EVENTS: usize = 2000;

struct Long {
    daemon: Process,
    http: String,
    folder: tempfile::TempDir,
}

impl Long {
    fn start(limit: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let unix = format!("unix:{}", folder.path().join("sock").display());
        let state = folder.path().join("state").display().to_string();
        let scale = SCALE.to_string();
        let listen = ["--listen", &unix, "--listen", "127.0.0.1:0"];
        let config = folder.path().join("gaserad.toml");
        fs::write(&config, "[multiplexer]\nsettle = \"300s\"\n").unwrap();
        let config = config.display().to_string();
        let mut command = gaserad(&["--simulate", "--config", &config, "--time-scale", &scale, "--state-dir", &state]);
        let mut daemon = Process::start_for(limit, command.env("HOME", folder.path()).args(listen));
        let http = daemon.line_after("listening on http://");
        Events::try_open(&http, None).unwrap().until_online();
        Self { daemon, http, folder }
    }

    fn ctl(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gaseractl"));
        let endpoint = format!("unix:{}", self.folder.path().join("sock").display());
        command.env_clear().env("TZ", "UTC").args(args).args(["--endpoint", &endpoint]);
        command
    }

    /// What the daemon has in memory, in kB.
    fn resident(&self) -> u64 {
        let pid = self.daemon.pid().as_raw_nonzero();
        let status = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

/// What was seen of the run.
#[derive(Default)]
struct Seen {
    /// When each repeat began, in seconds since the first.
    repeats: Vec<f64>,
    /// The deadlines of purges and measuring times, and how often the schedule had slipped by then.
    deadlines: Vec<(f64, usize)>,
    /// How late phases began that a deadline ends, in milliseconds of the real world.
    late_ms: Vec<f64>,
    slips: usize,
    /// Seconds since the beginning, and kB.
    memory: Vec<(f64, u64)>,
    ended: Value,
}

impl Seen {
    /// How late phases began, in milliseconds of the real world: half of them, 99 of 100, the latest.
    fn lateness(&self) -> [f64; 3] {
        let sorted = sorted(&self.late_ms);
        let last = sorted.len() - 1;
        [sorted[last / 2], sorted[last * 99 / 100], sorted[last]]
    }

    /// How much later half of the phases began in the last quarter than in the first.
    fn later_at_the_end(&self) -> f64 {
        let quarter = self.late_ms.len() / 4;
        let half = |late: &[f64]| sorted(late)[late.len() / 2];
        half(&self.late_ms[self.late_ms.len() - quarter..]) - half(&self.late_ms[..quarter])
    }

    fn hold_against_the_plan(&mut self, data: &Value) {
        let measures = data["phase"] == "MEASURING";
        if !measures && data["phase"] != "PURGING" {
            return;
        }
        let until = data["until"].as_str().unwrap().parse::<Utc>().unwrap().as_seconds();
        if let Some((before, _)) = self.deadlines.last().filter(|_| measures) {
            self.late_ms.push((data["timestamp"].as_f64().unwrap() - before) / f64::from(SCALE) * 1e3);
        }
        self.deadlines.push((until, self.slips));
    }

    /// By how much a deadline was off its plan at most, a repeat after the same one before; slips left out.
    fn drift(&self) -> (usize, f64) {
        const A_REPEAT: usize = 8;
        let pairs = self.deadlines.iter().zip(self.deadlines.iter().skip(A_REPEAT));
        let steady = pairs.filter(|((_, slips), (_, later))| slips == later);
        let off: Vec<f64> =
            steady.map(|((before, _), (after, _))| (after - before - f64::from(REPEAT_S)).abs()).collect();
        (off.len(), off.into_iter().fold(0.0, f64::max))
    }
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

fn watch(long: &Long) -> Seen {
    let (mut seen, mut last, mut began) = (Seen::default(), 0, None);
    while seen.ended.is_null() {
        let events = Events::try_open(&long.http, Some(last)).unwrap();
        for event in events.filter(|event| !event["id"].is_null()).take(EVENTS) {
            last = event["id"].as_u64().unwrap();
            let data = &event["data"];
            if event["type"] == "run.finished" {
                seen.ended = data["run"].clone();
                break;
            }
            seen.slips += usize::from(event["type"] == "alarm" && data["code"] == "schedule_slipped");
            if event["type"] == "phase" {
                seen.hold_against_the_plan(data);
                let at = data["timestamp"].as_f64().unwrap();
                let since = at - *began.get_or_insert(at);
                seen.memory.push((since, long.resident()));
                if data["phase"] == "HOMING" {
                    seen.repeats.push(since);
                }
            }
        }
    }
    seen
}

fn mean(memory: &[(f64, u64)], from: f64, until: f64) -> f64 {
    let within: Vec<u64> = memory.iter().filter(|(at, _)| (from..until).contains(at)).map(|(_, kb)| *kb).collect();
    assert!(!within.is_empty(), "memory was not looked at between {from} s and {until} s");
    f64::from(u32::try_from(within.iter().sum::<u64>()).unwrap()) / f64::from(u32::try_from(within.len()).unwrap())
}

#[test]
fn hours_of_running_take_no_more_memory_and_no_more_time_than_the_first() {
    let Ok(hours) = std::env::var("HOURS") else { return };
    let hours: u32 = hours.parse().expect("HOURS is a number");
    let repeats = (hours * 3600).div_ceil(REPEAT_S);
    let long = Long::start(Duration::from_secs(u64::from(hours * 3600 / SCALE) * 3 + 180));
    let start = Process::start(&mut long.ctl(&[&["start", "--repeats", &repeats.to_string()], PLAN].concat())).wait();
    assert_eq!(start.exit, 0, "{start:?}");
    let seen = watch(&long);
    assert_eq!(seen.ended["outcome"], "completed", "{}", seen.ended);
    let whole = seen.memory.last().unwrap().0;
    let (first, last) = (mean(&seen.memory, WARM_S, WARM_S + 3600.0), mean(&seen.memory, whole - 3600.0, whole));
    eprintln!(
        "{hours} h, {repeats} repeats, {} records: {first:.0} kB in hour {:.0}, {last:.0} kB in the last one",
        seen.ended["records"],
        WARM_S / 3600.0 + 1.0
    );
    let (deadlines, (compared, drift)) = (seen.deadlines.len(), seen.drift());
    let ([half, most, latest], later) = (seen.lateness(), seen.later_at_the_end());
    eprintln!(
        "{compared} of {deadlines} deadlines held against the repeat before: off the plan by {drift:.6} s at most, {} \
         slips; edges late in real time: half by {half:.3} ms, 99 of 100 by {most:.3} ms, the latest by {latest:.3} ms; \
         in the last quarter by {later:.3} ms more than in the first",
        seen.slips
    );
    assert!(compared * 2 > deadlines, "the valve was too late too often: {} slips", seen.slips);
    assert!(drift <= 0.010, "deadlines drift by {drift} s in a repeat");
    assert!(half <= 10.0, "half of the phases begin more than {half} ms late");
    assert!(later.abs() <= 10.0, "phases begin {later} ms later at the end than at the beginning");
    assert!(last < first * 1.1, "memory grows from {first} kB to {last} kB");
    assert_eq!(seen.repeats.len(), usize::try_from(repeats).unwrap());
    let verified = Process::start(&mut long.ctl(&["runs", "verify", "--timeout", "5m"])).wait();
    assert_eq!(verified.exit, 0, "{verified:?}");
}
