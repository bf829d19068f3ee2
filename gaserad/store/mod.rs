//! The truth: journal, runs, visits, records, events and audit in SQLite, and beside it a folder per run.
//!
//! What [`Store::commit`] has returned is on the disk, all of a batch or nothing, and its events have sequence numbers
//! without gaps that are never given again. The store decides nothing: it does not know what a journal line means,
//! nor whether a record is good.
//!
//! ```text
//! state directory/
//!   state.sqlite                                        the truth
//!   runs/2026/2026-01-15T080000Z_<id>/                  made from it: samples.csv and what belongs to it
//!   lock                                                held by the one gaserad that uses it
//! ```

mod batch;
mod changes;
pub mod csv;
mod drift;
mod error;
mod export;
mod folder;
mod journal;
mod lock;
mod read;
pub mod retention;
mod scan;
mod schema;
mod sheet;
mod space;
mod thread;
pub mod trash;
mod truth;
mod usage;
mod wire;
mod work;
mod write;

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::mpsc;

pub use batch::{Audit, Batch, ChannelLabels, Circumstances, Opened};
pub use changes::Changes;
pub use error::StoreError;
pub use export::Piece;
pub use folder::{FolderVerdict, ListedFile};
pub use journal::Journal;
pub use truth::{Backup, Inspection};
pub use usage::Usage;
pub use wire::{WireLog, read_raw_log};
pub use work::{Disk, StoreWork};

use crate::domain::{
    Cas, Clock, Note, Published, Record, RunId, RunSummary, Sheet, VisitMeans, VisitSummary, VisitTally,
};
use thread::{StoreThread, Writer};
use wire::WireFile;

/// Records that are in memory at a time, however long a run is.
const PAGE: u32 = 500;

/// The handle; clones are the same store.
#[derive(Clone)]
pub struct Store {
    writer: StoreThread<Writer>,
    reader: StoreThread<Connection>,
    wire: Option<StoreThread<WireFile>>,
    database: PathBuf,
    folders: PathBuf,
    changes: Arc<Changes>,
    work: StoreWork,
}

impl Store {
    /// Opens or creates the state directory, and makes the newest run's files what the truth says.
    pub fn open(directory: &Path, about: impl Into<Circumstances>) -> Result<(Self, Opened), StoreError> {
        Self::open_by(StoreWork::Threads, directory, about)
    }

    pub fn open_by(
        work: StoreWork,
        directory: &Path,
        about: impl Into<Circumstances>,
    ) -> Result<(Self, Opened), StoreError> {
        let create = DirBuilder::new().recursive(true).mode(0o750).create(directory);
        create.map_err(StoreError::io("create", directory))?;
        let database = directory.join("state.sqlite");
        let changes = Arc::new(Changes::default());
        let writer = Writer::open(directory, &database, about.into(), changes.clone());
        let (writer, opened) = writer.map_err(space::explain(directory))?;
        let reader = schema::open_reader(&database).map_err(space::explain(directory))?;
        let spawning = || StoreError::io("start a thread for", directory);
        let store = Self {
            writer: StoreThread::new(&work, "store-write", writer).map_err(spawning())?,
            reader: StoreThread::new(&work, "store-read", reader).map_err(spawning())?,
            wire: None,
            folders: thread::folder_root(directory),
            changes,
            database,
            work,
        };
        Ok((store, opened))
    }

    /// Begins a log of what passes between host and analyzer, while a run is under way, in the folder of that. Nothing is
    /// logged with less free space than `min_free_bytes`.
    pub async fn log_wire(&mut self, clock: Arc<dyn Clock>, min_free_bytes: u64) -> Result<WireLog, StoreError> {
        let mut file = WireFile::new(self.changes.clone());
        file.spare(min_free_bytes);
        let failed = StoreError::io("start a thread for", &self.folders);
        let owner = StoreThread::new(&self.work, "store-wire", file).map_err(failed)?;
        self.wire = Some(owner.clone());
        let log = WireLog::new(owner.clone(), clock);
        let begin = move |writer: &mut Writer| {
            writer.log_with(owner);
            Ok(())
        };
        self.writer.ask(begin).await?;
        Ok(log)
    }

