//! The hub: what is published goes in here, and every reader's [`Cursor`] looks in here.
//!
//! The one publisher never waits for a reader: it renders, appends, and wakes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::connections::{Connection, Connections, Origin};
use super::figures::{EventRate, Figures};
use super::merged::MergedMessage;
use super::ring::{Ring, RingEntry};
use super::sticky::Sticky;
use super::subjects::{self, Subjects};
use super::view::{Look, View, ViewPlace};
use super::{BoxFuture, Cursor, Filter, Format, History, Settings, frame};
use crate::domain::{Channel, Clock, Event, Phase, ProgressTick, Published, Qc, RunId, Status, Tick};

pub struct Hub {
    pub(super) settings: watch::Sender<Settings>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) history: Arc<dyn History>,
    pub(super) started: Tick,
    pub(super) figures: Figures,
    pub(super) connections: Connections,
    /// When events were last published.
    pub(super) published: AtomicU64,
    /// The host's time when something last happened, microseconds since the epoch.
    pub(super) now: AtomicU64,
    state: RwLock<HubState>,
    wake: watch::Sender<()>,
    subjects: watch::Sender<Arc<Subjects>>,
    clients: AtomicUsize,
}

/// What all readers look at.
pub(super) struct HubState {
    pub ring: Ring,
    pub progress: ConflatedSlot,
    pub heartbeat: ConflatedSlot,
    pub test: ConflatedSlot,
    /// The type of event that the test stands for.
    pub test_for: &'static str,
    pub merged: MergedSlot,
    pub sticky: Sticky,
    pub events: EventRate,
    /// Results since the start, by channel and quality.
    pub samples: BTreeMap<(u8, Qc), u64>,
    pub phase: Phase,
    /// The run that the progress is of.
    pub run: Option<RunId>,
    /// Streams end after this event.
    pub last: Option<u64>,
    told: Value,
    message: Option<MergedMessage>,
}

/// Something of which only the latest counts.
#[derive(Default)]
pub(super) struct ConflatedSlot {
    pub generation: u64,
    named: Bytes,
    line: Bytes,
    envelope: Bytes,
}

impl ConflatedSlot {
    pub fn set(&mut self, name: &str, data: &Value) {
        let text = data.to_string();
        self.generation += 1;
        self.named = frame::named(None, name, &text);
        self.line = frame::line(None, name, &text);
        self.envelope = frame::envelope(None, name, &text);
    }

