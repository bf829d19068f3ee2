//! The hub: what is published goes in here, and every reader's [`Cursor`] looks in here.
//!
//! The one publisher never waits for a reader: it renders, appends, and wakes.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::merged::Message;
use super::ring::{Entry, Ring};
use super::view::{Look, Place, View};
use super::{BoxFuture, Cursor, Filter, Format, History, Settings, frame};
use crate::domain::{Clock, Event, Phase, ProgressTick, Published, RunId, Status, Tick};

pub struct Hub {
    pub(super) settings: Settings,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) history: Arc<dyn History>,
    started: Tick,
    state: RwLock<State>,
    wake: watch::Sender<()>,
    clients: AtomicUsize,
    connections: AtomicU64,
}

/// What all readers look at.
pub(super) struct State {
    pub ring: Ring,
    pub progress: Slot,
    pub heartbeat: Slot,
    pub merged: MergedSlot,
    pub phase: Phase,
    /// The run that the progress is of.
    pub run: Option<RunId>,
    /// Streams end after this event.
    pub last: Option<u64>,
    told: Value,
    message: Option<Message>,
}

/// Something of which only the latest counts.
#[derive(Default)]
pub(super) struct Slot {
    pub generation: u64,
    pub named: Bytes,
    pub line: Bytes,
}

impl Slot {
    fn set(&mut self, name: &str, data: &Value) {
        let text = data.to_string();
        self.generation += 1;
        self.named = frame::named(None, name, &text);
        self.line = frame::line(None, name, &text);
    }

    pub fn bytes(&self, format: Format) -> Bytes {
        if format == Format::Lines { self.line.clone() } else { self.named.clone() }
    }
}

#[derive(Default)]
pub(super) struct MergedSlot {
    pub generation: u64,
    pub plain: Bytes,
    /// Counts the changes of the devices alone.
    pub devices: u64,
    pub with_devices: Bytes,
}

/// What a reader asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubscribeRequest {
    pub format: Format,
    pub filter: Filter,
    /// The last event that the reader has; it gets everything after that.
    pub last_event_id: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error(
        "all {0} places of the event stream are taken; try again, close other readers, or raise max_connections in [stream]"
    )]
    Full(usize),
    #[error("the daemon is shutting down; connect again when it is back")]
    ShuttingDown,
}

/// A reader's place; leaving frees it.
pub(super) struct Seat(pub Arc<Hub>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.clients.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Hub {
    /// A hub that goes on after event `newest`. Its heartbeat runs on the tokio runtime and ends with the hub.
    pub fn start(settings: Settings, clock: Arc<dyn Clock>, history: Arc<dyn History>, newest: u64) -> Arc<Self> {
        let state = State {
            ring: Ring::new(settings.ring, newest),
            progress: Slot::default(),
            heartbeat: Slot::default(),
            merged: MergedSlot::default(),
            phase: Phase::Idle,
            run: None,
            last: None,
            told: Value::Null,
            message: None,
        };
        let hub = Arc::new(Self {
            started: clock.now().tick,
            settings,
            clock,
            history,
            state: RwLock::new(state),
            wake: watch::Sender::new(()),
            clients: AtomicUsize::new(0),
            connections: AtomicU64::new(0),
        });
        let (weak, period) = (Arc::downgrade(&hub), hub.settings.heartbeat);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(period).await;
                let Some(hub) = weak.upgrade() else { break };
                hub.beat();
            }
        });
        hub
    }

    /// Sends events to everybody. They must be kept already: their numbers are never used again.
    pub fn publish(&self, events: Vec<Published>) {
        if events.is_empty() {
            return;
        }
        let message = self.read().message.clone();
        let entries: Vec<Entry> = events.into_iter().map(|event| entry(event, message.as_ref())).collect();
        let mut state = self.write();
        for entry in entries {
            if entry.event.name == SHUTDOWN {
                state.last = Some(entry.event.seq);
            }
            state.ring.push(entry);
        }
        drop(state);
        self.wake.send_replace(());
    }

    /// Shows how things stand. Only the latest counts, and what says nothing new is not sent.
    pub fn tick(&self, status: &Status) {
        let told = serde_json::to_value(ProgressTick::of(status)).unwrap_or_default();
        let message = Message::of(status);
        let mut state = self.write();
        state.phase = status.phase;
        state.run = status.run.as_ref().map(|run| run.id.clone());
        let news = state.show(status, told, message);
        drop(state);
        if news {
            self.wake.send_replace(());
        }
    }

    /// A new reader. `now` is asked for the status when the stream begins with it.
    pub fn subscribe(
        self: &Arc<Self>,
        request: SubscribeRequest,
        now: BoxFuture<'static, Status>,
    ) -> Result<Cursor, Refused> {
        let limit = self.settings.max_connections;
        let taken = |count: usize| (count < limit).then_some(count + 1);
        if self.read().last.is_some() {
            return Err(Refused::ShuttingDown);
        }
        self.clients.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken).map_err(|_| Refused::Full(limit))?;
        let connection = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(Cursor::new(Seat(self.clone()), connection, self.wake.subscribe(), request, now))
    }

    /// What there is for a reader at `place`.
    pub fn look(&self, view: &View, place: Place) -> Look {
        self.read().look(view, place)
    }

    /// Changes whenever there is something new.
    pub fn news(&self) -> watch::Receiver<()> {
        self.wake.subscribe()
    }

    /// After how long a silence a comment is sent.
    pub fn keepalive(&self) -> Duration {
        self.settings.keepalive
    }

    pub fn clients(&self) -> usize {
        self.clients.load(Ordering::Relaxed)
    }

    /// The newest event's number.
    pub fn seq(&self) -> u64 {
        self.read().ring.newest()
    }

    fn beat(&self) {
        let now = self.clock.now();
        let mut state = self.write();
        let data = json!({
            "timestamp": now.utc.as_seconds(),
            "seq": state.ring.newest(),
            "uptime_s": now.tick.since(self.started).as_secs_f64(),
            "clients": self.clients(),
            "phase": state.phase,
        });
        state.heartbeat.set("heartbeat", &data);
        drop(state);
        self.wake.send_replace(());
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

const SHUTDOWN: &str = "system.shutdown";

impl State {
    /// The generations of the merged message and its devices, if this is the message.
    pub fn shows(&self, message: &Message) -> Option<(u64, u64)> {
        (self.message.as_ref() == Some(message)).then_some((self.merged.generation, self.merged.devices))
    }

    /// Renders what is new in it; whether anything is.
    fn show(&mut self, status: &Status, mut told: Value, message: Message) -> bool {
        let mut news = false;
        if told != self.told {
            self.told = told.clone();
            told["timestamp"] = status.timestamp.into();
            self.progress.set(super::filter::PROGRESS, &told);
            news = true;
        }
        let devices_changed = self.message.as_ref().is_none_or(|last| !message.same_devices(last));
        if devices_changed || self.message.as_ref().is_none_or(|last| !message.repeats(last)) {
            self.merged.generation += 1;
            self.merged.devices += u64::from(devices_changed);
            self.merged.plain = message.plain();
            self.merged.with_devices = message.with_devices();
            self.message = Some(message);
            news = true;
        }
        news
    }
}

fn entry(event: Published, message: Option<&Message>) -> Entry {
    let merged = message.filter(|_| event.name == "live_data").and_then(|message| {
        match Event::parse(&event.name, &event.data) {
            Ok(Event::LiveData(data)) => message.with_result(&data),
            _ => None,
        }
    });
    Entry::new(event, merged)
}
