//! The drive's side. Everything is reached from one directory that was found to lie on the drive, never by a path: what
//! is written after the drive was taken away goes to the drive or fails, and never into the empty mount point.
//!
//! Nothing is held open longer than a pass.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, fstat, fstatvfs, mkdirat, openat, renameat, statat, unlinkat};
use rustix::io::Errno;

use super::plan;

const FOLDER_MODE: Mode = Mode::from_raw_mode(0o755);
const FILE_MODE: Mode = Mode::from_raw_mode(0o644);

/// What went wrong on the drive, and with what.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    #[error("cannot {doing} {what} on the drive: {source}")]
    Io { doing: &'static str, what: String, source: io::Error },
    /// The directory is there, and belongs to this machine's own disk.
    #[error("{0} lies on the same disk as the state directory or the system, so no drive is mounted there")]
    NoDrive(String),
}

fn failed(doing: &'static str, what: &str) -> impl FnOnce(Errno) -> DriveError {
    let what = what.to_owned();
    move |errno| DriveError::Io { doing, what, source: errno.into() }
}

pub(super) fn broke(doing: &'static str, what: &str) -> impl FnOnce(io::Error) -> DriveError {
    let what = what.to_owned();
    move |source| DriveError::Io { doing, what, source }
}

/// A directory on the drive.
pub struct Folder(OwnedFd);

impl Folder {
    /// The directory `below` of the mount point, made if it is missing. The point must not lie on the disk of `ours`.
    pub fn on_mount(point: &Path, below: &Path, ours: &[&Path]) -> Result<Self, DriveError> {
        let name = point.display().to_string();
        let mount = Self::open(CWD.as_fd(), point).map_err(failed("open", &name))?;
        let device = fstat(&mount.0).map_err(failed("look at", &name))?.st_dev;
        let is_ours = |path: &&Path| fs::metadata(path).is_ok_and(|about| about.dev() == device);
        if ours.iter().any(is_ours) {
            return Err(DriveError::NoDrive(name));
        }
        mount.below(below)
    }

    /// A directory of any disk.
    pub fn anywhere(directory: &Path) -> Result<Self, DriveError> {
        let name = directory.display().to_string();
        fs::create_dir_all(directory).map_err(broke("create", &name))?;
        Self::open(CWD.as_fd(), directory).map_err(failed("open", &name))
    }

    fn open(from: impl AsFd, path: &Path) -> Result<Self, Errno> {
        openat(from, path, OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).map(Self)
    }

    /// A directory in it, made if it is missing. Symbolic links are not followed out of the drive.
    pub fn below(self, path: &Path) -> Result<Self, DriveError> {
        let mut folder = self;
        for part in path.components() {
            let Component::Normal(part) = part else { continue };
            let name = part.to_string_lossy();
            let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
            let open = || openat(&folder.0, part, flags, Mode::empty());
            let opened = match open() {
                Err(Errno::NOENT) => {
                    match mkdirat(&folder.0, part, FOLDER_MODE) {
                        Ok(()) | Err(Errno::EXIST) => {}
                        Err(errno) => return Err(failed("create", &name)(errno)),
                    }
                    folder.sync(&name)?;
                    open()
                }
                opened => opened,
            };
            folder = Self(opened.map_err(failed("open", &name))?);
        }
        Ok(folder)
    }

    /// Another handle of the same directory.
    pub fn again(&self) -> Result<Self, DriveError> {
        self.0.try_clone().map(Self).map_err(broke("open", "a folder"))
    }

    /// The length of a file in it, if there is one, by a path below it.
    pub fn length(&self, path: &Path) -> Option<u64> {
        let about = statat(&self.0, path, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        u64::try_from(about.st_size).ok()
    }

    pub fn file(&self, name: &str) -> Result<Option<File>, DriveError> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        match openat(&self.0, name, flags, Mode::empty()) {
            Ok(file) => Ok(Some(File::from(file))),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(failed("open", name)(errno)),
        }
    }

    /// A new file that is called `name` when it is published.
    pub fn draft(&self, name: &str) -> Result<File, DriveError> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        openat(&self.0, plan::draft_of(name), flags, FILE_MODE).map(File::from).map_err(failed("create", name))
    }

    pub fn publish(&self, name: &str) -> Result<(), DriveError> {
        renameat(&self.0, plan::draft_of(name), &self.0, name).map_err(failed("replace", name))?;
        self.sync(name)
    }

    fn sync(&self, name: &str) -> Result<(), DriveError> {
        match rustix::fs::fsync(&self.0) {
            // Some file systems do not know how to sync a directory.
            Ok(()) | Err(Errno::INVAL) => Ok(()),
            Err(errno) => Err(failed("write", name)(errno)),
        }
    }

    /// Removes what was left when the drive was taken away in the middle of a file.
    pub fn clear_drafts(&self) -> Result<(), DriveError> {
        let entries = rustix::fs::Dir::read_from(&self.0).map_err(failed("read", "a folder"))?;
        for entry in entries {
            let entry = entry.map_err(failed("read", "a folder"))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if plan::is_draft(&name) {
                unlinkat(&self.0, name.as_str(), AtFlags::empty()).map_err(failed("remove", &name))?;
            }
        }
        Ok(())
    }

    /// What the drive has left for us, and how large it is.
    pub fn space(&self) -> Option<(u64, u64)> {
        let found = fstatvfs(&self.0).ok()?;
        Some((found.f_bavail.saturating_mul(found.f_frsize), found.f_blocks.saturating_mul(found.f_frsize)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_where_no_drive_is() {
        let ours = tempfile::tempdir().unwrap();
        let point = ours.path().join("usb0");
        fs::create_dir(&point).unwrap();
        let refused = Folder::on_mount(&point, Path::new("gasera"), &[ours.path()]).err().unwrap();
        assert!(matches!(refused, DriveError::NoDrive(_)), "{refused}");
        assert_eq!(fs::read_dir(&point).unwrap().count(), 0);
        assert!(Folder::on_mount(&ours.path().join("none"), Path::new("x"), &[]).is_err());
    }

    #[test]
    fn a_draft_becomes_the_file_when_it_is_published_and_what_is_left_of_others_goes() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::anywhere(place.path()).unwrap().below(Path::new("2026/run")).unwrap();
        fs::write(place.path().join("2026/run/a.csv"), "old").unwrap();
        io::Write::write_all(&mut folder.draft("a.csv").unwrap(), b"new").unwrap();
        drop(folder.draft("b.csv").unwrap());
        assert_eq!(fs::read_to_string(place.path().join("2026/run/a.csv")).unwrap(), "old");
        folder.publish("a.csv").unwrap();
        folder.clear_drafts().unwrap();
        let names: Vec<_> =
            fs::read_dir(place.path().join("2026/run")).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["a.csv"]);
        assert_eq!(fs::read_to_string(place.path().join("2026/run/a.csv")).unwrap(), "new");
        assert_eq!((folder.length(Path::new("a.csv")), folder.length(Path::new("b.csv"))), (Some(3), None));
    }

    #[test]
    fn a_link_on_the_drive_leads_nowhere() {
        let (place, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(other.path(), place.path().join("2026")).unwrap();
        let folder = Folder::anywhere(place.path()).unwrap();
        assert!(folder.below(Path::new("2026/run")).is_err());
        assert_eq!(fs::read_dir(other.path()).unwrap().count(), 0);
    }
}
