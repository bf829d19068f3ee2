//! What is kept, as the nouns it was.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::de::DeserializeOwned;
use serde::de::value::{Error as WordError, StrDeserializer};

use super::batch::{Audit, Opened};
use super::error::StoreError;
use crate::domain::{
    AnalyzerTime, Cas, Channel, DeviceKind, KnownDevices, Note, Published, Record, RunId, RunSummary, Sample, Schedule,
    Tick, Utc, VisitId, VisitSummary, Waiting,
};

/// How a [`Qc`] is written.
const RUN: &str = "SELECT id, plan, started, ended, outcome, reason, records, good_records, without_channel FROM runs";

/// It is not in the trash.
const KEPT: &str = "id NOT IN (SELECT run FROM trash)";

const VISITS: &str = "SELECT * FROM visits WHERE run = ? ORDER BY visit";

const LAST_MOMENT: &str = "
    SELECT tick, utc FROM (
        SELECT * FROM (SELECT tick, utc FROM journal ORDER BY seq DESC LIMIT 1)
        UNION ALL SELECT * FROM (SELECT tick, utc FROM events ORDER BY seq DESC LIMIT 1)
        UNION ALL SELECT * FROM (SELECT tick, utc FROM audit ORDER BY seq DESC LIMIT 1)
    ) ORDER BY tick DESC LIMIT 1";

/// How many ids a sentence about an ambiguous one names.
const AMBIGUOUS_SHOWN: u32 = 3;

pub(super) fn opened(connection: &Connection) -> Result<Opened, StoreError> {
    let moment =
        connection.query_row(LAST_MOMENT, [], |row| Ok((unsigned(row, "tick")?, utc(row, "utc")?))).optional()?;
    let newest = |condition: &str| {
        let query = format!("{RUN} WHERE {KEPT}{condition} ORDER BY number DESC LIMIT 1");
        connection.query_row(&query, [], run_summary).optional()
    };
    Ok(Opened {
        last_tick: Tick::from_micros(moment.map_or(0, |(tick, _)| tick)),
        last_utc: moment.map(|(_, utc)| utc),
        last_seq: last_seq(connection)?,
        open_run: newest(" AND ended IS NULL")?,
        last_run: newest("")?,
        waiting: waiting(connection)?,
        owes_stop: connection
            .query_row("SELECT EXISTS (SELECT 1 FROM runs WHERE owes_stop = 1)", [], |row| row.get(0))?,
        schedules: schedules(connection)?,
        known: known_devices(connection)?,
    })
}

/// Runs that begin later, in the order in which they were asked for.
fn waiting(connection: &Connection) -> Result<Vec<Waiting>, StoreError> {
    readable(connection, "SELECT start FROM waiting ORDER BY number", "a start that waits")
}

fn schedules(connection: &Connection) -> Result<Vec<Schedule>, StoreError> {
    readable(connection, "SELECT schedule FROM schedules ORDER BY name", "a schedule")
}

fn known_devices(connection: &Connection) -> Result<KnownDevices, StoreError> {
    Ok(KnownDevices {
        analyzer: known_device(connection, DeviceKind::Analyzer)?,
        multiplexer: known_device(connection, DeviceKind::Multiplexer)?,
        ..KnownDevices::default()
    })
}

fn known_device<T: DeserializeOwned>(connection: &Connection, device: DeviceKind) -> Result<Option<T>, StoreError> {
    let query = format!("SELECT known FROM devices WHERE device = '{}'", device.word());
    Ok(readable(connection, &query, "a known device")?.pop())
}

/// Whatever another version wrote there, it is no reason not to serve.
fn readable<T: DeserializeOwned>(connection: &Connection, query: &str, what: &str) -> Result<Vec<T>, StoreError> {
    let mut query = connection.prepare(query)?;
    let lines = query.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    let readable = lines.iter().filter_map(|line| {
        let read = serde_json::from_str(line);
        read.inspect_err(|error| tracing::error!("{what} cannot be read and is passed over: {error}: {line}")).ok()
    });
    Ok(readable.collect())
}

