//! How a plan will go, stop by stop, from its beginning or from where its run is: an estimate, not a schedule.
//!
//! In step with the analyzer it is the analyzer that sets the pace. What is reckoned here is what the engine does: the
//! first gas exchange that counts begins after the purge, and the valve moves on when one ends, or when its result is there.

use std::time::Duration;

use super::pace::{Chance, Pace};
use super::{Plan, Stop, Sync, TimelineEntry};
use crate::domain::channel::Channel;
use crate::domain::phase::Phase;

/// Where a run is within its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whereabouts {
    /// On the way home since then.
    Homing,
    /// On the way to the stop since then.
    Moving,
    /// The line has settled, or will have: its purge begins.
    Settled,
    /// The purge is or will be over.
    Purged,
    /// The stop is or will be left.
    Left,
    /// Everything is measured.
    Measured,
}

/// A place in a plan, and when the run is or was there, counted from its beginning.
#[derive(Debug, Clone, Copy)]
pub struct CourseStanding {
    pub whereabouts: Whereabouts,
    pub at: Duration,
    /// Where the valve stands.
    pub position: Option<Channel>,
    /// 0-based.
    pub repeat: u32,
    pub stop: usize,
    /// When an iteration began, if one has.
    pub began: Option<Duration>,
    pub now: Duration,
}

/// A plan being gone through.
pub(super) struct Course<'a> {
    plan: &'a Plan,
    stops: Vec<Stop>,
    pace: Pace,
    chance: Chance,
    began: Option<Duration>,
    position: Option<Channel>,
    at: Duration,
    repeat: u32,
    pub entries: Vec<TimelineEntry>,
}

/// Of longer plans the rest is taken to go like what was gone through.
const MOST_VISITS: u32 = 500;

impl<'a> Course<'a> {
    pub fn new(plan: &'a Plan, pace: Pace) -> Self {
        let (stops, entries, chance) = (plan.stops(), Vec::new(), Chance::NONE);
        Self { plan, stops, pace, chance, began: None, position: None, at: Duration::ZERO, repeat: 0, entries }
    }

    /// The same, with iterations that differ as those did that were seen.
    pub const fn by(mut self, chance: Chance) -> Self {
        self.chance = chance;
        self
    }

    /// From the beginning to the end, every phase told.
    pub fn whole(mut self) -> Vec<TimelineEntry> {
        for repeat in 0..self.plan.repeats {
            self.repeat(repeat);
        }
        self.finish();
        self.entries
    }

    pub fn total(mut self) -> Duration {
        self.rest(0);
        self.finish();
        self.at
    }

    /// When the plan is through that is now at such a place.
    pub fn from(mut self, standing: &CourseStanding) -> Duration {
        (self.at, self.position, self.began) = (standing.at, standing.position, standing.began);
        self.repeat = standing.repeat;
        if standing.whereabouts == Whereabouts::Measured {
            self.finish();
            return self.at.max(standing.now);
        }
        let left = self.end_of_the_stop(standing);
        self.at = left.max(standing.now);
        for index in standing.stop + 1..self.stops.len() {
            self.visit(self.stops[index]);
        }
        self.rest(standing.repeat + 1);
        self.finish();
        self.at
    }

    /// When the visit after this one is over, if there is one.
    pub fn next_left(mut self, standing: &CourseStanding) -> Option<Duration> {
        (self.at, self.position, self.began) = (standing.at, standing.position, standing.began);
        let next = self.stops.get(standing.stop + 1).copied();
        if next.is_none() {
            if standing.repeat + 1 >= self.plan.repeats {
                return None;
            }
            self.home();
        }
        self.visit(next.unwrap_or(self.stops[0]));
        Some(self.at)
    }

    fn end_of_the_stop(&mut self, standing: &CourseStanding) -> Duration {
        let Some(stop) = self.stops.get(standing.stop).copied() else { return self.at };
        match standing.whereabouts {
            Whereabouts::Homing => {
                self.home();
                self.visit(stop);
            }
            Whereabouts::Moving => {
                self.position = None;
                self.visit(stop);
            }
            Whereabouts::Settled => self.visit(stop),
            Whereabouts::Purged => self.measure(&stop),
            Whereabouts::Left | Whereabouts::Measured => {}
        }
        self.at
    }

