//! Who does the work on the database: threads of the store, or whoever asks.

use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Default)]
pub enum StoreWork {
    /// A thread that writes and one that reads, since SQLite waits for the disk.
    #[default]
    Threads,
    /// Whoever asks, in place. A world in virtual time would jump ahead while a thread works, and differ each time by
    /// how fast it was.
    Caller(Arc<dyn Disk>),
}

/// What the disk is like in such a world.
pub trait Disk: Send + Sync {
    /// How long the next commit takes until it is kept, and then until its writer knows that.
    fn delays(&self) -> (Duration, Duration);

    /// The database may have so many pages; one that has them already is full.
    fn most_pages(&self) -> u32;

    /// What is left for others to write.
    fn free_bytes(&self) -> u64;
}
