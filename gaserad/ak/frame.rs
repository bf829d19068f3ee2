//! Bytes <-> frames. What a frame says is for `command` and `reply`.

use std::collections::VecDeque;

const STX: u8 = 0x02;
const ETX: u8 = 0x03;
/// The longest replies known are a few kilobytes; what is longer has lost its end.
const LONGEST: usize = 64 * 1024;

/// What stood between a start and an end, without the blanks around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub text: String,
}

impl Frame {
    /// The four-letter code, and the text behind it with its byte after STX gone, whatever that byte was.
    pub(super) fn split(&self) -> Option<(&str, &str)> {
        let (first, rest) = next_word(&self.text);
        if let Some(code) = code_in(first) {
            return Some((code, rest));
        }
        // The byte after STX stands alone, as a blank would.
        let (second, rest) = next_word(rest);
        let alone = first.chars().count() == 1;
        code_in(second).filter(|_| alone && second.len() == CODE).map(|code| (code, rest))
    }
}

const CODE: usize = 4;

/// The last four letters of a word of four or five.
fn code_in(word: &str) -> Option<&str> {
    let length = word.chars().count();
    let skipped = word.chars().next().filter(|_| length == CODE + 1).map_or(0, char::len_utf8);
    let code = &word[skipped..];
    let shaped = code.bytes().all(|byte| byte.is_ascii_alphanumeric()) || code == "????";
    (code.len() == CODE && shaped).then_some(code)
}

fn next_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()))
}

/// Finds frames in bytes, however they come in.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The bytes since the last start.
    open: Option<Vec<u8>>,
    ready: VecDeque<Frame>,
}

impl Decoder {
    pub fn push(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match (*byte, &mut self.open) {
                // A start within a frame: the frame before it has lost its end.
                (STX, _) => self.open = Some(Vec::new()),
                (ETX, _) => self.close(),
                (byte, Some(text)) if text.len() < LONGEST => text.push(byte),
                (_, Some(_)) => self.open = None,
                (_, None) => {}
            }
        }
    }

    pub fn next_frame(&mut self) -> Option<Frame> {
        self.ready.pop_front()
    }

    /// Whether nothing waits to be taken and no frame has begun.
    pub fn is_between_frames(&self) -> bool {
        self.open.is_none() && self.ready.is_empty()
    }

    /// A frame with nothing in it is no frame.
    fn close(&mut self) {
        let text = self.open.take().unwrap_or_default();
        let text = String::from_utf8_lossy(&text).trim().to_owned();
        if !text.is_empty() {
            self.ready.push_back(Frame { text });
        }
    }
}

/// Wraps a text in start, blank and end.
pub fn encode(text: &str) -> Vec<u8> {
    let mut bytes = vec![STX, b' '];
    bytes.extend(text.bytes().filter(|byte| !matches!(*byte, STX | ETX)));
    bytes.push(ETX);
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(bytes: &[u8]) -> Vec<String> {
        let mut decoder = Decoder::default();
        decoder.push(bytes);
        std::iter::from_fn(|| decoder.next_frame()).map(|frame| frame.text).collect()
    }

    fn split(text: &str) -> Option<(String, String)> {
        let frame = Frame { text: text.into() };
        frame.split().map(|(code, rest)| (code.to_owned(), rest.trim().to_owned()))
    }

    #[test]
    fn bytes_around_frames_are_skipped() {
        assert_eq!(texts(b"~#\r\n ASTS 9\x02 ASTS 0 2\x03\r\nrest\x03\x02 AMST 0 1 \x03"), ["ASTS 0 2", "AMST 0 1"]);
    }

    #[test]
    fn the_last_start_before_an_end_counts() {
        assert_eq!(texts(b"\x02 ACON 0 17\x02 ASTS 0 5\x03"), ["ASTS 0 5"]);
    }

    #[test]
    fn an_empty_frame_is_none() {
        assert!(texts(b"\x02\x03\x02  \x03\x03").is_empty());
    }

    #[test]
    fn a_frame_without_an_end_does_not_fill_the_memory() {
        let mut decoder = Decoder::default();
        decoder.push(b"\x02");
        decoder.push(&vec![b'x'; LONGEST + 1]);
        assert!(decoder.open.is_none());
        decoder.push(b"\x03\x02 ASTS 0 2\x03");
        assert_eq!(decoder.next_frame(), Some(Frame { text: "ASTS 0 2".into() }));
        assert_eq!(decoder.next_frame(), None);
    }

    #[test]
    fn any_byte_may_stand_before_the_code() {
        let expected = Some(("ASTS".to_owned(), "0 2".to_owned()));
        for text in ["ASTS 0 2", "0ASTS  0 2", "\u{fffd}ASTS 0 2", "x ASTS 0 2", "  ASTS\r\n0 2"] {
            assert_eq!(split(text), expected, "{text:?}");
        }
        for text in ["", "AS 0 2", "xxASTS 0 2", "xx ASTS 0 2", "0 1ASTS 0"] {
            assert_eq!(split(text), None, "{text:?}");
        }
    }

    #[test]
    fn encoding_keeps_a_text_from_ending_its_own_frame() {
        assert_eq!(encode("ASTS 0 2"), b"\x02 ASTS 0 2\x03");
        assert_eq!(encode("AS\x03TS\x02 0"), b"\x02 ASTS 0\x03");
    }

    proptest! {
        #[test]
        fn where_bytes_are_split_does_not_matter(
            bytes in prop::collection::vec(prop_oneof![Just(STX), Just(ETX), any::<u8>()], 0..200),
            cut in 0_usize..200,
        ) {
            let (head, tail) = bytes.split_at(cut.min(bytes.len()));
            let mut decoder = Decoder::default();
            decoder.push(head);
            decoder.push(tail);
            let pieces: Vec<String> = std::iter::from_fn(|| decoder.next_frame()).map(|frame| frame.text).collect();
            prop_assert_eq!(pieces, texts(&bytes));
        }

        #[test]
        fn what_is_encoded_is_decoded(text in "[ -~]{0,80}[!-~]") {
            prop_assert_eq!(texts(&encode(&text)), [text.trim()]);
        }
    }
}
