//! Holds the records of a run against what the plant really sampled.

use std::collections::{BTreeMap, BTreeSet};

use gasera::simulator::Truth;
use serde_json::Value;

use super::lab::Lab;

const CARBON_DIOXIDE: &str = "124-38-9";

/// One line of a samples.csv, by column.
pub type Row = BTreeMap<String, String>;

pub fn rows(csv: &str) -> Vec<Row> {
    let mut lines = csv.lines().map(|line| line.split(',').map(str::to_owned));
    let columns: Vec<String> = lines.next().expect("a first line with the columns").collect();
    lines.map(|fields| columns.iter().cloned().zip(fields).collect()).collect()
}

pub fn is_good(row: &Row) -> bool {
    row["discard"] == "0" && row["qc"] == "0"
}

/// The rows of the last run.
pub fn exported(lab: &Lab) -> Vec<Row> {
    let done = lab.ctl(&["runs", "export", "last"]);
    assert_eq!(done.exit, 0, "{done:?}");
    rows(&done.stdout)
}

/// Every good row has the channel and the iteration that the plant says, and no result is there twice.
#[track_caller]
pub fn assert_true(rows: &[Row], truth: &[Truth]) {
    assert_channels(rows, truth);
    for (row, truth) in good(rows, truth) {
        // Where results were missed it may not know which iteration this is, and then says so.
        let honest = row["iteration"].is_empty() && row["qc_flags"].contains("gap");
        let same = row["iteration"] == truth.iteration.to_string();
        assert!(same || honest, "a wrong iteration: {row:#?} was {truth:#?}");
    }
}

/// Every good row has the channel that the plant says, and no result is there twice.
#[track_caller]
pub fn assert_channels(rows: &[Row], truth: &[Truth]) {
    let distinct: BTreeSet<&str> = rows.iter().map(|row| row["co2_ppm"].as_str()).collect();
    assert_eq!(distinct.len(), rows.len(), "a result is there twice: {rows:#?}");
    for (row, truth) in good(rows, truth) {
        assert_eq!(row["channel"], truth.channel.to_string(), "a wrong channel: {row:#?} was {truth:#?}");
        assert_eq!(truth.valve, Some(truth.channel), "the valve moved: {row:#?} was {truth:#?}");
    }
}

/// The good rows with their truth: the noise of the carbon dioxide tells every result from every other one.
fn good<'a>(rows: &'a [Row], truth: &'a [Truth]) -> impl Iterator<Item = (&'a Row, &'a Truth)> {
    rows.iter().filter(|row| is_good(row)).map(|row| {
        let ppm: f64 = row["co2_ppm"].parse().unwrap();
        let same: Vec<&Truth> = truth.iter().filter(|truth| truth.readings[CARBON_DIOXIDE] == ppm).collect();
        let [truth] = same[..] else { panic!("{row:#?} is like {same:#?}") };
        (row, truth)
    })
}

/// Every iteration that was clean and drew its gas while the daemon said that it measures is a good row.
#[track_caller]
pub fn assert_complete(rows: &[Row], truth: &[Truth], events: &[Value]) {
    let owed = drawn_while_measuring(events);
    assert!(!owed.is_empty(), "no iteration lay within a measuring window");
    for iteration in owed {
        let clean = truth.iter().any(|truth| truth.iteration == iteration && truth.clean);
        let kept = rows.iter().any(|row| is_good(row) && row["iteration"] == iteration.to_string());
        assert!(kept || !clean, "clean iteration {iteration} was lost: {rows:#?}");
    }
}

/// The iterations whose gas exchange began and ended, as the daemon saw it, within one measuring phase.
fn drawn_while_measuring(events: &[Value]) -> BTreeSet<u32> {
    let (mut measuring, mut drawing, mut drawn) = (false, None, BTreeSet::new());
    for event in events {
        let data = &event["data"];
        match event["type"].as_str() {
            Some("phase") => (measuring, drawing) = (data["phase"] == "MEASURING", None),
            Some("device.phase") if data["name"] == "gas_exchange" => {
                drawing = data["iteration"].as_u64().filter(|_| measuring);
            }
            Some("device.phase") => {
                let ended = drawing.take().filter(|drawing| data["iteration"].as_u64() == Some(*drawing));
                drawn.extend(ended.map(|iteration| u32::try_from(iteration).unwrap()));
            }
            _ => {}
        }
    }
    drawn
}

/// The visits, as channel and repeat, that have a good row.
pub fn visited(rows: &[Row]) -> BTreeSet<(u8, u32)> {
    rows.iter().filter(|row| is_good(row)).map(|row| (number(row, "channel"), number(row, "repeat"))).collect()
}

fn number<T: std::str::FromStr<Err = std::num::ParseIntError>>(row: &Row, column: &str) -> T {
    row[column].parse().unwrap()
}

/// Event ids go up by one, without a gap.
#[track_caller]
pub fn assert_numbered(events: &[Value]) {
    let ids: Vec<u64> = events.iter().filter_map(|event| event["id"].as_u64()).collect();
    let expected: Vec<u64> = (1..).take(ids.len()).collect();
    assert_eq!(ids, expected);
}
