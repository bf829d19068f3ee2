//! The condition between two visits.

use gasera::domain::{Control, Outcome, Phase, Sync};
use gasera::engine::{Beginning, Guard, What};

use super::runs::{check, lively};
use crate::support::world::{Manners, World, plan, seconds};

fn guarded(against: Option<&str>) -> World {
    let guard = Some(Guard { every: seconds(60), timeout: seconds(10) });
    let manners = Manners { guard: against.map(str::to_owned), ..lively() };
    let mut world = World::beginning(manners, Beginning { guard, ..Beginning::default() });
    world.start(plan("1-3", 1, 5, 20, Sync::Analyzer));
    world
}

fn completes(mut world: World) {
    world.settle(seconds(10_000));
    check(&world);
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
}

#[test]
fn while_it_holds_nothing_is_seen_of_it() {
    let world = guarded(None);
    assert!(world.phases().iter().all(|(_, change)| change.phase != Phase::Paused));
    completes(world);
}

#[test]
fn while_it_does_not_hold_the_next_visit_waits_and_begins_when_it_does() {
    let mut world = guarded(Some("it rains"));
    world.until_waiting_for("the guard to let the next visit begin");
    world.run_for(seconds(3000));
    assert_eq!(world.phases().last().unwrap().1.phase, Phase::Paused);
    assert_eq!(world.phases().iter().filter(|(_, change)| change.phase == Phase::Paused).count(), 1);
    world.manners.guard = None;
    completes(world);
}

#[test]
fn somebody_may_go_on_in_spite_of_it_or_abort() {
    let mut world = guarded(Some("it rains"));
    world.until_waiting_for("the guard to let the next visit begin");
    world.run_for(seconds(100));
    world.ask(|request| What::Control { request, who: "ada".into(), control: Control::Resume });
    assert_eq!(world.phases().last().unwrap().1.phase, Phase::Switching);
    world.until_waiting_for("the guard to let the next visit begin");
    world.abort();
    world.settle(seconds(1000));
    assert_eq!(world.endings()[0].0, Outcome::Aborted);
}
