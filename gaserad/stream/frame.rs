//! Events as bytes on the wire.

use std::borrow::Cow;
use std::fmt::Write as _;

use bytes::Bytes;

use super::Format;

/// How long a browser waits before it connects again, milliseconds.
const RETRY_MS: u32 = 2000;

pub const KEEP_ALIVE: Bytes = Bytes::from_static(b": keep-alive\n\n");

/// A frame in one of the formats that name their events.
pub fn render(format: Format, id: Option<u64>, name: &str, data: &str) -> Bytes {
    match format {
        Format::Lines => line(id, name, data),
        Format::Named | Format::Merged => named(id, name, data),
    }
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
}
