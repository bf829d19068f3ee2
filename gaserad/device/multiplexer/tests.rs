//! The VICI driver against the plant's valve and against valves that misbehave, and the task that owns a driver.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;

use super::vici::{Vici, ViciSettings};
use super::{Multiplexer, Valve, simulated};
use crate::device::{Dial, Report, Stream, serial};
use crate::domain::{Channel, CommandId, Fault, FaultKind, Position, ValveNews, ValveOrder, Verification};
use crate::simulator::tests::{simulator, test_clock};
use crate::simulator::{Faults, PlantSettings, Simulator, open_valve};

fn channel(number: u8) -> Channel {
    Channel::new(number).unwrap()
}

fn at(number: u8) -> Position {
    Position::At(channel(number), Verification::Readback)
}

fn driver(faults: Faults) -> Vici {
    simulated::driver(&simulator(faults).0, 31, test_clock(1))
}

fn vici(dial: Dial) -> Vici {
    Vici::new(dial, ViciSettings { channels: 10, address: None }, test_clock(1))
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

/// A valve of ten ports that obeys at once; `position` prints where it stands.
fn obedient(position: impl Fn(u8) -> String + Send + Sync + 'static) -> Dial {
    let stands = AtomicU8::new(1);
    scripted(move |_, line| {
        if let Some(port) = line.strip_prefix("GO") {
            stands.store(port.parse().unwrap(), Ordering::Relaxed);
            return Some(String::new());
        }
        Some(if line == "NP" { "NP10\r".to_owned() } else { position(stands.load(Ordering::Relaxed)) })
    })
}

async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let clock = test_clock(1);
    let result = work.await;
    (result, clock.now().tick.since(crate::domain::Tick::ZERO))
}

