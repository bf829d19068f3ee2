//! The devices as ordinary async code: the AK session and the multiplexer drivers.
//!
//! Each device has one owner, a task with an inbox of orders. It answers every order once and tells what is new,
//! all in one sequence of [`Report`]s.

pub mod analyzer;
pub mod dial;
#[cfg(test)]
mod fake;
pub mod multiplexer;
pub mod serial;
pub mod session;

pub use analyzer::{Analyzer, AnalyzerSettings};
pub use dial::{Dial, Stream};
pub use multiplexer::OwnedValve;
pub use session::SessionMode;

use crate::domain::{AnalyzerAnswer, AnalyzerNews, CommandId, Fault, Position, ValveNews};

/// What comes up from the devices, in the order in which it happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    Analyzer(AnalyzerNews),
    AnalyzerDid { id: CommandId, answer: Result<AnalyzerAnswer, Fault> },
    Valve(ValveNews),
    ValveDid { id: CommandId, answer: Result<Position, Fault> },
}
