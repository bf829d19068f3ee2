//! All that is remembered. Deadlines are part of it, each with its reason.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::absence::Absence;
use super::again::Readying;
use super::beginning::{Beginning, Limits};
use super::control::{FinishAsked, PauseAsked};
use super::detour::LeftOff;
use super::estimate::Lateness;
use super::event::RequestId;
use super::guard::Guard;
use super::identity::Identities;
use super::losses::Losses;
pub(super) use super::stage::{Ending, Stage, Stopped};
use super::time::HostClock;
use crate::attribution::{Exchanges, Stamps, Timeline};
use crate::domain::event::{DeviceMetrics, LiveData};
use crate::domain::plan::Stop;
use crate::domain::status::{QueuedRun, UnreadableReply};
use crate::domain::{
    AfterRestart, AnalyzerPhase, AnalyzerState, AnalyzerTime, Cause, Channel, CommandId, DeviceErrors, Moment, Pace,
    Phase, Plan, Position, Progress, Reactions, RunId, RunSummary, Sample, Tick, ValveDescription, VisitId, Waiting,
};

#[derive(Debug, Clone, Default)]
pub struct State {
    pub limits: Limits,
    pub analyzer: Analyzer,
    pub valve: Valve,
    pub(super) timeline: Timeline,
    pub(super) exchanges: Exchanges,
    pub(super) stamps: Stamps,
    /// At how many contradictions that was told last.
    pub(super) contradictions_told: u32,
    /// Until one was seen: how fast the analyzer measured before the process began.
    pub(super) pace_before: Option<Pace>,
    pub(super) host_clock: HostClock,
    pub(super) run: Option<Run>,
    /// What is shown while no run is under way.
    pub(super) rest: Rest,
    pub(super) errands: Errands,
    pub(super) queue: VecDeque<Waiting>,
    /// The order to stop that the analyzer has not obeyed yet, though the run is over.
    pub(super) owed_stop: Option<CommandId>,
    pub(super) commands: u64,
    pub(super) resumable: bool,
    pub(super) reactions: Reactions,
    pub(super) after_restart: Option<AfterRestart>,
    /// What was free when the disk was found nearly full, while it is.
    pub(super) disk_low: Option<u64>,
    pub(super) guard: Option<Guard>,
    pub(super) identities: Identities,
    /// No valve moves, and the analyzer is a real one: no sample is good.
    pub(super) valve_simulated: bool,
    pub(super) shutting_down: bool,
}

#[derive(Debug, Clone, Default)]
pub struct Analyzer {
    pub online: bool,
    pub reason: String,
    pub offline_since: Option<Tick>,
    pub state: Option<AnalyzerState>,
    pub phase: Option<AnalyzerPhase>,
    pub iteration: Option<u32>,
    pub errors: DeviceErrors,
    pub clock_offset_ms: Option<i64>,
    pub identity: Vec<String>,
    pub(super) unreadable: Option<UnreadableReply>,
    pub(super) absence: Absence,
}

#[derive(Debug, Clone, Default)]
pub struct Valve {
    pub position: Position,
    pub fault: String,
    pub description: ValveDescription,
    /// Since when its orders fail because it is away.
    pub(super) lost_since: Option<Tick>,
    /// What it took for its moves lately.
    pub(super) travel: Option<Duration>,
    /// The order that is awaited was refused before.
    pub(super) tried_again: bool,
    /// The order whose answer is awaited.
    pub(super) ordered: Option<CommandId>,
}

/// Who waits for which answer, outside of runs.
#[derive(Debug, Clone, Default)]
pub(super) struct Errands {
    pub valve: BTreeMap<CommandId, RequestId>,
    pub analyzer: BTreeMap<CommandId, RequestId>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Rest {
    pub progress: Progress,
    pub last_run: Option<RunSummary>,
    pub live_data: Option<LiveData>,
}

/// The run under way.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub id: RunId,
    pub plan: Plan,
    pub stops: Vec<Stop>,
    pub ignore_errors: bool,
    /// When homing began; before that the run is only being prepared.
    pub started: Option<Moment>,
    /// What it was while it waited to begin, if it did.
    pub waited: Option<QueuedRun>,
    /// Who waits to hear that the analyzer measures.
    pub starter: Option<RequestId>,
    /// Who waits to hear that the run is over.
    pub aborters: Vec<RequestId>,
    pub stage: Stage,
    /// When the stage began, and when it is over at the latest.
    pub since: Tick,
    pub until: Tick,
    /// With fixed timings: when what is under way is meant to be over.
    pub due: Tick,
    pub phase: Phase,
    /// 0-based.
    pub shown_channel: u8,
    pub task_id: u32,
    pub baseline: Option<AnalyzerTime>,
    /// The result that the analyzer held before the run.
    pub held: Option<Sample>,
    /// 0-based.
    pub repeat: u32,
    /// Index of the stop the valve is at or on its way to.
    pub stop: usize,
    /// Where the valve arrived last.
    pub stands_at: Option<Channel>,
    /// And when.
    pub arrived: Tick,
    /// How far visits were off from what was expected of them.
    pub lateness: Lateness,
    pub visits_begun: u32,
    pub visits_done: u32,
    pub visit: Option<Visit>,
    /// Visits without a good sample so far.
    pub barren: BTreeMap<VisitId, Place>,
    /// Where it was when it went back to a visit; the latest comes last.
    pub left_off: Vec<LeftOff>,
    /// It was interrupted between two visits: the guard is asked before the next.
    pub between_visits: bool,
    /// What its replies lack.
    pub lacks: super::values::Lacks,
    /// Samples of the latest visits, to number them.
    pub samples: BTreeMap<VisitId, Samples>,
    pub records: u32,
    /// The newest one.
    pub newest: Option<Sample>,
    pub good_records: u32,
    pub losses: Losses,
    pub live_data: Option<LiveData>,
    /// The analyzer was ordered to start, so that it may be measuring.
    pub ordered_start: bool,
    pub pause_asked: Option<PauseAsked>,
    pub finish_asked: Option<FinishAsked>,
    /// Somebody paused it, and nobody resumed it.
    pub paused_by_hand: bool,
    /// What it waits for to be gone.
    pub causes: BTreeSet<Cause>,
    /// The guard spoke against the next visit.
    pub guarded_off: bool,
    /// The analyzer restarted, and is waited for.
    pub readying: Option<Readying>,
    /// Whether it restarted or was stopped cannot be told; and the sentence that says so.
    pub in_doubt: Option<String>,
    /// How often it restarted since the last visit was completed.
    pub restarts: u32,
    /// The valve stays where it is when the run ends: it may be another one.
    pub leaves_valve: bool,
}

