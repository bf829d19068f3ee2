//! Any bytes as an event stream, cut anywhere: nothing panics, the cuts change nothing, and nothing grows past its limits.
#![no_main]

use gasera::sse::{Frame, Limits, Parser, TooLarge};
use libfuzzer_sys::fuzz_target;

/// Small enough for the fuzzer to get past.
const SMALL: Limits = Limits { line: 48, event: 64 };

#[derive(Debug, PartialEq)]
struct Parsed {
    frames: Vec<Frame>,
    last_id: String,
    retry: Option<std::time::Duration>,
    failed: Option<TooLarge>,
}

fuzz_target!(|bytes: &[u8]| {
    // The first byte says how the rest is cut.
    let Some((cut, bytes)) = bytes.split_first() else { return };
    for limits in [Limits::default(), SMALL] {
        let whole = parse(limits, &[bytes]);
        let (head, tail) = bytes.split_at(usize::from(*cut) % (bytes.len() + 1));
        assert_eq!(parse(limits, &[head, tail]), whole);
        let pieces: Vec<&[u8]> = bytes.chunks(usize::from(cut % 16) + 1).collect();
        assert_eq!(parse(limits, &pieces), whole);
        for frame in &whole.frames {
            assert!(frame.data.len() < limits.event && !frame.event.is_empty());
            again(frame);
        }
    }
});

fn parse(limits: Limits, pieces: &[&[u8]]) -> Parsed {
    let mut parser = Parser::with_limits(limits);
    let mut frames = Vec::new();
    let mut failed = None;
    for piece in pieces {
        let fed = parser.feed(piece, &mut frames);
        // What failed stays so.
        assert!(failed.is_none() || fed.err() == failed);
        failed = fed.err();
    }
    Parsed { frames, last_id: parser.last_id().to_owned(), retry: parser.retry(), failed }
}

/// An event is written so that it is read again as it was.
fn again(frame: &Frame) {
    let read = parse(Limits::default(), &[frame.wire().as_bytes()]);
    assert_eq!((&read.frames[..], read.failed), (std::slice::from_ref(frame), None));
}
