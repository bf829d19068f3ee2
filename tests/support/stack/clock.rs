//! The clock of a world in virtual time: it follows tokio's, which is paused, and its wall clock can be set.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use gasera::domain::{Clock, Moment, Tick, Utc};
use tokio::time::Instant;

/// 2026-01-15T08:03:12Z.
const START_S: i64 = 1_768_464_192;
/// The first tick is not the zero that stands for "never".
const FIRST: Duration = Duration::from_secs(1);

pub struct PausedClock {
    origin: Instant,
    set_by_us: AtomicI64,
    /// How long it was suspended: time that tokio knows nothing of.
    suspended_us: AtomicU64,
}

impl PausedClock {
    #[expect(clippy::disallowed_methods, reason = "it is the clock")]
    pub fn new() -> Self {
        Self { origin: Instant::now(), set_by_us: AtomicI64::new(0), suspended_us: AtomicU64::new(0) }
    }

    /// Somebody sets the wall clock, forward or back. Ticks know nothing of that.
    pub fn set_by(&self, seconds: i64) {
        self.set_by_us.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    /// The host was suspended for so long: ticks and the wall clock went on, as CLOCK_BOOTTIME does, and no timer did.
    pub fn suspend(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).expect("a suspension of this world");
        self.suspended_us.fetch_add(micros, Ordering::Relaxed);
    }

    fn suspended(&self) -> Duration {
        Duration::from_micros(self.suspended_us.load(Ordering::Relaxed))
    }

    /// When tokio's clock shows `tick`.
    pub fn instant(&self, tick: Tick) -> Instant {
        self.origin + tick.since(Tick::ZERO + FIRST).saturating_sub(self.suspended())
    }
}

impl Clock for PausedClock {
    fn now(&self) -> Moment {
        let elapsed = self.origin.elapsed() + self.suspended();
        let utc = START_S * 1_000_000 + self.set_by_us.load(Ordering::Relaxed);
        Moment { tick: Tick::ZERO + FIRST + elapsed, utc: Utc::from_micros(utc) + elapsed }
    }

    fn outside(&self, duration: Duration) -> Duration {
        duration
    }
}
