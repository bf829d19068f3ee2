//! `visits.csv`: a row for each visit that is over and to which no result can come any more: how long it was,
//! and for each gas the number, mean and spread of its good samples.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, params};

use super::table::{GrowingTable, Rows};
use crate::domain::{Cas, RunId, Sheet, Spread, Utc, VisitSummary, VisitTally};
use crate::store::csv::{CsvLine, unix_seconds};
use crate::store::error::StoreError;
use crate::store::read;

pub(in crate::store) const BEFORE_GASES: [&str; 14] = [
    "run_id",
    "visit_id",
    "repeat",
    "channel",
    "channel_label",
    "channel_kind",
    "start_utc",
    "end_utc",
    "start_unix_s",
    "end_unix_s",
    "duration_s",
    "records",
    "n",
    "discards",
];
/// What stands before and behind the unit of a gas's columns.
pub(in crate::store) const OF_GAS: [(&str, &str); 3] = [("n", ""), ("mean", "_ppm"), ("sd", "_ppm")];

/// What the file was called before.
pub(super) const EARLIER_NAME: &str = "observations.csv";

pub(super) const VISITS: GrowingTable = GrowingTable { name: "visits.csv", key_column: 1, header, rows };

/// A visit, and where its records are among those of the run.
struct VisitRow {
    summary: VisitSummary,
    records: Option<(u32, u32)>,
    /// Results come of a later one.
    settled: bool,
}

const ROWS: &str = "
    SELECT *, departed IS NOT NULL AND EXISTS (
        SELECT 1 FROM visits AS later WHERE later.run = visits.run AND later.visit > visits.visit
            AND (later.records > 0 OR later.departed IS NOT NULL)) AS settled
    FROM visits WHERE run = ? AND visit > ? ORDER BY visit LIMIT ?";

fn header(sheet: &Sheet) -> String {
    let mut line = CsvLine::default();
    line.texts(&BEFORE_GASES);
    for gas in &sheet.gases {
        for (what, unit) in OF_GAS {
            line.text(&column(&gas.column, what, unit));
        }
    }
    line.end()
}

/// `co2_mean_ppm`, of `co2_ppm`.
pub(in crate::store) fn column(gas: &str, what: &str, unit: &str) -> String {
    format!("{}_{what}{unit}", gas.trim_end_matches("_ppm"))
}

fn rows(connection: &Connection, sheet: &Sheet, after: i64, limit: u32) -> Result<Rows, StoreError> {
    let mut query = connection.prepare_cached(ROWS)?;
    let visits = query.query_map(params![sheet.run.id.0, after, limit], visit)?;
    let mut rows = Vec::new();
    for visit in visits {
        let visit = visit?;
        if !visit.settled && sheet.run.ended.is_none() {
            break;
        }
        rows.push((i64::from(visit.summary.id.0), row(connection, sheet, &visit)?));
    }
    Ok(rows)
}

fn visit(row: &Row<'_>) -> rusqlite::Result<VisitRow> {
    let records: (Option<u32>, Option<u32>) = (row.get("first_record")?, row.get("last_record")?);
    Ok(VisitRow { summary: read::visit_summary(row)?, records: records.0.zip(records.1), settled: row.get("settled")? })
}

fn row(connection: &Connection, sheet: &Sheet, visit: &VisitRow) -> Result<String, StoreError> {
    let VisitSummary { id, channel, repeat, arrived, left, records, good_records } = visit.summary;
    let gases = measured(connection, &sheet.run.id, visit)?;
    let known = sheet.channel(channel);
    let left = left.or(sheet.run.ended);
    let mut line = CsvLine::default();
    line.text(&sheet.run.id.0);
    line.value(Some(id.0));
    line.value(Some(repeat));
    line.value(Some(channel));
    line.text(&known.label);
    line.text(known.kind.as_str());
    line.text(&arrived.to_seconds_string());
    line.text(&left.map(Utc::to_seconds_string).unwrap_or_default());
    line.text(&unix_seconds(arrived));
    line.text(&left.map(unix_seconds).unwrap_or_default());
    line.number(left.map(|left| left.as_seconds() - arrived.as_seconds()).map(to_milliseconds));
    line.value(Some(records));
    line.value(Some(good_records));
    line.value(Some(records.saturating_sub(good_records)));
    for gas in &sheet.gases {
        let spread = gases.get(&gas.cas).copied().unwrap_or_default();
        line.value(Some(spread.count));
        line.number((spread.count > 0).then_some(spread.mean));
        line.number(spread.deviation());
    }
    Ok(line.end())
}

fn to_milliseconds(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

fn measured(connection: &Connection, run: &RunId, visit: &VisitRow) -> Result<BTreeMap<Cas, Spread>, StoreError> {
    let Some((first, last)) = visit.records else { return Ok(BTreeMap::new()) };
    let mut query = connection
        .prepare_cached("SELECT * FROM records WHERE run = ? AND seq BETWEEN ? AND ? AND visit = ? ORDER BY seq")?;
    let mut tally = VisitTally::default();
    for record in query.query_map(params![run.0, first, last, visit.summary.id.0], read::record)? {
        tally.add(&record?);
    }
    Ok(tally.take(visit.summary.id).into_iter().collect())
}
