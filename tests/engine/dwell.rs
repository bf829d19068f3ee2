//! Fixed timings, phase by phase, as dashboards of the pulse multiplexers know them: recordings of their reference
//! engine, written down as elapsed seconds, phase, channel and progress. Two things differ on purpose: the line settles
//! after the move of the valve, and the estimated total is gone when the run is over.

use std::time::Duration;

use gasera::domain::{Channel, Phase, Sync, Tick, ValveOrder};
use gasera::engine::Effect;

use crate::support::world::{Manners, World, plan, seconds};

/// elapsed s, ticks, phase, current, next, percent, overall, repeats done, steps done
type Row = (f64, usize, Phase, u8, Option<u8>, u32, u32, u32, u32);

const TWO_CHANNELS_TWICE: [Row; 14] = [
    (0.0, 11, Phase::Homing, 0, None, 0, 0, 0, 0),
    (5.0, 11, Phase::Paused, 0, Some(1), 0, 0, 0, 0),
    (15.0, 11, Phase::Measuring, 0, Some(1), 0, 0, 0, 0),
    (25.0, 11, Phase::Switching, 0, Some(1), 50, 25, 0, 1),
    (30.0, 11, Phase::Paused, 1, Some(2), 50, 25, 0, 1),
    (40.0, 11, Phase::Measuring, 1, Some(2), 50, 25, 0, 1),
    (50.0, 11, Phase::Homing, 0, None, 0, 50, 1, 2),
    (55.0, 11, Phase::Paused, 0, Some(1), 0, 50, 1, 2),
    (65.0, 11, Phase::Measuring, 0, Some(1), 0, 50, 1, 2),
    (75.0, 11, Phase::Switching, 0, Some(1), 50, 75, 1, 3),
    (80.0, 11, Phase::Paused, 1, Some(2), 50, 75, 1, 3),
    (90.0, 11, Phase::Measuring, 1, Some(2), 50, 75, 1, 3),
    (100.0, 3, Phase::Switching, 1, Some(2), 100, 100, 1, 4),
    (101.0, 1, Phase::Idle, 1, Some(2), 100, 100, 2, 4),
];

const SECOND_AND_FOURTH: [Row; 10] = [
    (0.0, 11, Phase::Homing, 0, None, 0, 0, 0, 0),
    (5.0, 11, Phase::Switching, 0, Some(1), 0, 0, 0, 0),
    (10.0, 5, Phase::Paused, 1, Some(2), 0, 0, 0, 0),
    (12.0, 9, Phase::Measuring, 1, Some(2), 0, 0, 0, 0),
    (16.0, 11, Phase::Switching, 1, Some(2), 50, 50, 0, 1),
    (21.0, 11, Phase::Switching, 2, Some(3), 50, 50, 0, 1),
    (26.0, 5, Phase::Paused, 3, Some(4), 50, 50, 0, 1),
    (28.0, 9, Phase::Measuring, 3, Some(4), 50, 50, 0, 1),
    (32.0, 3, Phase::Switching, 3, Some(4), 100, 100, 0, 2),
    (33.0, 1, Phase::Idle, 3, Some(4), 100, 100, 1, 2),
];

/// The phases that were told, with how often each was told of: once by its event, then by ticks until the next.
fn rows(world: &World) -> Vec<Row> {
    let phases = world.phases();
    let ends = phases.iter().skip(1).map(|(at, _)| Some(*at)).chain([None]);
    phases
        .iter()
        .zip(ends)
        .map(|((at, change), end)| {
            let progress = &change.progress;
            let told = 1 + end.map_or(0, |end| ticks(*at, end));
            (
                progress.elapsed_seconds,
                told,
                progress.phase,
                progress.current_channel,
                progress.next_channel,
                progress.percent,
                progress.overall_percent,
                progress.repeat_index,
                progress.step_index,
            )
        })
        .collect()
}

/// Twice a second while less than ten are waited, else once.
fn ticks(from: Tick, to: Tick) -> usize {
    let wait = to.since(from);
    let cadence = if wait < seconds(10) { Duration::from_millis(500) } else { seconds(1) };
    usize::try_from(wait.as_micros().div_ceil(cadence.as_micros())).unwrap()
}

