//! The judge itself: what was tampered with is seen.

use gasera::domain::{Channel, Fact, Outcome, Record};
use gasera::engine::Effect;
use gasera::simulator::Faults;

use super::judge::{Wrong, judge};
use super::{RudeWorld, Stack, in_virtual_time};

/// A polite world after something was changed in what was kept of it.
fn wrong_after(tamper: impl FnOnce(&mut Stack)) -> Vec<Wrong> {
    in_virtual_time(async {
        let mut world = RudeWorld::new(8);
        let mut stack = world.live().await;
        assert!(world.habits.is_empty() && matches!(stack.endings()[..], [(Outcome::Completed, _)]));
        assert!(judge(&stack, world.world.margin()).wrong.is_empty());
        tamper(&mut stack);
        let wrong = judge(&stack, world.world.margin()).wrong;
        wrong.into_iter().map(|(wrong, _)| wrong).collect()
    })
}

/// Where the records are among the effects.
fn good(stack: &Stack) -> Vec<usize> {
    let is_good = |effect: &Effect| matches!(effect, Effect::Keep(Fact::Recorded(record)) if record.is_good());
    (0..stack.effects.len()).filter(|place| is_good(&stack.effects[*place].1)).collect()
}

fn record(stack: &mut Stack, place: usize) -> &mut Record {
    match &mut stack.effects[place].1 {
        Effect::Keep(Fact::Recorded(record)) => record,
        other => panic!("{other:?} is no record"),
    }
}

#[test]
fn the_judge_sees_a_wrong_channel() {
    let wrong = wrong_after(|stack| {
        let record = {
            let place = good(stack)[0];
            record(stack, place)
        };
        let other = record.channel.map_or(1, |channel| channel.number() % 2 + 1);
        record.channel = Channel::new(other);
    });
    assert_eq!(wrong, [Wrong::Channel]);
}

#[test]
fn the_judge_sees_that_two_results_changed_places() {
    let wrong = wrong_after(|stack| {
        let places = good(stack);
        let (first, last) = (places[0], places[places.len() - 1]);
        let taken = record(stack, first).sample.clone();
        let other = std::mem::replace(&mut record(stack, last).sample, taken);
        record(stack, first).sample = other;
    });
    assert_eq!(wrong, [Wrong::Channel; 2]);
}

#[test]
fn the_judge_sees_a_record_that_is_not_there() {
    let wrong = wrong_after(|stack| {
        let place = good(stack)[0];
        stack.effects.remove(place);
    });
    assert_eq!(wrong, [Wrong::Silent]);
}

#[test]
fn the_judge_sees_a_record_that_is_there_twice() {
    let wrong = wrong_after(|stack| {
        let place = good(stack)[0];
        let again = stack.effects[place].clone();
        stack.effects.insert(place, again);
    });
    assert_eq!(wrong, [Wrong::Twice]);
}

#[test]
fn the_judge_sees_values_that_nothing_gave_and_a_gas_that_is_not_there() {
    let wrong = wrong_after(|stack| {
        let places = good(stack);
        record(stack, places[0]).sample.readings[0].ppm = Some(500_003.0);
        let other = record(stack, places[1]);
        other.sample.readings.pop();
        other.flags.clear();
    });
    assert!(wrong.contains(&Wrong::Values) && wrong.contains(&Wrong::Gas), "{wrong:?}");
}

#[test]
fn any_habits_of_a_world_can_be_of_it_together() {
    for seed in 1..4000 {
        let world = RudeWorld::new(seed);
        let faults = &world.world.design.faults;
        assert!(Faults::parse(faults).is_ok(), "RUDE={seed} [{}]: {faults}", world.names());
    }
}
