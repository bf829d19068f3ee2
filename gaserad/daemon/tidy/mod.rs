//! Removes runs: into the trash and out of it again as people ask, and as the settings say what has been kept long enough.
//!
//! What becomes of a run is kept as a fact, with who asked and with an event, in one commit; then the folders follow.

mod desk;
mod sweep;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;

use super::reload::InEffect;
use crate::domain::{Denied, Event, Fact, Reason, RunId, StorageChange, StorageNews, TrashedRun};
use crate::mirror::Mirror;
use crate::runtime::Handle;
use crate::runtime::clock::HostClock;
use crate::store::{Audit, Batch, Store, StoreError};
pub(super) use desk::UpkeepQueue;
use sweep::sweep;

/// What it works with.
pub(super) struct UpkeepParts {
    pub store: Store,
    pub handle: Handle,
    pub settings: InEffect,
    pub mirror: watch::Receiver<Option<Mirror>>,
    pub clock: HostClock,
}

/// Clones do one thing at a time.
#[derive(Clone)]
pub(super) struct Tidy {
    means: Arc<UpkeepParts>,
    one_at_a_time: Arc<Mutex<()>>,
}

impl Tidy {
    /// Looks after old runs until it is told to stop.
    pub fn start(means: UpkeepParts, stop: CancellationToken) -> Self {
        let tidy = Self { means: Arc::new(means), one_at_a_time: Arc::default() };
        tokio::spawn(sweep(tidy.clone(), stop));
        tidy
    }

    /// Keeps what becomes of a run, and tells it.
    async fn keep(&self, change: StorageChange, run: &RunId, who: &str, why: &str) -> Result<(), Denied> {
        use crate::domain::Clock;
        let (run_id, at) = (run.clone(), self.means.clock.now().utc);
        let facts = match change {
            StorageChange::Trashed | StorageChange::Pruned => {
                vec![Fact::RunTrashed { run: run_id, at, who: who.to_owned() }]
            }
            StorageChange::Restored => vec![Fact::RunRestored { run: run_id }],
            StorageChange::Purged | StorageChange::Low | StorageChange::Enough => Vec::new(),
        };
        let (what, text) = words(change, run, why);
        tracing::info!(%run, who, "{text}");
        let audit = vec![Audit { who: who.to_owned(), what: format!("{what} {run}"), result: text.clone() }];
        let free_bytes = self.means.store.free_bytes();
        let news = StorageNews { change, free_bytes, run_id: Some(run.clone()), who: who.to_owned(), text };
        let events = vec![Event::Storage(news)];
        self.means.handle.keep(Batch { facts, events, audit, ..Batch::default() }).await
    }

    async fn trash(&self, run: &RunId, change: StorageChange, who: &str, why: &str) -> Result<(), Denied> {
        self.keep(change, run, who, why).await?;
        self.means.store.settle_trash().await.map_err(denied)
    }

    async fn purge(&self, run: &RunId, who: &str, why: &str) -> Result<(), Denied> {
        if self.means.store.purge(run).await.map_err(denied)? {
            self.keep(StorageChange::Purged, run, who, why).await?;
        }
        Ok(())
    }

    /// The bytes in the files of each of these folders.
    async fn sizes(&self, runs: &[TrashedRun]) -> BTreeMap<RunId, u64> {
        let folders: Vec<_> = runs.iter().map(|run| (run.id.clone(), self.means.store.trash_folder(run))).collect();
        let measure = move || folders.into_iter().map(|(id, folder)| (id, bytes_in(&folder))).collect();
        tokio::task::spawn_blocking(measure).await.unwrap_or_default()
    }
}

/// The bytes of all files below a folder; what cannot be read counts nothing.
pub(super) fn bytes_in(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(about) if about.is_dir() => bytes_in(&entry.path()),
            Ok(about) => about.len(),
            Err(_) => 0,
        })
        .sum()
}

fn words(change: StorageChange, run: &RunId, why: &str) -> (&'static str, String) {
    let because = if why.is_empty() { String::new() } else { format!(": {why}") };
    let (what, did) = match change {
        StorageChange::Trashed | StorageChange::Pruned => ("runs rm", "is in the trash"),
        StorageChange::Restored => ("runs restore", "is out of the trash again"),
        StorageChange::Purged => ("runs purge", "is gone for good"),
        StorageChange::Low => ("storage", "has little room"),
        StorageChange::Enough => ("storage", "has room again"),
    };
    (what, format!("run {run} {did}{because}"))
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
fn denied(error: StoreError) -> Denied {
    let reason = match error {
        StoreError::NotFound(_) | StoreError::Ambiguous { .. } | StoreError::NotInTrash(_) => Reason::RunUnknown,
        _ => Reason::Internal,
    };
    Denied::new(reason, error.to_string())
}
