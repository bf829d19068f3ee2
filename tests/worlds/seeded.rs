//! Many worlds, each from a seed: whatever instrument, valve and plan it has, the plant's own account decides.
//!
//! `WORLD=1234 cargo test one_world_again -- --nocapture` shows a single one again.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gasera::domain::{Outcome, Record, Sync};

use super::chosen::World;
use crate::support::stack::ledger::{Ledger, Margin, account_within, hidden_within};
use crate::support::stack::{Stack, in_virtual_time};

const WORLDS: u64 = 2000;
/// However slow a world is, it is over by then.
const LONGEST: Duration = Duration::from_secs(48 * 3600);
/// A look at a slow analyzer takes no longer.
const LOOK: Duration = Duration::from_secs(1);

/// One world to its end.
fn measure(world: &World, shown: bool) -> Result<Ledger, String> {
    let show = |what: String| {
        if shown {
            eprintln!("{what}");
        }
    };
    show(format!("{:#?}\n{:#?}", world.design, world.plan));
    in_virtual_time(async {
        let mut stack = Stack::new(&world.design);
        let start = stack.start(world.plan.clone()).await;
        stack.settle(LONGEST).await;
        let hidden = hidden_within(&stack, &world.plan, world.margin()).join("\n");
        show(format!("{:?} {:?}\n{hidden}", stack.replies(start), stack.endings()));
        judge(world, &stack)
    })
}

fn judge(world: &World, stack: &Stack) -> Result<Ledger, String> {
    let endings = stack.endings();
    let [(outcome, reason)] = &endings[..] else { return Err(format!("ended {endings:?}")) };
    // With fixed timings a visit may be too short for a sample; without phases none is known for certain to be in time.
    let may_be_barren = (world.plan.sync == Sync::Dwell || !world.tells_phases) && !world.is_generous();
    if *outcome != Outcome::Completed && !(*outcome == Outcome::Partial && may_be_barren) {
        return Err(format!("{outcome:?}: {reason}"));
    }
    let ledger = account_within(stack, &world.plan, world.margin())?;
    each_gas_is_of_its_channel(stack)?;
    comes_to_rest(world, stack)?;
    if !may_be_barren {
        each_visit_is_measured(stack)?;
    }
    hides_little(world, stack)?;
    Ok(ledger)
}

/// Also where plan and analyzer keep step, so that what happens to one visit happens to all: a gas exchange that begins
/// within the look at the end of the purge may have begun before it, and only the sum of all worlds counts those.
fn hides_little(world: &World, stack: &Stack) -> Result<(), String> {
    let margin = world.margin();
    let margin = Margin { before: margin.before + LOOK, ..margin };
    let ledger = account_within(stack, &world.plan, margin)?;
    if ledger.hidden > 3.max(ledger.owed / 5) {
        return Err(format!("{ledger:?}: {}", hidden_within(stack, &world.plan, margin).join("\n")));
    }
    Ok(())
}

/// Also a gas that clings to the walls, unless its reading is marked.
fn each_gas_is_of_its_channel(stack: &Stack) -> Result<(), String> {
    let truth = stack.truth();
    for record in stack.records().into_iter().filter(|record| record.is_good()) {
        let truth = truth.iter().find(|truth| truth.stamp == record.sample.stamp.0).ok_or("no such stamp")?;
        let unmarked = record.sample.readings.iter().filter(|reading| !reading.discard);
        for reading in unmarked {
            if truth.shares[&reading.cas.0] < 0.99 {
                return Err(format!("{} of the line before: {record:#?} is {truth:#?}", reading.cas));
            }
        }
    }
    Ok(())
}

fn comes_to_rest(world: &World, stack: &Stack) -> Result<(), String> {
    match (world.plan.park, stack.state.valve().position.channel()) {
        (Some(park), Some(at)) if at != park => Err(format!("it rests on channel {at}, not parked on {park}")),
        (Some(park), None) => Err(format!("where it rests is not known, it is to be parked on {park}")),
        _ => Ok(()),
    }
}

