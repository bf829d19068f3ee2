//! What gets in a run's way, and what it does about that.

use gasera::domain::{
    AnalyzerNews, Control, DeviceErrors, Event, Fault, FaultKind, Flag, Outcome, Phase, Position, Reaction, Reactions,
    Sync, ValveNews, Verification,
};
use gasera::engine::{Beginning, Effect, What};

use super::runs::{check, lively};
use crate::support::world::{World, plan, seconds};

const SUSPEND: Reactions = Reactions {
    analyzer_errors: Reaction::Suspend,
    valve: Reaction::Suspend,
    clock: Reaction::Suspend,
    disk: Reaction::Suspend,
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
    let mut world = measuring(SUSPEND);
    world.say(errors(&["8003"]));
    assert_eq!(phase(&world), Phase::Suspended);
    world.run_for(seconds(600));
    assert_eq!(phase(&world), Phase::Suspended);
    world.say(errors(&[]));
    assert_eq!(phase(&world), Phase::Paused, "the line is purged again");
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
fn a_lost_valve_suspends_until_it_is_back() {
    let mut world = measuring(SUSPEND);
    world.valve_says(ValveNews::Lost(Fault::new(FaultKind::Offline, "the port is gone")));
    assert_eq!(phase(&world), Phase::Suspended);
    world.run_for(seconds(60));
    let home = gasera::domain::Channel::HOME;
    world.valve_says(ValveNews::At(Position::At(home, Verification::Readback)));
    assert_eq!(phase(&world), Phase::Paused);
    completes(world);
}

#[test]
fn a_disk_that_is_nearly_full_suspends_until_there_is_space() {
    let mut world = measuring(SUSPEND);
    world.hand_over(What::Disk { free_bytes: 5_000_000, low: true });
    assert_eq!((phase(&world), alarms(&world)), (Phase::Suspended, vec!["disk_low".to_owned()]));
    world.run_for(seconds(60));
    world.hand_over(What::Disk { free_bytes: 5_000_000_000, low: false });
    completes(world);
}

#[test]
fn what_somebody_paused_only_somebody_resumes() {
    let mut world = measuring(SUSPEND);
    world.ask(|request| What::Control { request, who: "ada".into(), control: Control::Pause { now: true } });
    world.say(errors(&["8003"]));
    world.say(errors(&[]));
    assert_eq!(phase(&world), Phase::Suspended);
    world.ask(|request| What::Control { request, who: "ada".into(), control: Control::Resume });
    completes(world);
}

#[test]
fn somebody_may_go_on_in_spite_of_it() {
    let mut world = measuring(SUSPEND);
    world.say(errors(&["8003"]));
    world.ask(|request| What::Control { request, who: "ada".into(), control: Control::Resume });
    assert_eq!(phase(&world), Phase::Paused);
    world.say(errors(&[]));
    completes(world);
}

#[test]
fn a_clock_that_was_set_suspends_until_somebody_has_looked() {
    let mut world = measuring(SUSPEND);
    world.wall_clock_set_by = seconds(3600);
    world.run_for(seconds(120));
    assert_eq!(phase(&world), Phase::Suspended);
    world.ask(|request| What::Control { request, who: "ada".into(), control: Control::Resume });
    completes(world);
}
