//! An analyzer that does not measure any more: what passes, what restarted, what was stopped, and what cannot be told.

use gasera::domain::{
    AfterRestart, AnalyzerNews, AnalyzerOrder, AnalyzerState, Control, DeviceErrors, Event, Fact, Flag, IfMeasuring,
    Outcome, Phase, Plan, Position, Reconnection, Sync, ValveNews, Verification,
};
use gasera::engine::{Beginning, Effect, What};

use super::runs::{check, lively};
use crate::support::world::{Manners, World, plan, seconds};

fn three_channels() -> Plan {
    plan("1-3", 1, 10, 150, Sync::Analyzer)
}

/// A run, so long after its start.
fn after(second: u64) -> World {
    let mut world = World::new(lively()).with_seed(2);
    world.start(three_channels());
    world.run_for(seconds(second));
    world
}

/// The analyzer's owner sees it so, from now on.
fn seen(world: &mut World, state: AnalyzerState, iteration: Option<u32>) {
    world.rest_as(state, iteration);
}

fn alarms(world: &World) -> Vec<String> {
    let alarm = |effect: &Effect| match effect {
        Effect::Tell(Event::Alarm { code, .. }) => Some(code.clone()),
        _ => None,
    };
    world.effects.iter().filter_map(|(_, effect)| alarm(effect)).collect()
}

fn orders(world: &World, from: usize) -> Vec<AnalyzerOrder> {
    let order = |effect: &Effect| match effect {
        Effect::Analyzer { order, .. } => Some(order.clone()),
        _ => None,
    };
    world.effects[from..].iter().filter_map(|(_, effect)| order(effect)).collect()
}

fn starts(world: &World) -> usize {
    orders(world, 0).iter().filter(|order| matches!(order, AnalyzerOrder::Start { .. })).count()
}

fn ending(world: &World) -> (Outcome, String) {
    let mut endings = world.endings();
    assert_eq!(endings.len(), 1, "{endings:?}");
    endings.remove(0)
}

fn interrupted(world: &World) -> usize {
    let flags = |effect: &Effect| matches!(effect, Effect::Keep(Fact::VisitInterrupted { .. }));
    world.effects.iter().filter(|(_, effect)| flags(effect)).count()
}

#[test]
fn an_analyzer_seen_initializing_is_started_anew_once_it_is_idle() {
    let mut world = after(300);
    let valve = world.valve.len();
    let (visit, from) = (world.phases().last().unwrap().1.visit_id, world.effects.len());
    seen(&mut world, AnalyzerState::Initializing, Some(0));
    world.run_for(seconds(20));
    assert!(orders(&world, from).iter().all(|order| *order == AnalyzerOrder::Look), "{:?}", orders(&world, from));
    assert_eq!(world.phases().last().unwrap().1.phase, Phase::Paused);
    seen(&mut world, AnalyzerState::Idle, Some(0));
    world.run_for(seconds(5));
    assert_eq!(world.valve.len(), valve, "a valve that says where it stands need not go home");
    let (_, purged) = world.phases().last().cloned().unwrap();
    assert_eq!((purged.phase, purged.visit_id), (Phase::Purging, visit), "the visit is purged again");
    world.settle(seconds(10_000));
    check(&world);
    assert_eq!(ending(&world), (Outcome::Completed, String::new()));
    assert_eq!((starts(&world), interrupted(&world)), (2, 1));
    assert!(alarms(&world).contains(&"analyzer_restarted".to_owned()));
    assert!(!world.is_measuring());
}

#[test]
fn a_restart_in_any_stage_completes_the_run_and_credits_nothing_wrongly() {
    let mut stages = std::collections::BTreeSet::new();
    for second in (1..900).step_by(7) {
        let mut world = after(second);
        if !world.state.is_busy() {
            break;
        }
        stages.insert(world.state.deadline().map_or("nothing", |(_, reason)| reason));
        seen(&mut world, AnalyzerState::Initializing, Some(0));
        world.run_for(seconds(10));
        seen(&mut world, AnalyzerState::Idle, Some(0));
        world.settle(seconds(10_000));
        check(&world);
        let (outcome, reason) = ending(&world);
        let begins = starts(&world) == 1 && outcome == Outcome::Failed && second < 10;
        assert!(outcome == Outcome::Completed || begins, "after {second} s: {outcome:?}, {reason}");
        assert!(!world.is_measuring());
    }
    for stage in ["the end of the purge", "the end of the measuring time", "the last result of the analyzer"] {
        assert!(stages.contains(stage), "{stages:?}");
    }
}

