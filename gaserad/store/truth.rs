//! Whether the database is sound, whether the folders say what it says, and a copy of it while it is in use.
//!
//! Each works on a connection of its own, on a thread that nobody waits for: neither commits nor readers are delayed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

use super::error::StoreError;
use super::folder::{self, FolderVerdict};
use super::work::StoreWork;
use super::{Store, drift, read, schema};
use crate::domain::{DriftPoint, RunId, Utc};

/// What an inspection of the database found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspection {
    pub runs: u64,
    pub records: u64,
    pub events: u64,
    pub schema: i64,
    /// One sentence for each thing that is wrong.
    pub faults: Vec<String>,
}

/// A copy of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    pub bytes: u64,
    pub runs: u64,
    pub records: u64,
    /// Files of run folders that its list has.
    pub files: u64,
}

/// What must not be, and the sentence about each row that it has.
const RULES: [(&str, &str); 5] = [
    (
        "SELECT run, count(*) || ' records, and the highest number is ' || max(seq) FROM records
            GROUP BY run HAVING count(*) <> max(seq) OR min(seq) <> 1",
        "records are missing",
    ),
    (
        "SELECT id, runs.records || ' records are counted (' || good_records || ' good), there are ' || count(seq)
                || ' (' || coalesce(sum(good), 0) || ')'
            FROM runs LEFT JOIN records ON run = id GROUP BY id
            HAVING runs.records <> count(seq) OR good_records <> coalesce(sum(good), 0)",
        "the count of the run is wrong",
    ),
    (
        "SELECT visits.run, 'visit ' || visits.visit || ' counts ' || visits.records || ' records'
            FROM visits LEFT JOIN (SELECT run, visit, count(*) AS found, sum(good) AS usable FROM records GROUP BY run, visit)
                AS really ON really.run = visits.run AND really.visit = visits.visit
            WHERE visits.records <> coalesce(found, 0) OR visits.good_records <> coalesce(usable, 0)",
        "the count of a visit is wrong",
    ),
    (
        "SELECT 'events', count(*) || ' events, numbered ' || min(seq) || ' to ' || max(seq) FROM events
            HAVING count(*) <> max(seq) - min(seq) + 1
                AND NOT EXISTS (SELECT 1 FROM audit WHERE what LIKE 'runs purge %')",
        "event numbers have a gap",
    ),
    (
        "SELECT id, coalesce(outcome, 'ended') || ' without ' || iif(ended IS NULL, 'an end', 'an outcome') FROM runs
            WHERE (ended IS NULL) <> (outcome IS NULL)",
        "the run contradicts itself",
    ),
];

/// Sentences of each kind at most.
const TOLD: u32 = 20;

impl Store {
    /// Looks through the whole database.
    pub async fn inspect(&self) -> Result<Inspection, StoreError> {
        self.apart(inspect).await
    }

    /// Compares the files of a run with the database.
    pub async fn compare_folder(&self, id: &RunId) -> Result<FolderVerdict, StoreError> {
        let (root, run) = (self.folders.clone(), id.clone());
        self.apart(move |connection| folder::compare(connection, &root, &run)).await
    }

    /// Copies the database as it is at this moment to `target`, which must not exist, with a list of all files in
    /// run folders. The copy opens like any other database.
    pub async fn backup(&self, target: &Path) -> Result<Backup, StoreError> {
        let (root, target, database) = (self.folders.clone(), target.to_owned(), self.database.clone());
        self.apart(move |_| backup(&database, &root, &target)).await
    }

    /// What was measured of known gases in one run, or in all that began since then, oldest first.
    pub async fn drift(&self, run: Option<RunId>, since: Option<Utc>) -> Result<Vec<DriftPoint>, StoreError> {
        self.apart(move |connection| drift::points(connection, run.as_ref(), since)).await
    }

    async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let database = self.database.clone();
        if let StoreWork::Caller(_) = &self.work {
            return work(&schema::open_reader(&database)?);
        }
        let working = tokio::task::spawn_blocking(move || work(&schema::open_reader(&database)?));
        working.await.unwrap_or(Err(StoreError::Closed))
    }
}

fn inspect(connection: &Connection) -> Result<Inspection, StoreError> {
    // One look at everything, whatever is committed meanwhile.
    let transaction = connection.unchecked_transaction()?;
    let count = |table: &str| count(&transaction, table);
    let mut found = Inspection {
        runs: count("runs")?,
        records: count("records")?,
        events: count("events")?,
        schema: transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?,
        faults: Vec::new(),
    };
    let mut integrity = transaction.prepare("PRAGMA integrity_check(20)")?;
    let sentences = integrity.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    found.faults.extend(sentences.into_iter().filter(|sentence| sentence != "ok"));
    let mut keys = transaction.prepare("PRAGMA foreign_key_check")?;
    let broken = keys.query_map([], |row| Ok((row.get(0)?, row.get(2)?)))?;
    for row in broken.take(usize::try_from(TOLD).unwrap_or(20)) {
        let (table, parent): (String, String) = row?;
        found.faults.push(format!("a row of {table} belongs to no row of {parent}"));
    }
    for (query, what) in RULES {
        let mut rule = transaction.prepare(&format!("{query} LIMIT {TOLD}"))?;
        let rows = rule.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for row in rows {
            let (place, figures): (String, String) = row?;
            found.faults.push(format!("{place}: {what}: {figures}"));
        }
    }
    Ok(found)
}

fn count(connection: &Connection, table: &str) -> Result<u64, StoreError> {
    let query = format!("SELECT count(*) AS rows FROM {table}");
    Ok(connection.query_row(&query, [], |row| read::unsigned(row, "rows"))?)
}

fn backup(database: &Path, root: &Path, target: &Path) -> Result<Backup, StoreError> {
    let made = copy(database, root, target);
    if made.is_err() {
        // Half a copy is none; one that was there before is not touched.
        let _ = fs::remove_file(draft(target));
    }
    made
}

fn draft(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

fn copy(database: &Path, root: &Path, target: &Path) -> Result<Backup, StoreError> {
    let draft = draft(target);
    let _ = fs::remove_file(&draft);
    let source = Connection::open(database)?;
    source.execute("VACUUM INTO ?", [draft.to_string_lossy()])?;
    drop(source);
    let copy = Connection::open(&draft)?;
    let listed = folder::manifest(root)?;
    copy.execute_batch(
        "DROP TABLE IF EXISTS backup_files;
        CREATE TABLE backup_files (path TEXT PRIMARY KEY, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL) STRICT;
        BEGIN;",
    )?;
    for file in &listed {
        let bytes = i64::try_from(file.bytes).unwrap_or(i64::MAX);
        copy.prepare_cached("INSERT INTO backup_files VALUES (?, ?, ?)")?.execute(params![
            file.path.to_string_lossy(),
            bytes,
            file.sha256
        ])?;
    }
    copy.execute_batch("COMMIT")?;
    let count = |table: &str| count(&copy, table);
    let (runs, records) = (count("runs")?, count("records")?);
    copy.close().map_err(|(_, error)| error)?;
    File::open(&draft).and_then(|file| file.sync_all()).map_err(StoreError::io("write", &draft))?;
    fs::rename(&draft, target).map_err(StoreError::io("replace", target))?;
    let bytes = fs::metadata(target).map_err(StoreError::io("look at", target))?.len();
    Ok(Backup { bytes, runs, records, files: u64::try_from(listed.len()).unwrap_or(u64::MAX) })
}
