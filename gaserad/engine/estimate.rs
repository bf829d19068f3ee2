//! How long the run under way takes as a whole, as far as can be told now: from where it is, how fast the analyzer
//! measures, and how long its finished visits took.
//!
//! Of each visit it is told beforehand when it should be over. By how much that was wrong on the average, all visits to
//! come are taken to be off, too. A visit that was disturbed (paused, sent back, skipped, held up) does not count.

use std::time::Duration;

use super::state::{Run, Stage, State, Station};
use crate::domain::plan::{CourseStanding, Pace, Whereabouts};
use crate::domain::{Plan, Sync, Tick};

impl State {
    /// How fast the analyzer measures, if that was seen, be it before the daemon began.
    pub fn pace(&self) -> Option<Pace> {
        self.station.pace()
    }
}

impl Station {
    /// When the next visit should be over, if the one before is over now.
    pub fn next_left(&self, run: &Run, at: Tick) -> Option<Tick> {
        let started = run.timing.started?.tick;
        let standing = self.standing(run, Whereabouts::Left, at, at);
        let left =
            run.asked.plan.next_left(self.pace()?, &standing).filter(|_| run.asked.plan.sync == Sync::Analyzer)?;
        Some(started + left)
    }

    /// How fast the analyzer measures, if that was seen, be it before the daemon began.
    pub fn pace(&self) -> Option<Pace> {
        self.seen_pace().or(self.pace_before)
    }

    fn seen_pace(&self) -> Option<Pace> {
        let (iteration, exchange, lead) = self.exchanges.rhythm()?;
        Some(Pace {
            iteration,
            exchange,
            lead,
            travel: self.valve.travel.unwrap_or_default(),
            spread: self.exchanges.spread(),
        })
    }

    /// How long the run takes, in step with what happened so far.
    pub fn estimate(&self, run: &Run, at: Tick) -> Duration {
        let pace = self.pace().unwrap_or(Pace::ASSUMED);
        let Some(started) = run.timing.started.map(|started| started.tick) else { return run.asked.plan.total(pace) };
        let Some((whereabouts, since)) = self.whereabouts(run, at) else {
            return (run.timing.since + Plan::CLOSING).max(at).since(started);
        };
        let total = run.asked.plan.total_from(pace, &self.standing(run, whereabouts, since, at));
        let corrected = run.timing.lateness.correct(total, run.asked.plan.visits().saturating_sub(run.visits.begun));
        corrected.max(at.since(started))
    }

    /// Where it is or will be then, seen from now.
    fn standing(&self, run: &Run, whereabouts: Whereabouts, then: Tick, now: Tick) -> CourseStanding {
        let started = run.timing.started.map_or(now, |started| started.tick);
        let began = self.exchanges.newest_began().map(|began| began.since(started));
        CourseStanding {
            whereabouts,
            at: then.since(started),
            position: run.course.stands_at.filter(|_| whereabouts != Whereabouts::Moving),
            repeat: run.course.repeat,
            stop: run.course.stop,
            began: began.filter(|_| run.measurement.ordered_start),
            now: now.since(started),
        }
    }

    /// Where the run is, and since when or until when; none if its plan is through.
    fn whereabouts(&self, run: &Run, at: Tick) -> Option<(Whereabouts, Tick)> {
        let planned = run.asked.plan.sync == Sync::Dwell;
        let purged = || self.timeline.stay().and_then(|stay| stay.measured_from).unwrap_or(run.timing.since);
        let due = |otherwise: Tick| if planned { run.timing.due } else { otherwise };
        Some(match &run.stage {
            // With fixed timings the time to settle is part of the schedule already.
            Stage::Homing(_) if planned => (Whereabouts::Homing, run.timing.due.back(run.asked.plan.settle)),
            Stage::Moving(_) if planned => (Whereabouts::Moving, run.timing.due.back(run.asked.plan.settle)),
            Stage::Homing(_) => (Whereabouts::Homing, run.timing.since),
            Stage::Moving(_) => (Whereabouts::Moving, run.timing.since),
            Stage::Starting(_, settled) => (Whereabouts::Settled, (*settled).max(at)),
            Stage::Settling => (Whereabouts::Settled, run.timing.until),
            Stage::Purging => (Whereabouts::Purged, run.timing.until),
            Stage::PurgeOver(_) | Stage::Measuring if !planned => (Whereabouts::Purged, run.timing.since),
            Stage::PurgeOver(_) => (Whereabouts::Purged, run.timing.due),
            Stage::MeasureOver(_) | Stage::Lingering if !planned => (Whereabouts::Purged, purged()),
            Stage::Measuring | Stage::MeasureOver(_) | Stage::Lingering => (Whereabouts::Left, due(at)),
            Stage::Guarding(_) => (Whereabouts::Left, due(run.timing.since)),
            Stage::GuardedOff => (Whereabouts::Left, at),
            Stage::Paused(_) => (Whereabouts::Settled, at),
            Stage::ValveLost(_) => (Whereabouts::Moving, at),
            Stage::Preparing(_) | Stage::Recovering(_) | Stage::Interrupting(_) | Stage::Interrupted => {
                (Whereabouts::Homing, at)
            }
            Stage::Draining => (Whereabouts::Measured, run.timing.since),
            Stage::Closing(..) | Stage::Stopping(..) | Stage::Parking(..) => return None,
        })
    }
}
