//! The results of an analyzer that does not tell its phase: each is of an exchange between the end of the iteration
//! before and the reading.

use std::time::Duration;

use super::lengths::whole_times;
use super::{Exchange, Exchanges, Origin, rhythm};
use crate::domain::{ResultRead, Tick};

/// How the results came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Readings {
    started: Option<Tick>,
    first: Option<Tick>,
    newest: Option<Newest>,
    /// From one result to the next.
    cycle: rhythm::Mean,
}

/// The newest result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Newest {
    /// It was not there yet, and it was.
    after: Tick,
    read: Tick,
    iteration: Option<u32>,
}

impl Readings {
    pub fn start(at: Tick) -> Self {
        Self { started: Some(at), newest: Some(Newest { after: at, read: at, iteration: None }), ..Self::default() }
    }

    /// Takes in a reading. Gives the one before, and how late results can be as far as these show: the first one
    /// against the start of the measurement, each against the one before.
    fn take(&mut self, read: &ResultRead) -> (Option<Newest>, Duration) {
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

impl Exchanges {
    pub(super) fn claim_blindly(&mut self, read: &ResultRead) -> Origin {
        let in_doubt = self.started + self.lags().result;
        if self.started > Tick::ZERO && read.after < in_doubt && !std::mem::replace(&mut self.met_before, true) {
            // It can be of a measurement before, and late.
            let sure = read.read <= in_doubt;
            return if sure { Origin::BeforeTheRun } else { Origin::Contradicted { missed: 0 } };
        }
        let (before, late) = self.blind.take(read);
        self.lateness.learn_results(late);
        let Some(before) = before else { return Origin::BeforeTheRun };
        let counted = before.iteration.zip(read.iteration).map(|(before, now)| now.saturating_sub(before));
        let by_time = self.blind.cycle.get().map(|cycle| whole_times(read.read.since(before.read) + cycle / 2, cycle));
        let passed = counted.max(by_time.filter(|_| before.read > self.started)).unwrap_or(0);
        let lag = self.lags().result;
        let exchange = Exchange {
            iteration: None,
            began_after: before.after.back(lag).max(self.started),
            began_before: before.read,
            ended_after: before.read,
            ended_before: read.read,
        };
        Origin::Exchange { exchange, missed: passed.saturating_sub(1) }
    }
}
