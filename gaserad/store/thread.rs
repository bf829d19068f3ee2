//! Who owns the database connections, and does what is asked of them: a thread that writes, and one that reads, so that
//! no export and no replay delays a commit.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::batch::{Batch, Circumstances, Opened, run_of};
use super::changes::Changes;
use super::error::StoreError;
use super::folder::RunFolders;
use super::lock::DirectoryLock;
use super::wire::WireFile;
use super::work::StoreWork;
use super::{read, schema, space, write};
use crate::domain::{Published, RunId};

/// Whoever asks more than this many things at a time waits before asking.
const INBOX: usize = 256;

pub(super) enum StoreRequest<O> {
    Do(Box<dyn FnOnce(&mut O) + Send>),
    Close(oneshot::Sender<()>),
}

/// Has an `O` and does with it what it is asked, in the order of asking.
pub(super) enum StoreThread<O> {
    Thread(mpsc::Sender<StoreRequest<O>>),
    /// Nothing when it is closed.
    Caller(Arc<Mutex<Option<O>>>),
}

impl<O> Clone for StoreThread<O> {
    fn clone(&self) -> Self {
        match self {
            Self::Thread(requests) => Self::Thread(requests.clone()),
            Self::Caller(owned) => Self::Caller(owned.clone()),
        }
    }
}

impl<O: Send + 'static> StoreThread<O> {
    pub(super) fn new(work: &StoreWork, name: &str, owned: O) -> std::io::Result<Self> {
        match work {
            StoreWork::Threads => Self::spawn(name, owned),
            StoreWork::Caller(_) => Ok(Self::Caller(Arc::new(Mutex::new(Some(owned))))),
        }
    }

    fn spawn(name: &str, mut owned: O) -> std::io::Result<Self> {
        let (sender, mut inbox) = mpsc::channel(INBOX);
        std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            while let Some(request) = inbox.blocking_recv() {
                match request {
                    StoreRequest::Do(work) => work(&mut owned),
                    StoreRequest::Close(done) => {
                        drop(owned);
                        // Whether anybody still waits for it makes no difference.
                        let _ = done.send(());
                        return;
                    }
                }
            }
        })?;
        Ok(Self::Thread(sender))
    }

    pub(super) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut O) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let requests = match self {
            Self::Thread(requests) => requests,
            Self::Caller(owned) => {
                let mut owned = owned.lock().unwrap_or_else(PoisonError::into_inner);
                return owned.as_mut().map_or(Err(StoreError::Closed), work);
            }
        };
        let (answer, answered) = oneshot::channel();
        let work = StoreRequest::Do(Box::new(move |owned: &mut O| {
            // The work is done even if nobody waits for its answer any more.
            let _ = answer.send(work(owned));
        }));
        requests.send(work).await.map_err(|_| StoreError::Closed)?;
        answered.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Asks for what nobody waits for; whether there was room for it.
    pub(super) fn offer(&self, work: impl FnOnce(&mut O) + Send + 'static) -> bool {
        match self {
            Self::Thread(requests) => requests.try_send(StoreRequest::Do(Box::new(work))).is_ok(),
            Self::Caller(owned) => {
                owned.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(work);
                true
            }
        }
    }

    /// Returns when all that was asked before is done and the `O` is dropped.
    pub(super) async fn close(&self) {
        let requests = match self {
            Self::Thread(requests) => requests,
            Self::Caller(owned) => {
                *owned.lock().unwrap_or_else(PoisonError::into_inner) = None;
                return;
            }
        };
        let (done, is_done) = oneshot::channel();
        if requests.send(StoreRequest::Close(done)).await.is_ok() {
            // An error means that the thread has ended, which is what was wanted.
            let _ = is_done.await;
        }
    }
}

/// Everything that is written.
pub(super) struct Writer {
    connection: Connection,
    process: write::Process,
    last_seq: u64,
    commits: u64,
    folders: RunFolders,
    directory: PathBuf,
    changes: Arc<Changes>,
    /// What keeps the log of the run under way, where there is one.
    wire: Option<StoreThread<WireFile>>,
    followed: Option<PathBuf>,
    _lock: DirectoryLock,
}

impl Writer {
    pub(super) fn open(
        directory: &Path,
        database: &Path,
        about: Circumstances,
        changes: Arc<Changes>,
    ) -> Result<(Self, Opened), StoreError> {
        let lock = DirectoryLock::take(directory)?;
        let connection = schema::open(database)?;
        let opened = read::opened(&connection)?;
        let mut folders = RunFolders::new(folder_root(directory));
        let newest: BTreeSet<&RunId> = opened.last_run.iter().chain(&opened.open_run).map(|run| &run.id).collect();
        for run in newest {
            folders.bring_up_to_date(&connection, run);
        }
        folders.renew(read::outdated(&connection)?);
        let process = write::Process { about, journal: read::next_line(&connection)? };
        let writer = Self {
            connection,
            process,
            last_seq: opened.last_seq,
            commits: 0,
            folders,
            directory: directory.to_owned(),
            changes,
            wire: None,
            followed: None,
            _lock: lock,
        };
        Ok((writer, opened))
    }

    pub(super) fn log_with(&mut self, wire: StoreThread<WireFile>) {
        self.wire = Some(wire);
        self.tell_folder();
    }

    fn tell_folder(&mut self) {
        let (Some(wire), folder) = (&self.wire, self.folders.live().map(Path::to_owned)) else { return };
        let new = folder.clone();
        if self.followed != folder && wire.offer(move |file| file.follow(new)) {
            self.followed = folder;
        }
    }

    pub(super) fn describe(&mut self, about: Circumstances) {
        self.process.about = about;
    }

    pub(super) fn goes_on_from(&mut self, first: u64) {
        self.process.journal = write::integer(first);
    }

    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// How often something was changed.
    pub(super) const fn commits(&self) -> u64 {
        self.commits
    }

    pub(super) fn transaction(&mut self) -> Result<Transaction<'_>, StoreError> {
        self.commits += 1;
        Ok(self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
    }

    /// From this line on the journal holds all that the runs of this process come from.
    pub(super) const fn journal_begins(&self) -> i64 {
        self.process.journal
    }

    /// Lets the database have so many pages, or as many as it has.
    pub(super) fn limit(&mut self, pages: u32) -> Result<&mut Self, StoreError> {
        self.connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
        Ok(self)
    }

    pub(super) fn commit(&mut self, batch: &Batch) -> Result<Vec<Published>, StoreError> {
        let published = self.write(batch).map_err(space::explain(&self.directory));
        match &published {
            Ok(published) => {
                self.last_seq = published.last().map_or(self.last_seq, |event| event.seq);
                self.folders.follow(&self.connection, &batch.facts, published);
                self.tell_folder();
                let told = published.iter().filter_map(|event| event.run.as_ref());
                self.changes.mark(batch.facts.iter().filter_map(run_of).chain(told));
            }
            // What the disk said last may differ from what it did.
            Err(_) => self.last_seq = read::last_seq(&self.connection).unwrap_or(self.last_seq),
        }
        published
    }

    fn write(&mut self, batch: &Batch) -> Result<Vec<Published>, StoreError> {
        self.commits += 1;
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let published = write::batch(&transaction, batch, &self.process, self.last_seq)?;
        transaction.commit()?;
        Ok(published)
    }
}

pub(super) fn folder_root(directory: &Path) -> PathBuf {
    directory.join("runs")
}
