//! What can go wrong between the daemon and its truth.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;

use crate::export::Broken;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(
        "the state directory {} is in use by another gaserad{}; stop that one, or give this one a directory of its own with --state-dir",
        directory.display(),
        holder(pid)
    )]
    InUse { directory: PathBuf, pid: String },
    #[error(
        "{} was written by a newer gaserad (schema {found}, this one reads up to {known}); install that version again, or use another --state-dir",
        path.display()
    )]
    Newer { path: PathBuf, found: i64, known: i64 },
    #[error("cannot {doing} {}: {source}; check that it exists, who may write there, and the free space", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error(
        "the database state.sqlite in the state directory failed: {0}; check the free space and the health of the disk"
    )]
    Database(#[from] rusqlite::Error),
    #[error("cannot write {what} as JSON: {source}")]
    Json { what: &'static str, source: serde_json::Error },
    #[error("the database does not know {0}, so nothing of this commit was kept")]
    Contradiction(String),
    #[error("no run is called {0:?}; `gaseractl runs` lists them")]
    NotFound(String),
    #[error("no run in the trash is called {0:?}; `gaseractl runs trash` lists them")]
    NotInTrash(String),
    #[error("{prefix:?} could be {}; give more of the id", matches.join(" or "))]
    Ambiguous { prefix: String, matches: Vec<String> },
    #[error("the export failed: {0}")]
    Export(#[from] Broken),
    #[error("the store is closed")]
    Closed,
}

fn holder(pid: &str) -> String {
    if pid.is_empty() { String::new() } else { format!(" (process {pid})") }
}

impl StoreError {
    /// The disk has no space left: what was to be kept can be kept when there is space again.
    pub fn is_out_of_space(&self) -> bool {
        use rusqlite::ErrorCode;
        match self {
            Self::Database(error) => {
                // The index of the write-ahead log could not grow, which SQLite reports apart.
                let index = error.sqlite_error().map(|error| error.extended_code) == Some(SQLITE_IOERR_SHMSIZE);
                index || error.sqlite_error_code() == Some(ErrorCode::DiskFull)
            }
            Self::Io { source, .. } => {
                matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            }
            _ => false,
        }
    }

    /// For `map_err`: what was tried, and on what.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }
}
