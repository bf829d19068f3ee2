//! What a visit came to: for each gas, the mean and the spread of its good samples.

use std::collections::BTreeMap;

use super::gas::Cas;
use super::record::Record;
use super::run::{VisitId, VisitSummary};

/// A visit and what was measured on it.
#[derive(Debug, Clone, PartialEq)]
pub struct VisitMeans {
    pub visit: VisitSummary,
    /// As the channel was called when the run began.
    pub label: String,
    /// In the order of the gases' numbers.
    pub gases: Vec<(Cas, Spread)>,
}

/// Mean and spread of numbers that come one after the other.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spread {
    pub count: u64,
    pub mean: f64,
    /// Of the squares of the differences from the mean.
    sum: f64,
}

impl Spread {
    #[expect(clippy::cast_precision_loss, reason = "nobody measures 2^52 samples")]
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        let before = value - self.mean;
        self.mean += before / self.count as f64;
        self.sum += before * (value - self.mean);
    }

    /// The standard deviation of the samples; one alone has none.
    #[expect(clippy::cast_precision_loss, reason = "nobody measures 2^52 samples")]
    pub fn deviation(&self) -> Option<f64> {
        (self.count > 1).then(|| (self.sum / (self.count - 1) as f64).sqrt())
    }
}

/// The good samples of each visit of a run, as its records come.
#[derive(Debug, Clone, Default)]
pub struct VisitTally(BTreeMap<VisitId, BTreeMap<Cas, Spread>>);

impl VisitTally {
    pub fn add(&mut self, record: &Record) {
        let Some(visit) = record.visit.filter(|_| record.is_good()) else { return };
        let gases = self.0.entry(visit).or_default();
        for reading in record.sample.readings.iter().filter(|reading| !reading.discard) {
            if let Some(ppm) = reading.ppm {
                gases.entry(reading.cas.clone()).or_default().add(ppm);
            }
        }
    }

    /// What is known of the gases on a visit.
    pub fn take(&mut self, visit: VisitId) -> Vec<(Cas, Spread)> {
        self.0.remove(&visit).unwrap_or_default().into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn a_spread_is_that_of_all_that_came() {
        let mut spread = Spread::default();
        assert_eq!((spread.count, spread.deviation()), (0, None));
        for value in [400.0, 402.0, 404.0, 406.0] {
            spread.add(value);
        }
        assert!((spread.mean - 403.0).abs() < 1e-12);
        assert!((spread.deviation().unwrap() - (20.0_f64 / 3.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn small_differences_of_large_numbers_are_not_lost() {
        let mut spread = Spread::default();
        for value in [1e9, 1e9 + 1.0, 1e9 + 2.0] {
            spread.add(value);
        }
        assert!((spread.deviation().unwrap() - 1.0).abs() < 1e-9, "{spread:?}");
    }
}
