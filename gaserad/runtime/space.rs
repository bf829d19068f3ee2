//! Whether the disk of the state directory is nearly full. Looked at now and then; the first sight is told, and each
//! change.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::store::Store;

const EVERY: Duration = Duration::from_secs(10);

pub(super) struct Space {
    min_free_bytes: u64,
    /// What was told last.
    told: Option<bool>,
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
        Self { min_free_bytes, told: None, looks: None }
    }

    /// Waits until it is known first, or begins or ceases to be nearly full. Nothing is lost if this is dropped and called again.
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
            if self.told.replace(is_low) != Some(is_low) {
                return Free { bytes, is_low };
            }
        }
    }
}
