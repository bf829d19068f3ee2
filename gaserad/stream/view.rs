//! What a reader sees of the hub from where it stands.
//!
//! Two readers with equal views at equal places get equal bytes, so they can share them.

use bytes::Bytes;

use super::hub::{HubState, MergedSlot};
use super::{Filter, Format, frame};

/// The most bytes that are handed out in one go. One reader that does not read may keep so many.
const MOST: usize = 48 * 1024;

/// What a reader wants to see, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    pub format: Format,
    pub filter: Filter,
}

impl View {
    /// What breaks a silence. A line of JSON cannot be a comment; there the heartbeat has to do.
    pub fn keep_alive(&self) -> Option<Bytes> {
        (self.format != Format::Lines).then_some(frame::KEEP_ALIVE)
    }
}

/// How far a reader has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViewPlace {
    /// The last event that was passed, sent or filtered out.
    pub(super) position: u64,
    pub(super) seen: SeenEvents,
}

/// Generations of the conflated things.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct SeenEvents {
    pub progress: u64,
    pub merged: u64,
    pub devices: u64,
    pub heartbeat: u64,
    pub test: u64,
}

/// What there is for a reader.
pub enum Look {
    News {
        frames: Vec<Bytes>,
        place: ViewPlace,
        /// Whether that is all there is.
        all: bool,
    },
    /// The next event is not in the ring.
    Behind,
    Nothing(ViewPlace),
    Ended,
}

impl HubState {
    /// Where a reader stands that has everything.
    pub fn end(&self) -> ViewPlace {
        let seen = SeenEvents {
            progress: self.progress.generation,
            merged: self.merged.generation,
            devices: self.merged.devices,
            heartbeat: self.heartbeat.generation,
            test: self.test.generation,
        };
        ViewPlace { position: self.ring.newest(), seen }
    }

    /// What there is for a reader at this place.
    pub fn look(&self, view: &View, mut place: ViewPlace) -> Look {
        if place.position < self.ring.complete_after() {
            if view.format != Format::Merged {
                return Look::Behind;
            }
            // A merged message makes those before it obsolete.
            place.position = self.ring.complete_after();
        }
        let (mut frames, mut size) = (Vec::new(), 0);
        for entry in self.ring.after(place.position) {
            let bytes = if view.filter.passes(&entry.event) { entry.bytes(view.format) } else { None };
            size += bytes.as_ref().map_or(0, Bytes::len);
            if size > MOST && !frames.is_empty() {
                return Look::News { frames, place, all: false };
            }
            place.position = entry.event.seq;
            frames.extend(bytes);
        }
        frames.extend(self.look_at_latest(view, &mut place.seen));
        match frames.is_empty() {
            false => Look::News { frames, place, all: self.last.is_none() },
            true if self.last.is_some_and(|last| last <= place.position) => Look::Ended,
            true => Look::Nothing(place),
        }
    }

    fn look_at_latest(&self, view: &View, seen: &mut SeenEvents) -> Vec<Bytes> {
        if view.format == Format::Merged {
            return seen.look_merged(&self.merged).into_iter().collect();
        }
        let (filter, format) = (&view.filter, view.format);
        let progress = renew(&mut seen.progress, self.progress.generation) && filter.passes_progress(self.run.as_ref());
        let heartbeat = renew(&mut seen.heartbeat, self.heartbeat.generation);
        let test = renew(&mut seen.test, self.test.generation) && filter.passes_test(self.test_for);
        let mut frames = Vec::new();
        frames.extend(progress.then(|| self.progress.bytes(format)));
        frames.extend(heartbeat.then(|| self.heartbeat.bytes(format)));
        frames.extend(test.then(|| self.test.bytes(format)));
        if format == Format::Both {
            frames.extend(seen.look_merged(&self.merged));
        }
        frames
    }
}

impl ViewPlace {
    /// How many progress ticks were replaced by newer ones on the way from `before`.
    pub(super) fn conflated_since(&self, before: &Self) -> u64 {
        let passed = |new: u64, old: u64| if old == 0 { 0 } else { new.saturating_sub(old + 1) };
        passed(self.seen.progress, before.seen.progress)
    }
}

impl SeenEvents {
    fn look_merged(&mut self, slot: &MergedSlot) -> Option<Bytes> {
        let (news, devices) = (renew(&mut self.merged, slot.generation), renew(&mut self.devices, slot.devices));
        news.then(|| if devices { slot.with_devices.clone() } else { slot.plain.clone() })
    }
}

/// Takes note of a generation; whether it is a new one.
fn renew(seen: &mut u64, generation: u64) -> bool {
    std::mem::replace(seen, generation) != generation
}
