//! Another device behind the same name.

use super::super::plant::{CYCLE, ask, at, go, plant_with, tell};
use super::{measuring, through};
use crate::simulator::{Faults, Plant, Selector};

fn says(plant: &mut Plant, seconds: f64, line: &str) -> String {
    plant.advance(at(seconds));
    plant.valve_line(line).unwrap_or_default()
}

#[test]
fn an_analyzer_tells_another_serial_number_from_its_moment_on() {
    let mut plant = measuring("habits.analyzer_swapped = { after = \"1m\", serial = \"999999\" }");
    assert!(ask(&mut plant, 59.0, "ADEV").contains("\"000000\""));
    assert!(ask(&mut plant, 60.0, "ADEV").contains("\"999999\""));
}

#[test]
fn another_valve_answers_and_the_gas_does_not_come_through_it() {
    let swapped = "habits.valve_swapped = { after = \"60s\", for = \"60s\", model = \"OTHER\", count = 900, at = 7 }";
    let mut plant = measuring(swapped);
    go(&mut plant, 1.0, 3);
    let ours = (says(&mut plant, 30.0, "CP"), says(&mut plant, 30.0, "CNT"), says(&mut plant, 30.0, "VR"));
    assert!(ours.0 == "CP03" && ours.1 == "CNT1" && !ours.2.contains("OTHER"), "{ours:?}");
    assert_eq!(says(&mut plant, 61.0, "CP"), "CP07");
    assert!(says(&mut plant, 61.0, "VR").starts_with("OTHER"));
    go(&mut plant, 62.0, 9);
    assert_eq!((says(&mut plant, 64.0, "CP"), says(&mut plant, 64.0, "CNT")), ("CP09".into(), "CNT901".into()));
    assert_eq!(says(&mut plant, 121.0, "CP"), "CP03");
    let truth = through(&mut plant, 180.0);
    assert_eq!(truth.iter().map(|truth| truth.valve).collect::<Vec<_>>()[1..], [Some(3), Some(3)]);
}

#[test]
fn another_relay_board_has_other_coils_and_switches_nothing_here() {
    let faults = Faults::parse("habits.relays_swapped = { after = \"60s\", coils = 8 }").unwrap();
    let mut plant = plant_with(CYCLE, 1, faults);
    plant.put_in_charge(Selector::Relays);
    plant.relays_request(&[5, 0, 4, 0xFF, 0]);
    tell(&mut plant, 20.0, "STAM", "11");
    let coils = |plant: &mut Plant, seconds, count| {
        plant.advance(at(seconds));
        plant.relays_request(&[1, 0, 0, 0, count])
    };
    assert_eq!(coils(&mut plant, 59.0, 31), Some(vec![1, 4, 0b1_0000, 0, 0, 0]));
    assert_eq!(coils(&mut plant, 61.0, 31), Some(vec![0x81, 2]));
    assert_eq!(coils(&mut plant, 61.0, 8), Some(vec![1, 1, 0]));
    plant.relays_request(&[5, 0, 1, 0xFF, 0]);
    let valves: Vec<Option<u8>> = through(&mut plant, 140.0).iter().map(|truth| truth.valve).collect();
    assert_eq!(valves, [Some(5), Some(5)]);
}
