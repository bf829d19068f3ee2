//! `events.csv`: a row for what happened in a run and, while it was under way, to the instruments. Its results are in
//! `samples.csv`.

use rusqlite::{Connection, Row, params};
use serde_json::Value;

use super::table::{GrowingTable, Rows};
use crate::domain::{RunId, Sheet};
use crate::store::csv::{CsvLine, unix_seconds};
use crate::store::error::StoreError;
use crate::store::read;

pub(in crate::store) const COLUMNS: [&str; 9] =
    ["seq", "time_utc", "time_unix_s", "run_id", "event", "channel", "severity", "text", "data"];

pub(super) const EVENTS: GrowingTable = GrowingTable { name: "events.csv", key_column: 0, header: |_| header(), rows };

/// Its first event, and the last that can be of the time in which it was under way.
const SPAN: &str = "
    SELECT coalesce(min(seq), 0) AS first,
        coalesce(min(seq) FILTER (WHERE name NOT IN ('run.updated', 'schedule.updated')), 0) AS begun,
        coalesce(max(seq) FILTER (WHERE name = 'run.finished'), max(seq), 0) AS last
    FROM events WHERE run = ? AND name <> 'live_data'";

/// Those of the run, and those of no run while it was under way.
const WITHIN: &str = "
    SELECT seq, utc, name, channel, data FROM events
    WHERE seq > ?1 AND seq >= ?2 AND name <> 'live_data' AND (run = ?5 OR run IS NULL AND seq BETWEEN ?3 AND ?4)
    ORDER BY seq LIMIT ?6";

fn header() -> String {
    let mut line = CsvLine::default();
    line.texts(&COLUMNS);
    line.end()
}

fn rows(connection: &Connection, sheet: &Sheet, after: i64, limit: u32) -> Result<Rows, StoreError> {
    let run = &sheet.run.id;
    let mut span = connection.prepare_cached(SPAN)?;
    let (first, begun, last): (i64, i64, i64) =
        span.query_row([&run.0], |row| Ok((row.get("first")?, row.get("begun")?, row.get("last")?)))?;
    if begun == 0 {
        return Ok(Vec::new());
    }
    let last = if sheet.run.ended.is_some() { last } else { i64::MAX };
    let mut query = connection.prepare_cached(WITHIN)?;
    let rows = query.query_map(params![after, first, begun, last, run.0, limit], |found| row(found, run))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn row(found: &Row<'_>, run: &RunId) -> rusqlite::Result<(i64, String)> {
    let (seq, utc) = (found.get("seq")?, read::utc(found, "utc")?);
    let data: String = found.get("data")?;
    let told: Value = serde_json::from_str(&data).unwrap_or_default();
    let word = |key: &str| told.get(key).and_then(Value::as_str).unwrap_or_default().replace(['\n', '\r'], " ");
    let text = Some(word("text")).filter(|text| !text.is_empty()).unwrap_or_else(|| word("reason"));
    let mut line = CsvLine::default();
    line.value(Some(seq));
    line.text(&utc.to_seconds_string());
    line.text(&unix_seconds(utc));
    line.text(&run.0);
    line.text(&found.get::<_, String>("name")?);
    line.value(found.get::<_, Option<u8>>("channel")?);
    line.text(&word("severity"));
    line.text(&text);
    line.text(&data);
    Ok((seq, line.end()))
}
