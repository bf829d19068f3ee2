//! What the kernel alone costs: one thread, one epoll, one write for each event and reader.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};

use crate::event;
use crate::server::Serving;

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
const LISTENER: Token = Token(usize::MAX);
const NEWS: Token = Token(usize::MAX - 1);

pub struct Epoll {
    address: SocketAddr,
    events: Sender<String>,
    waker: Waker,
    readers: Arc<AtomicUsize>,
}

impl Epoll {
    pub fn start() -> io::Result<Self> {
        let poll = Poll::new()?;
        let listener = std::net::TcpListener::from(listen()?);
        listener.set_nonblocking(true)?;
        let mut listener = TcpListener::from_std(listener);
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let (address, waker) = (listener.local_addr()?, Waker::new(poll.registry(), NEWS)?);
        let (events, news) = channel();
        let readers = Arc::new(AtomicUsize::new(0));
        let mut serving = Loop { poll, listener, readers: Vec::new(), answered: readers.clone() };
        std::thread::spawn(move || serving.run(&news));
        Ok(Self { address, events, waker, readers })
    }
}

/// The standard library's queue of 128 is too short for ten thousand that come at once.
fn listen() -> io::Result<std::os::fd::OwnedFd> {
    use rustix::net::{AddressFamily, SocketType, bind, listen, socket};
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    bind(&socket, &SocketAddr::from(([127, 0, 0, 1], 0)))?;
    listen(&socket, 4096)?;
    Ok(socket)
}

impl Serving for Epoll {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn publish(&self, seq: u64) {
        let _ = self.events.send(event::frame(seq, &event::payload(seq)));
        let _ = self.waker.wake();
    }

    fn readers(&self) -> usize {
        self.readers.load(Ordering::Relaxed)
    }
}

struct Reader {
    stream: TcpStream,
    answered: bool,
    /// What the kernel did not take yet.
    rest: Vec<u8>,
}

struct Loop {
    poll: Poll,
    listener: TcpListener,
    readers: Vec<Reader>,
    answered: Arc<AtomicUsize>,
}

impl Loop {
    fn run(&mut self, news: &Receiver<String>) {
        let mut events = Events::with_capacity(1024);
        let mut busy = false;
        loop {
            let wait = busy.then_some(Duration::ZERO);
            if self.poll.poll(&mut events, wait).is_err() {
                continue;
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.accept(),
                    NEWS => {}
                    Token(index) if event.is_writable() && self.readers[index].answered => self.readers[index].flush(),
                    Token(index) => self.answer(index),
                }
            }
            let frame = news.try_recv();
            busy = frame.is_ok();
            if let Ok(frame) = frame {
                self.readers
                    .iter_mut()
                    .filter(|reader| reader.answered)
                    .for_each(|reader| reader.write(frame.as_bytes()));
            }
        }
    }

    fn accept(&mut self) {
        while let Ok((mut stream, _)) = self.listener.accept() {
            let _ = stream.set_nodelay(true);
            let token = Token(self.readers.len());
            let _ = self.poll.registry().register(&mut stream, token, Interest::READABLE | Interest::WRITABLE);
            self.readers.push(Reader { stream, answered: false, rest: Vec::new() });
        }
    }

    fn answer(&mut self, index: usize) {
        let (reader, mut request) = (&mut self.readers[index], [0; 1024]);
        if !reader.answered && reader.stream.read(&mut request).is_ok_and(|read| read > 0) {
            reader.answered = true;
            reader.write(HEAD);
            self.answered.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Reader {
    fn write(&mut self, bytes: &[u8]) {
        if !self.rest.is_empty() {
            self.rest.extend_from_slice(bytes);
            return;
        }
        match self.stream.write(bytes) {
            Ok(written) => self.rest.extend_from_slice(&bytes[written..]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.rest.extend_from_slice(bytes),
            Err(_) => self.answered = false,
        }
    }

    fn flush(&mut self) {
        while !self.rest.is_empty() {
            match self.stream.write(&self.rest) {
                Ok(written) => drop(self.rest.drain(..written)),
                Err(_) => break,
            }
        }
    }
}
