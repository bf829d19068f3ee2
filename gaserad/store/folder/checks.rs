//! Whether a run's files say what the truth says, and what files there are.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::table::unreadable;
use super::{TABLES, channels, package, path, plan};
use crate::domain::RunId;
use crate::store::error::StoreError;
use crate::store::sheet;

/// How the folder of a run compares with the truth.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FolderVerdict {
    /// Rows that `samples.csv` is to have.
    pub rows: u64,
    /// Files that were compared.
    pub files: u32,
    /// One sentence for each difference.
    pub differences: Vec<String>,
}

/// A file in a run folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedFile {
    /// From the state directory on.
    pub path: PathBuf,
    pub bytes: u64,
    pub sha256: String,
}

/// Compares every row of every table, and the checksums of a run that is over.
pub(in crate::store) fn compare(
    connection: &Connection,
    root: &Path,
    run: &RunId,
) -> Result<FolderVerdict, StoreError> {
    let sheet = sheet::of(connection, run)?;
    let folder = path(root, run, sheet.run.started);
    let mut verdict = FolderVerdict::default();
    for (at, table) in TABLES.iter().enumerate() {
        let compared = table.compare(connection, &sheet, &folder)?;
        verdict.differences.extend(compared.difference);
        verdict.files += 1;
        if at == 0 {
            verdict.rows = compared.rows;
        }
    }
    for name in [channels::NAME, plan::NAME, package::NAME] {
        verdict.files += 1;
        let file = folder.join(name);
        verdict.differences.extend(fs::metadata(&file).err().map(|error| unreadable(&file, &error)));
    }
    if sheet.run.ended.is_some() {
        compare_checksums(&folder, &mut verdict);
    }
    Ok(verdict)
}

fn compare_checksums(folder: &Path, verdict: &mut FolderVerdict) {
    let package = folder.join(package::NAME);
    let sealed = package::sealed(folder).unwrap_or_default();
    if sealed.is_empty() && package.exists() {
        verdict.differences.push(format!("{} has no checksums of the files of this run", package.display()));
    }
    for (name, bytes, hash) in sealed {
        let file = folder.join(name);
        match package::checksum(&file) {
            Ok(found) if found == (bytes, hash.clone()) => {}
            Ok((found, _)) => verdict.differences.push(format!(
                "{} has {found} bytes and another checksum than {} says ({bytes} bytes, {hash})",
                file.display(),
                package::NAME,
            )),
            Err(error) => verdict.differences.push(unreadable(&file, &error)),
        }
    }
}

/// All files of all run folders, with their checksums.
pub(in crate::store) fn manifest(root: &Path) -> Result<Vec<ListedFile>, StoreError> {
    let base = root.parent().unwrap_or(root);
    let (mut found, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(StoreError::io("list", &folder)(error)),
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok((bytes, sha256)) = package::checksum(&path) {
                let path = path.strip_prefix(base).unwrap_or(&path).to_owned();
                found.push(ListedFile { path, bytes, sha256 });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}
