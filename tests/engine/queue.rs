//! Runs that are to begin later.

use gasera::domain::event::RunChange;
use gasera::domain::{Denied, Done, Event, Fact, Outcome, Plan, Reason, StartRequest, Sync, Tick, Waiting};
use gasera::engine::{Beginning, Effect, RequestId, What};

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
    matches!(world.replies(request).remove(0).1, Ok(Done::Run(_) | Done::Queued(..) | Done::Unqueued(_)))
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

fn alarms(world: &World, wanted: &str) -> Vec<String> {
    let told = world.effects.iter().filter_map(|(_, effect)| match effect {
        Effect::Tell(Event::Alarm { code, run_id: Some(run), .. }) if code == wanted => Some(run.0.clone()),
        _ => None,
    });
    told.collect()
}

/// The runs that were to begin later and do not, with who is told and why.
fn unqueued(world: &World) -> Vec<(String, String)> {
    let told = world.effects.iter().filter_map(|(_, effect)| match effect {
        Effect::Tell(Event::RunUpdated(update)) if update.change == RunChange::Unqueued => {
            Some((update.run_id.0.clone(), update.text.clone()))
        }
        _ => None,
    });
    told.collect()
}

/// The runs that the store holds as waiting: a process that begins anew has them from there.
fn kept(world: &World) -> Vec<Waiting> {
    let mut kept: Vec<Waiting> = Vec::new();
    for (_, effect) in &world.effects {
        match effect {
            Effect::Keep(Fact::Queued(waiting)) => kept.push(Waiting::clone(waiting)),
            Effect::Keep(Fact::Unqueued { run }) => kept.retain(|waiting| waiting.run != *run),
            Effect::Keep(Fact::RunStarted(summary)) => kept.retain(|waiting| waiting.run != summary.id),
            _ => {}
        }
    }
    kept
}

fn id(request: RequestId) -> String {
    format!("RUN{}", request.0)
}

fn waiting(world: &World) -> Vec<String> {
    world.state.status(world.moment()).queued.into_iter().map(|queued| queued.run_id.0).collect()
}

fn abort_run(world: &mut World, run: &str) -> Result<Done, Denied> {
    let run = run.to_owned();
    let request = world.ask(|request| What::AbortRun { request, who: "bob".into(), run });
    world.replies(request).remove(0).1
}

fn abort_run_is_unknown(world: &mut World) -> bool {
    abort_run(world, "last").is_err_and(|denied| denied.reason == Reason::RunUnknown)
}

#[test]
fn a_run_of_this_evening_does_not_keep_one_back_that_waits_for_the_one_under_way() {
    let mut world = World::new(lively());
    let evening = ask(&mut world, |asked| asked.align = Some(seconds(43_200)));
    world.start(short());
    let next = ask(&mut world, |asked| asked.queue = true);
    assert_eq!(waiting(&world), [id(next), id(evening)]);
    world.run_for(seconds(3600));
    assert_eq!((world.endings().len(), waiting(&world)), (2, vec![id(evening)]));
    assert_eq!(kept(&world).len(), 1);
}

#[test]
fn one_of_those_that_wait_is_called_off_by_its_name_and_the_others_begin() {
    let mut world = World::new(lively());
    world.start(short());
    world.run_for(seconds(30));
    let [first, second] = [(); 2].map(|()| ask(&mut world, |asked| asked.queue = true));
    assert_eq!(abort_run(&mut world, "RUN").expect_err("several").reason, Reason::RequestInvalid);
    assert_eq!(abort_run(&mut world, "NONE").expect_err("none").reason, Reason::RunUnknown);
    let called_off = abort_run(&mut world, &id(first).to_lowercase());
    assert_eq!(called_off, Ok(Done::Unqueued(gasera::domain::RunId(id(first)))));
    assert_eq!(unqueued(&world), [(id(first), "aborted by bob".into())]);
    assert_eq!((waiting(&world), kept(&world).len()), (vec![id(second)], 1));
    world.run_for(seconds(3600));
    assert_eq!(world.endings().iter().filter(|(outcome, _)| *outcome == Outcome::Completed).count(), 2);
    assert!(kept(&world).is_empty());
}

