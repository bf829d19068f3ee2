//! One reader's place in the stream.
//!
//! It remembers the last event it passed and which of the conflated things it has seen, nothing else: a reader that
//! does not read costs no memory. Numbered events come in order, without a gap and without a duplicate, from the ring
//! or from the history, whichever has them.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use serde_json::json;
use tokio::sync::watch;

use super::connections::{Connection, ConnectionChange};
use super::figures::Left;
use super::hub::{Hub, Seat, SubscribeRequest};
use super::merged::MergedMessage;
use super::view::{Look, SeenEvents, View, ViewPlace};
use super::{BoxFuture, Format, frame};
use crate::domain::{Published, Status};

/// The most events that are asked of the history in one go. Those of one go may wait in memory for one reader.
const PAGE: u32 = 64;

pub struct Cursor {
    seat: Seat,
    wake: watch::Receiver<()>,
    view: Arc<View>,
    start: Option<u64>,
    /// Whether it begins with the last event of each kind.
    sticky: bool,
    now: Option<BoxFuture<'static, Status>>,
    stage: CursorStage,
    place: ViewPlace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CursorStage {
    Greeting,
    Starting,
    Following,
    Leaving(Left),
    Ended,
}

/// What there is for a reader at this moment.
pub enum CursorStep {
    /// Perhaps none, where nothing of it is wanted.
    Frames(Vec<Bytes>),
    /// It has everything.
    Current,
    Ended,
}

impl Cursor {
    pub(super) fn new(
        seat: Seat,
        wake: watch::Receiver<()>,
        request: SubscribeRequest,
        now: BoxFuture<'static, Status>,
    ) -> Self {
        let place = seat.0.read().end();
        let view = Arc::new(View { format: request.format, filter: request.filter });
        let (start, sticky) = (request.last_event_id, !request.without_sticky);
        Self { seat, wake, view, start, sticky, now: Some(now), stage: CursorStage::Greeting, place }
    }

    /// Everything there is for this reader, never empty; waits until there is something. `None` ends the stream.
    pub async fn next(&mut self) -> Option<Vec<Bytes>> {
        let mut silence = pin!(tokio::time::sleep(self.hub().keepalive()));
        let mut timed = self.hub().published.load(Ordering::Acquire);
        loop {
            match self.step().await {
                CursorStep::Frames(frames) if frames.is_empty() => {}
                CursorStep::Frames(frames) => {
                    self.hub().time_delivery(&mut timed);
                    self.count(frames.iter().map(Bytes::len).sum());
                    return Some(frames);
                }
                CursorStep::Ended => return None,
                CursorStep::Current => tokio::select! {
                    woken = self.wake.changed() => if woken.is_err() { self.stage = CursorStage::Ended },
                    () = &mut silence => match self.view.keep_alive() {
                        Some(comment) => return Some(vec![comment]),
                        None => if self.wake.changed().await.is_err() { self.stage = CursorStage::Ended },
                    },
                },
            }
        }
    }

    /// What there is at this moment; waits for the status that a stream begins with, and for the history.
    pub async fn step(&mut self) -> CursorStep {
        match self.stage {
            CursorStage::Greeting => {
                self.stage = CursorStage::Starting;
                CursorStep::Frames(self.greeting().into_iter().collect())
            }
            CursorStage::Starting => {
                self.stage = CursorStage::Following;
                CursorStep::Frames(self.begin().await.unwrap_or_default())
            }
            CursorStage::Following => self.follow().await,
            CursorStage::Leaving(why) => {
                self.stage = CursorStage::Ended;
                self.leave(why);
                CursorStep::Frames(self.farewell().into_iter().collect())
            }
            CursorStage::Ended => CursorStep::Ended,
        }
    }

    async fn follow(&mut self) -> CursorStep {
        self.wake.mark_unchanged();
        if let Some(change) = self.seat.1.take_change() {
            return CursorStep::Frames(self.obey(change).into_iter().collect());
        }
        match self.hub().look(&self.view, self.place) {
            Look::News { frames, place, .. } => {
                self.proceed(place);
                CursorStep::Frames(frames)
            }
            Look::Behind => CursorStep::Frames(self.recall().await.unwrap_or_default()),
            Look::Nothing(place) => {
                self.proceed(place);
                CursorStep::Current
            }
            Look::Ended => {
                self.stage = CursorStage::Leaving(Left::Shutdown);
                CursorStep::Frames(Vec::new())
            }
        }
    }

