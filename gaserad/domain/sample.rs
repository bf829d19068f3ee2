//! One result of the analyzer.

use serde::{Deserialize, Serialize};

use super::gas::Cas;
use super::time::AnalyzerTime;

/// One gas of a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    pub cas: Cas,
    /// As reported; `None` where the analyzer gave no number, or one that can mean two.
    pub ppm: Option<f64>,
    /// The analyzer gave the number with a restriction: it is out of its range.
    #[serde(default, skip_serializing_if = "is_false")]
    pub restricted: bool,
    /// This gas may still cling to the tubes from the channel before: the number is kept, and not to be used.
    #[serde(default, skip_serializing_if = "is_false")]
    pub discard: bool,
    /// Why there is no number. Earlier builds did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flaw: Option<Flaw>,
}

impl Reading {
    pub const fn new(cas: Cas, ppm: Option<f64>) -> Self {
        Self { cas, ppm, restricted: false, discard: false, flaw: None }
    }

    /// Why it has no number; `None` if it has one.
    pub fn flaw(&self) -> Option<Flaw> {
        self.flaw.or_else(|| self.ppm.is_none().then_some(Flaw::Unreadable))
    }
}

/// What the analyzer gave in place of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// A text that is no number, or may mean two.
    Unreadable,
    /// That it is more than can be measured.
    OverRange,
    /// That it is less than can be measured.
    UnderRange,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over like this")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// One result as the analyzer gives it (AK command ACON).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// On the analyzer's own clock.
    pub stamp: AnalyzerTime,
    pub readings: Vec<Reading>,
    /// The reply it was read from, kept so that a mistake in reading it costs no experiment.
    pub raw: String,
}

impl Sample {
    /// Whether it is the same result: all of it, since a stamp alone may come twice.
    pub fn is_same(&self, other: &Self) -> bool {
        self.stamp == other.stamp && self.readings == other.readings
    }
}
