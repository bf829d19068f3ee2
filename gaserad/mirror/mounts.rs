//! Which file systems are mounted where, and when that changes: `/proc/self/mountinfo`, which the kernel tells of by itself.

use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

const TABLE: &str = "/proc/self/mountinfo";

/// A line of the table: what tells one mount from another at the same place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    pub id: u64,
    pub point: PathBuf,
}

/// The mount that `path` lies on, whether that exists or not.
pub fn mount_of(table: &str, path: &Path) -> Option<Mount> {
    // Of several at one place the last one hides the others.
    table.lines().filter_map(mount).filter(|mount| path.starts_with(&mount.point)).fold(None, |best, mount| {
        let depth = |mount: &Mount| mount.point.components().count();
        if best.as_ref().is_some_and(|best| depth(best) > depth(&mount)) { best } else { Some(mount) }
    })
}

/// `36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw`
fn mount(line: &str) -> Option<Mount> {
    let mut fields = line.split(' ');
    let id = fields.next()?.parse().ok()?;
    let point = fields.nth(3)?;
    // The place of a drive that is mounted when somebody looks is none yet.
    let (_, kind) = line.split_once(" - ")?;
    if kind.starts_with("autofs ") {
        return None;
    }
    Some(Mount { id, point: unescaped(point) })
}

/// Blanks, tabs, line ends and backslashes are written as `\040`.
fn unescaped(field: &str) -> PathBuf {
    let bytes = field.as_bytes();
    let (mut plain, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        let code = bytes.get(at + 1..at + 4).filter(|_| *byte == b'\\');
        let code = code.and_then(|digits| std::str::from_utf8(digits).ok());
        let meant = code.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        at += if meant.is_some() { 4 } else { 1 };
        plain.push(meant.unwrap_or(*byte));
    }
    PathBuf::from(std::ffi::OsString::from_vec(plain))
}

/// The table, and the news of it.
pub struct Mounts(AsyncFd<File>);

impl Mounts {
    pub fn watch() -> io::Result<Self> {
        let table = File::open(TABLE)?;
        #[allow(
            deprecated,
            reason = "what is to be used in its place is unsafe; this file stays as it is until it is dropped"
        )]
        let watched = AsyncFd::with_interest(table, Interest::PRIORITY)?;
        Ok(Self(watched))
    }

    /// What is mounted now.
    pub fn read() -> io::Result<String> {
        // Mount points can be any bytes; those that are not text are none of ours.
        Ok(String::from_utf8_lossy(&fs::read(TABLE)?).into_owned())
    }

    /// Waits until something is mounted or unmounted anywhere. Nothing is missed between two calls.
    pub async fn changed(&self) -> io::Result<()> {
        self.0.ready(Interest::PRIORITY).await?.clear_ready();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTED: &str = "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n\
         30 22 0:25 / /media rw - tmpfs tmpfs rw\n\
         31 30 8:17 / /media/usb0 rw shared:5 - vfat /dev/sdb1 rw\n\
         32 30 8:33 / /media/my\\040stick rw - vfat /dev/sdc1 rw\n";

    fn point(path: &str) -> (u64, String) {
        let mount = mount_of(MOUNTED, Path::new(path)).unwrap();
        (mount.id, mount.point.display().to_string())
    }

    #[test]
    fn a_path_lies_on_the_deepest_mount_above_it() {
        assert_eq!(point("/media/usb0/gasera/runs"), (31, "/media/usb0".into()));
        assert_eq!(point("/media/usb0"), (31, "/media/usb0".into()));
        assert_eq!(point("/media/usb01/gasera"), (30, "/media".into()));
        assert_eq!(point("/var/lib/gaserad"), (22, "/".into()));
        assert_eq!(point("/media/my stick/x"), (32, "/media/my stick".into()));
        assert_eq!(mount_of("", Path::new("/")), None);
    }

    #[test]
    fn of_two_mounts_at_one_place_the_later_one_is_seen() {
        let twice = format!("{MOUNTED}40 31 8:49 / /media/usb0 rw - vfat /dev/sdd1 rw\n");
        assert_eq!(mount_of(&twice, Path::new("/media/usb0/gasera")).unwrap().id, 40);
    }

    #[test]
    fn a_drive_that_would_be_mounted_if_it_were_there_is_not_there() {
        let waiting = format!("{MOUNTED}41 22 0:50 / /mnt/later rw - autofs systemd-1 rw\n");
        assert_eq!(mount_of(&waiting, Path::new("/mnt/later/gasera")).unwrap().id, 22);
    }

    #[test]
    fn a_field_that_only_looks_escaped_is_taken_as_it_is() {
        assert_eq!(unescaped("/a\\9bc\\"), Path::new("/a\\9bc\\"));
        assert_eq!(unescaped("/a\\134b"), Path::new("/a\\b"));
    }
}
