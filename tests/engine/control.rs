//! What people can do to a run under way, at every point of it.

use gasera::domain::event::{PhaseChange, RunChange};
use gasera::domain::{Channel, Control, Done, Event, FinishAfter, Flag, Outcome, Phase, Reason, Record, Sync, Tick};
use gasera::engine::{Effect, RequestId, What};

use super::runs::{check, lively};
use crate::support::world::{SECOND, World, plan, seconds};

const PAUSE: Control = Control::Pause { now: false };
const PAUSE_NOW: Control = Control::Pause { now: true };
const FINISH_CHANNEL: Control = Control::Finish { after: FinishAfter::Channel };
const FINISH_REPEAT: Control = Control::Finish { after: FinishAfter::Repeat };

fn world() -> World {
    let mut world = World::new(lively()).with_seed(5);
    world.start(plan("1-3", 2, 10, 100, Sync::Analyzer));
    world
}

fn ask(world: &mut World, control: Control) -> RequestId {
    world.ask(|request| What::Control { request, who: "ada".into(), control })
}

fn granted(world: &World, request: RequestId) -> bool {
    let replies = world.replies(request);
    assert_eq!(replies.len(), 1, "one answer each");
    matches!(replies[0].1, Ok(Done::Run(_)))
}

fn until_phase(world: &mut World, phase: Phase) -> Tick {
    while world.phases().last().is_none_or(|(_, change)| change.phase != phase) {
        world.run_for(SECOND / 4);
        assert!(world.state.is_busy(), "{phase:?} does not come");
    }
    world.now
}

fn last(world: &World) -> PhaseChange {
    world.phases().pop().expect("a phase").1
}

fn changes(world: &World) -> Vec<RunChange> {
    let told = |effect: &Effect| match effect {
        Effect::Tell(Event::RunUpdated(update)) => Some(update.change),
        _ => None,
    };
    world.effects.iter().filter_map(|(_, effect)| told(effect)).collect()
}

fn good(world: &World, channel: u8) -> usize {
    let is_good = |record: &Record| record.is_good() && record.channel.is_some_and(|at| at.number() == channel);
    world.records().iter().filter(|record| is_good(record)).count()
}

fn settled(mut world: World) -> World {
    world.settle(seconds(100_000));
    check(&world);
    assert!(!world.is_measuring());
    world
}

#[test]
fn a_pause_waits_for_the_sample_under_way_and_lasts_until_somebody_resumes() {
    let mut world = world();
    until_phase(&mut world, Phase::Measuring);
    world.run_for(seconds(30));
    let asked = ask(&mut world, PAUSE);
    assert!(granted(&world, asked));
    assert_eq!(last(&world).phase, Phase::Measuring, "the sample under way comes first");
    until_phase(&mut world, Phase::Paused);
    world.run_for(seconds(3600));
    assert_eq!(last(&world).phase, Phase::Paused);
    let records = world.records();
    let paused = records.iter().filter(|record| record.flags.contains(&Flag::Paused)).count();
    assert!(paused > 50, "{paused}");
    assert!(records.iter().all(|record| !record.is_good() || !record.flags.contains(&Flag::Paused)));
    let resumed = ask(&mut world, Control::Resume);
    assert!(granted(&world, resumed));
    assert_eq!(last(&world).phase, Phase::Purging, "the line is purged again");
    let world = settled(world);
    assert_eq!(changes(&world), [RunChange::PauseAsked, RunChange::Paused, RunChange::Resumed]);
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
    assert!(good(&world, 1) >= 2, "the sample before the pause counts");
}

#[test]
fn a_pause_at_once_waits_for_nothing() {
    let mut world = world();
    until_phase(&mut world, Phase::Measuring);
    world.run_for(seconds(5));
    ask(&mut world, PAUSE_NOW);
    assert_eq!(last(&world).phase, Phase::Paused);
    ask(&mut world, Control::Resume);
    assert_eq!(settled(world).endings(), [(Outcome::Completed, String::new())]);
}

