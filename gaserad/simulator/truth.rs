//! What each iteration really sampled: what a test holds the records against.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::analyzer::IterationOutcome;
use crate::domain::{Moment, Utc};

/// A sample with at least this much of one line is that line's.
const CLEAN: f64 = 0.99;

/// One line of the truth file. Iterations that were interrupted have none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// Counted from 1 since the start of the plant.
    pub measurement: u32,
    pub iteration: u32,
    /// As ACON prints it: whole seconds on the analyzer's clock.
    pub stamp: i64,
    pub exchange_start_utc: Utc,
    pub exchange_end_utc: Utc,
    /// The line with the largest share of the sample, and that share.
    pub channel: u8,
    pub fraction: f64,
    /// Every gas is of this channel alone, and the valve stood on it during the whole gas exchange.
    pub clean: bool,
    /// The share that this channel has in each gas, by CAS number.
    pub shares: BTreeMap<String, f64>,
    /// Where the valve stood during the gas exchange; `None` if it moved.
    pub valve: Option<u8>,
    /// By CAS number, as ACON prints them where they are not odd. Noise keeps those of any two iterations apart.
    pub readings: BTreeMap<String, f64>,
    /// What ACON has in place of a plain number, by CAS number; nothing where it leaves the gas out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub odd: BTreeMap<String, String>,
}

impl Truth {
    /// What no other iteration of the plant has, whatever its stamp: measurement and iteration.
    pub const fn id(&self) -> (u32, u32) {
        (self.measurement, self.iteration)
    }

    pub fn of(outcome: &IterationOutcome, start: Moment) -> Self {
        let sample = &outcome.sample;
        let written: BTreeMap<&str, String> = outcome.written().into_iter().collect();
        let odd = outcome.odd_values.iter().map(|(cas, _)| {
            let written = written.get(cas).cloned().unwrap_or_default();
            ((*cas).to_owned(), written)
        });
        Self {
            measurement: outcome.measurement,
            iteration: outcome.iteration,
            stamp: outcome.stamp.0,
            exchange_start_utc: start.utc_at(outcome.exchange.0),
            exchange_end_utc: start.utc_at(outcome.exchange.1),
            channel: sample.channel,
            fraction: sample.fraction,
            clean: outcome.valve == Some(sample.channel) && sample.gases.iter().all(|gas| gas.share >= CLEAN),
            shares: sample.gases.iter().map(|gas| (gas.cas.to_owned(), gas.share)).collect(),
            valve: outcome.valve,
            readings: outcome
                .readings
                .iter()
                .filter_map(|(cas, printed)| Some(((*cas).to_owned(), printed.parse().ok()?)))
                .collect(),
            odd: odd.collect(),
        }
    }
}
