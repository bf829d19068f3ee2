//! The only file that reads a clock. Ticks go on while the host is suspended.
#![expect(clippy::disallowed_methods, reason = "this is where clocks are read")]

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustix::time::{ClockId, clock_gettime};
use tokio::time::Instant;

use crate::domain::{Clock, Moment, Tick, Utc};

/// A clock on the wall.
pub type Wall = Arc<dyn Fn() -> Utc + Send + Sync>;
/// How long the host was suspended since the clock began.
type Suspended = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The host's clocks, or a world that runs faster than them.
#[derive(Clone)]
pub struct HostClock {
    origin: Instant,
    suspended: Suspended,
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
        Self { origin: Instant::now(), suspended: suspension(), began: Moment { tick: first, utc }, scale, wall }
    }

    fn elapsed(&self) -> Duration {
        (self.origin.elapsed() + (self.suspended)()).mul_f64(self.scale)
    }

    /// Waits until the tick; at once if it is past.
    pub async fn sleep_until(&self, tick: Tick) {
        let left = tick.since(self.began.tick).div_f64(self.scale).saturating_sub((self.suspended)());
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

/// Tells how long the host was suspended since now: the clock since boot goes on then, and the monotonic one that timers
/// follow does not. It is never more than it was: time between two readings only takes from it.
fn suspension() -> Suspended {
    let monotonic = read(ClockId::Monotonic);
    let lead = read(ClockId::Boottime).saturating_sub(monotonic);
    Arc::new(move || {
        let boot = read(ClockId::Boottime);
        boot.saturating_sub(read(ClockId::Monotonic)).saturating_sub(lead)
    })
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn wall_clock() -> Utc {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Utc::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_was_not_suspended_adds_nothing_to_its_ticks() {
        let suspended = suspension();
        assert!((0..10_000).all(|_| suspended().is_zero()));
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_of_a_suspension_counts_and_what_was_due_in_it_is_due() {
        let hour = Duration::from_secs(3600);
        let clock = HostClock { suspended: Arc::new(move || hour), ..HostClock::new(Tick::ZERO, None, 1.0) };
        assert_eq!(clock.now().tick, Tick::ZERO + hour);
        let began = Instant::now();
        clock.sleep_until(Tick::ZERO + hour / 2).await;
        assert_eq!(began.elapsed(), Duration::ZERO);
        clock.sleep_until(Tick::ZERO + hour * 2).await;
        assert_eq!(began.elapsed(), hour);
    }
}