fn each_visit_is_measured(stack: &Stack) -> Result<(), String> {
    let records = stack.records();
    let is_of = |visit, record: &&Record| record.is_good() && record.visit == Some(visit);
    let barren = stack.visits().into_iter().find(|visit| !records.iter().any(|record| is_of(visit.id, record)));
    barren.map_or(Ok(()), |visit| Err(format!("no good record of {visit:?}")))
}

/// What became of the worlds.
#[derive(Debug, Default)]
struct Tally {
    total: Ledger,
    /// With how many worlds.
    by_driver: BTreeMap<&'static str, (u32, Ledger)>,
    /// By seed.
    wrong: Vec<(u64, String)>,
}

impl Tally {
    fn add(&mut self, seed: u64, driver: &'static str, outcome: Result<Ledger, String>) {
        match outcome {
            Ok(ledger) => {
                let (worlds, sum) = self.by_driver.entry(driver).or_default();
                *worlds += 1;
                *sum += ledger.clone();
                self.total += ledger;
            }
            Err(what) => self.wrong.push((seed, what)),
        }
    }

    /// Where there was something to count.
    fn table(&self) -> String {
        let mut table = format!(
            "{:24}{:>8}{:>12}{:>9}{:>8}{:>8}{:>8}{:>8}",
            "driver", "worlds", "iterations", "records", "good", "owed", "hidden", "missed"
        );
        let worlds = self.by_driver.values().map(|(worlds, _)| worlds).sum();
        for (driver, worlds, sum) in self
            .by_driver
            .iter()
            .map(|(driver, (worlds, sum))| (*driver, *worlds, sum))
            .chain([("all", worlds, &self.total)])
        {
            let Ledger { iterations, records, good, owed, hidden, missed, .. } = sum;
            let _ = write!(
                table,
                "\n{driver:24}{worlds:>8}{iterations:>12}{records:>9}{good:>8}{owed:>8}{hidden:>8}{missed:>8}"
            );
        }
        table
    }
}

/// All worlds up to `count`, on all processors.
fn worlds(count: u64) -> Tally {
    let (next, tally) = (AtomicU64::new(1), Mutex::new(Tally::default()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed > count {
                return;
            }
            let world = World::new(seed);
            let outcome = std::panic::catch_unwind(|| measure(&world, false));
            tally.lock().unwrap().add(seed, world.driver, outcome.unwrap_or_else(|_| Err("it panicked".into())));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(work);
        }
    });
    let mut tally = tally.into_inner().unwrap();
    tally.wrong.sort();
    tally
}

#[test]
fn no_world_names_a_wrong_channel_loses_an_iteration_or_hides_one_in_flags() {
    let count = std::env::var("WORLDS").map_or(WORLDS, |count| count.parse().unwrap());
    let tally = worlds(count);
    println!("{}", tally.table());
    let Tally { total, by_driver, wrong } = tally;
    let first = wrong.iter().take(5).map(|(seed, what)| format!("WORLD={seed}: {what}")).collect::<Vec<_>>().join("\n");
    let seeds: Vec<u64> = wrong.iter().map(|(seed, _)| *seed).collect();
    assert!(wrong.is_empty(), "{} worlds of {count} went wrong, {seeds:?}\n{first}", wrong.len());
    for (driver, (_, sum)) in by_driver.into_iter().chain([("all", (0, total))]) {
        assert!(sum.owed > 0 && sum.hidden * 100 <= sum.owed, "{driver}: {sum:?}");
    }
}

#[test]
fn one_world_again() {
    let seed = std::env::var("WORLD").map_or(1, |seed| seed.parse().unwrap());
    let ledger = measure(&World::new(seed), true).unwrap_or_else(|what| panic!("WORLD={seed}: {what}"));
    println!("{ledger:#?}");
}