#[test]
fn a_pause_that_has_not_begun_can_be_taken_back() {
    let mut world = world();
    until_phase(&mut world, Phase::Switching);
    ask(&mut world, PAUSE);
    let resume = ask(&mut world, Control::Resume);
    assert!(granted(&world, resume));
    let again = ask(&mut world, Control::Resume);
    assert_eq!(world.replies(again).remove(0).1.expect_err("refused").reason, Reason::NotNow);
    let world = settled(world);
    assert!(world.phases().iter().all(|(_, change)| change.phase != Phase::Paused));
}

#[test]
fn a_pause_while_the_valve_moves_begins_when_it_has_arrived() {
    let mut world = world();
    until_phase(&mut world, Phase::Switching);
    ask(&mut world, PAUSE_NOW);
    assert_eq!(last(&world).phase, Phase::Switching);
    until_phase(&mut world, Phase::Paused);
    assert_eq!(last(&world).channel.map(Channel::number), Some(2));
}

#[test]
fn a_visit_that_is_skipped_has_no_sample_and_the_others_are_whole() {
    let mut world = world();
    until_phase(&mut world, Phase::Switching);
    until_phase(&mut world, Phase::Purging);
    let skip = ask(&mut world, Control::Skip);
    assert!(granted(&world, skip));
    assert_eq!((last(&world).phase, last(&world).channel.map(Channel::number)), (Phase::Switching, Some(3)));
    let world = settled(world);
    let (outcome, reason) = world.endings().remove(0);
    assert_eq!(outcome, Outcome::Partial);
    assert!(reason.contains("1 of 6: channel 2 in repeat 1"), "{reason}");
    assert!(good(&world, 2) >= 1 && good(&world, 3) >= 2);
}

#[test]
fn to_finish_after_the_channel_ends_the_run_with_that_visit_whole() {
    let mut world = world();
    until_phase(&mut world, Phase::Measuring);
    let finish = ask(&mut world, FINISH_CHANNEL);
    assert!(granted(&world, finish));
    let world = settled(world);
    let early = "finished early by ada, after 1 of 6 visits".to_owned();
    assert_eq!(world.endings(), [(Outcome::Completed, early)]);
    assert!(good(&world, 1) >= 1);
}

#[test]
fn to_finish_after_the_repeat_leaves_out_the_next_one() {
    let mut world = world();
    until_phase(&mut world, Phase::Measuring);
    ask(&mut world, FINISH_REPEAT);
    let world = settled(world);
    assert_eq!(world.endings(), [(Outcome::Completed, "finished early by ada, after 3 of 6 visits".into())]);
    assert!((1..=3).all(|channel| good(&world, channel) >= 1));
}

#[test]
fn whatever_is_asked_whenever_has_one_answer_and_the_run_comes_to_an_end() {
    let controls = [PAUSE, PAUSE_NOW, Control::Resume, Control::Skip, FINISH_CHANNEL, FINISH_REPEAT];
    for seed in 1..=1500 {
        let mut world = World::new(lively()).with_seed(seed);
        world.start(plan("1-3", 2, 10, 60, Sync::Analyzer));
        let mut asked = Vec::new();
        for _ in 0..world.random(8) {
            let wait = world.random(120_000);
            world.run_for(std::time::Duration::from_millis(wait));
            let control = controls[usize::try_from(world.random(6)).unwrap()].clone();
            asked.push(ask(&mut world, control));
            if world.random(6) == 0 {
                asked.push(world.abort());
            }
        }
        while world.state.is_busy() {
            world.run_for(seconds(2000));
            asked.push(ask(&mut world, Control::Resume));
            assert!(world.now < Tick::ZERO + seconds(1_000_000), "seed {seed} does not end");
        }
        check(&world);
        assert!(!world.is_measuring(), "seed {seed}");
        assert_eq!(world.endings().len(), 1, "seed {seed}");
        assert!(asked.iter().all(|request| world.replies(*request).len() == 1), "seed {seed}");
    }
}
