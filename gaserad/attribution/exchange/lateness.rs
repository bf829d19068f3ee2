//! How late an instrument's phases and results are, as far as it has shown: what widens every window, and what a late
//! result is measured against. It decides of no result whose it is.

use std::time::Duration;

use super::Lags;
use super::ranks::rank;
use crate::domain::{Seen, Tick};

/// What is configured, and what was learned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct LearnedLags {
    pub bounds: Lags,
    /// At least so late, as this measurement has shown.
    learned: Lags,
    /// By how much results came before their iterations were seen to end.
    phases: Duration,
    /// By how much results came after their iterations.
    results: Duration,
    /// When the first result of this measurement was read.
    first_read: Option<Tick>,
    /// The start has shown how old phases are.
    began_to_tell: bool,
    /// A result came before its iteration was seen to end; it was not there yet at this reading.
    early: Option<Tick>,
    /// The result of the newest iteration was read then; its phases may be shown still.
    outlived: Option<Tick>,
}

impl LearnedLags {
    /// An analyzer that measures without drawing gas for longer than usual may be warming up.
    const LONGEST_UNPROVEN: Duration = Duration::from_secs(30);

    pub fn new(bounds: Lags) -> Self {
        Self { bounds, ..Self::default() }
    }

    /// For another measurement of the same instrument: results come as late as they did. How old phases are shows anew at a
    /// start.
    pub fn anew(self, started: Tick) -> Self {
        let phase = if started == Tick::ZERO { self.learned.phase } else { Duration::ZERO };
        let learned = Lags { phase, ..self.learned };
        Self { bounds: self.bounds, learned, results: self.results, ..Self::default() }
    }

    /// As configured, but no more than an iteration can bear; and what this measurement has shown.
    pub fn lags(&self, cycle: Option<Duration>) -> Lags {
        self.bounds.within(cycle).max(self.learned)
    }

    /// How old phases are taken to be where a result shows that its iteration is over.
    pub fn phase_lag_of_a_result(&self, cycle: Option<Duration>) -> Duration {
        self.bounds.within(cycle).phase.max(self.phases)
    }

    pub fn has_first_result(&self) -> bool {
        self.first_read.is_some()
    }

    pub fn note_result(&mut self, read: Tick) {
        self.first_read.get_or_insert(read);
    }

    /// Whether results came late, and the first of the measurement did not.
    pub fn is_late_at_times(&self, started: Tick, cycle: Option<Duration>) -> bool {
        !self.results.is_zero() && !self.is_late_from_the_start(started, cycle)
    }

    /// Whether the first result came as late after the start as later ones came after their iterations.
    pub fn is_late_from_the_start(&self, started: Tick, cycle: Option<Duration>) -> bool {
        let Some((first, cycle)) = self.first_read.zip(cycle) else { return false };
        started > Tick::ZERO && first.since(started).abs_diff(cycle + self.results) <= cycle / 4
    }

    /// A result came so late after its iteration. Who is late once may be later the next time.
    pub fn note_late_result(&mut self, by: Duration) {
        self.results = self.results.max(by);
        self.learn_results(self.results * 3 / 2);
    }

    pub fn learn_results(&mut self, lag: Duration) {
        self.learned.result = self.learned.result.max(lag);
    }

    /// A result came that was not there at the reading before, and its iteration was not seen to end. If results come late,
    /// it is rather of the iteration before: true then.
    pub fn note_early_result(&mut self, after: Tick) -> bool {
        let late = !self.results.is_zero();
        if !late {
            self.early = self.early.or(Some(after));
        }
        late
    }

    /// The result that was read last is certain; whether its iteration is not over yet, as the phases show.
    pub fn note_certain_result(&mut self, read: Tick, under_way: bool) {
        self.outlived = Some(read).filter(|_| under_way);
    }

    /// The phases were so old.
    pub fn note_old_phases(&mut self, by: Duration) {
        self.phases = self.phases.max(by);
        self.learned.phase = self.learned.phase.max(self.phases);
    }

    /// An iteration is seen to end, after the poll before: one that gave its result already shows how old phases are.
    pub fn note_end(&mut self, last: Option<Seen>, seen: Seen) {
        let still_shown = |read: &Tick| seen.after > *read && last.is_some_and(|last| rank(last.phase) > 0);
        if let Some(read) = self.outlived.take().filter(still_shown) {
            self.learned.phase = self.learned.phase.max(seen.before.since(read));
        }
        if let Some(since) = self.early.take() {
            self.note_old_phases(seen.before.since(since));
        }
    }

    /// The first phase was seen only now, and cannot be older than the start.
    pub fn note_first_phase(&mut self, started: Tick, measuring_since: Option<Tick>, seen: Tick) {
        if started == Tick::ZERO || self.bounds != Lags::USUAL || std::mem::replace(&mut self.began_to_tell, true) {
            return;
        }
        let warmed_up = measuring_since.is_some_and(|since| since + Lags::USUAL.phase < seen);
        let most = if warmed_up { Self::LONGEST_UNPROVEN } else { Duration::MAX };
        self.learned.phase = self.learned.phase.max(seen.since(started).min(most));
    }
}
