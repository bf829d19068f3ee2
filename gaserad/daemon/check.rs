//! Whether all that is kept is sound, and a copy of it, for whoever asks.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::mpsc;

use super::seams::denied;
use super::verify::settled;
use crate::api::{Checked, Copied};
use crate::domain::{Denied, Reason};
use crate::store::{Store, StoreError};

/// Runs whose files are compared.
const RUNS: u32 = 100_000;
/// Of a copy at a time.
const PIECE: usize = 256 << 10;

pub(super) async fn check(store: &Store, files: bool) -> Result<Checked, StoreError> {
    let mut checked = Checked { found: store.inspect().await?, files: 0 };
    let runs = if files { store.runs(RUNS).await? } else { Vec::new() };
    for run in runs.into_iter().filter(|run| run.ended.is_some()) {
        match settled(store, || store.compare_folder(&run.id), |verdict| verdict.differences.is_empty()).await {
            Ok(verdict) => {
                checked.files += u64::from(verdict.files);
                checked.found.faults.extend(verdict.differences);
            }
            // It was removed meanwhile.
            Err(StoreError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(checked)
}

/// Removes the copy, whatever becomes of its way.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // Left behind, it is in nobody's way but the disk's.
        let _ = fs::remove_file(&self.0);
    }
}

static COPIES: AtomicU32 = AtomicU32::new(0);

/// Makes a copy in the state directory, sends it and removes it. An error comes last.
pub(super) async fn backup(store: &Store, pieces: mpsc::Sender<Result<Copied, Denied>>) {
    let number = COPIES.fetch_add(1, Ordering::Relaxed);
    let copy = Temporary(store.directory().join(format!("backup-{number}.sqlite")));
    // A process before this one may have ended in the middle of it.
    let _ = fs::remove_file(&copy.0);
    let made = async {
        enough_space(store)?;
        store.backup(&copy.0).await.map_err(denied)
    };
    let begins = made.await.map(Copied::Begins);
    let failed = begins.is_err();
    if pieces.send(begins).await.is_err() || failed {
        return;
    }
    let sent = tokio::task::spawn_blocking(move || send(&copy.0, &pieces)).await;
    if sent.is_err() {
        tracing::error!("a backup broke");
    }
}

fn enough_space(store: &Store) -> Result<(), Denied> {
    let needed = fs::metadata(store.directory().join("state.sqlite")).map_or(0, |about| about.len());
    let free = store.free_bytes().unwrap_or(u64::MAX);
    let refused = || {
        Denied::new(
            Reason::NotNow,
            format!(
                "a backup needs up to {needed} bytes in {} while it is made, and {free} are free; make room first",
                store.directory().display()
            ),
        )
    };
    if free > needed { Ok(()) } else { Err(refused()) }
}

fn send(copy: &Path, pieces: &mpsc::Sender<Result<Copied, Denied>>) {
    let cannot = |error: std::io::Error| {
        Denied::new(Reason::Internal, format!("cannot read the backup {}: {error}", copy.display()))
    };
    let mut file = match File::open(copy) {
        Ok(file) => file,
        Err(error) => return drop(pieces.blocking_send(Err(cannot(error)))),
    };
    let mut piece = vec![0; PIECE];
    loop {
        let sent = match file.read(&mut piece) {
            Ok(0) => return,
            Ok(count) => pieces.blocking_send(Ok(Copied::Piece(piece[..count].to_vec()))),
            Err(error) => return drop(pieces.blocking_send(Err(cannot(error)))),
        };
        if sent.is_err() {
            return;
        }
    }
}
