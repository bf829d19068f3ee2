//! Runs that are to begin later.

use gasera::domain::{Done, Outcome, Plan, Reason, StartRequest, Sync, Tick};
use gasera::engine::{RequestId, What};

use super::runs::lively;
use crate::support::world::{World, plan, seconds};

fn short() -> Plan {
    plan("1-2", 1, 5, 20, Sync::Analyzer)
}

fn ask(world: &mut World, change: impl FnOnce(&mut StartRequest)) -> RequestId {
    let mut asked = StartRequest::new(short(), "ada");
    change(&mut asked);
    let asked = Box::new(asked);
    world.ask(|request| What::Start { request, run: gasera::domain::RunId(format!("RUN{}", request.0)), asked })
}

fn begun(world: &World) -> Vec<Tick> {
    let phases = world.phases().into_iter();
    phases.filter(|(_, change)| change.previous == gasera::domain::Phase::Idle).map(|(at, _)| at).collect()
}

fn is_granted(world: &World, request: RequestId) -> bool {
    matches!(world.replies(request).remove(0).1, Ok(Done::Run(_)))
}

#[test]
fn a_run_that_waits_for_the_one_under_way_begins_when_that_is_over() {
    let mut world = World::new(lively());
    world.start(short());
    world.run_for(seconds(30));
    let refused = ask(&mut world, |_| {});
    assert_eq!(world.replies(refused).remove(0).1.expect_err("refused").reason, Reason::RunUnderWay);
    let (second, third) = (ask(&mut world, |asked| asked.queue = true), ask(&mut world, |asked| asked.queue = true));
    assert!(is_granted(&world, second) && is_granted(&world, third));
    assert_eq!(world.state.status(world.moment()).queued.len(), 2);
    world.run_for(seconds(3600));
    assert!(world.records().iter().filter(|record| record.is_good()).count() >= 6);
    assert_eq!(world.endings().iter().filter(|(outcome, _)| *outcome == Outcome::Completed).count(), 3);
    assert!(!world.is_measuring());
}

#[test]
fn an_aligned_run_begins_at_the_next_half_hour_of_the_wall_clock() {
    let mut world = World::new(lively());
    world.run_for(seconds(100));
    let request = ask(&mut world, |asked| asked.align = Some(seconds(1800)));
    assert!(is_granted(&world, request));
    let begins = world.state.status(world.moment()).queued[0].begins.expect("a time");
    assert_eq!(begins.as_micros() % 1_800_000_000, 0);
    world.run_for(seconds(4000));
    let at = begun(&world)[0];
    assert_eq!(world.moment().utc_at(at), begins);
    assert_eq!(world.endings().len(), 1);
}

#[test]
fn an_aligned_run_is_skipped_and_told_of_if_another_one_is_under_way_then() {
    let mut world = World::new(lively());
    ask(&mut world, |asked| asked.align = Some(seconds(1800)));
    world.start(plan("1-2", 40, 5, 60, Sync::Analyzer));
    world.run_for(seconds(10_000));
    assert_eq!(world.endings().len(), 1);
    assert!(world.state.status(world.moment()).queued.is_empty());
}

#[test]
fn what_waits_can_be_aborted_and_survives_a_restart() {
    let mut world = World::new(lively());
    ask(&mut world, |asked| asked.align = Some(seconds(1800)));
    ask(&mut world, |asked| asked.align = Some(seconds(3600)));
    world.crash(seconds(60));
    assert_eq!(world.state.status(world.moment()).queued.len(), 2);
    let abort = world.abort();
    assert!(is_granted(&world, abort));
    assert_eq!(world.state.status(world.moment()).queued.len(), 1);
    world.run_for(seconds(7200));
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
}

#[test]
fn only_so_many_can_wait() {
    let mut world = World::new(lively());
    let asked: Vec<RequestId> = (0..9).map(|_| ask(&mut world, |asked| asked.align = Some(seconds(1800)))).collect();
    assert!(asked[..8].iter().all(|request| is_granted(&world, *request)));
    assert!(world.replies(asked[8]).remove(0).1.is_err());
}
