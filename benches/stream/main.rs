//! From publishing an event to its bytes at many readers, over loopback, through the real server.
//!
//! Beside it runs what is usually written instead: a broadcast channel, and every connection serialises for itself.
//! The ratio between the two is what holds from machine to machine. One reader in ten does not read at all.

#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

mod naive;
mod ours;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::naive::Naive;
use crate::ours::Ours;

const READERS: [usize; 3] = [1, 100, 500];
pub const PACED: u64 = 200;
const PACE: Duration = Duration::from_millis(20);
pub const FLOOD: u64 = 2000;
/// How long a flood may take; the naive way loses events, so its last may never come.
const PATIENCE: Duration = Duration::from_secs(20);

fn main() -> std::io::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        println!("{:>8} {:>6} {:>9} {:>9} {:>14} {:>8}", "readers", "way", "p50 ms", "p99 ms", "deliveries/s", "lost");
        for readers in READERS {
            let naive = measure(Naive::start().await?, readers).await;
            let ours = measure(Ours::start().await?, readers).await;
            naive.print(readers, "naive");
            ours.print(readers, "hub");
            println!(
                "{readers:>8} {:>6} {:>9.2} {:>9.2} {:>14.2}",
                "ratio",
                ours.p50 / naive.p50,
                ours.p99 / naive.p99,
                ours.rate / naive.rate
            );
        }
        Ok(())
    })
}

/// A server that events go into.
pub trait Way {
    fn address(&self) -> SocketAddr;
    fn publish(&self, seq: u64);
    /// Readers that are connected.
    fn readers(&self) -> usize;
    fn stop(self);
}

struct Measured {
    p50: f64,
    p99: f64,
    rate: f64,
    lost: u64,
}

impl Measured {
    fn print(&self, readers: usize, way: &str) {
        println!("{readers:>8} {way:>6} {:>9.3} {:>9.3} {:>14.0} {:>8}", self.p50, self.p99, self.rate, self.lost);
    }
}

type Times = Arc<Vec<OnceLock<Instant>>>;

async fn measure(way: impl Way, readers: usize) -> Measured {
    let last = PACED + FLOOD;
    let published: Times = Arc::new((0..=last).map(|_| OnceLock::new()).collect());
    let stopping = Arc::new(AtomicBool::new(false));
    let mut sleeping = Vec::new();
    for _ in 0..readers.div_ceil(10) {
        sleeping.push(connect(way.address(), true).await);
    }
    let mut reading = JoinSet::new();
    for _ in 0..readers {
        let stream = connect(way.address(), false).await;
        reading.spawn(read(stream, published.clone(), stopping.clone()));
    }
    while way.readers() < readers + sleeping.len() {
        tokio::time::sleep(PACE).await;
    }
    for seq in 1..=PACED {
        let _ = published[slot(seq)].set(Instant::now());
        way.publish(seq);
        tokio::time::sleep(PACE).await;
    }
    let begun = Instant::now();
    for seq in PACED + 1..=last {
        let _ = published[slot(seq)].set(Instant::now());
        way.publish(seq);
        if seq % 100 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let found = gather(reading, &stopping).await;
    way.stop();
    found.measured(begun, readers as u64 * last)
}

fn slot(seq: u64) -> usize {
    usize::try_from(seq).unwrap_or_default()
}

#[derive(Default)]
struct Found {
    /// Of the paced events, milliseconds.
    latencies: Vec<f64>,
    flooded: u64,
    count: u64,
    ended: Option<Instant>,
}

impl Found {
    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    fn measured(mut self, begun: Instant, expected: u64) -> Measured {
        self.latencies.sort_by(f64::total_cmp);
        let at = |part: usize| self.latencies.get(self.latencies.len() * part / 100).copied().unwrap_or(f64::NAN);
        let took = self.ended.map_or(f64::NAN, |ended| ended.duration_since(begun).as_secs_f64());
        Measured { p50: at(50), p99: at(99), rate: self.flooded as f64 / took, lost: expected - self.count }
    }
}

async fn gather(mut reading: JoinSet<Found>, stopping: &AtomicBool) -> Found {
    let mut all = Found::default();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while let Ok(Some(found)) = tokio::time::timeout_at(deadline, reading.join_next()).await {
        merge(&mut all, found.unwrap_or_default());
    }
    stopping.store(true, Ordering::Relaxed);
    while let Some(found) = reading.join_next().await {
        merge(&mut all, found.unwrap_or_default());
    }
    all
}

fn merge(all: &mut Found, found: Found) {
    all.latencies.extend(found.latencies);
    all.flooded += found.flooded;
    all.count += found.count;
    all.ended = all.ended.max(found.ended);
}

async fn connect(address: SocketAddr, narrow: bool) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    if narrow {
        socket.set_recv_buffer_size(4096).expect("a small buffer");
    }
    let mut stream = socket.connect(address).await.expect("the server listens");
    stream.write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("the server reads");
    stream
}

/// Reads until the last event, or until nothing comes any more after it was said to stop.
async fn read(mut stream: TcpStream, published: Times, stopping: Arc<AtomicBool>) -> Found {
    let (mut found, mut rest, mut buffer) = (Found::default(), Vec::new(), vec![0; 1 << 16]);
    let last = published.len() as u64 - 1;
    loop {
        let read = match tokio::time::timeout(Duration::from_millis(500), stream.read(&mut buffer)).await {
            Ok(Ok(0) | Err(_)) => break,
            Ok(Ok(read)) => read,
            Err(_) if stopping.load(Ordering::Relaxed) => break,
            Err(_) => continue,
        };
        let now = Instant::now();
        rest.extend_from_slice(&buffer[..read]);
        let end = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let mut through = false;
        for seq in rest[..end].split(|byte| *byte == b'\n').filter_map(number).filter(|seq| *seq > 0) {
            found.count += 1;
            found.ended = Some(now);
            if seq > PACED {
                found.flooded += 1;
            } else if let Some(sent) = published[slot(seq)].get() {
                found.latencies.push(now.duration_since(*sent).as_secs_f64() * 1e3);
            }
            through |= seq == last;
        }
        rest.drain(..end);
        if through {
            break;
        }
    }
    found
}

fn number(line: &[u8]) -> Option<u64> {
    std::str::from_utf8(line.strip_prefix(b"id: ")?).ok()?.parse().ok()
}

/// About 600 bytes, as a change of phase is.
pub fn payload(seq: u64) -> Value {
    json!({
        "timestamp": 1_768_464_192.345, "run_id": "01JHN5E6M0Q8ZJ5V3T0W1X2Y3Z", "phase": "MEASURING", "previous": "PAUSED",
        "channel": 7, "visit_id": seq, "repeat": 2, "until": "2026-01-15T08:03:12.345Z",
        "reason": "measuring until the fourth good iteration is complete",
        "progress": {
            "phase": "MEASURING", "current_channel": 6, "next_channel": 7, "next_enabled_channel": 8, "percent": 33,
            "overall_percent": 16, "repeat_index": 1, "repeat_total": 10, "enabled_count": 31, "step_index": 38,
            "total_steps": 310, "elapsed_seconds": 12345.67, "tt_seconds": 98765.0,
        },
    })
}
