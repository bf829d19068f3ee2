//! Streams over HTTP/1.1 to many readers: one task writes to all of them.
//!
//! A connection whose answer is the stream is taken away from hyper and handed over here: a task and the buffers of an
//! HTTP connection for each reader cost more than the writing. What is to be written is put together once for all readers
//! that see the same and stand at the same place, so that a reader is a socket, a cursor, and what the kernel did not take
//! yet. One that begins, or fell behind the ring, is brought up by a task of its own ([`catch_up`]) and comes back.
//!
//! Readers that nothing can be written to for [`PATIENCE`] are cut off; a closed one is noticed when it closes.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::line::Line;
use self::ready::Ready;
use self::shared::{Found, Shared};
use self::slot::{Flushed, Slot};
use super::serve::GRACE;
use crate::stream::{Cursor, Hub, Left};

mod catch_up;
mod chunk;
mod line;
mod ready;
mod shared;
mod slot;

/// How long nothing can be written to a reader before it is cut off.
pub const PATIENCE: Duration = Duration::from_secs(14);
/// How often silent and stuck readers are looked for.
const SWEEP: Duration = Duration::from_secs(1);
/// How many readers are brought up at the same time; what others ask for is not to wait for all of them.
const BROUGHT_AT_ONCE: usize = 4;
/// How many readers are served before others get their turn.
const TURN: usize = 64;

/// Where streams are handed over.
#[derive(Clone)]
pub struct Fanout {
    inbox: mpsc::UnboundedSender<Joining>,
    /// For a step of bringing a reader up.
    turns: Arc<Semaphore>,
    tracker: TaskTracker,
    cancel: CancellationToken,
}

/// A reader that has everything up to its cursor's place.
struct Joining {
    socket: Line,
    cursor: Cursor,
}

impl Fanout {
    /// Begins to serve; it ends in bounded time after `cancel`.
    pub fn start(hub: &Arc<Hub>, tracker: &TaskTracker, cancel: &CancellationToken) -> Self {
        let (inbox, joining) = mpsc::unbounded_channel();
        let turns = Arc::new(Semaphore::new(BROUGHT_AT_ONCE));
        let fanout = Self { inbox, turns, tracker: tracker.clone(), cancel: cancel.clone() };
        let readers = Readers {
            news: hub.news(),
            keepalive: sweeps(hub.keepalive()),
            hub: hub.clone(),
            slots: Vec::new(),
            free: Vec::new(),
            shared: Shared::default(),
            ready: Arc::default(),
            first: 0,
            now: 0,
            changes: 0,
            timed: 0,
            fanout: fanout.clone(),
        };
        // It gives way by itself, after each turn.
        tracker.spawn(tokio::task::coop::unconstrained(readers.run(joining, cancel.clone())));
        fanout
    }

    /// Begins a stream on a connection whose request has been read.
    pub fn begin(&self, socket: Line, cursor: Cursor, head: Bytes) {
        self.tracker.spawn(catch_up::run(self.clone(), socket, cursor, head));
    }
}

/// How many sweeps lie within a time, so that it is not exceeded.
fn sweeps(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX).max(1)
}

struct Readers {
    hub: Arc<Hub>,
    news: watch::Receiver<()>,
    slots: Vec<Option<Slot>>,
    /// Places of readers that left.
    free: Vec<usize>,
    shared: Shared,
    ready: Arc<Ready>,
    /// Who is served first, in turn, so that nobody is always last.
    first: usize,
    /// Counts the sweeps.
    now: u32,
    /// Changes of readers that were seen.
    changes: u64,
    /// When what was timed last was published.
    timed: u64,
    keepalive: u32,
    fanout: Fanout,
}

impl Readers {
    async fn run(mut self, mut joining: mpsc::UnboundedReceiver<Joining>, cancel: CancellationToken) {
        let mut sweep = interval(SWEEP);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let stopped = async {
            cancel.cancelled().await;
            sleep(GRACE).await;
        };
        tokio::pin!(stopped);
        let ready = self.ready.clone();
        while !(cancel.is_cancelled() && self.is_empty()) {
            tokio::select! {
                _ = self.news.changed() => self.round().await,
                Some(one) = joining.recv() => self.admit(one),
                () = ready.some() => self.attend(),
                _ = sweep.tick() => self.sweep().await,
                () = cancel.cancelled(), if self.is_empty() => break,
                () = &mut stopped => break,
            }
            tokio::task::yield_now().await;
        }
    }

    fn is_empty(&self) -> bool {
        self.free.len() == self.slots.len()
    }