#[tokio::test(start_paused = true)]
async fn it_goes_where_it_is_told_and_reads_back_in_both_dialects() {
    for legacy_valve in [false, true] {
        let mut driver = driver(Faults { legacy_valve, ..Faults::default() });
        assert_eq!(driver.position().await, Ok(at(1)));
        for number in [5, 31, 16, 16, 2] {
            assert_eq!(driver.go(channel(number)).await, Ok(at(number)));
            assert_eq!(driver.position().await, Ok(at(number)));
        }
        assert_eq!(driver.home().await, Ok(at(1)));
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_takes_as_long_as_the_valve_travels_and_little_more() {
    let mut driver = driver(Faults::default());
    let (arrived, time) = timed(driver.go(channel(11))).await;
    assert_eq!(arrived, Ok(at(11)));
    assert!((0.7..0.95).contains(&time.as_secs_f64()), "{time:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stuck_valve_is_a_fault_in_bounded_time() {
    for legacy_valve in [false, true] {
        let mut driver = driver(Faults { valve_stuck: true, legacy_valve, ..Faults::default() });
        let (answer, time) = timed(driver.go(channel(5))).await;
        let fault = answer.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Refused);
        assert!(fault.text.contains("GO05") && fault.text.contains("port 1"), "{fault}");
        assert!((11.3..12.0).contains(&time.as_secs_f64()), "{time:?}");
        assert_eq!(driver.position().await, Ok(at(1)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_valve_is_offline_soon() {
    let mut driver = driver(Faults { valve_silent: true, ..Faults::default() });
    let (answer, time) = timed(driver.go(channel(5))).await;
    let fault = answer.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Offline);
    assert!(fault.text.contains("no answer within 500ms") && fault.text.contains("baud rate"), "{fault}");
    assert!(time < Duration::from_millis(1100), "{time:?}");
}

#[tokio::test(start_paused = true)]
async fn a_valve_with_too_few_ports_is_refused_before_anything_moves() {
    let settings =
        PlantSettings { cycle: Duration::from_secs(58), seed: 1, channels: 10, faults: Faults::default(), truth: None };
    let simulator = Simulator::new(settings, test_clock(1));
    let mut driver = simulated::driver(&simulator, 12, test_clock(1));
    for answer in [driver.position().await, driver.go(channel(3)).await] {
        let fault = answer.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Refused);
        assert!(fault.text.contains("has 10 ports, but 12 channels are configured"), "{fault}");
    }
    assert_eq!(simulated::driver(&simulator, 10, test_clock(1)).position().await, Ok(at(1)));
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_is_made_anew_and_the_question_asked_again() {
    let stands = AtomicU8::new(4);
    let dial = scripted(move |connection, line| match (connection, line) {
        // The first connection ends at the second question, the second one in the middle of a move.
        (1, "CP") | (2, "GO07") => None,
        (_, "NP") => Some("NP = 10\r".into()),
        (_, "GO07") => {
            stands.store(7, Ordering::Relaxed);
            Some(String::new())
        }
        _ => Some(format!("CP{:02}\r", stands.load(Ordering::Relaxed))),
    });
    let mut driver = vici(dial);
    assert_eq!(driver.position().await, Ok(at(4)));
    assert_eq!(driver.go(channel(7)).await, Ok(at(7)));
}

#[tokio::test(start_paused = true)]
async fn a_valve_that_cannot_be_reached_is_offline_with_the_reason() {
    let dial = Dial::new("/dev/ttyTEST", || async { Err(std::io::ErrorKind::NotFound.into()) });
    let fault = vici(dial).position().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Offline);
    assert!(fault.text.contains("/dev/ttyTEST") && fault.text.contains("cannot be opened"), "{fault}");
    let fault = vici(scripted(|_, _| None)).position().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Offline);
    assert!(fault.text.contains("closed"), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn echoes_stray_lines_and_every_line_end_are_tolerated() {
    let dial = scripted(|_, line| {
        Some(match line {
            "NP" => "NP\r\nNP10\r\n".to_owned(),
            "CP" => "\nGO03\r\n\r\nPosition is = 3\n".to_owned(),
            echo => format!("{echo}\r\nmoving\n"),
        })
    });
    assert_eq!(vici(dial).go(channel(3)).await, Ok(at(3)));
}

#[tokio::test(start_paused = true)]
async fn a_line_left_over_from_before_does_not_answer_the_next_question() {
    // Every answer is followed by one about a port where the valve is not.
    let dial = obedient(|port| format!("CP{port:02}\rCP09\r"));
    let mut driver = vici(dial);
    for number in [2, 5, 3] {
        assert_eq!(driver.go(channel(number)).await, Ok(at(number)));
        assert_eq!(driver.position().await, Ok(at(number)));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_too_late_is_not_taken_for_the_next_one() {
    let (stands, asked) = (AtomicU8::new(1), AtomicUsize::new(0));
    let dial = scripted(move |connection, line| {
        if let Some(port) = line.strip_prefix("GO") {
            stands.store(port.parse().unwrap(), Ordering::Relaxed);
            return Some(String::new());
        }
        if line == "NP" {
            return Some("NP10\r".into());
        }
        // The first question is answered only when the second one comes, if it comes on the same connection.
        let first = asked.fetch_add(1, Ordering::Relaxed) == 0;
        let stale = if connection == 1 && !first { "CP09\r" } else { "" };
        Some(if first { String::new() } else { format!("{stale}CP{:02}\r", stands.load(Ordering::Relaxed)) })
    });
    assert_eq!(vici(dial).position().await, Ok(at(1)));
}

#[tokio::test(start_paused = true)]
async fn an_address_goes_before_every_command_and_may_come_before_replies() {
    let dial = scripted(|_, line| {
        Some(match line {
            "/ANP" => "/ANP10\r".to_owned(),
            "/ACP" => "/ACP06\r".to_owned(),
            "/AGO06" => String::new(),
            other => format!("Bad command {other}\r"),
        })
    });
    let settings = ViciSettings { channels: 10, address: Some("/A".into()) };
    assert_eq!(Vici::new(dial, settings, test_clock(1)).go(channel(6)).await, Ok(at(6)));
}

#[tokio::test(start_paused = true)]
async fn a_refused_order_is_a_refusal_and_not_repeated() {
    let orders = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&orders);
    let dial = scripted(move |_, line| {
        if line.starts_with("GO") {
            counted.fetch_add(1, Ordering::Relaxed);
        }
        Some(if line == "NP" { "NP10\r".to_owned() } else { "Bad command\r".to_owned() })
    });
    let fault = vici(dial).go(channel(3)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Refused);
    assert!(fault.text.contains("GO03") && fault.text.contains("Bad command"), "{fault}");
    assert_eq!(orders.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn near_to_a_port_is_not_in_position() {
    let dial = obedient(|port| format!("Position is near to = {port}\r"));
    let mut driver = vici(dial);
    let fault = driver.go(channel(3)).await.unwrap_err();
    assert!(fault.text.contains("between two ports"), "{fault}");
    assert!(driver.position().await.unwrap_err().text.contains("between two ports"));
}

#[tokio::test(start_paused = true)]
async fn a_device_that_talks_nonsense_is_refused_in_bounded_time() {
    for nonsense in ["hello\r", "\u{2}\u{3}garbage\r\n\r\n", &"x".repeat(2000)] {
        let nonsense = nonsense.to_owned();
        let mut driver = vici(scripted(move |_, _| Some(nonsense.clone())));
        let (answer, time) = timed(driver.position()).await;
        assert!(answer.is_err() && time < Duration::from_secs(5), "{time:?}");
    }
}

/// Reports what happens to a valve, one by one.
struct Desk {
    valve: Valve,
    reports: mpsc::UnboundedReceiver<Report>,
}

impl Desk {
    fn new(driver: Vici) -> Self {
        let (sender, reports) = mpsc::unbounded_channel();
        let (valve, owner) = Valve::new(Box::new(driver), sender);
        tokio::spawn(owner);
        Self { valve, reports }
    }

    fn order(&self, id: u64, order: ValveOrder) {
        self.valve.order(CommandId(id), order);
    }

    async fn next(&mut self) -> Report {
        self.reports.recv().await.unwrap()
    }

    async fn next_answer(&mut self) -> (u64, Result<Position, Fault>) {
        match self.next().await {
            Report::ValveDid { id, answer } => (id.0, answer),
            other => panic!("{other:?} is no answer"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_owner_says_where_the_valve_is_and_answers_every_order_once_in_order() {
    let mut desk = Desk::new(driver(Faults::default()));
    desk.order(1, ValveOrder::Home);
    desk.order(2, ValveOrder::Goto(channel(8)));
    desk.order(3, ValveOrder::Goto(channel(2)));
    assert_eq!(desk.next().await, Report::Valve(ValveNews::At(at(1))));
    assert_eq!(desk.next_answer().await, (1, Ok(at(1))));
    assert_eq!(desk.next_answer().await, (2, Ok(at(8))));
    assert_eq!(desk.next_answer().await, (3, Ok(at(2))));
    drop(desk.valve);
    assert_eq!(desk.reports.recv().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_lost_valve_is_reported_once_and_again_when_it_is_back() {
    let clock = test_clock(1);
    let dial = scripted(move |_, line| {
        let away = clock.now().tick < crate::domain::Tick::from_micros(20_000_000);
        Some(match line {
            _ if away => String::new(),
            "NP" => "NP10\r".to_owned(),
            _ => "CP05\r".to_owned(),
        })
    });
    let mut desk = Desk::new(vici(dial));
    assert!(matches!(desk.next().await, Report::Valve(ValveNews::Lost(fault)) if fault.kind == FaultKind::Offline));
    let (back, time) = timed(desk.next()).await;
    assert_eq!(back, Report::Valve(ValveNews::At(at(5))));
    assert!((19.0..26.0).contains(&time.as_secs_f64()), "{time:?}");
    // What is known needs no asking.
    assert!(tokio::time::timeout(Duration::from_secs(3600), desk.next()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn after_a_failed_order_the_owner_looks_where_the_valve_is() {
    let mut desk = Desk::new(driver(Faults { valve_stuck: true, ..Faults::default() }));
    assert_eq!(desk.next().await, Report::Valve(ValveNews::At(at(1))));
    desk.order(7, ValveOrder::Goto(channel(4)));
    let (id, answer) = desk.next_answer().await;
    assert_eq!((id, answer.unwrap_err().kind), (7, FaultKind::Refused));
    assert_eq!(desk.next().await, Report::Valve(ValveNews::At(at(1))));
}

#[tokio::test]
async fn the_driver_moves_the_valve_through_a_real_serial_port() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("valve");
    // Fast, since this happens in real time.
    let scale = 100;
    for legacy_valve in [false, true] {
        let settings = PlantSettings {
            cycle: Duration::from_secs(58),
            seed: 1,
            channels: 31,
            faults: Faults { legacy_valve, ..Faults::default() },
            truth: None,
        };
        let simulator = Simulator::new(settings, test_clock(scale));
        let serving = tokio::spawn(open_valve(simulator, &link).unwrap());
        // Twice: the port survives being closed, and the valve stays where it was.
        for stands in [1, 2] {
            let dial = serial::dial(link.to_str().unwrap(), 9600);
            let settings = ViciSettings { channels: 31, address: None };
            let mut driver = Vici::new(dial.clone(), settings, test_clock(scale));
            assert_eq!(driver.position().await, Ok(at(stands)));
            assert_eq!(driver.go(channel(17)).await, Ok(at(17)));
            assert_eq!(driver.home().await, Ok(at(1)));
            assert_eq!(driver.go(channel(2)).await, Ok(at(2)));
            let taken = dial.open().await.err().unwrap();
            assert_eq!(taken.kind(), std::io::ErrorKind::ResourceBusy);
        }
        serving.abort();
        assert!(serving.await.unwrap_err().is_cancelled());
        assert!(link.symlink_metadata().is_err());
    }
}
