//! Many worlds, each from a seed: whatever instrument, valve and plan it has, the plant's own account decides.
//!
//! `WORLD=1234 cargo test one_world_again -- --nocapture` shows a single one again.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gasera::device::SessionMode;
use gasera::domain::{Background, Channel, Outcome, Plan, PlanDraft, Sync};

use crate::support::stack::dice::Dice;
use crate::support::stack::ledger::{Ledger, account, hidden};
use crate::support::stack::{Design, Stack, in_virtual_time};

const WORLDS: u64 = 2000;
/// However slow a world is, it is over by then.
const LONGEST: Duration = Duration::from_secs(48 * 3600);

fn design(seed: u64, dice: &mut Dice) -> Design {
    let mut faults = vec![format!("cancel_time = \"{}ms\"", dice.between(0, 12_000))];
    let sign = dice.one_of(&["", "-"]);
    faults.push(format!("clock_offset = \"{sign}{}ms\"", dice.between(0, 7_200_000)));
    faults.push(format!("stamp = \"{}\"", dice.one_of(&["sampling", "calculated"])));
    faults.push(format!("legacy_valve = {}", dice.once_in(2)));
    faults.push(format!("close_after_reply = {}", dice.once_in(4)));
    if dice.once_in(3) {
        faults.push(format!("slow_reply = \"{}ms\"", dice.between(1, 200)));
    }
    let channels = u8::try_from(dice.between(2, 31)).unwrap();
    Design {
        faults: faults.join("\n"),
        cycle: dice.seconds(40, 100),
        seed,
        ports: 31.min(channels + u8::try_from(dice.between(0, 3)).unwrap()),
        channels,
        poll: Duration::from_millis(dice.between(500, 2000)),
        mode: if dice.once_in(3) { SessionMode::Persistent } else { SessionMode::Auto },
        ..Design::default()
    }
}

fn plan(channels: u8, dice: &mut Dice) -> Plan {
    let sync = if dice.once_in(3) { Sync::Dwell } else { Sync::Analyzer };
    let few = dice.between(2, u64::from(channels).min(6));
    let listed: Vec<String> = (0..few).map(|_| dice.between(1, channels.into()).to_string()).collect();
    let analyzer = sync == Sync::Analyzer;
    let background =
        Background { channel: Channel::new(channels).unwrap(), every: u32::try_from(dice.between(1, 3)).unwrap() };
    let draft = PlanDraft {
        channels: listed.join(","),
        channel_count: channels,
        repeats: u32::try_from(dice.between(1, 2)).unwrap(),
        pause: dice.seconds(0, 90),
        measure: dice.seconds(10, if analyzer { 200 } else { 300 }),
        iterations: (analyzer && dice.once_in(2)).then(|| u32::try_from(dice.between(1, 3)).unwrap()),
        sync,
        settle: dice.seconds(3, 8),
        discard_first: if dice.once_in(3) { 1 } else { 0 },
        background: (analyzer && dice.once_in(4) && listed != [channels.to_string()]).then_some(background),
        overlap: !dice.once_in(3),
        ..PlanDraft::default()
    };
    Plan::new(draft.clone()).unwrap_or_else(|_| Plan::new(PlanDraft { background: None, ..draft }).unwrap())
}

/// One world to its end.
fn world(seed: u64, shown: bool) -> Result<Ledger, String> {
    let mut dice = Dice::new(seed);
    let design = design(seed, &mut dice);
    let plan = plan(design.channels, &mut dice);
    if shown {
        println!("{design:#?}\n{plan:#?}");
    }
    in_virtual_time(async {
        let mut stack = Stack::new(&design);
        let start = stack.start(plan.clone()).await;
        stack.settle(LONGEST).await;
        if shown {
            println!("{:?} {:?}\n{}", stack.replies(start), stack.endings(), hidden(&stack, &plan).join("\n"));
        }
        let endings = stack.endings();
        let [(outcome, reason)] = &endings[..] else { return Err(format!("ended {endings:?}")) };
        // With fixed timings a visit may be too short for a sample.
        let fits = *outcome == Outcome::Completed || (*outcome == Outcome::Partial && plan.sync == Sync::Dwell);
        if !fits {
            return Err(format!("{outcome:?}: {reason}"));
        }
        let ledger = account(&stack, &plan)?;
        if ledger.hidden > 3.max(ledger.owed / 10) {
            return Err(format!("{ledger:?}: {}", hidden(&stack, &plan).join("\n")));
        }
        Ok(ledger)
    })
}

/// All worlds up to `count`, on all processors; those that went wrong, by seed.
fn worlds(count: u64) -> (Ledger, Vec<(u64, String)>) {
    let (next, total, wrong) = (AtomicU64::new(1), Mutex::new(Ledger::default()), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed > count {
                return;
            }
            let outcome = std::panic::catch_unwind(|| world(seed, false));
            match outcome.unwrap_or_else(|_| Err("it panicked".into())) {
                Ok(ledger) => {
                    if ledger.hidden > 0 {
                        println!("{seed} hidden {}", ledger.hidden);
                    }
                    *total.lock().unwrap() += ledger
                }
                Err(what) => wrong.lock().unwrap().push((seed, what)),
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(work);
        }
    });
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    (total.into_inner().unwrap(), wrong)
}

#[test]
fn no_world_names_a_wrong_channel_loses_an_iteration_or_hides_one_in_flags() {
    let count = std::env::var("WORLDS").map_or(WORLDS, |count| count.parse().unwrap());
    let (total, wrong) = worlds(count);
    println!("{total:?}");
    let first = wrong.iter().take(5).map(|(seed, what)| format!("WORLD={seed}: {what}")).collect::<Vec<_>>().join("\n");
    assert!(
        wrong.is_empty(),
        "{} worlds of {count} went wrong, {:?}\n{first}",
        wrong.len(),
        wrong.iter().map(|w| w.0).collect::<Vec<_>>()
    );
    assert!(total.hidden * 100 <= total.owed, "{total:?}");
}

#[test]
fn one_world_again() {
    let seed = std::env::var("WORLD").map_or(1, |seed| seed.parse().unwrap());
    let ledger = world(seed, true).unwrap_or_else(|what| panic!("WORLD={seed}: {what}"));
    println!("{ledger:#?}");
}
