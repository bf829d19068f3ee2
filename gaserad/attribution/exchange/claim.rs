//! Which exchange a new result is of. Every result is of one, and each exchange gives one.
//!
//! A result comes when its iteration is over, which is when the next exchange begins; it is read a little later. What is
//! known is when it was not there yet, when it was, and the phase at a look right after. Where that leaves two exchanges
//! open, the window covers both, and what is credited must hold for both.

use std::time::Duration;

use super::{Arrival, Drawn, Exchange, Exchanges, Origin};
use crate::domain::{AnalyzerPhase, ResultRead, Tick};

/// How the newest result of an analyzer without phases came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Glimpse {
    /// It was not there yet, and it was.
    after: Tick,
    read: Tick,
    iteration: Option<u32>,
}

impl Glimpse {
    pub(super) const fn start(at: Tick) -> Self {
        Self { after: at, read: at, iteration: None }
    }

    fn of(read: &ResultRead) -> Self {
        // A result may take a moment to show: its iteration may have been over one reading earlier.
        let step = read.read.since(read.after);
        let after = Tick::from_micros(read.after.as_micros().saturating_sub(micros(step)));
        Self { after, read: read.read, iteration: read.iteration }
    }
}

impl Exchanges {
    /// Finds the exchange that a new result is of, and notes that it has come.
    pub fn claim(&mut self, read: &ResultRead) -> Origin {
        if self.is_blind() {
            return self.claim_blindly(read);
        }
        let Some(last) = newest_result(self.drawn.len(), read.phase) else { return Origin::BeforeTheRun };
        let waiting =
            self.drawn.iter().rposition(|drawn| drawn.result != Arrival::Awaited).map_or(0, |claimed| claimed + 1);
        if waiting > last {
            return self.claim_doubtful(last);
        }
        let first = self.oldest_result(read, last).max(waiting);
        let (Some(oldest), Some(newest)) = (self.drawn[first].exchange(), self.drawn[last].exchange()) else {
            return Origin::Unknown;
        };
        for (place, drawn) in (0..).zip(self.drawn.iter_mut().take(last + 1)) {
            drawn.result = if place > first { Arrival::Doubtful } else { Arrival::Come };
        }
        let exchange = Exchange {
            iteration: newest.iteration.filter(|_| first == last),
            began_after: oldest.began_after,
            ..newest
        };
        Origin::Exchange { exchange, missed: u32::try_from(first - waiting).unwrap_or(u32::MAX) }
    }

    /// The result before may have been of an earlier exchange than the newest that was open then.
    fn claim_doubtful(&mut self, last: usize) -> Origin {
        let doubtful = self.drawn.get_mut(last).filter(|drawn| drawn.result == Arrival::Doubtful);
        let Some(drawn) = doubtful else { return Origin::Unknown };
        drawn.result = Arrival::Come;
        drawn.exchange().map_or(Origin::Unknown, |exchange| Origin::Exchange { exchange, missed: 0 })
    }

    /// Without phases, the exchange is somewhere between the end of the iteration before and the reading.
    fn claim_blindly(&mut self, read: &ResultRead) -> Origin {
        let Some(before) = self.blind.replace(Glimpse::of(read)) else { return Origin::BeforeTheRun };
        let counted = before.iteration.zip(read.iteration).map(|(before, now)| now.saturating_sub(before));
        let exchange = Exchange {
            iteration: None,
            began_after: before.after,
            began_before: before.read,
            ended_after: before.read,
            ended_before: read.read,
        };
        Origin::Exchange { exchange, missed: counted.map_or(0, |counted| counted.saturating_sub(1)) }
    }

    /// The oldest exchange that a reading may have given, if the look after it suggests `last`.
    fn oldest_result(&self, read: &ResultRead, last: usize) -> usize {
        let later = self.drawn.iter().rev().take_while(|drawn| drawn.began.1 > read.read).count();
        if later > 0 {
            let phase = self.previous.map_or(AnalyzerPhase::GasExchange, |previous| previous.phase);
            return newest_result(self.drawn.len() - later, phase).unwrap_or_default().min(last);
        }
        // In the analysis it may still be the result before, not read in time.
        if is_early(read.phase) || self.was_due(&self.drawn[last], read.after) { last } else { last.saturating_sub(1) }
    }

    /// Whether the result of the exchange before `drawn` would have been there at `reading`.
    fn was_due(&self, drawn: &Drawn, reading: Tick) -> bool {
        let lag = self.cycle.map_or(Self::SLOWEST_RESULT, |cycle| (cycle / 8).min(Self::SLOWEST_RESULT));
        reading > drawn.began.1 + lag
    }

    /// A result is there so long after its iteration at the latest.
    const SLOWEST_RESULT: Duration = Duration::from_secs(5);
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// While an exchange is drawn or integrated, a result can only be of the one before.
const fn is_early(phase: AnalyzerPhase) -> bool {
    matches!(phase, AnalyzerPhase::GasExchange | AnalyzerPhase::Integration)
}

/// Which of so many exchanges the newest result is of, in this phase.
fn newest_result(drawn: usize, phase: AnalyzerPhase) -> Option<usize> {
    drawn.checked_sub(if is_early(phase) { 2 } else { 1 })
}
