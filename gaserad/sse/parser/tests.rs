//! The rules of the WHATWG for event streams, one case each, and each cut at every place.

use proptest::prelude::*;

use super::*;

/// What a stream says: events as (name, data, id), then the last id and the wait in milliseconds.
type Said = (Vec<SseFrame>, String, Option<u64>);

fn said(pieces: &[&[u8]]) -> Said {
    let mut parser = Parser::default();
    let mut frames = Vec::new();
    for piece in pieces {
        parser.feed(piece, &mut frames).unwrap();
    }
    let retry = parser.retry().map(|retry| u64::try_from(retry.as_millis()).unwrap());
    (frames, parser.last_id().to_owned(), retry)
}

fn parse(text: &str) -> Vec<SseFrame> {
    said(&[text.as_bytes()]).0
}

fn frame(event: &str, data: &str, id: Option<&str>) -> SseFrame {
    SseFrame { event: event.into(), data: data.into(), id: id.map(Into::into) }
}

/// The rule, the bytes, the events that come of it.
type Case = (&'static str, &'static [u8], &'static [(&'static str, &'static str, Option<&'static str>)]);

const CASES: &[Case] = &[
    ("name, data and id", b"id: 7\nevent: phase\ndata: {}\n\n", &[("phase", "{}", Some("7"))]),
    ("the order of fields is free", b"data: {}\nevent: phase\nid: 7\n\n", &[("phase", "{}", Some("7"))]),
    ("LF", b"data: a\n\ndata: b\n\n", &[("message", "a", None), ("message", "b", None)]),
    ("CR", b"data: a\r\rdata: b\r\r", &[("message", "a", None), ("message", "b", None)]),
    ("CRLF", b"data: a\r\n\r\ndata: b\r\n\r\n", &[("message", "a", None), ("message", "b", None)]),
    (
        "mixed ends",
        b"data: a\r\n\ndata: b\n\r\ndata: c\r\n\rdata: d\n\r",
        &[("message", "a", None), ("message", "b", None), ("message", "c", None), ("message", "d", None)],
    ),
    ("LF then CR are two", b"data: a\n\rdata: b\n\n", &[("message", "a", None), ("message", "b", None)]),
    ("a byte order mark is skipped", b"\xEF\xBB\xBFdata: a\n\n", &[("message", "a", None)]),
    ("only the first", b"\xEF\xBB\xBF\xEF\xBB\xBFdata: a\n\n", &[]),
    ("not in the middle", b"data: a\n\n\xEF\xBB\xBFdata: b\n\n", &[("message", "a", None)]),
    ("it may be within data", b"data: \xEF\xBB\xBFa\n\n", &[("message", "\u{feff}a", None)]),
    ("half of one is none", b"\xEF\xBBdata: a\n\ndata: b\n\n", &[("message", "b", None)]),
    ("alone", b"\xEF\xBB\xBF\n\n", &[]),
    ("lines of data are joined", b"data: YHOO\ndata: +2\ndata: 10\n\n", &[("message", "YHOO\n+2\n10", None)]),
    (
        "empty lines of data count",
        b"data\n\ndata\ndata\n\ndata:\n\n",
        &[("message", "", None), ("message", "\n", None), ("message", "", None)],
    ),
    ("data at both ends", b"data:\ndata: a\ndata:\n\n", &[("message", "\na\n", None)]),
    (
        "one space is dropped",
        b"data:a\n\ndata: a\n\ndata:  a\n\ndata: \n\n",
        &[("message", "a", None), ("message", "a", None), ("message", " a", None), ("message", "", None)],
    ),
    ("a tab is not", b"data:\ta\n\n", &[("message", "\ta", None)]),
    ("colons within", b"data: a:b: c\n\n", &[("message", "a:b: c", None)]),
    ("comments", b": keep-alive\n\n:\n\n:data: a\ndata: b\n: c\n\n", &[("message", "b", None)]),
    ("unknown fields", b"future: x\ndatax: y\nDATA: z\n data: w\ndata : v\n\n", &[]),
    ("an event without data", b"event: e\n\ndata: a\n\n", &[("message", "a", None)]),
    ("the last name counts", b"event: a\nevent: b\ndata: x\n\n", &[("b", "x", None)]),
    ("an empty name is none", b"event: a\nevent\ndata: x\n\n", &[("message", "x", None)]),
    ("a name is of one event", b"event: a\ndata: x\n\ndata: y\n\n", &[("a", "x", None), ("message", "y", None)]),
    ("an end without an empty line", b"data: a\n\ndata: b\n", &[("message", "a", None)]),
    ("an end within a line", b"data: a\n\ndata: b", &[("message", "a", None)]),
    ("the last line break may be a CR", b"data: a\r\n\r", &[("message", "a", None)]),
    ("NUL in data stays", b"data: a\0b\n\n", &[("message", "a\0b", None)]),
    ("NUL in an id drops it", b"id: 1\0\ndata: a\n\n", &[("message", "a", None)]),
    ("an empty id", b"id\ndata: a\n\nid:\ndata: b\n\n", &[("message", "a", Some("")), ("message", "b", Some(""))]),
    ("letters in an id", b"id: run-\xC3\xA9\ndata: a\n\n", &[("message", "a", Some("run-é"))]),
    ("text of many bytes", "data: µ\u{1F600}é\n\n".as_bytes(), &[("message", "µ\u{1F600}é", None)]),
    ("bytes that are no text", b"data: \xFF\xC3\n\n", &[("message", "\u{fffd}\u{fffd}", None)]),
    (
        "a letter that is cut by a line end",
        b"data: \xE2\x82\ndata: \xAC\n\n",
        &[("message", "\u{fffd}\n\u{fffd}", None)],
    ),
    ("nothing", b"", &[]),
    ("empty lines", b"\n\r\n\r\n\r\r\n", &[]),
];

