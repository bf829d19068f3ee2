//! What gets in a run's way, and what it does about that.

use gasera::domain::{
    AnalyzerNews, Control, DeviceErrors, Event, Fault, FaultKind, Flag, Outcome, Phase, Position, Reaction, Reactions,
    Sync, ValveNews, Verification,
};
use gasera::engine::{Beginning, Effect, What};

use super::runs::{check, lively};
use crate::support::world::{World, plan, seconds};

const PAUSE: Reactions = Reactions {
    analyzer_errors: Reaction::Pause,
    valve: Reaction::Pause,
    clock: Reaction::Pause,
    clock_unsynced: Reaction::Pause,
    disk: Reaction::Pause,
};

fn measuring(reactions: Reactions) -> World {
    let mut world = World::beginning(lively(), Beginning { reactions, ..Beginning::default() });
    world.start(plan("1-3", 1, 10, 200, Sync::Analyzer));
    world.run_for(seconds(100));
    assert_eq!(phase(&world), Phase::Measuring);
    world
}

fn phase(world: &World) -> Phase {
    world.phases().last().expect("a phase").1.phase
}

fn alarms(world: &World) -> Vec<String> {
    let told = |effect: &Effect| match effect {
        Effect::Tell(Event::Alarm { code, .. }) => Some(code.clone()),
        _ => None,
    };
    world.effects.iter().filter_map(|(_, effect)| told(effect)).collect()
}

fn completes(mut world: World) {
    world.settle(seconds(10_000));
    check(&world);
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
}

fn errors(codes: &[&str]) -> AnalyzerNews {
    AnalyzerNews::Errors(DeviceErrors(codes.iter().map(|code| (*code).to_owned()).collect()))
}

#[test]
fn errors_of_the_analyzer_are_waited_out_if_the_settings_say_so() {
    let mut world = measuring(PAUSE);
    world.say(errors(&["8003"]));
    assert_eq!(phase(&world), Phase::Paused);
    world.run_for(seconds(600));
    assert_eq!(phase(&world), Phase::Paused);
    world.say(errors(&[]));
    assert_eq!(phase(&world), Phase::Purging, "the line is purged again");
    assert_eq!(alarms(&world), ["analyzer_error"]);
    completes(world);
}

#[test]
fn otherwise_the_run_goes_on_with_an_alarm_and_flags() {
    let mut world = measuring(Reactions::default());
    world.say(errors(&["8003"]));
    assert_eq!(phase(&world), Phase::Measuring);
    world.run_for(seconds(100));
    world.say(errors(&[]));
    assert!(world.records().iter().any(|record| record.flags.contains(&Flag::ErrBlocker)));
    assert_eq!(alarms(&world), ["analyzer_error"]);
    completes(world);
}

#[test]
fn a_lost_valve_pauses_until_it_is_back() {
    let mut world = measuring(PAUSE);
    world.valve_says(ValveNews::Lost(Fault::new(FaultKind::Offline, "the port is gone")));
    assert_eq!(phase(&world), Phase::Paused);
    world.run_for(seconds(60));
    let home = gasera::domain::Channel::HOME;
    world.valve_says(ValveNews::At(Position::At(home, Verification::Readback)));
    assert_eq!(phase(&world), Phase::Purging);
    completes(world);
}

#[test]
fn a_disk_that_is_nearly_full_pauses_until_there_is_space() {
    let mut world = measuring(PAUSE);
    world.hand_over(What::Disk { free_bytes: 5_000_000, low: true });
    assert_eq!((phase(&world), alarms(&world)), (Phase::Paused, vec!["disk_low".to_owned()]));
    world.run_for(seconds(60));
    world.hand_over(What::Disk { free_bytes: 5_000_000_000, low: false });
    completes(world);
}

fn disk(low: bool) -> What {
    What::Disk { free_bytes: if low { 5_000_000 } else { 5_000_000_000 }, low }
}

#[test]
fn a_run_that_begins_on_a_disk_that_is_nearly_full_says_so_in_its_record_and_waits_as_soon_as_it_measures() {
    for reactions in [PAUSE, Reactions { disk: Reaction::GoOn, ..PAUSE }] {
        let mut world = World::beginning(lively(), Beginning { reactions, ..Beginning::default() });
        world.hand_over(disk(true));
        world.start(plan("1-2", 1, 10, 200, Sync::Analyzer));
        world.run_for(seconds(100));
        assert_eq!(phase(&world) == Phase::Paused, reactions.disk == Reaction::Pause, "{:?}", phase(&world));
        let of_run = |effect: &Effect| matches!(effect, Effect::Tell(Event::Alarm { run_id: Some(_), .. }));
        assert_eq!(world.effects.iter().filter(|(_, effect)| of_run(effect)).count(), 1);
        assert_eq!(alarms(&world), ["disk_low", "disk_low"], "once before the run, once in it");
        world.hand_over(disk(false));
        completes(world);
    }
}

#[test]
fn space_that_came_back_while_there_was_no_process_is_noticed_at_the_first_look() {
    let mut world = measuring(PAUSE);
    world.hand_over(disk(true));
    assert_eq!(phase(&world), Phase::Paused);
    world.crash(seconds(60));
    world.hand_over(disk(false));
    completes(world);
}

