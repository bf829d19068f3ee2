//! Where the valve verifiably stood, from when to when, and for which visit.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::exchange::Exchange;
use crate::domain::{Channel, Position, Tick, Verification, VisitId};

/// One visit as the timeline knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stay {
    pub visit: VisitId,
    pub channel: Channel,
    /// 1-based.
    pub repeat: u32,
    pub arrived: Tick,
    /// When the purge was over.
    pub measured_from: Option<Tick>,
    /// When the run was paused.
    pub paused_from: Option<Tick>,
}

impl Stay {
    pub const fn new(visit: VisitId, channel: Channel, repeat: u32, arrived: Tick) -> Self {
        Self { visit, channel, repeat, arrived, measured_from: None, paused_from: None }
    }

    /// Whether the exchange began after the purge. The plan only guesses how long a purge must be, so the poll at
    /// which the exchange was first seen decides, if the one before it was not long ago; the position, in contrast, must
    /// hold for the widest window.
    pub fn covers(&self, exchange: &Exchange) -> bool {
        let seen = exchange.began_before.min(exchange.began_after + Self::SHARP);
        self.measured_from.is_some_and(|from| seen >= from) && !self.is_paused_in(exchange)
    }

    /// How far a beginning that was seen is from one that was missed.
    const SHARP: Duration = Duration::from_secs(6);

    pub fn is_paused_in(&self, exchange: &Exchange) -> bool {
        self.paused_from.is_some_and(|from| exchange.began_before > from)
    }
}

/// What the valve did during a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    /// It verifiably stood on one channel all the time.
    Steady { channel: Channel, verification: Verification, stay: Option<Stay> },
    /// It moved from one known channel to another, or was on its way.
    Moved,
    /// At some moment nothing is known of where it stood.
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    from: Tick,
    position: Position,
    stay: Option<Stay>,
}

/// Confirmed positions in order. Before the first one nothing is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    entries: VecDeque<Entry>,
}

impl Timeline {
    /// Results come at most a few iterations late: older entries can no longer be asked for.
    const REMEMBERED: usize = 256;

    /// From `at` on the valve is here. A position that only repeats the last one changes nothing.
    pub fn position(&mut self, at: Tick, position: Position) {
        if self.entries.back().is_some_and(|entry| entry.position == position) {
            return;
        }
        self.push(Entry { from: at, position, stay: None });
    }

    fn push(&mut self, entry: Entry) {
        self.entries.push_back(entry);
        if self.entries.len() > Self::REMEMBERED {
            self.entries.pop_front();
        }
    }

    /// The valve was last seen at `since`, and was elsewhere or gone when it was looked at again: what was taken for
    /// known after that, up to an order that may be under way, is not.
    pub fn unseen_since(&mut self, since: Tick) {
        let Some(known) = self.entries.iter().rposition(|entry| entry.position.channel().is_some()) else { return };
        let from = self.entries[known].from.max(since);
        if self.entries.get(known + 1).is_none_or(|next| from < next.from) {
            self.entries.insert(known + 1, Entry { from, position: Position::Unknown, stay: None });
        }
    }

    /// The position that holds now is where a visit begins.
    pub fn arrive(&mut self, stay: Stay) {
        if let Some(entry) = self.entries.back_mut() {
            entry.stay = Some(stay);
        }
    }

    /// The visit goes on from `at`, as if it had begun now; what it was before remains as it was.
    pub fn renew(&mut self, at: Tick, stay: Stay) {
        let Some(position) = self.entries.back().map(|entry| entry.position) else { return };
        self.push(Entry { from: at, position, stay: Some(stay) });
    }

    /// The run is paused: what is drawn from now on is not measured for it.
    pub fn pause(&mut self, at: Tick) {
        if let Some(stay) = self.entries.back_mut().and_then(|entry| entry.stay.as_mut()) {
            stay.paused_from = Some(at);
        }
    }

    /// The purge of the visit under way is over.
    pub fn measure_from(&mut self, at: Tick) {
        if let Some(stay) = self.entries.back_mut().and_then(|entry| entry.stay.as_mut()) {
            stay.measured_from = Some(at);
        }
    }

    /// The visit under way.
    pub fn stay(&self) -> Option<Stay> {
        self.entries.back().and_then(|entry| entry.stay)
    }

    pub fn during(&self, from: Tick, to: Tick) -> Holding {
        let first = self.entries.partition_point(|entry| entry.from <= from).checked_sub(1);
        let Some(first) = first else { return Holding::Unknown };
        // What begins just when the span ends comes after it: the valve is sent on at the very look that ends an exchange.
        let mut held = self.entries.iter().skip(first).take_while(|entry| entry.from < to || entry.from <= from);
        let Some(start) = held.next() else { return Holding::Unknown };
        let rest: Vec<&Entry> = held.collect();
        if std::iter::once(start).chain(rest.iter().copied()).any(|entry| entry.position == Position::Unknown) {
            return Holding::Unknown;
        }
        let steady = rest.iter().all(|entry| entry.position == start.position);
        match start.position {
            Position::At(_, Verification::None) if steady => Holding::Unknown,
            Position::At(channel, verification) if steady => {
                Holding::Steady { channel, verification, stay: start.stay }
            }
            Position::At(..) | Position::Moving | Position::Unknown => Holding::Moved,
        }
    }
}
