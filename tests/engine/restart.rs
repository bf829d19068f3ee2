//! Runs that a crash interrupts, and how they go on.

use gasera::domain::{
    AnalyzerOrder, Channel, Fact, Flag, IfMeasuring, Outcome, Phase, Plan, PlanDraft, Record, Sync, Tick, VisitId,
};
use gasera::engine::{Beginning, Effect, Guard, What};

use super::runs::{check, lively};
use crate::support::world::{Manners, World, plan, seconds};

fn good(world: &World, channel: u8, repeat: u32) -> usize {
    let here =
        |record: &Record| record.channel.is_some_and(|at| at.number() == channel) && record.repeat == Some(repeat);
    world.records().iter().filter(|record| record.is_good() && here(record)).count()
}

#[test]
fn an_interrupted_run_goes_home_again_and_measures_the_interrupted_visit_anew() {
    let mut world = World::new(lively()).with_seed(2);
    world.start(plan("1-3", 2, 10, 150, Sync::Analyzer));
    world.run_for(seconds(300));
    let visit = world.phases().last().unwrap().1.visit_id;
    let before = world.records().len();
    world.crash(seconds(600));
    world.settle(seconds(10_000));
    check(&world);
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
    let phases: Vec<Phase> = world.phases().into_iter().map(|(_, change)| change.phase).collect();
    assert_eq!(phases.iter().filter(|phase| **phase == Phase::Homing).count(), 3, "once more than there are repeats");
    let visits: Vec<u32> =
        world.records()[before..].iter().filter_map(|record| record.visit.map(|visit| visit.0)).collect();
    assert_eq!(visits.iter().min().copied(), Some(1).max(visit.map(|visit| visit.0)).or(visit.map(|visit| visit.0)));
    assert!((1..=3).all(|channel| (1..=2).all(|repeat| good(&world, channel, repeat) >= 1)));
    assert!(!world.is_measuring());
}

/// The visits whose records were flagged.
fn interrupted(world: &World) -> Vec<VisitId> {
    let flagged = |effect: &Effect| match effect {
        Effect::Keep(Fact::VisitInterrupted { visit, .. }) => Some(*visit),
        _ => None,
    };
    world.effects.iter().filter_map(|(_, effect)| flagged(effect)).collect()
}

#[test]
fn the_visit_that_was_under_way_is_flagged_and_no_other_one() {
    let mut world = World::new(lively());
    world.start(plan("1-3", 2, 10, 150, Sync::Analyzer));
    world.run_for(seconds(300));
    let visit = world.phases().last().unwrap().1.visit_id.expect("a visit is under way");
    world.crash(seconds(60));
    world.settle(seconds(10_000));
    assert_eq!(interrupted(&world), [visit]);
}

/// What the analyzer was ordered, `from` there on.
fn ordered(world: &World, from: usize) -> Vec<AnalyzerOrder> {
    let order = |effect: &Effect| match effect {
        Effect::Analyzer { order, .. } => Some(order.clone()),
        _ => None,
    };
    world.effects[from..].iter().filter_map(|(_, effect)| order(effect)).collect()
}

#[test]
fn what_the_analyzer_still_measures_for_an_interrupted_run_is_stopped_before_it_starts_again() {
    let mut world = World::new(lively());
    world.start(plan("1-3", 1, 10, 150, Sync::Analyzer));
    world.run_for(seconds(100));
    let before = world.effects.len();
    world.crash(seconds(60));
    world.settle(seconds(10_000));
    let stops = |order: &AnalyzerOrder| {
        matches!(order, AnalyzerOrder::Prepare { if_measuring: IfMeasuring::Stop, .. } | AnalyzerOrder::Stop)
    };
    let orders = ordered(&world, before);
    assert!(stops(&orders[0]), "{orders:?}");
}

#[test]
fn a_run_that_was_being_stopped_is_stopped_again() {
    let mut world = World::new(Manners { cancelling: seconds(5), ..lively() });
    world.start(plan("1-3", 1, 10, 150, Sync::Analyzer));
    world.run_for(seconds(100));
    world.abort();
    world.run_for(seconds(1));
    let before = world.effects.len();
    world.crash(seconds(60));
    world.run_for(seconds(300));
    assert!(ordered(&world, before).contains(&AnalyzerOrder::Stop), "{:?}", ordered(&world, before));
    assert_eq!(world.endings(), [(Outcome::Aborted, "by somebody".to_owned())]);
}

#[test]
fn a_run_that_was_paused_is_paused_again() {
    use gasera::domain::Control;
    let mut world = World::new(lively());
    world.start(plan("1-3", 1, 10, 150, Sync::Analyzer));
    world.run_for(seconds(300));
    world.ask(|request| What::Control { request, who: "ada".into(), control: Control::Pause { now: true } });
    world.run_for(seconds(10));
    world.crash(seconds(60));
    world.run_for(seconds(600));
    let (_, paused) = world.phases().last().cloned().unwrap();
    assert_eq!((paused.phase, paused.channel), (Phase::Paused, Channel::new(2)));
    assert_eq!(Channel::new(world.state.progress(world.now).current_channel + 1), paused.channel, "where it is shown");
    world.ask(|request| What::Control { request, who: "ada".into(), control: Control::Resume });
    world.settle(seconds(10_000));
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
    assert!(world.records().iter().all(|record| !record.is_good() || !record.flags.contains(&Flag::Paused)));
}

#[test]
fn an_orderly_shutdown_leaves_the_run_to_the_next_process_and_the_analyzer_at_rest() {
    let mut world = World::new(lively());
    world.crash(seconds(1));
    world.run_for(seconds(2));
    world.start(plan("1-3", 1, 10, 150, Sync::Analyzer));
    world.run_for(seconds(200));
    world.shut_down();
    assert!(world.state.is_at_rest() && world.state.is_busy());
    assert!(!world.is_measuring());
    world.crash(seconds(30));
    world.settle(seconds(10_000));
    check(&world);
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
}

