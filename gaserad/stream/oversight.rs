//! What can be known of the stream and done to its readers from outside.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};

use super::connections::{Connection, ConnectionChange};
use super::{Filter, Hub, filter};
use crate::domain::event::LiveData;
use crate::domain::{Event, Qc, Tick};

/// How many connections the figures list; all of them are listed elsewhere.
const LISTED: usize = 100;

/// The counts that a page of metrics shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Counts {
    pub clients: usize,
    pub opened: u64,
    pub published: u64,
    pub conflated: u64,
    pub gaps: u64,
    pub replays: u64,
    pub refused: u64,
    pub bytes: u64,
    pub left: BTreeMap<&'static str, u64>,
    /// The median, and where 95 and 99 of 100 are within, milliseconds.
    pub latency_ms: [Option<f64>; 3],
    pub behind_most: u64,
}

impl Hub {
    /// Everything that is counted, but for what the process itself knows.
    pub fn stats(&self) -> Value {
        let counts = self.counts();
        let all = self.connections.all();
        let second = self.second();
        let (newest, recent, per_minute) = {
            let mut state = self.write();
            let newest = state.ring.newest();
            (newest, newest - state.ring.complete_after(), state.events.per_minute(second))
        };
        let uptime = self.uptime().as_secs_f64();
        let listed: Vec<Value> = all.iter().take(LISTED).map(|connection| connection.describe(newest)).collect();
        let [p50, p95, p99] = counts.latency_ms;
        json!({
            "timestamp": self.clock.now().utc.as_seconds(),
            "uptime_seconds": uptime,
            "active_clients": counts.clients,
            "sse_connections": counts.clients,
            "max_connections": self.settings().max_connections,
            "total_connections": counts.opened,
            "refused_total": counts.refused,
            "total_events_broadcast": counts.published,
            "last_event_id": newest,
            "recent_events_count": recent,
            "events_per_s": f64::from(per_minute) / uptime.clamp(1.0, 60.0),
            "subscription_counts": subscriptions(&all),
            "message_queue_size": all.iter().map(|connection| connection.behind(newest)).sum::<u64>(),
            "queue_depth_max": counts.behind_most,
            "queue_capacity": self.settings().ring,
            "conflated_total": counts.conflated,
            "gaps_total": counts.gaps,
            "replays_total": counts.replays,
            "disconnects_total": counts.left,
            "delivered_bytes_total": counts.bytes,
            "publish_latency_ms": { "p50": p50, "p95": p95, "p99": p99 },
            "errors_per_min": self.figures.rare(second).1,
            "connections": listed,
            "connections_left_off": all.len().saturating_sub(LISTED),
        })
    }

    pub fn counts(&self) -> Counts {
        let figures = &self.figures;
        let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let newest = self.seq();
        Counts {
            clients: self.clients(),
            opened: count(&figures.opened),
            published: count(&figures.published),
            conflated: count(&figures.conflated),
            gaps: count(&figures.gaps),
            replays: count(&figures.replays),
            refused: count(&figures.refused),
            bytes: count(&figures.delivered_bytes),
            left: figures.rare(self.second()).0,
            latency_ms: [50, 95, 99].map(|hundredths| figures.latency.percentile(hundredths)),
            behind_most: self.connections.all().iter().map(|reader| reader.behind(newest)).max().unwrap_or_default(),
        }
    }

    /// Everybody who follows the stream.
    pub fn list(&self) -> Vec<Value> {
        let newest = self.seq();
        self.connections.all().iter().map(|connection| connection.describe(newest)).collect()
    }

    pub fn find_connection(&self, id: u64) -> Option<Arc<Connection>> {
        self.connections.find(id)
    }

    /// Lets a reader see other things, or go on elsewhere; whether there is such a reader.
    pub fn change(&self, id: u64, change: ConnectionChange) -> bool {
        let found = self.connections.change(id, change);
        if found {
            self.wake();
        }
        found
    }

    /// Ends all streams that were opened with a cookie.
    pub fn end_session(&self, session: &str, why: &str) {
        for reader in self.connections.all().iter().filter(|reader| reader.is_of_session(session)) {
            self.change(reader.id, ConnectionChange { close: Some(why.into()), ..ConnectionChange::default() });
        }
    }

    /// Sends everybody who would get an event of type `stands_for` one that is a trial and is not kept.
    pub fn publish_test(&self, stands_for: &'static str, message: &str, who: &str) -> Value {
        let data = json!({
            "timestamp": self.clock.now().utc.as_seconds(),
            "test": true,
            "event_type": stands_for,
            "message": message,
            "who": who,
        });
        let mut state = self.write();
        state.test_for = stands_for;
        state.test.set(filter::TEST, &data);
        drop(state);
        self.wake();
        data
    }

    /// The newest result of each channel, of those that are known to be of its gas.
    pub fn latest_results(&self) -> BTreeMap<u8, LiveData> {
        let events = self.read().sticky.up_to(u64::MAX);
        let results = events.into_iter().filter(|event| event.name == "live_data");
        let parsed = results.filter_map(|event| match Event::parse(&event.name, &event.data) {
            Ok(Event::LiveData(data)) => Some((event.channel?, data)),
            _ => None,
        });
        parsed.collect()
    }

    /// Results since the start, by channel (0 if of none) and quality.
    pub fn samples(&self) -> BTreeMap<(u8, Qc), u64> {
        self.read().samples.clone()
    }

    /// The type of that name, if it can be named in a filter.
    pub fn event_type(name: &str) -> Option<&'static str> {
        Filter::names().find(|known| *known == name)
    }

    /// How many changes were made to readers, ever.
    pub fn changes(&self) -> u64 {
        self.connections.changes()
    }

    /// Notes how long it took until everybody had what was published last. `timed` is what was timed before.
    pub fn time_delivery(&self, timed: &mut u64) {
        let published = self.published.load(Ordering::Acquire);
        if std::mem::replace(timed, published) != published {
            let took = self.clock.now().tick.since(Tick::from_micros(published));
            self.figures.latency.record(self.clock.outside(took));
        }
    }

    /// The seconds of the world that have passed since the start.
    pub(super) fn second(&self) -> u64 {
        self.uptime().as_secs()
    }

    fn uptime(&self) -> Duration {
        self.clock.outside(self.clock.now().tick.since(self.started))
    }

    /// Remembers the time, for readers to whom something is written now; gives the tick.
    pub(super) fn note_time(&self) -> u64 {
        let now = self.clock.now();
        self.now.store(u64::try_from(now.utc.as_micros()).unwrap_or_default(), Ordering::Relaxed);
        now.tick.as_micros()
    }
}

/// How many want each type.
fn subscriptions(all: &[Arc<Connection>]) -> BTreeMap<&'static str, usize> {
    let mut counts: BTreeMap<_, _> = Filter::names().map(|name| (name, 0)).collect();
    for connection in all {
        let types = connection.filter().types();
        let wanted: Vec<_> = if types.is_empty() { Filter::names().collect() } else { types };
        for name in wanted {
            *counts.entry(name).or_default() += 1;
        }
    }
    counts
}
