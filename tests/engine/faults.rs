//! What goes wrong, and what is said of it.

use std::time::Duration;

use gasera::domain::{
    AnalyzerNews, AnalyzerPhase, AnalyzerState, DeviceErrors, Event, Fault, FaultKind, Outcome, Reason, Seen, Sync,
    Tick,
};
use gasera::engine::Effect;

use super::runs::{check, lively};
use crate::support::world::{Manners, World, plan, seconds};

fn refused(manners: Manners) -> (World, Reason, String) {
    let mut world = World::new(manners);
    let start = world.start(plan("1,2", 1, 5, 20, Sync::Analyzer));
    world.settle(seconds(1000));
    let mut replies = world.replies(start);
    assert_eq!(replies.len(), 1);
    let denied = replies.remove(0).1.expect_err("the start is refused");
    assert!(!world.is_measuring());
    (world, denied.reason, denied.text)
}

#[test]
fn a_task_that_does_not_exist_starts_nothing() {
    let prepare = Some(Fault::new(FaultKind::TaskUnknown, "no such task"));
    let (world, reason, text) = refused(Manners { prepare, ..lively() });
    assert_eq!((reason, text.as_str()), (Reason::TaskUnknown, "no such task"));
    assert!(world.endings().is_empty(), "there was no run");
}

#[test]
fn a_start_that_the_analyzer_refuses_is_a_failed_run() {
    let start = Some(Fault::new(FaultKind::Refused, "STAM 1"));
    let (world, reason, _) = refused(Manners { start, ..lively() });
    assert_eq!(reason, Reason::AnalyzerRefused);
    assert_eq!(world.endings(), [(Outcome::Failed, "STAM 1".to_owned())]);
}

#[test]
fn a_valve_that_does_not_answer_fails_the_run_in_bounded_time() {
    let (world, reason, text) = refused(Manners { valve_silent_from: Some(Tick::ZERO), ..lively() });
    assert_eq!(reason, Reason::MultiplexerFault);
    assert!(text.contains("the multiplexer did not answer"), "{text}");
    assert_eq!(world.endings()[0].0, Outcome::Failed);
}

#[test]
fn a_valve_that_fails_in_the_middle_fails_the_run_and_stops_the_analyzer() {
    let from = Some(Tick::ZERO + seconds(40));
    let mut world = World::new(Manners { valve_refuses_from: from, ..lively() });
    world.start(plan("1-4", 1, 5, 20, Sync::Analyzer));
    world.settle(seconds(2000));
    assert_eq!(world.endings(), [(Outcome::Failed, "the valve stays at 7".to_owned())]);
    assert!(!world.is_measuring());
    check(&world);
}

#[test]
fn while_one_run_is_under_way_another_is_refused() {
    let mut world = World::new(lively());
    world.start(plan("1,2", 1, 5, 20, Sync::Analyzer));
    world.run_for(seconds(20));
    let second = world.start(plan("3", 1, 5, 20, Sync::Analyzer));
    let denied = world.replies(second).remove(0).1.expect_err("refused");
    assert_eq!(denied.reason, Reason::RunUnderWay);
    world.settle(seconds(2000));
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
}

#[test]
fn without_a_run_there_is_nothing_to_abort() {
    let mut world = World::new(lively());
    let abort = world.abort();
    assert_eq!(world.replies(abort).remove(0).1.expect_err("refused").reason, Reason::NoRun);
}

#[test]
fn an_analyzer_that_is_away_is_waited_for_and_then_not() {
    let gone = AnalyzerNews::Offline { reason: "no answer".into() };
    let mut world = World::new(lively());
    let start = world.start(plan("1-4", 1, 5, 20, Sync::Analyzer));
    world.run_for(seconds(30));
    world.say(gone.clone());
    world.run_for(seconds(60));
    world.say(AnalyzerNews::Online { identity: Vec::new() });
    world.run_for(seconds(30));
    assert!(world.state.is_busy());
    world.say(gone);
    world.settle(seconds(300));
    assert!(world.replies(start).remove(0).1.is_ok());
    let (outcome, reason) = world.endings().remove(0);
    assert_eq!(outcome, Outcome::Failed);
    assert!(reason.contains("offline for 2m"), "{reason}");
}

