//! The folder of each run with its live `samples.csv`.
//!
//! It is made from the truth and never read back: when in doubt about the file, it is written anew. What goes wrong
//! here costs no data and so fails no commit; it is logged, and tried again with the next commit.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::batch::run_of;
use super::error::StoreError;
use super::read::{self, Sheet};
use super::{PAGE, csv};
use crate::domain::{Fact, Record, RunId, Utc};

const FILE: &str = "samples.csv";

/// `<root>/2026/2026-01-15T080000Z_<id>`
pub(super) fn path(root: &Path, id: &RunId, started: Utc) -> PathBuf {
    let started = started.to_seconds_string();
    let year = started.split('-').next().unwrap_or_default();
    root.join(year).join(format!("{}_{id}", started.replace(':', "")))
}

/// All run folders, and the file of the run under way.
#[derive(Debug)]
pub(super) struct Folders {
    root: PathBuf,
    live: Option<Live>,
    /// Runs whose file is behind the truth.
    behind: BTreeSet<RunId>,
}

#[derive(Debug)]
struct Live {
    run: RunId,
    sheet: Sheet,
    file: File,
    path: PathBuf,
}

impl Folders {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root, live: None, behind: BTreeSet::new() }
    }

    /// Follows what was just committed.
    pub(super) fn follow(&mut self, connection: &Connection, facts: &[Fact]) {
        let touched: BTreeSet<&RunId> = facts.iter().filter_map(run_of).collect();
        if touched.is_empty() && self.behind.is_empty() {
            return;
        }
        let behind = std::mem::take(&mut self.behind);
        for run in &touched {
            let result = self.update(connection, run, facts);
            self.note(run, !behind.contains(run), result);
        }
        for run in behind.iter().filter(|run| !touched.contains(run)) {
            let result = self.restore(connection, run).map(drop);
            self.note(run, false, result);
        }
        self.live
            .take_if(|live| facts.iter().any(|fact| matches!(fact, Fact::RunEnded { run, .. } if *run == live.run)));
    }

    /// Makes the file of a run what the truth says, whatever became of it.
    pub(super) fn bring_up_to_date(&mut self, connection: &Connection, run: &RunId) {
        let result = self.restore(connection, run).map(|live| self.live = Some(live));
        self.note(run, true, result);
    }

    fn note(&mut self, run: &RunId, log: bool, result: Result<(), StoreError>) {
        if let Err(error) = result {
            self.live.take_if(|live| live.run == *run);
            self.behind.insert(run.clone());
            if log {
                tracing::error!(%run, "samples.csv is behind the database, where nothing is lost: {error}");
            }
        }
    }

    fn update(&mut self, connection: &Connection, run: &RunId, facts: &[Fact]) -> Result<(), StoreError> {
        let gases = read::gases(connection, run)?;
        match &mut self.live {
            Some(live) if live.run == *run && live.sheet.gases == gases && !changes_rows(facts) => live.append(facts),
            _ => {
                self.live = Some(self.restore(connection, run)?);
                Ok(())
            }
        }
    }

    fn restore(&self, connection: &Connection, run: &RunId) -> Result<Live, StoreError> {
        let sheet = read::sheet(connection, run)?;
        let folder = path(&self.root, run, sheet.started);
        let path = folder.join(FILE);
        if !is_current(connection, run, &sheet, &path)? {
            fs::create_dir_all(&folder).map_err(StoreError::io("create", &folder))?;
            rewrite(connection, run, &sheet, &path)?;
            folder.ancestors().take(4).try_for_each(sync_directory)?;
        }
        let file = OpenOptions::new().append(true).open(&path).map_err(StoreError::io("open", &path))?;
        Ok(Live { run: run.clone(), sheet, file, path })
    }
}

impl Live {
    fn append(&mut self, facts: &[Fact]) -> Result<(), StoreError> {
        let rows: String = facts
            .iter()
            .filter_map(|fact| match fact {
                Fact::Recorded(record) if record.run == self.run => Some(row(record, &self.sheet)),
                _ => None,
            })
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        self.file
            .write_all(rows.as_bytes())
            .and_then(|()| self.file.sync_data())
            .map_err(StoreError::io("append to", &self.path))
    }
}

/// Whether rows that are written already look otherwise now.
fn changes_rows(facts: &[Fact]) -> bool {
    facts.iter().any(|fact| matches!(fact, Fact::VisitInterrupted { .. }))
}

fn row(record: &Record, sheet: &Sheet) -> String {
    csv::row(record, &sheet.gases, &sheet.labels, &sheet.plan)
}

/// Hands every part of the file to `part` until that says `false`; whether it never did.
fn render(
    connection: &Connection,
    run: &RunId,
    sheet: &Sheet,
    mut part: impl FnMut(&[u8]) -> Result<bool, StoreError>,
) -> Result<bool, StoreError> {
    if !part(csv::header(&sheet.gases).as_bytes())? {
        return Ok(false);
    }
    let mut after = 0;
    loop {
        let page = read::records(connection, run, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(true) };
        after = last.seq;
        let rows: String = page.iter().map(|record| row(record, sheet)).collect();
        if !part(rows.as_bytes())? {
            return Ok(false);
        }
    }
}

fn is_current(connection: &Connection, run: &RunId, sheet: &Sheet, path: &Path) -> Result<bool, StoreError> {
    let mut file = match File::open(path) {
        Ok(file) => BufReader::new(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(StoreError::io("open", path)(error)),
    };
    let same = render(connection, run, sheet, |expected| {
        let mut found = vec![0; expected.len()];
        Ok(file.read_exact(&mut found).is_ok() && found == expected)
    })?;
    let beyond = file.read(&mut [0]).map_err(StoreError::io("read", path))?;
    Ok(same && beyond == 0)
}

/// Writes the file beside its place and puts it there whole.
fn rewrite(connection: &Connection, run: &RunId, sheet: &Sheet, path: &Path) -> Result<(), StoreError> {
    let draft = path.with_extension("csv.new");
    let mut writer = BufWriter::new(File::create(&draft).map_err(StoreError::io("create", &draft))?);
    render(connection, run, sheet, |part| {
        writer.write_all(part).map_err(StoreError::io("write", &draft))?;
        Ok(true)
    })?;
    let file = writer.into_inner().map_err(|error| StoreError::io("write", &draft)(error.into_error()))?;
    file.sync_all().map_err(StoreError::io("write", &draft))?;
    fs::rename(&draft, path).map_err(StoreError::io("replace", path))
}

fn sync_directory(path: &Path) -> Result<(), StoreError> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(StoreError::io("write", path))
}
