//! How fast the instruments are, and by how much that differs from one iteration to the next.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Plan;
use crate::domain::duration;

/// How fast the instruments are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// From the beginning of one iteration to that of the next.
    #[serde(rename = "iteration_s", with = "duration::seconds")]
    pub iteration: Duration,
    /// The part of it in which gas is drawn.
    #[serde(rename = "exchange_s", with = "duration::seconds")]
    pub exchange: Duration,
    /// From the start of a measurement to its first gas exchange.
    #[serde(rename = "lead_s", with = "duration::seconds")]
    pub lead: Duration,
    /// What the valve takes for a move.
    #[serde(rename = "travel_s", with = "duration::seconds")]
    pub travel: Duration,
    /// By how much one iteration differs from the next, as far as was seen: a standard deviation.
    #[serde(rename = "spread_s", default, with = "duration::seconds")]
    pub spread: Duration,
}

impl Pace {
    /// Where none was measured.
    pub const ASSUMED: Self = Self {
        iteration: Plan::ITERATION,
        exchange: Duration::from_secs(12),
        lead: Duration::ZERO,
        travel: Duration::ZERO,
        spread: Duration::ZERO,
    };
}

/// One of the ways in which a run may come: whether the gas exchange that a visit needs begins just before or just after
/// its purge is over decides about a whole iteration. The mean of some ways tells what is to be expected. They are always
/// the same ways, so that an estimate changes only when what is known does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chance {
    spread: Duration,
    state: u64,
}

impl Chance {
    /// Every iteration is as long as the others.
    pub const NONE: Self = Self { spread: Duration::ZERO, state: 0 };
    const WAYS: u32 = 16;

    pub fn ways(spread: Duration) -> Vec<Self> {
        if spread.is_zero() {
            return vec![Self::NONE];
        }
        (1..=Self::WAYS).map(|way| Self { spread, state: u64::from(way).wrapping_mul(0x9e37_79b9_7f4a_7c15) }).collect()
    }

    /// What is spent on one way of what may be spent on all.
    pub const fn share(self, of: u32) -> u32 {
        if self.spread.is_zero() { of } else { of / Self::WAYS }
    }

    /// One whole iteration, more or less; the spread counts so many times.
    pub fn draw(&mut self, times: f64, iteration: Duration) -> Duration {
        if self.spread.is_zero() {
            return Duration::ZERO;
        }
        // The sum of four even chances is normal enough; its standard deviation is the root of a third.
        let sum: f64 = (0..4).map(|_| self.even()).sum::<f64>() - 2.0;
        let by = self.spread.mul_f64(times * 3_f64.sqrt() * sum.abs()).min(iteration);
        if sum < 0.0 { iteration.saturating_sub(by) } else { iteration.saturating_add(by) }
    }

    fn even(&mut self) -> f64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        f64::from(u32::try_from(self.state >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ways_differ_from_each_other_as_much_as_iterations_do() {
        let (iteration, spread) = (Duration::from_secs(60), Duration::from_secs(1));
        let mut off = Vec::new();
        for mut way in Chance::ways(spread) {
            off.extend((0..200).map(|_| way.draw(1.0, iteration).as_secs_f64() - 60.0));
        }
        let count = f64::from(u32::try_from(off.len()).unwrap());
        let mean = off.iter().sum::<f64>() / count;
        let deviation = (off.iter().map(|off| off * off).sum::<f64>() / count).sqrt();
        assert!(mean.abs() < 0.06, "{mean}");
        assert!((deviation - 1.0).abs() < 0.06, "{deviation}");
    }
}