    fn admit(&mut self, Joining { socket, mut cursor }: Joining) {
        if cursor.is_changed() {
            return self.fanout.begin(socket, cursor, Bytes::new());
        }
        let group = self.shared.enter(&mut cursor);
        let index = self.free.pop().unwrap_or(self.slots.len());
        let slot = Slot::new(socket, cursor, group, self.ready.waker(index), self.now);
        if index == self.slots.len() {
            self.slots.push(None);
        }
        self.slots[index] = Some(slot);
        self.listen(index);
        // Something may have happened since it was told that it has everything.
        self.serve(index);
    }

    /// Brings everybody what is new.
    async fn round(&mut self) {
        self.shared.forget();
        self.first += 1;
        self.let_change();
        for step in 0..self.slots.len() {
            self.serve((self.first + step) % self.slots.len());
            if step % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
        }
        self.hub.time_delivery(&mut self.timed);
    }

    /// Lets readers of whom something else is wanted see to it by themselves.
    fn let_change(&mut self) {
        if std::mem::replace(&mut self.changes, self.hub.changes()) == self.changes {
            return;
        }
        for index in 0..self.slots.len() {
            let Some(Some(slot)) = self.slots.get_mut(index) else { continue };
            if slot.cursor.is_changed() {
                let rest = slot.take_rest();
                self.detach(index, rest);
            }
        }
    }

    /// Looks after sockets of which the kernel told something.
    fn attend(&mut self) {
        for index in self.ready.take() {
            self.listen(index);
            if self.slots.get(index).and_then(Option::as_ref).is_some_and(Slot::is_waiting) {
                self.serve(index);
            }
        }
    }

    /// Notices that a peer has closed.
    fn listen(&mut self, index: usize) {
        if let Some(Some(slot)) = self.slots.get_mut(index)
            && !slot.listen()
        {
            self.remove(index);
        }
    }

    /// Writes what there is for one reader.
    fn serve(&mut self, index: usize) {
        let Some(Some(slot)) = self.slots.get_mut(index) else { return };
        loop {
            match slot.flush(self.now) {
                Flushed::All => {}
                Flushed::Waiting => return,
                Flushed::Broken => {
                    self.remove(index);
                    return;
                }
            }
            match self.shared.look(&self.hub, slot.group, slot.cursor.place()) {
                Found::News { bytes, place, all } => {
                    slot.cursor.proceed(place);
                    slot.cursor.count(bytes.len());
                    slot.give(bytes, self.now);
                    if all {
                        if slot.flush(self.now) == Flushed::Broken {
                            self.remove(index);
                        }
                        return;
                    }
                }
                Found::Nothing(place) => return slot.cursor.proceed(place),
                Found::Behind => return self.detach(index, Bytes::new()),
                Found::Ended => return self.end(index),
            }
        }
    }

    /// Breaks silences, and cuts off who does not read.
    async fn sweep(&mut self) {
        self.now += 1;
        for index in 0..self.slots.len() {
            if index % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
            let Some(Some(slot)) = self.slots.get_mut(index) else { continue };
            let silent = slot.silent(self.now);
            if slot.is_waiting() {
                if silent >= sweeps(PATIENCE) {
                    tracing::debug!("a reader of the stream that did not read was cut off");
                    slot.cut();
                    slot.cursor.leave(Left::Stalled);
                    self.remove(index);
                }
            } else if silent >= self.keepalive
                && let Some(comment) = self.shared.keep_alive(slot.group)
            {
                slot.give(comment, self.now);
                self.serve(index);
            }
        }
    }

    /// Lets a reader that is behind the ring catch up by itself.
    fn detach(&mut self, index: usize, rest: Bytes) {
        if let Some((socket, cursor)) = self.remove(index) {
            self.fanout.begin(socket, cursor, rest);
        }
    }

    /// Tells a reader that this was all.
    fn end(&mut self, index: usize) {
        if let Some((socket, cursor)) = self.remove(index) {
            cursor.leave(Left::Shutdown);
            let mut last = BytesMut::new();
            chunk::append(&mut last, cursor.farewell().as_slice());
            last.extend_from_slice(chunk::LAST);
            // There is room: everything before it has been taken.
            let _ = socket.try_write(&last);
        }
    }

    fn remove(&mut self, index: usize) -> Option<(Line, Cursor)> {
        let slot = self.slots.get_mut(index)?.take()?;
        self.shared.leave(slot.group);
        self.free.push(index);
        Some((slot.socket, slot.cursor))
    }
}
