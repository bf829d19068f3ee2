//! The process that reads: many connections in one loop, every event counted and timed.

use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream as Blocking};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::event;
use crate::warden;

const REQUEST: &[u8] = b"GET /events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n";
/// How long after the last event somebody is still waited for.
const PATIENCE: Duration = Duration::from_secs(8);
const TURN: Duration = Duration::from_millis(1);

struct Reader {
    stream: TcpStream,
    /// A mark of which a part is still to come.
    rest: Vec<u8>,
    /// The last event's number.
    seq: u64,
}

struct Load {
    poll: Poll,
    readers: Vec<Reader>,
    stalled: Vec<Blocking>,
    buffer: Vec<u8>,
    /// Microseconds, of every delivery.
    times: Vec<u32>,
    lost: u64,
    closed: u64,
}

pub fn run() -> io::Result<()> {
    warden::pin(1);
    let (sender, orders): (Sender<String>, Receiver<String>) = channel();
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    let mut load = Load {
        poll: Poll::new()?,
        readers: Vec::new(),
        stalled: Vec::new(),
        buffer: vec![0; 256 * 1024],
        times: Vec::new(),
        lost: 0,
        closed: 0,
    };
    for order in &orders {
        let words: Vec<&str> = order.split(' ').collect();
        match words.as_slice() {
            ["connect", address, readers] => load.connect(address, readers)?,
            ["stall", address, readers] => load.stall(address, readers)?,
            ["collect"] => load.collect(&orders)?,
            _ => {}
        }
    }
    Ok(())
}

fn count(text: &str) -> io::Result<usize> {
    text.parse().map_err(io::Error::other)
}

impl Load {
    /// From now on so many readers stall; those that did before are gone.
    fn stall(&mut self, address: &str, readers: &str) -> io::Result<()> {
        self.stalled.clear();
        let address: SocketAddr = address.parse().map_err(io::Error::other)?;
        for _ in 0..count(readers)? {
            self.stalled.push(stall(address)?);
        }
        println!("{}", self.stalled.len());
        Ok(())
    }

    fn connect(&mut self, address: &str, readers: &str) -> io::Result<()> {
        let address: SocketAddr = address.parse().map_err(io::Error::other)?;
        let begun = Instant::now();
        let streams: Vec<Blocking> =
            (0..count(readers)?).map(|_| Blocking::connect(address)).collect::<io::Result<_>>()?;
        let took = begun.elapsed();
        for (index, mut stream) in streams.into_iter().enumerate() {
            stream.write_all(REQUEST)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            self.poll.registry().register(&mut stream, Token(index), Interest::READABLE)?;
            self.readers.push(Reader { stream, rest: Vec::new(), seq: 0 });
        }
        println!("{}", took.as_micros());
        Ok(())
    }

    /// Reads until it is told how many events there were and has them all.
    fn collect(&mut self, orders: &Receiver<String>) -> io::Result<()> {
        let (mut events, mut told) = (Events::with_capacity(4096), 0);
        let (mut expected, mut last, mut ended) = (None, Instant::now(), Instant::now());
        self.times.clear();
        self.lost = 0;
        while expected.is_none_or(|expected| self.counted() < expected) {
            self.poll.poll(&mut events, Some(TURN))?;
            let now = Instant::now();
            for event in &events {
                self.read(event.token().0);
            }
            if !events.is_empty() {
                ended = Instant::now();
            }
            let read = self.counted() / self.readers.len().max(1) as u64;
            if read != told && (now - last) > TURN {
                println!("read {read}");
                (told, last) = (read, now);
            }
            if expected.is_none() {
                let order = orders.try_recv().ok();
                expected =
                    order.and_then(|order| order.parse::<u64>().ok()).map(|each| each * self.readers.len() as u64);
            } else if ended.elapsed() > PATIENCE {
                break;
            }
        }
        self.tell(expected.unwrap_or_default());
        Ok(())
    }

    fn counted(&self) -> u64 {
        self.times.len() as u64 + self.lost
    }

    fn tell(&mut self, expected: u64) {
        self.times.sort_unstable();
        let at = |part: usize| self.times.get(self.times.len() * part / 1000).copied().unwrap_or_default();
        let missing = expected.saturating_sub(self.times.len() as u64);
        println!("done {} {missing} {} {} {} {}", self.times.len(), at(500), at(990), at(999), self.closed);
    }

    fn read(&mut self, index: usize) {
        let Some(reader) = self.readers.get_mut(index) else { return };
        loop {
            match reader.stream.read(&mut self.buffer) {
                Ok(0) => self.closed += 1,
                Ok(read) => {
                    reader.take(&self.buffer[..read], &mut self.times, &mut self.lost);
                    if read == self.buffer.len() {
                        continue;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => self.closed += 1,
            }
            break;
        }
    }
}

impl Reader {
    fn take(&mut self, bytes: &[u8], times: &mut Vec<u32>, lost: &mut u64) {
        let now = event::now();
        let mut count = |mark: &[u8], seq: &mut u64| {
            let Some((at, number)) = event::read(mark) else { return };
            *lost += number.saturating_sub(*seq + 1);
            *seq = number;
            times.push(u32::try_from(now.saturating_sub(at) / 1000).unwrap_or(u32::MAX));
        };
        let mut bytes = bytes;
        if !self.rest.is_empty() {
            let (first, others) = bytes.split_at(bytes.len().min(event::LENGTH - self.rest.len()));
            self.rest.extend_from_slice(first);
            if self.rest.len() < event::LENGTH {
                return;
            }
            count(&self.rest, &mut self.seq);
            self.rest.clear();
            bytes = others;
        }
        for at in memchr::memchr_iter(event::MARK, bytes) {
            match bytes.get(at..at + event::LENGTH) {
                Some(mark) => count(mark, &mut self.seq),
                None => self.rest.extend_from_slice(&bytes[at..]),
            }
        }
    }
}

/// A reader that asks and never reads, with little room for what it does not read.
fn stall(address: SocketAddr) -> io::Result<Blocking> {
    use rustix::net::{AddressFamily, SocketType, connect, socket, sockopt};
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    sockopt::set_socket_recv_buffer_size(&socket, 4096)?;
    connect(&socket, &address)?;
    let mut stream = Blocking::from(socket);
    stream.write_all(REQUEST)?;
    Ok(stream)
}
