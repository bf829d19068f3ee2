//! How often to look. Once a second does for an analyzer that takes a minute for an iteration; a simulated one may take
//! a minute for a thousand. Its speed is not known beforehand, so the first looks of a measurement are close together and
//! grow apart, and the length of its iterations then sets the interval. All durations are outside time.

use std::time::Duration;

use crate::domain::{AnalyzerPhase, AnalyzerState};

/// Where the analyzer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PacePlace {
    pub state: AnalyzerState,
    pub phase: AnalyzerPhase,
    /// Where the analyzer counts.
    pub iteration: Option<u32>,
}

impl PacePlace {
    pub(super) fn is_measuring(&self) -> bool {
        self.state == AnalyzerState::Measuring
    }

    /// How many iterations began since `before`. Counter and phase do not always change together, so that only one
    /// of them is believed.
    fn begun_since(&self, before: &Self) -> u32 {
        match (before.iteration, self.iteration) {
            (Some(before), Some(now)) => now.saturating_sub(before),
            _ => u32::from(self.draws() && !before.draws()),
        }
    }

    fn draws(&self) -> bool {
        self.phase == AnalyzerPhase::GasExchange
    }

    /// Whether what comes next may be the end of an iteration: an analyzer without phases does not tell.
    pub(super) fn may_end_an_iteration(&self) -> bool {
        matches!(self.phase, AnalyzerPhase::Analysis | AnalyzerPhase::None)
    }

    /// Whether the analyzer may have been switched off between, or told to reboot.
    pub(super) fn may_have_restarted_since(&self, before: &Self) -> bool {
        let initializing = |place: &Self| place.state == AnalyzerState::Initializing;
        (initializing(before) && !initializing(self)) || self.iteration < before.iteration
    }

    /// Whether a result may have come between.
    pub(super) fn may_have_resulted_since(&self, before: &Self) -> bool {
        let analyzed = before.phase == AnalyzerPhase::Analysis && self.phase != before.phase;
        let anew = self.draws() && !before.draws();
        before.is_measuring() && (!self.is_measuring() || analyzed || anew || self.iteration != before.iteration)
    }
}

/// Nothing can be followed more closely: each look takes three questions.
const FLOOR: Duration = Duration::from_millis(20);
/// As many looks as an iteration is to get; a gas exchange is a fifth of it or so.
const LOOKS: u32 = 40;
/// An iteration that got fewer was not followed.
const FEWEST_LOOKS: u32 = 4;
/// While a measurement is young, the next look comes after this part of its age.
const EARLY: u32 = 10;

/// Polls that are so many intervals apart are told of.
const GAP: u32 = 3;

#[derive(Debug)]
pub(super) struct PollPace {
    /// How far polls are apart that come one after the other, as far as they were seen.
    usual: Duration,
    /// How long an iteration takes, once one was followed.
    length: Option<Duration>,
    longest: Duration,
    interval: Duration,
    /// Since the analyzer was first seen measuring, while it does.
    measuring: Option<Duration>,
    /// Since the iteration under way was seen to begin.
    iteration: Option<Duration>,
    looks: u32,
}

impl PollPace {
    pub(super) fn new(longest: Duration) -> Self {
        Self {
            usual: Duration::ZERO,
            length: None,
            longest,
            interval: longest,
            measuring: None,
            iteration: None,
            looks: 0,
        }
    }

    /// Until the next look at an analyzer that is not idle.
    pub(super) fn interval(&self) -> Duration {
        self.measuring.map_or(self.longest, |age| self.interval.min(age / EARLY).max(self.floor()))
    }

    /// Takes in a look, and how long ago the one before it was.
    pub(super) fn note(&mut self, before: Option<&PacePlace>, now: &PacePlace, passed: Duration) {
        let Some(before) = before.filter(|before| before.is_measuring() && now.is_measuring()) else {
            self.measuring = now.is_measuring().then_some(Duration::ZERO);
            (self.iteration, self.looks) = (None, 0);
            return;
        };
        self.measuring = self.measuring.map(|age| age + passed);
        self.iteration = self.iteration.map(|lasted| lasted + passed);
        self.looks += 1;
        self.usual = if self.usual.is_zero() { passed } else { (self.usual * 7 + passed.min(self.usual * 3)) / 8 };
        let begun = now.begun_since(before);
        if begun == 0 {
            return;
        }
        if let Some(lasted) = self.iteration {
            self.length = Some(lasted / begun);
            self.tighten(lasted / begun / LOOKS);
        }
        if begun > 1 || (self.iteration.is_some() && self.looks < FEWEST_LOOKS) {
            self.tighten(self.interval / 2);
        }
        (self.iteration, self.looks) = (Some(Duration::ZERO), 0);
    }

