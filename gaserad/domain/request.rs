//! What somebody asks of the daemon, and why it can be denied.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::channel::Position;
use super::command::IfMeasuring;
use super::plan::{Plan, PlanError};
use super::run::RunId;
use super::time::Utc;

/// A run that somebody wants started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartRequest {
    pub plan: Plan,
    /// Start although the analyzer reports blocking errors.
    pub ignore_errors: bool,
    #[serde(default)]
    pub if_measuring: IfMeasuring,
    /// Begin at the next multiple of this on the wall clock, counted from midnight UTC.
    #[serde(rename = "align_s", default, with = "super::duration::optional_seconds")]
    pub align: Option<Duration>,
    /// Wait for the run under way instead of being refused.
    #[serde(default)]
    pub queue: bool,
    /// Who asks, for the audit.
    pub who: String,
}

impl StartRequest {
    /// At once, on an idle analyzer without blocking errors.
    pub fn new(plan: Plan, who: impl Into<String>) -> Self {
        Self {
            plan,
            ignore_errors: false,
            if_measuring: IfMeasuring::Refuse,
            align: None,
            queue: false,
            who: who.into(),
        }
    }
}

/// Every so long of the wall clock, counted from midnight UTC: what a start can be aligned to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Multiple(Duration);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot begin at a multiple of {}: it has to be between 1s and 1d", super::duration::format(*.0))]
pub struct MultipleError(Duration);

impl Multiple {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    pub fn new(of: Duration) -> Result<Self, MultipleError> {
        if of < Duration::from_secs(1) || of > Self::DAY { Err(MultipleError(of)) } else { Ok(Self(of)) }
    }

    pub const fn length(self) -> Duration {
        self.0
    }

    /// The first one that is not before `now`. Each midnight is one.
    pub fn next(self, now: Utc) -> Utc {
        let micros = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        let (day, step) = (micros(Self::DAY), micros(self.0));
        let into_day = now.as_micros().rem_euclid(day);
        let next = (into_day + step - 1) / step * step;
        Utc::from_micros(now.as_micros() - into_day + next.min(day))
    }
}

/// A run that begins later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub run: RunId,
    pub asked: StartRequest,
    /// Not before this.
    pub begins: Option<Utc>,
}

/// What a start that was granted came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    pub run: RunId,
    pub when: Begins,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begins {
    /// The analyzer measures.
    Now,
    /// When nothing is under way any more.
    Next,
    At(Utc),
}

/// What an abort that was granted came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aborted {
    pub run: RunId,
    /// It had not begun, and will not.
    pub waited: bool,
}

/// What somebody wants done with the run under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// Stay where it is: after the sample under way, or at once.
    Pause {
        now: bool,
    },
    Resume,
    /// Leave the visit under way for the next one.
    Skip,
    Finish {
        after: FinishAfter,
    },
    Note {
        text: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FinishAfter {
    /// The visit under way.
    Channel,
    /// The repeat under way.
    Repeat,
}

impl Control {
    /// As a sentence goes on: "cannot …".
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Pause { .. } => "pause",
            Self::Resume => "resume",
            Self::Skip => "skip",
            Self::Finish { .. } => "finish",
            Self::Note { .. } => "note",
        }
    }

    /// As the command line calls it.
    pub fn words(&self) -> String {
        match self {
            Self::Pause { now: false } => "pause".into(),
            Self::Pause { now: true } => "pause --now".into(),
            Self::Resume => "resume".into(),
            Self::Skip => "skip".into(),
            Self::Finish { after: FinishAfter::Channel } => "finish --after channel".into(),
            Self::Finish { after: FinishAfter::Repeat } => "finish --after repeat".into(),
            Self::Note { text } => format!("note {text}"),
        }
    }
}

/// What can get in a run's way without ending it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The analyzer reports errors that block measuring.
    AnalyzerErrors,
    /// Nobody knows where the valve stands.
    Valve,
    /// This machine's clock was set.
    Clock,
    /// This machine's clock is not synchronized.
    ClockUnsynced,
    /// The disk is nearly full.
    Disk,
}

/// What becomes of a run whose analyzer restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AfterRestart {
    /// The analyzer is prepared and started anew, and the visit that was under way is measured again.
    Resume,
    /// The run fails.
    Fail,
}

/// What a run does about a [`Cause`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reaction {
    /// It says so, in the stream and in the records.
    #[default]
    GoOn,
    /// It also waits until the cause is gone, or somebody resumes it.
    #[serde(alias = "suspend")]
    Pause,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reactions {
    pub analyzer_errors: Reaction,
    pub valve: Reaction,
    pub clock: Reaction,
    #[serde(default)]
    pub clock_unsynced: Reaction,
    pub disk: Reaction,
}

