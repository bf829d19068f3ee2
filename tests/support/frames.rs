//! A reader of event streams that shares nothing with those of the project: bytes of an HTTP/1 answer to events.

/// One event as it came.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Frame {
    pub id: Option<u64>,
    pub kind: String,
    pub data: String,
}

/// Events out of the lines of a stream.
#[derive(Default)]
pub struct Frames(Frame);

impl Frames {
    /// An event, if this line ends one.
    pub fn line(&mut self, line: &str) -> Option<Frame> {
        if line.is_empty() {
            return Some(std::mem::take(&mut self.0)).filter(|frame| !frame.data.is_empty());
        }
        match line.split_once(": ").unwrap_or((line, "")) {
            ("id", id) => self.0.id = Some(id.parse().expect(line)),
            ("event", kind) => kind.clone_into(&mut self.0.kind),
            ("data", data) if self.0.data.is_empty() => data.clone_into(&mut self.0.data),
            ("data", data) => self.0.data += &format!("\n{data}"),
            ("" | ":" | "retry", _) => {}
            _ => panic!("{line:?} is no line of an event stream"),
        }
        None
    }
}

/// Events out of the bytes of an answer, in pieces as they come.
#[derive(Default)]
pub struct Answer {
    pub status: Option<u16>,
    chunked: bool,
    /// Bytes that were not read yet.
    raw: Vec<u8>,
    /// The body so far, without the part that was read.
    body: Vec<u8>,
    frames: Frames,
}

impl Answer {
    /// The events that are complete with these bytes.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Frame> {
        self.raw.extend_from_slice(bytes);
        if self.status.is_none() {
            self.head();
        }
        if self.status.is_some() {
            if self.chunked { while self.chunk() {} } else { self.body.append(&mut self.raw) }
        }
        let whole = self.body.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let lines: Vec<u8> = self.body.drain(..whole).collect();
        let lines = std::str::from_utf8(&lines).unwrap().split_terminator('\n');
        lines.filter_map(|line| self.frames.line(line)).collect()
    }

    fn head(&mut self) {
        let Some(end) = find(&self.raw, b"\r\n\r\n") else { return };
        let head: Vec<u8> = self.raw.drain(..end + 4).collect();
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        self.status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        assert!(self.status.is_some(), "{head}");
        self.chunked = head.contains("transfer-encoding: chunked");
    }

    /// Takes one whole chunk, if there is one.
    fn chunk(&mut self) -> bool {
        let Some(line) = find(&self.raw, b"\r\n") else { return false };
        let size = std::str::from_utf8(&self.raw[..line]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap_or_else(|_| panic!("{size:?} is no length of a chunk"));
        let (begin, end) = (line + 2, line + 2 + size);
        if self.raw.len() < end + 2 {
            return false;
        }
        assert_eq!(&self.raw[end..end + 2], b"\r\n", "a chunk is longer than it says");
        self.body.extend_from_slice(&self.raw[begin..end]);
        self.raw.drain(..end + 2);
        size > 0
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[test]
fn an_answer_is_read_the_same_however_it_is_cut() {
    let text = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1b\r\nid: 7\nevent: a\ndata: {}\n\n:\n\r\n9\r\ndata: x\n\n\r\n0\r\n\r\n";
    let whole = Answer::default().feed(text);
    assert_eq!(whole.iter().map(|frame| frame.id).collect::<Vec<_>>(), [Some(7), None]);
    for cut in 0..text.len() {
        let mut answer = Answer::default();
        let mut parts = answer.feed(&text[..cut]);
        parts.extend(answer.feed(&text[cut..]));
        assert_eq!(parts, whole, "cut at {cut}");
    }
}
