//! The folder of each run: what scientists open.
//!
//! It is made from the truth and never read back: when in doubt about a file, it is written anew. What goes wrong
//! here costs no data and so fails no commit; it is logged, and tried again with the next commit. `samples.csv` is
//! synced with each result, the other files that grow where a visit or the run ends; what a power loss takes from them
//! is made again at the next start.
//!
//! | file | rows |
//! |---|---|
//! | `samples.csv` | one per record |
//! | `events.csv` | one per event but the results |
//! | `visits.csv` | one per visit |
//! | `channels.csv` | one per channel |
//! | `plan.toml` | the plan as it was carried out |
//! | `datapackage.json` | what all this is, for programs and people |
//! | `raw.aklog` | what passed between host and analyzer ([`super::wire`] writes it) |

mod channels;
mod checks;
mod columns;
mod events;
mod package;
mod plan;
mod samples;
mod table;
mod visits;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use self::table::{Growing, GrowingTable};
use super::batch::run_of;
use super::error::StoreError;
use super::{read, sheet};
use crate::domain::{Cas, Fact, Published, RunId, Sheet, Utc};
pub use checks::{FolderVerdict, ListedFile};
pub(super) use checks::{compare, manifest};

const TABLES: [&GrowingTable; 3] = [&samples::SAMPLES, &events::EVENTS, &visits::VISITS];

/// `<root>/2026/2026-01-15T080000Z_<id>`
pub(super) fn path(root: &Path, id: &RunId, started: Utc) -> PathBuf {
    let started = started.to_seconds_string();
    let year = started.split('-').next().unwrap_or_default();
    root.join(year).join(format!("{}_{id}", started.replace(':', "")))
}

/// All run folders, and the files of the run under way.
pub(super) struct RunFolders {
    root: PathBuf,
    live: Option<LiveFolder>,
    /// Runs whose files are behind the truth.
    behind: BTreeSet<RunId>,
    /// Runs of versions before this one, whose folders lack something; one is made up for with each commit.
    older: Vec<RunId>,
}

struct LiveFolder {
    run: RunId,
    sheet: Sheet,
    folder: PathBuf,
    files: Vec<Growing>,
}

impl RunFolders {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root, live: None, behind: BTreeSet::new(), older: Vec::new() }
    }

    /// Has the folders of these runs made anew in time, beginning with the last one.
    pub(super) fn renew(&mut self, runs: Vec<RunId>) {
        self.older = runs;
    }

    /// Where the files are of the run under way.
    pub(super) fn live(&self) -> Option<&Path> {
        self.live.as_ref().filter(|live| live.sheet.run.ended.is_none()).map(|live| live.folder.as_path())
    }

    /// Follows what was just committed.
    pub(super) fn follow(&mut self, connection: &Connection, facts: &[Fact], told: &[Published]) {
        let mut touched: BTreeSet<RunId> = facts.iter().filter_map(run_of).cloned().collect();
        if !told.is_empty() {
            touched.extend(self.live.iter().map(|live| live.run.clone()));
        }
        self.behind.extend(self.older.pop());
        if touched.is_empty() && self.behind.is_empty() {
            return;
        }
        let behind = std::mem::take(&mut self.behind);
        for run in &touched {
            let result = self.update(connection, run, facts);
            self.note(run, !behind.contains(run), result);
        }
        for run in behind.iter().filter(|run| !touched.contains(*run)) {
            let result = self.restore(connection, run).map(drop);
            self.note(run, false, result);
        }
        self.live.take_if(|live| live.sheet.run.ended.is_some());
    }

    /// Makes the files of a run what the truth says, whatever became of them.
    pub(super) fn bring_up_to_date(&mut self, connection: &Connection, run: &RunId) {
        let result = self.restore(connection, run).map(|live| self.live = Some(live));
        self.note(run, true, result);
        self.live.take_if(|live| live.sheet.run.ended.is_some());
    }

    fn note(&mut self, run: &RunId, log: bool, result: Result<(), StoreError>) {
        if let Err(error) = result {
            self.live.take_if(|live| live.run == *run);
            if matches!(error, StoreError::NotFound(_)) {
                // It was removed: there is nothing to be behind of.
                return;
            }
            self.behind.insert(run.clone());
            if log {
                tracing::error!(%run, "the files of the run are behind the database, where nothing is lost: {error}");
            }
        }
    }

    fn update(&mut self, connection: &Connection, run: &RunId, facts: &[Fact]) -> Result<(), StoreError> {
        if let Some(live) = self.live.as_mut().filter(|live| live.run == *run && !live.is_outdated_by(facts)) {
            return live.append(connection, facts);
        }
        if self.live.as_ref().is_some_and(|live| live.run == *run && live.is_told_late(facts)) {
            read::set_rebuild(connection, run, true)?;
        }
        let restored = self.restore(connection, run)?;
        self.live.take_if(|live| live.run == *run);
        if restored.sheet.run.ended.is_none() {
            self.live = Some(restored);
        }
        Ok(())
    }

    fn restore(&self, connection: &Connection, run: &RunId) -> Result<LiveFolder, StoreError> {
        let sheet = sheet::of(connection, run)?;
        let folder = path(&self.root, run, sheet.run.started);
        let is_new = !folder.is_dir();
        fs::create_dir_all(&folder).map_err(StoreError::io("create", &folder))?;
        let anew = read::rebuild(connection, run)?;
        if !anew && !is_new && package::is_closed(&sheet, &folder) {
            return Ok(LiveFolder { run: run.clone(), sheet, folder, files: Vec::new() });
        }
        let open = |table: &&'static GrowingTable| Growing::open(connection, &sheet, &folder, table, anew);
        let files = TABLES.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let live = LiveFolder { run: run.clone(), sheet, folder, files };
        live.write_whole_files()?;
        live.sync()?;
        if anew {
            remove_if_there(&live.folder.join(visits::EARLIER_NAME))?;
            read::set_rebuild(connection, run, false)?;
        }
        if is_new {
            live.folder.ancestors().take(4).try_for_each(sync_directory)?;
        }
        Ok(live)
    }
}

