//! Whether the disk of the state directory is nearly full. Looked at now and then; the first sight is told, and each
//! change.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::domain::{Denied, Event, Reason, StorageChange, StorageNews};
use crate::store::Store;

const EVERY: Duration = Duration::from_secs(10);

pub(super) struct Space {
    min_free_bytes: u64,
    /// What was told last.
    told: Option<bool>,
    /// It goes on by itself, however often [`Space::watch`] is dropped.
    looks: Option<Interval>,
}

/// A start is refused while this is so.
fn too_little(bytes: u64, min_free_bytes: u64) -> String {
    format!(
        "the disk of the state directory has {} MB left, and [store] min_free_mb asks for {}; make room (gaseractl runs \
         rm, gaseractl runs empty-trash), or make it larger",
        bytes / 1_000_000,
        min_free_bytes / 1_000_000
    )
}

/// What the disk has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Free {
    pub bytes: u64,
    pub is_low: bool,
    /// It was otherwise before.
    pub is_news: bool,
}

impl Space {
    pub(super) const fn new(min_free_bytes: u64) -> Self {
        Self { min_free_bytes, told: None, looks: None }
    }

    /// From here on so much is to stay free.
    pub(super) const fn spare(&mut self, min_free_bytes: u64) {
        self.min_free_bytes = min_free_bytes;
    }

    /// Why no run may begin, if that is so now. One look more, since the last one may be a while ago.
    pub(super) fn refuses(&self, store: &Store) -> Option<Denied> {
        let bytes = store.free_bytes().filter(|bytes| *bytes < self.min_free_bytes)?;
        Some(Denied::new(Reason::DiskLow, format!("cannot start a run: {}", too_little(bytes, self.min_free_bytes))))
    }

    /// What is told of a change.
    pub(super) fn news(&self, free: Free) -> Option<Event> {
        if !free.is_news {
            return None;
        }
        let (change, text) = if free.is_low {
            (StorageChange::Low, too_little(free.bytes, self.min_free_bytes))
        } else {
            (StorageChange::Enough, "the disk of the state directory has enough room again".to_owned())
        };
        let (free_bytes, who, run_id) = (Some(free.bytes), String::new(), None);
        Some(Event::Storage(StorageNews { change, free_bytes, run_id, who, text }))
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
            let told = self.told.replace(is_low);
            if told != Some(is_low) {
                return Free { bytes, is_low, is_news: is_low || told.is_some() };
            }
        }
    }
}
