//! For tests: an AK server that answers from a script, over streams within the process.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::dial::{Dial, Stream};
use crate::ak::{AkRequest, Decoder, frame};

/// What becomes of one question.
#[derive(Debug, Clone)]
pub enum Fate {
    /// These bytes instead of the answer.
    Bytes(Vec<u8>),
    /// The answer after that time.
    Late(Duration),
    /// The answer in pieces, with line noise before it.
    Pieces,
    /// The answer, and once more after that time.
    Twice(Duration),
    /// The first half of the answer, and nothing more.
    Half,
    /// No answer, ever.
    Silence,
    /// No answer to what was carried out all the same.
    Lost,
    /// The connection is closed in place of an answer.
    Close,
    /// So it is, but what was ordered is carried out.
    CloseAndObey,
}

type Device = Box<dyn FnMut(&AkRequest) -> String + Send>;

struct FakeShared {
    device: Device,
    fates: BTreeMap<String, VecDeque<Fate>>,
    asked: Vec<String>,
    connections: usize,
    dials: usize,
    unplugged: bool,
    closes_after_reply: bool,
    /// How long every answer takes.
    latency: Duration,
}

/// Clones are the same server.
#[derive(Clone)]
pub struct FakeServer(Arc<Mutex<FakeShared>>);

impl FakeServer {
    /// `device` gives the text of a reply to each request.
    pub fn new(device: impl FnMut(&AkRequest) -> String + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(FakeShared {
            device: Box::new(device),
            fates: BTreeMap::new(),
            asked: Vec::new(),
            connections: 0,
            dials: 0,
            unplugged: false,
            closes_after_reply: false,
            latency: Duration::ZERO,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, FakeShared> {
        self.0.lock().unwrap()
    }

    pub fn closing_after_reply(self) -> Self {
        self.lock().closes_after_reply = true;
        self
    }

    pub fn slow(self, latency: Duration) -> Self {
        self.lock().latency = latency;
        self
    }

    /// What becomes of the next question with that code for which nothing is set yet.
    pub fn next(&self, code: &str, fate: Fate) {
        self.lock().fates.entry(code.to_owned()).or_default().push_back(fate);
    }

    /// Without power it takes no connection and answers nothing.
    pub fn unplug(&self, unplugged: bool) {
        self.lock().unplugged = unplugged;
    }

    /// The codes and data of all questions so far.
    pub fn asked(&self) -> Vec<String> {
        self.lock().asked.clone()
    }

    pub fn count(&self, code: &str) -> usize {
        self.asked().iter().filter(|asked| asked.starts_with(code)).count()
    }

    pub fn connections(&self) -> usize {
        self.lock().connections
    }

    /// How often a connection was tried.
    pub fn dials(&self) -> usize {
        self.lock().dials
    }

    pub fn dial(&self) -> Dial {
        let server = self.clone();
        Dial::new("192.0.2.1:8888", move || {
            let server = server.clone();
            async move { server.connect() }
        })
    }

    fn connect(&self) -> io::Result<Box<dyn Stream>> {
        self.lock().dials += 1;
        if self.lock().unplugged {
            return Err(io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused"));
        }
        self.lock().connections += 1;
        let (near, far) = tokio::io::duplex(1024);
        let server = self.clone();
        tokio::spawn(async move { server.serve(far).await });
        Ok(Box::new(near))
    }

    async fn serve(&self, mut stream: DuplexStream) {
        let mut decoder = Decoder::default();
        let mut piece = [0; 256];
        while let Ok(count @ 1..) = stream.read(&mut piece).await {
            decoder.push(&piece[..count]);
            while let Some(frame) = decoder.next_frame() {
                let request = AkRequest::parse(&frame).unwrap();
                let fate = self.fate(&request);
                if matches!(fate, Some(Fate::Silence)) || self.lock().unplugged {
                    continue;
                }
                if matches!(fate, Some(Fate::Close)) || !self.answer(&request, fate, &mut stream).await {
                    return;
                }
            }
        }
    }

    fn fate(&self, request: &AkRequest) -> Option<Fate> {
        let mut shared = self.lock();
        shared.asked.push(format!("{} {}", request.code, request.data).trim().to_owned());
        shared.fates.get_mut(&request.code).and_then(VecDeque::pop_front)
    }

    /// `false` if the connection is over.
    async fn answer(&self, request: &AkRequest, fate: Option<Fate>, stream: &mut DuplexStream) -> bool {
        let latency = if let Some(Fate::Late(time)) = fate { time } else { self.lock().latency };
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        let reply = frame::encode(&(self.lock().device)(request));
        let sent = match fate {
            Some(Fate::Lost) => return true,
            Some(Fate::CloseAndObey) => return false,
            Some(Fate::Half) => return stream.write_all(&reply[..reply.len() / 2]).await.is_ok(),
            Some(Fate::Twice(pause)) => send_twice(&reply, pause, stream).await,
            Some(Fate::Bytes(bytes)) => stream.write_all(&bytes).await,
            Some(Fate::Pieces) => send_pieces(&reply, stream).await,
            _ => stream.write_all(&reply).await,
        };
        sent.is_ok() && !self.lock().closes_after_reply
    }
}

async fn send_twice(reply: &[u8], pause: Duration, stream: &mut DuplexStream) -> io::Result<()> {
    stream.write_all(reply).await?;
    tokio::time::sleep(pause).await;
    stream.write_all(reply).await
}

async fn send_pieces(reply: &[u8], stream: &mut DuplexStream) -> io::Result<()> {
    stream.write_all(b"\0~ ASTS 9\r\n\x02 AST").await?;
    for byte in reply {
        stream.write_all(&[*byte]).await?;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stream.write_all(b"\r\n").await
}
