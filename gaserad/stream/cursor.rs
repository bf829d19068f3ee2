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
use super::{BoxFuture, Filter, Format, frame};
use crate::domain::{Published, Status};

/// The most events that are handed out in one go.
const BATCH: usize = 64;
/// The most events that are asked of the history in one go.
const PAGE: u32 = 256;

pub struct Cursor {
    seat: Seat,
    connection: u64,
    wake: watch::Receiver<()>,
    format: Format,
    filter: Filter,
    start: Option<u64>,
    now: Option<BoxFuture<'static, Status>>,
    stage: Stage,
    /// The last event that was passed, sent or filtered out.
    position: u64,
    seen: Seen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Greeting,
    Starting,
    Following,
    Ended,
}

/// Generations of the conflated things.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    progress: u64,
    merged: u64,
    devices: u64,
    heartbeat: u64,
}

/// What there is for a reader at this moment.
enum Pending {
    Frames(Vec<Bytes>),
    /// The next event is not in the ring.
    Behind,
    Nothing,
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
        let state = seat.0.read();
        let seen = Seen {
            progress: state.progress.generation,
            merged: state.merged.generation,
            devices: state.merged.devices,
            heartbeat: state.heartbeat.generation,
        };
        let position = state.ring.newest();
        drop(state);
        Self {
            seat,
            connection,
            wake,
            format: request.format,
            filter: request.filter,
            start: request.last_event_id,
            now: Some(now),
            stage: Stage::Greeting,
            position,
            seen,
        }
    }

    /// Everything there is for this reader, never empty; waits until there is something. `None` ends the stream.
    pub async fn next(&mut self) -> Option<Vec<Bytes>> {
        if self.stage == Stage::Greeting {
            self.stage = Stage::Starting;
            if self.format != Format::Merged {
                return Some(vec![self.greeting()]);
            }
        }
        if self.stage == Stage::Starting {
            self.stage = Stage::Following;
            if let Some(frames) = self.begin().await {
                return Some(frames);
            }
        }
        self.follow().await
    }

    async fn follow(&mut self) -> Option<Vec<Bytes>> {
        let mut silence = pin!(tokio::time::sleep(self.hub().settings.keepalive));
        while self.stage != Stage::Ended {
            match self.pending() {
                Pending::Frames(frames) => return Some(frames),
                Pending::Ended => self.stage = Stage::Ended,
                Pending::Behind => {
                    if let Some(frames) = self.recall().await {
                        return Some(frames);
                    }
                }
                Pending::Nothing => tokio::select! {
                    woken = self.wake.changed() => if woken.is_err() { self.stage = Stage::Ended },
                    // A line of JSON cannot be a comment; there the heartbeat has to do.
                    () = &mut silence, if self.format != Format::Lines => return Some(vec![frame::KEEP_ALIVE]),
                },
            }
        }
        None
    }

    /// Looks at the hub once.
    fn pending(&mut self) -> Pending {
        self.wake.mark_unchanged();
        let hub = self.hub().clone();
        let state = hub.read();
        if self.position < state.ring.complete_after() {
            if self.format != Format::Merged {
                return Pending::Behind;
            }
            // A merged message makes those before it obsolete.
            self.position = state.ring.complete_after();
        }
        let mut frames = Vec::new();
        for entry in state.ring.after(self.position) {
            self.position = entry.event.seq;
            if self.filter.passes(&entry.event) {
                frames.extend(entry.bytes(self.format));
            }
            if frames.len() == BATCH {
                return Pending::Frames(frames);
            }
        }
        let (mut seen, format) = (self.seen, self.format);
        if format == Format::Merged {
            frames.extend(seen.look_merged(&state.merged));
        } else {
            if renew(&mut seen.progress, state.progress.generation) && self.filter.passes_progress(state.run.as_ref()) {
                frames.push(state.progress.bytes(format));
            }
            if renew(&mut seen.heartbeat, state.heartbeat.generation) {
                frames.push(state.heartbeat.bytes(format));
            }
        }
        self.seen = seen;
        match frames.is_empty() {
            false => Pending::Frames(frames),
            true if state.last.is_some_and(|last| last <= self.position) => Pending::Ended,
            true => Pending::Nothing,
        }
    }

    /// The frames that a stream begins with, if any.
    async fn begin(&mut self) -> Option<Vec<Bytes>> {
        let newest = self.position;
        match self.start {
            _ if self.format == Format::Merged => {
                let status = self.status().await?;
                let message = Message::of(&status);
                let shown = self.hub().read().shows(&message);
                if let Some((merged, devices)) = shown {
                    self.seen = Seen { merged, devices, ..self.seen };
                }
                Some(vec![message.complete(&status)])
            }
            Some(id) if id <= newest => {
                self.position = id;
                // After what was missed comes how things stand.
                self.seen.progress = 0;
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
        self.position = status.seq;
        let data = serde_json::to_string(&status).unwrap_or_default();
        Some(frame::render(self.format, Some(status.seq), "snapshot", &data))
    }

    /// What the history has after the last event; `None` if nothing of it is wanted.
    async fn recall(&mut self) -> Option<Vec<Bytes>> {
        let hub = self.hub().clone();
        let complete_after = hub.read().ring.complete_after();
        let events = match hub.history.after(self.position, PAGE).await {
            Ok(events) => events,
            Err(reason) => {
                self.stage = Stage::Ended;
                let reason = format!("the events after {} cannot be read: {reason}; connect again", self.position);
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
        self.position = event.seq;
        if self.filter.passes(event) {
            frames.push(frame::render(self.format, Some(event.seq), &event.name, &event.data));
        }
    }

    /// Says that the events up to `last` are not kept any more, if there were any.
    fn miss(&mut self, last: u64) -> Option<Bytes> {
        let missed = last.checked_sub(self.position).filter(|missed| *missed > 0)?;
        let gap = self.gap("these events are not kept any more", Some(missed));
        self.position = last;
        Some(gap)
    }

    fn gap(&self, reason: &str, missed: Option<u64>) -> Bytes {
        let data = json!({
            "timestamp": self.hub().clock.now().utc.as_seconds(),
            "reason": reason,
            "after": self.position,
            "missed": missed,
        });
        frame::render(self.format, None, "gap", &data.to_string())
    }

    fn greeting(&self) -> Bytes {
        let settings = &self.hub().settings;
        let data = json!({
            "timestamp": self.hub().clock.now().utc.as_seconds(),
            "connection_id": self.connection.to_string(),
            "seq": self.position,
            "heartbeat_s": settings.heartbeat.as_secs_f64(),
            "keepalive_s": settings.keepalive.as_secs_f64(),
            "version": env!("CARGO_PKG_VERSION"),
        })
        .to_string();
        match self.format {
            Format::Lines => frame::line(None, "connected", &data),
            Format::Named | Format::Merged => frame::greeting("connected", &data),
        }
    }

    fn hub(&self) -> &Arc<Hub> {
        &self.seat.0
    }
}

impl Seen {
    fn look_merged(&mut self, slot: &super::hub::MergedSlot) -> Option<Bytes> {
        let (news, devices) = (renew(&mut self.merged, slot.generation), renew(&mut self.devices, slot.devices));
        news.then(|| if devices { slot.with_devices.clone() } else { slot.plain.clone() })
    }
}

/// Takes note of a generation; whether it is a new one.
fn renew(seen: &mut u64, generation: u64) -> bool {
    std::mem::replace(seen, generation) != generation
}
