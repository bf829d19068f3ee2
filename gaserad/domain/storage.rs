//! Where data is kept beside the truth, and what became of it: the mirror on a drive that comes and goes, the trash.

use serde::{Deserialize, Serialize};

use super::run::RunId;
use super::time::Utc;

/// How the copy on another drive stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirrorStatus {
    pub directory: String,
    /// Whether the drive is there.
    pub mounted: bool,
    pub state: MirrorState,
    /// What is missing on it or differs, as far as it was looked through.
    pub behind_files: u64,
    pub behind_bytes: u64,
    /// `null` while the drive is not there.
    pub free_bytes: Option<u64>,
    pub total_bytes: Option<u64>,
    /// Why nothing is copied; empty if nothing is wrong.
    pub fault: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MirrorState {
    /// The drive is not there.
    #[default]
    Absent,
    Behind,
    Current,
}

impl MirrorState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Behind => "behind",
            Self::Current => "current",
        }
    }
}

/// Something happened to the drive of the mirror.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsbNews {
    pub mounted: bool,
    pub event: UsbEvent,
    pub directory: String,
    pub free_bytes: Option<u64>,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsbEvent {
    Mounted,
    Unmounted,
    /// All that is kept in files is on it.
    CaughtUp,
    /// It is there, and cannot be written.
    Failed,
}

impl UsbEvent {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mounted => "mounted",
            Self::Unmounted => "unmounted",
            Self::CaughtUp => "caught_up",
            Self::Failed => "failed",
        }
    }
}

/// Something became of the room for data, or of a run that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageNews {
    pub change: StorageChange,
    pub free_bytes: Option<u64>,
    /// Of which run; `null` if it is about the disk.
    pub run_id: Option<RunId>,
    pub who: String,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StorageChange {
    /// Less is free than `min_free_mb`.
    Low,
    /// There is enough again.
    Enough,
    /// The settings put a run into the trash.
    Pruned,
    /// Somebody did.
    Trashed,
    Restored,
    /// It is gone for good.
    Purged,
}

/// A run in the trash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrashedRun {
    pub id: RunId,
    pub label: String,
    pub started: Utc,
    pub records: u64,
    pub trashed: Utc,
    /// Who put it there.
    pub who: String,
}
