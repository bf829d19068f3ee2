//! The devices and all else that outlives a run.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::absence::Absence;
use super::clock::HostClock;
use super::identity::Identities;
use crate::attribution::{Exchanges, Stamps, Timeline};
use crate::domain::event::{DeviceMetrics, LiveData};
use crate::domain::status::UnreadableReply;
use crate::domain::{
    AfterRestart, AnalyzerPhase, AnalyzerState, CommandId, DeviceErrors, Pace, Position, Progress, Reactions,
    RunSummary, Tick, ValveDescription, Waiting,
};
use crate::engine::beginning::{Beginning, Guard, Limits};
use crate::engine::event::RequestId;

#[derive(Debug, Clone, Default)]
pub struct Station {
    pub settings: EngineSettings,
    pub analyzer: AnalyzerSeen,
    pub valve: ValveSeen,
    pub timeline: Timeline,
    pub exchanges: Exchanges,
    pub stamps: Stamps,
    /// At how many contradictions that was told last.
    pub contradictions_told: u32,
    /// Until one was seen: how fast the analyzer measured before the process began.
    pub pace_before: Option<Pace>,
    pub host_clock: HostClock,
    pub identities: Identities,
    /// What is shown while no run is under way.
    pub rest: Rest,
    pub errands: Errands,
    pub queue: VecDeque<Waiting>,
    /// The order to stop that the analyzer has not obeyed yet, though the run is over.
    pub owed_stop: Option<CommandId>,
    commands: u64,
    /// What was free when the disk was found nearly full, while it is.
    pub disk_low: Option<u64>,
    pub shutting_down: bool,
}

/// What the process that began was told to do.
#[derive(Debug, Clone, Default)]
pub struct EngineSettings {
    pub limits: Limits,
    pub resumable: bool,
    pub reactions: Reactions,
    pub after_restart: Option<AfterRestart>,
    pub guard: Option<Guard>,
    /// No valve moves, and the analyzer is a real one: no sample is good.
    pub valve_simulated: bool,
}

#[derive(Debug, Clone, Default)]
pub struct AnalyzerSeen {
    pub online: bool,
    pub reason: String,
    pub offline_since: Option<Tick>,
    pub state: Option<AnalyzerState>,
    pub phase: Option<AnalyzerPhase>,
    pub iteration: Option<u32>,
    pub errors: DeviceErrors,
    pub clock_offset_ms: Option<i64>,
    pub identity: Vec<String>,
    pub(in crate::engine) unreadable: Option<UnreadableReply>,
    pub(in crate::engine) absence: Absence,
}

impl AnalyzerSeen {
    pub fn words(&self) -> &'static str {
        self.state.map_or("not seen yet", AnalyzerState::words)
    }
}

#[derive(Debug, Clone, Default)]
pub struct ValveSeen {
    pub position: Position,
    pub fault: String,
    pub description: ValveDescription,
    /// Since when its orders fail because it is away.
    pub(in crate::engine) lost_since: Option<Tick>,
    /// What it took for its moves lately.
    pub(in crate::engine) travel: Option<Duration>,
    /// The order that is awaited was refused before.
    pub(in crate::engine) tried_again: bool,
    /// The order whose answer is awaited.
    pub(in crate::engine) ordered: Option<CommandId>,
}

impl ValveSeen {
    /// The latest moves count most.
    pub fn learn_travel(&mut self, took: Duration) {
        self.travel = Some(self.travel.map_or(took, |before| (before * 3 + took) / 4));
    }
}

/// Who waits for which answer, outside of runs.
#[derive(Debug, Clone, Default)]
pub struct Errands {
    pub valve: BTreeMap<CommandId, RequestId>,
    pub analyzer: BTreeMap<CommandId, RequestId>,
}

impl Errands {
    pub fn are_done(&self) -> bool {
        self.valve.is_empty() && self.analyzer.is_empty()
    }
}

#[derive(Debug, Clone, Default)]
pub struct Rest {
    pub progress: Progress,
    pub last_run: Option<RunSummary>,
    pub live_data: Option<LiveData>,
}

impl Station {
    /// Nothing has happened yet but the last run, if there was one.
    pub fn new(began: Beginning) -> Self {
        Self {
            exchanges: Exchanges::new(began.limits.lags),
            stamps: began.stamp.map_or_else(Stamps::default, Stamps::known),
            settings: EngineSettings::of(&began),
            identities: Identities::new(began.known),
            pace_before: began.pace,
            queue: began.waiting.into(),
            rest: Rest { last_run: began.last_run, ..Rest::default() },
            ..Self::default()
        }
    }

    /// What can be known of the instruments beside their measuring.
    pub fn metrics(&self) -> DeviceMetrics {
        DeviceMetrics {
            clock_offset_s: self.analyzer.clock_offset_ms.map(seconds),
            stamp_meaning: self.stamps.meaning(),
            actuations: self.valve.description.actuations,
        }
    }

    /// The disk of the state directory is nearly full; the sentence that says so.
    pub fn little_space(&self) -> Option<String> {
        let megabytes = self.disk_low? / 1_000_000;
        let text = "left; delete what is not needed, or make it larger";
        Some(format!("the disk of the state directory has {megabytes} MB {text}"))
    }

    pub fn next_command(&mut self) -> CommandId {
        self.commands += 1;
        CommandId(self.commands)
    }
}

impl EngineSettings {
    pub const fn of(began: &Beginning) -> Self {
        let &Beginning { limits, resumable, reactions, after_restart, guard, valve_simulated, .. } = began;
        Self { limits, resumable, reactions, after_restart, guard, valve_simulated }
    }
}

#[expect(clippy::cast_precision_loss, reason = "an offset of clocks is far from the limits of a double")]
pub fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1e3
}
