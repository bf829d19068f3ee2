//! Bytes of an event stream -> frames, after the WHATWG rules. Incremental: how the bytes are cut changes nothing.

use std::mem;
use std::time::Duration;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// One event as it was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frame {
    /// `message` where none was named.
    pub event: String,
    pub data: String,
    /// Only if this frame brought one.
    pub id: Option<String>,
}

impl Frame {
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

#[derive(Debug, Default)]
pub struct Parser {
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
    pub fn resuming(last_id: String) -> Self {
        Self { last_id, ..Self::default() }
    }

    /// The id to resume after; empty if there was none yet.
    pub fn last_id(&self) -> &str {
        &self.last_id
    }

    /// How long the server asks to wait before connecting again.
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }

    /// Takes what has come in and returns the events that are complete with it.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Frame> {
        let mut frames = Vec::new();
        for &byte in bytes {
            let ends_crlf = byte == b'\n' && mem::take(&mut self.after_cr);
            match byte {
                b'\n' if ends_crlf => {}
                b'\n' | b'\r' => {
                    self.after_cr = byte == b'\r';
                    frames.extend(self.end_line());
                }
                _ => {
                    self.after_cr = false;
                    self.line.push(byte);
                }
            }
        }
        frames
    }

    fn end_line(&mut self) -> Option<Frame> {
        let line = mem::take(&mut self.line);
        let first = !mem::replace(&mut self.past_first_line, true);
        let line = if first { line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&line) } else { &line };
        if line.is_empty() {
            return self.dispatch();
        }
        let line = String::from_utf8_lossy(line);
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        self.field(field, value.strip_prefix(' ').unwrap_or(value));
        None
    }

    fn field(&mut self, field: &str, value: &str) {
        match field {
            "event" => value.clone_into(&mut self.event),
            "data" => {
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
    }

    fn dispatch(&mut self) -> Option<Frame> {
        let id = self.id.take();
        if let Some(id) = &id {
            id.clone_into(&mut self.last_id);
        }
        let event = mem::take(&mut self.event);
        let mut data = mem::take(&mut self.data);
        // The last line break is not part of the data; without any there was no data field at all.
        data.pop()?;
        let event = if event.is_empty() { "message".to_owned() } else { event };
        Some(Frame { event, data, id })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Vec<Frame> {
        Parser::default().feed(text.as_bytes())
    }

    fn frame(event: &str, data: &str, id: Option<&str>) -> Frame {
        Frame { event: event.into(), data: data.into(), id: id.map(Into::into) }
    }

    #[test]
    fn an_event_has_a_name_data_and_an_id() {
        assert_eq!(parse("id: 7\nevent: phase\ndata: {}\n\n"), [frame("phase", "{}", Some("7"))]);
    }

    #[test]
    fn every_kind_of_line_end_counts_once() {
        for end in ["\n", "\r", "\r\n"] {
            let text = format!("data: a{end}{end}data: b{end}{end}");
            assert_eq!(parse(&text), [frame("message", "a", None), frame("message", "b", None)], "{end:?}");
        }
        assert_eq!(parse("data: a\r\n\ndata: b\n\r\n").len(), 2);
    }

    #[test]
    fn data_of_several_lines_is_joined() {
        assert_eq!(parse("data: YHOO\ndata: +2\ndata\ndata:10\n\n"), [frame("message", "YHOO\n+2\n\n10", None)]);
    }

    #[test]
    fn only_one_space_after_the_colon_is_dropped() {
        assert_eq!(parse("data:a\n\ndata:  a\n\n"), [frame("message", "a", None), frame("message", " a", None)]);
    }

    #[test]
    fn comments_and_unknown_fields_say_nothing() {
        assert_eq!(parse(": keep-alive\n\n:\n\nfuture: x\n\nevent: e\n\n"), []);
    }

    #[test]
    fn an_event_without_an_end_is_not_given_out() {
        assert_eq!(parse("data: a\n"), []);
    }

    #[test]
    fn an_empty_data_field_is_data() {
        assert_eq!(parse("data\n\n"), [frame("message", "", None)]);
    }

    #[test]
    fn a_byte_order_mark_is_skipped_once() {
        assert_eq!(parse("\u{feff}data: a\n\n"), [frame("message", "a", None)]);
        assert_eq!(parse("\u{feff}\u{feff}data: a\n\n"), []);
    }

    #[test]
    fn the_last_id_outlives_events_without_one() {
        let mut parser = Parser::default();
        let frames = parser.feed(b"id: 5\ndata: a\n\ndata: b\n\n");
        assert_eq!(frames[1].id, None);
        assert_eq!(parser.last_id(), "5");
        parser.feed(b"id: 6\n\n");
        assert_eq!(parser.last_id(), "6");
        parser.feed(b"id: 7\x00\ndata: c\n\n");
        assert_eq!(parser.last_id(), "6");
        parser.feed(b"id\ndata: d\n\n");
        assert_eq!(parser.last_id(), "");
    }

    #[test]
    fn an_id_counts_only_when_its_event_is_complete() {
        let mut parser = Parser::resuming("5".into());
        parser.feed(b"id: 6\ndata: a\n");
        assert_eq!(parser.last_id(), "5");
    }

    #[test]
    fn retry_takes_digits_only() {
        let mut parser = Parser::default();
        parser.feed(b"retry: 2000\n");
        assert_eq!(parser.retry(), Some(Duration::from_secs(2)));
        parser.feed(b"retry: 1.5\nretry: +1\nretry:\nretry: 99999999999999999999999\n");
        assert_eq!(parser.retry(), Some(Duration::from_secs(2)));
    }

    #[test]
    fn what_is_written_reads_back() {
        let frames = [frame("phase", "a\nb", Some("3")), frame("message", "", None)];
        let wire: String = frames.iter().map(Frame::wire).collect();
        assert_eq!(parse(&wire), frames);
    }

    proptest! {
        #[test]
        fn where_the_bytes_are_cut_changes_nothing(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "data: a", "data", "event: phase", "id: 12", "id", "retry: 3", ": c", "\n", "\r", "\r\n", "\n\n",
                "\u{feff}", "µ", "data:é\u{1F600}", "\0", ":", " ",
            ]), 0..40),
            cuts in prop::collection::vec(0_usize..400, 0..12),
        ) {
            let bytes = pieces.concat().into_bytes();
            let mut whole = Parser::default();
            let frames = whole.feed(&bytes);

            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let mut cut = Parser::default();
            let pieced: Vec<Frame> = cuts.windows(2).flat_map(|ends| cut.feed(&bytes[ends[0]..ends[1]])).collect();

            prop_assert_eq!(pieced, frames);
            prop_assert_eq!(cut.last_id(), whole.last_id());
            prop_assert_eq!(cut.retry(), whole.retry());
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            Parser::default().feed(&bytes);
        }
    }
}
