//! The nouns. Everything else speaks in these words; they know nothing of anything else.
//!
//! | noun | meaning |
//! |---|---|
//! | [`Channel`] | a sample line, 1-based |
//! | [`Position`] | what is known of where the valve stands |
//! | [`Plan`] | what was asked: channels x repeats, purge, measure; valid once it exists |
//! | [`RunId`], [`Outcome`] | one execution of a plan, and how it ended |
//! | [`Sample`] | one result of the analyzer |
//! | [`Record`] | a sample and what is known of where its gas came from: what is kept |
//! | [`Event`] | something that happened: what is streamed and replayed |
//! | [`Status`] | the state of everything at one moment |

pub mod channel;
pub mod command;
pub mod device;
pub mod drift;
pub mod duration;
pub mod event;
pub mod export;
pub mod fact;
pub mod gas;
pub mod gpio;
pub mod identity;
pub mod instrument;
pub mod phase;
pub mod plan;
pub mod record;
pub mod request;
pub mod run;
pub mod sample;
pub mod schedule;
pub mod sheet;
pub mod status;
pub mod storage;
pub mod time;
pub mod visit_means;
pub mod wire;
mod worded;

pub use channel::{Channel, ChannelKind, Position, Verification};
pub use command::{
    AnalyzerAnswer, AnalyzerNews, AnalyzerOrder, CommandId, Fault, FaultKind, IfMeasuring, Reconnection, ResultRead,
    Seen, ValveDescription, ValveNews, ValveOrder,
};
pub use device::{AnalyzerPhase, AnalyzerState, DeviceErrors, Severity};
pub use drift::{DriftPoint, DriftTrend};
pub use event::{Event, Published};
pub use export::{Basis, ExportError, Format, Selection, Table, Wanted};
pub use fact::Fact;
pub use gas::{Cas, Gas, GasFacts, GasInfo, GasTable};
pub use gpio::{GpioLine, LineAt};
pub use identity::{DeviceKind, KnownAnalyzer, KnownDevices, KnownMultiplexer};
pub use instrument::{AkLine, Inquiry, Instrument, Service, StampMeaning, Task, Told};
pub use phase::Phase;
pub use plan::{
    Background, BackgroundRequest, ChannelPlan, Pace, ParkRequest, Plan, PlanDraft, PlanError, PlanRequest, Stop, Sync,
    TimelineEntry,
};
pub use record::{Attribution, Flag, Qc, Record};
pub use request::{
    Aborted, AfterRestart, Begins, Cause, Control, Denied, Done, FinishAfter, Multiple, Reaction, Reactions, Reason,
    StartRequest, Started, Waiting,
};
pub use run::{Note, Outcome, Progress, RunId, RunSummary, VisitId, VisitSummary, WithoutChannel};
pub use sample::{Flaw, Reading, Sample};
pub use schedule::{Fired, Misfire, Overlap, Schedule};
pub use sheet::{ChannelInfo, Equipment, Provenance, Sheet, Site};
pub use status::{ProgressTick, Status};
pub use storage::{MirrorState, MirrorStatus, StorageChange, StorageNews, TrashedRun, UsbEvent, UsbNews};
pub use time::{AnalyzerTime, Clock, Moment, Tick, Utc};
pub use visit_means::{Spread, VisitMeans, VisitTally};
pub use wire::{Way, Wire};
