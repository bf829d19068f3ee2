//! What the iteration counter is worth. Instruments differ in when it ticks, by how much, and whether at all.

use std::time::Duration;

/// The counter, as it moved from one iteration to the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counter {
    /// By how much it rose from one iteration to the next.
    step: Option<u32>,
    /// How often it rose by that, one after the other.
    confirmed: u32,
    /// It stood still from one iteration to the next.
    stands: bool,
}

/// What it says of two iterations that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tally {
    /// It rose as usual, or is not known well enough.
    Fits,
    /// It stood still, and never does: they are one.
    Still,
    /// It moved otherwise.
    Odd,
}

impl Counter {
    /// A counter that rose so often by the same is believed.
    const PROVEN: u32 = 2;
    /// One that is not proven yet, and stands still, speaks for no longer than this.
    const BRIEFLY: Duration = Duration::from_secs(10);

    const fn is_proven(&self) -> bool {
        self.confirmed >= Self::PROVEN
    }

    /// Takes in the counter at the same place of two iterations, one after the other.
    pub fn compare(&mut self, before: u32, now: u32) -> Tally {
        let rise = now.checked_sub(before);
        self.stands = rise == Some(0);
        if rise == Some(0) && self.is_proven() {
            return Tally::Still;
        }
        let risen = rise.filter(|rise| *rise > 0);
        if risen.is_some() && risen == self.step {
            self.confirmed = self.confirmed.saturating_add(1);
            return Tally::Fits;
        }
        let was_proven = self.is_proven();
        (self.step, self.confirmed) = (risen, u32::from(risen.is_some()));
        if was_proven { Tally::Odd } else { Tally::Fits }
    }

    /// What was learned does not hold any more.
    pub const fn distrust(&mut self) {
        (self.step, self.confirmed) = (None, 0);
    }

    /// Whether it shows that no whole iteration passed between two polls.
    pub fn stood_still(&self, before: Option<u32>, now: Option<u32>, gap: Duration) -> bool {
        before.is_some()
            && before == now
            && !self.stands
            && (self.is_proven() || (self.confirmed > 0 || self.step.is_none()) && gap < Self::BRIEFLY)
    }

    /// How many iterations began between two polls, where it is believed.
    pub fn begun(&self, before: Option<u32>, now: Option<u32>) -> Option<u32> {
        let rise = now?.checked_sub(before?)?;
        let step = self.step.filter(|_| self.confirmed > 0).unwrap_or(1);
        Some(rise / step.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(counter: &mut Counter, values: &[u32]) -> Vec<Tally> {
        values.windows(2).map(|pair| counter.compare(pair[0], pair[1])).collect()
    }

    #[test]
    fn proven_counter_that_stands_still_shows_one_iteration() {
        let mut counter = Counter::default();
        assert_eq!(compare(&mut counter, &[4, 5, 6, 6]), [Tally::Fits, Tally::Fits, Tally::Still]);
        assert_eq!(compare(&mut counter, &[6, 7]), [Tally::Fits]);
    }

    #[test]
    fn a_counter_that_never_rises_says_nothing() {
        let mut counter = Counter::default();
        assert_eq!(compare(&mut counter, &[7, 7, 7, 7]), [Tally::Fits; 3]);
        for gap in [3, 60] {
            assert!(!counter.stood_still(Some(7), Some(7), Duration::from_secs(gap)));
        }
    }

    #[test]
    fn counter_that_jumps_is_odd_once_and_not_believed_after() {
        let mut counter = Counter::default();
        assert_eq!(compare(&mut counter, &[0, 1, 2, 68]), [Tally::Fits, Tally::Fits, Tally::Odd]);
        assert_eq!(compare(&mut counter, &[68, 68]), [Tally::Fits]);
    }

    #[test]
    fn a_counter_that_rises_by_two_counts_each_iteration_once() {
        let mut counter = Counter::default();
        compare(&mut counter, &[0, 2, 4]);
        assert_eq!(counter.begun(Some(4), Some(8)), Some(2));
    }
}
