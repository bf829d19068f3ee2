//! What the stream says. The names and payloads are the contract with every reader.
//!
//! Channels are 1-based here. On the wire every payload also carries `timestamp`, seconds since the epoch at
//! which the event was published; the store adds it.

use serde::{Deserialize, Serialize};

use super::channel::{Channel, Position};
use super::device::{AnalyzerPhase, AnalyzerState, Severity};
use super::gas::{Cas, GasTable};
use super::instrument::StampMeaning;
use super::phase::Phase;
use super::record::{Attribution, Flag, Qc, Record};
use super::run::{Outcome, Progress, RunId, RunSummary, VisitId};
use super::storage::{StorageNews, UsbNews};
use super::time::{AnalyzerTime, Utc};

/// Something that happened: lossless, numbered, replayed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    #[serde(rename = "run.started")]
    RunStarted { run: RunSummary },
    #[serde(rename = "run.finished")]
    RunFinished { run: RunSummary },
    /// Somebody did something to the run under way.
    #[serde(rename = "run.updated")]
    RunUpdated(RunUpdate),
    #[serde(rename = "phase")]
    Phase(PhaseChange),
    #[serde(rename = "live_data")]
    LiveData(LiveData),
    #[serde(rename = "device.connection")]
    DeviceConnection { online: bool, reason: String },
    #[serde(rename = "device.status")]
    DeviceStatus { code: u8, name: AnalyzerState, previous: Option<AnalyzerState> },
    #[serde(rename = "device.phase")]
    DevicePhase { code: u8, name: AnalyzerPhase, iteration: Option<u32> },
    #[serde(rename = "device.errors")]
    DeviceErrors { codes: Vec<String>, text: String },
    /// What can be known of the instruments beside their measuring.
    #[serde(rename = "device.metrics")]
    DeviceMetrics(DeviceMetrics),
    #[serde(rename = "mux.position")]
    MuxPosition { position: Position, channel: Option<Channel> },
    #[serde(rename = "alarm")]
    Alarm { severity: Severity, code: String, text: String, run_id: Option<RunId> },
    /// What became of a schedule, or of a time at which it was to start a run.
    #[serde(rename = "schedule.updated")]
    ScheduleUpdated(ScheduleUpdate),
    /// The drive of the mirror.
    #[serde(rename = "usb")]
    Usb(UsbNews),
    /// The room for data, and what became of runs that are kept.
    #[serde(rename = "storage")]
    Storage(StorageNews),
    #[serde(rename = "system.shutdown")]
    SystemShutdown {
        reason: String,
        /// After how long it is usually back, seconds; `null` if nobody knows.
        #[serde(default)]
        restart_expected_s: Option<f64>,
    },
}

/// What was done to a run, and by whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunUpdate {
    pub run_id: RunId,
    pub change: RunChange,
    pub who: String,
    /// The note, or the reason.
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunChange {
    /// It begins later.
    Queued,
    /// It was to begin later, and will not.
    Unqueued,
    /// It will pause after the sample under way.
    PauseAsked,
    #[serde(alias = "suspended")]
    Paused,
    Resumed,
    Skipped,
    /// It will end after the channel or the repeat under way.
    FinishAsked,
    Noted,
}

/// What was done to a schedule, or done by it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScheduleUpdate {
    pub schedule: String,
    pub change: ScheduleChange,
    pub who: String,
    /// The time that this is about.
    pub due: Option<Utc>,
    pub run_id: Option<RunId>,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleChange {
    /// Or replaced by another one of its name.
    Added,
    Removed,
    Enabled,
    Disabled,
    /// Its time has come: the run is being started.
    Fired,
    /// The run measures, or waits to begin.
    Started,
    /// Another run was under way.
    Skipped,
    /// The time passed while it could not be minded.
    Missed,
    /// The run could not be started.
    Failed,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DeviceMetrics {
    /// The analyzer's clock minus the host's, seconds.
    pub clock_offset_s: Option<f64>,
    pub stamp_meaning: Option<StampMeaning>,
    /// How often the valve has moved in its life.
    pub actuations: Option<u64>,
}

/// A run went from one phase to the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseChange {
    pub run_id: RunId,
    pub phase: Phase,
    pub previous: Phase,
    pub channel: Option<Channel>,
    pub visit_id: Option<VisitId>,
    /// 1-based.
    pub repeat: u32,
    /// When the phase is meant to end, and why it lasts until then.
    pub until: Option<Utc>,
    pub reason: String,
    pub progress: Progress,
}

/// A result, as soon as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveData {
    pub run_id: RunId,
    /// Of the record within its run.
    pub seq: u32,
    pub phase: Phase,
    /// The channel whose gas it is; `null` unless the attribution is exact.
    pub channel: Option<Channel>,
    pub visit_id: Option<VisitId>,
    /// 1-based.
    pub repeat: Option<u32>,
    pub attribution: Attribution,
    pub discard: bool,
    pub qc: Qc,
    pub flags: Vec<Flag>,
    pub iteration: Option<u32>,
    pub sampled: Utc,
    pub device_timestamp: AnalyzerTime,
    pub units: String,
    pub components: Vec<Component>,
}

