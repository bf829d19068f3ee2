//! Whether the disk of the state directory is nearly full. Looked at now and then; only a change is told.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::store::Store;

const EVERY: Duration = Duration::from_secs(10);

pub(super) struct Space {
    min_free_bytes: u64,
    is_low: bool,
    /// It goes on by itself, however often [`Space::watch`] is dropped.
    looks: Option<Interval>,
}

/// What the disk has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Free {
    pub bytes: u64,
    pub is_low: bool,
}

impl Space {
    pub(super) const fn new(min_free_bytes: u64) -> Self {
        Self { min_free_bytes, is_low: false, looks: None }
    }

    /// Waits until it begins or ceases to be nearly full. Nothing is lost if this is dropped and called again.
    pub(super) async fn watch(&mut self, store: &Store) -> Free {
        let looks = self.looks.get_or_insert_with(|| {
            let mut looks = interval(EVERY);
            looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            looks
        });
        loop {
            looks.tick().await;
            let Some(bytes) = store.free_bytes() else { continue };
            let is_low = bytes < self.min_free_bytes;
            if is_low != self.is_low {
                self.is_low = is_low;
                return Free { bytes, is_low };
            }
        }
    }
}