    /// From here on nothing is logged with less free space than this.
    pub fn spare(&self, min_free_bytes: u64) {
        if let Some(wire) = &self.wire {
            // If it is too busy to listen, the space that it minds is that of before.
            let _ = wire.offer(move |file| file.spare(min_free_bytes));
        }
    }

    /// Keeps all of `batch` or nothing. Batches are kept in the order in which their futures were first polled, and
    /// are kept even if the future is dropped after that.
    pub async fn commit(&self, batch: Batch) -> Result<Vec<Published>, StoreError> {
        let StoreWork::Caller(disk) = &self.work else {
            return self.writer.ask(move |writer| writer.commit(&batch)).await;
        };
        let (until_kept, until_known) = disk.delays();
        tokio::time::sleep(until_kept).await;
        let most_pages = disk.most_pages();
        let kept = self.writer.ask(move |writer| writer.limit(most_pages)?.commit(&batch)).await;
        tokio::time::sleep(until_known).await;
        kept
    }

    /// From here on runs begin with this; one that is under way keeps what it began with.
    pub async fn describe(&self, about: Circumstances) -> Result<(), StoreError> {
        let described = move |writer: &mut Writer| {
            writer.describe(about);
            Ok(())
        };
        self.writer.ask(described).await
    }

    /// How often something was changed through this handle and its clones. The files have followed all of it.
    pub async fn commits(&self) -> Result<u64, StoreError> {
        self.writer.ask(|writer| Ok(writer.commits())).await
    }

    /// Newest first.
    pub async fn runs(&self, limit: u32) -> Result<Vec<RunSummary>, StoreError> {
        self.reader.ask(move |connection| read::runs(connection, limit)).await
    }

    /// The run called `name`: its id, the beginning of one id in either case, or `last`.
    pub async fn find_run(&self, name: &str) -> Result<RunId, StoreError> {
        let name = name.to_owned();
        self.reader.ask(move |connection| read::find_run(connection, &name)).await
    }

    pub async fn run(&self, id: &RunId) -> Result<(RunSummary, Vec<VisitSummary>), StoreError> {
        let id = id.clone();
        self.reader.ask(move |connection| read::run(connection, &id)).await
    }

    /// What was remarked on a run, oldest first.
    pub async fn notes(&self, id: &RunId) -> Result<Vec<Note>, StoreError> {
        let id = id.clone();
        self.reader.ask(move |connection| read::notes(connection, &id)).await
    }

    /// Up to `limit` records of a run after number `after_seq`, in order.
    pub async fn records(&self, id: &RunId, after_seq: u32, limit: u32) -> Result<Vec<Record>, StoreError> {
        let id = id.clone();
        self.reader.ask(move |connection| read::records(connection, &id, after_seq, limit)).await
    }

    /// The gases of a run in the order of its columns.
    pub async fn gases(&self, id: &RunId) -> Result<Vec<Cas>, StoreError> {
        let id = id.clone();
        self.reader.ask(move |connection| read::gases(connection, &id)).await
    }

    /// What is known of a run besides its records.
    pub async fn sheet(&self, id: &RunId) -> Result<Sheet, StoreError> {
        let run = id.clone();
        self.reader.ask(move |connection| sheet::of(connection, &run)).await
    }

    /// Where the journal begins that holds all of the run: with the process that started it, or, if that one went on with
    /// a run of another, with that; `None` for a run from before that was noted.
    pub async fn journal_of(&self, id: &RunId) -> Result<Option<u64>, StoreError> {
        let id = id.clone();
        self.reader.ask(move |connection| read::journal_of(connection, &id)).await
    }

    /// This process goes on with what the journal holds from line number `first` on: where the journal begins of every
    /// run that it will start.
    pub async fn goes_on_from(&self, first: u64) -> Result<(), StoreError> {
        let noted = move |writer: &mut Writer| {
            writer.goes_on_from(first);
            Ok(())
        };
        self.writer.ask(noted).await
    }

    /// The journal from line number `from` on, one line after the other.
    pub fn journal(&self, from: u64) -> Journal {
        Journal::new(self.reader.clone(), from)
    }

    /// Who asked for what, and what came of it, oldest first.
    pub async fn audit(&self) -> Result<Vec<Audit>, StoreError> {
        self.reader.ask(|connection| read::audit(connection)).await
    }

