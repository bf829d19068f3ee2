//! Drivers against the plant's valve and against valves that misbehave, and the task that owns a driver.

mod identity;
mod kinds;
mod lines;
mod owner;
mod rude;
mod serial;
mod settings;
mod travel;
mod unseen;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;

use super::vici::{Vici, ViciSettings};
use super::{Multiplexer, OwnedValve, simulated};
use crate::device::{Dial, Report, Stream};
use crate::domain::{Channel, Clock, CommandId, Fault, Position, Tick, ValveNews, ValveOrder, Verification};
use crate::simulator::tests::{simulator, test_clock};
use crate::simulator::{Faults, PlantSettings, Simulator};

fn channel(number: u8) -> Channel {
    Channel::new(number).unwrap()
}

fn at(number: u8) -> Position {
    Position::At(channel(number), Verification::Readback)
}

fn driver(faults: Faults) -> Vici {
    simulated::driver(&simulator(faults).0, 31, test_clock(1))
}

/// A plant whose valve has so many ports, as fast as the clock that it is given.
fn plant(channels: u8, faults: Faults, scale: u32) -> Simulator {
    let settings = PlantSettings { cycle: Duration::from_secs(58), seed: 1, channels, faults, truth: None };
    Simulator::new(settings, test_clock(scale))
}

fn vici(dial: Dial) -> Vici {
    Vici::new(dial, ViciSettings::new(10), test_clock(1))
}

/// A valve that answers each line as `respond` says, with bytes; `None` hangs up. Connections count from 1.
fn scripted(respond: impl Fn(usize, &str) -> Option<String> + Send + Sync + 'static) -> Dial {
    let respond = Arc::new(respond);
    let connections = AtomicUsize::new(0);
    Dial::new("/dev/ttyTEST", move || {
        let (near, far) = tokio::io::duplex(1024);
        let connection = connections.fetch_add(1, Ordering::Relaxed) + 1;
        tokio::spawn(converse(far, connection, Arc::clone(&respond)));
        async move { Ok(Box::new(near) as Box<dyn Stream>) }
    })
}

async fn converse<R: Fn(usize, &str) -> Option<String>>(mut stream: DuplexStream, connection: usize, respond: Arc<R>) {
    let mut line = String::new();
    while let Ok(byte) = stream.read_u8().await {
        if byte != b'\r' {
            line.push(char::from(byte));
            continue;
        }
        let Some(reply) = respond(connection, &std::mem::take(&mut line)) else { return };
        stream.write_all(reply.as_bytes()).await.unwrap();
    }
}

/// What a healthy actuator of ten ports answers to all but `CP` and orders.
fn introduces(line: &str) -> Option<String> {
    let reply = match line {
        "AM" => "AM3\r",
        "NP" => "NP10\r",
        "VR" => "TEN PORTS\r",
        "CNT" => "CNT77\r",
        _ => return None,
    };
    Some(reply.to_owned())
}

/// A valve of ten ports that obeys at once; `position` prints where it stands.
fn obedient(position: impl Fn(u8) -> String + Send + Sync + 'static) -> Dial {
    let stands = AtomicU8::new(1);
    scripted(move |_, line| {
        if let Some(port) = line.strip_prefix("GO") {
            stands.store(port.parse().unwrap(), Ordering::Relaxed);
            return Some(String::new());
        }
        Some(introduces(line).unwrap_or_else(|| position(stands.load(Ordering::Relaxed))))
    })
}

async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let clock = test_clock(1);
    let result = work.await;
    (result, clock.now().tick.since(Tick::ZERO))
}

/// Reports what happens to a valve, one by one.
struct Desk {
    valve: OwnedValve,
    reports: mpsc::UnboundedReceiver<Report>,
}

impl Desk {
    fn new(driver: impl Multiplexer + 'static) -> Self {
        Self::with_clock(driver, test_clock(1))
    }

    fn with_clock(driver: impl Multiplexer + 'static, clock: Arc<dyn Clock>) -> Self {
        let (sender, reports) = mpsc::unbounded_channel();
        let (valve, owner) = OwnedValve::new(Box::new(driver), clock, sender);
        tokio::spawn(owner);
        Self { valve, reports }
    }

    fn order(&self, id: u64, order: ValveOrder) {
        self.valve.order(CommandId(id), order);
    }

    /// The next report that says more than since when the valve was not seen.
    async fn next(&mut self) -> Report {
        loop {
            match self.reports.recv().await.unwrap() {
                Report::Valve(ValveNews::UnseenSince(_)) => {}
                report => return report,
            }
        }
    }

    /// The valve is found: it says what it is, and then where it stands.
    async fn found(&mut self, at: u8) {
        self.found_as(self::at(at)).await;
    }

    async fn found_as(&mut self, position: Position) {
        let who = self.next().await;
        assert!(matches!(who, Report::Valve(ValveNews::Contacted { .. } | ValveNews::Is(_))), "{who:?}");
        assert_eq!(self.next().await, Report::Valve(ValveNews::At(position)));
    }

    async fn next_answer(&mut self) -> (u64, Result<Position, Fault>) {
        match self.next().await {
            Report::ValveDid { id, answer } => (id.0, answer),
            other => panic!("{other:?} is no answer"),
        }
    }
}
