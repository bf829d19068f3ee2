//! What a plan can ask of the instruments beside channels and times, and what they do on their own.

use std::time::Duration;

use gasera::domain::{
    AkLine, AnalyzerOrder, Attribution, Background, Cas, Channel, Done, Event, Fault, FaultKind, Flag, IfMeasuring,
    Outcome, Plan, Position, Reason, Record, Service, Sync, Tick, ValveNews, ValveOrder, Verification,
};
use gasera::engine::{self, Effect, RequestId, What};

use super::runs::{check, check_nothing_lost, lively};
use crate::support::world::{Manners, SECOND, World, plan, seconds};

fn channel(number: u8) -> Channel {
    Channel::new(number).unwrap()
}

fn one_iteration_each(channels: &str) -> Plan {
    changed(plan(channels, 1, 10, 60, Sync::Analyzer), |plan| plan.iterations = Some(1))
}

fn changed(mut plan: Plan, change: impl FnOnce(&mut Plan)) -> Plan {
    change(&mut plan);
    plan
}

fn ran(manners: Manners, plan: Plan) -> World {
    let mut world = World::new(manners).with_seed(11);
    world.start(plan);
    world.settle(seconds(100_000));
    check(&world);
    world
}

fn orders(world: &World) -> Vec<(Tick, ValveOrder)> {
    let ordered = |(at, effect): &(Tick, Effect)| match effect {
        Effect::Valve { order, .. } => Some((*at, *order)),
        _ => None,
    };
    world.effects.iter().filter_map(ordered).collect()
}

fn alarms(world: &World) -> Vec<String> {
    let told = |effect: &Effect| match effect {
        Effect::Tell(Event::Alarm { code, .. }) => Some(code.clone()),
        _ => None,
    };
    world.effects.iter().filter_map(|(_, effect)| told(effect)).collect()
}

fn of_channel(world: &World, number: u8) -> Vec<Record> {
    let records = world.records().into_iter();
    records.filter(|record| record.channel.is_some_and(|channel| channel.number() == number)).collect()
}

fn denied(world: &World, request: RequestId) -> Reason {
    world.replies(request).remove(0).1.expect_err("it is refused").reason
}

#[test]
fn the_analyzer_starts_when_the_valve_is_home_and_settled() {
    let world = ran(lively(), one_iteration_each("2-3"));
    let started = world.effects.iter().find_map(|(at, effect)| {
        matches!(effect, Effect::Analyzer { order: AnalyzerOrder::Start { .. }, .. }).then_some(*at)
    });
    // Home takes 700 ms, and the line settles for 5 s.
    assert_eq!(started, Some(Tick::from_micros(1_000_000) + Duration::from_millis(5700)));
}

#[test]
fn without_overlap_the_valve_waits_for_the_result() {
    let with = ran(lively(), one_iteration_each("1-4"));
    let without = ran(lively(), changed(one_iteration_each("1-4"), |plan| plan.overlap = false));
    for world in [&with, &without] {
        assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
        check_nothing_lost(world);
    }
    let results: Vec<Tick> = without
        .effects
        .iter()
        .filter(|(_, effect)| matches!(effect, Effect::Tell(Event::LiveData(data)) if !data.discard))
        .map(|(at, _)| *at)
        .collect();
    let moves = orders(&without).into_iter().skip(1).map(|(at, _)| at);
    assert!(moves.eq(results.into_iter().take(3)), "each move comes with a result");
    assert!(with.now < without.now, "{:?} {:?}", with.now, without.now);
}

#[test]
fn the_first_samples_on_a_channel_are_left_out_as_the_plan_says() {
    let world = ran(lively(), changed(one_iteration_each("1-3"), |plan| plan.discard_first = 2));
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
    for number in 1..=3 {
        let records = of_channel(&world, number);
        let carried = |record: &&Record| record.discard && record.flags.contains(&Flag::Carryover);
        assert_eq!(records.iter().filter(carried).count(), 2, "{records:?}");
        assert_eq!(records.iter().filter(|record| record.is_good()).count(), 1);
    }
}

