//! What readers with equal views share: the view, and the bytes that were last put together for it.

use std::sync::Arc;

use bytes::Bytes;

use super::chunk;
use crate::stream::{Cursor, Hub, Look, View, ViewPlace};

/// What there is for a reader.
#[derive(Clone)]
pub enum Found {
    News { bytes: Bytes, place: ViewPlace, all: bool },
    Behind,
    Nothing(ViewPlace),
    Ended,
}

struct Group {
    view: Arc<View>,
    readers: usize,
    /// What was found for those that stand at a place.
    last: Option<(ViewPlace, Found)>,
    keep_alive: Option<Bytes>,
}

/// The groups of readers with equal views. There are few of them; one that is empty is taken by the next view.
#[derive(Default)]
pub struct Shared {
    groups: Vec<Group>,
}

impl Shared {
    pub fn enter(&mut self, cursor: &mut Cursor) -> usize {
        let equal = self.groups.iter().position(|group| group.readers > 0 && group.view == *cursor.view());
        let index = equal.or_else(|| self.groups.iter().position(|group| group.readers == 0));
        let index = index.unwrap_or(self.groups.len());
        if equal.is_none() {
            let view = cursor.view().clone();
            let keep_alive = view.keep_alive().map(|comment| chunk::of(&[comment]));
            let group = Group { view, readers: 0, last: None, keep_alive };
            match self.groups.get_mut(index) {
                Some(empty) => *empty = group,
                None => self.groups.push(group),
            }
        }
        let group = &mut self.groups[index];
        group.readers += 1;
        cursor.share(group.view.clone());
        index
    }

    pub fn leave(&mut self, index: usize) {
        self.groups[index].readers -= 1;
    }

    /// There may be more now than what was found last.
    pub fn forget(&mut self) {
        self.groups.iter_mut().for_each(|group| group.last = None);
    }

    pub fn look(&mut self, hub: &Hub, index: usize, place: ViewPlace) -> Found {
        let group = &mut self.groups[index];
        if let Some((from, found)) = &group.last
            && *from == place
        {
            return found.clone();
        }
        let found = match hub.look(&group.view, place) {
            Look::News { frames, place, all } => Found::News { bytes: chunk::of(&frames), place, all },
            Look::Behind => Found::Behind,
            Look::Nothing(place) => Found::Nothing(place),
            Look::Ended => Found::Ended,
        };
        group.last = Some((place, found.clone()));
        found
    }

    pub fn keep_alive(&self, index: usize) -> Option<Bytes> {
        self.groups[index].keep_alive.clone()
    }
}
