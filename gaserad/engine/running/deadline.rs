//! The deadline of the run is reached.

use std::time::Duration;

use super::turn::RunTurn;
use crate::domain::{Fault, FaultKind, duration};
use crate::engine::admit::Device;
use crate::engine::state::{RunOutcome, Stage};

impl RunTurn<'_> {
    pub fn deadline_reached(&mut self) {
        if self.judge_absence() {
            return;
        }
        let at = self.at.tick;
        if self.station.patience_ends(&self.run).is_some_and(|(ends, _)| at >= ends) {
            // A plan that is carried out does not fail for the last result.
            return if self.run.stage == Stage::Draining { self.drained() } else { self.fail_offline() };
        }
        if at >= self.run.timing.until {
            self.stage_over(self.run.stage.clone());
        }
    }

    fn stage_over(&mut self, stage: Stage) {
        let limits = self.station.settings.limits;
        match stage {
            Stage::Settling => self.settled(),
            Stage::Purging => self.purge_over(),
            Stage::PurgeOver(_) => self.measure(),
            Stage::Measuring => self.measure_over(),
            Stage::MeasureOver(_) => self.leave_or_linger(),
            Stage::Lingering => self.leave(),
            Stage::Draining => self.drained(),
            Stage::ValveLost(_) => self.valve_stays_lost(),
            Stage::Paused(_) | Stage::Interrupted => {}
            Stage::Guarding(_) => self.guard_speaks_against("it did not answer".into()),
            Stage::GuardedOff => self.go_on_if_guarded(),
            Stage::Preparing(_) | Stage::Starting(..) => self.silent(Device::Analyzer, limits.order),
            Stage::Recovering(None) if self.run.is_getting_ready() => self.never_got_ready(),
            Stage::Recovering(None) => self.fail_offline(),
            Stage::Recovering(Some(_)) => self.silent(Device::Analyzer, limits.stop),
            Stage::Interrupting(_) => self.interrupted(),
            Stage::Homing(_) | Stage::Moving(_) => self.silent(Device::Valve, limits.valve),
            Stage::Closing(order, stopped) => self.closing_over(order, stopped),
            Stage::Stopping(_, ending) => self.not_stopped(ending),
            Stage::Parking(_, ending) => self.not_parked(ending, &silence(Device::Valve, limits.valve)),
        }
    }

    /// An answer did not come in time.
    fn silent(&mut self, device: Device, limit: Duration) {
        self.fail(&Fault::new(FaultKind::Offline, silence(device, limit)), device);
    }

    fn not_stopped(&mut self, ending: RunOutcome) {
        let patience = self.run.timing.until.since(self.run.timing.since);
        let doubt = format!("{}; it is stopped when it is back", silence(Device::Analyzer, patience));
        self.end(ending.outcome, ending.reason, Some(doubt));
    }
}

fn silence(device: Device, limit: Duration) -> String {
    let what = match device {
        Device::Analyzer => "the analyzer",
        Device::Valve => "the multiplexer",
    };
    format!("{what} did not answer within {}; see the daemon's log", duration::format(limit))
}
