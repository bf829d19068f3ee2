//! All that comes in. This is what the journal holds, line by line.

use serde::{Deserialize, Serialize};

use super::beginning::Beginning;
use crate::domain::{
    AnalyzerAnswer, AnalyzerNews, CommandId, Control, DeviceKind, Fault, Moment, Position, RunId, Service,
    StartRequest, ValveNews, ValveOrder,
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub at: Moment,
    pub what: What,
}

/// A request of somebody who waits for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(pub u64);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The engine begins: whatever was known before is forgotten.
    Began(Box<Beginning>),
    Start {
        request: RequestId,
        run: RunId,
        asked: Box<StartRequest>,
    },
    Abort {
        request: RequestId,
        who: String,
    },
    /// Of one run, that is under way or waits: its id, or the beginning of it.
    AbortRun {
        request: RequestId,
        who: String,
        run: String,
    },
    Control {
        request: RequestId,
        who: String,
        control: Control,
    },
    MoveValve {
        request: RequestId,
        who: String,
        order: ValveOrder,
    },
    Serve {
        request: RequestId,
        who: String,
        service: Service,
    },
    /// Somebody means the device that is there now.
    Accept {
        request: RequestId,
        who: String,
        device: DeviceKind,
    },
    Shutdown,
    GuardDid {
        id: CommandId,
        verdict: Result<(), String>,
    },
    /// How much space the disk of the state directory has, when that begins or ceases to be little.
    Disk {
        free_bytes: u64,
        low: bool,
    },
    /// Whether this machine's clock is synchronized, when that is first known and when it changes.
    ClockSync {
        synchronized: bool,
    },
    Analyzer(AnalyzerNews),
    AnalyzerDid {
        id: CommandId,
        answer: Result<AnalyzerAnswer, Fault>,
    },
    Valve(ValveNews),
    ValveDid {
        id: CommandId,
        answer: Result<Position, Fault>,
    },
    DeadlineReached,
}
