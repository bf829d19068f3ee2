//! The process that serves: it publishes when it is told, and says what that cost.

use std::io::{self, BufRead};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use crate::epoll::Epoll;
use crate::plain::Plain;
use crate::still::Ours;
use crate::warden;

/// How far publishing may be ahead of the readers, flat out.
const AHEAD: u64 = 100;
/// How long a whole round flat out may stand still before it is given up.
const STUCK: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Ours,
    Epoll,
    Axum,
}

impl Way {
    pub const ALL: [Self; 3] = [Self::Ours, Self::Epoll, Self::Axum];

    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Epoll => "epoll",
            Self::Axum => "axum",
        }
    }

    pub fn named(name: &str) -> io::Result<Self> {
        Self::ALL.into_iter().find(|way| way.name() == name).ok_or_else(|| io::Error::other("no such way"))
    }
}

/// A server that events go into.
pub trait Serving {
    fn address(&self) -> SocketAddr;
    fn publish(&self, seq: u64);
    /// Readers that are connected and answered.
    fn readers(&self) -> usize;
}

pub fn run(way: Way) -> io::Result<()> {
    warden::pin(0);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let _within = runtime.enter();
    let serving: Box<dyn Serving> = match way {
        Way::Ours => Box::new(runtime.block_on(Ours::start())?),
        Way::Axum => Box::new(Plain::start()?),
        Way::Epoll => Box::new(Epoll::start()?),
    };
    println!("{}", serving.address());
    let read = Arc::new(AtomicU64::new(0));
    let commands = listen(read.clone());
    let mut publisher = Publisher { serving, read, seq: 0, memory: 0 };
    for command in commands {
        publisher.obey(&command);
    }
    std::process::exit(0)
}

/// Lines of the standard input; those that tell how far the readers are go past the queue.
fn listen(read: Arc<AtomicU64>) -> Receiver<String> {
    let (sender, commands): (Sender<String>, _) = channel();
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            match line.strip_prefix("read ").and_then(|count| count.parse().ok()) {
                Some(count) => read.store(count, Ordering::Relaxed),
                None if sender.send(line).is_err() => break,
                None => {}
            }
        }
    });
    commands
}

struct Publisher {
    serving: Box<dyn Serving>,
    /// Events that all readers have.
    read: Arc<AtomicU64>,
    seq: u64,
    /// The most that was seen while publishing.
    memory: u64,
}

impl Publisher {
    fn obey(&mut self, command: &str) {
        let words: Vec<&str> = command.split(' ').collect();
        let number = |at: usize| words.get(at).and_then(|word| word.parse::<u64>().ok()).unwrap_or_default();
        match words.first() {
            Some(&"usage") => {}
            Some(&"paced") => self.paced(number(1), number(2)),
            Some(&"flat") => self.flat_out(Duration::from_secs(number(1))),
            _ => return,
        }
        let (cpu, memory) = (warden::cpu().as_nanos(), self.memory.max(warden::memory()));
        println!("{cpu} {memory} {} {}", self.serving.readers(), self.seq);
    }

    fn publish(&mut self) {
        self.seq += 1;
        self.serving.publish(self.seq);
    }

    fn paced(&mut self, count: u64, per_second: u64) {
        let (mut due, every) = (Instant::now(), Duration::from_secs(1) / u32::try_from(per_second.max(1)).unwrap_or(1));
        self.memory = 0;
        for _ in 0..count {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            self.publish();
            self.memory = self.memory.max(warden::memory());
            due += every;
        }
    }

    fn flat_out(&mut self, time: Duration) {
        let (begun, first) = (Instant::now(), self.seq);
        // Those of the round before are not these.
        self.read.store(0, Ordering::Relaxed);
        let (mut moved, mut last) = (begun, 0);
        while begun.elapsed() < time {
            let read = self.read.load(Ordering::Relaxed);
            if read != last {
                (moved, last) = (Instant::now(), read);
            }
            if self.seq - first < read + AHEAD {
                self.publish();
            } else if moved.elapsed() > STUCK {
                break;
            } else {
                std::thread::sleep(Duration::from_micros(200));
            }
        }
    }
}
