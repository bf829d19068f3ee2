//! What a run is doing.

use serde::{Deserialize, Serialize};

/// The words that the dashboards of multiplexed analyzers use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Phase {
    #[default]
    Idle,
    Homing,
    Switching,
    /// Purging before measuring.
    Purging,
    Measuring,
    /// The run was paused, or waits until something in its way is gone.
    Paused,
    Aborted,
    /// The merged payload says ABORTED instead.
    Failed,
}

impl Phase {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "IDLE",
            Self::Homing => "HOMING",
            Self::Switching => "SWITCHING",
            Self::Purging => "PURGING",
            Self::Measuring => "MEASURING",
            Self::Paused => "PAUSED",
            Self::Aborted => "ABORTED",
            Self::Failed => "FAILED",
        }
    }
}
