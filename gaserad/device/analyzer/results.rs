//! Which results are new. The analyzer gives its last result again and again, also long after the run it is of.

use std::collections::BTreeSet;

use crate::domain::{AnalyzerTime, Sample};

#[derive(Debug, Default)]
pub(super) struct Results {
    seen: BTreeSet<AnalyzerTime>,
    /// The analyzer was asked for results before.
    met: bool,
    /// The newest result when a run was prepared.
    baseline: Option<AnalyzerTime>,
    /// The next reading is the first of a run.
    begins: bool,
}

impl Results {
    /// The results to report: those with a stamp that was not there before. What the analyzer holds when it is first
    /// asked is old. The first reading of a run also gives the result from before it, so that it is seen to be stale.
    pub(super) fn fresh(&mut self, samples: Vec<Sample>) -> Vec<Sample> {
        let first = !std::mem::replace(&mut self.met, true);
        let stale = self.baseline.filter(|_| std::mem::take(&mut self.begins));
        let mut fresh = samples;
        fresh.retain(|sample| (self.seen.insert(sample.stamp) && !first) || stale == Some(sample.stamp));
        fresh
    }

    pub(super) fn prepare(&mut self, baseline: Option<AnalyzerTime>) {
        self.baseline = baseline;
        self.begins = false;
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
