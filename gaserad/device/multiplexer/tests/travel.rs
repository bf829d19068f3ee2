//! Orders and where the valve stands, against the plant and against scripted valves.

use super::*;
use crate::device::multiplexer::vici::Direction;
use crate::domain::FaultKind;
use crate::simulator::Befalls;

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

#[tokio::test(start_paused = true)]
async fn it_turns_the_way_that_is_configured() {
    let times = [(Direction::Shortest, 0.25), (Direction::Clockwise, 1.7), (Direction::Counterclockwise, 0.25)];
    for (direction, travel) in times {
        let settings = ViciSettings { direction, ..ViciSettings::new(31) };
        let dial = simulated::valve_dial(&plant(31, Faults::default(), 1));
        let mut driver = Vici::new(dial, settings, test_clock(1));
        assert_eq!(driver.position().await, Ok(at(1)));
        let (arrived, time) = timed(driver.go(channel(31))).await;
        assert_eq!(arrived, Ok(at(31)));
        assert!((travel..travel + 0.25).contains(&time.as_secs_f64()), "{direction:?}: {time:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_longer_way_may_take_longer() {
    // From 1 to 6 on ten ports: five steps either way, and 3.5 s of patience.
    for (arrives_after, arrives) in [(3.3, true), (4.0, false)] {
        let clock = test_clock(1);
        let ordered = std::sync::Mutex::new(None);
        let dial = scripted(move |_, line| {
            let now = clock.now().tick;
            let mut ordered = ordered.lock().unwrap();
            if line == "GO06" {
                *ordered = Some(now + Duration::from_secs_f64(arrives_after));
                return Some(String::new());
            }
            let there = ordered.is_some_and(|at| at <= now);
            Some(introduces(line).unwrap_or_else(|| if there { "CP06\r".into() } else { "CP01\r".into() }))
        });
        assert_eq!(vici(dial).go(channel(6)).await.is_ok(), arrives, "{arrives_after}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_to_where_it_stands_is_read_back_and_moves_nothing() {
    let mut driver = driver(Faults::default());
    assert_eq!(driver.home().await, Ok(at(1)));
    assert_eq!(driver.go(channel(1)).await, Ok(at(1)));
    assert_eq!(driver.describe().await.unwrap().actuations, Some(0));
}

#[tokio::test(start_paused = true)]
async fn a_valve_that_stops_between_two_ports_is_refused_and_can_be_ordered_away() {
    for legacy_valve in [false, true] {
        let faults = Faults { valve_between_ports: Some(Befalls::Move(2)), legacy_valve, ..Faults::default() };
        let mut driver = driver(faults);
        assert_eq!(driver.go(channel(2)).await, Ok(at(2)));
        let fault = driver.go(channel(5)).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Refused);
        assert!(fault.text.contains("GO05") && fault.text.contains("between two ports"), "{fault}");
        let (standing, time) = timed(driver.position()).await;
        assert!(standing.unwrap_err().text.contains("stands between two ports"));
        assert!(time < Duration::from_secs(if legacy_valve { 3 } else { 10 }), "{time:?}");
        assert_eq!(driver.go(channel(5)).await, Ok(at(5)));
    }
}

#[tokio::test(start_paused = true)]
async fn arriving_at_another_port_is_refused_with_that_port() {
    let mut driver = driver(Faults { valve_wrong_port: Some(Befalls::Move(1)), ..Faults::default() });
    let fault = driver.go(channel(5)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Refused);
    assert!(fault.text.contains("was ordered GO05") && fault.text.contains("CP says port 6"), "{fault}");
    assert_eq!(driver.position().await, Ok(at(6)));
}

#[tokio::test(start_paused = true)]
async fn a_valve_for_two_positions_has_no_channel() {
    for reply in ["CPB\r", "Position is = B\r"] {
        let dial = scripted(move |_, line| {
            Some(match line {
                "AM" => "Bad command\r".into(),
                other => introduces(other).unwrap_or_else(|| reply.to_owned()),
            })
        });
        let fault = vici(dial).position().await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Refused);
        assert!(fault.text.contains("stands on A or B") && fault.text.contains("AM3"), "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_port_that_it_is_leaving_is_not_taken_for_the_one_where_it_stands() {
    for new_process in [false, true] {
        let simulator = plant(31, Faults::default(), 1);
        let mut driver = simulated::driver(&simulator, 31, test_clock(1));
        // Something else came in between before it arrived.
        let cut_off = tokio::time::timeout(Duration::from_millis(400), driver.go(channel(16))).await;
        assert!(cut_off.is_err());
        if new_process {
            driver = simulated::driver(&simulator, 31, test_clock(1));
        } else {
            assert_eq!(driver.position().await, Ok(at(16)));
        }
        assert_eq!(driver.go(channel(1)).await, Ok(at(1)));
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(driver.position().await, Ok(at(1)), "{new_process}");
        // What is certain is not waited for.
        let (again, time) = timed(driver.go(channel(1))).await;
        assert!(again == Ok(at(1)) && time < Duration::from_millis(200), "{time:?}");
    }
}
