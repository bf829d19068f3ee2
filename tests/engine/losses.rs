//! Samples without a channel: how many, why, and when that is told.

use gasera::domain::{Attribution, Event, Fact, Sync, Tick, ValveNews, WithoutChannel};
use gasera::engine::Effect;

use super::runs::lively;
use crate::support::world::{World, plan, seconds};

fn kept(world: &World) -> WithoutChannel {
    let told = |effect: &Effect| match effect {
        Effect::Keep(Fact::WithoutChannel { so_far, .. }) => Some(so_far.clone()),
        _ => None,
    };
    world.effects.iter().rev().find_map(|(_, effect)| told(effect)).unwrap_or_default()
}

fn finished(world: &World) -> WithoutChannel {
    let told = |effect: &Effect| match effect {
        Effect::Tell(Event::RunFinished { run }) => Some(run.without_channel.clone()),
        _ => None,
    };
    world.effects.iter().find_map(|(_, effect)| told(effect)).expect("the run is over")
}

fn alarms(world: &World) -> Vec<(Tick, String)> {
    let told = |(at, effect): &(Tick, Effect)| match effect {
        Effect::Tell(Event::Alarm { code, text, .. }) if code == "samples_without_channel" => Some((*at, text.clone())),
        _ => None,
    };
    world.effects.iter().filter_map(told).collect()
}

fn of(world: &World, attribution: Attribution) -> u64 {
    world.records().iter().filter(|record| record.attribution == attribution).count() as u64
}

#[test]
fn a_run_that_lost_nothing_says_nothing() {
    let mut world = World::new(lively());
    world.start(plan("1-3", 3, 10, 150, Sync::Analyzer));
    world.settle(seconds(20_000));
    assert!(world.records().len() > 10);
    assert_eq!((kept(&world), finished(&world)), (WithoutChannel::default(), WithoutChannel::default()));
    assert!(alarms(&world).is_empty());
}

#[test]
fn samples_drawn_at_an_unknown_position_are_counted_with_their_flag_and_told_once() {
    let mut world = World::new(lively());
    world.start(plan("1-3", 3, 10, 150, Sync::Analyzer));
    while world.state.is_busy() {
        world.run_for(seconds(40));
        // It was not where it should be for a while, and is back.
        let since = world.now;
        world.valve_says(ValveNews::UnseenSince(since));
        world.find_the_valve_after(seconds(2));
    }
    let lost = of(&world, Attribution::Unattributed);
    assert!(lost > 5, "{lost}");
    let told = finished(&world);
    assert_eq!((told.samples, told.why.get("pos_unverified")), (lost, Some(&lost)));
    assert_eq!(told, kept(&world));
    assert_eq!(told.sentence(), format!("{lost} samples without a channel: {lost} pos_unverified"));
    let alarms = alarms(&world);
    assert_eq!(alarms.len(), 1, "once per run: {alarms:?}");
    let before = world
        .effects
        .iter()
        .filter(|(at, effect)| *at < alarms[0].0 && matches!(effect, Effect::Keep(Fact::Recorded(_))));
    assert!(before.count() >= 9, "not for a handful of samples");
}

#[test]
fn what_fixed_timings_cut_through_is_no_loss() {
    for seed in 0..6 {
        let mut world = World::new(lively()).with_seed(seed);
        world.start(plan("1-6", 6, 20, 100, Sync::Dwell));
        world.settle(seconds(20_000));
        let mixed: Vec<_> =
            world.records().into_iter().filter(|record| record.attribution == Attribution::Mixed).collect();
        let steady = mixed.iter().filter(|record| {
            let drawn = world.iteration_of(record);
            world.really_at(drawn.began, drawn.exchanged).is_some()
        });
        let (steady, lost) = (steady.count() as u64, kept(&world).samples);
        assert!(mixed.len() > 5);
        assert!(steady <= lost && lost * 2 < mixed.len() as u64, "{steady} {lost} {}", mixed.len());
    }
}
