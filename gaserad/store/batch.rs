//! What goes into the store in one commit, and what comes out.

use std::collections::BTreeMap;

use crate::domain::{
    Channel, ChannelInfo, ChannelKind, Event, Fact, GasTable, KnownDevices, Moment, Provenance, RunId, RunSummary,
    Schedule, Tick, Utc, Waiting,
};

/// How each channel is called and what it is for, as configured.
pub type ChannelLabels = BTreeMap<Channel, (String, ChannelKind)>;

/// What is configured about channels, gases and site. A run keeps what it began with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Circumstances {
    pub channels: BTreeMap<Channel, ChannelInfo>,
    pub gases: GasTable,
    pub provenance: Provenance,
}

impl From<ChannelLabels> for Circumstances {
    fn from(labels: ChannelLabels) -> Self {
        let info = |(label, kind)| ChannelInfo { label, kind, ..ChannelInfo::default() };
        let channels = labels.into_iter().map(|(channel, known)| (channel, info(known))).collect();
        Self { channels, ..Self::default() }
    }
}

/// What is kept together or not at all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    pub moment: Moment,
    /// JSON lines; the store does not look into them.
    pub journal: Vec<String>,
    pub facts: Vec<Fact>,
    pub events: Vec<Event>,
    pub audit: Vec<Audit>,
}

/// The run whose files may change with `fact`.
pub(super) fn run_of(fact: &Fact) -> Option<&RunId> {
    Some(match fact {
        Fact::RunStarted(run) => &run.id,
        Fact::Recorded(record) => &record.run,
        // A run that waits has no files yet, and no file says what is owed, scheduled or known.
        Fact::Queued(_)
        | Fact::Unqueued { .. }
        | Fact::StopOwed { .. }
        | Fact::WithoutChannel { .. }
        | Fact::StopObeyed
        | Fact::RunTrashed { .. }
        | Fact::RunRestored { .. }
        | Fact::AnalyzerKnown(_)
        | Fact::MultiplexerKnown(_)
        | Fact::Scheduled(_)
        | Fact::Unscheduled { .. } => return None,
        Fact::RunGases { run, .. }
        | Fact::RunEquipped { run, .. }
        | Fact::VisitInterrupted { run, .. }
        | Fact::Noted { run, .. }
        | Fact::VisitStarted { run, .. }
        | Fact::VisitEnded { run, .. }
        | Fact::RunEnded { run, .. } => run,
    })
}

/// Who asked for what, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    pub who: String,
    pub what: String,
    pub result: String,
}

/// What the state directory says when it is opened.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// The last moment that is kept, by both host clocks.
    pub last_tick: Tick,
    pub last_utc: Option<Utc>,
    pub last_seq: u64,
    /// A run without an end.
    pub open_run: Option<RunSummary>,
    /// The newest run, open or not.
    pub last_run: Option<RunSummary>,
    /// Runs that wait to begin.
    pub waiting: Vec<Waiting>,
    /// The analyzer may be measuring for a run that is over.
    pub owes_stop: bool,
    /// By name.
    pub schedules: Vec<Schedule>,
    /// The devices that were there before.
    pub known: KnownDevices,
}
