//! Runs that were removed: first only marked, with their folder moved aside, and later gone for good.
//!
//! Whether a run is in the trash is said by the database; its folder follows. What is to go for good is marked first, and
//! goes page by page, so that no commit waits long for it, and whatever ends the process in between, the rest goes later.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::error::StoreError;
use super::thread::Writer;
use super::{Store, folder, read};
use crate::domain::{RunId, TrashedRun, Utc};

/// Rows that go at a time.
const PAGE: u32 = 2000;
const FOLDER: &str = "trash";

const TRASHED: &str = "
    SELECT id, plan, started, records, trashed, who
    FROM trash JOIN runs ON runs.id = trash.run";

/// Puts a run that is over into the trash. One that is not there, or is there already, stays as it is.
pub(super) fn put(transaction: &Transaction<'_>, run: &RunId, at: Utc, who: &str) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT INTO trash (run, trashed, who) SELECT id, ?, ? FROM runs WHERE id = ? AND ended IS NOT NULL
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![at.as_micros(), who, run.0])?;
    Ok(())
}

/// Takes it out again, unless it is going for good already.
pub(super) fn take_back(transaction: &Transaction<'_>, run: &RunId) -> Result<(), StoreError> {
    transaction.prepare_cached("DELETE FROM trash WHERE run = ? AND purging = 0")?.execute([&run.0])?;
    Ok(())
}

fn list(connection: &Connection) -> Result<Vec<TrashedRun>, StoreError> {
    let mut query =
        connection.prepare_cached(&format!("{TRASHED} WHERE purging = 0 ORDER BY trashed DESC, runs.number DESC"))?;
    let trashed = query.query_map([], trashed_run)?.collect::<Result<_, _>>()?;
    Ok(trashed)
}

fn trashed_run(row: &Row<'_>) -> rusqlite::Result<TrashedRun> {
    let plan: serde_json::Value = serde_json::from_str(&row.get::<_, String>("plan")?).unwrap_or_default();
    let records: i64 = row.get("records")?;
    Ok(TrashedRun {
        id: RunId(row.get("id")?),
        label: plan["label"].as_str().unwrap_or_default().to_owned(),
        started: Utc::from_micros(row.get("started")?),
        records: u64::try_from(records).unwrap_or(0),
        trashed: Utc::from_micros(row.get("trashed")?),
        who: row.get("who")?,
    })
}

/// Runs that were on their way out when a process ended.
fn half_gone(connection: &Connection) -> Result<Vec<RunId>, StoreError> {
    let mut query = connection.prepare_cached("SELECT run FROM trash WHERE purging = 1")?;
    let runs = query.query_map([], |row| row.get("run").map(RunId))?.collect::<Result<_, _>>()?;
    Ok(runs)
}

impl Store {
    /// What is in the trash, the latest first.
    pub async fn trash(&self) -> Result<Vec<TrashedRun>, StoreError> {
        self.reader.ask(|connection| list(connection)).await
    }

    /// Runs that are to go for good and are not gone yet.
    pub async fn half_gone(&self) -> Result<Vec<RunId>, StoreError> {
        self.reader.ask(|connection| half_gone(connection)).await
    }

    /// Where the folder of a run in the trash is.
    pub fn trash_folder(&self, run: &TrashedRun) -> PathBuf {
        aside(&self.folders, &run.id, run.started)
    }

    /// Makes the folders follow what the database says is in the trash.
    pub async fn settle_trash(&self) -> Result<(), StoreError> {
        let runs = self.folders.clone();
        self.writer.ask(move |writer| settle(writer.connection(), &runs)).await
    }

    /// Removes all that is kept of a run which is in the trash, for good; whether there was one.
    pub async fn purge(&self, run: &RunId) -> Result<bool, StoreError> {
        let (id, runs) = (run.clone(), self.folders.clone());
        let marked = self.writer.ask(move |writer| mark(writer, &id)).await?;
        let Some(started) = marked else { return Ok(false) };
        loop {
            let id = run.clone();
            if !self.writer.ask(move |writer| page(writer, &id)).await? {
                break;
            }
        }
        let id = run.clone();
        self.writer
            .ask(move |writer| {
                remove(&aside(&runs, &id, started))?;
                last(writer, &id)
            })
            .await?;
        Ok(true)
    }

    /// Removes the lines of the journal and the events that are older than all runs that are kept; how many.
    pub async fn forget_before_runs(&self) -> Result<u64, StoreError> {
        let mut gone = 0;
        loop {
            let page = self.writer.ask(forget).await?;
            gone += page;
            if page == 0 {
                return Ok(gone);
            }
        }
    }
}

/// When it began, if it is in the trash; from now on it does not come back. A stop that is owed for it must be kept.
fn mark(writer: &mut Writer, run: &RunId) -> Result<Option<Utc>, StoreError> {
    let connection = writer.connection();
    connection.execute(
        "UPDATE trash SET purging = 1 WHERE run = ?1 AND NOT EXISTS (SELECT 1 FROM runs WHERE id = ?1 AND owes_stop = 1)",
        [&run.0],
    )?;
    let started = "SELECT started FROM runs JOIN trash ON trash.run = runs.id WHERE id = ? AND purging = 1";
    Ok(connection.query_row(started, [&run.0], |row| row.get(0).map(Utc::from_micros)).optional()?)
}

