//! A sample and what is known of where its gas came from: what is kept.

use serde::{Deserialize, Serialize};

use super::channel::{Channel, Verification};
use super::instrument::StampMeaning;
use super::run::{RunId, VisitId};
use super::sample::Sample;
use super::time::Utc;

/// What the position history says of a sample's gas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Attribution {
    /// One verified channel held during the whole gas exchange.
    Exact,
    /// The valve moved during the gas exchange.
    Mixed,
    /// A result from before the run.
    Stale,
    /// The position or the gas exchange is not known well enough.
    Unattributed,
}

impl Attribution {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Mixed => "mixed",
            Self::Stale => "stale",
            Self::Unattributed => "unattributed",
        }
    }
}

/// How far a record can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Qc {
    Good,
    Suspect,
    Bad,
}

impl Qc {
    pub const fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Suspect => 1,
            Self::Bad => 2,
        }
    }
}

/// Why a record is discarded or suspect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// The gas exchange began before the purge was over.
    Purge,
    /// The gas exchange began while the run was paused.
    #[serde(alias = "suspended")]
    Paused,
    /// The visit was interrupted after this, and measured again.
    Interrupted,
    /// One of the first samples after a switch, which the plan leaves out for all gases or for some.
    Carryover,
    PosUnverified,
    PosChanged,
    Stale,
    /// What is known of its gas exchange contradicts itself.
    Contradicted,
    /// Iterations before this one were missed.
    Gap,
    ErrWarning,
    ErrBlocker,
    ErrCritical,
    /// A gas is out of the analyzer's range.
    Range,
    /// What the analyzer gave for a gas is no number, or may mean two.
    Unreadable,
    /// A gas of the task is not in the reply.
    Missing,
    /// The analyzer gave no number for a gas, but that there is more than it can measure.
    OverRange,
    /// But that there is less.
    UnderRange,
    Negative,
    ZeroExact,
    /// The host's or the analyzer's clock was set meanwhile.
    ClockStep,
    /// The host's clock was not synchronized.
    ClockUnsynced,
    /// No valve moved: it is simulated, and the analyzer is not.
    ValveSimulated,
}

impl Flag {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Purge => "purge",
            Self::Paused => "paused",
            Self::Interrupted => "interrupted",
            Self::Carryover => "carryover",
            Self::PosUnverified => "pos_unverified",
            Self::PosChanged => "pos_changed",
            Self::Stale => "stale",
            Self::Contradicted => "contradicted",
            Self::Gap => "gap",
            Self::ErrWarning => "err_warning",
            Self::ErrBlocker => "err_blocker",
            Self::ErrCritical => "err_critical",
            Self::Range => "range",
            Self::Unreadable => "unreadable",
            Self::Missing => "missing",
            Self::OverRange => "over_range",
            Self::UnderRange => "under_range",
            Self::Negative => "negative",
            Self::ZeroExact => "zero_exact",
            Self::ClockStep => "clock_step",
            Self::ClockUnsynced => "clock_unsynced",
            Self::ValveSimulated => "valve_simulated",
        }
    }
}

/// What is kept of one sample. A good record is one that is not discarded and has [`Qc::Good`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub run: RunId,
    /// Counted from 1 within the run, without gaps.
    pub seq: u32,
    pub sample: Sample,
    pub attribution: Attribution,
    /// Only of an exact record.
    pub channel: Option<Channel>,
    pub visit: Option<VisitId>,
    /// 1-based.
    pub repeat: Option<u32>,
    pub verification: Verification,
    /// Seconds from the arrival on the channel to the sampling time.
    pub elapsed_s: Option<f64>,
    /// Counted from 1 within the visit, discarded ones too.
    pub sample_in_visit: Option<u32>,
    pub discard: bool,
    pub qc: Qc,
    pub flags: Vec<Flag>,
    /// The analyzer's iteration counter, where it has one.
    pub iteration: Option<u32>,
    /// When the gas was drawn, by the host clock: the end of the gas exchange where it was seen.
    pub sampled: Utc,
    /// The gas exchange as the host saw it, at its widest.
    pub exchange: Option<(Utc, Utc)>,
    /// When the result was read.
    pub read: Utc,
    /// The analyzer's clock minus the host's, seconds, where known.
    pub clock_offset_s: Option<f64>,
    /// What the sample's stamp means, where that is known.
    pub stamp_meaning: Option<StampMeaning>,
}

impl Record {
    pub fn is_good(&self) -> bool {
        !self.discard && self.qc == Qc::Good
    }
}