#[test]
fn a_valve_that_was_only_counted_goes_home_after_a_restart() {
    let mut world = after(300);
    let stands = world.valve.last().unwrap().1;
    let channel = gasera::domain::Channel::new(stands).unwrap();
    world.valve_says(ValveNews::At(Position::At(channel, Verification::HomedCount)));
    seen(&mut world, AnalyzerState::Initializing, None);
    world.run_for(seconds(5));
    seen(&mut world, AnalyzerState::Idle, None);
    world.run_for(seconds(2));
    assert_eq!(world.phases().last().unwrap().1.phase, Phase::Homing);
    world.settle(seconds(10_000));
    assert_eq!(ending(&world).0, Outcome::Completed);
}

#[test]
fn an_analyzer_found_idle_that_was_never_away_was_stopped() {
    for phase in [AnalyzerState::Cancelling, AnalyzerState::Idle] {
        let mut world = after(300);
        seen(&mut world, phase, Some(0));
        world.run_for(seconds(1));
        seen(&mut world, AnalyzerState::Idle, Some(0));
        let at = world.now;
        world.settle(seconds(60));
        let (outcome, reason) = ending(&world);
        assert!(reason.contains("stopped measuring, and not because gaserad told it to"), "{reason}");
        assert_eq!((outcome, starts(&world)), (Outcome::Failed, 1));
        assert!(world.now.since(at) < seconds(10));
    }
}

fn away_and_back(told: Option<Reconnection>, state: AnalyzerState, iteration: Option<u32>) -> World {
    let mut world = after(300);
    world.say(AnalyzerNews::Offline { reason: "no answer".into() });
    world.deaf_until = Some(world.now + seconds(30));
    world.stop_measuring();
    world.run_for(seconds(29));
    world.say(AnalyzerNews::Online { identity: Vec::new() });
    world.deaf_until = None;
    if let Some(told) = told {
        world.say(AnalyzerNews::Reconnected(told));
    }
    seen(&mut world, state, iteration);
    world
}

#[test]
fn each_sign_of_a_restart_within_an_outage_is_enough() {
    let down = Reconnection { program_was_down: true, ..Reconnection::default() };
    let gone = Reconnection { result_is_gone: true, ..Reconnection::default() };
    for (told, iteration) in [(Some(down), Some(0)), (Some(gone), None), (Some(Reconnection::default()), Some(1))] {
        let mut world = away_and_back(told, AnalyzerState::Idle, iteration);
        world.settle(seconds(10_000));
        check(&world);
        assert_eq!(ending(&world).0, Outcome::Completed, "{told:?}");
        assert!(alarms(&world).contains(&"analyzer_restarted".to_owned()), "{told:?}: {:?}", alarms(&world));
    }
}

#[test]
fn a_source_that_warms_up_after_an_outage_shows_a_restart_and_is_waited_for() {
    let mut world = away_and_back(None, AnalyzerState::Idle, Some(0));
    world.say(AnalyzerNews::Errors(DeviceErrors(vec!["8026".into()])));
    world.run_for(seconds(60));
    assert_eq!(starts(&world), 1, "it is not started while an error blocks measuring");
    assert!(alarms(&world).contains(&"analyzer_restarted".to_owned()));
    world.say(AnalyzerNews::Errors(DeviceErrors::default()));
    world.settle(seconds(10_000));
    check(&world);
    assert_eq!(ending(&world).0, Outcome::Completed);
}

#[test]
fn one_that_does_not_get_ready_within_grace_fails_the_run_with_what_it_reports() {
    let mut world = away_and_back(None, AnalyzerState::Idle, Some(0));
    world.say(AnalyzerNews::Errors(DeviceErrors(vec!["8026".into()])));
    world.settle(seconds(200));
    let (outcome, reason) = ending(&world);
    assert_eq!((outcome, starts(&world)), (Outcome::Failed, 1));
    assert!(reason.contains("not ready for that within 2m") && reason.contains("source warming up"), "{reason}");
}