    /// All repeats from this one on.
    fn rest(&mut self, first: u32) {
        self.entries.clear();
        let repeats = self.plan.repeats.saturating_sub(first);
        let most = (self.chance.share(MOST_VISITS) / self.plan.visits_per_repeat().max(1)).max(3);
        let mut after_first = self.at;
        for repeat in 0..repeats.min(most) {
            self.repeat(first + repeat);
            self.entries.clear();
            if repeat == 0 {
                after_first = self.at;
            }
        }
        if repeats > most {
            // The first repeat has a beginning of its own.
            let each = self.at.saturating_sub(after_first) / (most - 1);
            self.at = self.at.saturating_add(each.saturating_mul(repeats - most));
        }
    }

    fn repeat(&mut self, repeat: u32) {
        self.repeat = repeat;
        self.home();
        for index in 0..self.stops.len() {
            self.visit(self.stops[index]);
        }
    }

    fn home(&mut self) {
        self.phase(Phase::Homing, None, self.arrival());
        self.position = Some(Channel::HOME);
        self.began.get_or_insert(self.at + self.pace.lead);
    }

    fn visit(&mut self, stop: Stop) {
        let channel = Some(stop.channel);
        if self.position != channel {
            self.phase(Phase::Switching, channel, self.arrival());
        }
        self.position = channel;
        if stop.measured {
            self.phase(Phase::Purging, channel, stop.purge);
            self.stray(self.plan.settle.saturating_add(stop.purge));
            self.measure(&stop);
        }
    }

    /// With fixed timings, the time to settle is what the valve takes, too.
    fn arrival(&self) -> Duration {
        let travel = if self.plan.sync == Sync::Analyzer { self.pace.travel } else { Duration::ZERO };
        travel.saturating_add(self.plan.settle)
    }

    /// The purge is over.
    fn measure(&mut self, stop: &Stop) {
        let lasts = match self.plan.sync {
            Sync::Dwell => stop.measure,
            Sync::Analyzer => self.leaves(stop).saturating_sub(self.at),
        };
        self.phase(Phase::Measuring, Some(stop.channel), lasts);
    }

    /// When a stop whose purge is over now is left.
    fn leaves(&mut self, stop: &Stop) -> Duration {
        let Pace { iteration, exchange, .. } = self.pace;
        let first = self.next_beginning(self.at);
        let drawn = |count: u32| first + iteration.saturating_mul(count.saturating_sub(1)) + exchange;
        let wanted = |count: u32| drawn(count.saturating_add(stop.discard_first));
        let timed = wanted(1).max(self.at + stop.measure);
        let enough = stop.iterations.map_or(timed, wanted);
        if stop.iterations.is_none() && timed > wanted(1) {
            self.stray(stop.measure);
        }
        let into = self.within_iteration(enough);
        match (self.plan.overlap, into < exchange) {
            (true, true) => enough + exchange.saturating_sub(into),
            (false, false) => enough + iteration.saturating_sub(into),
            _ => enough,
        }
    }

    /// The last result comes, then the analyzer stops.
    fn finish(&mut self) {
        if self.plan.sync == Sync::Analyzer {
            let into = self.within_iteration(self.at);
            let drained =
                if into < self.pace.exchange { Duration::ZERO } else { self.pace.iteration.saturating_sub(into) };
            self.at = self.at.saturating_add(drained);
            if let Some(last) = self.entries.last_mut() {
                last.duration = last.duration.saturating_add(drained);
            }
        }
        self.phase(Phase::Switching, None, Plan::CLOSING);
    }

    fn phase(&mut self, phase: Phase, channel: Option<Channel>, duration: Duration) {
        let (offset, repeat) = (self.at, self.repeat + 1);
        self.entries.push(TimelineEntry { offset, duration, phase, channel, repeat });
        self.at = self.at.saturating_add(duration);
    }

    /// Where in its iteration the analyzer is cannot be told exactly after so long.
    fn stray(&mut self, after: Duration) {
        let iterations = after.as_secs_f64() / self.pace.iteration.as_secs_f64().max(f64::EPSILON);
        let by = self.chance.draw(iterations.max(1.0).sqrt(), self.pace.iteration);
        self.began = self.began.map(|began| began.saturating_add(by));
    }

    /// How much of an iteration has passed.
    fn within_iteration(&self, at: Duration) -> Duration {
        let (began, iteration) = (self.began.unwrap_or(at), self.pace.iteration);
        match at.checked_sub(began) {
            Some(since) => rest(since, iteration),
            None => rest(iteration.saturating_sub(rest(began.saturating_sub(at), iteration)), iteration),
        }
    }

    fn next_beginning(&self, at: Duration) -> Duration {
        let into = self.within_iteration(at);
        if into.is_zero() { at } else { at + self.pace.iteration.saturating_sub(into) }
    }
}

fn rest(of: Duration, by: Duration) -> Duration {
    let nanos = of.as_nanos() % by.as_nanos().max(1);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}
