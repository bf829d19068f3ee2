//! Which gases and readings the analyzer's replies lack, within one run.

use crate::domain::{Attribution, Cas, Flag, Flaw, Reading};

/// What the replies of a run lack.
#[derive(Debug, Clone, Default)]
pub struct Lacks {
    /// Of the task, where the analyzer tells them; else of the results so far.
    gases: Vec<Cas>,
    told_by_analyzer: bool,
    /// Replies with results of which nothing could be read.
    pub replies: u32,
    pub reply_told: bool,
    pub reading_told: bool,
    pub gas_told: bool,
}

impl Lacks {
    pub fn expect(&mut self, gases: &[Cas]) {
        if !gases.is_empty() {
            (self.gases, self.told_by_analyzer) = (gases.to_vec(), true);
        }
    }

    /// Takes in a result.
    pub fn flags_of(&mut self, readings: &[Reading], attribution: Attribution) -> Vec<Flag> {
        // A result from before the run may be of another task.
        let missing = attribution != Attribution::Stale && self.lacks_a_gas(readings);
        let is = |flaw| readings.iter().any(|reading| reading.flaw() == Some(flaw));
        [
            (is(Flaw::Unreadable), Flag::Unreadable),
            (missing, Flag::Missing),
            (is(Flaw::OverRange), Flag::OverRange),
            (is(Flaw::UnderRange), Flag::UnderRange),
        ]
        .into_iter()
        .filter_map(|(is_so, flag)| is_so.then_some(flag))
        .collect()
    }

    fn lacks_a_gas(&mut self, readings: &[Reading]) -> bool {
        let there = |gas: &Cas| readings.iter().any(|reading| reading.cas == *gas);
        let complete = self.gases.iter().all(there);
        if complete && !self.told_by_analyzer {
            self.gases = readings.iter().map(|reading| reading.cas.clone()).collect();
        }
        !complete
    }

    /// The gases that are not among these.
    pub fn missing(&self, readings: &[Reading]) -> Vec<String> {
        let is_missing = |gas: &&Cas| readings.iter().all(|reading| reading.cas != **gas);
        self.gases.iter().filter(is_missing).map(Cas::label).collect()
    }
}
