//! What people ask of the folders of runs and of the trash.

use std::collections::BTreeSet;

use tokio::sync::mpsc;

use super::super::files;
use super::{Tidy, denied};
use crate::api::{FileChunk, Folders, InTrash, RunFile};
use crate::domain::{Denied, Reason, RunId, StorageChange};
use crate::store::trash::find;
use crate::stream::BoxFuture;

pub(in crate::daemon) struct UpkeepQueue(pub Tidy);

impl Folders for UpkeepQueue {
    fn files<'a>(&'a self, id: &'a RunId) -> BoxFuture<'a, Result<Vec<RunFile>, Denied>> {
        Box::pin(async move {
            let (run, _) = self.0.means.store.run(id).await.map_err(denied)?;
            let folder = self.0.means.store.run_folder(&run);
            let listed = tokio::task::spawn_blocking(move || files::list(&folder)).await;
            listed.map_err(|error| Denied::new(Reason::Internal, error.to_string()))
        })
    }

    fn read(&self, id: RunId, file: RunFile, chunks: mpsc::Sender<FileChunk>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let folder = match self.0.means.store.run(&id).await {
                Ok((run, _)) => self.0.means.store.run_folder(&run),
                Err(error) => return drop(chunks.send(Err(error.to_string())).await),
            };
            let path = folder.join(&file.name);
            tokio::task::spawn_blocking(move || files::read(&path, file.bytes, &chunks));
        })
    }

    fn trash(&self) -> BoxFuture<'_, Result<Vec<InTrash>, Denied>> {
        Box::pin(async move {
            let trashed = self.0.means.store.trash().await.map_err(denied)?;
            let sizes = self.0.sizes(&trashed).await;
            let after = self.0.means.settings.borrow().retention.trash_after;
            let told = |run: crate::domain::TrashedRun| {
                let bytes = sizes.get(&run.id).copied().unwrap_or(0);
                InTrash { gone_after: run.trashed + after, run, bytes }
            };
            Ok(trashed.into_iter().map(told).collect())
        })
    }

    fn remove(&self, names: Vec<String>, who: String, purge: bool) -> BoxFuture<'_, Result<Vec<RunId>, Denied>> {
        Box::pin(async move {
            let _alone = self.0.one_at_a_time.lock().await;
            // All or none: a name that is wrong removes nothing.
            let mut runs = BTreeSet::new();
            for name in &names {
                runs.insert(self.0.removable(name).await?);
            }
            for run in &runs {
                self.0.trash(run, StorageChange::Trashed, &who, "").await?;
                if purge {
                    self.0.purge(run, &who, "").await?;
                }
            }
            Ok(runs.into_iter().collect())
        })
    }

    fn restore(&self, name: String, who: String) -> BoxFuture<'_, Result<RunId, Denied>> {
        Box::pin(async move {
            let _alone = self.0.one_at_a_time.lock().await;
            let trashed = self.0.means.store.trash().await.map_err(denied)?;
            let run = find(&trashed, &name).map_err(denied)?.id.clone();
            self.0.trash(&run, StorageChange::Restored, &who, "").await?;
            Ok(run)
        })
    }

    fn empty(&self, who: String) -> BoxFuture<'_, Result<Vec<RunId>, Denied>> {
        Box::pin(async move {
            let _alone = self.0.one_at_a_time.lock().await;
            let trashed = self.0.means.store.trash().await.map_err(denied)?;
            let runs: Vec<RunId> = trashed.into_iter().map(|run| run.id).collect();
            for run in &runs {
                self.0.purge(run, &who, "").await?;
            }
            self.0.forget().await?;
            Ok(runs)
        })
    }
}

impl Tidy {
    /// The run that is called so, unless it is under way.
    async fn removable(&self, name: &str) -> Result<RunId, Denied> {
        let store = &self.means.store;
        let id = match store.find_run(name).await {
            Ok(id) => id,
            Err(error) => return Err(self.waits(name).await.unwrap_or_else(|| denied(error))),
        };
        let (run, _) = store.run(&id).await.map_err(denied)?;
        if run.ended.is_none() {
            let text =
                format!("run {id} is under way, and stays; abort it first (gaseractl abort), or wait for its end");
            return Err(Denied::new(Reason::RunUnderWay, text));
        }
        Ok(id)
    }

    /// Says so if it has not begun yet.
    async fn waits(&self, name: &str) -> Option<Denied> {
        let status = self.means.handle.status().await.ok()?;
        let name = name.trim().to_uppercase();
        let queued = status.queued.iter().find(|run| !name.is_empty() && run.run_id.0.starts_with(&name))?;
        let text = format!("run {} has not begun; `gaseractl abort {}` calls it off", queued.run_id, queued.run_id);
        Some(Denied::new(Reason::NotNow, text))
    }
}
