//! A reader that takes a place, and follows something else than the events.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;

use super::figures::Left;
use super::hub::{Hub, Refused, Seat, SubscribeRequest};
use super::{Format, Origin, Settings};
use crate::domain::Utc;

pub struct Visit {
    seat: Seat,
    wake: watch::Receiver<()>,
}

impl Hub {
    /// Takes a place for a reader of something else.
    pub fn visit(self: &Arc<Self>, origin: Origin) -> Result<Visit, Refused> {
        let request = SubscribeRequest { origin, ..SubscribeRequest::default() };
        Ok(Visit { seat: self.sit(&request)?, wake: self.news() })
    }

    pub fn settings(&self) -> Settings {
        self.settings.borrow().clone()
    }

    /// From here on these hold, but for the size of the ring. Streams that are open stay.
    pub fn set(&self, settings: Settings) {
        self.settings.send_replace(settings);
    }

    pub fn utc(&self) -> Utc {
        self.clock.now().utc
    }
}

impl Visit {
    pub fn hub(&self) -> &Arc<Hub> {
        &self.seat.0
    }

    pub fn count(&self, bytes: usize) {
        self.seat.1.count_bytes(bytes);
    }

    /// Waits until everybody has to leave, or this reader.
    pub async fn over(&mut self) {
        loop {
            let closed = self.seat.1.take_change().and_then(|change| change.close);
            if closed.is_some() {
                return self.seat.1.leave(Left::Closed);
            }
            if self.hub().read().last.is_some() {
                return self.seat.1.leave(Left::Shutdown);
            }
            if self.wake.changed().await.is_err() {
                return;
            }
        }
    }

    /// The last words of a daemon that shuts down.
    pub fn farewell(&self) -> Option<Bytes> {
        let state = self.hub().read();
        let last = state.last?;
        state.ring.after(last - 1).next().and_then(|entry| entry.bytes(Format::Named))
    }
}
