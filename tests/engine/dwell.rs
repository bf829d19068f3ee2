//! Fixed timings, phase by phase, as dashboards of the pulse multiplexers know them: recordings of their reference
//! engine, written down as elapsed seconds, phase, channel and progress. Two things differ on purpose: the line settles
//! after the move of the valve, and the estimated total is gone when the run is over.

use std::time::Duration;

use gasera::domain::{Channel, Control, Event, Fact, Outcome, Pace, Phase, Plan, Sync, Tick, Utc, ValveOrder};
use gasera::engine::{Effect, What};

use super::runs::{check, lively};
use crate::support::world::{Manners, World, plan, seconds};

/// elapsed s, ticks, phase, current, next, percent, overall, repeats done, steps done
type Row = (f64, usize, Phase, u8, Option<u8>, u32, u32, u32, u32);

const TWO_CHANNELS_TWICE: [Row; 14] = [
    (0.0, 11, Phase::Homing, 0, None, 0, 0, 0, 0),
    (5.0, 11, Phase::Purging, 0, Some(1), 0, 0, 0, 0),
    (15.0, 11, Phase::Measuring, 0, Some(1), 0, 0, 0, 0),
    (25.0, 11, Phase::Switching, 0, Some(1), 50, 25, 0, 1),
    (30.0, 11, Phase::Purging, 1, Some(2), 50, 25, 0, 1),
    (40.0, 11, Phase::Measuring, 1, Some(2), 50, 25, 0, 1),
    (50.0, 11, Phase::Homing, 0, None, 0, 50, 1, 2),
    (55.0, 11, Phase::Purging, 0, Some(1), 0, 50, 1, 2),
    (65.0, 11, Phase::Measuring, 0, Some(1), 0, 50, 1, 2),
    (75.0, 11, Phase::Switching, 0, Some(1), 50, 75, 1, 3),
    (80.0, 11, Phase::Purging, 1, Some(2), 50, 75, 1, 3),
    (90.0, 11, Phase::Measuring, 1, Some(2), 50, 75, 1, 3),
    (100.0, 3, Phase::Switching, 1, Some(2), 100, 100, 1, 4),
    (101.0, 1, Phase::Idle, 1, Some(2), 100, 100, 2, 4),
];

const SECOND_AND_FOURTH: [Row; 10] = [
    (0.0, 11, Phase::Homing, 0, None, 0, 0, 0, 0),
    (5.0, 11, Phase::Switching, 0, Some(1), 0, 0, 0, 0),
    (10.0, 5, Phase::Purging, 1, Some(2), 0, 0, 0, 0),
    (12.0, 9, Phase::Measuring, 1, Some(2), 0, 0, 0, 0),
    (16.0, 11, Phase::Switching, 1, Some(2), 50, 50, 0, 1),
    (21.0, 11, Phase::Switching, 2, Some(3), 50, 50, 0, 1),
    (26.0, 5, Phase::Purging, 3, Some(4), 50, 50, 0, 1),
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
        assert_eq!(last.0, plan.total(Pace::ASSUMED).as_secs_f64(), "{channels} x {repeats}");
        let first = world.phases().first().unwrap().1.progress.tt_seconds;
        assert_eq!(first, Some(plan.total(Pace::ASSUMED).as_secs_f64()));
    }
}

/// A valve, looks and wake-ups as slow as real ones are.
fn sluggish() -> Manners {
    let (looking, lateness) = (Duration::from_millis(3), Duration::from_millis(5));
    Manners { travel: Duration::from_millis(3700), looking, lateness, ..lively() }
}

/// The stages with a planned end, in order: repeat, phase, channel.
type Planned = (u32, Phase, Option<Channel>);

/// Where the plan has the phases that end when their time is over: when they begin and end.
fn planned(plan: &Plan) -> Vec<(Planned, Duration, Duration)> {
    let timed = plan.timeline(Pace::ASSUMED).into_iter().filter(|entry| is_timed(entry.phase));
    timed
        .map(|entry| ((entry.repeat, entry.phase, entry.channel), entry.offset, entry.offset + entry.duration))
        .collect()
}

fn is_timed(phase: Phase) -> bool {
    matches!(phase, Phase::Purging | Phase::Measuring)
}

