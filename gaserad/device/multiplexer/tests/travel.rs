//! Orders and where the valve stands, against the plant and against scripted valves.

use super::*;
use crate::device::multiplexer::Multiplexer;
use crate::domain::FaultKind;

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
        assert!((3.2..4.2).contains(&time.as_secs_f64()), "{time:?}");
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
async fn a_lost_connection_is_made_anew_and_the_question_asked_again() {
    let stands = AtomicU8::new(4);
    let dial = scripted(move |connection, line| match (connection, line) {
        // The first connection ends at the second question, the second one in the middle of a move.
        (1, "CP") | (2, "GO07") => None,
        (_, "GO07") => {
            stands.store(7, Ordering::Relaxed);
            Some(String::new())
        }
        (_, "CP") => Some(format!("CP{:02}\r", stands.load(Ordering::Relaxed))),
        (_, other) => introduces(other),
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
async fn near_to_a_port_is_not_in_position() {
    let dial = obedient(|port| format!("Position is near to = {port}\r"));
    let mut driver = vici(dial);
    let fault = driver.go(channel(3)).await.unwrap_err();
    assert!(fault.text.contains("between two ports"), "{fault}");
    assert!(driver.position().await.unwrap_err().text.contains("between two ports"));
}
