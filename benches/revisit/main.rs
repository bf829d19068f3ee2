//! How soon every channel is measured again, and how many good samples an hour gives: 31 channels, one good iteration
//! on each visit, in virtual time.
//!
//! The whole stack runs over the simulated plant, whose own account decides what is a good sample. Beside the two ways
//! of measuring in step with the analyzer runs what fixed timings give: those of the multiplexers that this replaces,
//! and the tightest that still hold a whole gas exchange in every visit.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::cast_precision_loss, reason = "counts are small")]

#[expect(dead_code, reason = "the tests use all of it")]
#[path = "../../tests/support/stack/mod.rs"]
mod stack;

use std::collections::BTreeMap;
use std::time::Duration;

use gasera::domain::{Plan, PlanDraft, Sync};
use stack::ledger::account;
use stack::{Design, Stack, in_virtual_time};

const REPEATS: u32 = 3;
const LONGEST: Duration = Duration::from_secs(14 * 24 * 3600);

/// One way of measuring.
struct Way {
    name: &'static str,
    sync: Sync,
    purge_s: u64,
    measure_s: u64,
    overlap: bool,
}

const fn in_step(name: &'static str, purge_s: u64, overlap: bool) -> Way {
    Way { name, sync: Sync::Analyzer, purge_s, measure_s: 300, overlap }
}

const fn fixed(purge_s: u64, measure_s: u64) -> Way {
    Way { name: "fixed timings", sync: Sync::Dwell, purge_s, measure_s, overlap: false }
}

const WAYS: [Way; 9] = [
    in_step("in step, overlapped", 20, true),
    in_step("in step, waiting for the result", 20, false),
    fixed(20, 75),
    in_step("in step, overlapped", 60, true),
    in_step("in step, waiting for the result", 60, false),
    fixed(60, 75),
    fixed(60, 120),
    fixed(120, 60),
    fixed(300, 300),
];

/// What a way gives.
struct Yield {
    /// From one arrival on a channel to the next, in the mean.
    revisit_s: f64,
    good_per_hour: f64,
    /// Visits that gave no good sample.
    barren: usize,
}

fn main() {
    println!("31 channels, {REPEATS} repeats, iterations of 58 s; ratios are to fixed timings of 300 s and 300 s\n");
    println!(
        "{:<34}{:>8}{:>9}{:>12}{:>8}{:>9}{:>8}{:>8}",
        "way", "purge s", "measure", "revisit min", "ratio", "good/h", "ratio", "barren"
    );
    let yields: Vec<Yield> = WAYS.iter().map(measure).collect();
    let reference = &yields[WAYS.len() - 1];
    for (way, got) in WAYS.iter().zip(&yields) {
        let measured = if way.sync == Sync::Dwell { format!("{} s", way.measure_s) } else { "1 good".to_owned() };
        println!(
            "{:<34}{:>8}{measured:>9}{:>12.1}{:>8.2}{:>9.1}{:>8.2}{:>8}",
            way.name,
            way.purge_s,
            got.revisit_s / 60.0,
            reference.revisit_s / got.revisit_s,
            got.good_per_hour,
            got.good_per_hour / reference.good_per_hour,
            got.barren,
        );
    }
    println!();
    for place in [0, 3] {
        let (with, without) = (&yields[place], &yields[place + 1]);
        let ratio = without.revisit_s / with.revisit_s;
        println!("purge {} s: without overlap a revisit takes {ratio:.2} times as long", WAYS[place].purge_s);
    }
}

fn plan(way: &Way) -> Plan {
    let draft = PlanDraft {
        repeats: REPEATS,
        purge: Duration::from_secs(way.purge_s),
        measure: Duration::from_secs(way.measure_s),
        iterations: (way.sync == Sync::Analyzer).then_some(1),
        sync: way.sync,
        overlap: way.overlap,
        ..PlanDraft::default()
    };
    Plan::new(draft).unwrap_or_else(|error| panic!("{error}"))
}

fn measure(way: &Way) -> Yield {
    in_virtual_time(async {
        let plan = plan(way);
        let mut stack = Stack::new(&Design::default());
        stack.start(plan.clone()).await;
        let began = stack.now().tick;
        stack.settle(LONGEST).await;
        let ledger = account(&stack, &plan).unwrap_or_else(|what| panic!("{what}"));
        let hours = stack.now().tick.since(began).as_secs_f64() / 3600.0;
        Yield { revisit_s: revisit(&stack), good_per_hour: ledger.good as f64 / hours, barren: barren(&stack) }
    })
}

fn revisit(stack: &Stack) -> f64 {
    let mut last = BTreeMap::new();
    let mut between = Vec::new();
    for visit in stack.visits() {
        let arrived = visit.arrived.as_seconds();
        between.extend(last.insert(visit.channel, arrived).map(|before| arrived - before));
    }
    between.iter().sum::<f64>() / between.len() as f64
}

fn barren(stack: &Stack) -> usize {
    let fruitful = |visit| stack.records().iter().any(|record| record.is_good() && record.visit == Some(visit));
    stack.visits().iter().filter(|visit| !fruitful(visit.id)).count()
}