    /// Whether polls so far apart may have missed something, so that even one that found nothing new is told.
    pub(super) fn could_miss(&self, passed: Duration) -> bool {
        let usual = (self.interval() * GAP).max(self.usual * 2);
        let most = self.length.map_or(Duration::MAX, |length| length / 4);
        self.measuring.is_some() && passed > usual.min(most)
    }

    fn tighten(&mut self, interval: Duration) {
        self.interval = self.interval.min(interval).max(self.floor());
    }

    fn floor(&self) -> Duration {
        FLOOR.min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(phase: AnalyzerPhase, iteration: Option<u32>) -> PacePlace {
        PacePlace { state: AnalyzerState::Measuring, phase, iteration }
    }

    /// Follows an analyzer whose iterations take `cycle`; gives the interval at the end.
    fn follow(pace: &mut PollPace, cycle: Duration, counts: bool) -> Duration {
        let mut before = None;
        let mut passed = Duration::ZERO;
        let mut time = Duration::ZERO;
        while time < 5 * cycle {
            let number = u32::try_from(time.as_micros() / cycle.as_micros()).unwrap();
            let part = time.as_secs_f64() / cycle.as_secs_f64() - f64::from(number);
            let phase = if part < 0.2 { AnalyzerPhase::GasExchange } else { AnalyzerPhase::Integration };
            let now = at(phase, counts.then_some(number));
            pace.note(before.as_ref(), &now, passed);
            before = Some(now);
            passed = pace.interval();
            time += passed;
        }
        passed
    }

    #[test]
    fn a_slow_analyzer_is_looked_at_once_a_second() {
        assert_eq!(follow(&mut PollPace::new(SECOND), 58 * SECOND, true), SECOND);
        assert_eq!(follow(&mut PollPace::new(SECOND), 58 * SECOND, false), SECOND);
    }

    #[test]
    fn a_fast_analyzer_is_looked_at_as_often_as_it_needs() {
        for counts in [true, false] {
            let interval = follow(&mut PollPace::new(SECOND), SECOND, counts);
            assert!(interval <= SECOND / 30 && interval >= FLOOR, "{interval:?}");
        }
    }

    #[test]
    fn nothing_is_looked_at_more_often_than_can_be() {
        assert_eq!(follow(&mut PollPace::new(SECOND), SECOND / 20, true), FLOOR);
    }

    #[test]
    fn iterations_that_passed_unseen_halve_the_interval() {
        let mut pace = PollPace::new(SECOND);
        pace.measuring = Some(60 * SECOND);
        pace.note(Some(&at(AnalyzerPhase::Analysis, Some(0))), &at(AnalyzerPhase::Analysis, Some(2)), SECOND);
        assert_eq!(pace.interval(), SECOND / 2);
        pace.note(Some(&at(AnalyzerPhase::Analysis, Some(2))), &at(AnalyzerPhase::Analysis, Some(4)), SECOND / 2);
        assert!(pace.interval() <= SECOND / 4);
    }

    #[test]
    fn a_counter_that_changes_later_than_the_phase_makes_no_second_iteration() {
        let mut pace = PollPace::new(SECOND);
        pace.measuring = Some(60 * SECOND);
        let mut before = at(AnalyzerPhase::Analysis, Some(0));
        for second in 1..600 {
            // The counter follows the phase a second later.
            let phase = if second % 60 < 12 { AnalyzerPhase::GasExchange } else { AnalyzerPhase::Integration };
            let now = at(phase, Some((second - 1) / 60));
            pace.note(Some(&before), &now, SECOND);
            before = now;
        }
        assert_eq!(pace.interval(), SECOND);
    }
}
