//! The only file that reads a clock.
#![expect(clippy::disallowed_methods, reason = "this is where clocks are read")]

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::domain::{Clock, Moment, Tick, Utc};

/// A clock on the wall.
pub type Wall = Arc<dyn Fn() -> Utc + Send + Sync>;

/// The host's clocks, or a world that runs faster than them.
#[derive(Clone)]
pub struct HostClock {
    origin: Instant,
    began: Moment,
    scale: f64,
    wall: Wall,
}

impl HostClock {
    /// Ticks go on from `first`; with a scale of 1 the wall clock is the host's, else both run faster from now on, and
    /// from where an earlier process that ran faster left off.
    pub fn new(first: Tick, left_off: Option<Utc>, scale: f64) -> Self {
        Self::by(Arc::new(wall_clock), first, left_off, scale)
    }

    /// The same by another wall clock than the host's.
    pub fn by(wall: Wall, first: Tick, left_off: Option<Utc>, scale: f64) -> Self {
        let now = wall();
        let utc = left_off.map_or(now, |utc| utc.max(now));
        Self { origin: Instant::now(), began: Moment { tick: first, utc }, scale, wall }
    }

    fn elapsed(&self) -> Duration {
        self.origin.elapsed().mul_f64(self.scale)
    }

    /// Waits until the tick; at once if it is past.
    pub async fn sleep_until(&self, tick: Tick) {
        let left = tick.since(self.began.tick).div_f64(self.scale);
        tokio::time::sleep_until(self.origin + left).await;
    }

    pub(super) fn is_scaled(&self) -> bool {
        (self.scale - 1.0).abs() > f64::EPSILON
    }

    /// The other way round than [`Clock::outside`]: how much time passes in here meanwhile.
    pub fn inside(&self, duration: Duration) -> Duration {
        duration.mul_f64(self.scale)
    }
}

impl Clock for HostClock {
    fn now(&self) -> Moment {
        let elapsed = self.elapsed();
        let utc = if self.is_scaled() { self.began.utc + elapsed } else { (self.wall)() };
        Moment { tick: self.began.tick + elapsed, utc }
    }

    fn outside(&self, duration: Duration) -> Duration {
        duration.div_f64(self.scale)
    }
}

fn wall_clock() -> Utc {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Utc::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
