//! Samples that have no channel for lack of evidence: how many a run has, and why.
//!
//! A sample that the plan cuts through by its own timing is none of them: the valve surely moved while it was drawn. Nor is
//! the result that the analyzer still held from before the run.

use super::Turn;
use crate::attribution::{Credit, Holding, Timeline};
use crate::domain::{Attribution, Fact, Flag, Severity, WithoutChannel};

/// One sample in so many without a channel is told, of so many samples at least.
const MANY: u64 = 10;
const FEWEST: u64 = 10;

/// What was lost of a run so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Losses {
    pub so_far: WithoutChannel,
    told: bool,
}

impl Turn {
    /// A sample was recorded; `held` is one that was there before the run.
    pub(super) fn count_losses(&mut self, credit: &Credit, held: bool) {
        let lost = !held && lacks_evidence(credit, &self.state.timeline);
        let Some(run) = &mut self.state.run else { return };
        if lost {
            // That others were missed before says nothing of this one.
            let why = credit.flags.iter().filter(|flag| **flag != Flag::Gap).map(|flag| flag.as_str());
            run.losses.so_far.add(why, credit.attribution.as_str());
            let fact = Fact::WithoutChannel { run: run.id.clone(), so_far: run.losses.so_far.clone() };
            self.keep(fact);
        }
        self.tell_of_losses();
    }

    fn tell_of_losses(&mut self) {
        let Some(run) = &mut self.state.run else { return };
        let (lost, all) = (run.losses.so_far.samples, u64::from(run.records));
        if run.losses.told || all < FEWEST || lost * MANY <= all {
            return;
        }
        run.losses.told = true;
        let text = format!(
            "{}, of {all}; see the flags in samples.csv, and `gaseractl doctor` for the analyzer and the multiplexer",
            run.losses.so_far.sentence()
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
