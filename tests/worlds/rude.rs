//! Many worlds, each from a seed, with none to three habits of rude instruments, networks and hosts. The plant's own
//! account decides.
//!
//! `RUDE=1234 cargo test one_rude_world_again -- --nocapture` shows a single one again; `RUDE_WORLDS=10000` makes more.

mod habit;
mod judge;
mod tally;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gasera::domain::{AnalyzerPhase, Fact, IfMeasuring, Plan};
use gasera::engine::Effect;

use super::chosen::World;
use crate::support::stack::dice::Dice;
use crate::support::stack::wire::Line;
use crate::support::stack::{Stack, in_virtual_time};
use habit::{Deed, Drawn, Habit};
use judge::{Verdict, Wrong, judge};
use tally::Tally;

const WORLDS: u64 = 500;
/// However slow a world is, it is over by then.
const LONGEST: Duration = Duration::from_secs(12 * 3600);
const MINUTE: Duration = Duration::from_secs(60);

struct RudeWorld {
    world: World,
    habits: Vec<Habit>,
    /// In the order of time, since the main run began.
    deeds: Vec<(Duration, Deed)>,
    dice: Dice,
}

impl RudeWorld {
    /// Every fourth one is polite.
    fn new(seed: u64) -> Self {
        // The world itself is one that seeded worlds have, with the same seed.
        let mut world = World::new(seed);
        let mut dice = Dice::new(seed ^ 0x5eed_0f2a_de11);
        let length = length(&world.plan);
        let (mut habits, mut deeds) = (Vec::new(), Vec::new());
        for _ in 0..seed % 4 {
            let habit = Habit::ALL[usize::try_from(dice.between(0, Habit::ALL.len() as u64 - 1)).unwrap()];
            if !habit.suits(&world) || habits.iter().any(|other| habit.excludes(*other)) {
                continue;
            }
            let Drawn { faults, deeds: more } = habit.draw(&world, length, &mut dice);
            world.design.faults = format!("{}\n{faults}", world.design.faults);
            deeds.extend(more);
            habits.push(habit);
        }
        habits.sort();
        deeds.sort_by_key(|(at, _)| *at);
        Self { world, habits, deeds, dice }
    }

    fn names(&self) -> String {
        self.habits.iter().map(|habit| habit.name()).collect::<Vec<_>>().join(" + ")
    }

    /// To its end, whatever comes of it.
    async fn live(&mut self) -> Stack {
        let mut stack = Stack::new(&self.world.design);
        let plan = self.world.plan.clone();
        let adopts = self.habits.contains(&Habit::Adoption);
        if adopts || self.habits.contains(&Habit::SecondRun) {
            self.run_before(&mut stack, &plan).await;
        }
        if adopts {
            self.somebody_measures(&mut stack).await;
        }
        stack.start_if(plan, if adopts { IfMeasuring::Adopt } else { IfMeasuring::Refuse }).await;
        let mut passed = Duration::ZERO;
        for (at, deed) in &self.deeds {
            let time = at.saturating_sub(passed);
            stack.run_until(time, |state| !state.is_busy()).await;
            passed = passed.max(*at);
            if !stack.state.is_busy() {
                break;
            }
            do_it(*deed, &mut stack).await;
        }
        stack.run_until(LONGEST, |state| !state.is_busy()).await;
        stack
    }

    /// An earlier run that somebody ends within a gas exchange.
    async fn run_before(&mut self, stack: &mut Stack, plan: &Plan) {
        stack.start(plan.clone()).await;
        stack.run_for(self.dice.seconds(60, 300)).await;
        stack.run_until(MINUTE * 3, |state| state.analyzer().phase == Some(AnalyzerPhase::GasExchange)).await;
        stack.run_for(self.dice.seconds(0, 5)).await;
        stack.abort();
        stack.run_until(MINUTE * 10, |state| !state.is_busy()).await;
    }

    /// Somebody else starts a measurement with a program of his own, on whatever line the valve stands.
    async fn somebody_measures(&mut self, stack: &mut Stack) {
        stack.run_for(self.dice.seconds(10, 60)).await;
        stack.somebody_else_asks("STAM K0 11").await;
        stack.run_for(self.dice.seconds(2, 200)).await;
    }
}

async fn do_it(deed: Deed, stack: &mut Stack) {
    match deed {
        Deed::StopDaemon(time) => stack.stop_daemon(time).await,
        Deed::SuspendHost(time) => stack.suspend_host(time),
        Deed::OutOfReach(line, time) => stack.analyzer_out_of_reach(line, time).await,
        Deed::RestartOutOfReach(time) => {
            stack.analyzer_wire.be(Line::Down);
            stack.run_for(time).await;
            stack.somebody_else_asks("STPM K0").await;
            // It takes as long as it takes to cancel.
            stack.run_for(Duration::from_secs(13)).await;
            stack.somebody_else_asks("STAM K0 11").await;
            stack.run_for(time).await;
            stack.analyzer_wire.be(Line::Sound);
        }
        Deed::ReplugValve => {
            stack.valve_wire.be(Line::Down);
            stack.run_for(Duration::from_secs(8)).await;
            stack.valve_wire.be(Line::Sound);
        }
    }
}

