//! Bytes of an event stream -> frames, after the WHATWG rules. Incremental: how the bytes are cut changes nothing.
//!
//! What a peer can make it keep is bounded: a line or an event that is too large is an error, and the last word.

use std::mem;
use std::time::Duration;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// One event as it was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SseFrame {
    /// `message` where none was named.
    pub event: String,
    pub data: String,
    /// Only if this frame brought one.
    pub id: Option<String>,
}

impl SseFrame {
    /// As it goes over the wire.
    pub fn wire(&self) -> String {
        let mut text = String::new();
        if let Some(id) = &self.id {
            text += &format!("id: {id}\n");
        }
        text += &format!("event: {}\n", self.event);
        for line in self.data.split('\n') {
            text += &format!("data: {line}\n");
        }
        text + "\n"
    }
}

/// The most bytes that are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameLimits {
    /// Of one line, without its end.
    pub line: usize,
    /// Of the data of one event.
    pub event: usize,
}

impl Default for FrameLimits {
    /// Far above what gaserad sends: a full snapshot has some ten thousand bytes.
    fn default() -> Self {
        Self { line: 1024 * 1024, event: 4 * 1024 * 1024 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooLarge {
    #[error("a line of the event stream is longer than {0} bytes")]
    Line(usize),
    #[error("an event of the stream has more than {0} bytes of data")]
    Event(usize),
}

#[derive(Debug, Default)]
pub struct Parser {
    limits: FrameLimits,
    /// After this nothing is taken any more.
    failed: Option<TooLarge>,
    /// The line that is not complete yet.
    line: Vec<u8>,
    /// The last byte was a CR: an LF that follows belongs to it.
    after_cr: bool,
    past_first_line: bool,
    event: String,
    data: String,
    id: Option<String>,
    last_id: String,
    retry: Option<Duration>,
}

impl Parser {
    /// A parser for a new connection that goes on after the event `last_id`.
    pub fn resuming(last_id: impl Into<String>) -> Self {
        Self { last_id: last_id.into(), ..Self::default() }
    }

    pub fn with_limits(limits: FrameLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// The id to resume after; empty if there was none yet.
    pub fn last_id(&self) -> &str {
        &self.last_id
    }

    /// How long the server asks to wait before connecting again.
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }

    /// Takes what has come in, and adds the events that are complete with it to `frames`; also those before an error.
    pub fn feed(&mut self, bytes: &[u8], frames: &mut Vec<SseFrame>) -> Result<(), TooLarge> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        let fed = self.take(bytes, frames);
        self.failed = fed.err();
        fed
    }

    fn take(&mut self, mut bytes: &[u8], frames: &mut Vec<SseFrame>) -> Result<(), TooLarge> {
        while !bytes.is_empty() {
            if mem::take(&mut self.after_cr) && bytes[0] == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let (part, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
            if self.line.len() + part.len() > self.limits.line {
                return Err(TooLarge::Line(self.limits.line));
            }
            self.line.extend_from_slice(part);
            let Some((end, rest)) = rest.split_first() else { break };
            self.after_cr = *end == b'\r';
            frames.extend(self.end_line()?);
            bytes = rest;
        }
        Ok(())
    }

    fn end_line(&mut self) -> Result<Option<SseFrame>, TooLarge> {
        let mut bytes = mem::take(&mut self.line);
        let first = !mem::replace(&mut self.past_first_line, true);
        let line = if first { bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes) } else { &bytes };
        let frame = if line.is_empty() {
            self.dispatch()
        } else {
            let line = String::from_utf8_lossy(line);
            let (field, value) = line.split_once(':').unwrap_or((&line, ""));
            self.field(field, value.strip_prefix(' ').unwrap_or(value))?;
            None
        };
        bytes.clear();
        self.line = bytes;
        Ok(frame)
    }

    fn field(&mut self, field: &str, value: &str) -> Result<(), TooLarge> {
        match field {
            "event" => value.clone_into(&mut self.event),
            "data" => {
                if self.data.len() + value.len() >= self.limits.event {
                    return Err(TooLarge::Event(self.limits.event));
                }
                self.data += value;
                self.data.push('\n');
            }
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.retry = value.parse().ok().map(Duration::from_millis).or(self.retry);
            }
            // Comments have no field name; fields of later versions are not for us.
            _ => {}
        }
        Ok(())
    }

    fn dispatch(&mut self) -> Option<SseFrame> {
        let id = self.id.take();
        if let Some(id) = &id {
            id.clone_into(&mut self.last_id);
        }
        let event = mem::take(&mut self.event);
        let mut data = mem::take(&mut self.data);
        // The last line break is not part of the data; without any there was no data field at all.
        data.pop()?;
        let event = if event.is_empty() { "message".to_owned() } else { event };
        Some(SseFrame { event, data, id })
    }
}

#[cfg(test)]
mod tests;