    pub fn bytes(&self, format: Format) -> Bytes {
        match format {
            Format::Lines => self.line.clone(),
            Format::Envelope => self.envelope.clone(),
            Format::Named | Format::Merged | Format::Both => self.named.clone(),
        }
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
    /// Not to begin with the last event of each kind.
    pub without_sticky: bool,
    pub origin: Origin,
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
pub(super) struct Seat(pub Arc<Hub>, pub Arc<Connection>);

impl Drop for Seat {
    fn drop(&mut self) {
        let Self(hub, connection) = self;
        hub.connections.leave(connection.id);
        hub.figures.count_left(connection.left(), hub.second());
        hub.clients.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Hub {
    /// A hub that goes on after event `newest`. Its heartbeat runs on the tokio runtime and ends with the hub.
    pub fn start(settings: Settings, clock: Arc<dyn Clock>, history: Arc<dyn History>, newest: u64) -> Arc<Self> {
        let state = HubState {
            ring: Ring::new(settings.ring, newest),
            progress: ConflatedSlot::default(),
            heartbeat: ConflatedSlot::default(),
            test: ConflatedSlot::default(),
            test_for: "",
            sticky: Sticky::default(),
            events: EventRate::default(),
            samples: BTreeMap::new(),
            merged: MergedSlot::default(),
            phase: Phase::Idle,
            run: None,
            last: None,
            told: Value::Null,
            message: None,
        };
        let hub = Arc::new(Self {
            started: clock.now().tick,
            settings: watch::Sender::new(settings),
            clock,
            history,
            state: RwLock::new(state),
            wake: watch::Sender::new(()),
            subjects: watch::Sender::new(Arc::new(Subjects::new())),
            figures: Figures::default(),
            connections: Connections::default(),
            published: AtomicU64::new(0),
            now: AtomicU64::new(0),
            clients: AtomicUsize::new(0),
        });
        let (weak, mut period) = (Arc::downgrade(&hub), hub.settings.subscribe());
        let history = hub.history.clone();
        tokio::spawn(async move {
            remember(&weak, history, newest).await;
            loop {
                let heartbeat = period.borrow_and_update().heartbeat;
                tokio::select! {
                    () = tokio::time::sleep(heartbeat) => {}
                    changed = period.changed() => if changed.is_ok() { continue },
                }
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
        let entries: Vec<RingEntry> = events.into_iter().map(|event| entry(event, message.as_ref())).collect();
        let now = self.note_time();
        let second = self.second();
        let mut state = self.write();
        state.events.add(second, entries.len());
        for entry in entries {
            state.sticky.keep(&entry.event);
            if let Some(key) = entry.sample {
                *state.samples.entry(key).or_default() += 1;
            }
            if entry.event.name == SHUTDOWN {
                state.last = Some(entry.event.seq);
            }
            self.figures.published.fetch_add(1, Ordering::Relaxed);
            state.ring.push(entry);
        }
        drop(state);
        self.published.store(now.max(1), Ordering::Release);
        self.wake.send_replace(());
    }

    /// Shows how things stand. Only the latest counts, and what says nothing new is not sent.
    pub fn tick(&self, status: &Status) {
        let told = serde_json::to_value(ProgressTick::of(status)).unwrap_or_default();
        let message = MergedMessage::of(status);
        self.note_time();
        self.show_subjects(status);
        let mut state = self.write();
        state.phase = status.phase;
        state.run = status.run.as_ref().map(|run| run.id.clone());
        let news = state.show(status, told, message);
        drop(state);
        if news {
            self.wake.send_replace(());
        }
    }

    /// Tells those who follow subjects, if any of them changed.
    fn show_subjects(&self, status: &Status) {
        let subjects = subjects::of(status);
        self.subjects.send_if_modified(|shown| {
            let changed = **shown != subjects;
            if changed {
                *shown = Arc::new(subjects);
            }
            changed
        });
    }

    /// How each subject stands, and when that changes.
    pub fn subjects(&self) -> watch::Receiver<Arc<Subjects>> {
        self.subjects.subscribe()
    }

    /// A new reader. `now` is asked for the status when the stream begins with it.
    pub fn subscribe(
        self: &Arc<Self>,
        request: SubscribeRequest,
        now: BoxFuture<'static, Status>,
    ) -> Result<Cursor, Refused> {
        let seat = self.sit(&request)?;
        Ok(Cursor::new(seat, self.wake.subscribe(), request, now))
    }

    /// Takes a place.
    pub(super) fn sit(self: &Arc<Self>, request: &SubscribeRequest) -> Result<Seat, Refused> {
        let limit = self.settings.borrow().max_connections;
        let taken = |count: usize| (count < limit).then_some(count + 1);
        let (shutting_down, newest) = {
            let state = self.read();
            (state.last.is_some(), state.ring.newest())
        };
        let refused = |refused| {
            self.figures.count_refused(self.second());
            refused
        };
        if shutting_down {
            return Err(refused(Refused::ShuttingDown));
        }
        let place = self.clients.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken);
        place.map_err(|_| refused(Refused::Full(limit)))?;
        let id = self.figures.opened.fetch_add(1, Ordering::Relaxed) + 1;
        let (origin, filter) = (request.origin.clone(), request.filter.clone());
        let since = self.clock.now().utc;
        let connection = Arc::new(Connection::new(id, origin, since, request.format, filter, newest));
        self.connections.enter(connection.clone());
        Ok(Seat(self.clone(), connection))
    }

    /// Wakes every reader.
    pub(super) fn wake(&self) {
        self.wake.send_replace(());
    }

    /// What there is for a reader at `place`.
    pub fn look(&self, view: &View, place: ViewPlace) -> Look {
        self.read().look(view, place)
    }

    /// Changes whenever there is something new.
    pub fn news(&self) -> watch::Receiver<()> {
        self.wake.subscribe()
    }

    /// After how long a silence a comment is sent.
    pub fn keepalive(&self) -> Duration {
        self.settings.borrow().keepalive
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
        self.note_time();
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

    pub(super) fn read(&self) -> RwLockReadGuard<'_, HubState> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, HubState> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How far back the last event of each kind is looked for.
const REMEMBERED: u64 = 1000;
const PAGE: u32 = 256;
const SHUTDOWN: &str = "system.shutdown";

impl HubState {
    /// The generations of the merged message and its devices, if this is the message.
    pub fn shows(&self, message: &MergedMessage) -> Option<(u64, u64)> {
        (self.message.as_ref() == Some(message)).then_some((self.merged.generation, self.merged.devices))
    }

    /// Renders what is new in it; whether anything is.
    fn show(&mut self, status: &Status, mut told: Value, message: MergedMessage) -> bool {
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

fn entry(event: Published, message: Option<&MergedMessage>) -> RingEntry {
    let told = match event.name.as_str() {
        "live_data" | "usb" => Event::parse(&event.name, &event.data).ok(),
        _ => None,
    };
    match told {
        Some(Event::LiveData(data)) => {
            let merged = message.and_then(|message| message.with_result(&data));
            let sample = Some((data.channel.map_or(0, Channel::number), data.qc));
            RingEntry::new(event, merged).with_sample(sample)
        }
        Some(Event::Usb(news)) => {
            let merged = message.and_then(|message| message.with_drive(&news));
            RingEntry::new(event, merged)
        }
        _ => RingEntry::new(event, None),
    }
}

/// Fills what is kept of each kind with what was told before this process began.
async fn remember(hub: &Weak<Hub>, history: Arc<dyn History>, newest: u64) {
    let mut after = newest.saturating_sub(REMEMBERED);
    while after < newest {
        let events = history.after(after, PAGE).await.unwrap_or_default();
        let (Some(last), Some(hub)) = (events.last().map(|event| event.seq), hub.upgrade()) else { return };
        let mut state = hub.write();
        events.iter().filter(|event| event.seq <= newest).for_each(|event| state.sticky.keep(event));
        after = last;
    }
}
