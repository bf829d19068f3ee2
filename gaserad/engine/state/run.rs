//! The run under way, in parts. What outlives it is in `station`.

use std::collections::{BTreeMap, BTreeSet};

use super::lacks::Lacks;
use super::lateness::Lateness;
use super::stage::Stage;
use super::visits::{CurrentVisit, LeftOff, SampleCount, VisitPlace};
use crate::domain::event::LiveData;
use crate::domain::plan::Stop;
use crate::domain::status::QueuedRun;
use crate::domain::{
    AfterRestart, AnalyzerTime, Cause, Channel, FinishAfter, IfMeasuring, Moment, Phase, Plan, RunId, RunSummary,
    Sample, StartRequest, Tick, VisitId, WithoutChannel,
};
use crate::engine::event::RequestId;

#[derive(Debug, Clone)]
pub struct Run {
    pub id: RunId,
    pub asked: AskedRun,
    pub stage: Stage,
    pub timing: Timing,
    pub course: RunCourse,
    pub visits: Visits,
    pub measurement: RunMeasurement,
    pub results: Results,
    pub pausing: Pausing,
    pub ending: Ending,
    pub shown: Shown,
}

/// What was asked for.
#[derive(Debug, Clone)]
pub struct AskedRun {
    pub plan: Plan,
    pub stops: Vec<Stop>,
    pub ignore_errors: bool,
    /// What it was while it waited to begin, if it did.
    pub waited: Option<QueuedRun>,
    /// Who waits to hear that the analyzer measures.
    pub starter: Option<RequestId>,
}

#[derive(Debug, Clone)]
pub struct Timing {
    /// When homing began; before that the run is only being prepared.
    pub started: Option<Moment>,
    /// When the stage began, and when it is over at the latest.
    pub since: Tick,
    pub until: Tick,
    /// With fixed timings: when what is under way is meant to be over.
    pub due: Tick,
    /// How far visits were off from what was expected of them.
    pub lateness: Lateness,
}

/// Where the run is in its plan.
#[derive(Debug, Clone)]
pub struct RunCourse {
    /// 0-based.
    pub repeat: u32,
    /// Index of the stop the valve is at or on its way to.
    pub stop: usize,
    /// Where the valve arrived last, and when.
    pub stands_at: Option<Channel>,
    pub arrived: Tick,
    /// Where it was when it went back to a visit; the latest comes last.
    pub left_off: Vec<LeftOff>,
    /// It was interrupted between two visits: the guard is asked before the next.
    pub between_visits: bool,
}

#[derive(Debug, Clone, Default)]
pub struct Visits {
    pub begun: u32,
    pub done: u32,
    pub current: Option<CurrentVisit>,
    /// Those without a good sample so far.
    pub barren: BTreeMap<VisitId, VisitPlace>,
    /// Samples of the latest visits, to number them.
    pub samples: BTreeMap<VisitId, SampleCount>,
}

/// What the analyzer does for the run.
#[derive(Debug, Clone, Default)]
pub struct RunMeasurement {
    pub task_id: u32,
    pub baseline: Option<AnalyzerTime>,
    /// The result that the analyzer held before the run.
    pub held: Option<Sample>,
    /// The analyzer was ordered to start, so that it may be measuring.
    pub ordered_start: bool,
    /// The analyzer restarted, and is waited for.
    pub readying: Option<Readying>,
    /// Whether it restarted or was stopped cannot be told; and the sentence that says so.
    pub in_doubt: Option<String>,
    /// How often it restarted since the last visit was completed.
    pub restarts: u32,
}

/// The analyzer is waited for, to be prepared again.
#[derive(Debug, Clone, Copy)]
pub struct Readying {
    pub since: Tick,
    pub until: Tick,
    /// A measurement that somebody else has begun meanwhile is stopped.
    pub if_measuring: IfMeasuring,
}

#[derive(Debug, Clone, Default)]
pub struct Results {
    /// What the analyzer's replies lack.
    pub lacks: Lacks,
    pub records: u32,
    pub good_records: u32,
    /// The newest one.
    pub newest: Option<Sample>,
    /// Samples that have no channel for lack of evidence; whether somebody was told that they are many.
    pub without_channel: WithoutChannel,
    pub losses_told: bool,
    pub live_data: Option<LiveData>,
}

/// What keeps the run from going on.
#[derive(Debug, Clone, Default)]
pub struct Pausing {
    pub asked: Option<PauseAsked>,
    /// Somebody paused it, and nobody resumed it.
    pub by_hand: bool,
    /// What it waits for to be gone.
    pub causes: BTreeSet<Cause>,
    /// The guard spoke against the next visit.
    pub guarded_off: bool,
}