/// One gas of a result, with how to show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Component {
    pub label: String,
    pub formula: String,
    pub ppm: Option<f64>,
    pub color: String,
    pub cas: Cas,
    /// Not to be used: this gas may still cling to the tubes.
    #[serde(default)]
    pub discard: bool,
}

impl LiveData {
    pub fn of(record: &Record, phase: Phase) -> Self {
        Self {
            run_id: record.run.clone(),
            seq: record.seq,
            phase,
            channel: record.channel,
            visit_id: record.visit,
            repeat: record.repeat,
            attribution: record.attribution,
            discard: record.discard,
            qc: record.qc,
            flags: record.flags.clone(),
            iteration: record.iteration,
            sampled: record.sampled,
            device_timestamp: record.sample.stamp,
            units: "ppm".into(),
            components: record
                .sample
                .readings
                .iter()
                .map(|reading| Component {
                    label: reading.cas.label(),
                    formula: reading.cas.formula().into(),
                    ppm: reading.ppm,
                    color: reading.cas.color().into(),
                    cas: reading.cas.clone(),
                    discard: reading.discard,
                })
                .collect(),
        }
    }
}

impl LiveData {
    /// Shows its gases as `table` describes them.
    pub fn dress(&mut self, table: &GasTable) {
        for component in &mut self.components {
            let info = table.info(&component.cas);
            component.label = info.label();
            (component.formula, component.color) = (info.formula, info.color);
        }
    }
}

impl Event {
    /// The names of all events that are numbered and replayed.
    pub const NAMES: [&'static str; 16] = [
        "run.started",
        "run.finished",
        "run.updated",
        "phase",
        "live_data",
        "device.connection",
        "device.status",
        "device.phase",
        "device.errors",
        "device.metrics",
        "mux.position",
        "alarm",
        "schedule.updated",
        "usb",
        "storage",
        "system.shutdown",
    ];

    pub const fn name(&self) -> &'static str {
        match self {
            Self::RunStarted { .. } => "run.started",
            Self::RunFinished { .. } => "run.finished",
            Self::RunUpdated(_) => "run.updated",
            Self::Phase(_) => "phase",
            Self::LiveData(_) => "live_data",
            Self::DeviceConnection { .. } => "device.connection",
            Self::DeviceStatus { .. } => "device.status",
            Self::DevicePhase { .. } => "device.phase",
            Self::DeviceErrors { .. } => "device.errors",
            Self::DeviceMetrics(_) => "device.metrics",
            Self::MuxPosition { .. } => "mux.position",
            Self::Alarm { .. } => "alarm",
            Self::ScheduleUpdated(_) => "schedule.updated",
            Self::Usb(_) => "usb",
            Self::Storage(_) => "storage",
            Self::SystemShutdown { .. } => "system.shutdown",
        }
    }

    pub const fn run(&self) -> Option<&RunId> {
        match self {
            Self::RunStarted { run } | Self::RunFinished { run } => Some(&run.id),
            Self::RunUpdated(update) => Some(&update.run_id),
            Self::Phase(change) => Some(&change.run_id),
            Self::LiveData(data) => Some(&data.run_id),
            Self::Alarm { run_id, .. } => run_id.as_ref(),
            Self::ScheduleUpdated(update) => update.run_id.as_ref(),
            Self::DeviceConnection { .. }
            | Self::DeviceStatus { .. }
            | Self::DevicePhase { .. }
            | Self::DeviceErrors { .. }
            | Self::DeviceMetrics(_)
            | Self::MuxPosition { .. }
            | Self::Usb(_)
            // What becomes of a run when it is over is no part of it.
            | Self::Storage(_)
            | Self::SystemShutdown { .. } => None,
        }
    }

    /// The payload with its time of publication, as it goes out and is kept.
    pub fn payload(&self, published: Utc) -> serde_json::Value {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        let mut data = value.get_mut("data").map(serde_json::Value::take).unwrap_or_default();
        if let Some(object) = data.as_object_mut() {
            object.insert("timestamp".into(), published.as_seconds().into());
        }
        data
    }

    /// Reads back what [`Event::payload`] wrote under [`Event::name`].
    pub fn parse(name: &str, payload: &str) -> Result<Self, serde_json::Error> {
        let data: serde_json::Value = serde_json::from_str(payload)?;
        serde_json::from_value(serde_json::json!({ "type": name, "data": data }))
    }
}

/// An event as it is kept and streamed: numbered, written out, never changed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Strictly increasing by one over all events, never reused.
    pub seq: u64,
    pub name: String,
    pub run: Option<RunId>,
    /// 1-based.
    pub channel: Option<u8>,
    /// The payload as JSON on one line, with its timestamp.
    pub data: String,
}

/// How a run stands in one sentence: `completed: every visit has a good sample`.
pub fn outcome_sentence(outcome: Outcome, reason: &str) -> String {
    if reason.is_empty() { outcome.as_str().to_owned() } else { format!("{}: {reason}", outcome.as_str()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_reads_back_as_the_event_it_was() {
        let event = Event::MuxPosition { position: Position::Moving, channel: None };
        let payload = event.payload(Utc::from_micros(1_500_000));
        assert_eq!(payload["timestamp"], 1.5);
        assert_eq!(Event::parse(event.name(), &payload.to_string()).unwrap(), event);
    }
}
