//! One execution of a plan: its identity, its progress, its end.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::channel::Channel;
use super::phase::Phase;
use super::plan::Plan;
use super::time::Utc;

/// A ULID: sorts by the time of the start.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub String);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One stay on one channel, counted from 1 within its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VisitId(pub u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Every visit has a good sample.
    Completed,
    /// The plan was carried out, but a visit has no good sample.
    Partial,
    Aborted,
    /// It could not go on.
    Failed,
}

impl Outcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Partial => "partial",
            Self::Aborted => "aborted",
            Self::Failed => "failed",
        }
    }
}

/// How far a run is. Channels are 0-based here and only here, as in the payload of GaseraMux.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    pub phase: Phase,
    pub current_channel: u8,
    /// The next line on the valve, whether it is enabled or not.
    pub next_channel: Option<u8>,
    /// The next line that the plan measures.
    pub next_enabled_channel: Option<u8>,
    /// Of this repeat.
    pub percent: u32,
    pub overall_percent: u32,
    /// Repeats that are through.
    pub repeat_index: u32,
    pub repeat_total: u32,
    pub enabled_count: u32,
    /// Visits that are through, over the whole run.
    pub step_index: u32,
    pub total_steps: u32,
    pub elapsed_seconds: f64,
    /// Estimated total; `null` when no run is under way.
    pub tt_seconds: Option<f64>,
}

/// A run as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSummary {
    pub id: RunId,
    pub plan: Plan,
    pub started: Utc,
    pub ended: Option<Utc>,
    pub outcome: Option<Outcome>,
    /// Why it ended as it did.
    pub reason: String,
    pub records: u64,
    pub good_records: u64,
    #[serde(default)]
    pub without_channel: WithoutChannel,
}

/// Samples that have no channel for lack of evidence.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithoutChannel {
    pub samples: u64,
    /// How many have each flag that says why; one may have several.
    pub why: BTreeMap<String, u64>,
}

impl WithoutChannel {
    /// One more, with these flags, or `otherwise` if it has none.
    pub fn add<'a>(&mut self, flags: impl Iterator<Item = &'a str>, otherwise: &'a str) {
        self.samples += 1;
        let mut flags = flags.peekable();
        let unflagged = flags.peek().is_none().then_some(otherwise);
        for flag in flags.chain(unflagged) {
            *self.why.entry(flag.to_owned()).or_default() += 1;
        }
    }

    /// `3 samples without a channel: 2 pos_unverified, 1 pos_changed`.
    pub fn sentence(&self) -> String {
        let why: Vec<String> = self.why.iter().map(|(flag, count)| format!("{count} {flag}")).collect();
        let samples = if self.samples == 1 { "sample" } else { "samples" };
        format!("{} {samples} without a channel: {}", self.samples, why.join(", "))
    }
}

/// A visit as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitSummary {
    pub id: VisitId,
    pub channel: Channel,
    /// 1-based.
    pub repeat: u32,
    pub arrived: Utc,
    pub left: Option<Utc>,
    pub records: u64,
    pub good_records: u64,
}

/// A remark that somebody made on a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub at: Utc,
    pub who: String,
    pub text: String,
}
