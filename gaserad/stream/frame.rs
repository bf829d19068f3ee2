//! Events as bytes on the wire.

use std::borrow::Cow;
use std::fmt::Write as _;

use bytes::Bytes;
use serde_json::{Value, json};

use super::Format;
use crate::domain::Utc;

/// How long a browser waits before it connects again, milliseconds.
const RETRY_MS: u32 = 2000;

pub const KEEP_ALIVE: Bytes = Bytes::from_static(b": keep-alive\n\n");

/// What envelopes name as their origin.
const SOURCE: &str = "gaserad";

/// A frame in one of the formats that tell single events.
pub fn render(format: Format, id: Option<u64>, name: &str, data: &str) -> Bytes {
    match format {
        Format::Lines => line(id, name, data),
        Format::Envelope => envelope(id, name, data),
        Format::Named | Format::Merged | Format::Both => named(id, name, data),
    }
}

/// The first frame of a stream, which also says how long to wait before the next attempt.
pub fn begin(format: Format, name: &str, data: &str) -> Bytes {
    match format {
        Format::Lines => line(None, name, data),
        Format::Envelope => [format!("retry: {RETRY_MS}\n").as_bytes(), &envelope(None, name, data)].concat().into(),
        Format::Named | Format::Merged | Format::Both => greeting(name, data),
    }
}

/// Tells a browser when to come back; no event comes of it.
pub fn come_back_in(milliseconds: u32) -> Bytes {
    format!("retry: {milliseconds}\n\n").into()
}

pub fn named(id: Option<u64>, name: &str, data: &str) -> Bytes {
    let mut text = String::with_capacity(data.len() + name.len() + 48);
    if let Some(id) = id {
        let _ = writeln!(text, "id: {id}");
    }
    let _ = write!(text, "event: {name}\ndata: {}\n\n", one_line(data));
    text.into()
}

/// The frame that begins a stream of server-sent events.
pub fn greeting(name: &str, data: &str) -> Bytes {
    format!("retry: {RETRY_MS}\nevent: {name}\ndata: {}\n\n", one_line(data)).into()
}

pub fn line(id: Option<u64>, name: &str, data: &str) -> Bytes {
    let data = one_line(data);
    match id {
        Some(id) => format!("{{\"id\":{id},\"type\":\"{name}\",\"data\":{data}}}\n").into(),
        None => format!("{{\"type\":\"{name}\",\"data\":{data}}}\n").into(),
    }
}

/// An unnamed message that says by itself what it is.
pub fn envelope(id: Option<u64>, name: &str, data: &str) -> Bytes {
    let data: Value = serde_json::from_str(data).unwrap_or_default();
    let seconds = data["timestamp"].as_f64().unwrap_or_default();
    let run = data.get("run_id").or_else(|| data.get("run")?.get("id")).cloned().unwrap_or_default();
    let time = moment(seconds);
    let object = json!({
        "id": id,
        "type": name,
        "timestamp": seconds,
        "timestamp_ms": time.as_micros().div_euclid(1000),
        "time": time.to_string(),
        "source": SOURCE,
        "run_id": run,
        "data": data,
    });
    let id = id.map_or_else(String::new, |id| format!("id: {id}\n"));
    format!("{id}data: {object}\n\n").into()
}

/// Seconds since the epoch as they stand in payloads, back to what they were made of.
#[expect(clippy::cast_possible_truncation, reason = "microseconds since the epoch fit until the year 2255")]
fn moment(seconds: f64) -> Utc {
    Utc::from_micros((seconds * 1e6).round() as i64)
}

/// An unnamed message and the comment that follows it.
pub fn message(data: &str) -> Bytes {
    format!("data: {}\n\n:\n\n", one_line(data)).into()
}

/// Line ends in JSON are white space between its parts; in a frame they would end the data.
fn one_line(data: &str) -> Cow<'_, str> {
    if data.contains(['\n', '\r']) { data.replace(['\n', '\r'], " ").into() } else { data.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_carries_its_id_its_name_and_one_line_of_data() {
        assert_eq!(named(Some(7), "phase", "{\n}"), "id: 7\nevent: phase\ndata: { }\n\n");
        assert_eq!(named(None, "progress", "{}"), "event: progress\ndata: {}\n\n");
        assert_eq!(greeting("connected", "{}"), "retry: 2000\nevent: connected\ndata: {}\n\n");
        assert_eq!(line(Some(7), "phase", "{}"), "{\"id\":7,\"type\":\"phase\",\"data\":{}}\n");
        assert_eq!(message("{}"), "data: {}\n\n:\n\n");
    }

    #[test]
    fn an_envelope_carries_every_spelling_of_its_time_and_its_run() {
        let text = envelope(Some(7), "phase", r#"{"run_id":"A","timestamp":1768464192.25}"#);
        let text = std::str::from_utf8(&text).unwrap();
        let data = text.strip_prefix("id: 7\ndata: ").unwrap().strip_suffix("\n\n").unwrap();
        let data: Value = serde_json::from_str(data).unwrap();
        let expected = json!({
            "id": 7, "type": "phase", "timestamp": 1_768_464_192.25, "timestamp_ms": 1_768_464_192_250_u64,
            "time": "2026-01-15T08:03:12.250Z", "source": "gaserad", "run_id": "A",
            "data": { "run_id": "A", "timestamp": 1_768_464_192.25 },
        });
        assert_eq!(data, expected);
        let started = envelope(None, "run.started", r#"{"run":{"id":"B"},"timestamp":1.0}"#);
        assert!(started.starts_with(b"data: ") && String::from_utf8_lossy(&started).contains(r#""run_id":"B""#));
        let first = begin(Format::Envelope, "connected", "{}");
        assert!(first.starts_with(b"retry: 2000\ndata: {"));
    }
}
