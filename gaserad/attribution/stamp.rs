//! What the analyzer's time stamps mean. Depending on its database's version, a result is stamped with the time at which
//! its gas was drawn, or at which it was calculated; there is no asking. With both clocks compared it shows.
//!
//! Attribution does not rest on stamps: the clock they are of may be hours off and may be set at any time. That it was
//! set shows in the stamps before the clocks are compared again.

use std::time::Duration;

use super::Exchange;
use crate::domain::{AnalyzerTime, Moment, ResultRead, StampMeaning, Tick};

/// Stamps are whole seconds, and so is the comparison of the clocks.
const BLUR_MS: i64 = 1500;
/// So many more results for one meaning than for the other, and it is believed.
const MAJORITY: i32 = 3;
const MOST_VOTES: i32 = 10;
/// Against what the clocks and the looks leave uncertain, more than this is a step.
const STEP_MS: i64 = 5000;

/// A result's stamp beside what the host knows of the same result.
#[derive(Debug, Clone, Copy)]
pub struct Dating<'a> {
    pub stamp: AnalyzerTime,
    pub exchange: Exchange,
    pub read: &'a ResultRead,
    /// The host's clocks now.
    pub at: Moment,
    /// The analyzer's clock minus the host's, as last compared.
    pub offset_ms: Option<i64>,
}

/// A span on the host's wall clock, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    from: i64,
    to: i64,
}

impl Span {
    fn holds(self, at: i64) -> bool {
        (self.from - BLUR_MS..=self.to + BLUR_MS).contains(&at)
    }

    const fn middle(self) -> i64 {
        i64::midpoint(self.from, self.to)
    }

    const fn half(self) -> i64 {
        (self.to - self.from) / 2
    }
}

impl Dating<'_> {
    fn span(&self, from: Tick, to: Tick) -> Span {
        let ms = |tick| self.at.utc_at(tick).as_micros().div_euclid(1000);
        Span { from: ms(from), to: ms(to.max(from)) }
    }

    fn drawn(&self) -> Span {
        self.span(self.exchange.began_after, self.exchange.ended_before)
    }

    /// When the result came to be: not long before it showed.
    fn shown(&self) -> Span {
        let read = self.read;
        let known = if read.after == Tick::ZERO { read.read } else { read.after };
        let slack = read.read.since(known).max(Duration::from_secs(1));
        let from = known.as_micros().saturating_sub(u64::try_from(slack.as_micros()).unwrap_or(u64::MAX));
        self.span(Tick::from_micros(from), read.read)
    }
}

/// What is known of the analyzer's stamps.
#[derive(Debug, Clone, Default)]
pub struct Stamps {
    /// Somebody knows it.
    given: Option<StampMeaning>,
    /// Results that fit only sampling, minus those that fit only calculation.
    votes: i32,
    inferred: Option<StampMeaning>,
    /// The last stamp minus the host's time of the same moment, and how uncertain that is.
    lead: Option<(i64, i64)>,
}

impl Stamps {
    pub fn known(meaning: StampMeaning) -> Self {
        Self { given: Some(meaning), ..Self::default() }
    }

    pub fn meaning(&self) -> Option<StampMeaning> {
        self.given.or(self.inferred)
    }

    /// A clock was set: leads before and after are not to be compared.
    pub fn forget_dating(&mut self) {
        self.lead = None;
    }

    /// Takes in a result. Gives by how many milliseconds the analyzer's clock was set since the one before.
    pub fn weigh(&mut self, dating: &Dating<'_>) -> Option<i64> {
        self.vote(dating);
        let span = if self.meaning() == Some(StampMeaning::Calculated) {
            dating.shown()
        } else {
            dating.span(dating.exchange.ended_after, dating.exchange.ended_before)
        };
        let lead = (dating.stamp.0.saturating_mul(1000) - span.middle(), span.half() + BLUR_MS);
        let before = self.lead.replace(lead)?;
        let step = lead.0 - before.0;
        // While it is not known what stamps mean, they may also follow the length of the iterations.
        let certain = self.meaning().is_some() && step.abs() > STEP_MS + lead.1 + before.1;
        certain.then_some(step)
    }

    fn vote(&mut self, dating: &Dating<'_>) {
        let Some(offset) = dating.offset_ms else { return };
        let stamped = dating.stamp.0.saturating_mul(1000).saturating_sub(offset);
        let vote = match (dating.drawn().holds(stamped), dating.shown().holds(stamped)) {
            (true, false) => 1,
            (false, true) => -1,
            _ => return,
        };
        self.votes = (self.votes + vote).clamp(-MOST_VOTES, MOST_VOTES);
        if self.votes.abs() >= MAJORITY {
            let sampling = self.votes > 0;
            let meaning = if sampling { StampMeaning::Sampling } else { StampMeaning::Calculated };
            if self.inferred.replace(meaning) != Some(meaning) {
                self.lead = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AnalyzerPhase, Sample, Utc};

    const OFFSET_MS: i64 = 3_600_000;

    fn second(second: u64) -> Tick {
        Tick::from_micros(second * 1_000_000)
    }

    /// Iteration `number` of sixty seconds, its gas drawn in the first twelve; `stamped` seconds after its beginning.
    fn weigh(stamps: &mut Stamps, number: u64, stamped: u64, offset_ms: Option<i64>, set_by_s: i64) -> Option<i64> {
        let began = 1000 + number * 60;
        let exchange = Exchange {
            iteration: None,
            began_after: second(began - 1),
            began_before: second(began),
            ended_after: second(began + 11),
            ended_before: second(began + 12),
        };
        let stamp = AnalyzerTime(i64::try_from(began + stamped).unwrap() + OFFSET_MS / 1000 + set_by_s);
        let sample = Sample { stamp, readings: Vec::new(), raw: String::new() };
        let (after, read) = (second(began + 60), second(began + 61));
        let read = ResultRead { sample, after, asked: read, read, phase: AnalyzerPhase::GasExchange, iteration: None };
        let at = Moment { tick: second(0), utc: Utc::from_micros(0) };
        stamps.weigh(&Dating { stamp, exchange, read: &read, at, offset_ms })
    }

    #[test]
    fn the_meaning_shows_after_three_results() {
        for (stamped, meaning) in [(12, StampMeaning::Sampling), (60, StampMeaning::Calculated)] {
            let mut stamps = Stamps::default();
            for number in 0..3 {
                assert_eq!(stamps.meaning(), None);
                assert_eq!(weigh(&mut stamps, number, stamped, Some(OFFSET_MS), 0), None);
            }
            assert_eq!(stamps.meaning(), Some(meaning));
        }
    }

    #[test]
    fn without_a_comparison_of_the_clocks_nothing_is_inferred() {
        let mut stamps = Stamps::default();
        for number in 0..20 {
            weigh(&mut stamps, number, 12, None, 0);
        }
        assert_eq!(stamps.meaning(), None);
    }

    #[test]
    fn a_clock_that_was_set_shows_in_the_next_stamp() {
        let mut stamps = Stamps::known(StampMeaning::Sampling);
        assert_eq!(weigh(&mut stamps, 0, 12, Some(OFFSET_MS), 0), None);
        assert_eq!(weigh(&mut stamps, 1, 12, Some(OFFSET_MS), 3600), Some(3_600_000));
        assert_eq!(weigh(&mut stamps, 2, 12, Some(OFFSET_MS), 3600), None);
    }
}
