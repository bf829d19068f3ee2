//! How long a run takes is told before and while it is under way: within two percent or one iteration, whichever is more.
//! The pace of the analyzer is known from a short run before, as it is for every run of a daemon but its first.
//!
//! The analyzer here is steady. Where a purge ends within a look of the beginning of a gas exchange, chance decides at
//! each visit whether it takes one iteration more; no estimate foresees that, and no such plan is among these.

use std::time::Duration;

use gasera::domain::{Event, Outcome, Pace, Plan, Sync};
use gasera::engine::Effect;

use super::runs::lively;
use crate::support::world::{Manners, World, plan, seconds};

/// A world in which the analyzer has measured before, so that its pace is known.
fn acquainted(manners: Manners, seed: u64) -> World {
    let mut world = World::new(manners).with_seed(seed);
    let mut short = plan("1", 1, 0, 20, Sync::Analyzer);
    short.iterations = Some(6);
    world.start(short);
    world.settle(seconds(10_000));
    world
}

/// Carries it out; how far the estimates were off, at most, and what is allowed.
fn off_by(mut world: World, asked: Plan) -> (Duration, Duration) {
    let cycle = world.manners.cycle.unwrap();
    let (from, begun) = (world.effects.len(), world.now);
    let pace = world.state.status(world.moment()).analyzer.pace.unwrap_or(Pace::ASSUMED);
    let mut told = vec![asked.total(pace)];
    world.start(asked);
    while world.state.is_busy() {
        told.extend(world.state.progress(world.now).tt_seconds.map(Duration::from_secs_f64));
        world.run_for(seconds(7));
    }
    let ended = |(at, effect): &(_, Effect)| matches!(effect, Effect::Tell(Event::RunFinished { .. })).then_some(*at);
    let actual = world.effects[from..].iter().find_map(ended).unwrap().since(begun);
    assert_eq!(world.endings().pop().unwrap().0, Outcome::Completed);
    let worst = told.iter().map(|told| told.abs_diff(actual)).max().unwrap();
    (worst, cycle.max(actual / 50))
}

fn check(manners: &Manners, asked: &Plan, seed: u64) {
    let (worst, allowed) = off_by(acquainted(manners.clone(), seed), asked.clone());
    assert!(worst <= allowed, "off by {worst:?}, {allowed:?} is allowed, seed {seed}: {manners:?} {asked:?}");
}

#[test]
fn whatever_the_plan_and_the_pace_the_estimate_is_good_to_two_percent_or_one_iteration() {
    let (mut worlds, mut seed) = (0, 0);
    for cycle in [20, 45, 58, 90, 120] {
        for sync in [Sync::Analyzer, Sync::Dwell] {
            for overlap in [true, false] {
                for (channels, repeats, pause, measure) in
                    [("1-4", 3, 30, 290), ("2,5,9", 8, 10, 260), ("1,31", 5, 90, 400), ("1-8", 2, 60, 150)]
                {
                    for iterations in [None, Some(1), Some(3)] {
                        if sync == Sync::Dwell && (iterations.is_some() || measure < cycle * 3 / 2) {
                            continue;
                        }
                        seed += 1;
                        let mut asked = plan(channels, repeats, pause, measure, sync);
                        (asked.overlap, asked.iterations) = (overlap, iterations);
                        asked.discard_first = u32::from(seed % 3 == 0 && sync == Sync::Analyzer);
                        let manners = Manners { cycle: Some(seconds(cycle)), jitter: 0, ..lively() };
                        check(&manners, &asked, seed);
                        worlds += 1;
                    }
                }
            }
        }
    }
    eprintln!("{worlds} plans");
}
