//! The latest events, rendered, without a hole between them.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::{Format, frame};
use crate::domain::{Published, Qc};

/// One event with its renderings; readers share them.
pub struct RingEntry {
    pub event: Published,
    /// Of a result, its channel (0 if of none) and quality.
    pub sample: Option<(u8, Qc)>,
    named: Bytes,
    line: OnceLock<Bytes>,
    envelope: OnceLock<Bytes>,
    both: OnceLock<Bytes>,
    /// Only of what the merged messages tell of an event.
    merged: Option<Bytes>,
}

impl RingEntry {
    pub fn new(event: Published, merged: Option<Bytes>) -> Self {
        let named = frame::named(Some(event.seq), &event.name, &event.data);
        Self {
            event,
            sample: None,
            named,
            line: OnceLock::new(),
            envelope: OnceLock::new(),
            both: OnceLock::new(),
            merged,
        }
    }

    pub fn with_sample(self, sample: Option<(u8, Qc)>) -> Self {
        Self { sample, ..self }
    }

    pub fn bytes(&self, format: Format) -> Option<Bytes> {
        match format {
            Format::Named => Some(self.named.clone()),
            Format::Merged => self.merged.clone(),
            Format::Lines => Some(self.once(&self.line, format)),
            Format::Envelope => Some(self.once(&self.envelope, format)),
            Format::Both => Some(self.both.get_or_init(|| self.both()).clone()),
        }
    }

    fn once(&self, cell: &OnceLock<Bytes>, format: Format) -> Bytes {
        let Published { seq, name, data, .. } = &self.event;
        cell.get_or_init(|| frame::render(format, Some(*seq), name, data)).clone()
    }

    fn both(&self) -> Bytes {
        self.merged.as_ref().map_or_else(|| self.named.clone(), |merged| [&self.named[..], merged].concat().into())
    }
}

pub struct Ring {
    entries: VecDeque<Arc<RingEntry>>,
    capacity: usize,
    /// The newest event there is, in the ring or not.
    newest: u64,
}

impl Ring {
    pub fn new(capacity: usize, newest: u64) -> Self {
        Self { entries: VecDeque::with_capacity(capacity), capacity: capacity.max(1), newest }
    }

    pub fn newest(&self) -> u64 {
        self.newest
    }

    /// Everything after this one is in the ring.
    pub fn complete_after(&self) -> u64 {
        self.entries.front().map_or(self.newest, |entry| entry.event.seq - 1)
    }

    /// Keeps an event that comes after all others.
    pub fn push(&mut self, entry: RingEntry) {
        if entry.event.seq <= self.newest {
            return;
        }
        if entry.event.seq != self.newest + 1 {
            self.entries.clear();
        }
        if self.entries.len() == self.capacity {
            self.entries.pop_front();
        }
        self.newest = entry.event.seq;
        self.entries.push_back(Arc::new(entry));
    }

    /// The events after `seq`, which must not lie before the ring.
    pub fn after(&self, seq: u64) -> impl Iterator<Item = &Arc<RingEntry>> {
        let skipped = usize::try_from(seq.saturating_sub(self.complete_after())).unwrap_or(usize::MAX);
        self.entries.range(skipped.min(self.entries.len())..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: u64) -> RingEntry {
        RingEntry::new(Published { seq, name: "phase".into(), run: None, channel: None, data: "{}".into() }, None)
    }

    fn seqs(ring: &Ring, after: u64) -> Vec<u64> {
        ring.after(after).map(|entry| entry.event.seq).collect()
    }

    #[test]
    fn the_oldest_event_makes_room() {
        let mut ring = Ring::new(3, 10);
        assert_eq!(ring.complete_after(), 10);
        (11..=15).for_each(|seq| ring.push(entry(seq)));
        assert_eq!((ring.complete_after(), ring.newest()), (12, 15));
        assert_eq!(seqs(&ring, 12), [13, 14, 15]);
        assert_eq!(seqs(&ring, 14), [15]);
        assert_eq!(seqs(&ring, 20), [0; 0]);
    }

    #[test]
    fn an_event_is_kept_once_and_a_hole_is_not_papered_over() {
        let mut ring = Ring::new(8, 0);
        ring.push(entry(1));
        ring.push(entry(1));
        assert_eq!(seqs(&ring, 0), [1]);
        ring.push(entry(5));
        assert_eq!((ring.complete_after(), seqs(&ring, 4)), (4, vec![5]));
    }
}
