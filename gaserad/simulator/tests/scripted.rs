//! What happens in the plant by itself, at its time.

use std::collections::BTreeMap;
use std::time::Duration;

use super::START_S;
use super::plant::{CYCLE, ask, at, go, plant_with, tell};
use crate::domain::instrument::AkLine;
use crate::simulator::{ClockStep, Faults, LaterErrors, OtherClient, Plant};

const AMMONIA: &str = "7664-41-7";

fn measuring(faults: Faults) -> Plant {
    let mut plant = plant_with(CYCLE, 1, faults);
    assert_eq!(tell(&mut plant, 0.0, "STAM", "11"), "STAM 0");
    plant
}

fn other(seconds: u64, code: &str, data: &str) -> OtherClient {
    OtherClient { after: Duration::from_secs(seconds), what: AkLine { code: code.into(), data: data.into() } }
}

#[test]
fn a_sample_is_clean_only_once_the_slowest_gas_has_come() {
    let lag = BTreeMap::from([(AMMONIA.to_owned(), Duration::from_secs(30))]);
    let mut plant = measuring(Faults { lag, jitter: 0.0, ..Faults::default() });
    // The next port the other way round: the rotor passes no other line.
    go(&mut plant, 13.0, 31);
    plant.advance(at(58.0 * 6.0));
    let truth = plant.take_truth();
    assert_eq!(truth[0].channel, 1);
    let second = &truth[1];
    assert_eq!((second.channel, second.valve, second.clean), (31, Some(31), false));
    assert!(second.shares["74-82-8"] > 0.999 && second.fraction > 0.999, "{second:?}");
    assert!(second.shares[AMMONIA] > 0.7 && second.shares[AMMONIA] < 0.9, "{second:?}");
    let mixed = 0.31 * second.shares[AMMONIA] + 0.01 * (1.0 - second.shares[AMMONIA]);
    assert!((second.readings[AMMONIA] - mixed).abs() < 0.01 * mixed, "{second:?}");
    let clean: Vec<bool> = truth[2..].iter().map(|truth| truth.clean).collect();
    assert_eq!(clean, [false, true, true, true], "{truth:?}");
}

#[test]
fn iterations_vary_as_much_as_the_file_says() {
    let mut plant = measuring(Faults { jitter: 0.2, ..Faults::default() });
    plant.advance(at(58.0 * 100.0));
    let starts: Vec<f64> = plant.take_truth().iter().map(|truth| truth.exchange_start_utc.as_seconds()).collect();
    let lengths: Vec<f64> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(lengths.iter().all(|length| (length - 58.0).abs() <= 58.0 * 0.2 + 1e-3));
    assert!(lengths.iter().any(|length| (length - 58.0).abs() > 58.0 * 0.1), "{lengths:?}");
}

#[test]
fn the_clock_drifts_and_is_set() {
    let step = ClockStep { after: Duration::from_secs(600), by_ms: -3_600_000 };
    let faults = Faults { clock_drift_ppm: 10_000.0, clock_step: Some(step), jitter: 0.0, ..Faults::default() };
    let mut plant = measuring(faults);
    assert_eq!(ask(&mut plant, 500.0, "ACLK"), "ACLK 0 2026-01-15T08:11:37");
    assert_eq!(ask(&mut plant, 600.0, "ACLK"), "ACLK 0 2026-01-15T07:13:18");
    plant.advance(at(640.0));
    let stamps: Vec<i64> = plant.take_truth().iter().map(|truth| truth.stamp - START_S).collect();
    let [.., before, following] = stamps[..] else { panic!("{stamps:?}") };
    // The ends of the ninth and the eleventh exchange: 534 s and 592 s are a hundredth later on its clock.
    assert_eq!((before, following), (539, 597));
    plant.advance(at(700.0));
    assert_eq!(plant.take_truth()[0].stamp - START_S, 650 + 6 - 3600);
}

#[test]
fn another_client_may_change_the_layout_and_stop_the_task() {
    let other_client = vec![other(180, "STPM", ""), other(70, "SCON", "1 1 0")];
    let mut plant = measuring(Faults { other_client, ..Faults::default() });
    assert_eq!(ask(&mut plant, 69.0, "ACON").split(' ').count(), 2 + 5 * 3);
    assert_eq!(ask(&mut plant, 71.0, "ACON").split(' ').count(), 2 + 5 * 2);
    assert_eq!(ask(&mut plant, 179.0, "ASTS"), "ASTS 0 5");
    assert_eq!(ask(&mut plant, 181.0, "ASTS"), "ASTS 0 7");
    assert_eq!(ask(&mut plant, 183.0, "ASTS"), "ASTS 0 2");
    assert_eq!(plant.take_truth().len(), 3);
}

#[test]
fn a_malfunction_ends_the_measurement_until_a_reboot() {
    let mut plant = measuring(Faults { malfunction_after: Some(Duration::from_secs(100)), ..Faults::default() });
    assert_eq!(ask(&mut plant, 99.0, "ASTS"), "ASTS 0 5");
    assert_eq!(
        (ask(&mut plant, 100.0, "ASTS"), ask(&mut plant, 100.0, "AMST")),
        ("ASTS 0 4".into(), "AMST 0 0".into())
    );
    assert_eq!(tell(&mut plant, 200.0, "STAM", "11"), "STAM 1");
    assert_eq!(ask(&mut plant, 200.0, "STPM"), "STPM 0");
    assert_eq!(ask(&mut plant, 200.0, "ASTS"), "ASTS 0 4");
    assert_eq!(ask(&mut plant, 200.0, "RDEV"), "RDEV 0");
    assert_eq!(ask(&mut plant, 213.0, "ASTS"), "ASTS 0 2");
    assert_eq!(plant.take_truth().len(), 1);
}

#[test]
fn errors_appear_during_a_measurement() {
    let errors_after = Some(LaterErrors { after: Duration::from_secs(30), codes: vec!["8012".into(), "E001".into()] });
    let mut plant = measuring(Faults { errors: vec!["8002".into()], errors_after, ..Faults::default() });
    assert_eq!(ask(&mut plant, 29.0, "AERR"), "AERR 0 8002");
    assert_eq!(ask(&mut plant, 30.0, "AERR"), "AERR 0 8002 8012 E001");
}

#[test]
fn it_may_reboot_by_itself_and_loses_the_result() {
    let mut plant = measuring(Faults { reboot_after: Some(Duration::from_secs(100)), ..Faults::default() });
    assert_eq!(ask(&mut plant, 101.0, "AITR"), "AITR 0 1");
    plant.advance(at(102.5));
    assert!(plant.analyzer_away());
    assert_eq!((ask(&mut plant, 113.0, "ASTS"), ask(&mut plant, 113.0, "ACON")), ("ASTS 0 2".into(), "ACON 1".into()));
    tell(&mut plant, 120.0, "STAM", "11");
    plant.advance(at(180.0));
    let measurements: Vec<u32> = plant.take_truth().iter().map(|truth| truth.measurement).collect();
    assert_eq!(measurements, [1, 2]);
}

#[test]
fn a_time_between_ticks_still_comes() {
    let other_client = vec![OtherClient { after: Duration::new(10, 333_333_333), ..other(0, "STPM", "") }];
    let mut plant = measuring(Faults { other_client, ..Faults::default() });
    assert_eq!(ask(&mut plant, 11.0, "ASTS"), "ASTS 0 7");
}
