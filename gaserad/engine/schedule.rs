//! When the stages of fixed timings are meant to be over.
//!
//! They are reckoned from the plan: from the end of one stage to that of the next, and never from when a timer fired, a
//! look came back or the valve arrived. So nothing adds up, however long the run. What the valve takes to arrive comes
//! out of the time to settle, and if need be out of a small part of the purge. A line that would be purged less than that
//! is purged as long as the plan says: the schedule slips, and an alarm says so. It begins anew where a run goes on after
//! it was paused, sent back, held up by the guard, or interrupted.
//!
//! In step with the analyzer there is no such schedule: a stage lasts from when it really began.

use super::Turn;
use super::state::Run;
use crate::domain::plan::Stop;
use crate::domain::{Severity, Sync, Tick, duration};

/// A late valve may take one part in so many of the purge.
const SPARE: u32 = 10;

impl Turn {
    /// What follows is reckoned from now.
    pub(super) fn reckon_from_now(&mut self) {
        let at = self.at.tick;
        if let Some(run) = &mut self.state.run {
            run.due = at;
            run.lateness.forget_the_visit();
        }
    }

    /// The valve is sent to another line: when that is meant to have settled.
    pub(super) fn set_out(&mut self) {
        let at = self.at.tick;
        if let Some(run) = &mut self.state.run {
            run.due = run.due_from(at) + run.plan.settle;
        }
    }

    /// The valve has arrived: until when the line settles.
    pub(super) fn settles_until(&self) -> Tick {
        let at = self.at.tick;
        self.state.run.as_ref().map_or(at, |run| match run.plan.sync {
            Sync::Dwell => run.due,
            Sync::Analyzer => at + run.plan.settle,
        })
    }

    /// The line has settled: from when its purge counts.
    pub(super) fn purge_from(&mut self, stop: &Stop) -> Tick {
        let Some(run) = &mut self.state.run else { return self.at.tick };
        if run.plan.sync == Sync::Analyzer {
            return run.until;
        }
        let late = run.arrived.since(run.due);
        if late > stop.purge / SPARE {
            run.due = run.arrived;
            let text = format!(
                "the valve reached channel {} {} later than its time to settle allows; the line is purged as long as the \
                 plan says, and all that follows is later by that much",
                stop.channel,
                duration::format(late)
            );
            self.alarm(Severity::Warning, "schedule_slipped", text);
        }
        self.state.run.as_ref().map_or(self.at.tick, |run| run.due)
    }

    /// The stage that begins at a tick of the schedule lasts until another one.
    pub(super) fn due_at(&mut self, due: Tick) {
        if let Some(run) = &mut self.state.run {
            run.due = due;
        }
    }
}

impl Run {
    fn due_from(&self, at: Tick) -> Tick {
        match self.plan.sync {
            Sync::Dwell => self.due,
            Sync::Analyzer => at,
        }
    }
}
