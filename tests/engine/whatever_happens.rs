//! Many worlds, each from a seed: whatever the devices do, what must hold does.

use std::time::Duration;

use gasera::domain::{Sync, Tick};

use super::runs::{check, check_nothing_lost};
use crate::support::world::{Manners, World, plan, seconds};

fn manners(seed: u64, world: &mut World) -> Manners {
    let milliseconds = |world: &mut World, most: u64| Duration::from_millis(world.random(most));
    Manners {
        cycle: Some(seconds(20 + world.random(100))),
        jitter: world.random(100),
        poll: Duration::from_millis(200) + milliseconds(world, 1500),
        travel: milliseconds(world, 3000),
        cancelling: milliseconds(world, 20_000),
        has_counter: !seed.is_multiple_of(4),
        prepare: None,
        start: None,
        valve_silent_from: None,
        valve_refuses_from: seed.is_multiple_of(7).then(|| Tick::ZERO + milliseconds(world, 300_000)),
        ..Manners::default()
    }
}

#[test]
fn no_world_credits_a_wrong_channel_loses_a_clean_sample_or_stays_busy() {
    for seed in 1..=2000 {
        let mut dice = World::new(Manners::default()).with_seed(seed);
        let manners = manners(seed, &mut dice);
        let undisturbed = manners.valve_refuses_from.is_none();
        let sync = if dice.random(2) == 0 { Sync::Analyzer } else { Sync::Dwell };
        let (purge, measure) = (dice.random(60), 1 + dice.random(200));
        let channels = ["1-3", "2,5,9", "4", "1,31"][usize::try_from(dice.random(4)).unwrap()];
        let mut world = World::new(manners).with_seed(seed);
        let start = world.start(plan(channels, 1 + u32::try_from(dice.random(3)).unwrap(), purge, measure, sync));
        let abort = (dice.random(3) == 0).then(|| {
            world.run_for(Duration::from_millis(dice.random(400_000)));
            world.abort()
        });
        world.settle(seconds(1_000_000));
        assert!(!world.is_measuring(), "seed {seed}: left measuring");
        assert_eq!(world.replies(start).len(), 1, "seed {seed}");
        assert!(abort.is_none_or(|abort| world.replies(abort).len() == 1), "seed {seed}");
        assert_eq!(world.endings().len(), 1, "seed {seed}");
        let checked = std::panic::catch_unwind(|| {
            check(&world);
            if undisturbed && abort.is_none() {
                check_nothing_lost(&world);
            }
        });
        assert!(checked.is_ok(), "seed {seed}");
    }
}
