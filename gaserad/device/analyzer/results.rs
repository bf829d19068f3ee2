//! Which results are new. The analyzer gives its last result again and again, also long after the run it is of.

use std::collections::VecDeque;

use crate::domain::{AnalyzerTime, Sample};

/// So many stamps are remembered, in the order in which they came: the analyzer gives only its last result again.
const REMEMBERED: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Results {
    seen: VecDeque<AnalyzerTime>,
    /// The analyzer was asked for results before.
    met: bool,
    /// The newest result when a run was prepared.
    baseline: Option<AnalyzerTime>,
    /// The next reading is the first of a run.
    begins: bool,
    /// The last reading held a result.
    any: bool,
}

impl Results {
    /// The results to report: those with a stamp that was not there before. What the analyzer holds when it is first
    /// asked is old. The first reading of a run also gives the result from before it, so that it is seen to be stale.
    pub(super) fn fresh(&mut self, samples: Vec<Sample>) -> Vec<Sample> {
        self.any = !samples.is_empty();
        let first = !std::mem::replace(&mut self.met, true);
        let stale = self.baseline.filter(|_| std::mem::take(&mut self.begins));
        let mut fresh = samples;
        fresh.retain(|sample| (self.is_new(sample.stamp) && !first) || stale == Some(sample.stamp));
        fresh
    }

    pub(super) const fn any(&self) -> bool {
        self.any
    }

    /// Whether the stamp was seen before.
    pub(super) fn knows(&self, stamp: AnalyzerTime) -> bool {
        self.seen.contains(&stamp)
    }

    /// Whether the stamp was not seen before; from now on it was.
    fn is_new(&mut self, stamp: AnalyzerTime) -> bool {
        if self.knows(stamp) {
            return false;
        }
        if self.seen.len() == REMEMBERED {
            self.seen.pop_front();
        }
        self.seen.push_back(stamp);
        true
    }

    pub(super) fn prepare(&mut self, baseline: Option<AnalyzerTime>) {
        self.baseline = baseline;
        self.begins = false;
    }

    /// Whether this is the result from before the run.
    pub(super) fn is_stale(&self, stamp: AnalyzerTime) -> bool {
        self.baseline == Some(stamp)
    }

    pub(super) fn begin(&mut self) {
        self.begins = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(results: &mut Results, stamps: &[i64]) -> Vec<i64> {
        let sample = |stamp: &i64| Sample { stamp: AnalyzerTime(*stamp), readings: Vec::new(), raw: String::new() };
        results.fresh(stamps.iter().map(sample).collect()).into_iter().map(|sample| sample.stamp.0).collect()
    }

    #[test]
    fn a_result_is_reported_once_and_not_if_it_was_there_from_the_first() {
        let mut results = Results::default();
        assert!(fresh(&mut results, &[10]).is_empty());
        assert_eq!(fresh(&mut results, &[10, 20]), [20]);
        assert!(fresh(&mut results, &[20]).is_empty());
        assert!(fresh(&mut results, &[10]).is_empty(), "not even when it comes back");
    }

    #[test]
    fn months_of_results_take_no_more_memory_and_the_last_is_still_known() {
        let mut results = Results::default();
        for stamp in 0..10_000 {
            fresh(&mut results, &[stamp]);
        }
        assert!(results.seen.len() <= REMEMBERED);
        assert!(fresh(&mut results, &[9999]).is_empty());
    }

    #[test]
    fn the_result_from_before_a_run_is_reported_once_within_it() {
        let mut results = Results::default();
        fresh(&mut results, &[10]);
        results.prepare(Some(AnalyzerTime(10)));
        assert!(fresh(&mut results, &[10]).is_empty());
        results.begin();
        assert_eq!(fresh(&mut results, &[10]), [10]);
        assert!(fresh(&mut results, &[10]).is_empty());
    }
}
