//! What is ordered of the devices, what they answer, and what they say unasked.
//!
//! Every command has a number and every answer repeats it: an answer with an old number is stale.
//! A device that does not obey is no error of the program but a [`Fault`], a value like any other.

use serde::{Deserialize, Serialize};

use super::channel::{Channel, Position};
use super::device::{AnalyzerPhase, AnalyzerState, DeviceErrors};
use super::gas::Cas;
use super::instrument::Service;
use super::sample::Sample;
use super::time::{AnalyzerTime, Tick};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommandId(pub u64);

/// Something the analyzer is to do, however many AK commands that takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnalyzerOrder {
    /// Find the task, see that the analyzer is idle, note the result it still holds, say where results are kept.
    Prepare { task: String, save_on_device: bool, if_measuring: IfMeasuring },
    /// Start measuring and see that it measures.
    Start { task_id: u32 },
    /// Look at once where the analyzer is in its iteration, and report what is new before answering.
    Look,
    /// Stop measuring and see that it is idle. Overtakes everything else.
    Stop,
    /// Change something about the instrument itself. Never within a run.
    Serve(Service),
}

/// What to do with an analyzer that somebody else made measure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IfMeasuring {
    #[default]
    Refuse,
    /// Stop it first.
    Stop,
    /// Take over the measurement that is under way.
    Adopt,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnalyzerAnswer {
    Prepared {
        task_id: u32,
        /// The gases of the task, where the analyzer can say.
        gases: Vec<Cas>,
        /// The stamp of the result that was there before.
        baseline: Option<AnalyzerTime>,
        /// That result itself, where it was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        held: Option<Sample>,
        errors: DeviceErrors,
        /// It measures already, and is to go on.
        adopted: bool,
    },
    Started,
    Looked,
    Stopped,
    /// What the instrument replied, in its own words or in a sentence.
    Served(String),
}

/// What the analyzer tells unasked: only what is new.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnalyzerNews {
    Online {
        /// Manufacturer, serial number, name, firmware; empty where it does not say.
        identity: Vec<String>,
    },
    Offline {
        reason: String,
    },
    /// It is back after questions without an answer, and does not measure any more. [`AnalyzerNews::Seen`] comes next.
    Reconnected(Reconnection),
    Seen(Seen),
    Result(ResultRead),
    /// A reply with results, as it came, that cannot be read: once for each text.
    ResultsUnreadable {
        reply: String,
    },
    Errors(DeviceErrors),
    /// The analyzer's clock minus the host's, in milliseconds.
    Clock {
        offset_ms: i64,
    },
}

/// What its coming back says of an analyzer that was measuring before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconnection {
    /// Its machine could be reached, and nothing there served: connections were refused, or closed again and again.
    pub program_was_down: bool,
    /// It held a result before, and has none now.
    pub result_is_gone: bool,
}

/// Where the analyzer is, when that is not where it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub state: AnalyzerState,
    pub phase: AnalyzerPhase,
    /// The iteration counter, where the analyzer has one.
    pub iteration: Option<u32>,
    /// The last look that still saw it as it was before began here: the change came after.
    pub after: Tick,
    /// The look that saw the change began here.
    pub asked: Tick,
    /// The look that saw the change ended here: the change came before.
    pub before: Tick,
}

/// A result with a stamp that was not seen before on this connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResultRead {
    pub sample: Sample,
    /// The last reading without this result was asked for here: it came after. Zero if there was none.
    pub after: Tick,
    /// When this reading was asked for, and when the reply was there.
    pub asked: Tick,
    pub read: Tick,
    /// The phase and the iteration counter looked at right after the reading.
    pub phase: AnalyzerPhase,
    pub iteration: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValveOrder {
    Home,
    Goto(Channel),
    /// Say where it stands, from the valve itself.
    Where,
}

/// What a multiplexer is, as far as it says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValveDescription {
    /// Make, model and firmware in its own words.
    pub model: String,
    /// How often it has moved in its life.
    pub actuations: Option<u64>,
    /// What it is known by: the version of an actuator, the identification of a Modbus device. Empty if it tells none.
    #[serde(default)]
    pub identity: String,
    /// How many coils can be read of a Modbus device.
    #[serde(default)]
    pub coils: Option<u32>,
}

/// What the multiplexer tells unasked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValveNews {
    /// It is not where it was thought to be, or does not answer, and was last seen right then. What it is now comes next.
    UnseenSince(Tick),
    /// It stands where it stood, but was not seen to do so since then, or was seen not to, for this reason.
    Doubted {
        since: Tick,
        why: String,
    },
    At(Position),
    Is(ValveDescription),
    /// There was a new contact with it, and so it may be another one; before that it was last seen at this tick.
    Contacted {
        description: ValveDescription,
        seen: Tick,
    },
    Lost(Fault),
}

/// A device that does not obey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{text}")]
pub struct Fault {
    pub kind: FaultKind,
    /// What was tried, on what, what came of it, and what to do.
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// No connection, or no answer.
    Offline,
    /// It answered that it will not, or did something else.
    Refused,
    /// The analyzer is not idle.
    Busy,
    /// It has no task of that name.
    TaskUnknown,
    /// Overtaken by a later order.
    Superseded,
}

impl Fault {
    pub fn new(kind: FaultKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }
}