    /// Up to `limit` events after number `seq`, in order.
    pub async fn events_after(&self, seq: u64, limit: u32) -> Result<Vec<Published>, StoreError> {
        self.reader.ask(move |connection| read::events_after(connection, seq, limit)).await
    }

    /// Up to `limit` of what happened in the run after number `seq`, in order; its results are not among it.
    pub async fn events_of(&self, id: &RunId, seq: u64, limit: u32) -> Result<Vec<Published>, StoreError> {
        let id = id.clone();
        self.reader.ask(move |connection| read::events_of(connection, &id, seq, limit)).await
    }

    /// The number of the newest event, 0 if there is none.
    pub async fn last_seq(&self) -> Result<u64, StoreError> {
        self.reader.ask(|connection| read::last_seq(connection)).await
    }

    /// How much the disk has left for this user.
    pub fn free_bytes(&self) -> Option<u64> {
        if let StoreWork::Caller(disk) = &self.work {
            return Some(disk.free_bytes());
        }
        let directory = self.folders.parent()?;
        let found = rustix::fs::statvfs(directory).ok()?;
        Some(found.f_bavail.saturating_mul(found.f_frsize))
    }

    /// How much the disk has left for this user, and its size.
    pub fn disk(&self) -> Option<(u64, u64)> {
        let found = rustix::fs::statvfs(self.folders.parent()?).ok()?;
        Some((found.f_bavail.saturating_mul(found.f_frsize), found.f_blocks.saturating_mul(found.f_frsize)))
    }

    /// Which runs' files change.
    pub fn changes(&self) -> Arc<Changes> {
        self.changes.clone()
    }

    /// The folder of all runs' folders.
    pub fn folders(&self) -> &Path {
        &self.folders
    }

    /// The state directory.
    pub fn directory(&self) -> &Path {
        self.folders.parent().unwrap_or(&self.folders)
    }

    pub fn run_folder(&self, run: &RunSummary) -> PathBuf {
        folder::path(&self.folders, &run.id, run.started)
    }

    /// What was measured on each visit of a run. Its records are read page by page.
    pub async fn visit_means(&self, id: &RunId) -> Result<Vec<VisitMeans>, StoreError> {
        let run = id.clone();
        let sheet = self.reader.ask(move |connection| sheet::of(connection, &run)).await?;
        let (mut tally, mut after) = (VisitTally::default(), 0);
        while after < sheet.last_record {
            let page = self.records(id, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            for record in &page {
                tally.add(record);
            }
        }
        let (_, visits) = self.run(id).await?;
        let means = |visit: VisitSummary| {
            let label = sheet.channel(visit.channel).label;
            VisitMeans { label, gases: tally.take(visit.id), visit }
        };
        Ok(visits.into_iter().map(means).collect())
    }

    /// Sends the run's `samples.csv` in pieces, as the truth has it at the beginning, until it is through or nobody
    /// receives any more. An error comes last.
    pub async fn export(&self, id: &RunId, pieces: mpsc::Sender<Result<Vec<u8>, StoreError>>) {
        if let Err(error) = self.export_pieces(id, &pieces).await {
            // Nobody receives any more.
            let _ = pieces.send(Err(error)).await;
        }
    }

    async fn export_pieces(
        &self,
        id: &RunId,
        pieces: &mpsc::Sender<Result<Vec<u8>, StoreError>>,
    ) -> Result<(), StoreError> {
        let run = id.clone();
        let sheet = self.reader.ask(move |connection| sheet::of(connection, &run)).await?;
        let mut piece = csv::header_of(&sheet.gases);
        let mut after = 0;
        while pieces.send(Ok(piece.into_bytes())).await.is_ok() && after < sheet.last_record {
            let page = self.records(id, after, PAGE.min(sheet.last_record - after)).await?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            piece = page.iter().map(|record| csv::row(record, &sheet)).collect();
        }
        Ok(())
    }

    /// Finishes what was asked before and gives the state directory free. Later requests are answered with
    /// [`StoreError::Closed`].
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
        if let Some(wire) = &self.wire {
            wire.close().await;
        }
    }
}