/// Removes some rows; whether there may be more.
fn page(writer: &mut Writer, run: &RunId) -> Result<bool, StoreError> {
    let connection = writer.connection();
    let records = connection
        .prepare_cached(
            "DELETE FROM records WHERE run = ?1 AND seq IN (SELECT seq FROM records WHERE run = ?1 LIMIT ?2)",
        )?
        .execute(params![run.0, PAGE])?;
    // Results are in no index, and lie between the events of the run that are.
    let span = "SELECT min(seq), max(seq) FROM events WHERE run = ? AND name <> 'live_data'";
    let (first, last): (Option<i64>, Option<i64>) =
        connection.prepare_cached(span)?.query_row([&run.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let results = connection
        .prepare_cached(
            "DELETE FROM events WHERE seq IN
             (SELECT seq FROM events WHERE seq BETWEEN ?1 AND ?2 AND run = ?3 AND name = 'live_data' LIMIT ?4)",
        )?
        .execute(params![first, last, run.0, PAGE])?;
    Ok(records > 0 || results > 0)
}

/// What is left of it. The newest event stays, since its number is never given again.
fn last(writer: &mut Writer, run: &RunId) -> Result<(), StoreError> {
    let transaction = writer.transaction()?;
    let others = "DELETE FROM events WHERE run = ? AND name <> 'live_data' AND seq < (SELECT max(seq) FROM events)";
    transaction.execute(others, [&run.0])?;
    for table in ["visits", "notes", "trash"] {
        transaction.execute(&format!("DELETE FROM {table} WHERE run = ?"), [&run.0])?;
    }
    transaction.execute("DELETE FROM runs WHERE id = ?", [&run.0])?;
    transaction.commit()?;
    Ok(())
}

fn forget(writer: &mut Writer) -> Result<u64, StoreError> {
    // Of a run from before that was noted, the journal is not needed. The newest line stays, for its number.
    let of_process = writer.journal_begins();
    let connection = writer.connection();
    let lines = connection.execute(
        "DELETE FROM journal WHERE seq IN (SELECT seq FROM journal
         WHERE seq < min(?1, (SELECT coalesce(min(journal), ?1) FROM runs), (SELECT max(seq) FROM journal)) LIMIT ?2)",
        params![of_process, PAGE],
    )?;
    let events = connection.execute(
        "DELETE FROM events WHERE seq IN (SELECT seq FROM events
         WHERE seq < (SELECT min(first) FROM (SELECT (SELECT min(seq) FROM events
             WHERE run = runs.id AND name <> 'live_data') AS first FROM runs)) LIMIT ?)",
        [PAGE],
    )?;
    Ok((lines + events) as u64)
}

/// `<state>/trash/2026-01-15T080000Z_<id>`
fn aside(runs: &Path, id: &RunId, started: Utc) -> PathBuf {
    let usual = folder::path(runs, id, started);
    let name = usual.file_name().map(PathBuf::from).unwrap_or_default();
    runs.with_file_name(FOLDER).join(name)
}

fn settle(connection: &Connection, runs: &Path) -> Result<(), StoreError> {
    let mut query =
        connection.prepare_cached("SELECT id, started, purging FROM trash JOIN runs ON runs.id = trash.run")?;
    let row = |row: &Row<'_>| Ok((RunId(row.get(0)?), Utc::from_micros(row.get(1)?)));
    let trashed: Vec<(RunId, Utc)> = query.query_map([], row)?.collect::<Result<_, _>>()?;
    let mut in_trash = BTreeSet::new();
    for (id, started) in &trashed {
        let (usual, place) = (folder::path(runs, id, *started), aside(runs, id, *started));
        shift(&usual, &place)?;
        in_trash.insert(place);
    }
    bring_back(connection, runs, &in_trash)
}

/// What is aside and not in the trash belongs to a run that was restored, or to one that is gone.
fn bring_back(connection: &Connection, runs: &Path, in_trash: &BTreeSet<PathBuf>) -> Result<(), StoreError> {
    for entry in fs::read_dir(runs.with_file_name(FOLDER)).into_iter().flatten().flatten() {
        let place = entry.path();
        let name = entry.file_name();
        let id = name.to_str().and_then(|name| name.split_once('_')).map(|(_, id)| RunId(id.to_owned()));
        let Some(id) = id.filter(|_| !in_trash.contains(&place)) else { continue };
        match read::run(connection, &id) {
            Ok((run, _)) => shift(&place, &folder::path(runs, &id, run.started))?,
            Err(StoreError::NotFound(_)) => remove(&place)?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Moves a folder, if it is there.
fn shift(from: &Path, to: &Path) -> Result<(), StoreError> {
    if !from.exists() {
        return Ok(());
    }
    let parent = to.parent().unwrap_or(to);
    fs::create_dir_all(parent).map_err(StoreError::io("create", parent))?;
    fs::rename(from, to).map_err(StoreError::io("move", from))?;
    for parent in [from.parent(), to.parent()].into_iter().flatten() {
        fs::File::open(parent).and_then(|folder| folder.sync_all()).map_err(StoreError::io("write", parent))?;
    }
    Ok(())
}

fn remove(folder: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(StoreError::io("remove", folder)(error)),
        _ => Ok(()),
    }
}

/// The run in the trash of that id, or of the one id that begins so.
pub fn find<'a>(trash: &'a [TrashedRun], name: &str) -> Result<&'a TrashedRun, StoreError> {
    let wanted = name.trim().to_uppercase();
    let mut matches = trash.iter().filter(|run| !wanted.is_empty() && run.id.0.to_uppercase().starts_with(&wanted));
    match (matches.next(), matches.next()) {
        (Some(run), None) => Ok(run),
        (Some(run), Some(other)) => {
            let matches = vec![run.id.0.clone(), other.id.0.clone()];
            Err(StoreError::Ambiguous { prefix: name.to_owned(), matches })
        }
        (None, _) => Err(StoreError::NotInTrash(name.to_owned())),
    }
}
