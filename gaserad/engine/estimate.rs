//! How long the run under way takes as a whole, as far as can be told now: from where it is and how fast the analyzer
//! measures.

use std::time::Duration;

use super::state::{Run, Stage, State};
use crate::domain::plan::{Pace, Standing, Whereabouts};
use crate::domain::{Plan, Sync, Tick};

impl State {
    /// How fast the analyzer measures, if that was seen since the daemon began.
    pub(super) fn pace(&self) -> Option<Pace> {
        let (iteration, exchange, lead) = self.exchanges.rhythm()?;
        Some(Pace { iteration, exchange, lead, travel: self.valve.travel.unwrap_or_default() })
    }

    /// How long the run takes, in step with what happened so far.
    pub(super) fn estimate(&self, run: &Run, at: Tick) -> Duration {
        let pace = self.pace().unwrap_or(Pace::ASSUMED);
        let Some(started) = run.started.map(|started| started.tick) else { return run.plan.total(pace) };
        let Some((whereabouts, since)) = self.whereabouts(run, at) else {
            return (run.since + Plan::CLOSING).max(at).since(started);
        };
        let began = self.exchanges.newest_began().map(|began| began.since(started));
        run.plan.total_from(
            pace,
            &Standing {
                whereabouts,
                at: since.since(started),
                position: run.stands_at.filter(|_| whereabouts != Whereabouts::Moving),
                repeat: run.repeat,
                stop: run.stop,
                began: began.filter(|_| run.ordered_start),
                now: at.since(started),
            },
        )
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
            Stage::Suspended(_) => (Whereabouts::Settled, at),
            Stage::ValveLost(_) => (Whereabouts::Moving, at),
            Stage::Preparing(_) | Stage::Recovering(_) | Stage::Interrupting(_) | Stage::Interrupted => {
                (Whereabouts::Homing, at)
            }
            Stage::Draining => (Whereabouts::Measured, run.since),
            Stage::Closing(..) | Stage::Stopping(..) | Stage::Parking(..) => return None,
        })
    }
}