#[test]
fn what_somebody_paused_only_somebody_resumes() {
    let mut world = measuring(PAUSE);
    world.ask(|request| What::Control { request, who: "ada".into(), control: Control::Pause { now: true } });
    world.say(errors(&["8003"]));
    world.say(errors(&[]));
    assert_eq!(phase(&world), Phase::Paused);
    world.ask(|request| What::Control { request, who: "ada".into(), control: Control::Resume });
    completes(world);
}

#[test]
fn somebody_may_go_on_in_spite_of_it() {
    let mut world = measuring(PAUSE);
    world.say(errors(&["8003"]));
    world.ask(|request| What::Control { request, who: "ada".into(), control: Control::Resume });
    assert_eq!(phase(&world), Phase::Purging);
    world.say(errors(&[]));
    completes(world);
}

#[test]
fn a_clock_that_was_set_pauses_until_somebody_has_looked() {
    let mut world = measuring(PAUSE);
    world.wall_clock_set_by = seconds(3600);
    world.run_for(seconds(120));
    assert_eq!(phase(&world), Phase::Paused);
    world.ask(|request| What::Control { request, who: "ada".into(), control: Control::Resume });
    completes(world);
}

fn sync(synchronized: bool) -> What {
    What::ClockSync { synchronized }
}

fn unsynced_records(world: &World) -> usize {
    world.records().iter().filter(|record| record.flags.contains(&Flag::ClockUnsynced)).count()
}

#[test]
fn a_clock_that_nobody_keeps_right_pauses_until_somebody_does() {
    let mut world = measuring(PAUSE);
    world.hand_over(sync(true));
    assert_eq!((phase(&world), alarms(&world)), (Phase::Measuring, vec![]));
    world.hand_over(sync(false));
    assert_eq!((phase(&world), alarms(&world)), (Phase::Paused, vec!["clock_unsynced".to_owned()]));
    world.run_for(seconds(600));
    assert_eq!(phase(&world), Phase::Paused);
    world.hand_over(sync(true));
    assert_eq!(phase(&world), Phase::Purging, "the line is purged again");
    completes(world);
}

#[test]
fn otherwise_the_records_of_that_time_are_flagged_and_no_others() {
    let mut world = measuring(Reactions::default());
    assert_eq!(world.state.status(world.moment()).clock_synchronized, None);
    world.hand_over(sync(false));
    world.hand_over(sync(false));
    assert_eq!(world.state.status(world.moment()).clock_synchronized, Some(false));
    let before = world.records().len();
    world.run_for(seconds(200));
    let during = world.records().len() - before;
    assert!(during > 1 && unsynced_records(&world) == during, "{during}");
    world.hand_over(sync(true));
    assert_eq!(alarms(&world), ["clock_unsynced"]);
    world.settle(seconds(10_000));
    let after = world.records().len() - before - during;
    let late = unsynced_records(&world) - during;
    assert!(late <= 2 && after > late, "{late} of {after} were drawn before it was synchronized");
}

#[test]
fn a_run_that_begins_with_such_a_clock_says_so_in_its_own_record() {
    for (reactions, expected) in [(Reactions::default(), Phase::Measuring), (PAUSE, Phase::Paused)] {
        let mut world = World::beginning(lively(), Beginning { reactions, ..Beginning::default() });
        world.hand_over(sync(false));
        assert_eq!(alarms(&world), Vec::<String>::new(), "nothing is measured yet");
        world.start(plan("1-3", 1, 10, 200, Sync::Analyzer));
        world.run_for(seconds(100));
        let in_a_run = |effect: &Effect| matches!(effect, Effect::Tell(Event::Alarm { run_id: Some(_), .. }));
        assert_eq!(world.effects.iter().filter(|(_, effect)| in_a_run(effect)).count(), 1);
        assert_eq!((phase(&world), alarms(&world)), (expected, vec!["clock_unsynced".to_owned()]));
        world.hand_over(sync(true));
        completes(world);
    }
}

#[test]
fn a_clock_that_is_lost_while_the_valve_goes_home_is_waited_for_before_anything_is_measured() {
    let mut world = World::beginning(lively(), Beginning { reactions: PAUSE, ..Beginning::default() });
    world.start(plan("1-3", 1, 10, 200, Sync::Dwell));
    while world.phases().last().is_none_or(|(_, told)| told.phase != Phase::Homing) {
        world.run_for(std::time::Duration::from_millis(50));
    }
    world.hand_over(sync(false));
    world.run_for(seconds(60));
    assert_eq!((phase(&world), alarms(&world)), (Phase::Paused, vec!["clock_unsynced".to_owned()]));
    world.hand_over(sync(true));
    completes(world);
}

#[test]
fn after_a_restart_the_clock_is_waited_for_as_it_is_then() {
    for is_right in [true, false] {
        let mut world = measuring(PAUSE);
        world.hand_over(sync(is_right));
        world.crash(seconds(30));
        let resumes_after = Some(seconds(30));
        let began = Beginning { reactions: PAUSE, resumes_after, resumable: true, ..Beginning::default() };
        world.hand_over(What::Began(Box::new(began)));
        world.hand_over(sync(false));
        world.run_for(seconds(300));
        assert_eq!(phase(&world), Phase::Paused);
        world.hand_over(sync(true));
        completes(world);
    }
}
