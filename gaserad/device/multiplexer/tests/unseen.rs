//! What the owner tells of a valve that stands where it stood, and may not have stood there all the time.

use std::sync::Mutex;

use super::*;

/// Since when there is doubt, in seconds, and why.
fn doubt(report: Report) -> (f64, String) {
    let Report::Valve(ValveNews::Doubted { since, why }) = report else { panic!("{report:?} is no doubt") };
    (since.since(Tick::ZERO).as_secs_f64(), why)
}

/// What is told next; a valve that is in no doubt is asked for ever. After a surprise it says first that it is the same one.
async fn soon(desk: &mut Desk) -> Report {
    let mut next = async || tokio::time::timeout(Duration::from_secs(600), desk.next()).await.expect("nothing is told");
    let Report::Valve(ValveNews::Contacted { description, .. }) = next().await else { panic!("who?") };
    assert_eq!(description.identity, "TEN PORTS");
    next().await
}

/// A valve on port 5 that answers as `respond` says; the second on the clock comes first.
fn at_five(respond: impl Fn(u64, &str) -> Option<String> + Send + Sync + 'static) -> Dial {
    let clock = test_clock(1);
    scripted(move |_, line| {
        let seconds = clock.now().tick.as_micros() / 1_000_000;
        let polite = || introduces(line).unwrap_or_else(|| "CP05\r".into());
        Some(respond(seconds, line).unwrap_or_else(polite))
    })
}

#[tokio::test(start_paused = true)]
async fn a_valve_that_can_be_read_back_is_asked_every_second() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let times = Arc::clone(&asked);
    let clock = test_clock(1);
    let dial = at_five(move |_, line| {
        if line == "CP" {
            times.lock().unwrap().push(clock.now().tick);
        }
        None
    });
    let mut desk = Desk::new(vici(dial));
    desk.found(5).await;
    assert!(
        tokio::time::timeout(Duration::from_secs(600), desk.next()).await.is_err(),
        "a polite valve is in no doubt"
    );
    let asked = asked.lock().unwrap();
    let longest = asked.windows(2).map(|pair| pair[1].since(pair[0])).max().unwrap();
    assert!(longest <= Duration::from_millis(1050) && asked.len() >= 580, "{longest:?}, {} times", asked.len());
}

#[tokio::test(start_paused = true)]
async fn a_move_there_and_back_between_two_questions_is_counted() {
    let dial = at_five(|seconds, line| {
        let counted = if seconds < 30 { "CNT77\r" } else { "CNT79\r" };
        (line == "CNT").then(|| counted.into())
    });
    let mut desk = Desk::new(vici(dial));
    desk.found(5).await;
    let (since, why) = doubt(soon(&mut desk).await);
    assert!((28.0..30.0).contains(&since), "{since}");
    assert!(why.contains("77 before, 79 now"), "{why}");
    assert!(tokio::time::timeout(Duration::from_secs(600), desk.next()).await.is_err(), "once");
}

/// What is told of a valve whose driver hangs for a while.
async fn stalled(counted: bool) -> Result<Report, tokio::time::error::Elapsed> {
    let driver = Stalls { clock: test_clock(1), counted };
    let mut desk = Desk::new(driver);
    desk.found(5).await;
    tokio::time::timeout(Duration::from_secs(300), desk.next()).await
}

/// A valve on channel 5 whose driver hangs from 30 s to 50 s.
struct Stalls {
    clock: Arc<dyn Clock>,
    counted: bool,
}

impl Multiplexer for Stalls {
    fn home(&mut self) -> crate::device::multiplexer::BoxFuture<'_, Result<Position, Fault>> {
        self.position()
    }

    fn go(&mut self, _to: Channel) -> crate::device::multiplexer::BoxFuture<'_, Result<Position, Fault>> {
        self.position()
    }

    fn position(&mut self) -> crate::device::multiplexer::BoxFuture<'_, Result<Position, Fault>> {
        let (from, until) = (Tick::from_micros(30_000_000), Tick::from_micros(50_000_000));
        let now = self.clock.now().tick;
        let hangs = if now >= from { until.since(now) } else { Duration::ZERO };
        Box::pin(async move {
            tokio::time::sleep(hangs).await;
            Ok(at(5))
        })
    }

    fn moves(&mut self) -> crate::device::multiplexer::BoxFuture<'_, Option<u64>> {
        Box::pin(async { self.counted.then_some(7) })
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_not_read_back_for_long_is_in_doubt() {
    let (since, why) = doubt(stalled(false).await.unwrap());
    assert!((28.0..30.5).contains(&since), "{since}");
    assert!(why.contains("could not be read back for 20s") || why.contains("could not be read back for 21s"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_count_that_did_not_rise_does_not_prove_that_nothing_moved() {
    let (since, why) = doubt(stalled(true).await.unwrap());
    assert!((28.0..30.5).contains(&since) && why.contains("could not be read back"), "{since}: {why}");
}

#[tokio::test(start_paused = true)]
async fn a_valve_seen_between_ports_was_not_in_place() {
    let near = AtomicUsize::new(0);
    let dial = at_five(move |seconds, line| {
        let reply = match line {
            "AM" | "CNT" => "Bad command\r",
            "NP" => "NP = 10\r",
            "CP" if seconds == 60 && near.fetch_add(1, Ordering::Relaxed) == 0 => "Position is near to = 5\r",
            "CP" => "Position is  = 5\r",
            _ => return None,
        };
        Some(reply.into())
    });
    let mut desk = Desk::new(vici(dial));
    desk.found(5).await;
    let (since, why) = doubt(soon(&mut desk).await);
    assert!((58.0..60.0).contains(&since) && why.contains("between two ports"), "{since}: {why}");
}

#[tokio::test(start_paused = true)]
async fn its_own_moves_put_no_valve_in_doubt() {
    for faults in [Faults::default(), Faults { legacy_valve: true, ..Faults::default() }] {
        let mut desk = Desk::new(driver(faults));
        desk.found(1).await;
        for (id, to) in [(1, 8), (2, 2), (3, 2), (4, 31), (5, 1)] {
            desk.order(id, ValveOrder::Goto(channel(to)));
            assert_eq!(desk.next_answer().await, (id, Ok(at(to))));
            assert!(tokio::time::timeout(Duration::from_secs(20), desk.reports.recv()).await.is_err());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_count_costs_a_valve_nothing() {
    let dial = at_five(|_, line| (line == "CNT").then(String::new));
    let mut desk = Desk::new(vici(dial));
    desk.found(5).await;
    // Each question without an answer costs a connection, behind which it says who it is.
    let mut contacts = 0;
    while let Ok(report) = tokio::time::timeout(Duration::from_secs(300), desk.reports.recv()).await {
        assert!(matches!(report, Some(Report::Valve(ValveNews::Contacted { .. }))), "{report:?}");
        contacts += 1;
    }
    assert!(contacts <= 3, "{contacts}");
}
