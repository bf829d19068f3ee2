//! A batch as SQL, within a transaction that its caller commits or drops.

use rusqlite::{Transaction, params};

use super::batch::{Audit, Batch, Circumstances};
use super::error::StoreError;
use super::{sheet, trash};
use crate::domain::{
    Cas, Channel, DeviceKind, Event, Fact, Moment, Outcome, Published, Record, RunId, RunSummary, Schedule,
    StampMeaning, Utc, VisitId, VisitSummary, WithoutChannel,
};

/// What is the same for everything that this process writes.
pub(super) struct Process {
    pub about: Circumstances,
    /// From this line on the journal holds all that its runs come from.
    pub journal: i64,
}

/// Writes all of `batch`; its events are numbered from after `last_seq`.
pub(super) fn batch(
    transaction: &Transaction<'_>,
    batch: &Batch,
    process: &Process,
    last_seq: u64,
) -> Result<Vec<Published>, StoreError> {
    journal(transaction, batch.moment, &batch.journal)?;
    for fact in &batch.facts {
        self::fact(transaction, fact, process)?;
    }
    audit(transaction, batch.moment, &batch.audit)?;
    events(transaction, batch.moment, &batch.events, last_seq)
}

/// SQLite's integers are signed; nothing here counts further.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn json(what: &'static str, value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|source| StoreError::Json { what, source })
}

fn journal(transaction: &Transaction<'_>, moment: Moment, lines: &[String]) -> Result<(), StoreError> {
    let mut insert = transaction.prepare_cached("INSERT INTO journal (tick, utc, line) VALUES (?, ?, ?)")?;
    for line in lines {
        insert.execute(params![integer(moment.tick.as_micros()), moment.utc.as_micros(), line])?;
    }
    Ok(())
}

fn audit(transaction: &Transaction<'_>, moment: Moment, entries: &[Audit]) -> Result<(), StoreError> {
    let mut insert =
        transaction.prepare_cached("INSERT INTO audit (tick, utc, who, what, result) VALUES (?, ?, ?, ?, ?)")?;
    for Audit { who, what, result } in entries {
        insert.execute(params![integer(moment.tick.as_micros()), moment.utc.as_micros(), who, what, result])?;
    }
    Ok(())
}

fn events(
    transaction: &Transaction<'_>,
    moment: Moment,
    events: &[Event],
    last_seq: u64,
) -> Result<Vec<Published>, StoreError> {
    let mut insert = transaction
        .prepare_cached("INSERT INTO events (seq, tick, utc, name, run, channel, data) VALUES (?, ?, ?, ?, ?, ?, ?)")?;
    let mut published = Vec::with_capacity(events.len());
    for (event, seq) in events.iter().zip(last_seq + 1..) {
        let event = publish(event, seq, moment.utc);
        insert.execute(params![
            integer(seq),
            integer(moment.tick.as_micros()),
            moment.utc.as_micros(),
            event.name,
            event.run.as_ref().map(|run| &run.0),
            event.channel,
            event.data,
        ])?;
        published.push(event);
    }
    Ok(published)
}

fn publish(event: &Event, seq: u64, at: Utc) -> Published {
    let channel = match event {
        Event::Phase(change) => change.channel,
        Event::LiveData(data) => data.channel,
        _ => None,
    };
    Published {
        seq,
        name: event.name().to_owned(),
        run: event.run().cloned(),
        channel: channel.map(Channel::number),
        data: event.payload(at).to_string(),
    }
}

