//! Bytes <-> frames. Takes bytes as they come, in any pieces, with anything between the frames.

use std::collections::VecDeque;

const STX: u8 = 0x02;
const ETX: u8 = 0x03;
/// Longer than any reply of the instrument; more is noise.
const LONGEST: usize = 64 * 1024;

/// What stood between STX and ETX, as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub text: String,
}

/// Finds the frames in a stream of bytes.
#[derive(Debug, Default)]
pub struct Decoder {
    inside: bool,
    text: Vec<u8>,
    frames: VecDeque<Frame>,
}

impl Decoder {
    pub fn push(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match *byte {
                // A frame that never ended is given up for the one that begins.
                STX => {
                    self.text.clear();
                    self.inside = true;
                }
                ETX if self.inside => {
                    self.frames.push_back(Frame { text: String::from_utf8_lossy(&self.text).into_owned() });
                    self.inside = false;
                }
                other if self.inside && self.text.len() < LONGEST => self.text.push(other),
                _ => self.inside = false,
            }
        }
    }

    pub fn next_frame(&mut self) -> Option<Frame> {
        self.frames.pop_front()
    }
}

/// The bytes of a frame with this text.
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

    fn frames(pieces: &[&[u8]]) -> Vec<String> {
        let mut decoder = Decoder::default();
        for piece in pieces {
            decoder.push(piece);
        }
        std::iter::from_fn(|| decoder.next_frame()).map(|frame| frame.text).collect()
    }

    #[test]
    fn noise_between_frames_is_skipped_and_the_last_beginning_counts() {
        assert_eq!(frames(&[b"\r\nxx\x02 AS\x02 ASTS 0 2\x03\n\x03\x02 AMST 0 1 \x03"]), [" ASTS 0 2", " AMST 0 1 "]);
    }

    #[test]
    fn what_never_ends_is_given_up() {
        let endless = vec![b'x'; LONGEST + 10];
        assert_eq!(frames(&[b"\x02", &endless, b"\x03", &encode("ASTS 0 2")]), [" ASTS 0 2"]);
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_give_the_same_frames(bytes: Vec<u8>, at in 0_usize..64) {
            let at = at.min(bytes.len());
            prop_assert_eq!(frames(&[&bytes]), frames(&[&bytes[..at], &bytes[at..]]));
        }

        #[test]
        fn what_is_encoded_is_decoded(text in "[ -~]{0,200}") {
            prop_assert_eq!(frames(&[&encode(&text)]), [format!(" {text}")]);
        }
    }
}
