//! The files in a run's folder, for whoever wants to have them.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use tokio::sync::mpsc;

use crate::api::{FileChunk, RunFile};
use crate::domain::Utc;

const PIECE: usize = 64 * 1024;

/// All that are complete, by name; those in folders within it with their path.
pub(super) fn list(folder: &Path) -> Vec<RunFile> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(below) = folders.pop() {
        for entry in fs::read_dir(folder.join(&below)).into_iter().flatten().flatten() {
            let path = below.join(entry.file_name());
            let (Ok(about), Some(name)) = (entry.metadata(), path.to_str()) else { continue };
            if about.is_dir() {
                folders.push(path);
            } else if about.is_file() && is_complete(name) {
                let since = about.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
                let changed = Utc::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX));
                found.push(RunFile { name: name.to_owned(), bytes: about.len(), changed });
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// What will become something else has no place in a list.
fn is_complete(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name);
    !last.starts_with('.') && !last.rsplit_once('.').is_some_and(|(_, kind)| matches!(kind, "new" | "part" | "tmp"))
}

/// Hands on so many bytes of it, until nobody takes them any more.
pub(super) fn read(path: &Path, bytes: u64, chunks: &mpsc::Sender<FileChunk>) {
    let cannot = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    let mut file = match fs::File::open(path) {
        Ok(file) => file.take(bytes),
        Err(error) => return drop(chunks.blocking_send(Err(cannot(error)))),
    };
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return,
            Ok(count) => {
                if chunks.blocking_send(Ok(piece[..count].to_vec())).is_err() {
                    return;
                }
            }
            Err(error) => return drop(chunks.blocking_send(Err(cannot(error)))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_complete_is_listed_by_name_and_read_as_long_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("raw")).unwrap();
        for (name, text) in [("samples.csv", "a,b\n1,2\n"), ("raw/1.aklog", "x"), (".a.part", ""), ("b.csv.new", "")] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let listed = list(folder.path());
        let names: Vec<&str> = listed.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["raw/1.aklog", "samples.csv"]);
        assert_eq!(listed[1].bytes, 8);
        let (sender, mut pieces) = mpsc::channel(4);
        read(&folder.path().join("samples.csv"), 4, &sender);
        drop(sender);
        assert_eq!(pieces.blocking_recv().unwrap().unwrap(), b"a,b\n");
        assert!(pieces.blocking_recv().is_none());
        assert!(list(&folder.path().join("none")).is_empty());
    }
}
