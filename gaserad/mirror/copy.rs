//! One file of a run's folder to the drive: appended to where that is enough, and else replaced as a whole.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{AtFlags, StatxFlags, statx};

use super::drive::{DriveError, Folder, broke};
use super::plan::{MirrorStep, MirroredFiles, MirroredSight, step};

/// What is read at a time; between two pieces the drive may be given up.
const PIECE: usize = 256 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error(transparent)]
    Drive(#[from] DriveError),
    /// Our own file; the drive can do nothing about it.
    #[error("cannot read {what}: {source}")]
    Source { what: String, source: io::Error },
    #[error("the drive was taken away")]
    Cancelled,
}

/// What an open file is, without reading it.
pub fn sight(file: &File) -> io::Result<MirroredSight> {
    let about = file.metadata()?;
    let born = statx(file, c"", AtFlags::EMPTY_PATH, StatxFlags::BTIME).map(|seen| seen.stx_btime);
    // Where nobody knows when it was made, its number alone has to tell it from others.
    let (seconds, nanos) = born.map_or((0, 0), |born| (born.tv_sec, born.tv_nsec));
    Ok(MirroredSight {
        identity: (about.ino(), seconds, nanos),
        length: about.len(),
        changed: (about.mtime(), about.mtime_nsec()),
    })
}

pub struct Copier<'a> {
    pub cancel: &'a AtomicBool,
    ours: Vec<u8>,
    theirs: Vec<u8>,
}

impl<'a> Copier<'a> {
    pub fn new(cancel: &'a AtomicBool) -> Self {
        Self { cancel, ours: vec![0; PIECE], theirs: vec![0; PIECE] }
    }

    /// Makes the file `name` in `folder` what `source` is now.
    pub fn copy(
        &mut self,
        source: &Path,
        folder: &Folder,
        name: &str,
        known: Option<&MirroredFiles>,
    ) -> Result<MirroredFiles, CopyError> {
        let unread = |error| CopyError::Source { what: source.display().to_string(), source: error };
        let ours = File::open(source).map_err(unread)?;
        let sight = sight(&ours).map_err(unread)?;
        let theirs = folder.file(name)?;
        let there = match &theirs {
            Some(file) => Some(file.metadata().map_err(broke("look at", name))?.len()),
            None => None,
        };
        let begun = match (step(known, &sight, there), &theirs) {
            (MirrorStep::AppendAfter(near), Some(theirs)) => {
                self.append(&ours, theirs, name, (near, there.unwrap_or_default()), sight.length)?
            }
            _ => false,
        };
        if !begun {
            drop(theirs);
            let draft = folder.draft(name)?;
            self.write(&ours, &draft, name, 0, sight.length)?;
            draft.sync_all().map_err(broke("write", name))?;
            drop(draft);
            folder.publish(name)?;
        }
        Ok(MirroredFiles { sight, copied: sight.length })
    }

    /// Whether it was equal from `near` to its end, and now goes on like ours.
    fn append(
        &mut self,
        ours: &File,
        theirs: &File,
        name: &str,
        (near, there): (u64, u64),
        length: u64,
    ) -> Result<bool, CopyError> {
        if !self.is_equal(ours, theirs, name, near, there)? {
            return Ok(false);
        }
        if there < length {
            self.write(ours, theirs, name, there, length)?;
            theirs.sync_data().map_err(broke("write", name))?;
        }
        Ok(true)
    }

    fn is_equal(&mut self, ours: &File, theirs: &File, name: &str, mut at: u64, until: u64) -> Result<bool, CopyError> {
        while at < until {
            let size = self.piece(until - at)?;
            read(ours, &mut self.ours[..size], at)?;
            theirs.read_exact_at(&mut self.theirs[..size], at).map_err(broke("read", name))?;
            if self.ours[..size] != self.theirs[..size] {
                return Ok(false);
            }
            at += size as u64;
        }
        Ok(true)
    }

    fn write(&mut self, ours: &File, theirs: &File, name: &str, mut at: u64, until: u64) -> Result<(), CopyError> {
        while at < until {
            let size = self.piece(until - at)?;
            read(ours, &mut self.ours[..size], at)?;
            theirs.write_all_at(&self.ours[..size], at).map_err(broke("write", name))?;
            at += size as u64;
        }
        Ok(())
    }

    /// The size of the next piece of so many bytes that are left.
    fn piece(&self, left: u64) -> Result<usize, CopyError> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(CopyError::Cancelled);
        }
        Ok(usize::try_from(left).unwrap_or(PIECE).min(PIECE))
    }
}