#[test]
fn a_gas_that_clings_is_left_out_of_the_first_samples_only_by_itself() {
    let mut asked = changed(one_iteration_each("1-2"), |plan| plan.iterations = Some(3));
    asked.gas_discards.insert(Cas("124-38-9".into()), 1);
    let world = ran(lively(), asked);
    for number in 1..=2 {
        let good: Vec<Record> = of_channel(&world, number).into_iter().filter(Record::is_good).collect();
        let left_out: Vec<bool> = good.iter().map(|record| record.sample.readings[0].discard).collect();
        assert_eq!(left_out, [true, false, false]);
        assert!(good[0].flags.contains(&Flag::Carryover) && good[0].sample.readings[0].ppm.is_some());
    }
}

#[test]
fn the_background_is_measured_between_the_others() {
    let background = Some(Background { channel: channel(9), every: 2 });
    let world = ran(lively(), changed(one_iteration_each("1-3"), |plan| plan.background = background));
    let went: Vec<u8> = orders(&world)
        .into_iter()
        .filter_map(|(_, order)| match order {
            ValveOrder::Goto(channel) => Some(channel.number()),
            _ => None,
        })
        .collect();
    assert_eq!(went, [9, 1, 2, 9, 3]);
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
    assert_eq!(of_channel(&world, 9).iter().filter(|record| record.is_good()).count(), 2);
    assert_eq!(world.phases().last().map(|(_, change)| change.progress.total_steps), Some(5));
}

#[test]
fn however_a_run_ends_the_valve_is_sent_to_rest() {
    let parked = changed(one_iteration_each("1-3"), |plan| plan.park = Some(channel(5)));
    let completed = ran(lively(), parked.clone());
    let mut aborted = World::new(lively());
    aborted.start(parked.clone());
    aborted.run_for(seconds(60));
    let abort = aborted.abort();
    aborted.settle(seconds(1000));
    assert!(matches!(aborted.replies(abort).remove(0).1, Ok(Done::Run(_))));
    let failed = ran(Manners { start: Some(Fault::new(FaultKind::Refused, "STAM 1")), ..lively() }, parked);
    for world in [completed, aborted, failed] {
        assert_eq!(world.state.valve().position.channel(), Some(channel(5)));
        assert!(!world.is_measuring());
        assert_eq!(world.endings().len(), 1);
    }
}

#[test]
fn a_valve_that_cannot_be_sent_to_rest_is_told_of() {
    let manners = Manners { valve_refuses_from: Some(Tick::ZERO + seconds(20)), ..lively() };
    let world = ran(manners, changed(one_iteration_each("1"), |plan| plan.park = Some(channel(5))));
    let (outcome, reason) = world.endings().remove(0);
    assert_eq!(outcome, Outcome::Completed);
    assert_eq!(reason, "the valve was not sent to its rest position: the valve stays at 7");
    assert!(alarms(&world).contains(&"valve_not_parked".to_owned()));
}

#[test]
fn a_measurement_of_somebody_else_can_be_taken_over() {
    let mut world = World::new(lively());
    world.measure_for_somebody_else();
    world.run_for(seconds(100));
    assert_eq!(alarms(&world), ["analyzer_measuring"]);
    let start = world.start_if(one_iteration_each("1-2"), IfMeasuring::Adopt);
    world.settle(seconds(10_000));
    check(&world);
    assert!(world.replies(start).remove(0).1.is_ok());
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
    let starts = |effect: &Effect| matches!(effect, Effect::Analyzer { order: AnalyzerOrder::Start { .. }, .. });
    assert!(!world.effects.iter().any(|(_, effect)| starts(effect)));
    assert!(!world.is_measuring(), "what a run took over ends with it");
}

#[test]
fn a_valve_that_is_lost_in_a_visit_and_comes_back_spoils_that_visit_only() {
    let mut world = World::new(lively());
    world.start(plan("1-3", 1, 10, 300, Sync::Analyzer));
    world.run_for(seconds(120));
    world.valve_says(ValveNews::Lost(Fault::new(FaultKind::Offline, "the port is gone")));
    world.run_for(seconds(30));
    world.valve_says(ValveNews::At(Position::At(channel(1), Verification::Readback)));
    world.settle(seconds(10_000));
    check(&world);
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
    let unknown: Vec<Record> =
        world.records().into_iter().filter(|record| record.attribution == Attribution::Unattributed).collect();
    assert!(!unknown.is_empty() && unknown.iter().all(|record| record.flags.contains(&Flag::PosUnverified)));
    for number in 1..=3 {
        let good = of_channel(&world, number).iter().filter(|record| record.is_good()).count();
        assert!(good >= if number == 1 { 2 } else { 4 }, "channel {number}: {good}");
    }
}

