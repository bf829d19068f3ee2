//! The analyzer as an instrument: each AK command beside measuring.

use std::time::Duration;

use super::plant::{CYCLE, ask, plant_with, tell};
use crate::ak::{Frame, Reply};
use crate::simulator::{Faults, Plant};

fn plant(faults: Faults) -> Plant {
    plant_with(CYCLE, 1, faults)
}

fn reply(text: &str) -> Reply {
    Reply::parse(&Frame { text: text.into() }).unwrap()
}

#[test]
fn it_says_who_and_where_it_is() {
    let mut plant = plant(Faults::default());
    assert_eq!(ask(&mut plant, 0.0, "ANAM"), "ANAM 0 simulator");
    assert_eq!(ask(&mut plant, 0.0, "ANET"), "ANET 0 0 127.0.0.1 255.0.0.0 NO_GW");
    assert_eq!(tell(&mut plant, 0.0, "APAR", "celltemp"), "APAR 0 45.02");
    assert_eq!(tell(&mut plant, 0.0, "APAR", "NoSuchThing"), "APAR 1");
    assert_eq!(reply(&ask(&mut plant, 0.0, "ADEV")).identity().unwrap().len(), 4);
}

#[test]
fn its_system_parameters_are_a_hundred_and_some_have_no_limits() {
    let listed = ask(&mut plant(Faults::default()), 0.0, "ASYP");
    let all = reply(&listed).system_parameters().unwrap();
    assert!((90..=110).contains(&all.len()) && listed.len() > 3000, "{}", listed.len());
    let negative = all.iter().find(|parameter| parameter.name == "AllowNegResults").unwrap();
    assert_eq!((negative.value.as_deref(), negative.unit.as_deref()), (Some("1"), None));
    assert!(all.iter().any(|parameter| parameter.value.is_none() && parameter.max.is_none()));
}

