//! All that goes out.

use super::event::RequestId;
use crate::domain::{AnalyzerOrder, CommandId, Denied, Done, Event, Fact, ValveOrder};

#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Kept for good before anything else of the same step happens.
    Keep(Fact),
    /// Told to everybody, once it is kept.
    Tell(Event),
    Analyzer {
        id: CommandId,
        order: AnalyzerOrder,
    },
    Valve {
        id: CommandId,
        order: ValveOrder,
    },
    /// Ask whether the next visit may begin.
    Guard {
        id: CommandId,
    },
    /// Exactly one for every request.
    Reply {
        request: RequestId,
        answer: Result<Done, Denied>,
    },
}
