//! Samples that have no channel for lack of evidence: how many a run has, and why.
//!
//! A sample that the plan cuts through by its own timing is none of them: the valve surely moved while it was drawn. Nor is
//! the result that the analyzer still held from before the run.

use super::turn::RunTurn;
use crate::attribution::{Credit, Holding, Timeline};
use crate::domain::{Attribution, Fact, Flag, Severity};

/// One sample in so many without a channel is told, of so many samples at least.
const MANY: u64 = 10;
const FEWEST: u64 = 10;

impl RunTurn<'_> {
    /// A sample was recorded; `held` is one that was there before the run.
    pub fn count_losses(&mut self, credit: &Credit, held: bool) {
        if !held && lacks_evidence(credit, &self.station.timeline) {
            // That others were missed before says nothing of this one.
            let why = credit.flags.iter().filter(|flag| **flag != Flag::Gap).map(|flag| flag.as_str());
            self.run.results.without_channel.add(why, credit.attribution.as_str());
            let (run, so_far) = (self.run.id.clone(), self.run.results.without_channel.clone());
            self.keep(Fact::WithoutChannel { run, so_far });
        }
        self.tell_of_losses();
    }

    fn tell_of_losses(&mut self) {
        let results = &mut self.run.results;
        let (lost, all) = (results.without_channel.samples, u64::from(results.records));
        if results.losses_told || all < FEWEST || lost * MANY <= all {
            return;
        }
        results.losses_told = true;
        let text = format!(
            "{}, of {all}; see the flags in samples.csv, and `gaseractl doctor` for the analyzer and the multiplexer",
            results.without_channel.sentence()
        );
        self.alarm(Severity::Warning, "samples_without_channel", text);
    }
}

/// Whether more evidence could have given the sample a channel.
fn lacks_evidence(credit: &Credit, timeline: &Timeline) -> bool {
    match credit.attribution {
        Attribution::Exact => false,
        Attribution::Unattributed | Attribution::Stale => true,
        Attribution::Mixed => credit.exchange.is_none_or(|exchange| {
            // It stood still while gas was surely drawn: only the window is too wide.
            let surely = timeline.during(exchange.began_before, exchange.ended_after);
            matches!(surely, Holding::Steady { .. })
        }),
    }
}