pub(super) fn last_seq(connection: &Connection) -> Result<u64, StoreError> {
    Ok(connection.query_row("SELECT coalesce(max(seq), 0) AS seq FROM events", [], |row| unsigned(row, "seq"))?)
}

/// The number that the next journal line gets.
pub(super) fn next_line(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.query_row("SELECT coalesce(max(seq), 0) + 1 FROM journal", [], |row| row.get(0))?)
}

/// Where the journal begins of the process that started the run; `None` for a run that is older than that is noted.
pub(super) fn journal_of(connection: &Connection, id: &RunId) -> Result<Option<u64>, StoreError> {
    let query = "SELECT journal FROM runs WHERE id = ?";
    let seq: Option<Option<i64>> =
        connection.prepare_cached(query)?.query_row([&id.0], |row| row.get("journal")).optional()?;
    let seq = seq.ok_or_else(|| StoreError::NotFound(id.0.clone()))?;
    Ok(seq.and_then(|seq| u64::try_from(seq).ok()))
}

/// Up to `limit` lines of the journal from number `from` on, in order, with their numbers.
pub(super) fn journal(connection: &Connection, from: u64, limit: u32) -> Result<Vec<(u64, String)>, StoreError> {
    let from = i64::try_from(from).unwrap_or(i64::MAX);
    let mut query = connection.prepare_cached("SELECT seq, line FROM journal WHERE seq >= ? ORDER BY seq LIMIT ?")?;
    let line = |row: &Row<'_>| Ok((unsigned(row, "seq")?, row.get("line")?));
    let lines = query.query_map(params![from, limit], line)?.collect::<Result<_, _>>()?;
    Ok(lines)
}

pub(super) fn runs(connection: &Connection, limit: u32) -> Result<Vec<RunSummary>, StoreError> {
    let mut query = connection.prepare_cached(&format!("{RUN} WHERE {KEPT} ORDER BY number DESC LIMIT ?"))?;
    let runs = query.query_map([limit], run_summary)?.collect::<Result<_, _>>()?;
    Ok(runs)
}

/// The run of that id, of the one id that begins so, or the newest one for `last`.
pub(super) fn find_run(connection: &Connection, name: &str) -> Result<RunId, StoreError> {
    let wanted = name.trim();
    let (condition, limit) = match wanted {
        "" => return Err(StoreError::NotFound(name.to_owned())),
        "last" => ("?1 = ?1", 1),
        _ => ("substr(upper(id), 1, length(?1)) = upper(?1)", AMBIGUOUS_SHOWN),
    };
    let mut query = connection
        .prepare_cached(&format!("SELECT id FROM runs WHERE {KEPT} AND {condition} ORDER BY number DESC LIMIT ?2"))?;
    let mut matches: Vec<String> =
        query.query_map(params![wanted, limit], |row| row.get("id"))?.collect::<Result<_, _>>()?;
    match matches.len() {
        0 => Err(StoreError::NotFound(name.to_owned())),
        1 => Ok(RunId(matches.remove(0))),
        _ => Err(StoreError::Ambiguous { prefix: wanted.to_owned(), matches }),
    }
}

pub(super) fn run(connection: &Connection, id: &RunId) -> Result<(RunSummary, Vec<VisitSummary>), StoreError> {
    let summary = connection
        .prepare_cached(&format!("{RUN} WHERE id = ?"))?
        .query_row([&id.0], run_summary)
        .optional()?
        .ok_or_else(|| StoreError::NotFound(id.0.clone()))?;
    let mut query = connection.prepare_cached(VISITS)?;
    let visits = query.query_map([&id.0], visit_summary)?.collect::<Result<_, _>>()?;
    Ok((summary, visits))
}