#[test]
fn every_rule_holds_wherever_the_bytes_are_cut() {
    for (rule, bytes, expected) in CASES {
        let expected: Vec<SseFrame> = expected.iter().map(|(event, data, id)| frame(event, data, *id)).collect();
        let whole = said(&[bytes]);
        assert_eq!(whole.0, expected, "{rule}");
        for at in 0..=bytes.len() {
            let (head, tail) = bytes.split_at(at);
            assert_eq!(said(&[head, tail]), whole, "{rule}, cut at {at}");
            assert_eq!(said(&[head, &[], tail]), whole, "{rule}, with nothing at {at}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(said(&single), whole, "{rule}, byte by byte");
    }
}

#[test]
fn cases_that_follow_one_another_do_not_touch() {
    let all: Vec<u8> =
        CASES.iter().filter(|case| case.1.ends_with(b"\n\n")).flat_map(|(_, bytes, _)| bytes.to_vec()).collect();
    let whole = said(&[&all]);
    assert!(whole.0.len() > 30, "{whole:?}");
    for size in 1..64 {
        assert_eq!(said(&all.chunks(size).collect::<Vec<_>>()), whole, "in pieces of {size}");
    }
}

#[test]
fn the_last_id_is_that_of_the_last_complete_event_which_brought_one() {
    for (text, last) in [
        ("id: 5\ndata: a\n\ndata: b\n\n", "5"),
        ("id: 5\ndata: a\n\nid: 6\n\n", "6"),
        ("id: 5\ndata: a\n\nid: 6\ndata: b\n", "5"),
        ("id: 5\ndata: a\n\nid: 7\0\ndata: c\n\n", "5"),
        ("id: 5\nid: 7\0\ndata: c\n\n", "5"),
        ("id: 5\ndata: a\n\nid\ndata: d\n\n", ""),
        ("id:  5\n\n", " 5"),
    ] {
        assert_eq!(said(&[text.as_bytes()]).1, last, "{text:?}");
    }
    let mut resumed = Parser::resuming("41");
    resumed.feed(b"data: a\n\n", &mut Vec::new()).unwrap();
    assert_eq!(resumed.last_id(), "41");
}

#[test]
fn retry_takes_digits_only() {
    for (text, millis) in [
        ("retry: 2000\n", Some(2000)),
        ("retry:0\n", Some(0)),
        ("retry: 007\n", Some(7)),
        ("retry: 5\nretry: 6\n", Some(6)),
        (
            "retry: 5\nretry: 1.5\nretry: +1\nretry: -1\nretry:\nretry\nretry: 1 \nretry:  1\nretry: 0x1\nretry: ٣\n",
            Some(5),
        ),
        ("retry: 5\nretry: 99999999999999999999999\n", Some(5)),
        ("retry: 5", None),
        ("Retry: 5\n", None),
    ] {
        assert_eq!(said(&[text.as_bytes()]).2, millis, "{text:?}");
    }
}

#[test]
fn what_is_too_large_is_refused_and_nothing_is_taken_after_it() {
    let limits = FrameLimits { line: 12, event: 10 };
    let long = TooLarge::Line(12);
    for (text, frames, failed) in [
        ("data: 123456\n\n", 1, None),
        ("data: a\n\ndata: 1234567\n\ndata: b\n\n", 1, Some(long)),
        ("data: a\n\n: what is only a comment\n\n", 1, Some(long)),
        ("event: a name without an end", 0, Some(long)),
        ("data: 1234\ndata: 1234\n\n", 1, None),
        ("data: a\n\ndata: 1234\ndata: 12345\n\n", 1, Some(TooLarge::Event(10))),
        ("data\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\n", 0, Some(TooLarge::Event(10))),
    ] {
        for at in 0..=text.len() {
            let mut parser = Parser::with_limits(limits);
            let mut found = Vec::new();
            let (head, tail) = text.as_bytes().split_at(at);
            let fed = parser.feed(head, &mut found).and_then(|()| parser.feed(tail, &mut found));
            assert_eq!((found.len(), fed.err()), (frames, failed), "{text:?}, cut at {at}");
            assert_eq!(parser.feed(b"\n\ndata: c\n\n", &mut found).err(), failed, "{text:?}");
        }
    }
    assert_eq!(long.to_string(), "a line of the event stream is longer than 12 bytes");
}

#[test]
fn what_is_written_reads_back() {
    let frames = [frame("phase", "a\nb", Some("3")), frame("message", "", None)];
    let wire: String = frames.iter().map(SseFrame::wire).collect();
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
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let cut: Vec<&[u8]> = cuts.windows(2).map(|ends| &bytes[ends[0]..ends[1]]).collect();
        prop_assert_eq!(said(&cut), said(&[&bytes]));
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400), size in 1_usize..20) {
        prop_assert_eq!(said(&bytes.chunks(size).collect::<Vec<_>>()), said(&[&bytes]));
    }
}
