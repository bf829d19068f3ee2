//! Schedules: plans that are started by the clock.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::time::Utc;

/// Which plan is started when, and what is done if that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    pub name: String,
    /// Five fields: minute, hour, day of month, month, day of week.
    pub cron: String,
    /// Of the IANA database, like `Europe/Berlin`: in which the fields are meant.
    pub zone: String,
    /// The name of a plan that the daemon keeps.
    pub plan: String,
    pub overlap: Overlap,
    pub misfire: Misfire,
    /// How much too late a run may still begin.
    #[serde(rename = "grace_s", with = "super::duration::seconds")]
    pub grace: Duration,
    pub enabled: bool,
    /// Who added it.
    pub who: String,
    /// Every time up to this one has been decided on, and never is again.
    pub decided: Utc,
    pub last: Option<Fired>,
}

/// What is done if another run is under way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Overlap {
    /// Nothing this time, with a warning.
    #[default]
    Skip,
    /// The run begins when the other one is over; one of a schedule waits at most.
    Wait,
    /// Nothing this time, and that counts as a failure.
    Fail,
}

/// What is done about a time that passed while nobody could mind it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Misfire {
    /// The run begins late, if not later than [`Schedule::grace`]; once, however many times have passed.
    #[default]
    Run,
    Skip,
}

/// A time that came, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fired {
    pub due: Utc,
    /// Empty while the run is being started.
    pub result: String,
}

impl Schedule {
    /// As whom it starts runs.
    pub fn person(&self) -> String {
        format!("schedule {}", self.name)
    }
}

impl Overlap {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Wait => "wait",
            Self::Fail => "fail",
        }
    }
}

impl Misfire {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Skip => "skip",
        }
    }
}
