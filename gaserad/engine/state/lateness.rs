//! How far visits were off from what was expected of them, for estimates.

use std::time::Duration;

use crate::domain::Tick;

#[derive(Debug, Clone, Copy, Default)]
pub struct Lateness {
    /// When the visit under way should be over.
    pub expected: Option<Tick>,
    /// What visits took longer than expected, and what they took less.
    longer: Duration,
    shorter: Duration,
    count: u32,
}

impl Lateness {
    /// What is expected counts as much as so many visits: one that took an iteration more by chance says little about the
    /// others.
    const TRUST: u32 = 16;

    pub const fn forget_the_visit(&mut self) {
        self.expected = None;
    }

    /// A visit is over.
    pub fn left(&mut self, at: Tick) {
        let Some(expected) = self.expected.take() else { return };
        self.longer += at.since(expected);
        self.shorter += expected.since(at);
        self.count += 1;
    }

    /// What this makes of an estimate with so many visits to come.
    pub fn correct(&self, total: Duration, visits: u32) -> Duration {
        let of_all = |of: Duration| of.mul_f64(f64::from(visits) / f64::from(self.count + Self::TRUST));
        total.saturating_add(of_all(self.longer)).saturating_sub(of_all(self.shorter))
    }
}
