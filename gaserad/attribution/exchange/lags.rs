//! How stale what the analyzer says may be.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Upper bounds. What a poll shows was so at some moment up to `phase` before the poll; a result shows up to `result`
/// after its iteration is over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lags {
    #[serde(rename = "phase_s", with = "crate::domain::duration::seconds")]
    pub phase: Duration,
    #[serde(rename = "result_s", with = "crate::domain::duration::seconds")]
    pub result: Duration,
}

impl Lags {
    /// What is assumed of an analyzer of which nothing is known.
    pub const USUAL: Self = Self { phase: Duration::from_secs(2), result: Duration::from_secs(5) };

    /// An analyzer whose iterations are short is that much quicker in all it does.
    pub(super) fn within(self, cycle: Option<Duration>) -> Self {
        let Some(cycle) = cycle.filter(|_| self == Self::USUAL) else { return self };
        Self { phase: self.phase.min(cycle / 16), result: self.result.min(cycle / 8) }
    }

    pub(super) fn max(self, other: Self) -> Self {
        Self { phase: self.phase.max(other.phase), result: self.result.max(other.result) }
    }
}