fn fact(transaction: &Transaction<'_>, fact: &Fact, process: &Process) -> Result<(), StoreError> {
    match fact {
        Fact::Queued(waiting) => {
            transaction
                .prepare_cached("INSERT INTO waiting (run, start) VALUES (?, ?)")?
                .execute(params![waiting.run.0, json("the start that waits", waiting)?])?;
            Ok(())
        }
        Fact::Unqueued { run } => unqueued(transaction, run),
        Fact::RunStarted(run) => {
            unqueued(transaction, &run.id)?;
            run_started(transaction, run, process)
        }
        Fact::RunGases { run, gases } => sheet::widen(transaction, run, gases, true, &process.about),
        Fact::RunEquipped { run, equipment } => sheet::equip(transaction, run, equipment),
        Fact::VisitStarted { run, visit } => visit_started(transaction, run, visit),
        Fact::VisitInterrupted { run, visit } => visit_interrupted(transaction, run, *visit),
        Fact::VisitEnded { run, visit, left } => {
            let changed = transaction
                .prepare_cached("UPDATE visits SET departed = ? WHERE run = ? AND visit = ? AND departed IS NULL")?
                .execute(params![left.as_micros(), run.0, visit.0])?;
            changed_one(changed, || format!("an open visit {} of run {run}", visit.0))
        }
        Fact::Recorded(record) => recorded(transaction, record, &process.about),
        Fact::Noted { run, at, who, text } => {
            transaction
                .prepare_cached("INSERT INTO notes (run, at, who, text) VALUES (?, ?, ?, ?)")?
                .execute(params![run.0, at.as_micros(), who, text])?;
            Ok(())
        }
        Fact::RunEnded { run, ended, outcome, reason } => {
            let changed = transaction
                .prepare_cached("UPDATE runs SET ended = ?, outcome = ?, reason = ? WHERE id = ? AND ended IS NULL")?
                .execute(params![ended.as_micros(), outcome.as_str(), reason, run.0])?;
            changed_one(changed, || format!("an open run {run}"))
        }
        Fact::WithoutChannel { run, so_far } => without_channel(transaction, run, so_far),
        Fact::StopOwed { run } => {
            transaction.prepare_cached("UPDATE runs SET owes_stop = 1 WHERE id = ?")?.execute([&run.0])?;
            Ok(())
        }
        Fact::StopObeyed => {
            transaction.prepare_cached("UPDATE runs SET owes_stop = 0 WHERE owes_stop = 1")?.execute([])?;
            Ok(())
        }
        Fact::RunTrashed { run, at, who } => trash::put(transaction, run, *at, who),
        Fact::RunRestored { run } => trash::take_back(transaction, run),
        Fact::AnalyzerKnown(known) => self::known(transaction, DeviceKind::Analyzer, known),
        Fact::MultiplexerKnown(known) => self::known(transaction, DeviceKind::Multiplexer, known),
        Fact::Scheduled(schedule) => scheduled(transaction, schedule),
        Fact::Unscheduled { name } => {
            transaction.prepare_cached("DELETE FROM schedules WHERE name = ?")?.execute([name])?;
            Ok(())
        }
    }
}

fn without_channel(transaction: &Transaction<'_>, run: &RunId, so_far: &WithoutChannel) -> Result<(), StoreError> {
    transaction
        .prepare_cached("UPDATE runs SET without_channel = ? WHERE id = ?")?
        .execute(params![json("the samples without a channel", so_far)?, run.0])?;
    Ok(())
}

fn changed_one(changed: usize, missing: impl FnOnce() -> String) -> Result<(), StoreError> {
    if changed == 1 { Ok(()) } else { Err(StoreError::Contradiction(missing())) }
}

fn unqueued(transaction: &Transaction<'_>, run: &RunId) -> Result<(), StoreError> {
    transaction.prepare_cached("DELETE FROM waiting WHERE run = ?")?.execute([&run.0])?;
    Ok(())
}

fn known(transaction: &Transaction<'_>, device: DeviceKind, known: &impl serde::Serialize) -> Result<(), StoreError> {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO devices (device, known) VALUES (?, ?)")?
        .execute(params![device.word(), json("a known device", known)?])?;
    Ok(())
}

fn scheduled(transaction: &Transaction<'_>, schedule: &Schedule) -> Result<(), StoreError> {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO schedules (name, schedule) VALUES (?, ?)")?
        .execute(params![schedule.name, json("the schedule", schedule)?])?;
    Ok(())
}

