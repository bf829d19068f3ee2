//! The daemon's event stream: subscribed once, read until it is dropped, across broken connections.
//!
//! [`gasera::sse`] turns bytes into frames, [`reconnect`] keeps the connection; here frames get their meaning.

mod place;
mod query;
pub mod reconnect;

use std::time::Duration;

use gasera::domain::{Event, ProgressTick, Status};
pub use gasera::sse::SseFrame;
use serde::Deserialize;
use serde_json::Value;

/// A frame, and what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    pub frame: SseFrame,
    /// The payload; `null` if it is not JSON.
    pub data: Value,
    pub said: SaidByStream,
}

#[derive(Debug, Clone, PartialEq)]
pub enum SaidByStream {
    Snapshot(Box<Status>),
    Progress(Box<StreamTick>),
    Event(Box<Event>),
    /// Events are missing.
    Gap,
    /// `connected`, `heartbeat`, and what later versions say.
    Other,
}

/// How far the run is right now, and when that was told.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct StreamTick {
    pub timestamp: f64,
    #[serde(flatten)]
    pub told: ProgressTick,
}

impl Notice {
    /// Refuses what gaserad of no version says: data that is not JSON, or an id that is not a number.
    pub fn read(frame: SseFrame) -> Result<Self, String> {
        let notice = Self::new(frame);
        let frame = &notice.frame;
        if notice.data.is_null() {
            return Err(format!("the data of {:?} is not JSON: {:?}", frame.event, beginning(&frame.data)));
        }
        match &frame.id {
            Some(id) if notice.seq().is_none() => {
                Err(format!("the id of {:?} is not a number: {:?}", frame.event, beginning(id)))
            }
            _ => Ok(notice),
        }
    }

    pub fn new(frame: SseFrame) -> Self {
        let data = serde_json::from_str(&frame.data).unwrap_or_default();
        let said = SaidByStream::of(&frame, &data).unwrap_or(SaidByStream::Other);
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

    /// How long the restart takes that it announces.
    pub fn restart(&self) -> Option<Duration> {
        let seconds = || self.data.get("restart_expected_s")?.as_f64();
        let expected = (self.frame.event == "system.shutdown").then(seconds)??;
        Duration::try_from_secs_f64(expected).ok()
    }

    /// The channel it is about, where it is about one.
    pub fn channel(&self) -> Option<u64> {
        self.data.get("channel")?.as_u64()
    }
}

/// As much of it as fits into a sentence.
fn beginning(text: &str) -> String {
    const MOST: usize = 40;
    if text.chars().count() <= MOST { text.to_owned() } else { text.chars().take(MOST).chain(['…']).collect() }
}

impl SaidByStream {
    /// `None` for what this version cannot read: it is passed on as it is.
    fn of(frame: &SseFrame, data: &Value) -> Option<Self> {
        let name = frame.event.as_str();
        match name {
            _ if data["sticky"] == true => Some(Self::Other),
            "snapshot" => Some(Self::Snapshot(Box::new(Status::deserialize(data).ok()?))),
            "progress" => Some(Self::Progress(Box::new(StreamTick::deserialize(data).ok()?))),
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
        Notice::new(SseFrame { event: event.into(), data: data.into(), id: Some("41".into()) })
    }

    #[test]
    fn events_are_read_as_the_domain_writes_them() {
        let event = Event::SystemShutdown { reason: "service stopped".into(), restart_expected_s: Some(5.0) };
        let notice = notice(event.name(), &event.payload(Utc::from_micros(2_500_000)).to_string());
        assert_eq!(notice.said, SaidByStream::Event(Box::new(event)));
        assert_eq!((notice.seq(), notice.timestamp()), (Some(41), Some(2.5)));
    }

    #[test]
    fn a_tick_is_read_as_the_daemon_writes_it() {
        let mut status = Status::default();
        (status.waiting_for, status.progress.elapsed_seconds) = ("the end of the purge".into(), 12.5);
        let mut data = serde_json::to_value(ProgressTick::of(&status)).unwrap();
        data["timestamp"] = 1.5.into();
        let said = notice("progress", &data.to_string()).said;
        assert_eq!(
            said,
            SaidByStream::Progress(Box::new(StreamTick { timestamp: 1.5, told: ProgressTick::of(&status) }))
        );
    }

    #[test]
    fn what_no_daemon_says_is_refused() {
        let read = |data: &str, id: &str| {
            Notice::read(SseFrame { event: "phase".into(), data: data.into(), id: Some(id.into()) }).map(drop)
        };
        assert_eq!(read("{}", "41"), Ok(()));
        assert_eq!(read("{\"a\":", "41"), Err("the data of \"phase\" is not JSON: \"{\\\"a\\\":\"".into()));
        assert_eq!(read("{}", "x1"), Err("the id of \"phase\" is not a number: \"x1\"".into()));
        assert!(read(&"x".repeat(5000), "1").unwrap_err().len() < 200);
    }

    #[test]
    fn a_shutdown_may_say_how_long_it_takes() {
        let told = |event: &str, data: &str| notice(event, data).restart();
        assert_eq!(told("system.shutdown", r#"{"restart_expected_s":2.5}"#), Some(Duration::from_millis(2500)));
        assert_eq!(told("phase", r#"{"restart_expected_s":2.5}"#), None);
        for data in ["{}", r#"{"restart_expected_s":null}"#, r#"{"restart_expected_s":-1}"#] {
            assert_eq!(told("system.shutdown", data), None, "{data}");
        }
    }

    #[test]
    fn what_is_not_understood_is_kept() {
        for (event, data) in [("future", "{}"), ("phase", "{}"), ("snapshot", "no json"), ("heartbeat", "{}")] {
            assert_eq!(notice(event, data).said, SaidByStream::Other, "{event}");
        }
    }
}
