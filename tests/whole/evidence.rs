//! What must be true of the state directory whatever happened to the daemon that wrote it.

use std::collections::BTreeSet;
use std::fs;
use std::ops::AddAssign;

use rusqlite::Connection;
use serde_json::Value;

use super::lab::Lab;
use super::verdict::assert_numbered;

/// How much was looked at.
#[derive(Debug, Default)]
pub struct Figures {
    pub runs: u32,
    pub kills: u32,
    pub events: usize,
    pub records: usize,
    pub good: usize,
}

impl AddAssign for Figures {
    fn add_assign(&mut self, more: Self) {
        self.runs += more.runs;
        self.kills += more.kills;
        self.events += more.events;
        self.records += more.records;
        self.good += more.good;
    }
}

/// A copy of the database, of a daemon that writes nothing just now.
fn database(lab: &Lab) -> Connection {
    let copy = lab.path("copy.sqlite");
    fs::copy(lab.state("state.sqlite"), &copy).unwrap();
    fs::copy(lab.state("state.sqlite-wal"), lab.path("copy.sqlite-wal")).unwrap();
    Connection::open(copy).unwrap()
}

/// All that is told today up to the end of the run, and at least `count` events.
#[track_caller]
pub fn told(lab: &Lab, run: &str, count: usize) -> Vec<Value> {
    let mut events = lab.events(Some(0));
    let (mut all, mut over) = (Vec::new(), false);
    while !over || all.len() < count {
        let event = events.until(|event| !event["id"].is_null());
        over |= event["type"] == "run.finished" && event["data"]["run"]["id"] == run;
        all.push(event);
    }
    all
}

/// What a reader saw is still told, in order and without a gap; every result of it is a record, once; database and
/// files agree.
#[track_caller]
pub fn assert_sound(lab: &Lab, run: &str, seen: &[Value], kills: u32) -> Figures {
    let all = told(lab, run, seen.len());
    assert_numbered(&all);
    for (kept, seen) in all.iter().zip(seen) {
        assert_eq!(kept, seen, "what was told is told again as it was");
    }
    let finished = all.iter().filter(|event| event["type"] == "run.finished" && event["data"]["run"]["id"] == run);
    assert_eq!(finished.count(), 1, "a run ends once");
    let figures = records(lab, run, &all);
    let verified = lab.ctl(&["runs", "verify"]);
    assert_eq!(verified.exit, 0, "{verified:?}");
    assert_intact(&database(lab));
    Figures { kills, events: all.len(), ..figures }
}

/// Every result of the run that was told is a record, and every record was told; none is there twice.
#[track_caller]
pub fn records(lab: &Lab, run: &str, told: &[Value]) -> Figures {
    let database = database(lab);
    let mut query = database.prepare("SELECT seq, stamp, good FROM records WHERE run = ? ORDER BY seq").unwrap();
    let record = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let kept: Vec<(i64, i64, bool)> = query.query_map([run], record).unwrap().map(Result::unwrap).collect();
    assert!(kept.iter().zip(1..).all(|((seq, ..), expected)| *seq == expected), "a gap in {run}: {kept:?}");
    let stamps: BTreeSet<i64> = kept.iter().map(|(_, stamp, _)| *stamp).collect();
    assert_eq!(stamps.len(), kept.len(), "a result of {run} is there twice: {kept:?}");
    let of_run = told.iter().filter(|event| event["type"] == "live_data" && event["data"]["run_id"] == run);
    let told: Vec<(i64, i64)> =
        of_run.map(|event| (integer(&event["data"]["seq"]), integer(&event["data"]["device_timestamp"]))).collect();
    let written: Vec<(i64, i64)> = kept.iter().map(|(seq, stamp, _)| (*seq, *stamp)).collect();
    assert_eq!(written, told, "every result of {run} that was told is kept, and no other one");
    let good = kept.iter().filter(|(.., good)| *good).count();
    Figures { runs: 1, records: kept.len(), good, ..Figures::default() }
}

fn integer(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[track_caller]
fn assert_intact(database: &Connection) {
    let found: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(found, "ok");
}