#[test]
fn a_run_under_way_is_aborted_by_its_name_and_the_next_one_begins() {
    let mut world = World::new(lively());
    let first = world.start(short());
    world.run_for(seconds(30));
    let second = ask(&mut world, |asked| asked.queue = true);
    assert!(abort_run_is_unknown(&mut World::new(lively())), "none has begun");
    let run = "last".to_owned();
    let abort = world.ask(|request| What::AbortRun { request, who: "bob".into(), run });
    world.run_for(seconds(3600));
    assert_eq!(world.replies(abort).remove(0).1, Ok(Done::Run(gasera::domain::RunId(id(first)))));
    let outcomes: Vec<Outcome> = world.endings().into_iter().map(|(outcome, _)| outcome).collect();
    assert_eq!(outcomes, [Outcome::Aborted, Outcome::Completed]);
    assert!(waiting(&world).is_empty() && is_granted(&world, second));
}

#[test]
fn whoever_waits_for_a_run_hears_that_it_was_skipped_or_could_not_be_started() {
    let mut world = World::new(lively());
    let skipped = ask(&mut world, |asked| asked.align = Some(seconds(1800)));
    world.start(plan("1-2", 40, 5, 60, Sync::Analyzer));
    world.run_for(seconds(1900));
    assert_eq!((alarms(&world, "start_skipped"), unqueued(&world)[0].0.clone()), (vec![id(skipped)], id(skipped)));
    let refused = ask(&mut world, |asked| asked.queue = true);
    world.abort();
    world.until_waiting_for("the analyzer to find the task");
    world.measure_for_somebody_else();
    world.run_for(seconds(3600));
    let told: Vec<String> = unqueued(&world).into_iter().map(|(run, _)| run).collect();
    let failed = alarms(&world, "start_failed");
    assert!(failed.is_empty() || (failed, told) == (vec![id(refused)], vec![id(skipped), id(refused)]));
    assert!(kept(&world).is_empty());
}

#[test]
fn a_run_that_is_aborted_while_it_is_prepared_says_that_it_does_not_begin() {
    let mut world = World::new(lively());
    world.start(short());
    world.run_for(seconds(30));
    let next = ask(&mut world, |asked| asked.queue = true);
    world.abort();
    world.until_waiting_for("the analyzer to find the task");
    assert_eq!(waiting(&world), [id(next)], "it waits until it has begun");
    world.abort();
    world.run_for(seconds(3600));
    assert_eq!(unqueued(&world), [(id(next), "aborted: by somebody".into())]);
    assert!(kept(&world).is_empty() && world.endings().len() == 1);
}

#[test]
fn what_waits_begins_in_the_next_process_at_its_time_by_the_wall_clock() {
    let mut world = World::new(lively());
    world.run_for(seconds(100));
    ask(&mut world, |asked| asked.align = Some(seconds(1800)));
    let waiting = kept(&world);
    let begins = waiting[0].begins.expect("a time");
    let mut later = World::beginning(lively(), Beginning { waiting, ..Beginning::default() });
    later.wall_clock_set_by += seconds(600);
    later.run_for(seconds(4000));
    let at = begun(&later)[0];
    assert_eq!(later.moment().utc_at(at), begins);
    assert_eq!(later.endings(), [(Outcome::Completed, String::new())]);
}

#[test]
fn an_alignment_that_makes_no_sense_is_refused() {
    let mut world = World::new(lively());
    for of in [0, 86_401] {
        let asked = ask(&mut world, |asked| asked.align = Some(seconds(of)));
        assert_eq!(world.replies(asked).remove(0).1.expect_err("refused").reason, Reason::RequestInvalid);
    }
}
