//! Nothing a moment too early: the purge that is really over, the valve that waits for the gas.

use std::time::Duration;

use gasera::domain::{Outcome, Phase, Record, Sync, Tick};
use gasera::engine::Effect;

use super::runs::{check, lively};
use crate::support::world::{Manners, World, plan, seconds};

fn ran(manners: Manners, seed: u64) -> World {
    let mut world = World::new(manners).with_seed(seed);
    world.start(plan("1-6", 3, 40, 100, Sync::Analyzer));
    world.settle(seconds(100_000));
    check(&world);
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
    world
}

/// When the purge of the visit was over by the plan that was drawn up for it.
fn purged(world: &World, record: &Record) -> Tick {
    let phases = world.phases();
    let purge = phases.iter().find(|(_, change)| change.phase == Phase::Purging && change.visit_id == record.visit);
    purge.expect("a visit is purged").0 + seconds(40)
}

#[test]
fn gas_drawn_before_the_end_of_the_purge_is_no_good_sample_however_rare_the_looks_are() {
    for seed in 1..=20 {
        let manners = Manners { poll: seconds(7), looking: Duration::from_millis(200), ..lively() };
        let world = ran(manners, seed);
        for record in world.records().iter().filter(|record| record.is_good()) {
            let began = world.iteration_of(record).began;
            assert!(began >= purged(&world, record), "seed {seed}: {record:?} began at {began:?}");
        }
    }
}

#[test]
fn in_step_with_the_analyzer_the_valve_never_moves_while_gas_is_drawn() {
    for seed in 1..=20 {
        let world = ran(lively(), seed);
        let moved = |(at, effect): &(Tick, Effect)| matches!(effect, Effect::Valve { .. }).then_some(*at);
        for at in world.effects.iter().filter_map(moved) {
            let drawn = world.iterations().into_iter().find(|drawn| drawn.began < at && at < drawn.exchanged);
            assert!(drawn.is_none(), "seed {seed}: moved at {at:?} within {drawn:?}");
        }
    }
}
