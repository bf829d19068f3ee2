//! The disk of a life: slow at times, full at times, and cut off in the middle of a write when the power fails.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gasera::domain::{Clock, Tick};
use gasera::store::Disk;

use crate::support::stack::clock::PausedClock;
use crate::support::stack::dice::Dice;

const NO_LIMIT: u32 = u32::MAX - 1;
/// What is free on a disk that is not full.
const ROOM: u64 = 10_000_000_000;
/// From so many pages on SQLite has copied what it wrote into the database; the log was synced before.
const COPIED: usize = 1000;

pub struct Medium {
    clock: Arc<PausedClock>,
    state: Mutex<State>,
}

struct State {
    dice: Dice,
    full_until: Tick,
    /// How long the writer of the newest commit does not know that it is kept.
    unknown_for: Duration,
    unknown_until: Tick,
    refusals: usize,
}

impl Medium {
    pub fn new(clock: Arc<PausedClock>, seed: u64) -> Self {
        let state = State {
            dice: Dice::new(seed),
            full_until: Tick::ZERO,
            unknown_for: Duration::ZERO,
            unknown_until: Tick::ZERO,
            refusals: 0,
        };
        Self { clock, state: Mutex::new(state) }
    }

    pub fn fill_for(&self, time: Duration) {
        self.state.lock().unwrap().full_until = self.clock.now().tick + time;
    }

    /// Somebody still waits to hear that the newest commit is kept.
    fn is_unknown(&self) -> bool {
        self.clock.now().tick < self.state.lock().unwrap().unknown_until
    }

    /// How often a commit met a full disk.
    pub fn refusals(&self) -> usize {
        self.state.lock().unwrap().refusals
    }

    /// The files as they are, in the middle of whatever was written last.
    pub fn as_the_power_leaves_it(&self, from: &Path, to: &Path, dice: &mut Dice) {
        copy(from, to);
        if let Ok(log) = File::options().read(true).write(true).open(to.join("state.sqlite-wal")) {
            tear(&log, self.is_unknown(), dice);
        }
        if dice.once_in(2) {
            cut_the_newest_file(&to.join("runs"), dice);
        }
    }
}

impl Disk for Medium {
    fn delays(&self) -> (Duration, Duration) {
        let mut state = self.state.lock().unwrap();
        let slowest = if state.dice.once_in(20) { 3000 } else { 40 };
        let mut delay = || Duration::from_millis(state.dice.between(0, slowest));
        let (until_kept, until_known) = (delay(), delay());
        state.unknown_for = until_known;
        (until_kept, until_known)
    }

    fn most_pages(&self) -> u32 {
        let now = self.clock.now().tick;
        let mut state = self.state.lock().unwrap();
        let full = now < state.full_until;
        // What is refused leaves nothing behind that could be torn; the newest commit is then one that was told.
        state.unknown_until = if full { now } else { now + state.unknown_for };
        state.refusals += usize::from(full);
        if full { 1 } else { NO_LIMIT }
    }

    fn free_bytes(&self) -> u64 {
        let full = self.clock.now().tick < self.state.lock().unwrap().full_until;
        if full { 0 } else { ROOM }
    }
}

/// Without the index of the log, which is in memory only.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else if entry.file_name() != "state.sqlite-shm" {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What nobody was told of may be there, in part, or not; behind it there may be anything.
fn tear(log: &File, unknown: bool, dice: &mut Dice) {
    let commits = commits(log);
    let ends = |back: usize| commits.iter().rev().nth(back).map_or(0, |(_, end)| *end);
    let frames = commits.last().map_or(0, |(frames, _)| *frames);
    let kept = if unknown && frames > 0 && frames < COPIED { ends(1) } else { ends(0) };
    let length = log.metadata().unwrap().len();
    if kept == length || kept == 0 {
        return;
    }
    let at = dice.between(kept, length - 1);
    match dice.between(1, 3) {
        1 => log.set_len(at).unwrap(),
        2 => {
            let noise: Vec<u8> =
                (0..dice.between(1, 5000)).map(|_| u8::try_from(dice.between(0, 255)).unwrap()).collect();
            log.write_all_at(&noise, at).unwrap();
        }
        _ => {}
    }
}

/// For each commit that the log holds, how many frames there are with it, and where they end.
fn commits(log: &File) -> Vec<(usize, u64)> {
    const HEADER: u64 = 32;
    const FRAME: u64 = 24;
    let mut header = [0; 32];
    if log.read_exact_at(&mut header, 0).is_err() {
        return Vec::new();
    }
    let number = |bytes: &[u8]| u64::from(u32::from_be_bytes(bytes.try_into().unwrap()));
    let size = FRAME + number(&header[8..12]);
    let mut frame = [0; 24];
    let mut commits = Vec::new();
    let mut at = HEADER;
    for frames in 1.. {
        if log.read_exact_at(&mut frame, at).is_err() || frame[8..16] != header[16..24] {
            break;
        }
        at += size;
        if number(&frame[4..8]) > 0 {
            commits.push((frames, at));
        }
    }
    commits
}

fn cut_the_newest_file(folder: &Path, dice: &mut Dice) {
    let inside = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    // By number: clocks are set. What is older was synced long ago.
    let number = |run: &PathBuf| run.to_string_lossy().rsplit('_').next().map(ToOwned::to_owned);
    let Some(newest) = inside(folder.to_owned()).flat_map(inside).max_by_key(number) else { return };
    if let Ok(file) = File::options().write(true).open(newest.join("samples.csv")) {
        let length = file.metadata().unwrap().len();
        file.set_len(dice.between(0, length)).unwrap();
    }
}
