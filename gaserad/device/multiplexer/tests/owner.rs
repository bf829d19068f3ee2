//! The task that owns a driver.

use super::*;
use crate::device::multiplexer::BoxFuture;
use crate::domain::FaultKind;
use crate::simulator::MovedByHand;

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
    let ((), time) = timed(desk.found(5)).await;
    assert!((19.0..26.0).contains(&time.as_secs_f64()), "{time:?}");
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

#[tokio::test(start_paused = true)]
async fn what_is_told_of_a_valve_that_was_turned_begins_with_when_it_was_last_seen() {
    let by_hand = MovedByHand { after: Duration::from_secs(60), to: 7, back: None };
    let mut desk = Desk::new(driver(Faults { valve_moved_by_hand: Some(by_hand), ..Faults::default() }));
    desk.found(1).await;
    // Another one may have turned up in its place: it says first who it is.
    let Report::Valve(ValveNews::Contacted { seen, .. }) = desk.reports.recv().await.unwrap() else { panic!("who?") };
    assert_eq!(desk.reports.recv().await, Some(Report::Valve(ValveNews::UnseenSince(seen))));
    let seen_s = seen.since(Tick::ZERO).as_secs_f64();
    assert!((55.0..60.5).contains(&seen_s), "{seen_s}");
    assert_eq!(desk.next().await, Report::Valve(ValveNews::At(at(7))));
}