/// Where they really began, and the deadlines that were set for them.
fn carried_out(world: &World) -> Vec<(Planned, Duration, Duration)> {
    let phases = world.phases();
    let (start, utc) = (phases[0].0, world.effects.iter().find_map(|(_, effect)| begun(effect)).unwrap());
    let timed = phases.iter().filter(|(_, change)| is_timed(change.phase));
    timed
        .map(|(at, change)| {
            let until = u64::try_from(change.until.unwrap().as_micros() - utc.as_micros()).unwrap();
            ((change.repeat, change.phase, change.channel), at.since(start), Duration::from_micros(until))
        })
        .collect()
}

fn begun(effect: &Effect) -> Option<Utc> {
    match effect {
        Effect::Keep(Fact::RunStarted(summary)) => Some(summary.started),
        _ => None,
    }
}

#[test]
fn after_two_days_of_slow_answers_every_deadline_is_where_the_plan_has_it_and_every_phase_within_ten_milliseconds() {
    let asked = plan("1-3,5", 144, 60, 235, Sync::Dwell);
    let mut world = World::new(sluggish()).with_seed(48);
    world.start(asked.clone());
    world.settle(seconds(200_000));
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
    let (planned, real) = (planned(&asked), carried_out(&world));
    assert_eq!((real.len(), planned.len()), (144 * 8, 144 * 8));
    for ((stage, begins, ends), (same, began, deadline)) in planned.iter().zip(&real) {
        assert_eq!((same, deadline), (stage, ends));
        let late = began.saturating_sub(*begins);
        assert!(began >= begins && late <= Duration::from_millis(10), "{stage:?} begins {late:?} late");
    }
}

fn slips(world: &World) -> usize {
    let slipped =
        |effect: &Effect| matches!(effect, Effect::Tell(Event::Alarm { code, .. }) if code == "schedule_slipped");
    world.effects.iter().filter(|(_, effect)| slipped(effect)).count()
}

#[test]
fn what_the_valve_takes_comes_out_of_the_time_to_settle_and_of_a_tenth_of_the_purge() {
    let asked = plan("1,2", 3, 30, 100, Sync::Dwell);
    let mut world = World::new(Manners { travel: seconds(8), ..lively() });
    world.start(asked.clone());
    world.settle(seconds(10_000));
    let drift = |world: &World| {
        let pairs = planned(&asked).into_iter().zip(carried_out(world));
        pairs.map(|((_, _, ends), (_, _, deadline))| deadline.abs_diff(ends)).collect::<Vec<_>>()
    };
    // The first homing is over when the analyzer measures; from there on nothing is later.
    assert_eq!(drift(&world), vec![seconds(3); 12]);
    assert_eq!(slips(&world), 0);
}

#[test]
fn a_line_that_could_not_be_purged_in_time_is_purged_as_long_as_the_plan_says_and_the_slip_is_told() {
    let asked = plan("1,2", 2, 30, 100, Sync::Dwell);
    let mut world = World::new(Manners { travel: seconds(9), ..lively() });
    world.start(asked);
    world.settle(seconds(10_000));
    check(&world);
    let phases = world.phases();
    let purges = phases.windows(2).filter(|pair| pair[0].1.phase == Phase::Purging);
    assert!(purges.clone().all(|pair| pair[1].0.since(pair[0].0) == seconds(30)));
    assert_eq!(purges.count(), 4);
    // Before the analyzer measures there is nothing to be late for.
    assert_eq!(slips(&world), 3);
}

#[test]
fn a_run_that_was_paused_keeps_its_timings_from_where_it_goes_on() {
    let mut world = World::new(sluggish());
    world.start(plan("1,2", 2, 30, 100, Sync::Dwell));
    world.run_for(seconds(50));
    let control = |control| move |request| What::Control { request, who: "ada".into(), control };
    world.ask(control(Control::Pause { now: true }));
    world.run_for(seconds(500));
    let resumed = world.now;
    world.ask(control(Control::Resume));
    world.settle(seconds(10_000));
    assert_eq!(slips(&world), 0);
    let measured = world.phases().into_iter().filter(|(at, change)| *at > resumed && change.phase == Phase::Measuring);
    let begun: Vec<Duration> = measured.map(|(at, _)| at.since(resumed).abs_diff(Duration::from_millis(8))).collect();
    assert_eq!(begun, [30, 165, 300, 435].map(seconds));
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
