//! What happens by itself: runs that were kept long enough go into the trash, and what was long enough in the trash is gone.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{Tidy, bytes_in, denied};
use crate::domain::{Clock, Denied, RunSummary, StorageChange};
use crate::store::retention::{KeptRun, Rules, to_prune, to_purge};

/// In the time of the world.
const EVERY: Duration = Duration::from_secs(600);
const WHO: &str = "retention";
/// More than anybody has.
const RUNS: u32 = 1_000_000;

/// Again and again until it is told to stop.
pub(super) async fn sweep(tidy: Tidy, stop: CancellationToken) {
    let mut settings = tidy.means.settings.clone();
    let sweeping = async {
        loop {
            if let Err(error) = tidy.sweep().await {
                tracing::warn!("cannot look after old runs: {error}");
            }
            // Other settings may let other runs go.
            tokio::select! {
                () = sleep(EVERY) => {}
                Ok(()) = settings.changed() => {}
            }
        }
    };
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        () = sweeping => {}
    }
}

impl Tidy {
    async fn sweep(&self) -> Result<(), Denied> {
        let _alone = self.one_at_a_time.lock().await;
        let store = &self.means.store;
        let unfinished = store.half_gone().await.map_err(denied)?;
        for run in &unfinished {
            self.purge(run, WHO, "what was left of it").await?;
        }
        store.settle_trash().await.map_err(denied)?;
        let clock_is_right = self.means.handle.status().await?.clock_synchronized != Some(false);
        let pruned = self.prune(clock_is_right).await?;
        let purged = self.purge_old(clock_is_right).await?;
        if pruned + purged + unfinished.len() > 0 {
            self.forget().await?;
        }
        Ok(())
    }

    async fn prune(&self, clock_is_right: bool) -> Result<usize, Denied> {
        let settings = self.means.settings.borrow().clone();
        let retention = &settings.retention;
        if retention.keep.is_none() && retention.max_size.is_none() {
            return Ok(0);
        }
        let mirrored = retention.mirrored && settings.mirror.is_some();
        let (keep, max_size, min_runs) = (retention.keep, retention.max_size, retention.min_runs);
        let rules = Rules { keep, max_size, min_runs, mirrored, clock_is_right };
        let due = to_prune(&self.kept().await?, &rules, self.means.clock.now().utc);
        for (run, why) in &due {
            self.trash(run, StorageChange::Pruned, WHO, why).await?;
        }
        Ok(due.len())
    }

    async fn kept(&self) -> Result<Vec<KeptRun>, Denied> {
        let store = &self.means.store;
        let runs = store.runs(RUNS).await.map_err(denied)?;
        let used = store.usage().await.map_err(denied)?.used;
        let trash = store.trash().await.map_err(denied)?;
        let records: u64 = runs.iter().map(|run| run.records).chain(trash.iter().map(|run| run.records)).sum();
        let complete = self.means.mirror.borrow().as_ref().map(crate::mirror::Mirror::complete).unwrap_or_default();
        let with_folders: Vec<_> = runs.into_iter().map(|run| (store.run_folder(&run), run)).collect();
        let measure = move || {
            let kept = |(folder, run): (std::path::PathBuf, RunSummary)| KeptRun {
                mirrored: complete.contains(&run.id),
                bytes: bytes_in(&folder) + share(run.records, records, used),
                started: run.started,
                ended: run.ended,
                id: run.id,
            };
            with_folders.into_iter().map(kept).collect()
        };
        Ok(tokio::task::spawn_blocking(measure).await.unwrap_or_default())
    }

    async fn purge_old(&self, clock_is_right: bool) -> Result<usize, Denied> {
        let store = &self.means.store;
        let trash = store.trash().await.map_err(denied)?;
        let settings = self.means.settings.borrow().clone();
        let least = settings.min_free_bytes();
        let is_low = store.free_bytes().is_some_and(|free| free < least);
        let after = settings.retention.trash_after;
        let due = to_purge(&trash, after, is_low, clock_is_right, self.means.clock.now().utc);
        for run in &due {
            let why = if is_low { "the disk is nearly full" } else { "it was long enough in the trash" };
            self.purge(run, WHO, why).await?;
        }
        Ok(due.len())
    }

    /// What no run needs any more that is kept.
    pub(super) async fn forget(&self) -> Result<(), Denied> {
        let gone = self.means.store.forget_before_runs().await.map_err(denied)?;
        if gone > 0 {
            tracing::info!("{gone} lines of the journal and events were older than all runs, and are gone");
        }
        Ok(())
    }
}

/// The part of the database that is a run's, as many of all records are its.
fn share(records: u64, all: u64, used: u64) -> u64 {
    let part = u128::from(used) * u128::from(records) / u128::from(all.max(1));
    u64::try_from(part).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_is_shared_out_by_records() {
        assert_eq!((share(10, 50, 1000), share(0, 50, 1000)), (200, 0));
        assert_eq!(share(0, 0, 1000), 0);
    }
}