/// The visit under way.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    pub id: VisitId,
    pub channel: Channel,
    pub arrived: Tick,
    /// Gas exchanges that began after the purge, with the valve verified all the time, and are over.
    pub clean_exchanges: u32,
}

/// Where a visit stands in the plan.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub channel: Channel,
    /// 1-based.
    pub repeat: u32,
    /// Index of its stop.
    pub stop: usize,
    pub arrived: Tick,
    /// Somebody did not want to wait for it.
    pub skipped: bool,
}

/// How many samples a visit has.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Samples {
    pub all: u32,
    /// Drawn after the purge.
    pub clean: u32,
}

impl State {
    /// When the engine must be woken, and why.
    pub fn deadline(&self) -> Option<(Tick, &'static str)> {
        self.stage_ends().into_iter().chain(self.absence_ends()).min()
    }

    fn stage_ends(&self) -> Option<(Tick, &'static str)> {
        let Some(run) = &self.run else {
            return self.next_begins().map(|begins| (begins, "the next run to begin"));
        };
        let stage = (run.until, run.stage.reason());
        let timeless = matches!(run.stage, Stage::Paused(_) | Stage::Interrupted);
        let stage = Some(stage).filter(|_| !timeless);
        let offline = self.analyzer.offline_since.filter(|_| run.suffers_offline());
        let grace = offline.map(|since| (since + self.limits.grace, "the analyzer to come back"));
        stage.into_iter().chain(grace).min()
    }

    /// Whether a run is under way, or on its way.
    pub fn is_busy(&self) -> bool {
        self.run.is_some()
    }

    /// Whether the process may end: nothing is under way that it would cut off.
    pub fn is_at_rest(&self) -> bool {
        self.run.as_ref().is_none_or(|run| run.stage == Stage::Interrupted)
    }

    /// Nothing has happened yet but the last run, if there was one.
    pub fn new(began: Beginning) -> Self {
        let Beginning { limits, stamp, last_run, resumable, reactions, after_restart, guard, waiting, pace, .. } =
            began;
        let (identities, valve_simulated) = (Identities::new(began.known), began.valve_simulated);
        let stamps = stamp.map_or_else(Stamps::default, Stamps::known);
        Self {
            limits,
            exchanges: Exchanges::new(limits.lags),
            stamps,
            resumable,
            reactions,
            after_restart,
            guard,
            identities,
            valve_simulated,
            pace_before: pace,
            queue: waiting.into(),
            rest: Rest { last_run, ..Rest::default() },
            ..Self::default()
        }
    }

    /// What can be known of the instruments beside their measuring.
    pub(super) fn metrics(&self) -> DeviceMetrics {
        DeviceMetrics {
            clock_offset_s: self.analyzer.clock_offset_ms.map(super::progress::seconds),
            stamp_meaning: self.stamps.meaning(),
            actuations: self.valve.description.actuations,
        }
    }

    pub(super) fn next_command(&mut self) -> CommandId {
        self.commands += 1;
        CommandId(self.commands)
    }
}

impl Run {
    /// Whether the run needs an analyzer that measures.
    pub(super) const fn needs_measuring(&self) -> bool {
        self.is_measured() && !matches!(self.stage, Stage::Starting(..)) && self.ordered_start
    }

    /// Whether losing the analyzer counts against the run.
    pub(super) const fn suffers_offline(&self) -> bool {
        self.is_measured()
    }

    /// Whether the plan is being carried out.
    pub(super) const fn is_measured(&self) -> bool {
        !matches!(
            self.stage,
            Stage::Preparing(_)
                | Stage::Recovering(_)
                | Stage::Interrupting(_)
                | Stage::Interrupted
                | Stage::Closing(..)
                | Stage::Stopping(..)
                | Stage::Parking(..)
        )
    }

    /// Whether the valve is meant to stand where the plan wants it.
    pub(super) const fn is_at_a_stop(&self) -> bool {
        matches!(
            self.stage,
            Stage::Settling
                | Stage::Starting(..)
                | Stage::Purging
                | Stage::PurgeOver(_)
                | Stage::Measuring
                | Stage::MeasureOver(_)
                | Stage::Lingering
                | Stage::Paused(_)
        )
    }

    pub(super) fn target(&self) -> Option<Stop> {
        self.stops.get(self.stop).copied()
    }

    pub(super) fn enabled(&self) -> u32 {
        self.plan.visits_per_repeat()
    }

    pub(super) fn summary(&self) -> Option<RunSummary> {
        Some(RunSummary {
            id: self.id.clone(),
            plan: self.plan.clone(),
            started: self.started?.utc,
            ended: None,
            outcome: None,
            reason: String::new(),
            records: self.records.into(),
            good_records: self.good_records.into(),
            without_channel: self.losses.so_far.clone(),
        })
    }
}
