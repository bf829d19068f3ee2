//! The timetable: when the stages of fixed timings are meant to be over.
//!
//! They are reckoned from the plan: from the end of one stage to that of the next, and never from when a timer fired, a
//! look came back or the valve arrived. So nothing adds up, however long the run. What the valve takes to arrive comes
//! out of the time to settle, and if need be out of a small part of the purge. A line that would be purged less than that
//! is purged as long as the plan says: the schedule slips, and an alarm says so. It begins anew where a run goes on after
//! it was paused, sent back, held up by the guard, or interrupted.
//!
//! In step with the analyzer there is no such schedule: a stage lasts from when it really began.

use super::turn::RunTurn;
use crate::domain::plan::Stop;
use crate::domain::{Severity, Sync, Tick, duration};

/// A late valve may take one part in so many of the purge.
const SPARE: u32 = 10;

impl RunTurn<'_> {
    /// What follows is reckoned from now.
    pub fn reckon_from_now(&mut self) {
        self.run.timing.due = self.at.tick;
        self.run.timing.lateness.forget_the_visit();
    }

    /// The valve is sent to another line: when that is meant to have settled.
    pub fn set_out(&mut self) {
        let from = match self.run.asked.plan.sync {
            Sync::Dwell => self.run.timing.due,
            Sync::Analyzer => self.at.tick,
        };
        self.run.timing.due = from + self.run.asked.plan.settle;
    }

    /// The valve has arrived: until when the line settles.
    pub fn settles_until(&self) -> Tick {
        match self.run.asked.plan.sync {
            Sync::Dwell => self.run.timing.due,
            Sync::Analyzer => self.at.tick + self.run.asked.plan.settle,
        }
    }

    /// The line has settled: from when its purge counts.
    pub fn purge_from(&mut self, stop: &Stop) -> Tick {
        if self.run.asked.plan.sync == Sync::Analyzer {
            return self.run.timing.until;
        }
        let arrived = self.run.course.arrived;
        let late = arrived.since(self.run.timing.due);
        if late > stop.purge / SPARE {
            self.run.timing.due = arrived;
            let text = format!(
                "the valve reached channel {} {} later than its time to settle allows; the line is purged as long as the \
                 plan says, and all that follows is later by that much",
                stop.channel,
                duration::format(late)
            );
            self.alarm(Severity::Warning, "schedule_slipped", text);
        }
        self.run.timing.due
    }

    /// The stage that begins at a tick of the timetable lasts until another one.
    pub fn due_at(&mut self, due: Tick) {
        self.run.timing.due = due;
    }
}
