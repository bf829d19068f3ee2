//! What the engine is given when it begins: limits, settings and what was left by the process before. It decides nothing.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::attribution::Lags;
use crate::domain::{AfterRestart, KnownDevices, Pace, Reactions, RunSummary, StampMeaning, Waiting};

/// What is given when the engine begins. It is the first thing in the journal, so that all later lines can be stepped
/// through again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beginning {
    pub limits: Limits,
    /// What the analyzer's stamps mean, if somebody knows.
    pub stamp: Option<StampMeaning>,
    pub last_run: Option<RunSummary>,
    /// The run that was under way is taken up, after it was interrupted for so long.
    #[serde(rename = "resumes_after_s", default, with = "crate::domain::duration::optional_seconds")]
    pub resumes_after: Option<Duration>,
    /// It is not to go on but to end, for this reason.
    #[serde(default)]
    pub ends: Option<String>,
    /// A run under way at an orderly shutdown is left for the next process to go on with.
    #[serde(default)]
    pub resumable: bool,
    #[serde(default)]
    pub reactions: Reactions,
    /// What a restart of the analyzer does to a run. Without it, as in journals of before, whatever stops the analyzer
    /// fails the run at once.
    #[serde(default)]
    pub after_restart: Option<AfterRestart>,
    #[serde(default)]
    pub guard: Option<Guard>,
    /// The analyzer may still be measuring for a run that is over.
    #[serde(default)]
    pub owes_stop: bool,
    /// How fast the analyzer measured in the last run, if that is known.
    #[serde(default)]
    pub pace: Option<Pace>,
    /// Runs that begin later, from the process before.
    #[serde(default)]
    pub waiting: Vec<Waiting>,
    /// The devices that were there before.
    #[serde(default)]
    pub known: KnownDevices,
    /// No valve moves, and the analyzer is a real one.
    #[serde(default)]
    pub valve_simulated: bool,
    /// What of the run that is to end is not touched, because it is not what the run began with.
    #[serde(default)]
    pub untouched: Untouched,
}

/// Devices that are no longer those that a run began with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Untouched {
    pub analyzer: bool,
    pub valve: bool,
}

/// A condition outside that is asked for between two visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// How often it is asked again while it does not hold.
    #[serde(rename = "every_s", with = "crate::domain::duration::seconds")]
    pub every: Duration,
    #[serde(rename = "timeout_s", with = "crate::domain::duration::seconds")]
    pub timeout: Duration,
}

/// How long the engine waits for what does not come by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// An order that the analyzer carries out at once.
    #[serde(rename = "order_s", with = "crate::domain::duration::seconds")]
    pub order: Duration,
    /// A move of the valve.
    #[serde(rename = "valve_s", with = "crate::domain::duration::seconds")]
    pub valve: Duration,
    /// The analyzer, to become idle.
    #[serde(rename = "stop_s", with = "crate::domain::duration::seconds")]
    pub stop: Duration,
    /// An analyzer that went away, before the run fails.
    #[serde(rename = "grace_s", with = "crate::domain::duration::seconds")]
    pub grace: Duration,
    /// One iteration, until its gas exchange is over or its result has come.
    #[serde(rename = "iteration_s", with = "crate::domain::duration::seconds")]
    pub iteration: Duration,
    /// How stale what the analyzer says may be.
    #[serde(default = "usual_lags")]
    pub lags: Lags,
}

const fn usual_lags() -> Lags {
    Lags::USUAL
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            order: Duration::from_secs(45),
            valve: Duration::from_secs(40),
            stop: Duration::from_secs(150),
            grace: Duration::from_secs(120),
            iteration: Duration::from_secs(600),
            lags: Lags::USUAL,
        }
    }
}