#[tokio::test(start_paused = true)]
async fn somebody_who_turns_the_valve_by_hand_is_noticed_within_seconds() {
    let by_hand = MovedByHand { after: Duration::from_secs(60), to: 7, back: None };
    let mut desk = Desk::new(driver(Faults { valve_moved_by_hand: Some(by_hand), ..Faults::default() }));
    desk.found(1).await;
    let ((), time) = timed(desk.found(7)).await;
    assert!((59.0..64.0).contains(&time.as_secs_f64()), "{time:?}");
    // Once: it stands there.
    assert!(tokio::time::timeout(Duration::from_secs(3600), desk.next()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_valve_that_falls_silent_is_lost_within_seconds_and_found_where_it_then_is() {
    let clock = test_clock(1);
    let dial = scripted(move |_, line| {
        let seconds = clock.now().tick.as_micros() / 1_000_000;
        Some(match (seconds, line) {
            (30..90, _) => String::new(),
            (_, "CP") => if seconds < 30 { "CP05\r" } else { "CP09\r" }.to_owned(),
            (_, other) => introduces(other).unwrap(),
        })
    });
    let mut desk = Desk::new(vici(dial));
    desk.found(5).await;
    let (news, time) = timed(desk.next()).await;
    assert!(matches!(news, Report::Valve(ValveNews::Lost(fault)) if fault.kind == FaultKind::Offline));
    assert!((29.0..35.0).contains(&time.as_secs_f64()), "{time:?}");
    let ((), time) = timed(desk.found(9)).await;
    assert!((55.0..62.0).contains(&time.as_secs_f64()), "{time:?}");
}

/// A valve on port 5 whose line hangs up at ten seconds, and is there again after twenty.
fn unplugged() -> Dial {
    let clock = test_clock(1);
    Dial::new("/dev/ttyTEST", move || {
        let (near, far) = tokio::io::duplex(1024);
        let seconds = clock.now().tick.as_micros() / 1_000_000;
        let respond = Arc::new(|_, line: &str| Some(introduces(line).unwrap_or_else(|| "CP05\r".to_owned())));
        let life = Duration::from_secs(if seconds < 10 { 10 - seconds } else { 3600 });
        if !(10..20).contains(&seconds) {
            tokio::spawn(tokio::time::timeout(life, converse(far, 1, respond)));
        }
        async move {
            let gone = (10..20).contains(&seconds);
            if gone { Err(std::io::ErrorKind::NotFound.into()) } else { Ok(Box::new(near) as Box<dyn Stream>) }
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_port_that_hangs_up_is_noticed_at_once_and_opened_again_when_it_is_back() {
    let mut desk = Desk::new(vici(unplugged()));
    let clock = test_clock(1);
    desk.found(5).await;
    assert!(matches!(desk.next().await, Report::Valve(ValveNews::Lost(fault)) if fault.kind == FaultKind::Offline));
    let lost = clock.now().tick.as_micros();
    assert!((10_000_000..10_100_000).contains(&lost), "{lost}");
    desk.found(5).await;
    let found = clock.now().tick.as_micros();
    assert!((20_000_000..21_500_000).contains(&found), "{found}");
}

#[tokio::test(start_paused = true)]
async fn a_line_that_fails_is_closed_and_not_kept() {
    let open = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&open);
    let clock = test_clock(1);
    let dial = Dial::new("/dev/ttyTEST", move || {
        let (near, far) = tokio::io::duplex(1024);
        let (open, clock) = (Arc::clone(&counted), Arc::clone(&clock));
        let respond = move |_, line: &str| {
            let silent = clock.now().tick > Tick::from_micros(10_000_000);
            Some(if silent { String::new() } else { introduces(line).unwrap_or_else(|| "CP05\r".to_owned()) })
        };
        tokio::spawn(async move {
            open.fetch_add(1, Ordering::Relaxed);
            // Until the near end is closed.
            converse(far, 1, Arc::new(respond)).await;
            open.fetch_sub(1, Ordering::Relaxed);
        });
        async move { Ok(Box::new(near) as Box<dyn Stream>) }
    });
    let mut desk = Desk::new(vici(dial));
    desk.found(5).await;
    assert_eq!(open.load(Ordering::Relaxed), 1);
    assert!(matches!(desk.next().await, Report::Valve(ValveNews::Lost(_))));
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(open.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn an_order_after_a_loss_opens_the_port_itself() {
    let mut desk = Desk::new(vici(unplugged()));
    desk.found(5).await;
    assert!(matches!(desk.next().await, Report::Valve(ValveNews::Lost(_))));
    desk.order(1, ValveOrder::Goto(channel(5)));
    let (id, answer) = desk.next_answer().await;
    assert_eq!((id, answer.unwrap_err().kind), (1, FaultKind::Offline));
    // In the same moment as the port is back, before anybody has looked for it.
    tokio::time::advance(Duration::from_secs(10)).await;
    desk.order(2, ValveOrder::Goto(channel(5)));
    let Report::Valve(ValveNews::Contacted { seen, .. }) = desk.next().await else { panic!("it says first who it is") };
    assert!(seen <= Tick::from_micros(10_000_000), "{seen:?}");
    assert_eq!(desk.next_answer().await, (2, Ok(at(5))));
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_where_it_is_gets_its_description_too() {
    let mut desk = Desk::new(driver(Faults::default()));
    desk.found(1).await;
    desk.order(1, ValveOrder::Goto(channel(3)));
    desk.order(2, ValveOrder::Where);
    assert_eq!(desk.next_answer().await, (1, Ok(at(3))));
    let Report::Valve(ValveNews::Is(description)) = desk.next().await else { panic!("no description") };
    assert_eq!(description.actuations, Some(1));
    assert_eq!(desk.next_answer().await, (2, Ok(at(3))));
}

/// A multiplexer that is only counted, and counts how often it is asked.
struct Counted(Arc<AtomicUsize>);

impl Multiplexer for Counted {
    fn home(&mut self) -> BoxFuture<'_, Result<Position, Fault>> {
        Box::pin(async { Ok(Position::At(channel(1), Verification::HomedCount)) })
    }

    fn go(&mut self, to: Channel) -> BoxFuture<'_, Result<Position, Fault>> {
        Box::pin(async move { Ok(Position::At(to, Verification::HomedCount)) })
    }

    fn position(&mut self) -> BoxFuture<'_, Result<Position, Fault>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Ok(Position::Unknown) })
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_back_is_not_asked_again() {
    let asked = Arc::new(AtomicUsize::new(0));
    let mut desk = Desk::new(Counted(Arc::clone(&asked)));
    desk.found_as(Position::Unknown).await;
    desk.order(1, ValveOrder::Home);
    assert_eq!(desk.next_answer().await.0, 1);
    assert!(tokio::time::timeout(Duration::from_secs(3600), desk.next()).await.is_err());
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}
