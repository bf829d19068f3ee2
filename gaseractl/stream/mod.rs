//! The daemon's event stream: subscribed once, read until it is dropped, across broken connections.
//!
//! [`parser`] turns bytes into frames, [`reconnect`] keeps the connection; here frames get their meaning.

pub mod parser;
pub mod reconnect;

use gasera::domain::{Event, ProgressTick, Status};
use serde::Deserialize;
use serde_json::Value;

use parser::Frame;

/// A frame, and what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    pub frame: Frame,
    /// The payload; `null` if it is not JSON.
    pub data: Value,
    pub said: Said,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    Snapshot(Box<Status>),
    Progress(Box<Tick>),
    Event(Box<Event>),
    /// Events are missing.
    Gap,
    /// `connected`, `heartbeat`, and what later versions say.
    Other,
}

/// How far the run is right now, and when that was told.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Tick {
    pub timestamp: f64,
    #[serde(flatten)]
    pub told: ProgressTick,
}

impl Notice {
    pub fn new(frame: Frame) -> Self {
        let data = serde_json::from_str(&frame.data).unwrap_or_default();
        let said = Said::of(&frame, &data).unwrap_or(Said::Other);
        Self { frame, data, said }
    }

    /// The event's number, where it has one.
    pub fn seq(&self) -> Option<u64> {
        self.frame.id.as_ref()?.parse().ok()
    }

    /// Whether it was told before, and only shows how things stand: the snapshot says all that still matters of it.
    pub fn is_old(&self) -> bool {
        self.data.get("sticky") == Some(&Value::Bool(true))
    }

    /// When it was published, seconds since the epoch.
    pub fn timestamp(&self) -> Option<f64> {
        self.data.get("timestamp")?.as_f64()
    }

    /// The channel it is about, where it is about one.
    pub fn channel(&self) -> Option<u64> {
        self.data.get("channel")?.as_u64()
    }
}

impl Said {
    /// `None` for what this version cannot read: it is passed on as it is.
    fn of(frame: &Frame, data: &Value) -> Option<Self> {
        let name = frame.event.as_str();
        match name {
            _ if data["sticky"] == true => Some(Self::Other),
            "snapshot" => Some(Self::Snapshot(Box::new(Status::deserialize(data).ok()?))),
            "progress" => Some(Self::Progress(Box::new(Tick::deserialize(data).ok()?))),
            "gap" => Some(Self::Gap),
            _ if Event::NAMES.contains(&name) => Some(Self::Event(Box::new(Event::parse(name, &frame.data).ok()?))),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use gasera::domain::Utc;

    use super::*;

    fn notice(event: &str, data: &str) -> Notice {
        Notice::new(Frame { event: event.into(), data: data.into(), id: Some("41".into()) })
    }

    #[test]
    fn events_are_read_as_the_domain_writes_them() {
        let event = Event::SystemShutdown { reason: "service stopped".into(), restart_expected_s: Some(5.0) };
        let notice = notice(event.name(), &event.payload(Utc::from_micros(2_500_000)).to_string());
        assert_eq!(notice.said, Said::Event(Box::new(event)));
        assert_eq!((notice.seq(), notice.timestamp()), (Some(41), Some(2.5)));
    }

    #[test]
    fn a_tick_is_read_as_the_daemon_writes_it() {
        let mut status = Status::default();
        (status.waiting_for, status.progress.elapsed_seconds) = ("the end of the purge".into(), 12.5);
        let mut data = serde_json::to_value(ProgressTick::of(&status)).unwrap();
        data["timestamp"] = 1.5.into();
        let said = notice("progress", &data.to_string()).said;
        assert_eq!(said, Said::Progress(Box::new(Tick { timestamp: 1.5, told: ProgressTick::of(&status) })));
    }

    #[test]
    fn what_is_not_understood_is_kept() {
        for (event, data) in [("future", "{}"), ("phase", "{}"), ("snapshot", "no json"), ("heartbeat", "{}")] {
            assert_eq!(notice(event, data).said, Said::Other, "{event}");
        }
    }
}
