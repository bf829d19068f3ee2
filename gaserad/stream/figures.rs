//! What is counted about the stream: cheap to count, put together only when somebody asks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Steps of the histogram within one power of two.
const STEPS: u32 = 4;
/// Up to 2^40 microseconds.
const BUCKETS: usize = 160;

/// How long things took, to about a fifth.
#[derive(Debug)]
pub struct Histogram([AtomicU64; BUCKETS]);

impl Default for Histogram {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Histogram {
    pub fn record(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.0[bucket(micros)].fetch_add(1, Ordering::Relaxed);
    }

    /// In milliseconds: so many hundredths of all took at most that long. `None` if nothing was recorded.
    pub fn percentile(&self, hundredths: u64) -> Option<f64> {
        let counts: Vec<u64> = self.0.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let rank = (counts.iter().sum::<u64>() * hundredths).div_ceil(100);
        let mut sum = 0;
        let found = counts.iter().position(|count| {
            sum += count;
            *count > 0 && sum >= rank
        })?;
        Some(upper(found).as_secs_f64() * 1e3)
    }
}

fn bucket(micros: u64) -> usize {
    let micros = micros.max(4);
    let power = micros.ilog2();
    let step = (micros >> (power - 2)) & 3;
    let index = (power - 2) * STEPS + u32::try_from(step).unwrap_or_default();
    usize::try_from(index).unwrap_or(BUCKETS).min(BUCKETS - 1)
}

/// The longest time that falls into a bucket.
fn upper(bucket: usize) -> Duration {
    let (power, step) = (bucket / 4, bucket % 4);
    Duration::from_micros((u64::try_from(step).unwrap_or_default() + 5) << power)
}

/// How often something happened in the last minute.
#[derive(Debug)]
pub struct EventRate {
    seconds: [u32; 60],
    /// The second that was counted last.
    at: u64,
}

impl Default for EventRate {
    fn default() -> Self {
        Self { seconds: [0; 60], at: 0 }
    }
}

impl EventRate {
    pub fn add(&mut self, second: u64, count: usize) {
        self.forget(second);
        let place = &mut self.seconds[place(second)];
        *place = place.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
    }

    pub fn per_minute(&mut self, second: u64) -> u32 {
        self.forget(second);
        self.seconds.iter().sum()
    }

    fn forget(&mut self, second: u64) {
        let passed = second.saturating_sub(self.at).min(60);
        (0..passed).for_each(|back| self.seconds[place(second - back)] = 0);
        self.at = self.at.max(second);
    }
}

fn place(second: u64) -> usize {
    usize::try_from(second % 60).unwrap_or_default()
}

/// Why a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Left {
    /// The reader closed it, or its connection broke.
    Peer,
    /// It did not read for too long.
    Stalled,
    /// The daemon shuts down.
    Shutdown,
    /// Somebody closed it.
    Closed,
    /// What it missed could not be read.
    History,
}

impl Left {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Peer => "peer",
            Self::Stalled => "stalled",
            Self::Shutdown => "shutdown",
            Self::Closed => "closed",
            Self::History => "history",
        }
    }

    const fn is_error(self) -> bool {
        matches!(self, Self::Stalled | Self::History)
    }
}

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Figures {
    pub opened: AtomicU64,
    pub published: AtomicU64,
    pub delivered_bytes: AtomicU64,
    pub conflated: AtomicU64,
    pub gaps: AtomicU64,
    pub replays: AtomicU64,
    pub refused: AtomicU64,
    pub latency: Histogram,
    /// Touched when a stream ends or is refused, not while it runs.
    rare: Mutex<Rare>,
}

#[derive(Debug, Default)]
struct Rare {
    left: BTreeMap<&'static str, u64>,
    errors: EventRate,
}

impl Figures {
    pub fn count_left(&self, why: Left, second: u64) {
        let mut rare = self.rare.lock().unwrap_or_else(PoisonError::into_inner);
        *rare.left.entry(why.as_str()).or_default() += 1;
        if why.is_error() {
            rare.errors.add(second, 1);
        }
    }

    pub fn count_refused(&self, second: u64) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        self.rare.lock().unwrap_or_else(PoisonError::into_inner).errors.add(second, 1);
    }

    pub fn count_gap(&self, second: u64) {
        self.gaps.fetch_add(1, Ordering::Relaxed);
        self.rare.lock().unwrap_or_else(PoisonError::into_inner).errors.add(second, 1);
    }

    /// Ends by reason, every reason there is; and errors in the last minute.
    pub fn rare(&self, second: u64) -> (BTreeMap<&'static str, u64>, u32) {
        let mut rare = self.rare.lock().unwrap_or_else(PoisonError::into_inner);
        let all = [Left::Peer, Left::Stalled, Left::Shutdown, Left::Closed, Left::History];
        let left = all.iter().map(|why| (why.as_str(), rare.left.get(why.as_str()).copied().unwrap_or_default()));
        (left.collect(), rare.errors.per_minute(second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_to_a_fifth_and_never_too_small() {
        let histogram = Histogram::default();
        assert_eq!(histogram.percentile(50), None);
        for micros in 1..=1000 {
            histogram.record(Duration::from_micros(micros));
        }
        for (hundredths, exact) in [(50, 0.5), (95, 0.95), (99, 0.99)] {
            let found = histogram.percentile(hundredths).unwrap();
            assert!(found >= exact && found <= exact * 1.26, "p{hundredths} is {found}");
        }
        histogram.record(Duration::from_secs(86_400 * 365));
        assert!(histogram.percentile(100).unwrap() > 1000.0);
    }

    #[test]
    fn a_rate_knows_the_last_minute_and_nothing_older() {
        let mut rate = EventRate::default();
        rate.add(10, 3);
        rate.add(40, 2);
        assert_eq!(rate.per_minute(69), 5);
        assert_eq!(rate.per_minute(70), 2);
        assert_eq!(rate.per_minute(100), 0);
        rate.add(1000, 1);
        assert_eq!(rate.per_minute(1000), 1);
    }
}
