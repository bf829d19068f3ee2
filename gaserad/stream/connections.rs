//! Who follows the stream: what others may know of a reader, and what they may do to it.
//!
//! A reader finds out by itself that it was changed; nobody reaches into its place in the stream.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::figures::Left;
use super::{Filter, Format};
use crate::domain::Utc;

/// Where a reader comes from, as far as it tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    pub peer: String,
    /// Who may choose what is in the stream; not told to others.
    pub owner: String,
    pub agent: String,
    /// The cookie that it was opened with, if it was one; not told to anybody.
    pub session: Option<String>,
}

/// What a reader is to do differently.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectionChange {
    pub filter: Option<Filter>,
    /// Go on after this event.
    pub last_event_id: Option<u64>,
    /// End, and say why.
    pub close: Option<String>,
}

/// One reader.
#[derive(Debug)]
pub struct Connection {
    pub id: u64,
    origin: Origin,
    since: Utc,
    format: Format,
    filter: Mutex<Filter>,
    change: Mutex<Option<ConnectionChange>>,
    changed: AtomicBool,
    position: AtomicU64,
    bytes: AtomicU64,
    gaps: AtomicU64,
    /// Microseconds since the epoch.
    active: AtomicU64,
    left: Mutex<Option<Left>>,
}

impl Connection {
    pub fn new(id: u64, origin: Origin, since: Utc, format: Format, filter: Filter, position: u64) -> Self {
        Self {
            id,
            origin,
            since,
            format,
            filter: Mutex::new(filter),
            change: Mutex::default(),
            changed: AtomicBool::new(false),
            position: AtomicU64::new(position),
            bytes: AtomicU64::new(0),
            gaps: AtomicU64::new(0),
            active: AtomicU64::new(u64::try_from(since.as_micros()).unwrap_or_default()),
            left: Mutex::default(),
        }
    }

    /// Asks the reader to do something differently; a later wish adds to one that it has not seen yet.
    pub fn change(&self, change: ConnectionChange) {
        if let Some(filter) = &change.filter {
            *lock(&self.filter) = filter.clone();
        }
        let mut pending = lock(&self.change);
        let before = pending.take().unwrap_or_default();
        *pending = Some(ConnectionChange {
            filter: change.filter.or(before.filter),
            last_event_id: change.last_event_id.or(before.last_event_id),
            close: before.close.or(change.close),
        });
        self.changed.store(true, Ordering::Release);
    }

    pub fn is_changed(&self) -> bool {
        self.changed.load(Ordering::Acquire)
    }

    /// What the reader is to do differently, once.
    pub fn take_change(&self) -> Option<ConnectionChange> {
        self.changed.swap(false, Ordering::AcqRel).then(|| lock(&self.change).take())?
    }

    pub fn move_to(&self, position: u64, at: u64) {
        self.position.store(position, Ordering::Relaxed);
        self.active.store(at, Ordering::Relaxed);
    }

    pub fn count_bytes(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub fn count_gap(&self) {
        self.gaps.fetch_add(1, Ordering::Relaxed);
    }

    /// Says why the reader leaves; the first reason counts.
    pub fn leave(&self, why: Left) {
        lock(&self.left).get_or_insert(why);
    }

    pub fn left(&self) -> Left {
        lock(&self.left).unwrap_or(Left::Peer)
    }

    pub fn is_of_session(&self, session: &str) -> bool {
        self.origin.session.as_deref() == Some(session)
    }

    pub fn owner(&self) -> &str {
        &self.origin.owner
    }

    pub fn filter(&self) -> Filter {
        lock(&self.filter).clone()
    }

    /// How many events the reader has not been given yet.
    pub fn behind(&self, newest: u64) -> u64 {
        newest.saturating_sub(self.position.load(Ordering::Relaxed))
    }

    pub fn describe(&self, newest: u64) -> Value {
        let filter = self.filter();
        let active = i64::try_from(self.active.load(Ordering::Relaxed)).unwrap_or_default();
        json!({
            "connection_id": self.id.to_string(),
            "peer": self.origin.peer,
            "user_agent": self.origin.agent,
            "format": self.format.as_str(),
            "connected_at": self.since.as_seconds(),
            "last_activity": Utc::from_micros(active).as_seconds(),
            "last_event_id": self.position.load(Ordering::Relaxed),
            "queue_len": self.behind(newest),
            "bytes_sent": self.bytes.load(Ordering::Relaxed),
            "gaps": self.gaps.load(Ordering::Relaxed),
            "subscriptions": filter.types(),
            "run_filter": filter.run(),
            "channel_filter": filter.channels(),
        })
    }
}

/// All readers.
#[derive(Debug, Default)]
pub struct Connections {
    all: Mutex<BTreeMap<u64, Arc<Connection>>>,
    /// Counts the changes, so that one look tells whether there were any.
    changes: AtomicU64,
}

impl Connections {
    pub fn enter(&self, connection: Arc<Connection>) {
        lock(&self.all).insert(connection.id, connection);
    }

    pub fn leave(&self, id: u64) {
        lock(&self.all).remove(&id);
    }

    pub fn find(&self, id: u64) -> Option<Arc<Connection>> {
        lock(&self.all).get(&id).cloned()
    }

    pub fn all(&self) -> Vec<Arc<Connection>> {
        lock(&self.all).values().cloned().collect()
    }

    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Whether there is such a reader, which was told then.
    pub fn change(&self, id: u64, change: ConnectionChange) -> bool {
        let Some(connection) = self.find(id) else { return false };
        connection.change(change);
        self.changes.fetch_add(1, Ordering::AcqRel);
        true
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_add_up_until_the_reader_sees_them_once() {
        let connections = Connections::default();
        let new = Connection::new(7, Origin::default(), Utc::default(), Format::Named, Filter::default(), 4);
        connections.enter(Arc::new(new));
        assert!(!connections.change(8, ConnectionChange::default()));
        let filter = Filter::parse(Some("phase"), None, None).unwrap();
        assert!(
            connections.change(7, ConnectionChange { filter: Some(filter.clone()), ..ConnectionChange::default() })
        );
        assert!(connections.change(7, ConnectionChange { last_event_id: Some(2), ..ConnectionChange::default() }));
        assert_eq!(connections.changes(), 2);
        let connection = connections.find(7).unwrap();
        assert!(connection.is_changed());
        let seen = connection.take_change();
        assert_eq!(seen, Some(ConnectionChange { filter: Some(filter), last_event_id: Some(2), close: None }));
        assert_eq!((connection.take_change(), connection.is_changed()), (None, false));
        let told = connection.describe(6);
        assert_eq!((&told["queue_len"], &told["subscriptions"]), (&json!(2), &json!(["phase"])));
    }
}
