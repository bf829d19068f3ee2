//! How long an iteration and its parts take, and what that says of polls that were far apart: whether one can have passed
//! between them, or takes too long to be one.

use std::time::Duration;

use super::contradiction::Contradiction;
use super::ranks::{ANALYSIS, GAS_EXCHANGE, INTEGRATION, rank};
use super::{Arrival, Exchanges};
use crate::domain::{AnalyzerState, Seen, Tick};

impl Exchanges {
    /// Until an integration was seen, no longer one is taken to fit between two polls only because polls are rare.
    const BRIEF: Duration = Duration::from_secs(10);
    /// What an integration takes at least, until one was seen.
    pub(super) const SHORTEST_INTEGRATION: Duration = Duration::from_millis(1500);

    /// Whether the newest exchange began less than half an iteration ago.
    pub(super) fn is_too_soon(&self, seen: Seen) -> bool {
        let Some((usual, newest)) = self.usual.get().zip(self.drawn.back()) else { return false };
        newest.result != Arrival::Come && seen.before.since(newest.began.0) < usual / 2
    }

    /// Whether the newest iteration was cut short between two polls, and another one of a new measurement goes on in its
    /// place: that one ends later than it would have ended. It was not over yet at the tick that is given.
    pub(super) fn mind_the_length(&mut self, lasts: Tick) {
        let Some(((usual, drawing), newest)) = self.usual.get().zip(self.exchange.get()).zip(self.drawn.back()) else {
            return;
        };
        let lasted = lasts.since(newest.began.1);
        let gap = (drawing / 2).max(self.polls.get().unwrap_or_default() * 3 / 2);
        let believed = newest.is_whole();
        if believed && newest.unwatched >= gap && lasted > usual + drawing / 2 {
            self.contradict(Contradiction::TooLong);
            self.doubt_newest(true);
        }
    }

    /// Whether a whole integration, and with it an exchange, fits between two polls.
    pub(super) fn could_wrap(&self, seen: Seen) -> bool {
        // Integrations of one task hardly differ; what was seen of them is a little less than they last.
        let unseen = || self.lasted.max(self.polls.get().map_or(Duration::ZERO, |poll| poll * 3).min(Self::BRIEF));
        let shortest = self.integration.get().unwrap_or_else(unseen) * 3 / 4;
        seen.before.since(seen.after) >= shortest.max(Self::SHORTEST_INTEGRATION)
    }

    /// Until an integration was seen from its beginning to its end, no iteration is taken to be shorter than its phases.
    pub(super) fn least_integration(&self) -> Duration {
        self.integration.get().unwrap_or(self.lasted)
    }

    pub(super) fn time_phase_under_way(&mut self, seen: Seen) {
        let under_way = self.phase_since.map_or(Duration::ZERO, |(_, since)| seen.after.since(since));
        self.lasted = self.lasted.max(under_way);
    }

    pub(super) fn time_cycle(&mut self, seen: Seen) {
        let Some(before) = self.drawn.back().filter(|drawn| drawn.is_whole()) else { return };
        let lasted = seen.before.since(before.began.1);
        self.cycle = Some(lasted);
        self.cycles.take(lasted);
        self.usual.take(lasted);
    }

    /// How long integration and analysis last, where they were polled from their beginning to their end.
    pub(super) fn time_phase(&mut self, seen: Seen) {
        let now = if seen.state == AnalyzerState::Measuring { rank(seen.phase) } else { 0 };
        let doubtful = self.drawn.back().is_none_or(|drawn| drawn.doubt);
        match self.phase_since {
            Some((rank, _)) if rank == now => {}
            Some((rank, since)) => {
                let lasted = seen.after.since(since);
                match (rank, now) {
                    _ if doubtful || lasted.is_zero() => {}
                    (INTEGRATION, ANALYSIS) => self.integration.take(lasted),
                    (ANALYSIS, GAS_EXCHANGE) => self.analysis.take(lasted),
                    _ => {}
                }
                self.phase_since = Some((now, seen.before));
            }
            None => self.phase_since = Some((now, seen.before)),
        }
    }
}

/// Whether a phase that usually lasts so long can have passed between two polls.
pub(super) fn fits(usual: Option<Duration>, seen: Seen) -> bool {
    usual.is_none_or(|usual| seen.before.since(seen.after) >= usual / 2)
}

pub(super) fn whole_times(passed: Duration, cycle: Duration) -> u32 {
    u32::try_from(passed.as_micros() / cycle.as_micros().max(1)).unwrap_or(u32::MAX)
}
