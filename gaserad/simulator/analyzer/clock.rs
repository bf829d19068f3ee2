//! The analyzer's own clock: off, drifting, and set by hand.

use std::collections::BTreeSet;

use crate::domain::{AnalyzerTime, Moment, Tick};
use crate::simulator::faults::{ClockStep, Faults};

#[derive(Debug)]
pub struct OwnClock {
    start: Moment,
    offset_ms: i64,
    drift_ppm: f64,
    step: Option<ClockStep>,
    as_shown: bool,
    stamps: BTreeSet<AnalyzerTime>,
    newest: Option<AnalyzerTime>,
}

impl OwnClock {
    pub fn new(start: Moment, faults: &Faults) -> Self {
        Self {
            start,
            offset_ms: faults.clock_offset_ms,
            drift_ppm: faults.clock_drift_ppm,
            step: faults.clock_step,
            as_shown: faults.habits.stamps_as_shown,
            stamps: BTreeSet::new(),
            newest: None,
        }
    }

    /// What it shows.
    pub fn at(&self, tick: Tick) -> AnalyzerTime {
        let age = tick.since(self.start.tick);
        let step_ms = self.step.filter(|step| age >= step.after).map_or(0, |step| step.by_ms);
        let offset = self.offset_ms.saturating_add(step_ms).saturating_mul(1000);
        let micros = self.start.utc_at(tick).as_micros();
        let micros = micros.saturating_add(offset).saturating_add(self.drift(age.as_secs_f64()));
        AnalyzerTime(micros.div_euclid(1_000_000))
    }

    /// In microseconds: so many as parts per million of the seconds.
    #[expect(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
    fn drift(&self, age_s: f64) -> i64 {
        (age_s * self.drift_ppm).round() as i64
    }

    /// The stamp of the result before, again.
    pub fn repeated_stamp(&mut self, tick: Tick) -> AnalyzerTime {
        self.newest.unwrap_or_else(|| self.stamp(tick))
    }

    /// A stamp for a result. No two results share one, however short the cycle is, and if the clock is set back; unless
    /// stamps are what the clock shows.
    pub fn stamp(&mut self, tick: Tick) -> AnalyzerTime {
        let mut stamp = self.at(tick);
        if self.as_shown {
            self.newest = Some(stamp);
            return stamp;
        }
        if self.stamps.contains(&stamp) {
            // With cycles of less than a second the stamps run ahead of the clock.
            stamp = self.newest.map_or(stamp, |newest| newest.max(stamp));
        }
        while !self.stamps.insert(stamp) {
            stamp = AnalyzerTime(stamp.0 + 1);
        }
        self.newest = Some(stamp);
        stamp
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::simulator::Habits;

    fn clock(faults: &Faults) -> OwnClock {
        OwnClock::new(Moment::default(), faults)
    }

    fn at(seconds: u64) -> Tick {
        Tick::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn it_gains_what_it_drifts() {
        let clock = clock(&Faults { clock_offset_ms: -10_000, clock_drift_ppm: 100.0, ..Faults::default() });
        assert_eq!((clock.at(at(0)), clock.at(at(100_000))), (AnalyzerTime(-10), AnalyzerTime(100_000)));
    }

    #[test]
    fn a_clock_set_back_gives_old_times_but_no_stamp_twice() {
        let step = ClockStep { after: Duration::from_secs(4000), by_ms: -3_600_000 };
        let mut clock = clock(&Faults { clock_step: Some(step), ..Faults::default() });
        assert_eq!(clock.stamp(at(500)), AnalyzerTime(500));
        assert_eq!(clock.stamp(at(3999)), AnalyzerTime(3999));
        assert_eq!(clock.stamp(at(4001)), AnalyzerTime(401));
        assert_eq!(clock.stamp(at(4100)), AnalyzerTime(501));
        assert_eq!(clock.at(at(4100)), AnalyzerTime(500));
    }

    #[test]
    fn a_clock_set_back_repeats_stamps_where_they_are_what_it_shows() {
        let step = ClockStep { after: Duration::from_secs(4000), by_ms: -3_600_000 };
        let habits = Habits { stamps_as_shown: true, ..Habits::default() };
        let mut clock = clock(&Faults { clock_step: Some(step), habits, ..Faults::default() });
        assert_eq!(clock.stamp(at(500)), AnalyzerTime(500));
        assert_eq!((clock.stamp(at(4100)), clock.repeated_stamp(at(4158))), (AnalyzerTime(500), AnalyzerTime(500)));
    }

    #[test]
    fn stamps_of_the_same_second_follow_each_other() {
        let mut clock = clock(&Faults::default());
        let stamps: Vec<i64> = (0..5).map(|_| clock.stamp(at(7)).0).collect();
        assert_eq!(stamps, [7, 8, 9, 10, 11]);
        assert_eq!(clock.stamp(at(9)), AnalyzerTime(12));
    }
}
