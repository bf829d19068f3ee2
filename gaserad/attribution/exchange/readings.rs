//! When the results of an analyzer came that does not tell its phase, and how late they can be.

use std::time::Duration;

use super::rhythm;
use crate::domain::{ResultRead, Tick};

/// How the results came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Readings {
    started: Option<Tick>,
    first: Option<Tick>,
    newest: Option<Newest>,
    /// From one result to the next.
    pub cycle: rhythm::Mean,
}

/// The newest result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Newest {
    /// It was not there yet, and it was.
    pub after: Tick,
    pub read: Tick,
    pub iteration: Option<u32>,
}

impl Readings {
    pub fn start(at: Tick) -> Self {
        Self { started: Some(at), newest: Some(Newest { after: at, read: at, iteration: None }), ..Self::default() }
    }

    /// Takes in a reading. Gives the one before, and how late results can be as far as these show: the first one
    /// against the start of the measurement, each against the one before.
    pub fn take(&mut self, read: &ResultRead) -> (Option<Newest>, Duration) {
        // A result may take a moment to show: its iteration may have been over one reading earlier.
        let after = read.after.back(read.read.since(read.after));
        let before = self.newest.replace(Newest { after, read: read.read, iteration: read.iteration });
        let Some(first) = self.first else {
            self.first = Some(read.read);
            return (before, Duration::ZERO);
        };
        let counted =
            before.and_then(|before| read.iteration?.checked_sub(before.iteration?)).unwrap_or(1).clamp(1, 64);
        let passed = before.map_or(Duration::ZERO, |before| read.read.since(before.read)) / counted;
        let usual = self.cycle.get();
        self.cycle.take(passed);
        let irregular = usual.map_or(Duration::ZERO, |usual| passed.abs_diff(usual));
        let irregular = usual.filter(|usual| irregular > *usual / 4).map_or(Duration::ZERO, |_| irregular);
        let cycle = self.cycle.get().unwrap_or(passed);
        // The length of iterations may vary.
        let since_start = self.started.map_or(Duration::ZERO, |started| first.since(started));
        (before, irregular + since_start.saturating_sub(cycle + cycle / 8))
    }
}