/// Nothing tells a stop by somebody from a restart.
pub(super) fn doubtful() -> World {
    let mut world = away_and_back(Some(Reconnection::default()), AnalyzerState::Idle, Some(0));
    world.run_for(seconds(30));
    world
}

#[test]
fn where_a_stop_cannot_be_told_from_a_restart_nothing_is_started_and_nothing_given_up() {
    let mut world = doubtful();
    let from = world.effects.len();
    world.run_for(seconds(40_000));
    assert!(orders(&world, from).is_empty(), "{:?}", orders(&world, from));
    assert!(world.state.is_busy() && !world.is_measuring());
    assert_eq!(world.phases().last().unwrap().1.phase, Phase::Paused);
    assert!(alarms(&world).contains(&"analyzer_restart_doubtful".to_owned()));
    world.ask(|request| What::Control { request, who: "ada".into(), control: Control::Resume });
    world.settle(seconds(10_000));
    check(&world);
    assert_eq!((ending(&world).0, starts(&world)), (Outcome::Completed, 2));
}

#[test]
fn a_run_in_doubt_is_started_by_nothing_but_a_resume() {
    let mut world = doubtful();
    let from = world.effects.len();
    world.turn_by_hand(5);
    world.say(AnalyzerNews::Errors(DeviceErrors(vec!["8004".into()])));
    world.say(AnalyzerNews::Errors(DeviceErrors::default()));
    world.ask(|_| What::Disk { free_bytes: 1, low: true });
    world.ask(|_| What::Disk { free_bytes: u64::MAX, low: false });
    let skip = world.ask(|request| What::Control { request, who: "ada".into(), control: Control::Skip });
    assert!(world.replies(skip)[0].1.is_err());
    world.crash(seconds(60));
    world.run_for(seconds(4000));
    assert!(orders(&world, from).is_empty(), "{:?}", orders(&world, from));
    assert!(world.state.is_busy() && !world.is_measuring());
    world.ask(|request| What::Control { request, who: "ada".into(), control: Control::Resume });
    world.settle(seconds(10_000));
    check(&world);
    assert_eq!(ending(&world).0, Outcome::Completed);
}

#[test]
fn a_run_in_doubt_can_be_aborted() {
    let mut world = doubtful();
    world.abort();
    world.settle(seconds(60));
    assert_eq!((ending(&world).0, starts(&world)), (Outcome::Aborted, 1));
}

#[test]
fn a_measurement_that_others_began_after_a_restart_is_left_alone() {
    let mut world = after(300);
    seen(&mut world, AnalyzerState::Initializing, Some(0));
    world.run_for(seconds(10));
    let from = world.effects.len();
    world.measure_for_somebody_else();
    world.settle(seconds(60));
    let asked =
        |order: &AnalyzerOrder| matches!(order, AnalyzerOrder::Prepare { if_measuring: IfMeasuring::Refuse, .. });
    assert!(orders(&world, from).iter().all(asked), "{:?}", orders(&world, from));
    assert_eq!(ending(&world).0, Outcome::Failed);
    assert!(world.is_measuring(), "it is not ours to stop");
}

#[test]
fn a_measurement_that_others_stopped_and_began_anew_is_not_taken_for_ours() {
    let mut world = after(300);
    seen(&mut world, AnalyzerState::Idle, Some(0));
    world.run_for(seconds(1));
    let from = world.effects.len();
    world.measure_for_somebody_else();
    world.settle(seconds(60));
    let (outcome, reason) = ending(&world);
    assert!(reason.contains("its iterations began anew"), "{reason}");
    assert_eq!((outcome, orders(&world, from).len(), world.is_measuring()), (Outcome::Failed, 0, true));
}

#[test]
fn an_instrument_that_restarts_again_and_again_ends_the_run_in_bounded_time() {
    let mut world = after(300);
    let mut restarts = 0;
    while world.state.is_busy() {
        restarts += 1;
        assert!(restarts < 10, "it goes on and on");
        seen(&mut world, AnalyzerState::Initializing, Some(0));
        world.run_for(seconds(5));
        seen(&mut world, AnalyzerState::Idle, Some(0));
        world.run_for(seconds(40));
    }
    let (outcome, reason) = ending(&world);
    assert_eq!((outcome, restarts), (Outcome::Failed, 4));
    assert!(reason.contains("4 times with no visit completed between"), "{reason}");
}

