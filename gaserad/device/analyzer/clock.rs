//! How far the analyzer's clock is from the host's.
//!
//! It tells whole seconds, so one reading leaves a second open, and half of it is the best guess. Asked again just when
//! its second should change, it says on which side of the guess it is: a few questions leave a few hundredths.

use std::time::Duration;

use super::AnalyzerOwner;
use super::fault::SessionError;
use crate::ak::Command;
use crate::domain::instrument::ClockReading;
use crate::domain::{AnalyzerNews, AnalyzerTime, Moment, Tick, Utc};

const SECOND_US: i64 = 1_000_000;
const EVERY: Duration = Duration::from_secs(600);
/// After the first reading, and after one that does not fit those before it.
const REFINEMENTS: u8 = 4;
/// Finer than this no question can tell.
const FINE_US: i64 = 60_000;
/// Two clocks part by so much in a second, at most.
const DRIFT_PPM: i64 = 100;
/// A smaller change is not told.
const COARSE_STEP_MS: u64 = 1000;
const FINE_STEP_MS: u64 = 100;

/// The analyzer's clock minus the host's lies between, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bounds {
    low: i64,
    high: i64,
    at: Tick,
}

#[derive(Debug, Default)]
pub(super) struct ClockTrack {
    bounds: Option<Bounds>,
    refinements: u8,
    told_ms: Option<i64>,
    pub(super) due: Option<Tick>,
}

impl Bounds {
    /// What one reading says, asked and answered at these moments.
    fn of(stamp: AnalyzerTime, asked: Moment, answered: Moment) -> Self {
        let shown = stamp.0.saturating_mul(SECOND_US);
        let low = shown.saturating_sub(answered.utc.as_micros());
        let high = shown.saturating_add(SECOND_US).saturating_sub(asked.utc.as_micros());
        Self { low, high: high.max(low), at: answered.tick }
    }

    /// Later, both clocks may have parted.
    fn widened(self, to: Tick) -> Self {
        let seconds = i64::try_from(to.since(self.at).as_secs()).unwrap_or(i64::MAX);
        let drift = seconds.saturating_mul(DRIFT_PPM);
        Self { low: self.low.saturating_sub(drift), high: self.high.saturating_add(drift), at: to }
    }

    /// `None` if one of the clocks was set in between.
    fn and(self, other: Self) -> Option<Self> {
        let both = Self { low: self.low.max(other.low), high: self.high.min(other.high), at: self.at.max(other.at) };
        (both.low <= both.high).then_some(both)
    }

    const fn middle(self) -> i64 {
        i64::midpoint(self.low, self.high)
    }

    const fn width(self) -> i64 {
        self.high.saturating_sub(self.low)
    }

    /// How long after `now` the analyzer's second changes, if the middle is right.
    fn until_change(self, now: Moment) -> Duration {
        let there = now.utc.as_micros().saturating_add(self.middle());
        let left = SECOND_US - there.rem_euclid(SECOND_US);
        Duration::from_micros(left.unsigned_abs())
    }
}

impl ClockTrack {
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Takes in a reading; gives the offset in milliseconds if it is to be told.
    fn note(&mut self, stamp: AnalyzerTime, asked: Moment, answered: Moment) -> Option<i64> {
        let here = Bounds::of(stamp, asked, answered);
        let fitting = self.bounds.and_then(|known| known.widened(here.at).and(here));
        self.refinements = if fitting.is_some() { self.refinements.saturating_sub(1) } else { REFINEMENTS };
        let bounds = fitting.unwrap_or(here);
        self.bounds = Some(bounds);
        let latency = i64::try_from(answered.tick.since(asked.tick).as_micros()).unwrap_or(i64::MAX);
        if bounds.width() <= FINE_US.max(latency.saturating_mul(4)) {
            self.refinements = 0;
        }
        let later = if self.refinements > 0 { Duration::ZERO } else { EVERY };
        let from = Moment { tick: answered.tick + later, utc: answered.utc + later };
        self.due = Some(from.tick + bounds.until_change(from));
        self.news_of(bounds.middle().div_euclid(1000))
    }