#[test]
fn it_has_a_sampler_only_if_it_is_given_one() {
    assert_eq!(ask(&mut plant(Faults::default()), 0.0, "AMPS"), "AMPS 2");
    let mut sampling = plant(Faults { sampler: Some(3), ..Faults::default() });
    let inlets = reply(&ask(&mut sampling, 0.0, "AMPS")).inlets().unwrap().unwrap();
    assert_eq!(inlets.iter().map(|inlet| inlet.id).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn a_self_test_takes_its_time_and_cannot_be_begun_twice() {
    for (self_test_fails, code) in [(false, "1"), (true, "0")] {
        let mut plant = plant(Faults { self_test_fails, ..Faults::default() });
        assert_eq!(ask(&mut plant, 0.0, "ASTR"), "ASTR 0 -2");
        assert_eq!((ask(&mut plant, 0.0, "STST"), ask(&mut plant, 1.0, "STST")), ("STST 0".into(), "STST 1".into()));
        assert_eq!(
            (ask(&mut plant, 119.0, "ASTS"), ask(&mut plant, 119.0, "ASTR")),
            ("ASTS 0 3".into(), "ASTR 0 -1".into())
        );
        assert_eq!(tell(&mut plant, 119.0, "STAM", "11"), "STAM 1");
        assert_eq!(ask(&mut plant, 120.0, "ASTS"), "ASTS 0 2");
        assert_eq!(ask(&mut plant, 120.0, "ASTR"), format!("ASTR 0 {code}"));
        assert_eq!(tell(&mut plant, 121.0, "STAM", "11"), "STAM 0");
        assert_eq!(ask(&mut plant, 122.0, "STST"), "STST 1");
    }
}

#[test]
fn a_task_may_be_started_by_its_name() {
    let mut plant = plant(Faults::default());
    for name in ["calibration task", "Calibration", ""] {
        assert_eq!(tell(&mut plant, 0.0, "STAT", name), "STAT 1", "{name}");
    }
    assert_eq!(tell(&mut plant, 0.0, "STAT", "Calibration task"), "STAT 0");
    assert_eq!(ask(&mut plant, 0.0, "ASTS"), "ASTS 0 5");
}

#[test]
fn its_tasks_are_those_of_the_file() {
    let tasks = vec![(11, "Soil 2024 run".to_owned()), (12, "FLUSH".to_owned())];
    let mut plant = plant(Faults { tasks, ..Faults::default() });
    let listed = ask(&mut plant, 0.0, "ATSK");
    assert_eq!(listed, "ATSK 0 11 Soil 2024 run 12 FLUSH");
    assert!(reply(&listed).tasks().unwrap().ambiguous);
    assert_eq!(tell(&mut plant, 0.0, "ATSP", "2024"), "ATSP 1");
    assert_eq!(tell(&mut plant, 0.0, "STAT", "Soil 2024 run"), "STAT 0");
}

#[test]
fn the_order_of_gases_may_be_set() {
    let mut plant = plant(Faults::default());
    tell(&mut plant, 0.0, "STAM", "11");
    assert_eq!(tell(&mut plant, 60.0, "SCOR", "7664-41-7 124-38-9"), "SCOR 0");
    assert_eq!(tell(&mut plant, 60.0, "SCOR", "71-43-2"), "SCOR 1");
    tell(&mut plant, 60.0, "SCON", "0 1 0");
    assert_eq!(ask(&mut plant, 60.0, "ACON"), "ACON 0 7664-41-7 124-38-9 74-82-8 7732-18-5 10024-97-2");
}

#[test]
fn the_laser_is_tuned_before_each_iteration_of_so_many_until_the_next_start() {
    let mut plant = plant(Faults { jitter: 0.0, ..Faults::default() });
    tell(&mut plant, 0.0, "STAM", "11");
    assert_eq!(tell(&mut plant, 1.0, "STUN", "2"), "STUN 0");
    let phases: Vec<String> = [59.0, 117.0, 122.0].map(|seconds| ask(&mut plant, seconds, "AMST")).into();
    assert_eq!(phases, ["AMST 0 1", "AMST 0 4", "AMST 0 1"]);
    let third = {
        plant.advance(super::plant::at(180.0));
        plant.take_truth().pop().unwrap()
    };
    let drawn = third.exchange_end_utc.as_seconds() - third.exchange_start_utc.as_seconds();
    assert!((drawn - 12.0).abs() < 1e-3 && third.clean, "{third:?}");
    ask(&mut plant, 181.0, "STPM");
    tell(&mut plant, 190.0, "STAM", "11");
    assert_eq!(ask(&mut plant, 190.0, "AMST"), "AMST 0 1");
}

#[test]
fn a_reboot_loses_what_was_set_and_takes_over_the_network() {
    let mut plant = plant(Faults::default());
    tell(&mut plant, 0.0, "STAM", "11");
    tell(&mut plant, 1.0, "SCON", "1 1 0");
    tell(&mut plant, 1.0, "SCOR", "124-38-9");
    assert_eq!(tell(&mut plant, 1.0, "SNET", "1 10.0.0.7 255.0.0.0 10.0.0.1"), "SNET 0");
    assert_eq!(ask(&mut plant, 61.0, "AITR"), "AITR 0 1");
    assert_eq!(ask(&mut plant, 61.0, "ANET"), "ANET 0 0 127.0.0.1 255.0.0.0 NO_GW");
    assert_eq!(ask(&mut plant, 61.0, "RDEV"), "RDEV 0");
    assert_eq!(ask(&mut plant, 62.9, "ASTS"), "ASTS 0 5");
    plant.advance(super::plant::at(63.1));
    assert!(plant.analyzer_away() && plant.analyzer_boots() == 1);
    assert_eq!((ask(&mut plant, 68.1, "ASTS"), plant.analyzer_away()), ("ASTS 0 0".into(), false));
    assert_eq!(tell(&mut plant, 68.1, "STAM", "11"), "STAM 1");
    assert_eq!(ask(&mut plant, 73.1, "ASTS"), "ASTS 0 2");
    assert_eq!((ask(&mut plant, 73.1, "AITR"), ask(&mut plant, 73.1, "ACON")), ("AITR 0 0".into(), "ACON 1".into()));
    assert_eq!(ask(&mut plant, 73.1, "ANET"), "ANET 0 1 10.0.0.7 255.0.0.0 10.0.0.1");
    tell(&mut plant, 80.0, "STAM", "11");
    let samples = reply(&ask(&mut plant, 140.0, "ACON")).results().unwrap();
    assert_eq!((samples.len(), samples[0].readings[0].cas.0.as_str()), (1, "74-82-8"));
}

#[test]
fn a_start_while_measuring_is_answered_as_the_file_says() {
    for (start_while_measuring, answer) in [(false, "STAM 1"), (true, "STAM 0")] {
        let mut plant = plant(Faults { start_while_measuring, ..Faults::default() });
        assert_eq!(tell(&mut plant, 0.0, "STAM", "11"), "STAM 0");
        assert_eq!(tell(&mut plant, 60.0, "STAM", "11"), answer);
        assert_eq!(ask(&mut plant, 60.0, "AITR"), "AITR 0 1");
        ask(&mut plant, 60.0, "STPM");
        assert_eq!(tell(&mut plant, 61.0, "STAM", "11"), "STAM 1");
    }
}

#[test]
fn old_firmware_does_not_know_some_commands() {
    let mut plant = plant(Faults { refuse: vec!["AMST".into(), "STAT".into()], ..Faults::default() });
    assert_eq!((ask(&mut plant, 0.0, "AMST"), ask(&mut plant, 0.0, "AITR")), ("AMST 1".into(), "AITR 0 0".into()));
    assert_eq!(tell(&mut plant, 0.0, "STAT", "DEFAULT"), "STAT 1");
    assert_eq!(ask(&mut plant, 0.0, "ASTS"), "ASTS 0 2");
}

#[test]
fn data_that_no_command_takes_are_refused() {
    let mut plant = plant(Faults::default());
    for (code, data) in [("ASTS", "1"), ("SNET", "1"), ("STUN", "x"), ("SCOR", ""), ("ATSP", "DEFAULT")] {
        assert_eq!(tell(&mut plant, 0.0, code, data), format!("{code} 1"));
    }
    assert_eq!(ask(&mut plant, 0.0, "SONL"), "SONL 1");
}

#[test]
fn a_long_boot_takes_long() {
    let mut plant = plant(Faults { boot_time: Duration::from_secs(60), ..Faults::default() });
    ask(&mut plant, 0.0, "RDEV");
    for (seconds, away) in [(1.9, false), (2.1, true), (61.9, true), (62.1, false)] {
        plant.advance(super::plant::at(seconds));
        assert_eq!(plant.analyzer_away(), away, "{seconds}");
    }
}