/// A plan whose visits each have one sample, and whose valve moves on before its result is there.
fn overlapped() -> World {
    let mut world = World::new(lively());
    let mut asked = plan("1-3", 2, 10, 60, Sync::Analyzer);
    asked.iterations = Some(1);
    world.start(asked);
    world
}

#[test]
fn a_visit_whose_only_result_was_lost_after_the_valve_had_moved_on_is_measured_again() {
    let (mut went_back, mut crashes) = (0, 0);
    for second in (10..600).step_by(3) {
        let mut world = overlapped();
        world.run_for(seconds(second));
        if !world.state.is_busy() {
            break;
        }
        world.crash(seconds(60));
        world.settle(seconds(10_000));
        check(&world);
        assert_eq!(world.endings(), [(Outcome::Completed, String::new())], "killed after {second} s");
        let visits = visits_started(&world);
        assert_eq!(visits, (1..=6).map(VisitId).collect::<Vec<_>>(), "each visit begins once");
        let last = world.phases().last().unwrap().1.progress.step_index;
        assert_eq!(last, 6, "killed after {second} s");
        went_back += usize::from(interrupted(&world).len() == 2);
        crashes += 1;
    }
    assert!(crashes > 100 && went_back > 5, "{went_back} of {crashes}");
}

fn visits_started(world: &World) -> Vec<VisitId> {
    let started = |effect: &Effect| match effect {
        Effect::Keep(Fact::VisitStarted { visit, .. }) => Some(visit.id),
        _ => None,
    };
    world.effects.iter().filter_map(|(_, effect)| started(effect)).collect()
}

#[test]
fn who_finishes_while_the_run_is_back_at_a_visit_does_not_miss_the_one_that_waits() {
    let mut world = overlapped();
    world.run_for(seconds(10));
    while interrupted(&world).len() < 2 {
        world.until_waiting_for("the end of the purge");
        world.crash(seconds(60));
        world.run_for(seconds(30));
    }
    let control = gasera::domain::Control::Finish { after: gasera::domain::FinishAfter::Channel };
    world.ask(|request| What::Control { request, who: "ada".into(), control });
    world.settle(seconds(10_000));
    let (outcome, reason) = world.endings().remove(0);
    assert_eq!(outcome, Outcome::Completed, "{reason}");
    assert!(reason.starts_with("finished early by ada"), "{reason}");
}

#[test]
fn a_run_that_was_interrupted_while_the_guard_spoke_against_it_asks_the_guard_again_and_visits_nothing_twice() {
    let guard = Some(Guard { every: seconds(60), timeout: seconds(10) });
    let mut world = World::beginning(lively(), Beginning { guard, ..Beginning::default() });
    world.manners.guard = Some("it rains".into());
    world.start(plan("1-3", 1, 10, 60, Sync::Analyzer));
    world.until_waiting_for("the guard to let the next visit begin");
    world.run_for(seconds(100));
    world.crash(seconds(60));
    world.run_for(seconds(500));
    assert_eq!(visits_started(&world), [VisitId(1)]);
    world.manners.guard = None;
    world.settle(seconds(10_000));
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
    assert_eq!(visits_started(&world), [1, 2, 3].map(VisitId));
}

#[test]
fn whenever_and_however_often_it_crashes_the_run_comes_to_its_end_and_no_record_is_wrong_or_twice() {
    for seed in 1..=1000 {
        let mut dice = World::new(Manners::default()).with_seed(seed);
        let sync = if dice.random(3) == 0 { Sync::Dwell } else { Sync::Analyzer };
        let travel = std::time::Duration::from_millis(dice.random(3000));
        let manners = Manners { travel, has_counter: !seed.is_multiple_of(4), ..lively() };
        let mut world = World::new(manners).with_seed(seed);
        world.start(plan("1-2,5", 2, dice.random(30), 40 + dice.random(150), sync));
        for _ in 0..=dice.random(4) {
            world.run_for(std::time::Duration::from_millis(dice.random(300_000)));
            if world.state.is_busy() {
                world.crash(std::time::Duration::from_millis(dice.random(900_000)));
            }
        }
        world.settle(seconds(100_000));
        check(&world);
        assert!(!world.is_measuring(), "seed {seed}");
        let begun = !world.phases().is_empty();
        assert_eq!(world.endings().len(), usize::from(begun), "seed {seed}");
        assert!(world.now > Tick::ZERO);
    }
}

#[test]
fn a_run_that_is_not_to_go_on_after_a_crash_ends_with_the_analyzer_idle_and_the_valve_parked() {
    for after in [5, 25, 100, 300, 420] {
        let mut world = World::new(lively());
        let park = Channel::new(3);
        let draft = PlanDraft {
            channels: "1-2".into(),
            purge: seconds(10),
            measure: seconds(150),
            park,
            ..PlanDraft::default()
        };
        world.start(Plan::new(draft).unwrap());
        world.run_for(seconds(after));
        if world.endings().len() == world.runs_begun() {
            continue;
        }
        world.crash_to_end(seconds(60), "there was an outage");
        world.run_for(seconds(2));
        if world.state.is_busy() {
            // And once more while it is ending.
            world.crash_to_end(seconds(60), "there was another outage");
        }
        world.settle(seconds(1000));
        assert_eq!(world.endings(), [(Outcome::Failed, "there was an outage".to_owned())], "after {after} s");
        assert!(!world.is_measuring(), "after {after} s");
        assert_eq!(world.state.valve().position.channel(), park, "after {after} s");
    }
}
