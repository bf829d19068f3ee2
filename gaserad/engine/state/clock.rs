//! What is known of the host's wall clock. Ticks decide what happened when; this is only noted down.

use std::time::Duration;

use crate::domain::{Flag, Moment, Tick, Utc};

/// A smaller difference is no step: clocks are adjusted all the time.
const STEP_MS: u64 = 2000;

#[derive(Debug, Clone, Default)]
pub struct HostClock {
    pub last: Option<Moment>,
    /// When one of the clocks was last set.
    pub stepped: Option<Tick>,
    /// Whether a time service keeps it right, where that is known.
    synchronized: Option<bool>,
    /// Until when none did.
    unsynced_until: Option<Tick>,
}

impl HostClock {
    /// By how many milliseconds the wall clock was set since it was last read.
    pub fn read(&mut self, at: Moment) -> Option<i64> {
        let last = self.last.replace(at)?;
        let off = (at.utc.as_micros() - last.utc_at(at.tick).as_micros()) / 1000;
        (off.unsigned_abs() >= STEP_MS).then_some(off)
    }

    pub const fn synchronized(&self) -> Option<bool> {
        self.synchronized
    }

    pub fn is_unsynced(&self) -> bool {
        self.synchronized == Some(false)
    }

    /// Whether it was not synchronized at some time since `tick`.
    pub fn was_unsynced(&self, since: Tick) -> Option<Flag> {
        let unsynced = self.is_unsynced() || self.unsynced_until.is_some_and(|until| until >= since);
        unsynced.then_some(Flag::ClockUnsynced)
    }

    /// It is, or is not, from `tick` on; whether that is news.
    pub fn is_synchronized(&mut self, synchronized: bool, tick: Tick) -> bool {
        let before = self.synchronized.replace(synchronized);
        if before == Some(false) {
            self.unsynced_until = Some(tick);
        }
        before != Some(synchronized)
    }

    /// The tick at which the wall clock shows that, as far as is known.
    pub fn tick_at(&self, utc: Utc) -> Tick {
        let Some(last) = self.last else { return Tick::ZERO };
        let left = utc.as_micros().saturating_sub(last.utc.as_micros());
        last.tick + Duration::from_micros(u64::try_from(left).unwrap_or(0))
    }

    /// When it was last read.
    pub fn last_read(&self) -> Tick {
        self.last.map_or(Tick::ZERO, |last| last.tick)
    }
}