fn read(ours: &File, piece: &mut [u8], at: u64) -> Result<(), CopyError> {
    let unread = |source| CopyError::Source { what: "a file of the run".to_owned(), source };
    ours.read_exact_at(piece, at).map_err(unread)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    struct Desk {
        ours: TempDir,
        theirs: TempDir,
        go_on: AtomicBool,
    }

    impl Desk {
        fn new() -> Self {
            Self { ours: TempDir::new().unwrap(), theirs: TempDir::new().unwrap(), go_on: AtomicBool::new(false) }
        }

        fn copy(&self, known: Option<&MirroredFiles>) -> MirroredFiles {
            let folder = Folder::anywhere(self.theirs.path()).unwrap();
            Copier::new(&self.go_on).copy(&self.ours.path().join("a.csv"), &folder, "a.csv", known).unwrap()
        }

        fn put(&self, text: impl AsRef<[u8]>) {
            // In place of the one before, as it is done to a file that changes from its beginning.
            fs::write(self.ours.path().join("new"), text).unwrap();
            fs::rename(self.ours.path().join("new"), self.ours.path().join("a.csv")).unwrap();
        }

        fn append(&self, text: &str) {
            let file = File::options().append(true).open(self.ours.path().join("a.csv")).unwrap();
            io::Write::write_all(&mut &file, text.as_bytes()).unwrap();
        }

        #[track_caller]
        fn assert_equal(&self) {
            let [ours, theirs] = [&self.ours, &self.theirs].map(|place| fs::read(place.path().join("a.csv")).unwrap());
            assert!(ours == theirs, "{} bytes, and {} on the drive", ours.len(), theirs.len());
        }

        fn inode(&self) -> u64 {
            fs::metadata(self.theirs.path().join("a.csv")).unwrap().ino()
        }
    }

    #[test]
    fn a_file_that_grows_is_appended_to_in_place() {
        let desk = Desk::new();
        desk.put("a,b\n".repeat(300_000));
        let known = desk.copy(None);
        let first = desk.inode();
        desk.append("c,d\n");
        let known = desk.copy(Some(&known));
        desk.assert_equal();
        desk.append("e,f\n");
        // Another process, which knows nothing, compares and appends too.
        desk.copy(None);
        desk.assert_equal();
        assert_eq!(desk.inode(), first);
        assert_eq!(known.copied, 1_200_004);
    }

    #[test]
    fn a_file_that_is_another_one_is_replaced_as_a_whole() {
        let desk = Desk::new();
        desk.put("a,b\n1,2\n");
        let known = desk.copy(None);
        desk.put("a,b\n1,3\n2,4\n");
        desk.copy(Some(&known));
        desk.assert_equal();
        desk.put("a\n");
        desk.copy(None);
        desk.assert_equal();
        assert_eq!(fs::read_dir(desk.theirs.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_pulled_drive_has_lost_of_a_file_is_found_and_made_good() {
        let desk = Desk::new();
        desk.put("row,of,numbers\n".repeat(40_000));
        let known = desk.copy(None);
        let theirs = desk.theirs.path().join("a.csv");
        let whole = fs::read(&theirs).unwrap();
        for torn in [&whole[..17], &whole[..whole.len() - 9], &[], &vec![0; whole.len()]] {
            fs::write(&theirs, torn).unwrap();
            desk.copy(None);
            desk.assert_equal();
        }
        // It knows the length and is wrong about the end.
        let mut wrong = whole;
        let last = wrong.len() - 5;
        wrong[last] = b'!';
        fs::write(&theirs, wrong).unwrap();
        desk.append("more\n");
        desk.copy(Some(&known));
        desk.assert_equal();
    }

    #[test]
    fn a_copy_that_is_called_off_leaves_the_file_that_was_there() {
        let desk = Desk::new();
        desk.put("old\n");
        desk.copy(None);
        desk.put("new and longer\n");
        desk.go_on.store(true, Ordering::Relaxed);
        let folder = Folder::anywhere(desk.theirs.path()).unwrap();
        let copied = Copier::new(&desk.go_on).copy(&desk.ours.path().join("a.csv"), &folder, "a.csv", None);
        assert!(matches!(copied, Err(CopyError::Cancelled)), "{copied:?}");
        assert_eq!(fs::read_to_string(desk.theirs.path().join("a.csv")).unwrap(), "old\n");
    }
}
