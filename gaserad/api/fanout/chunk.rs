//! Pieces of an HTTP/1.1 body of which the length is not known.

use std::fmt::Write as _;

use bytes::{Bytes, BytesMut};

/// What ends a body.
pub const LAST: &[u8] = b"0\r\n\r\n";

/// All frames as one chunk; there must be some.
pub fn of(frames: &[Bytes]) -> Bytes {
    let mut text = BytesMut::new();
    append(&mut text, frames);
    text.freeze()
}

/// A chunk without anything in it would end the body.
pub fn append(text: &mut BytesMut, frames: &[Bytes]) {
    let length: usize = frames.iter().map(Bytes::len).sum();
    if length == 0 {
        return;
    }
    text.reserve(length + 20);
    let _ = write!(text, "{length:x}\r\n");
    for frame in frames {
        text.extend_from_slice(frame);
    }
    text.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_together_are_one_chunk_and_no_frames_are_none() {
        assert_eq!(
            of(&[Bytes::from_static(b"0123456789"), Bytes::from_static(b"abcdef")]),
            "10\r\n0123456789abcdef\r\n"
        );
        assert_eq!(of(&[]), "");
    }
}
