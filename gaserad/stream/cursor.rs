//! One reader's place in the stream.
//!
//! It remembers the last event it passed and which of the conflated things it has seen, nothing else: a reader that
//! does not read costs no memory. Numbered events come in order, without a gap and without a duplicate, from the ring
//! or from the history, whichever has them.

use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;
use tokio::sync::watch;

use super::hub::{Hub, Seat, SubscribeRequest};
use super::merged::Message;
use super::view::{Look, Place, Seen, View};
use super::{BoxFuture, Format, frame};
use crate::domain::{Published, Status};

/// The most events that are asked of the history in one go. Those of one go may wait in memory for one reader.
const PAGE: u32 = 64;

pub struct Cursor {
    seat: Seat,
    connection: u64,
    wake: watch::Receiver<()>,
    view: Arc<View>,
    start: Option<u64>,
    now: Option<BoxFuture<'static, Status>>,
    stage: Stage,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Greeting,
    Starting,
    Following,
    Ended,
}

/// What there is for a reader at this moment.
pub enum Step {
    /// Perhaps none, where nothing of it is wanted.
    Frames(Vec<Bytes>),
    /// It has everything.
    Current,
    Ended,
}

impl Cursor {
    pub(super) fn new(
        seat: Seat,
        connection: u64,
        wake: watch::Receiver<()>,
        request: SubscribeRequest,
        now: BoxFuture<'static, Status>,
    ) -> Self {
        let place = seat.0.read().end();
        let view = Arc::new(View { format: request.format, filter: request.filter });
        let (start, now) = (request.last_event_id, Some(now));
        Self { seat, connection, wake, view, start, now, stage: Stage::Greeting, place }
    }

    /// Everything there is for this reader, never empty; waits until there is something. `None` ends the stream.
    pub async fn next(&mut self) -> Option<Vec<Bytes>> {
        let mut silence = pin!(tokio::time::sleep(self.hub().keepalive()));
        loop {
            match self.step().await {
                Step::Frames(frames) if frames.is_empty() => {}
                Step::Frames(frames) => return Some(frames),
                Step::Ended => return None,
                Step::Current => tokio::select! {
                    woken = self.wake.changed() => if woken.is_err() { self.stage = Stage::Ended },
                    () = &mut silence => match self.view.keep_alive() {
                        Some(comment) => return Some(vec![comment]),
                        None => if self.wake.changed().await.is_err() { self.stage = Stage::Ended },
                    },
                },
            }
        }
    }

    /// What there is at this moment; waits for the status that a stream begins with, and for the history.
    pub async fn step(&mut self) -> Step {
        match self.stage {
            Stage::Greeting => {
                self.stage = Stage::Starting;
                Step::Frames(self.greeting().into_iter().collect())
            }
            Stage::Starting => {
                self.stage = Stage::Following;
                Step::Frames(self.begin().await.unwrap_or_default())
            }
            Stage::Following => self.follow().await,
            Stage::Ended => Step::Ended,
        }
    }

    async fn follow(&mut self) -> Step {
        self.wake.mark_unchanged();
        match self.hub().look(&self.view, self.place) {
            Look::News { frames, place, .. } => {
                self.place = place;
                Step::Frames(frames)
            }
            Look::Behind => Step::Frames(self.recall().await.unwrap_or_default()),
            Look::Nothing(place) => {
                self.place = place;
                Step::Current
            }
            Look::Ended => {
                self.stage = Stage::Ended;
                Step::Ended
            }
        }
    }

    pub fn view(&self) -> &Arc<View> {
        &self.view
    }

    /// Readers of equal views share one.
    pub fn share(&mut self, view: Arc<View>) {
        self.view = view;
    }

    pub fn place(&self) -> Place {
        self.place
    }

    /// Somebody else has brought the reader this far.
    pub fn proceed(&mut self, place: Place) {
        self.place = place;
    }

    /// The frames that a stream begins with, if any.
    async fn begin(&mut self) -> Option<Vec<Bytes>> {
        let newest = self.place.position;
        match self.start {
            _ if self.view.format == Format::Merged => {
                let status = self.status().await?;
                let message = Message::of(&status);
                let shown = self.hub().read().shows(&message);
                if let Some((merged, devices)) = shown {
                    self.place.seen = Seen { merged, devices, ..self.place.seen };
                }
                Some(vec![message.complete(&status)])
            }
            Some(id) if id <= newest => {
                self.place.position = id;
                // After what was missed comes how things stand.
                self.place.seen.progress = 0;
                None
            }
            Some(id) => {
                let reason = format!("event {id} is not known here; the newest is {newest}");
                let gap = self.gap(&reason, None);
                let snapshot = self.snapshot().await?;
                Some(vec![gap, snapshot])
            }
            None => Some(vec![self.snapshot().await?]),
        }
    }

    async fn status(&mut self) -> Option<Status> {
        Some(self.now.take()?.await)
    }

    /// The whole state, with the number of the event that it includes last.
    async fn snapshot(&mut self) -> Option<Bytes> {
        let status = self.status().await?;
        self.place.position = status.seq;
        let data = serde_json::to_string(&status).unwrap_or_default();
        Some(frame::render(self.view.format, Some(status.seq), "snapshot", &data))
    }

    /// What the history has after the last event; `None` if nothing of it is wanted.
    async fn recall(&mut self) -> Option<Vec<Bytes>> {
        let hub = self.hub().clone();
        let complete_after = hub.read().ring.complete_after();
        let events = match hub.history.after(self.place.position, PAGE).await {
            Ok(events) => events,
            Err(reason) => {
                self.stage = Stage::Ended;
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
        let data = json!({
            "timestamp": self.hub().clock.now().utc.as_seconds(),
            "reason": reason,
            "after": self.place.position,
            "missed": missed,
        });
        frame::render(self.view.format, None, "gap", &data.to_string())
    }

    fn greeting(&self) -> Option<Bytes> {
        let settings = &self.hub().settings;
        let data = json!({
            "timestamp": self.hub().clock.now().utc.as_seconds(),
            "connection_id": self.connection.to_string(),
            "seq": self.place.position,
            "heartbeat_s": settings.heartbeat.as_secs_f64(),
            "keepalive_s": settings.keepalive.as_secs_f64(),
            "version": env!("CARGO_PKG_VERSION"),
        })
        .to_string();
        match self.view.format {
            Format::Named => Some(frame::greeting("connected", &data)),
            Format::Lines => Some(frame::line(None, "connected", &data)),
            Format::Merged => None,
        }
    }

    fn hub(&self) -> &Arc<Hub> {
        &self.seat.0
    }
}