/// What was remarked on a run, oldest first.
pub(super) fn notes(connection: &Connection, id: &RunId) -> Result<Vec<Note>, StoreError> {
    let mut query = connection.prepare_cached("SELECT at, who, text FROM notes WHERE run = ? ORDER BY seq")?;
    let note = |row: &Row<'_>| Ok(Note { at: utc(row, "at")?, who: row.get("who")?, text: row.get("text")? });
    let notes = query.query_map([&id.0], note)?.collect::<Result<_, _>>()?;
    Ok(notes)
}

pub(super) fn records(
    connection: &Connection,
    id: &RunId,
    after_seq: u32,
    limit: u32,
) -> Result<Vec<Record>, StoreError> {
    let mut query =
        connection.prepare_cached("SELECT * FROM records WHERE run = ? AND seq > ? ORDER BY seq LIMIT ?")?;
    let records = query.query_map(params![id.0, after_seq, limit], record)?.collect::<Result<_, _>>()?;
    Ok(records)
}

pub(super) fn gases(connection: &Connection, id: &RunId) -> Result<Vec<Cas>, StoreError> {
    connection
        .prepare_cached("SELECT gases FROM runs WHERE id = ?")?
        .query_row([&id.0], |row| json(row, "gases"))
        .optional()?
        .ok_or_else(|| StoreError::NotFound(id.0.clone()))
}

/// Whether rows that a file of the run has already may look otherwise now.
pub(super) fn rebuild(connection: &Connection, id: &RunId) -> Result<bool, StoreError> {
    Ok(connection.prepare_cached("SELECT rebuild FROM runs WHERE id = ?")?.query_row([&id.0], |row| row.get(0))?)
}

/// A run with more records than that would keep everybody waiting while its files are made anew.
const MOST_RENEWED: u32 = 100_000;

/// Runs that are over and whose files are to be made anew, oldest first.
pub(super) fn outdated(connection: &Connection) -> Result<Vec<RunId>, StoreError> {
    let query = "SELECT id FROM runs WHERE rebuild = 1 AND ended IS NOT NULL AND records <= ? ORDER BY number";
    let mut query = connection.prepare(query)?;
    let runs = query.query_map([MOST_RENEWED], |row| row.get("id").map(RunId))?.collect::<Result<_, _>>()?;
    Ok(runs)
}

pub(super) fn set_rebuild(connection: &Connection, id: &RunId, rebuild: bool) -> Result<(), StoreError> {
    connection.prepare_cached("UPDATE runs SET rebuild = ? WHERE id = ?")?.execute(params![rebuild, id.0])?;
    Ok(())
}

pub(super) fn audit(connection: &Connection) -> Result<Vec<Audit>, StoreError> {
    let mut query = connection.prepare_cached("SELECT who, what, result FROM audit ORDER BY seq")?;
    let entry = |row: &Row<'_>| Ok(Audit { who: row.get("who")?, what: row.get("what")?, result: row.get("result")? });
    let entries = query.query_map([], entry)?.collect::<Result<_, _>>()?;
    Ok(entries)
}

pub(super) fn events_after(connection: &Connection, seq: u64, limit: u32) -> Result<Vec<Published>, StoreError> {
    let after = i64::try_from(seq).unwrap_or(i64::MAX);
    let mut query = connection
        .prepare_cached("SELECT seq, name, run, channel, data FROM events WHERE seq > ? ORDER BY seq LIMIT ?")?;
    let events = query.query_map(params![after, limit], published)?.collect::<Result<_, _>>()?;
    Ok(events)
}

/// Up to `limit` of what happened in the run after number `seq`, in order; its results are not among it.
pub(super) fn events_of(
    connection: &Connection,
    run: &RunId,
    seq: u64,
    limit: u32,
) -> Result<Vec<Published>, StoreError> {
    let after = i64::try_from(seq).unwrap_or(i64::MAX);
    let mut query = connection.prepare_cached(
        "SELECT seq, name, run, channel, data FROM events
        WHERE run = ? AND name <> 'live_data' AND seq > ? ORDER BY seq LIMIT ?",
    )?;
    let events = query.query_map(params![run.0, after, limit], published)?.collect::<Result<_, _>>()?;
    Ok(events)
}

