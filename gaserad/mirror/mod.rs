//! A copy of all run folders on a drive that comes and goes, like a USB stick.
//!
//! The truth and its folders are on the disk of the state directory, and nothing there waits for the drive. What a commit
//! changed is copied after it: appended where the file has only grown, else replaced as a whole. When a drive is mounted,
//! every file is compared with what is on it, the newest run first. Nothing is ever removed from a drive.
//!
//! It decides nothing about runs. That the drive is taken away in the middle of a file costs what is on the drive of that
//! file until it is back.

mod copy;
mod drive;
mod mounts;
mod plan;
mod task;
#[cfg(test)]
mod tests;
mod worker;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::domain::{MirrorStatus, RunId, UsbNews};
use crate::store::Changes;
use task::MirrorTask;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorPlaces {
    /// Where the folders of runs are.
    pub runs: PathBuf,
    /// The state directory: what lies on its disk is no drive.
    pub state: PathBuf,
    /// Where the copy is.
    pub directory: PathBuf,
    /// Something must be mounted there.
    pub require_mount: bool,
}

/// What is known of the copy. Clones see the same.
#[derive(Clone)]
pub struct Mirror {
    status: watch::Receiver<MirrorStatus>,
    complete: worker::Complete,
    changes: Arc<Changes>,
}

impl Mirror {
    /// Copies until it is told to stop, and then what is left, if that is quickly done. What happens to the drive is `told`.
    pub fn start(
        settings: MirrorPlaces,
        changes: Arc<Changes>,
        told: mpsc::UnboundedSender<UsbNews>,
        stop: CancellationToken,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (task, status, complete) = MirrorTask::new(settings, changes.clone(), told)?;
        Ok((Self { status, complete, changes }, tokio::spawn(task.run(stop))))
    }

    pub fn status(&self) -> MirrorStatus {
        self.status.borrow().clone()
    }

    /// Waits until something is different; `None` when it has ended.
    pub async fn changed(&mut self) -> Option<MirrorStatus> {
        self.status.changed().await.ok()?;
        Some(self.status.borrow_and_update().clone())
    }

    /// Runs of which all is on the drive that is there now.
    pub fn complete(&self) -> BTreeSet<RunId> {
        let complete = self.complete.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let pending = self.changes.pending();
        complete.into_iter().filter(|run| !pending.contains(run)).collect()
    }
}
