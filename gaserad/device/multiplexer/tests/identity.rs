//! Another device behind the same name: it says who it is before it counts, and it is not moved.

use std::sync::Mutex;

use super::*;
use crate::device::multiplexer::modbus::{Framing, Modbus, ModbusSettings};
use crate::domain::{FaultKind, KnownMultiplexer, Utc};

/// The first connection breaks when it is asked for the third time where the valve stands. The next one is to an actuator of
/// this version, that has moved so often. And what was ordered.
fn swapped(version: &'static str, count: u32) -> (Dial, Arc<Mutex<Vec<String>>>) {
    let ordered = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&ordered);
    let asked = AtomicUsize::new(0);
    let dial = scripted(move |connection, line| {
        let another = connection > 1;
        if line.starts_with("GO") {
            noted.lock().unwrap().push(format!("{line} to {connection}"));
            return Some(String::new());
        }
        Some(match line {
            "CP" if !another && asked.fetch_add(1, Ordering::Relaxed) == 2 => return None,
            "VR" if another => format!("{version}\r"),
            "CNT" if another => format!("CNT{count}\r"),
            "CP" => "CP05\r".to_owned(),
            other => introduces(other).unwrap(),
        })
    });
    (dial, ordered)
}

fn known() -> KnownMultiplexer {
    KnownMultiplexer {
        identity: "TEN PORTS".into(),
        coils: None,
        actuations: Some(77),
        seen: Utc::from_micros(1_700_000_000_000_000),
    }
}

#[tokio::test(start_paused = true)]
async fn stranger_on_a_new_connection_is_not_moved() {
    for (version, count, moved) in
        [("TEN PORTS", 78, true), ("ELEVEN PORTS", 78, false), ("TEN PORTS", 12, false), ("Bad command", 78, true)]
    {
        let (dial, ordered) = swapped(version, count);
        let mut driver = vici(dial);
        driver.describe().await.unwrap();
        driver.expect(Some(known()));
        assert_eq!(driver.contacts(), 1);
        assert_eq!(driver.position().await, Ok(at(5)), "the known one");
        let answer = driver.go(channel(7)).await;
        let orders = ordered.lock().unwrap().clone();
        assert_eq!(driver.contacts(), 2);
        assert_eq!(!orders.is_empty(), moved, "{version} {count}: {orders:?}, {answer:?}");
        if !moved {
            let fault = answer.unwrap_err();
            assert_eq!(fault.kind, FaultKind::Refused);
            assert!(fault.text.contains("is another one than before, and is not moved: "), "{fault}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn stranger_says_who_it_is_before_where_it_stands() {
    let clock = test_clock(1);
    let away = move || (20_000_000..40_000_000).contains(&clock.now().tick.as_micros());
    let dial = scripted(move |connection, line| {
        let version = if connection == 1 { "VALVE A\r" } else { "VALVE B\r" };
        Some(match line {
            _ if away() => return None,
            "VR" => version.to_owned(),
            "CP" => "CP05\r".to_owned(),
            other => introduces(other).unwrap(),
        })
    });
    let mut desk = Desk::new(vici(dial));
    desk.found(5).await;
    assert!(matches!(desk.next().await, Report::Valve(ValveNews::Lost(_))));
    let Report::Valve(ValveNews::Contacted { description, seen }) = desk.next().await else { panic!("not first") };
    assert_eq!(description.identity, "VALVE B");
    assert!(seen < Tick::from_micros(20_000_000), "{seen:?}");
    assert_eq!(desk.next().await, Report::Valve(ValveNews::At(at(5))));
}

#[tokio::test(start_paused = true)]
async fn stranger_on_the_same_line_shows_by_its_count_or_place() {
    for (position, count) in [("CP05\r", "CNT12\r"), ("CP05\r", "CNT90\r"), ("CP02\r", "CNT77\r")] {
        let clock = test_clock(1);
        let swapped = move || clock.now().tick.as_micros() >= 30_000_000;
        let dial = scripted(move |_, line| {
            Some(match line {
                "VR" if swapped() => "VALVE B\r".to_owned(),
                "CP" if swapped() => position.to_owned(),
                "CNT" if swapped() => count.to_owned(),
                "CP" => "CP05\r".to_owned(),
                other => introduces(other).unwrap(),
            })
        });
        let mut desk = Desk::new(vici(dial));
        desk.found(5).await;
        let Report::Valve(ValveNews::Contacted { description, seen }) = desk.next().await else { panic!("not first") };
        assert_eq!(description.identity, "VALVE B");
        assert!((28.0..30.0).contains(&seen.since(Tick::ZERO).as_secs_f64()), "{seen:?}");
        let told = desk.next().await;
        assert_eq!(matches!(told, Report::Valve(ValveNews::Doubted { .. })), position == "CP05\r", "{told:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn valve_is_asked_for_its_count_now_and_then() {
    let mut desk = Desk::new(driver(Faults::default()));
    desk.found(1).await;
    let mut counts = Vec::new();
    for order in 1..=40 {
        desk.order(order, ValveOrder::Goto(channel(if order % 2 == 0 { 1 } else { 2 })));
        loop {
            match desk.next().await {
                Report::Valve(ValveNews::Is(description)) => counts.push(description.actuations.unwrap()),
                Report::ValveDid { answer, .. } => break assert!(answer.is_ok()),
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(counts, [16, 32]);
}

fn relays(faults: Faults, channels: u8) -> Modbus {
    let settings = ModbusSettings {
        framing: Framing::Tcp,
        unit: 1,
        first_coil: 0,
        channels,
        break_before_make: None,
        timeout: ModbusSettings::TIMEOUT,
    };
    simulated::modbus(&plant(16, faults, 1), &settings, test_clock(1).as_ref())
}

#[tokio::test(start_paused = true)]
async fn relays_are_known_by_name_and_number_of_coils() {
    let named = relays(Faults::default(), 8).describe().await.unwrap();
    assert_eq!((named.identity.as_str(), named.coils), ("GASERAD SIMULATED RELAYS 2026-01-15", Some(16)));
    let nameless = relays(Faults { modbus_nameless: true, ..Faults::default() }, 8).describe().await.unwrap();
    assert_eq!((nameless.identity.as_str(), nameless.coils), ("", Some(16)));
}

#[tokio::test(start_paused = true)]
async fn strange_relays_are_not_switched() {
    for (expected, faults) in [
        (KnownMultiplexer { identity: "OTHER".into(), ..KnownMultiplexer::default() }, Faults::default()),
        (
            KnownMultiplexer { coils: Some(8), ..KnownMultiplexer::default() },
            Faults { modbus_nameless: true, ..Faults::default() },
        ),
    ] {
        let mut driver = relays(faults, 8);
        driver.expect(Some(expected));
        let fault = driver.go(channel(3)).await.unwrap_err();
        assert!(fault.text.contains("is another one than before, and is not switched: "), "{fault}");
        assert_eq!(driver.position().await, Ok(Position::Unknown), "no coil is on");
        driver.expect(None);
        assert_eq!(driver.go(channel(3)).await, Ok(at(3)));
    }
}
