//! All that is remembered: the station, and the run under way if there is one. Its files import nothing of what the
//! engine does.

mod absence;
mod clock;
mod course;
mod identity;
mod lacks;
mod lateness;
mod run;
mod stage;
mod station;
mod visits;

pub use absence::{Absence, began_anew, stays};
pub use clock::HostClock;
pub use identity::{Identities, Stranger};
pub use lacks::Lacks;
pub use run::{FinishAsked, PauseAsked, Readying, Run};
pub use stage::{Part, RunOutcome, Stage, Stopped};
pub use station::{AnalyzerSeen, EngineSettings, Errands, Station, ValveSeen, seconds};
pub use visits::{CurrentVisit, SampleCount, VisitPlace};

use crate::domain::RunId;
use crate::engine::beginning::Beginning;

#[derive(Debug, Clone, Default)]
pub struct State {
    pub(super) station: Station,
    pub(super) activity: Activity,
}

#[derive(Debug, Clone, Default)]
pub enum Activity {
    #[default]
    Idle,
    Running(Box<Run>),
}

impl Activity {
    pub fn run_id(&self) -> Option<RunId> {
        match self {
            Self::Idle => None,
            Self::Running(run) => Some(run.id.clone()),
        }
    }
}

impl State {
    /// Nothing has happened yet but the last run, if there was one.
    pub fn new(began: Beginning) -> Self {
        Self { station: Station::new(began), activity: Activity::Idle }
    }

    pub const fn analyzer(&self) -> &AnalyzerSeen {
        &self.station.analyzer
    }

    pub const fn valve(&self) -> &ValveSeen {
        &self.station.valve
    }

    pub(super) fn run(&self) -> Option<&Run> {
        match &self.activity {
            Activity::Idle => None,
            Activity::Running(run) => Some(run),
        }
    }

    /// Whether a run is under way, or on its way.
    pub fn is_busy(&self) -> bool {
        self.run().is_some()
    }

    /// Whether the process may end: nothing is under way that it would cut off.
    pub fn is_at_rest(&self) -> bool {
        self.run().is_none_or(|run| run.stage == Stage::Interrupted)
    }
}
