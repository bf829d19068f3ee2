//! One result of the analyzer.

use serde::{Deserialize, Serialize};

use super::gas::Cas;
use super::time::AnalyzerTime;

/// One gas of a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    pub cas: Cas,
    /// As reported; `None` where the analyzer gave no number.
    pub ppm: Option<f64>,
}

/// One result as the analyzer gives it (AK command ACON).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// On the analyzer's own clock. A result is new when its stamp is.
    pub stamp: AnalyzerTime,
    pub readings: Vec<Reading>,
    /// The reply it was read from, kept so that a mistake in reading it costs no experiment.
    pub raw: String,
}