#[test]
fn two_channels_twice() {
    let mut world = World::new(Manners::default());
    world.start(plan("1,2", 2, 10, 10, Sync::Dwell));
    world.settle(seconds(200));
    assert_eq!(rows(&world), TWO_CHANNELS_TWICE);
}

#[test]
fn channels_in_between_are_passed_and_cost_their_time() {
    let mut world = World::new(Manners::default());
    world.start(plan("2,4", 1, 2, 4, Sync::Dwell));
    world.settle(seconds(200));
    assert_eq!(rows(&world), SECOND_AND_FOURTH);
}

#[test]
fn an_abort_interrupts_at_once_and_keeps_the_progress() {
    let mut world = World::new(Manners::default());
    world.start(plan("1,2", 1, 10, 10, Sync::Dwell));
    world.run_for(seconds(40));
    world.abort();
    world.settle(seconds(10));
    let last = *rows(&world).last().unwrap();
    assert_eq!(last, (40.0, 1, Phase::Aborted, 1, Some(2), 50, 50, 0, 1));
}

#[test]
fn the_estimate_is_the_time_it_takes() {
    for (channels, repeats) in [("1,2", 2), ("2,4", 1), ("31", 3), ("1-31", 2)] {
        let plan = plan(channels, repeats, 10, 60, Sync::Dwell);
        let mut world = World::new(Manners::default());
        world.start(plan.clone());
        world.settle(seconds(100_000));
        let last = rows(&world).pop().unwrap();
        assert_eq!(last.0, plan.total().as_secs_f64(), "{channels} x {repeats}");
        let first = world.phases().first().unwrap().1.progress.tt_seconds;
        assert_eq!(first, Some(plan.total().as_secs_f64()));
    }
}

#[test]
fn after_two_days_every_phase_is_still_where_the_plan_has_it() {
    let mut world = World::new(Manners::default());
    world.start(plan("1-4", 144, 60, 235, Sync::Dwell));
    world.settle(seconds(200_000));
    let phases = world.phases();
    let begun: Vec<(Duration, Phase)> =
        phases.iter().map(|(at, change)| (at.since(phases[0].0), change.phase)).collect();
    let (repeats, closing) = begun.split_at(begun.len() - 2);
    let (first, later) = repeats.split_at(repeats.len() / 144);
    assert_eq!(first.len(), 12);
    for (index, (at, phase)) in later.iter().enumerate() {
        let (planned, same) = first[index % first.len()];
        let repeat = u32::try_from(index / first.len() + 1).unwrap();
        assert_eq!((*at, *phase), (planned + seconds(1200) * repeat, same), "repeat {repeat}");
    }
    assert_eq!(closing.iter().map(|(_, phase)| *phase).collect::<Vec<_>>(), [Phase::Switching, Phase::Idle]);
}

#[test]
fn the_valve_moves_first_and_settles_then() {
    let mut world = World::new(Manners::default());
    world.start(plan("1,2", 1, 10, 10, Sync::Dwell));
    world.settle(seconds(200));
    let second = Channel::new(2).unwrap();
    let moved = world.effects.iter().find_map(|(at, effect)| match effect {
        Effect::Valve { order: ValveOrder::Goto(channel), .. } if *channel == second => Some(*at),
        _ => None,
    });
    let switching = world.phases().iter().find(|(_, change)| change.phase == Phase::Switching).map(|(at, _)| *at);
    assert_eq!(moved, switching);
}

#[test]
fn ticks_come_twice_a_second_in_short_waits_and_once_in_long_ones() {
    let mut world = World::new(Manners::default());
    world.start(plan("1", 1, 20, 4, Sync::Dwell));
    world.run_for(seconds(1));
    let first = world.state.next_tick(world.now).unwrap();
    assert_eq!(first.since(world.now), Duration::from_millis(500));
    world.run_for(seconds(6));
    let second = world.state.next_tick(world.now).unwrap();
    assert_eq!(second.since(world.now), seconds(1));
}