pub(super) fn run_summary(row: &Row<'_>) -> rusqlite::Result<RunSummary> {
    Ok(RunSummary {
        id: RunId(row.get("id")?),
        plan: json(row, "plan")?,
        started: utc(row, "started")?,
        ended: row.get::<_, Option<i64>>("ended")?.map(Utc::from_micros),
        outcome: word_or_null(row, "outcome")?,
        reason: row.get("reason")?,
        records: unsigned(row, "records")?,
        good_records: unsigned(row, "good_records")?,
        without_channel: json(row, "without_channel")?,
    })
}

pub(super) fn visit_summary(row: &Row<'_>) -> rusqlite::Result<VisitSummary> {
    Ok(VisitSummary {
        id: VisitId(row.get("visit")?),
        channel: channel(row)?.ok_or_else(|| unreadable(row, "channel", "not a channel".into()))?,
        repeat: row.get("repeat")?,
        arrived: utc(row, "arrived")?,
        left: row.get::<_, Option<i64>>("departed")?.map(Utc::from_micros),
        records: unsigned(row, "records")?,
        good_records: unsigned(row, "good_records")?,
    })
}

pub(super) fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    let exchange: (Option<i64>, Option<i64>) = (row.get("exchange_from")?, row.get("exchange_until")?);
    Ok(Record {
        run: RunId(row.get("run")?),
        seq: row.get("seq")?,
        sample: Sample {
            stamp: AnalyzerTime(row.get("stamp")?),
            readings: json(row, "readings")?,
            raw: row.get("raw")?,
        },
        attribution: word(row, "attribution")?,
        channel: channel(row)?,
        visit: row.get::<_, Option<u32>>("visit")?.map(VisitId),
        repeat: row.get("repeat")?,
        verification: word(row, "verification")?,
        elapsed_s: row.get("elapsed_s")?,
        sample_in_visit: row.get("sample_in_visit")?,
        discard: row.get("discard")?,
        qc: word(row, "qc")?,
        flags: json(row, "flags")?,
        iteration: row.get("iteration")?,
        sampled: utc(row, "sampled")?,
        exchange: exchange.0.zip(exchange.1).map(|(from, until)| (Utc::from_micros(from), Utc::from_micros(until))),
        read: utc(row, "read")?,
        clock_offset_s: row.get("clock_offset_s")?,
        stamp_meaning: word_or_null(row, "stamp_meaning")?,
    })
}

fn published(row: &Row<'_>) -> rusqlite::Result<Published> {
    Ok(Published {
        seq: unsigned(row, "seq")?,
        name: row.get("name")?,
        run: row.get::<_, Option<String>>("run")?.map(RunId),
        channel: row.get("channel")?,
        data: row.get("data")?,
    })
}

pub(super) fn utc(row: &Row<'_>, column: &str) -> rusqlite::Result<Utc> {
    Ok(Utc::from_micros(row.get(column)?))
}

pub(super) fn unsigned(row: &Row<'_>, column: &str) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, number))
}

fn channel(row: &Row<'_>) -> rusqlite::Result<Option<Channel>> {
    Ok(row.get::<_, Option<u8>>("channel")?.and_then(Channel::new))
}

pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| unreadable(row, column, Box::new(error)))
}

/// An enumeration by its name.
fn word<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    let reader: StrDeserializer<'_, WordError> = StrDeserializer::new(&text);
    T::deserialize(reader).map_err(|error| unreadable(row, column, Box::new(error)))
}

fn word_or_null<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<T>> {
    if row.get::<_, Option<String>>(column)?.is_some() { word(row, column).map(Some) } else { Ok(None) }
}

fn unreadable(row: &Row<'_>, column: &str, error: Box<dyn std::error::Error + Send + Sync>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(row.as_ref().column_index(column).unwrap_or(0), Type::Text, error)
}