#[test]
fn an_analyzer_that_comes_back_after_its_run_is_stopped_then() {
    let mut world = World::new(Manners { deaf_to_orders: true, ..lively() });
    world.start(plan("1-4", 1, 5, 20, Sync::Analyzer));
    world.run_for(seconds(60));
    world.say(AnalyzerNews::Offline { reason: "no answer".into() });
    world.deaf_until = Some(world.now + seconds(600));
    let away = world.now;
    world.settle(seconds(1000));
    assert!(world.now.since(away) < seconds(140), "the run stays open for {:?}", world.now.since(away));
    assert!(world.is_measuring());
    world.run_for(seconds(700));
    assert!(!world.is_measuring());
    assert_eq!(world.endings().len(), 1);
}

#[test]
fn the_last_result_is_waited_for_across_a_short_outage_and_no_longer() {
    for (outage, good) in [(30, 1), (3000, 0)] {
        let mut world = World::new(lively());
        world.start(plan("1", 1, 5, 20, Sync::Analyzer));
        world.run_for(seconds(36));
        assert_eq!(world.state.deadline().map(|(_, reason)| reason), Some("a whole gas exchange on this channel"));
        while world.state.deadline().is_some_and(|(_, reason)| reason != "the last result of the analyzer") {
            world.run_for(seconds(1));
        }
        world.deaf_until = Some(world.now + seconds(outage));
        world.say(AnalyzerNews::Offline { reason: "no answer".into() });
        world.settle(seconds(4000));
        let (outcome, _) = world.endings().remove(0);
        let records = world.records().iter().filter(|record| record.is_good()).count();
        assert_eq!((outcome == Outcome::Completed, records), (good == 1, good), "after {outage} s");
    }
}

#[test]
fn an_analyzer_that_is_offline_starts_nothing() {
    let mut world = World::new(lively());
    world.say(AnalyzerNews::Offline { reason: "connection refused".into() });
    let start = world.start(plan("1", 1, 5, 20, Sync::Analyzer));
    let denied = world.replies(start).remove(0).1.expect_err("refused");
    assert_eq!(denied.reason, Reason::AnalyzerOffline);
    assert!(denied.text.contains("connection refused"), "{}", denied.text);
}

#[test]
fn an_analyzer_that_stops_by_itself_fails_the_run() {
    let mut world = World::new(lively());
    world.start(plan("1-4", 1, 5, 20, Sync::Analyzer));
    world.run_for(seconds(30));
    let (after, before) = (world.now, world.now);
    let (state, phase) = (AnalyzerState::Malfunction, AnalyzerPhase::None);
    world.say(AnalyzerNews::Seen(Seen { state, phase, iteration: None, after, asked: after, before }));
    world.settle(seconds(300));
    let (outcome, reason) = world.endings().remove(0);
    assert_eq!(outcome, Outcome::Failed);
    assert!(reason.contains("in malfunction"), "{reason}");
}

#[test]
fn critical_errors_make_records_bad_but_keep_them() {
    let mut world = World::new(lively());
    world.start(plan("1", 1, 5, 20, Sync::Analyzer));
    world.run_for(seconds(30));
    world.say(AnalyzerNews::Errors(DeviceErrors(vec!["8011".into()])));
    world.settle(seconds(3000));
    let (outcome, _) = world.endings().remove(0);
    assert_eq!(outcome, Outcome::Partial);
    assert!(world.records().iter().any(|record| record.qc.code() == 2 && record.channel.is_some()));
}

#[test]
fn a_last_result_that_comes_after_it_was_given_up_is_nobodys() {
    for comes in [true, false] {
        let mut world = World::new(Manners { cancelling: seconds(30), ..lively() });
        world.start(plan("1-2", 1, 5, 200, Sync::Analyzer));
        world.until_waiting_for("the last result of the analyzer");
        let (draining, before) = (world.now, world.records().len());
        world.manners.result_lag = seconds(2000);
        world.until_waiting_for("the analyzer to become idle");
        assert!(world.now.since(draining) < seconds(300), "{:?}", world.now.since(draining));
        let told = |(_, effect): &(Tick, Effect)| match effect {
            Effect::Tell(Event::Alarm { code, text, .. }) if code == "results_missing" => Some(text.clone()),
            _ => None,
        };
        let alarms: Vec<_> = world.effects.iter().filter_map(told).collect();
        assert_eq!(alarms.len(), 1, "{alarms:?}");
        if comes {
            world.manners.result_lag = Duration::ZERO;
        }
        world.settle(seconds(100));
        assert_eq!(world.endings().len(), 1);
        let records = world.records();
        assert_eq!(records.len(), before + usize::from(comes));
        for record in &records[before..] {
            assert_eq!((record.channel, record.visit, record.is_good()), (None, None, false), "{record:?}");
        }
    }
}
