//! Which results are new. The analyzer gives its last result again and again, also long after the run it is of. A result
//! is new by all that it says: a stamp alone may come twice.

use std::collections::VecDeque;

use crate::domain::Sample;

/// So many results are remembered, in the order in which they came: the analyzer gives only its last one again.
const REMEMBERED: usize = 256;

#[derive(Debug, Default)]
pub(super) struct ResultReader {
    seen: VecDeque<Sample>,
    /// The analyzer was asked for results before.
    met: bool,
    /// The newest result when a run was prepared.
    held: Option<Sample>,
    /// The next reading is the first of a run.
    begins: bool,
    /// The last reading held a result.
    any: bool,
}

impl ResultReader {
    /// The results to report: those that were not there before. What the analyzer holds when it is first asked is old.
    /// The first reading of a run also gives the result from before it, so that it is seen to be stale.
    pub(super) fn fresh(&mut self, samples: Vec<Sample>) -> Vec<Sample> {
        self.any = !samples.is_empty();
        let first = !std::mem::replace(&mut self.met, true);
        let stale = if self.held.is_some() && std::mem::take(&mut self.begins) { self.held.clone() } else { None };
        let mut fresh = samples;
        fresh.retain(|sample| {
            let new = self.is_new(sample) && !first;
            new || stale.as_ref().is_some_and(|stale| stale.is_same(sample))
        });
        fresh
    }

    pub(super) const fn any(&self) -> bool {
        self.any
    }

    /// Whether the result was seen before.
    pub(super) fn knows(&self, sample: &Sample) -> bool {
        self.seen.iter().rev().any(|seen| seen.is_same(sample))
    }

    /// Whether the result was not seen before; from now on it was.
    fn is_new(&mut self, sample: &Sample) -> bool {
        if self.knows(sample) {
            return false;
        }
        if self.seen.len() == REMEMBERED {
            self.seen.pop_front();
        }
        self.seen.push_back(sample.clone());
        true
    }

    pub(super) fn prepare(&mut self, held: Option<Sample>) {
        self.held = held;
        self.begins = false;
    }

    /// Whether this is the result from before the run.
    pub(super) fn is_stale(&self, sample: &Sample) -> bool {
        self.held.as_ref().is_some_and(|held| held.is_same(sample))
    }

    pub(super) const fn begin(&mut self) {
        self.begins = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AnalyzerTime, Cas, Reading};

    fn sample(stamp: i64, ppm: f64) -> Sample {
        let readings = vec![Reading::new(Cas("124-38-9".into()), Some(ppm))];
        Sample { stamp: AnalyzerTime(stamp), readings, raw: String::new() }
    }

    fn fresh(results: &mut ResultReader, stamps: &[i64]) -> Vec<i64> {
        let samples = stamps.iter().map(|stamp| sample(*stamp, 400.0)).collect();
        results.fresh(samples).into_iter().map(|sample| sample.stamp.0).collect()
    }

    #[test]
    fn a_result_is_reported_once_and_not_if_it_was_there_from_the_first() {
        let mut results = ResultReader::default();
        assert!(fresh(&mut results, &[10]).is_empty());
        assert_eq!(fresh(&mut results, &[10, 20]), [20]);
        assert!(fresh(&mut results, &[20]).is_empty());
        assert!(fresh(&mut results, &[10]).is_empty(), "not even when it comes back");
    }

    #[test]
    fn a_repeated_stamp_with_other_values_is_a_new_result() {
        let mut results = ResultReader::default();
        results.fresh(vec![sample(10, 400.0)]);
        assert_eq!(results.fresh(vec![sample(10, 401.0)]).len(), 1);
        assert_eq!(results.fresh(vec![sample(10, 401.0)]).len(), 0);
    }

    #[test]
    fn months_of_results_take_no_more_memory_and_the_last_is_still_known() {
        let mut results = ResultReader::default();
        for stamp in 0..10_000 {
            fresh(&mut results, &[stamp]);
        }
        assert!(results.seen.len() <= REMEMBERED);
        assert!(fresh(&mut results, &[9999]).is_empty());
    }

    #[test]
    fn the_result_from_before_a_run_is_reported_once_within_it() {
        let mut results = ResultReader::default();
        fresh(&mut results, &[10]);
        results.prepare(Some(sample(10, 400.0)));
        assert!(fresh(&mut results, &[10]).is_empty());
        results.begin();
        assert_eq!(fresh(&mut results, &[10]), [10]);
        assert!(fresh(&mut results, &[10]).is_empty());
    }
}