#[test]
fn a_valve_that_is_away_when_it_is_to_move_is_waited_for_and_then_not() {
    for (away, outcome) in [(60, Outcome::Completed), (200, Outcome::Failed)] {
        let from = Tick::ZERO + seconds(30);
        let manners = Manners { valve_away: Some((from, from + seconds(away))), ..lively() };
        let world = ran(manners, one_iteration_each("1-3"));
        let (ended, reason) = world.endings().remove(0);
        assert_eq!(ended, outcome, "{reason}");
        assert_eq!(reason.contains("the port is gone"), outcome == Outcome::Failed, "{reason}");
    }
}

#[test]
fn a_valve_that_somebody_turned_is_sent_back() {
    let mut world = World::new(lively());
    world.start(plan("1-2", 1, 10, 200, Sync::Analyzer));
    world.run_for(seconds(100));
    world.turn_by_hand(7);
    world.run_for(seconds(2));
    assert_eq!(world.state.valve().position.channel(), Some(channel(1)));
    world.settle(seconds(10_000));
    check(&world);
    assert!(alarms(&world).contains(&"valve_moved".to_owned()));
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
    assert!(of_channel(&world, 7).iter().all(|record| !record.is_good()));
}

#[test]
fn a_wall_clock_that_is_set_flags_what_was_drawn_meanwhile_and_loses_nothing() {
    let mut world = World::new(lively());
    world.start(plan("1-2", 1, 10, 300, Sync::Analyzer));
    world.run_for(seconds(150));
    world.wall_clock_set_by = seconds(3600);
    world.settle(seconds(10_000));
    check(&world);
    check_nothing_lost(&world);
    assert!(alarms(&world).contains(&"host_clock_step".to_owned()));
    let flagged = world.records().iter().filter(|record| record.flags.contains(&Flag::ClockStep)).count();
    assert!((1..=2).contains(&flagged), "{flagged}");
    assert!(world.records().is_sorted_by_key(|record| record.sampled));
}

#[test]
fn an_analyzer_that_hides_its_phase_is_attributed_by_its_results_and_never_wrongly() {
    let manners = Manners { hides_phase: true, ..lively() };
    let world = ran(manners, plan("1-4", 2, 70, 200, Sync::Analyzer));
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
    let world = ran(Manners { hides_phase: true, ..lively() }, plan("1-3", 2, 5, 20, Sync::Dwell));
    assert!(world.records().iter().all(|record| !record.is_good()), "nothing is certain when visits are that short");
}

#[test]
fn hands_are_off_while_a_run_is_under_way() {
    let mut world = World::new(lively());
    world.start(one_iteration_each("1-3"));
    world.run_for(seconds(30));
    let who = || "somebody".to_owned();
    let order = ValveOrder::Goto(channel(4));
    let goto = world.ask(|request| What::MoveValve { request, who: who(), order });
    let service = Service::Ak(AkLine { code: "RDEV".into(), data: String::new() });
    let serve = world.ask(|request| What::Serve { request, who: who(), service });
    let at = world.ask(|request| What::MoveValve { request, who: who(), order: ValveOrder::Where });
    assert_eq!((denied(&world, goto), denied(&world, serve)), (Reason::RunUnderWay, Reason::RunUnderWay));
    assert!(matches!(world.replies(at).remove(0).1, Ok(Done::Valve(Position::At(..)))));
    world.settle(seconds(10_000));
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
    let goto = world.ask(|request| What::MoveValve { request, who: who(), order });
    let start = world.start(one_iteration_each("1"));
    assert_eq!(denied(&world, start), Reason::AnalyzerBusy, "the valve is on its way for somebody");
    world.run_for(SECOND);
    let arrived = world.replies(goto).remove(0).1;
    assert_eq!(arrived, Ok(Done::Valve(Position::At(channel(4), Verification::Readback))));
}

#[test]
fn a_journal_stepped_through_again_gives_the_same_effects() {
    let mut world = World::new(lively());
    world.start(plan("1-3", 2, 10, 90, Sync::Analyzer));
    world.run_for(seconds(200));
    world.turn_by_hand(3);
    world.settle(seconds(10_000));
    let again = engine::replay(world.journal.clone()).flat_map(|(_, effects)| effects);
    assert!(again.eq(world.effects.iter().map(|(_, effect)| effect.clone())));
}
