//! The task that owns a driver.

use super::*;
use crate::domain::FaultKind;

#[tokio::test(start_paused = true)]
async fn the_owner_says_where_the_valve_is_and_answers_every_order_once_in_order() {
    let mut desk = Desk::new(driver(Faults::default()));
    desk.order(1, ValveOrder::Home);
    desk.order(2, ValveOrder::Goto(channel(8)));
    desk.order(3, ValveOrder::Goto(channel(2)));
    desk.found(1).await;
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
        let away = clock.now().tick < Tick::from_micros(20_000_000);
        Some(match line {
            _ if away => String::new(),
            "CP" => "CP05\r".to_owned(),
            other => introduces(other).unwrap(),
        })
    });
    let mut desk = Desk::new(vici(dial));
    assert!(matches!(desk.next().await, Report::Valve(ValveNews::Lost(fault)) if fault.kind == FaultKind::Offline));
    let (back, time) = timed(desk.next()).await;
    assert_eq!(back, Report::Valve(ValveNews::At(at(5))));
    assert!((19.0..26.0).contains(&time.as_secs_f64()), "{time:?}");
    assert!(matches!(desk.next().await, Report::Valve(ValveNews::Is(_))));
    // What is not new is not told.
    assert!(tokio::time::timeout(Duration::from_secs(3600), desk.next()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn after_a_failed_order_the_owner_looks_where_the_valve_is() {
    let mut desk = Desk::new(driver(Faults { valve_stuck: true, ..Faults::default() }));
    desk.found(1).await;
    desk.order(7, ValveOrder::Goto(channel(4)));
    let (id, answer) = desk.next_answer().await;
    assert_eq!((id, answer.unwrap_err().kind), (7, FaultKind::Refused));
    assert_eq!(desk.next().await, Report::Valve(ValveNews::At(at(1))));
}
