//! What a run waits for, stage by stage.

use crate::domain::{CommandId, Outcome, Tick, ValveOrder};

/// What a run waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    /// The analyzer finds the task.
    Preparing(CommandId),
    /// The run was interrupted: the analyzer comes back, and then finds the task again.
    Recovering(Option<CommandId>),
    /// The analyzer stops, because the process ends.
    Interrupting(CommandId),
    /// The next process may go on with the run.
    Interrupted,
    Homing(CommandId),
    /// The analyzer starts, while the line already settles until the given tick.
    Starting(CommandId, Tick),
    Moving(CommandId),
    /// The valve does not answer; the order is given again when it is back.
    ValveLost(ValveOrder),
    /// The guard says whether the next visit may begin.
    Guarding(CommandId),
    /// The guard speaks against it; it is asked again.
    GuardedOff,
    /// Nothing is waited for but somebody who says that it may go on; and why.
    Paused(String),
    Settling,
    Purging,
    /// A look at the analyzer at the end of the purge: what it draws already is not measured.
    PurgeOver(CommandId),
    Measuring,
    /// A look at the analyzer before the valve may move.
    MeasureOver(CommandId),
    /// The gas exchange under way ends first.
    Lingering,
    /// The last results come in.
    Draining,
    /// The analyzer stops, and dashboards see that the plan is through.
    Closing(CommandId, Stopped),
    /// The analyzer stops, because the run cannot or must not go on.
    Stopping(CommandId, Outcome, String),
    /// The valve goes to where it rests; with that the run is over.
    Parking(CommandId, Ending),
}

/// How a run is to end, once everything is at rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ending {
    pub outcome: Outcome,
    pub reason: String,
    /// Why the analyzer may still be measuring.
    pub doubt: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stopped {
    NotYet,
    Yes,
    /// It did not say so, and why.
    Doubtful(String),
}

impl Stage {
    /// What is being waited for, in words that follow "waiting for".
    pub(super) const fn reason(&self) -> &'static str {
        match self {
            Self::Preparing(_) => "the analyzer to find the task",
            Self::Recovering(_) => "the analyzer to be ready again",
            Self::Interrupted => "the next start of gaserad",
            Self::Homing(_) => "the valve to reach its home position",
            Self::Starting(..) => "the analyzer to start measuring",
            Self::Moving(_) => "the valve to reach the channel",
            Self::ValveLost(_) => "the valve to come back",
            Self::Guarding(_) | Self::GuardedOff => "the guard to let the next visit begin",
            Self::Paused(_) => "somebody to resume the run",
            Self::Parking(..) => "the valve to reach its rest position",
            Self::Settling => "the line to settle after the move",
            Self::Purging | Self::PurgeOver(_) => "the end of the purge",
            Self::Measuring | Self::MeasureOver(_) => "the end of the measuring time",
            Self::Lingering => "a whole gas exchange on this channel",
            Self::Draining => "the last result of the analyzer",
            Self::Closing(..) | Self::Stopping(..) | Self::Interrupting(_) => "the analyzer to become idle",
        }
    }
}