#[test]
fn if_a_restart_is_to_fail_a_run_it_does() {
    for second in [100, 300] {
        let after_restart = Some(AfterRestart::Fail);
        let mut world = World::beginning(lively(), Beginning { after_restart, ..Beginning::default() });
        world.start(three_channels());
        world.run_for(seconds(second));
        seen(&mut world, AnalyzerState::Initializing, Some(0));
        world.settle(seconds(60));
        let (outcome, reason) = ending(&world);
        assert_eq!((outcome, starts(&world)), (Outcome::Failed, 1));
        assert!(reason.contains("the analyzer restarted: it was initializing"), "{reason}");
    }
}

#[test]
fn the_journal_of_an_older_version_is_stepped_through_as_it_was() {
    let began = serde_json::to_value(Beginning::default()).unwrap();
    let mut older = began.clone();
    older.as_object_mut().unwrap().remove("after_restart").expect("it is written");
    assert_eq!(serde_json::from_value::<Beginning>(older).unwrap().after_restart, None);
    let mut world = World::as_it_was(lively(), Beginning::default());
    world.start(three_channels());
    world.run_for(seconds(300));
    let from = world.effects.len();
    seen(&mut world, AnalyzerState::Initializing, Some(0));
    world.run_for(seconds(1));
    assert_eq!(orders(&world, from), [AnalyzerOrder::Stop], "at once");
}

#[test]
fn what_passes_is_waited_for_and_costs_no_more_than_what_was_drawn_meanwhile() {
    for state in [
        AnalyzerState::LaserScan,
        AnalyzerState::Calibrating,
        AnalyzerState::Cancelling,
        AnalyzerState::Other(9),
        AnalyzerState::Idle,
        AnalyzerState::SelfTest,
    ] {
        let mut world = after(300);
        let back = if matches!(state, AnalyzerState::Idle | AnalyzerState::SelfTest) { 2 } else { 20 };
        world.excursion(state, seconds(back));
        world.settle(seconds(10_000));
        assert_eq!((ending(&world).0, starts(&world)), (Outcome::Completed, 1), "{state:?}");
        assert!(!alarms(&world).contains(&"analyzer_not_measuring".to_owned()), "{state:?}");
        assert!(world.records().iter().all(|record| !record.flags.contains(&Flag::Interrupted)));
    }
}

#[test]
fn what_lasts_is_told_and_ends_the_run_after_grace() {
    let mut world = after(300);
    seen(&mut world, AnalyzerState::LaserScan, Some(3));
    let at = world.now;
    world.run_for(seconds(29));
    assert!(!alarms(&world).contains(&"analyzer_not_measuring".to_owned()));
    world.run_for(seconds(2));
    assert!(alarms(&world).contains(&"analyzer_not_measuring".to_owned()));
    world.settle(seconds(200));
    let (outcome, reason) = ending(&world);
    assert_eq!(outcome, Outcome::Failed);
    assert!(reason.contains("did not measure for 2m") && reason.contains("in a laser scan"), "{reason}");
    assert!((seconds(120)..seconds(130)).contains(&world.now.since(at)), "{:?}", world.now.since(at));
}

#[test]
fn a_laser_scan_in_which_the_analyzer_is_lost_is_not_judged_before_it_is_back() {
    let manners = Manners { deaf_to_orders: false, ..lively() };
    let mut world = World::new(manners);
    world.start(three_channels());
    world.run_for(seconds(300));
    world.excursion(AnalyzerState::LaserScan, seconds(50));
    world.run_for(seconds(5));
    world.say(AnalyzerNews::Offline { reason: "no answer".into() });
    world.deaf_until = Some(world.now + seconds(60));
    world.run_for(seconds(40));
    assert!(!alarms(&world).contains(&"analyzer_not_measuring".to_owned()));
    world.settle(seconds(10_000));
    assert_eq!((ending(&world).0, starts(&world)), (Outcome::Completed, 1));
}
