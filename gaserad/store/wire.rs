//! `raw.aklog` in the folder of the run under way: every byte between host and analyzer, for the day on which somebody
//! asks what the instrument really said.
//!
//! It is written by a thread of its own and never synced, so that nobody waits for it: what cannot be written in time
//! is counted, and the count is written. A crash costs what was not written yet. A part that is full is compressed.
//!
//! A line is the monotonic time in seconds, the time of the host, `>` to the analyzer or `<` from it, and the bytes,
//! those that cannot be printed as `\x02`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::changes::Changes;
use super::error::StoreError;
use super::thread::StoreThread;
use crate::domain::{Clock, Moment, Tick, Way, Wire};

const NAME: &str = "raw.aklog";
/// A part that is longer is compressed, and the next one begun.
const PART: u64 = 8 << 20;
/// What is written out at a time, and how long it waits for that at most.
const BUFFER: usize = 64 << 10;
const FLUSH: Duration = Duration::from_secs(30);
/// The free space is looked at after so many lines.
const LOOK: u64 = 500;

/// Lines that did not get through.
type LostBytes = Arc<AtomicU64>;

/// The tap on the connection to the analyzer.
#[derive(Clone)]
pub struct WireLog {
    writer: StoreThread<WireFile>,
    clock: Arc<dyn Clock>,
    lost: LostBytes,
}

impl WireLog {
    pub(super) fn new(writer: StoreThread<WireFile>, clock: Arc<dyn Clock>) -> Self {
        Self { writer, clock, lost: LostBytes::default() }
    }
}

