//! Whether it is space that a write failed for.
//!
//! SQLite tells a full disk apart only where a write says so. A quota that is used up, and a disk that says it when it is
//! synced, are errors like those of a broken one. So the disk itself is asked.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use rusqlite::ErrorCode;

use super::error::StoreError;

/// More than SQLite writes at a time, so that what fits here would have fitted there.
static SAMPLE: [u8; 65_536] = [0; 65_536];
const FILE: &str = "space";

/// For `map_err`: the same error, or that there is no space in `directory`.
pub(super) fn explain(directory: &Path) -> impl FnOnce(StoreError) -> StoreError {
    let file = directory.join(FILE);
    move |error| {
        if !may_be_space(&error) {
            return error;
        }
        let tried = write(&file);
        // It stays if it cannot be removed, and is written over the next time.
        let _ = fs::remove_file(&file);
        match tried.map_err(StoreError::io("write", &file)) {
            Err(full) if full.is_out_of_space() => full,
            _ => error,
        }
    }
}

fn may_be_space(error: &StoreError) -> bool {
    let StoreError::Database(error) = error else { return false };
    matches!(error.sqlite_error_code(), Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen))
}

fn write(path: &Path) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(&SAMPLE)?;
    file.sync_all()
}