    fn news_of(&mut self, offset_ms: i64) -> Option<i64> {
        let step = if self.refinements > 0 { COARSE_STEP_MS } else { FINE_STEP_MS };
        let new = self.told_ms.is_none_or(|told| told.abs_diff(offset_ms) >= step);
        if new {
            self.told_ms = Some(offset_ms);
        }
        new.then_some(offset_ms)
    }

    fn offset_ms(&self) -> Option<i64> {
        self.bounds.map(|bounds| bounds.middle().div_euclid(1000))
    }
}

impl AnalyzerOwner {
    /// Until the clock is to be read, where it can be.
    pub(super) fn until_clock_is_due(&self) -> Option<Duration> {
        let due = self.clock_track.due.filter(|_| self.contact.greeted)?;
        Some(self.clock.outside(due.since(self.now())))
    }

    /// Both clocks; `None` if the analyzer does not tell its own.
    pub(super) async fn read_clock(&mut self) -> Result<Option<ClockReading>, SessionError> {
        let asked = self.clock.now();
        let reply = self.probe(&Command::Clock).await?;
        let answered = self.clock.now();
        let Some(analyzer) = reply.and_then(|reply| reply.clock().ok()) else {
            self.clock_track.due = None;
            return Ok(None);
        };
        if let Some(offset_ms) = self.clock_track.note(analyzer, asked, answered) {
            self.news(AnalyzerNews::Clock { offset_ms });
        }
        let host = Utc::from_micros(i64::midpoint(asked.utc.as_micros(), answered.utc.as_micros()));
        Ok(self.clock_track.offset_ms().map(|offset_ms| ClockReading { analyzer, host, offset_ms }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(micros: i64) -> Moment {
        Moment { tick: Tick::from_micros(micros.unsigned_abs()), utc: Utc::from_micros(micros) }
    }

    /// Reads a clock that is ahead by `offset` microseconds, as often as it asks to be, until `end`.
    fn follow(track: &mut ClockTrack, mut at: i64, offset: i64, latency: i64, end: i64) -> (u32, Vec<i64>) {
        let (mut questions, mut told) = (0, Vec::new());
        while at < end {
            questions += 1;
            let stamp = AnalyzerTime((at + latency / 2 + offset).div_euclid(SECOND_US));
            told.extend(track.note(stamp, moment(at), moment(at + latency)));
            at = i64::try_from(track.due.unwrap().as_micros()).unwrap();
        }
        (questions, told)
    }

    #[test]
    fn a_few_questions_tell_the_offset_to_a_few_hundredths() {
        for offset in [0, 250_000, -3_600_123_456, 999_999] {
            let mut track = ClockTrack::default();
            let (questions, told) = follow(&mut track, 137_000, offset, 4000, 60 * SECOND_US);
            assert!(questions <= 1 + u32::from(REFINEMENTS), "{questions}");
            let error = (track.bounds.unwrap().middle() - offset).abs();
            assert!(error < 50_000, "{error}");
            assert!(told.len() <= 2, "{told:?}");
        }
    }

    #[test]
    fn afterwards_it_is_asked_once_in_ten_minutes() {
        let mut track = ClockTrack::default();
        let (questions, told) = follow(&mut track, 0, 1_234_567, 4000, 24 * 3600 * SECOND_US);
        assert!((140..=150).contains(&questions), "{questions}");
        assert!(told.len() <= 2, "{told:?}");
        assert!((track.bounds.unwrap().middle() - 1_234_567).abs() < 150_000);
    }

    #[test]
    fn a_clock_that_was_set_is_measured_anew() {
        let mut track = ClockTrack::default();
        follow(&mut track, 0, 0, 4000, 600 * SECOND_US);
        let (_, told) = follow(&mut track, 1200 * SECOND_US, 3_600_000_000, 4000, 1260 * SECOND_US);
        assert!(told.last().unwrap().abs_diff(3_600_000) < 50, "{told:?}");
    }

    #[test]
    fn a_slow_reply_is_believed_no_further_than_it_reaches() {
        let mut track = ClockTrack::default();
        follow(&mut track, 0, 500_000, 2_000_000, 60 * SECOND_US);
        let bounds = track.bounds.unwrap();
        assert!(bounds.low <= 500_000 && bounds.high >= 500_000, "{bounds:?}");
    }
}
