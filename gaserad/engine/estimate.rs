//! How long the run under way takes as a whole, as far as can be told now: from where it is, how fast the analyzer
//! measures, and how long its finished visits took.
//!
//! Of each visit it is told beforehand when it should be over. By how much that was wrong on the average, all visits to
//! come are taken to be off, too. A visit that was disturbed (paused, sent back, skipped, held up) does not count.

use std::time::Duration;

use super::Turn;
use super::state::{Run, Stage, State};
use crate::domain::plan::{Pace, Standing, Whereabouts};
use crate::domain::{Plan, Sync, Tick};

/// How far visits were off from what was expected of them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lateness {
    /// When the visit under way should be over.
    expected: Option<Tick>,
    /// What visits took longer than expected, and what they took less.
    longer: Duration,
    shorter: Duration,
    count: u32,
}

impl Lateness {
    /// What is expected counts as much as so many visits: one that took an iteration more by chance says little about the
    /// others.
    const TRUST: u32 = 16;

    pub const fn forget_the_visit(&mut self) {
        self.expected = None;
    }

    fn left(&mut self, at: Tick) {
        let Some(expected) = self.expected.take() else { return };
        self.longer += at.since(expected);
        self.shorter += expected.since(at);
        self.count += 1;
    }

    /// What this makes of an estimate with so many visits to come.
    fn correct(&self, total: Duration, visits: u32) -> Duration {
        let of_all = |of: Duration| of.mul_f64(f64::from(visits) / f64::from(self.count + Self::TRUST));
        total.saturating_add(of_all(self.longer)).saturating_sub(of_all(self.shorter))
    }
}

impl Turn {
    /// A visit is over.
    pub(super) fn learn(&mut self) {
        let at = self.at.tick;
        let expected = self.state.run.as_ref().and_then(|run| self.state.next_left(run, at));
        let Some(run) = &mut self.state.run else { return };
        run.lateness.left(at);
        run.lateness.expected = expected;
    }
}

impl State {
    /// When the next visit should be over, if the one before is over now.
    fn next_left(&self, run: &Run, at: Tick) -> Option<Tick> {
        let started = run.started?.tick;
        let standing = self.standing(run, Whereabouts::Left, at, at);
        let left = run.plan.next_left(self.pace()?, &standing).filter(|_| run.plan.sync == Sync::Analyzer)?;
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
    pub(super) fn estimate(&self, run: &Run, at: Tick) -> Duration {
        let pace = self.pace().unwrap_or(Pace::ASSUMED);
        let Some(started) = run.started.map(|started| started.tick) else { return run.plan.total(pace) };
        let Some((whereabouts, since)) = self.whereabouts(run, at) else {
            return (run.since + Plan::CLOSING).max(at).since(started);
        };
        let total = run.plan.total_from(pace, &self.standing(run, whereabouts, since, at));
        let corrected = run.lateness.correct(total, run.plan.visits().saturating_sub(run.visits_begun));
        corrected.max(at.since(started))
    }

    /// Where it is or will be then, seen from now.
    fn standing(&self, run: &Run, whereabouts: Whereabouts, then: Tick, now: Tick) -> Standing {
        let started = run.started.map_or(now, |started| started.tick);
        let began = self.exchanges.newest_began().map(|began| began.since(started));
        Standing {
            whereabouts,
            at: then.since(started),
            position: run.stands_at.filter(|_| whereabouts != Whereabouts::Moving),
            repeat: run.repeat,
            stop: run.stop,
            began: began.filter(|_| run.ordered_start),
            now: now.since(started),
        }
    }

    /// Where the run is, and since when or until when; none if its plan is through.
    fn whereabouts(&self, run: &Run, at: Tick) -> Option<(Whereabouts, Tick)> {
        let planned = run.plan.sync == Sync::Dwell;
        let purged = || self.timeline.stay().and_then(|stay| stay.measured_from).unwrap_or(run.since);
        let due = |otherwise: Tick| if planned { run.due } else { otherwise };
        Some(match &run.stage {
            // With fixed timings the time to settle is part of the schedule already.
            Stage::Homing(_) if planned => (Whereabouts::Homing, run.due.back(run.plan.settle)),
            Stage::Moving(_) if planned => (Whereabouts::Moving, run.due.back(run.plan.settle)),
            Stage::Homing(_) => (Whereabouts::Homing, run.since),
            Stage::Moving(_) => (Whereabouts::Moving, run.since),
            Stage::Starting(_, settled) => (Whereabouts::Settled, (*settled).max(at)),
            Stage::Settling => (Whereabouts::Settled, run.until),
            Stage::Purging => (Whereabouts::Purged, run.until),
            Stage::PurgeOver(_) | Stage::Measuring if !planned => (Whereabouts::Purged, run.since),
            Stage::PurgeOver(_) => (Whereabouts::Purged, run.due),
            Stage::MeasureOver(_) | Stage::Lingering if !planned => (Whereabouts::Purged, purged()),
            Stage::Measuring | Stage::MeasureOver(_) | Stage::Lingering => (Whereabouts::Left, due(at)),
            Stage::Guarding(_) => (Whereabouts::Left, due(run.since)),
            Stage::GuardedOff => (Whereabouts::Left, at),
            Stage::Paused(_) => (Whereabouts::Settled, at),
            Stage::ValveLost(_) => (Whereabouts::Moving, at),
            Stage::Preparing(_) | Stage::Recovering(_) | Stage::Interrupting(_) | Stage::Interrupted => {
                (Whereabouts::Homing, at)
            }
            Stage::Draining => (Whereabouts::Measured, run.since),
            Stage::Closing(..) | Stage::Stopping(..) | Stage::Parking(..) => return None,
        })
    }
}
