//! What is kept for good: the facts that make up the history of runs.

use serde::{Deserialize, Serialize};

use super::gas::Cas;
use super::identity::{KnownAnalyzer, KnownMultiplexer};
use super::record::Record;
use super::request::Waiting;
use super::run::{Outcome, RunId, RunSummary, VisitId, VisitSummary, WithoutChannel};
use super::schedule::Schedule;
use super::sheet::Equipment;
use super::time::Utc;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Fact {
    /// A run begins later. It waits until it has started, or is unqueued.
    Queued(Box<Waiting>),
    /// It was to begin later, and will not.
    Unqueued {
        run: RunId,
    },
    RunStarted(RunSummary),
    /// The gases that the analyzer's task measures, in its order.
    RunGases {
        run: RunId,
        gases: Vec<Cas>,
    },
    /// What the instruments say of themselves that the run measures with.
    RunEquipped {
        run: RunId,
        equipment: Box<Equipment>,
    },
    VisitStarted {
        run: RunId,
        visit: VisitSummary,
    },
    /// The visit begins anew: what it had so far is from before an interruption.
    VisitInterrupted {
        run: RunId,
        visit: VisitId,
    },
    VisitEnded {
        run: RunId,
        visit: VisitId,
        left: Utc,
    },
    Recorded(Record),
    Noted {
        run: RunId,
        at: Utc,
        who: String,
        text: String,
    },
    RunEnded {
        run: RunId,
        ended: Utc,
        outcome: Outcome,
        reason: String,
    },
    /// It is over, and the analyzer may still be measuring for it.
    StopOwed {
        run: RunId,
    },
    /// All samples without a channel that it has so far.
    WithoutChannel {
        run: RunId,
        so_far: WithoutChannel,
    },
    /// The analyzer measures for no run any more that is over.
    StopObeyed,
    /// It is over, and is shown no more.
    RunTrashed {
        run: RunId,
        at: Utc,
        who: String,
    },
    RunRestored {
        run: RunId,
    },
    /// The analyzer that is to be there from now on.
    AnalyzerKnown(KnownAnalyzer),
    /// The multiplexer that is to be there from now on, and how often it has moved.
    MultiplexerKnown(KnownMultiplexer),
    /// A schedule as it is from now on.
    Scheduled(Box<Schedule>),
    Unscheduled {
        name: String,
    },
}