impl Reactions {
    pub const fn to(self, cause: Cause) -> Reaction {
        match cause {
            Cause::AnalyzerErrors => self.analyzer_errors,
            Cause::Valve => self.valve,
            Cause::Clock => self.clock,
            Cause::ClockUnsynced => self.clock_unsynced,
            Cause::Disk => self.disk,
        }
    }
}

/// What a request that was granted came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// The run that was started or aborted.
    Run(RunId),
    /// The run begins later: at that time, or when the one under way is over.
    Queued(RunId, Option<Utc>),
    /// The run was to begin later, and will not.
    Unqueued(RunId),
    /// Where the valve stands now.
    Valve(Position),
    /// What the instrument replied.
    Served(String),
    /// Who is known from now on.
    Accepted(String),
}

/// Why a request is denied, for programs. People read [`Denied::text`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Reason {
    /// One run at a time.
    RunUnderWay,
    /// There is nothing to abort, to pause, …
    NoRun,
    /// The run is not in a state in which that can be done.
    NotNow,
    /// Somebody else makes the analyzer measure.
    AnalyzerBusy,
    AnalyzerOffline,
    /// The analyzer answered that it will not.
    AnalyzerRefused,
    /// The analyzer reports errors that block measuring.
    AnalyzerErrors,
    MultiplexerFault,
    /// Another analyzer or multiplexer is there than was known, and nobody has accepted it.
    DeviceStranger,
    TaskUnknown,
    RunUnknown,
    PlanInvalid,
    /// No plan is kept under that name.
    PlanUnknown,
    ScheduleUnknown,
    /// There is too little room for a run.
    DiskLow,
    /// The run has no such file.
    FileUnknown,
    /// What was asked makes no sense.
    RequestInvalid,
    /// The run was aborted while it was still being started.
    RunAborted,
    ShuttingDown,
    Internal,
}

impl Reason {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RunUnderWay => "RUN_UNDER_WAY",
            Self::NoRun => "NO_RUN",
            Self::NotNow => "NOT_NOW",
            Self::AnalyzerBusy => "ANALYZER_BUSY",
            Self::AnalyzerOffline => "ANALYZER_OFFLINE",
            Self::AnalyzerRefused => "ANALYZER_REFUSED",
            Self::AnalyzerErrors => "ANALYZER_ERRORS",
            Self::MultiplexerFault => "MULTIPLEXER_FAULT",
            Self::DeviceStranger => "DEVICE_STRANGER",
            Self::TaskUnknown => "TASK_UNKNOWN",
            Self::RunUnknown => "RUN_UNKNOWN",
            Self::PlanInvalid => "PLAN_INVALID",
            Self::PlanUnknown => "PLAN_UNKNOWN",
            Self::ScheduleUnknown => "SCHEDULE_UNKNOWN",
            Self::DiskLow => "DISK_LOW",
            Self::FileUnknown => "FILE_UNKNOWN",
            Self::RequestInvalid => "REQUEST_INVALID",
            Self::RunAborted => "RUN_ABORTED",
            Self::ShuttingDown => "SHUTTING_DOWN",
            Self::Internal => "INTERNAL",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A request that is not granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{text}")]
pub struct Denied {
    pub reason: Reason,
    /// What was asked, what stands against it, and what to do.
    pub text: String,
}

impl Denied {
    pub fn new(reason: Reason, text: impl Into<String>) -> Self {
        Self { reason, text: text.into() }
    }
}

impl From<PlanError> for Denied {
    fn from(error: PlanError) -> Self {
        Self::new(Reason::PlanInvalid, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiples_are_counted_from_midnight_utc() {
        let next = |of: u64, now: &str| {
            Multiple::new(Duration::from_secs(of)).unwrap().next(now.parse().unwrap()).to_seconds_string()
        };
        assert_eq!(next(1800, "2026-01-15T08:03:12.5Z"), "2026-01-15T08:30:00Z");
        assert_eq!(next(1800, "2026-01-15T08:30:00Z"), "2026-01-15T08:30:00Z");
        assert_eq!(next(7 * 3600, "2026-01-15T08:03:12Z"), "2026-01-15T14:00:00Z");
        assert_eq!(next(7 * 3600, "2026-01-15T22:00:00Z"), "2026-01-16T00:00:00Z");
        assert_eq!(next(86_400, "2026-01-15T00:00:01Z"), "2026-01-16T00:00:00Z");
        for of in [Duration::ZERO, Duration::from_millis(999), Duration::from_secs(86_401)] {
            assert!(Multiple::new(of).is_err(), "{of:?}");
        }
    }

    #[test]
    fn a_reason_is_kept_as_it_is_called() {
        for reason in [Reason::RunUnderWay, Reason::MultiplexerFault, Reason::Internal] {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
    }
}
