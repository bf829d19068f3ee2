//! A sample and what is known of where its gas came from: what is kept.

use serde::{Deserialize, Serialize};

use super::channel::{Channel, Verification};
use super::instrument::StampMeaning;
use super::run::{RunId, VisitId};
use super::sample::Sample;
use super::time::Utc;
use super::worded::worded;

worded! {
    /// What the position history says of a sample's gas.
    pub enum Attribution {
        /// One verified channel held during the whole gas exchange.
        Exact = "exact",
        /// The valve moved during the gas exchange.
        Mixed = "mixed",
        /// A result from before the run.
        Stale = "stale",
        /// The position or the gas exchange is not known well enough.
        Unattributed = "unattributed",
    }
}

worded! {
    /// How far a record can be trusted.
    pub enum Qc {
        Good = "good",
        Suspect = "suspect",
        Bad = "bad",
    }
}

impl Qc {
    /// Each with its number in files. Nothing of ours is without an evaluation.
    pub const CODES: [(u8, &'static str); 4] =
        [(0, Self::Good.as_str()), (1, Self::Suspect.as_str()), (2, Self::Bad.as_str()), (9, "not_evaluated")];

    pub const fn code(self) -> u8 {
        Self::CODES[self as usize].0
    }
}

worded! {
    /// Why a record is discarded or suspect.
    pub enum Flag {
        /// The gas exchange began before the purge was over.
        Purge = "purge",
        /// The gas exchange began while the run was paused.
        #[serde(alias = "suspended")]
        Paused = "paused",
        /// The visit was interrupted after this, and measured again.
        Interrupted = "interrupted",
        /// One of the first samples after a switch, which the plan leaves out for all gases or for some.
        Carryover = "carryover",
        PosUnverified = "pos_unverified",
        PosChanged = "pos_changed",
        Stale = "stale",
        /// What is known of its gas exchange contradicts itself.
        Contradicted = "contradicted",
        /// Iterations before this one were missed.
        Gap = "gap",
        ErrWarning = "err_warning",
        ErrBlocker = "err_blocker",
        ErrCritical = "err_critical",
        /// A gas is out of the analyzer's range.
        Range = "range",
        /// What the analyzer gave for a gas is no number, or may mean two.
        Unreadable = "unreadable",
        /// A gas of the task is not in the reply.
        Missing = "missing",
        /// The analyzer gave no number for a gas, but that there is more than it can measure.
        OverRange = "over_range",
        /// But that there is less.
        UnderRange = "under_range",
        Negative = "negative",
        ZeroExact = "zero_exact",
        /// The host's or the analyzer's clock was set meanwhile.
        ClockStep = "clock_step",
        /// The host's clock was not synchronized.
        ClockUnsynced = "clock_unsynced",
        /// No valve moved: it is simulated, and the analyzer is not.
        ValveSimulated = "valve_simulated",
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
