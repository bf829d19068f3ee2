//! How long the analyzer's iterations are, on the average of the latest ones: what is seen of each is off by the time
//! between two looks. It is for estimates; whose gas a sample is does not depend on it.

use std::time::Duration;

/// A mean of the latest values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mean {
    value: Duration,
    /// The mean distance of a value from those before it.
    deviation: Duration,
    count: u32,
    strange: u32,
}

impl Mean {
    /// So many values count.
    const MEMORY: u32 = 16;
    /// So many that do not fit in a row are no mistakes: the task was changed.
    const CONVINCED: u32 = 3;

    pub fn take(&mut self, value: Duration) {
        if self.count > 0 && value.abs_diff(self.value) > self.value / 2 {
            self.strange += 1;
            if self.strange < Self::CONVINCED {
                return;
            }
            (self.count, self.deviation) = (0, Duration::ZERO);
        }
        self.strange = 0;
        let off = if self.count > 0 { value.abs_diff(self.value) } else { Duration::ZERO };
        self.count = (self.count + 1).min(Self::MEMORY);
        self.value = (self.value * (self.count - 1) + value) / self.count;
        // The first value has none before it.
        let pairs = (self.count - 1).max(1);
        self.deviation = (self.deviation * (pairs - 1) + off) / pairs;
    }

    /// By how much values differ: a standard deviation, as the mean distance suggests it.
    pub fn spread(&self) -> Duration {
        self.deviation * 5 / 4
    }

    pub fn get(&self) -> Option<Duration> {
        (self.count > 0).then_some(self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_differ_have_a_spread() {
        let mut mean = Mean::default();
        for value in [60, 60, 60] {
            mean.take(Duration::from_secs(value));
        }
        assert_eq!(mean.spread(), Duration::ZERO);
        for value in [62, 58, 62, 58, 62, 58, 62, 58] {
            mean.take(Duration::from_secs(value));
        }
        assert!((1.5..3.0).contains(&mean.spread().as_secs_f64()), "{:?}", mean.spread());
    }

    fn mean(values: &[u64]) -> Option<u64> {
        let mut mean = Mean::default();
        for value in values {
            mean.take(Duration::from_secs(*value));
        }
        mean.get().map(|mean| mean.as_secs())
    }

    #[test]
    fn one_value_that_does_not_fit_is_left_out_and_three_in_a_row_are_believed() {
        assert_eq!(mean(&[]), None);
        assert_eq!(mean(&[58, 60, 62]), Some(60));
        assert_eq!(mean(&[58, 60, 120, 62]), Some(60));
        assert_eq!(mean(&[58, 60, 120, 120, 120, 122]), Some(121));
    }
}