impl Wire for WireLog {
    fn passed(&self, way: Way, bytes: &[u8]) {
        let (at, line, lost) = (self.clock.now(), bytes.escape_ascii().to_string(), self.lost.clone());
        let through = self.writer.offer(move |file| {
            file.line(at, way, &line, lost.swap(0, Ordering::Relaxed));
        });
        if !through {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What writes the log; nothing while no run is under way.
pub(super) struct WireFile {
    folder: Option<PathBuf>,
    out: Option<BufWriter<File>>,
    written: u64,
    lines: u64,
    flushed: Tick,
    /// With less free space than this, nothing is written.
    min_free_bytes: u64,
    lost: u64,
    told: bool,
    changes: Arc<Changes>,
}

impl WireFile {
    pub fn new(changes: Arc<Changes>) -> Self {
        Self {
            changes,
            folder: None,
            out: None,
            written: 0,
            lines: 0,
            flushed: Tick::ZERO,
            min_free_bytes: 0,
            lost: 0,
            told: false,
        }
    }

    pub fn spare(&mut self, min_free_bytes: u64) {
        self.min_free_bytes = min_free_bytes;
    }

    /// From now on in this folder, or nowhere.
    pub fn follow(&mut self, folder: Option<PathBuf>) {
        if self.folder == folder {
            return;
        }
        self.close();
        self.folder = folder;
        let Some(folder) = &self.folder else { return };
        if let Err(error) = compress_old_parts(folder) {
            tracing::warn!("an old part of {NAME} stays as it is: {error}");
        }
    }

    fn close(&mut self) {
        let out = self.out.take();
        if let Some(Err(error)) = out.map(|mut out| out.flush()) {
            tracing::warn!("the end of {NAME} is lost: {error}");
        }
        self.folder.iter().for_each(|folder| self.changes.mark_folder(folder));
    }

    fn line(&mut self, at: Moment, way: Way, line: &str, lost: u64) {
        self.lost += lost;
        let Some(folder) = self.folder.clone() else { return };
        match self.write(&folder, at, way, line) {
            Ok(()) => self.told = false,
            Err(error) => {
                self.out = None;
                self.lost += 1;
                if !std::mem::replace(&mut self.told, true) {
                    tracing::warn!("{NAME} in {} cannot be written and has a gap: {error}", folder.display());
                }
            }
        }
    }

    fn write(&mut self, folder: &Path, at: Moment, way: Way, line: &str) -> Result<(), StoreError> {
        let path = folder.join(NAME);
        if self.lines.is_multiple_of(LOOK) {
            self.look_for_space(folder)?;
        }
        self.lines += 1;
        if self.written >= PART {
            self.close();
            rotate(folder)?;
        }
        let out = match &mut self.out {
            Some(out) => out,
            none => {
                let file = OpenOptions::new().append(true).create(true).open(&path);
                let file = file.map_err(StoreError::io("open", &path))?;
                self.written = file.metadata().map_or(0, |about| about.len());
                none.insert(BufWriter::with_capacity(BUFFER, file))
            }
        };
        let mut text = String::new();
        if self.lost > 0 {
            text = format!("# {} lines are missing here\n", std::mem::take(&mut self.lost));
        }
        let mark = match way {
            Way::Out => '>',
            Way::In => '<',
        };
        let (tick, micros) = (at.tick.as_micros(), at.utc.as_micros().rem_euclid(1_000_000));
        let utc = at.utc.to_seconds_string();
        let utc = utc.trim_end_matches('Z');
        text.push_str(&format!("{}.{:06} {utc}.{micros:06}Z {mark} {line}\n", tick / 1_000_000, tick % 1_000_000));
        out.write_all(text.as_bytes()).map_err(StoreError::io("write", &path))?;
        self.written += u64::try_from(text.len()).unwrap_or(0);
        if at.tick.since(self.flushed) >= FLUSH {
            self.flushed = at.tick;
            out.flush().map_err(StoreError::io("write", &path))?;
            self.changes.mark_folder(folder);
        }
        Ok(())
    }

    fn look_for_space(&self, folder: &Path) -> Result<(), StoreError> {
        let free = rustix::fs::statvfs(folder).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize));
        let full = || io::Error::new(io::ErrorKind::StorageFull, "less free space than [store] min_free_mb asks for");
        if free < self.min_free_bytes { Err(StoreError::io("write to", folder)(full())) } else { Ok(()) }
    }
}

impl Drop for WireFile {
    fn drop(&mut self) {
        self.close();
    }
}

/// Every line of the log in this folder, in order; what cannot be read ends it.
pub fn read_raw_log(folder: &Path, mut each: impl FnMut(&str)) -> Result<(), StoreError> {
    let mut older = parts(folder);
    older.sort();
    let newest = Some(folder.join(NAME)).filter(|path| path.exists());
    for path in older.into_iter().map(|(_, path)| path).chain(newest) {
        let file = File::open(&path).map_err(StoreError::io("open", &path))?;
        let packed = path.extension().is_some_and(|end| end == "gz");
        let lines: Box<dyn BufRead> =
            if packed { Box::new(BufReader::new(GzDecoder::new(file))) } else { Box::new(BufReader::new(file)) };
        for line in lines.lines() {
            each(&line.map_err(StoreError::io("read", &path))?);
        }
    }
    Ok(())
}

/// Puts the full part aside, and compresses it.
fn rotate(folder: &Path) -> Result<(), StoreError> {
    let number = 1 + parts(folder).into_iter().map(|(number, _)| number).max().unwrap_or(0);
    let part = folder.join(format!("raw.{number:06}.aklog"));
    let full = folder.join(NAME);
    fs::rename(&full, &part).map_err(StoreError::io("rename", &full))?;
    compress(&part).map_err(StoreError::io("compress", &part))
}

/// A crash may have come between.
fn compress_old_parts(folder: &Path) -> io::Result<()> {
    let plain = parts(folder).into_iter().filter(|(_, path)| path.extension().is_some_and(|end| end == "aklog"));
    plain.map(|(_, path)| path).try_for_each(|path| compress(&path))
}

/// Parts that were put aside, with their numbers.
fn parts(folder: &Path) -> Vec<(u64, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let number = |path: &Path| {
        let name = path.file_name()?.to_str()?;
        name.strip_prefix("raw.")?
            .strip_suffix(".gz")
            .unwrap_or(name.strip_prefix("raw.")?)
            .strip_suffix(".aklog")?
            .parse()
            .ok()
    };
    entries.filter_map(|path| Some((number(&path)?, path))).collect()
}

fn compress(part: &Path) -> io::Result<()> {
    let (packed, draft) = (part.with_extension("aklog.gz"), part.with_extension("aklog.new"));
    let mut out = GzEncoder::new(File::create(&draft)?, Compression::default());
    io::copy(&mut File::open(part)?, &mut out)?;
    out.finish()?.sync_all()?;
    fs::rename(&draft, &packed)?;
    fs::remove_file(part)
}
