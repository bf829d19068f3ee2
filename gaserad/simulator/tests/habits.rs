//! Habits of real instruments, each by itself, as replies of the plant. The cycle is 58 s: gas exchange to 12 s,
//! integration to 48 s, analysis to 58 s.

mod counters;
mod excursions;
mod results;
mod swaps;

use std::time::Duration;

use super::plant::{CYCLE, ask, at, plant_with, tell};
use crate::simulator::{Faults, Plant, Truth};

/// Measuring since the start, without jitter.
fn measuring(habits: &str) -> Plant {
    let mut plant = plant_with(CYCLE, 1, Faults::parse(&format!("jitter = 0.0\n{habits}")).expect(habits));
    assert_eq!(tell(&mut plant, 0.0, "STAM", "11"), "STAM 0");
    plant
}

/// The data of the replies at these moments.
fn asked(plant: &mut Plant, code: &str, moments: &[f64]) -> Vec<String> {
    let data =
        |moment: &f64| ask(plant, *moment, code).split_once(" 0 ").map_or_else(String::new, |it| it.1.to_owned());
    moments.iter().map(data).collect()
}

fn numbers(plant: &mut Plant, code: &str, moments: &[f64]) -> Vec<u32> {
    asked(plant, code, moments).iter().map(|number| number.parse().expect(number)).collect()
}

fn through(plant: &mut Plant, seconds: f64) -> Vec<Truth> {
    plant.advance(at(seconds));
    plant.take_truth()
}

/// Of the newest result, in the layout that ACON has by itself: stamp, CAS number and value of each gas.
fn result(plant: &mut Plant, seconds: f64) -> Vec<String> {
    asked(plant, "ACON", &[seconds]).remove(0).split(' ').map(str::to_owned).collect()
}

fn iterations(truth: &[Truth]) -> Vec<(u32, u32)> {
    truth.iter().map(Truth::id).collect()
}

/// Whether the same seed has the same habit again: what is drawn by chance comes from it alone.
#[test]
fn the_same_seed_has_the_same_habits() {
    let habits = "habits.excursion = { when = { one_in = 3 }, for = \"5s\" }\nhabits.no_result = { one_in = 4 }\n\
                  habits.odd_value = { when = { one_in = 2 }, as = \"over\" }\nhabits.acon_late_up_to = \"70s\"";
    let all = |seed| {
        let mut plant = plant_with(CYCLE, seed, Faults::parse(habits).unwrap());
        tell(&mut plant, 0.0, "STAM", "11");
        let replies: Vec<String> = (0..300).map(|round| ask(&mut plant, f64::from(round) * 10.0, "ACON")).collect();
        (through(&mut plant, 3000.0), replies)
    };
    assert_eq!(all(5), all(5));
    assert_ne!(all(5), all(6));
}

#[test]
fn a_habit_changes_neither_jitter_nor_noise() {
    let truth = |habits: &str| {
        let mut plant = plant_with(CYCLE, 3, Faults::parse(habits).unwrap());
        tell(&mut plant, 0.0, "STAM", "11");
        through(&mut plant, 1000.0)
    };
    let habits = "habits.counter.jumps = { when = { one_in = 3 }, by = 65 }\nhabits.acon_late_up_to = \"70s\"\n\
                  habits.false_phase = { when = { one_in = 2 } }";
    assert_eq!(truth(""), truth(habits));
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