impl Pausing {
    /// What is in the way asks for a pause, if nobody does already.
    pub fn ask(&mut self, reason: &str) {
        self.asked.get_or_insert_with(|| PauseAsked { who: "gaserad".into(), reason: reason.to_owned() });
    }
}

/// A pause that was asked for and has not begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PauseAsked {
    pub who: String,
    pub reason: String,
}

#[derive(Debug, Clone, Default)]
pub struct Ending {
    /// Who waits to hear that the run is over.
    pub aborters: Vec<RequestId>,
    pub finish_asked: Option<FinishAsked>,
    /// The valve stays where it is when the run ends: it may be another one.
    pub leaves_valve: bool,
}

/// Until when a run goes on that is to finish early, and who wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishAsked {
    pub after: FinishAfter,
    pub who: String,
}

/// What people were shown last.
#[derive(Debug, Clone)]
pub struct Shown {
    pub phase: Phase,
    /// 0-based.
    pub channel: u8,
}

impl Run {
    pub fn new(id: RunId, asked: StartRequest, at: Tick) -> Self {
        let StartRequest { plan, ignore_errors, .. } = asked;
        Self {
            id,
            asked: AskedRun { stops: plan.stops(), plan, ignore_errors, waited: None, starter: None },
            stage: Stage::Settling,
            timing: Timing { started: None, since: at, until: at, due: at, lateness: Lateness::default() },
            course: RunCourse {
                repeat: 0,
                stop: 0,
                stands_at: None,
                arrived: at,
                left_off: Vec::new(),
                between_visits: false,
            },
            visits: Visits::default(),
            measurement: RunMeasurement::default(),
            results: Results::default(),
            pausing: Pausing::default(),
            ending: Ending::default(),
            shown: Shown { phase: Phase::Idle, channel: 0 },
        }
    }

    pub fn target(&self) -> Option<Stop> {
        self.asked.stops.get(self.course.stop).copied()
    }

    pub fn target_channel(&self) -> Option<Channel> {
        self.target().map(|stop| stop.channel)
    }

    pub fn summary(&self) -> Option<RunSummary> {
        Some(RunSummary {
            id: self.id.clone(),
            plan: self.asked.plan.clone(),
            started: self.timing.started?.utc,
            ended: None,
            outcome: None,
            reason: String::new(),
            records: self.results.records.into(),
            good_records: self.results.good_records.into(),
            without_channel: self.results.without_channel.clone(),
        })
    }

    /// Whether the store knows the run: before that it is only being prepared.
    pub const fn is_recorded(&self) -> bool {
        self.timing.started.is_some()
    }

    /// Whether the run needs an analyzer that measures.
    pub const fn needs_measuring(&self) -> bool {
        self.stage.is_measured() && !matches!(self.stage, Stage::Starting(..)) && self.measurement.ordered_start
    }

    /// Whether the analyzer is waited for because it restarted.
    pub const fn is_getting_ready(&self) -> bool {
        self.measurement.readying.is_some() && matches!(self.stage, Stage::Recovering(_))
    }

    /// Whether an analyzer that does not measure matters. Before the start only a restart does; and whoever waits for that
    /// start hears of it from the start itself.
    pub fn minds_absence(&self, after: Option<AfterRestart>) -> bool {
        let RunMeasurement { in_doubt, ordered_start, .. } = &self.measurement;
        let begins_alone = self.asked.starter.is_none() && in_doubt.is_none() && after == Some(AfterRestart::Resume);
        after.is_some() && (self.needs_measuring() || (self.stage.is_measured() && !ordered_start && begins_alone))
    }

    /// Whether the next process can take it up.
    pub fn can_be_taken_up(&self) -> bool {
        let begun = self.is_recorded() && self.asked.starter.is_none();
        begun && self.ending.aborters.is_empty() && (self.stage.is_measured() || self.is_getting_ready())
    }

    /// Whether a pause can begin right away where it is; else it begins when the run comes to the next such point.
    pub const fn may_be_paused(&self) -> bool {
        self.measurement.ordered_start && self.stage.may_be_paused()
    }

    /// Whether the stage ends when its time is over, and not when a device has answered.
    pub fn is_timed(&self) -> bool {
        matches!(self.stage, Stage::Settling | Stage::Purging)
            || (self.stage == Stage::Measuring && self.asked.plan.iterations.is_none())
    }
}