fn run_started(transaction: &Transaction<'_>, run: &RunSummary, process: &Process) -> Result<(), StoreError> {
    let labels = process.about.channels.iter();
    let named: Vec<_> = labels.map(|(channel, line)| (channel, (&line.label, line.kind))).collect();
    transaction
        .prepare_cached(
            "INSERT INTO runs (id, plan, gases, labels, started, ended, outcome, reason, journal, rebuild)
             VALUES (?, ?, '[]', ?, ?, ?, ?, ?, ?, 0)",
        )?
        .execute(params![
            run.id.0,
            json("the plan", &run.plan)?,
            json("the channel labels", &named)?,
            run.started.as_micros(),
            run.ended.map(Utc::as_micros),
            run.outcome.map(Outcome::as_str),
            run.reason,
            process.journal,
        ])?;
    sheet::begin(transaction, &run.id, &process.about)
}

/// What it has so far is flagged; the run may have left it already, and goes back.
fn visit_interrupted(transaction: &Transaction<'_>, run: &RunId, visit: VisitId) -> Result<(), StoreError> {
    transaction
        .prepare_cached("UPDATE visits SET departed = NULL WHERE run = ? AND visit = ?")?
        .execute(params![run.0, visit.0])?;
    transaction
        .prepare_cached(
            "UPDATE records SET flags = json_insert(flags, '$[#]', 'interrupted') WHERE run = ?1 AND visit = ?2
                AND seq >= (SELECT first_record FROM visits WHERE run = ?1 AND visit = ?2)",
        )?
        .execute(params![run.0, visit.0])?;
    transaction.prepare_cached("UPDATE runs SET rebuild = 1 WHERE id = ?")?.execute([&run.0])?;
    Ok(())
}

fn visit_started(transaction: &Transaction<'_>, run: &RunId, visit: &VisitSummary) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT INTO visits (run, visit, channel, repeat, arrived, departed) VALUES (?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            run.0,
            visit.id.0,
            visit.channel.number(),
            visit.repeat,
            visit.arrived.as_micros(),
            visit.left.map(Utc::as_micros),
        ])?;
    Ok(())
}

/// Counted in the transaction that keeps the record, so that the counts are always those of the records.
fn counted(transaction: &Transaction<'_>, record: &Record) -> Result<(), StoreError> {
    let good = record.is_good();
    transaction
        .prepare_cached("UPDATE runs SET records = records + 1, good_records = good_records + ? WHERE id = ?")?
        .execute(params![good, record.run.0])?;
    transaction
        .prepare_cached(
            "UPDATE visits SET records = records + 1, good_records = good_records + ?1,
                first_record = min(coalesce(first_record, ?2), ?2), last_record = max(coalesce(last_record, 0), ?2)
             WHERE run = ?3 AND visit = ?4",
        )?
        .execute(params![good, record.seq, record.run.0, record.visit.map(|visit| visit.0)])?;
    Ok(())
}

fn recorded(transaction: &Transaction<'_>, record: &Record, about: &Circumstances) -> Result<(), StoreError> {
    let gases: Vec<Cas> = record.sample.readings.iter().map(|reading| reading.cas.clone()).collect();
    sheet::widen(transaction, &record.run, &gases, false, about)?;
    counted(transaction, record)?;
    transaction
        .prepare_cached(
            "INSERT INTO records (run, seq, stamp, readings, raw, attribution, channel, visit, repeat, verification,
                 elapsed_s, sample_in_visit, discard, qc, flags, iteration, sampled, exchange_from, exchange_until,
                 read, clock_offset_s, stamp_meaning, good)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            record.run.0,
            record.seq,
            record.sample.stamp.0,
            json("the readings", &record.sample.readings)?,
            record.sample.raw,
            record.attribution.as_str(),
            record.channel.map(Channel::number),
            record.visit.map(|visit| visit.0),
            record.repeat,
            record.verification.as_str(),
            record.elapsed_s,
            record.sample_in_visit,
            record.discard,
            record.qc.as_str(),
            json("the flags", &record.flags)?,
            record.iteration,
            record.sampled.as_micros(),
            record.exchange.map(|(from, _)| from.as_micros()),
            record.exchange.map(|(_, until)| until.as_micros()),
            record.read.as_micros(),
            record.clock_offset_s,
            record.stamp_meaning.map(StampMeaning::as_str),
            record.is_good(),
        ])?;
    Ok(())
}
