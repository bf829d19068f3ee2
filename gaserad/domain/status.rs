//! The state of everything at one moment: `GET /status`, and the first thing a stream says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::channel::{Channel, Position};
use super::device::{AnalyzerPhase, AnalyzerState};
use super::event::LiveData;
use super::instrument::StampMeaning;
use super::phase::Phase;
use super::plan::Pace;
use super::run::{Progress, RunId, RunSummary};
use super::storage::MirrorStatus;
use super::time::Utc;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Seconds since the epoch.
    pub timestamp: f64,
    pub phase: Phase,
    /// What is being waited for, in words.
    pub waiting_for: String,
    /// When that is meant to be over.
    pub until: Option<Utc>,
    pub progress: Progress,
    /// The run under way.
    pub run: Option<RunSummary>,
    /// The one before.
    pub last_run: Option<RunSummary>,
    /// Those that begin later, the next one first.
    #[serde(default)]
    pub queued: Vec<QueuedRun>,
    pub analyzer: AnalyzerStatus,
    pub multiplexer: MultiplexerStatus,
    /// The newest result of the run under way, or of the last one.
    pub live_data: Option<LiveData>,
    /// The newest event's sequence number.
    pub seq: u64,
    pub version: String,
    pub simulated: bool,
    /// Whether a time service keeps the host's clock right; `null` where that is not known.
    #[serde(default)]
    pub clock_synchronized: Option<bool>,
    /// The copy on another drive, if one is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirror: Option<MirrorStatus>,
}

/// A run that begins later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedRun {
    pub run_id: RunId,
    pub label: String,
    pub who: String,
    /// `null` if it begins when the one before it is over.
    pub begins: Option<Utc>,
}

/// How far things are right now: what the stream calls `progress`. It is not numbered, and only the newest counts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProgressTick {
    pub run_id: Option<RunId>,
    pub waiting_for: String,
    pub until: Option<Utc>,
    #[serde(flatten)]
    pub progress: Progress,
}

impl ProgressTick {
    pub fn of(status: &Status) -> Self {
        Self {
            run_id: status.run.as_ref().map(|run| run.id.clone()),
            waiting_for: status.waiting_for.clone(),
            until: status.until,
            progress: status.progress.clone(),
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AnalyzerStatus {
    pub address: String,
    pub online: bool,
    /// Why it is offline.
    pub reason: String,
    pub status_code: Option<u8>,
    pub status: Option<AnalyzerState>,
    pub phase: Option<AnalyzerPhase>,
    pub iteration: Option<u32>,
    pub errors: Vec<String>,
    /// The analyzer's clock minus the host's, seconds.
    pub clock_offset_s: Option<f64>,
    /// Manufacturer, serial number, name, firmware, as it gives them.
    pub identity: Vec<String>,
    /// Who was known before, if this one is another and nobody has accepted it: see `reason`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stranger_to: String,
    pub stamp_meaning: Option<StampMeaning>,
    /// How fast it measures, if that was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pace: Option<Pace>,
    /// How far what it says agrees with itself, once it was seen to draw gas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// The last reply with results in which something could not be read, since the daemon began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<UnreadableReply>,
}

/// What polls and results show of how stale they are, and where they contradict each other.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// How old a phase in a reply is taken to be at most.
    pub phase_lag_s: f64,
    /// How long after its iteration a result is taken to show at most.
    pub result_lag_s: f64,
    /// How often since the daemon began, by kind.
    pub contradictions: BTreeMap<String, u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadableReply {
    /// As it came.
    pub reply: String,
    pub at: Utc,
    /// How many there were.
    pub count: u64,
    /// What could not be read of it.
    pub what: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MultiplexerStatus {
    pub driver: String,
    pub channels: u8,
    pub position: Position,
    pub channel: Option<Channel>,
    /// Make, model and firmware in its own words; empty if it does not say.
    pub model: String,
    pub actuations: Option<u64>,
    /// What is wrong with it; empty if nothing is.
    pub fault: String,
    /// Who was known before, if this one is another and nobody has accepted it: see `fault`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stranger_to: String,
    /// No valve is there, and the analyzer is: no sample is good.
    #[serde(default, skip_serializing_if = "is_false")]
    pub simulated: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over like this")]
const fn is_false(value: &bool) -> bool {
    !*value
}