    /// Does what somebody wants of this reader from now on.
    fn obey(&mut self, change: ConnectionChange) -> Option<Bytes> {
        if let Some(reason) = change.close {
            self.stage = CursorStage::Leaving(Left::Closed);
            return self.error("closed", &reason);
        }
        if let Some(filter) = change.filter {
            self.view = Arc::new(View { format: self.view.format, filter });
        }
        let newest = self.hub().seq();
        match change.last_event_id {
            Some(id) if id > newest => Some(self.gap(&unknown(id, newest), None)),
            Some(id) => {
                self.replay_after(id);
                None
            }
            None => None,
        }
    }

    fn replay_after(&mut self, id: u64) {
        self.place.position = id;
        // After what was missed comes how things stand.
        self.place.seen.progress = 0;
        self.hub().figures.replays.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether somebody wants something else of this reader.
    pub fn is_changed(&self) -> bool {
        self.seat.1.is_changed()
    }

    /// Why the stream ends, if not because the peer closed it.
    pub fn leave(&self, why: Left) {
        self.seat.1.leave(why);
    }

    /// What others may know of this reader.
    pub fn connection(&self) -> Arc<Connection> {
        self.seat.1.clone()
    }

    pub fn count(&self, bytes: usize) {
        self.seat.1.count_bytes(bytes);
        self.hub().figures.delivered_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Tells a browser when to come back: not everybody at once.
    pub fn farewell(&self) -> Option<Bytes> {
        (self.view.format != Format::Lines).then(|| frame::come_back_in(spread(self.seat.1.id)))
    }

    pub fn view(&self) -> &Arc<View> {
        &self.view
    }

    /// Readers of equal views share one.
    pub fn share(&mut self, view: Arc<View>) {
        self.view = view;
    }

    pub fn place(&self) -> ViewPlace {
        self.place
    }

    /// Somebody else has brought the reader this far.
    pub fn proceed(&mut self, place: ViewPlace) {
        let Seat(hub, connection) = &self.seat;
        let conflated = place.conflated_since(&self.place);
        if conflated > 0 {
            hub.figures.conflated.fetch_add(conflated, Ordering::Relaxed);
        }
        connection.move_to(place.position, hub.now.load(Ordering::Relaxed));
        self.place = place;
    }

    /// The frames that a stream begins with.
    async fn begin(&mut self) -> Option<Vec<Bytes>> {
        let (newest, format) = (self.place.position, self.view.format);
        match self.start {
            _ if format == Format::Merged => {
                let status = self.status().await?;
                Some(vec![self.merged(&status)])
            }
            Some(id) if id <= newest => {
                self.replay_after(id);
                if format != Format::Both {
                    return None;
                }
                let status = self.status().await?;
                Some(vec![self.merged(&status)])
            }
            Some(id) => {
                let gap = self.gap(&unknown(id, newest), None);
                let mut frames = vec![gap];
                frames.extend(self.state().await?);
                Some(frames)
            }
            None => self.state().await,
        }
    }

    /// The whole state as a merged message.
    fn merged(&mut self, status: &Status) -> Bytes {
        let message = MergedMessage::of(status);
        let shown = self.hub().read().shows(&message);
        if let Some((merged, devices)) = shown {
            self.place.seen = SeenEvents { merged, devices, ..self.place.seen };
        }
        message.complete(status)
    }

    /// The whole state, with the number of the event that it includes last, and the last event of each kind.
    async fn state(&mut self) -> Option<Vec<Bytes>> {
        let (status, format) = (self.status().await?, self.view.format);
        self.place.position = status.seq;
        let data = serde_json::to_string(&status).unwrap_or_default();
        let mut frames = vec![frame::render(format, Some(status.seq), "snapshot", &data)];
        if format == Format::Both {
            frames.push(self.merged(&status));
        }
        let sticky = if self.sticky { self.hub().read().sticky.up_to(status.seq) } else { Vec::new() };
        let wanted = sticky.iter().filter(|event| self.view.filter.passes(event));
        frames.extend(wanted.map(|event| frame::render(format, None, &event.name, &event.data)));
        Some(frames)
    }

    async fn status(&mut self) -> Option<Status> {
        Some(self.now.take()?.await)
    }

    /// What the history has after the last event; `None` if nothing of it is wanted.
    async fn recall(&mut self) -> Option<Vec<Bytes>> {
        let hub = self.hub().clone();
        let (complete_after, newest) = {
            let state = hub.read();
            (state.ring.complete_after(), state.ring.newest())
        };
        let events = match hub.history.after(self.place.position, PAGE).await {
            // What is kept and not told yet would be the number of nothing to whoever came back with it at once.
            Ok(events) => events.into_iter().filter(|event| event.seq <= newest).collect::<Vec<_>>(),
            Err(reason) => {
                self.stage = CursorStage::Leaving(Left::History);
                let reason =
                    format!("the events after {} cannot be read: {reason}; connect again", self.place.position);
                return Some(vec![self.gap(&reason, None)]);
            }
        };
        let mut frames = Vec::new();
        for event in &events {
            self.pass(event, &mut frames);
        }
        if events.is_empty() {
            frames.extend(self.miss(complete_after));
        }
        (!frames.is_empty()).then_some(frames)
    }

    fn pass(&mut self, event: &Published, frames: &mut Vec<Bytes>) {
        frames.extend(self.miss(event.seq.saturating_sub(1)));
        self.place.position = event.seq;
        if self.view.filter.passes(event) {
            frames.push(frame::render(self.view.format, Some(event.seq), &event.name, &event.data));
        }
    }

    /// Says that the events up to `last` are not kept any more, if there were any.
    fn miss(&mut self, last: u64) -> Option<Bytes> {
        let missed = last.checked_sub(self.place.position).filter(|missed| *missed > 0)?;
        let gap = self.gap("these events are not kept any more", Some(missed));
        self.place.position = last;
        Some(gap)
    }

    fn gap(&self, reason: &str, missed: Option<u64>) -> Bytes {
        self.seat.1.count_gap();
        self.hub().figures.count_gap(self.hub().second());
        let data = json!({
            "timestamp": self.hub().clock.now().utc.as_seconds(),
            "reason": reason,
            "after": self.place.position,
            "missed": missed,
        });
        frame::render(self.view.format, None, "gap", &data.to_string())
    }

    /// Says what is wrong, where there are events to say it with.
    fn error(&self, code: &str, message: &str) -> Option<Bytes> {
        let timestamp = self.hub().clock.now().utc.as_seconds();
        let data = json!({ "timestamp": timestamp, "code": code, "message": message }).to_string();
        (self.view.format != Format::Merged).then(|| frame::render(self.view.format, None, "error", &data))
    }

    fn greeting(&self) -> Option<Bytes> {
        let settings = self.hub().settings();
        let newest = self.place.position;
        let data = json!({
            "timestamp": self.hub().clock.now().utc.as_seconds(),
            "connection_id": self.seat.1.id.to_string(),
            "seq": newest,
            "heartbeat_s": settings.heartbeat.as_secs_f64(),
            "keepalive_s": settings.keepalive.as_secs_f64(),
            "replayed": self.start.and_then(|id| newest.checked_sub(id)).unwrap_or_default(),
            "subscriptions": self.view.filter.types(),
            "version": env!("CARGO_PKG_VERSION"),
        });
        (self.view.format != Format::Merged).then(|| frame::begin(self.view.format, "connected", &data.to_string()))
    }

    fn hub(&self) -> &Arc<Hub> {
        &self.seat.0
    }
}

fn unknown(id: u64, newest: u64) -> String {
    format!("event {id} is not known here; the newest is {newest}")
}

/// When a reader is to come back after a shutdown, milliseconds: from one second to five, each at another moment.
fn spread(connection: u64) -> u32 {
    let scattered = connection.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    1000 + u32::try_from(scattered % 4000).unwrap_or_default()
}
