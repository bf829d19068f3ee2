//! Whole runs: every good record names the channel whose gas it is, and none is lost that could have been one.

use std::time::Duration;

use gasera::domain::{Attribution, Outcome, Phase, Record, Sync, Tick};

use crate::support::world::{Manners, SECOND, World, plan, seconds};

pub fn lively() -> Manners {
    Manners {
        cycle: Some(seconds(58)),
        jitter: 30,
        travel: Duration::from_millis(700),
        cancelling: seconds(2),
        ..Manners::default()
    }
}

/// From when to when each visit was measured.
fn measured(world: &World) -> Vec<(Tick, Tick)> {
    let phases = world.phases();
    let ends = phases.iter().skip(1).map(|(at, _)| *at);
    let spans = phases.iter().zip(ends).filter(|((_, change), _)| change.phase == Phase::Measuring);
    spans.map(|((from, _), to)| (*from, to)).collect()
}

/// What must hold of every run, however the devices behaved.
pub fn check(world: &World) {
    let records = world.records();
    let fresh: Vec<&Record> = records.iter().filter(|record| record.attribution != Attribution::Stale).collect();
    for record in &fresh {
        if let Some(channel) = record.channel {
            let drawn = world.iteration_of(record);
            let really = world.really_at(drawn.began, drawn.exchanged);
            assert_eq!(Some(channel.number()), really, "a wrong channel is credited: {record:?} {drawn:?}");
        }
        assert!(!record.is_good() || record.attribution == Attribution::Exact);
    }
    let mut numbers: Vec<i64> = records.iter().map(|record| record.sample.stamp.0).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), records.len(), "a result is kept twice");
    let sequence: Vec<u32> = records.iter().map(|record| record.seq).collect();
    assert!(sequence.iter().copied().eq(1..=u32::try_from(records.len()).unwrap()), "gaps in {sequence:?}");
    let stale = records.iter().filter(|record| record.attribution == Attribution::Stale).count();
    assert!(stale <= 1 + world.crashes, "{stale} results from before");
}

/// Every iteration whose gas was drawn within a measuring window is a good record.
pub fn check_nothing_lost(world: &World) {
    let records = world.records();
    let windows = measured(world);
    for iteration in world.iterations() {
        let inside = windows.iter().any(|(from, to)| iteration.began >= *from && iteration.exchanged <= *to);
        let good = records.iter().any(|record| record.is_good() && record.sample.raw == iteration.number.to_string());
        assert!(good || !inside, "lost: {iteration:?}");
    }
}

#[test]
fn thirty_one_channels_ten_times_in_step_with_the_analyzer() {
    let mut world = World::new(lively()).with_seed(3);
    world.start(plan("all", 10, 60, 120, Sync::Analyzer));
    world.settle(seconds(400_000));
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
    check(&world);
    check_nothing_lost(&world);
    assert!(world.records().iter().filter(|record| record.is_good()).count() >= 310);
}

#[test]
fn thirty_one_channels_ten_times_with_fixed_timings() {
    let mut world = World::new(lively()).with_seed(4);
    world.start(plan("all", 10, 60, 180, Sync::Dwell));
    world.settle(seconds(400_000));
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
    check(&world);
    check_nothing_lost(&world);
}

#[test]
fn a_measure_time_shorter_than_an_iteration_still_gives_every_visit_a_sample() {
    let mut world = World::new(lively());
    world.start(plan("1-4", 2, 6, 20, Sync::Analyzer));
    world.settle(seconds(10_000));
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
    check(&world);
    check_nothing_lost(&world);
}

#[test]
fn with_fixed_timings_too_short_for_an_iteration_the_run_is_partial_and_says_where() {
    let mut world = World::new(lively());
    world.start(plan("1-4", 1, 6, 20, Sync::Dwell));
    world.settle(seconds(10_000));
    check(&world);
    let (outcome, reason) = world.endings().remove(0);
    assert_eq!(outcome, Outcome::Partial);
    assert!(reason.contains("visits without a good sample: "), "{reason}");
}

#[test]
fn so_many_iterations_are_measured_as_were_asked_for() {
    let mut asked = plan("1-3", 1, 10, 60, Sync::Analyzer);
    asked.iterations = Some(2);
    let mut world = World::new(lively());
    world.start(asked);
    world.settle(seconds(10_000));
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
    for channel in 1..=3 {
        let good = |record: &&Record| record.is_good() && record.channel.is_some_and(|c| c.number() == channel);
        assert_eq!(world.records().iter().filter(good).count(), 2, "channel {channel}");
    }
    check(&world);
}

#[test]
fn the_last_result_is_waited_for() {
    let mut world = World::new(lively());
    world.start(plan("1", 1, 10, 60, Sync::Analyzer));
    world.settle(seconds(1000));
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
    assert!(world.records().iter().any(Record::is_good));
    assert!(!world.is_measuring());
}

#[test]
fn the_result_from_before_is_kept_once_as_stale() {
    let mut world = World::new(lively());
    world.start(plan("1", 1, 10, 60, Sync::Analyzer));
    world.settle(seconds(1000));
    let records = world.records();
    assert_eq!(records[0].attribution, Attribution::Stale);
    assert!(records[0].discard && records[0].channel.is_none());
    assert!(records[1..].iter().all(|record| record.attribution != Attribution::Stale));
}

#[test]
fn an_analyzer_without_a_counter_is_followed_by_its_phases() {
    let mut world = World::new(Manners { has_counter: false, ..lively() });
    world.start(plan("1-5", 3, 30, 90, Sync::Analyzer));
    world.settle(seconds(10_000));
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
    check(&world);
    check_nothing_lost(&world);
}

#[test]
fn looks_that_are_too_rare_lose_samples_but_never_credit_a_wrong_channel() {
    for poll in [7, 20, 50, 90] {
        let mut world = World::new(Manners { poll: seconds(poll), ..lively() });
        world.start(plan("1-8", 3, 10, 60, Sync::Dwell));
        world.settle(seconds(100_000));
        check(&world);
    }
}

#[test]
fn one_second_after_another_an_abort_leaves_nothing_measuring() {
    for second in 0..140 {
        let mut world = World::new(lively());
        let start = world.start(plan("1-2", 1, 10, 30, Sync::Analyzer));
        world.run_for(SECOND * second + Duration::from_millis(300));
        assert!(world.state.is_busy(), "it ended before {second} s");
        let asked = world.now;
        let abort = world.abort();
        world.settle(seconds(10));
        let replies = world.replies(abort);
        assert_eq!(replies.len(), 1);
        assert!(replies[0].1.is_ok());
        assert!(replies[0].0.since(asked) <= seconds(2), "at {second} s it took {:?}", replies[0].0.since(asked));
        assert!(!world.is_measuring());
        assert_eq!(world.replies(start).len(), 1);
        assert_eq!(world.endings().len(), 1);
        assert_eq!(world.endings()[0].0, Outcome::Aborted);
        check(&world);
    }
}