impl LiveFolder {
    /// Whether more has to be done to its files than to append rows.
    fn is_outdated_by(&self, facts: &[Fact]) -> bool {
        if self.files.is_empty() {
            return true;
        }
        let known = |cas: &Cas| self.sheet.gases.iter().any(|gas| gas.cas == *cas);
        facts.iter().filter(|fact| run_of(fact) == Some(&self.run)).any(|fact| match fact {
            Fact::VisitInterrupted { .. } | Fact::RunGases { .. } | Fact::RunEquipped { .. } => true,
            Fact::Recorded(record) => !record.sample.readings.iter().all(|reading| known(&reading.cas)),
            _ => false,
        }) || self.is_told_late(facts)
    }

    /// Whether there is a result of a visit that has its row already.
    fn is_told_late(&self, facts: &[Fact]) -> bool {
        let observed = self.files.iter().find(|file| file.is(&visits::VISITS)).map_or(0, Growing::key);
        facts.iter().any(|fact| {
            let Fact::Recorded(record) = fact else { return false };
            record.run == self.run && record.visit.is_some_and(|visit| i64::from(visit.0) <= observed)
        })
    }

    fn append(&mut self, connection: &Connection, facts: &[Fact]) -> Result<(), StoreError> {
        let ends = facts.iter().any(|fact| matches!(fact, Fact::RunEnded { run, .. } if *run == self.run));
        if ends {
            self.sheet = sheet::of(connection, &self.run)?;
        }
        for file in &mut self.files {
            file.catch_up(connection, &self.sheet)?;
        }
        let left = facts.iter().any(|fact| matches!(fact, Fact::VisitEnded { run, .. } if *run == self.run));
        let recorded = facts.iter().any(|fact| matches!(fact, Fact::Recorded(record) if record.run == self.run));
        if ends || left {
            self.sync()?;
        } else if recorded {
            self.files.iter().filter(|file| file.is(&samples::SAMPLES)).try_for_each(Growing::sync)?;
        }
        if ends {
            self.write_whole_files()?;
        }
        Ok(())
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.files.iter().try_for_each(Growing::sync)
    }

    fn write_whole_files(&self) -> Result<(), StoreError> {
        let Self { sheet, folder, .. } = self;
        replace(folder, channels::NAME, &channels::text(sheet))?;
        replace(folder, plan::NAME, &plan::text(sheet))?;
        replace(folder, package::NAME, &package::text(sheet, folder)?)
    }
}

fn remove_if_there(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Writes a file beside its place and puts it there whole, if it is not as it is to be.
fn replace(folder: &Path, name: &str, text: &str) -> Result<(), StoreError> {
    let path = folder.join(name);
    if fs::read(&path).is_ok_and(|found| found == text.as_bytes()) {
        return Ok(());
    }
    let draft = folder.join(format!("{name}.new"));
    let mut file = File::create(&draft).map_err(StoreError::io("create", &draft))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(StoreError::io("write", &draft))?;
    fs::rename(&draft, &path).map_err(StoreError::io("replace", &path))
}

fn sync_directory(path: &Path) -> Result<(), StoreError> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(StoreError::io("write", path))
}
