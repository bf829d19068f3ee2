//! What a run waits for, stage by stage.

use crate::domain::{CommandId, Outcome, Tick, ValveOrder};

/// What a run waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
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
    Stopping(CommandId, RunOutcome),
    /// The valve goes to where it rests; with that the run is over.
    Parking(CommandId, RunOutcome),
}

/// How a run is to end, once everything is at rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunOutcome {
    pub outcome: Outcome,
    pub reason: String,
    /// Why the analyzer may still be measuring.
    pub doubt: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    NotYet,
    Yes,
    /// It did not say so, and why.
    Doubtful(String),
}

impl Stage {
    /// What is being waited for, in words that follow "waiting for".
    pub const fn reason(&self) -> &'static str {
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

    /// The order whose answer ends the stage.
    pub const fn order(&self) -> Option<CommandId> {
        match self {
            Self::Preparing(order)
            | Self::Recovering(Some(order))
            | Self::Interrupting(order)
            | Self::Guarding(order)
            | Self::Homing(order)
            | Self::Starting(order, _)
            | Self::Moving(order)
            | Self::PurgeOver(order)
            | Self::MeasureOver(order)
            | Self::Closing(order, _)
            | Self::Stopping(order, _)
            | Self::Parking(order, _) => Some(*order),
            Self::Settling
            | Self::Purging
            | Self::Measuring
            | Self::Lingering
            | Self::Draining
            | Self::ValveLost(_)
            | Self::Paused(_)
            | Self::Recovering(None)
            | Self::GuardedOff
            | Self::Interrupted => None,
        }
    }

    /// What the stage is to the plan.
    pub const fn part(&self) -> Part {
        match self {
            Self::Preparing(_) | Self::Recovering(_) => Part::Preparing,
            Self::Starting(..) => Part::Starting,
            Self::Homing(_) | Self::Moving(_) | Self::ValveLost(_) | Self::Guarding(_) => Part::Between,
            Self::GuardedOff => Part::GuardedOff,
            Self::Settling
            | Self::Purging
            | Self::PurgeOver(_)
            | Self::Measuring
            | Self::MeasureOver(_)
            | Self::Lingering => Part::Visiting,
            Self::Paused(_) => Part::Paused,
            Self::Draining => Part::Draining,
            Self::Closing(..) | Self::Stopping(..) | Self::Parking(..) => Part::Ending,
            Self::Interrupting(_) | Self::Interrupted => Part::Interrupted,
        }
    }

    /// Whether the plan is being carried out. Losing the analyzer counts against the run then.
    pub const fn is_measured(&self) -> bool {
        match self.part() {
            Part::Preparing | Part::Ending | Part::Interrupted => false,
            Part::Starting | Part::Between | Part::GuardedOff | Part::Visiting | Part::Paused | Part::Draining => true,
        }
    }

    /// Whether the valve is meant to stand where the plan wants it.
    pub const fn is_at_a_stop(&self) -> bool {
        matches!(self.part(), Part::Starting | Part::Visiting | Part::Paused)
    }

    pub const fn may_be_paused(&self) -> bool {
        matches!(self, Self::Settling | Self::Purging | Self::Measuring | Self::Lingering)
    }

    pub const fn is_paused(&self) -> bool {
        matches!(self, Self::Paused(_))
    }

    /// Whether the guard is waited for.
    pub const fn is_guarded(&self) -> bool {
        matches!(self, Self::Guarding(_) | Self::GuardedOff)
    }

    /// How the run ends, if it is brought to its end already.
    pub const fn ending(&self) -> Option<&RunOutcome> {
        if let Self::Stopping(_, ending) | Self::Parking(_, ending) = self { Some(ending) } else { None }
    }
}

/// What a stage is to the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The analyzer finds the task, also again.
    Preparing,
    Starting,
    /// On the way to a stop, or about to be.
    Between,
    GuardedOff,
    /// The valve stands at a stop, and the run goes on by itself.
    Visiting,
    Paused,
    /// The last results come in.
    Draining,
    /// The devices come to rest.
    Ending,
    /// The next process goes on with it.
    Interrupted,
}

impl Part {
    /// Whether the run goes on by itself, between its beginning and its end.
    pub const fn is_midway(self) -> bool {
        matches!(self, Self::Between | Self::Visiting)
    }
}