/// About how long a run takes.
fn length(plan: &Plan) -> Duration {
    let stops = plan.stops();
    let one: Duration = stops.iter().map(|stop| plan.settle + stop.purge + stop.measure).sum();
    one * plan.repeats
}

/// One world, and what is wrong with it.
fn try_out(seed: u64, shown: bool) -> (RudeWorld, Verdict) {
    let mut world = RudeWorld::new(seed);
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        in_virtual_time(async {
            let stack = world.live().await;
            let mut verdict = judge(&stack, world.world.margin());
            if stack.state.is_busy() {
                verdict.wrong.push((Wrong::Endless, format!("waits for {:?}", stack.state.deadline())));
            }
            if shown {
                show(&world, &stack);
            }
            verdict
        })
    }));
    let panicked = |_| Verdict { wrong: vec![(Wrong::Panicked, "it panicked".into())], ..Verdict::default() };
    let verdict = outcome.unwrap_or_else(panicked);
    (world, verdict)
}

fn show(world: &RudeWorld, stack: &Stack) {
    eprintln!("{}\n{:#?}\n{:#?}\n{:#?}", world.names(), world.world.design, world.world.plan, world.deeds);
    for truth in stack.truth() {
        let (id, share) = (truth.id(), truth.fraction);
        eprintln!("truth {id:?} {} {} channel {} {share:.3}", truth.exchange_start_utc, truth.stamp, truth.channel);
    }
    for (at, effect) in &stack.effects {
        match effect {
            Effect::Keep(Fact::Recorded(record)) => {
                let (good, exchange) = (record.is_good(), record.exchange);
                eprintln!("{} record {} good {good} {:?} {:?}", at.utc, record.seq, record.channel, record.flags);
                eprintln!("    stamp {:?} exchange {exchange:?} {}", record.sample.stamp, record.sample.raw);
            }
            Effect::Keep(fact) => eprintln!("{} {fact:?}", at.utc),
            Effect::Tell(gasera::domain::Event::Alarm { code, text, .. }) => eprintln!("{} {code}: {text}", at.utc),
            Effect::Reply { answer, .. } => eprintln!("{} {answer:?}", at.utc),
            _ => {}
        }
    }
}

/// All worlds up to `count`, on all processors.
fn worlds(seeds: impl Fn(u64) -> u64 + Send + Sync, count: u64) -> Tally {
    let (next, tally) = (AtomicU64::new(1), Mutex::new(Tally::default()));
    let work = || {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            if place > count {
                return;
            }
            let seed = seeds(place);
            let (world, verdict) = try_out(seed, false);
            tally.lock().unwrap().add(seed, &world.habits, verdict);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(work);
        }
    });
    let mut tally = tally.into_inner().unwrap();
    tally.failed.sort_by_key(|failed| failed.seed);
    tally
}

/// Those that should be good and are not, in a hundred worlds without a habit.
#[track_caller]
fn hides_nothing(tally: &Tally) {
    let polite = tally.polite();
    assert!(
        polite.owed > 0 && polite.paid * 100 >= polite.owed * 99,
        "of polite worlds too little is good: {polite:?}"
    );
}

#[test]
fn no_rude_world_names_a_wrong_channel_or_loses_in_silence() {
    let count = std::env::var("RUDE_WORLDS").map_or(WORLDS, |count| count.parse().unwrap());
    let tally = worlds(|place| place, count);
    println!("{}\n{}", tally.table(), tally.list());
    assert!(tally.failed.is_empty(), "{} worlds of {count} went wrong", tally.failed.len());
    hides_nothing(&tally);
}

#[test]
fn polite_worlds_hide_nothing_in_flags() {
    // Every fourth seed has no habit.
    let tally = worlds(|place| place * 4, 40);
    println!("{}\n{}", tally.table(), tally.list());
    assert!(tally.failed.is_empty(), "{}", tally.list());
    hides_nothing(&tally);
}

#[test]
fn one_rude_world_again() {
    let seed = std::env::var("RUDE").map_or(4, |seed| seed.parse().unwrap());
    let (world, verdict) = try_out(seed, std::env::var("RUDE").is_ok());
    println!("{}: {:?}", world.names(), verdict.account);
    assert!(verdict.wrong.is_empty(), "RUDE={seed}, {}: {:#?}", world.names(), verdict.wrong);
}

mod proof;
