//! When the engine must be woken, and why.

use super::state::{Run, Stage, State, Station};
use crate::domain::Tick;

impl State {
    /// When the engine must be woken, and why.
    pub fn deadline(&self) -> Option<(Tick, &'static str)> {
        let Some(run) = self.run() else {
            return self.station.next_begins().map(|begins| (begins, "the next run to begin"));
        };
        let ends = [stage_ends(run), self.station.patience_ends(run), self.station.absence_ends(run)];
        ends.into_iter().flatten().min()
    }
}

fn stage_ends(run: &Run) -> Option<(Tick, &'static str)> {
    let timeless = matches!(run.stage, Stage::Paused(_) | Stage::Interrupted);
    (!timeless).then_some((run.timing.until, run.stage.reason()))
}

impl Station {
    /// When an analyzer that is offline has been so for too long.
    pub fn patience_ends(&self, run: &Run) -> Option<(Tick, &'static str)> {
        let offline = self.analyzer.offline_since.filter(|_| run.stage.is_measured());
        offline.map(|since| (since + self.settings.limits.grace, "the analyzer to come back"))
    }

    /// When an analyzer that does not measure is judged. One that cannot be asked is not.
    pub fn absence_ends(&self, run: &Run) -> Option<(Tick, &'static str)> {
        let minded = self.analyzer.online && run.minds_absence(self.settings.after_restart);
        let absence = Some(&self.analyzer.absence).filter(|_| minded);
        absence?.deadline(self.settings.limits.grace)
    }
}
