//! The pure plant, in times that the test says.

use std::collections::BTreeSet;
use std::time::Duration;

use super::START_S;
use crate::domain::{Moment, Tick, Utc};
use crate::simulator::{Faults, Plant, PlantDesign, Stamp, Truth, known_gas};

pub(super) const CYCLE: Duration = Duration::from_secs(58);
/// Noise, and a trace of the line before.
const CLOSE: f64 = 0.0006;

pub(super) fn at(seconds: f64) -> Tick {
    Tick::ZERO + Duration::from_secs_f64(seconds)
}

pub(super) fn plant_with(cycle: Duration, seed: u64, faults: Faults) -> Plant {
    let start = Moment { tick: Tick::ZERO, utc: Utc::from_micros(START_S * 1_000_000) };
    Plant::new(PlantDesign { cycle, seed, channels: 31, faults }, start)
}

fn plant() -> Plant {
    plant_with(CYCLE, 1, Faults::default())
}

pub(super) fn ask(plant: &mut Plant, seconds: f64, code: &str) -> String {
    tell(plant, seconds, code, "")
}

pub(super) fn tell(plant: &mut Plant, seconds: f64, code: &str, data: &str) -> String {
    plant.advance(at(seconds));
    plant.analyzer_command(code, data)
}

pub(super) fn go(plant: &mut Plant, seconds: f64, port: u8) {
    plant.advance(at(seconds));
    assert_eq!(plant.valve_line(&format!("GO{port:02}")), None);
}

fn first_truth(plant: &mut Plant, by: f64) -> Truth {
    plant.advance(at(by));
    plant.take_truth().remove(0)
}

fn assert_gas_of(truth: &Truth, channel: u8) {
    for (cas, ppm) in known_gas(channel) {
        let read = truth.readings[cas];
        assert!((read - ppm).abs() <= ppm * CLOSE, "{cas}: {read} is not {ppm}");
    }
}

#[test]
fn a_sample_has_the_gas_of_the_channel_the_valve_stands_on() {
    let mut plant = plant();
    go(&mut plant, 0.0, 5);
    assert_eq!(tell(&mut plant, 20.0, "STAM", "11"), "STAM 0");
    let truth = first_truth(&mut plant, 80.0);
    assert_eq!((truth.channel, truth.valve, truth.clean), (5, Some(5), true));
    assert!(truth.fraction > 0.999_999);
    assert_gas_of(&truth, 5);
}

#[test]
fn acon_prints_what_the_truth_says() {
    let mut plant = plant();
    tell(&mut plant, 0.0, "STAM", "11");
    let truth = first_truth(&mut plant, 60.0);
    let reply = ask(&mut plant, 60.0, "ACON");
    let mut tokens = reply.strip_prefix("ACON 0 ").unwrap().split(' ');
    let mut gases = 0;
    while let (Some(stamp), Some(cas), Some(ppm)) = (tokens.next(), tokens.next(), tokens.next()) {
        assert_eq!(stamp.parse::<i64>().unwrap(), truth.stamp);
        assert_eq!(ppm.parse::<f64>().unwrap().to_bits(), truth.readings[cas].to_bits());
        gases += 1;
    }
    assert_eq!((gases, truth.readings.len()), (5, 5));
}

#[test]
fn a_move_during_gas_exchange_makes_a_mixture() {
    let mut plant = plant();
    tell(&mut plant, 0.0, "STAM", "11");
    go(&mut plant, 8.0, 9);
    let truth = first_truth(&mut plant, 60.0);
    assert_eq!((truth.valve, truth.clean, truth.channel), (None, false, 1));
    assert!(truth.fraction > 0.6 && truth.fraction < 0.95, "{}", truth.fraction);
    let co2 = truth.readings["124-38-9"];
    assert!(co2 > 425.0 * 1.02 && co2 < 625.0 * 0.98, "{co2}");
}

#[test]
fn a_move_after_gas_exchange_leaves_the_sample_clean() {
    let mut plant = plant();
    tell(&mut plant, 0.0, "STAM", "11");
    go(&mut plant, 12.5, 9);
    plant.advance(at(120.0));
    let truth = plant.take_truth();
    assert_eq!((truth[0].channel, truth[0].valve, truth[0].clean), (1, Some(1), true));
    assert_eq!((truth[1].channel, truth[1].valve, truth[1].clean), (9, Some(9), true));
    assert_gas_of(&truth[1], 9);
}

#[test]
fn arriving_just_before_gas_exchange_leaves_gas_of_the_line_before() {
    let mut plant = plant();
    go(&mut plant, 0.0, 2);
    // Half way after 0.225 s, arrived after 0.25 s: no time to purge.
    tell(&mut plant, 0.25, "STAM", "11");
    let truth = first_truth(&mut plant, 60.0);
    assert_eq!((truth.channel, truth.valve, truth.clean), (2, Some(2), false));
    let carried_over = 0.8 * (-0.025_f64 / 0.8).exp() / 12.0;
    assert!((1.0 - truth.fraction - carried_over).abs() < 0.002, "{}", truth.fraction);
}

#[test]
fn iterations_vary_by_two_percent_and_the_same_seed_repeats_them() {
    let run = |seed| {
        let mut plant = plant_with(CYCLE, seed, Faults::default());
        tell(&mut plant, 0.0, "STAM", "11");
        plant.advance(at(58.0 * 200.0));
        plant.take_truth()
    };
    let truth = run(1);
    let lengths: Vec<f64> = truth
        .windows(2)
        .map(|pair| pair[1].exchange_start_utc.as_seconds() - pair[0].exchange_start_utc.as_seconds())
        .collect();
    assert!(lengths.len() > 190);
    assert!(lengths.iter().all(|length| (length - 58.0).abs() <= 58.0 * 0.02 + 1e-3), "{lengths:?}");
    assert!(lengths.iter().any(|length| *length > 58.9) && lengths.iter().any(|length| *length < 57.1));
    assert_eq!(truth, run(1));
    assert_ne!(truth, run(2));
}

#[test]
fn how_often_the_plant_is_asked_changes_nothing() {
    let run = |step: f64| {
        let mut plant = plant();
        let mut orders = [(0.0, 0), (30.0, 4), (63.0, 7), (100.0, 2), (301.0, 31)].into_iter().peekable();
        let mut now = 0.0;
        while now < 600.0 {
            plant.advance(at(now));
            if let Some((_, port)) = orders.next_if(|(due, _)| *due <= now) {
                if port == 0 {
                    tell(&mut plant, now, "STAM", "11")
                } else {
                    plant.valve_line(&format!("GO{port}")).unwrap_or_default()
                };
            }
            now += step;
        }
        plant.take_truth()
    };
    let (coarse, fine) = (run(1.0), run(0.125));
    assert_eq!(coarse.len(), fine.len());
    for (one, other) in coarse.iter().zip(&fine) {
        assert_eq!(
            (one.stamp, one.channel, one.valve, one.clean),
            (other.stamp, other.channel, other.valve, other.clean)
        );
        assert!((one.fraction - other.fraction).abs() < 1e-9);
    }
}

#[test]
fn the_stamp_is_the_end_of_gas_exchange_on_the_analyzers_own_clock() {
    let mut plant = plant_with(CYCLE, 1, Faults { clock_offset_ms: -3_600_000, ..Faults::default() });
    tell(&mut plant, 0.5, "STAM", "11");
    let truth = first_truth(&mut plant, 60.0);
    assert_eq!(truth.stamp, START_S + 12 - 3600);
    assert_eq!(ask(&mut plant, 60.0, "ACLK"), "ACLK 0 2026-01-15T07:04:12");
}

#[test]
fn old_firmware_stamps_the_end_of_the_analysis() {
    let mut plant = plant_with(CYCLE, 1, Faults { stamp: Stamp::Calculated, ..Faults::default() });
    tell(&mut plant, 0.5, "STAM", "11");
    let truth = first_truth(&mut plant, 60.0);
    assert!((57..=59).contains(&(truth.stamp - START_S)), "{}", truth.stamp);
}

#[test]
fn no_two_results_share_a_stamp_however_short_the_cycle_is() {
    let mut plant = plant_with(Duration::from_millis(100), 1, Faults::default());
    for measurement in 0..3 {
        let begin = f64::from(measurement) * 10.0;
        assert_eq!(tell(&mut plant, begin, "STAM", "11"), "STAM 0");
        ask(&mut plant, begin + 5.0, "STPM");
    }
    plant.advance(at(30.0));
    let stamps: Vec<i64> = plant.take_truth().iter().map(|truth| truth.stamp).collect();
    assert!(stamps.len() > 140);
    assert_eq!(stamps.iter().collect::<BTreeSet<_>>().len(), stamps.len());
    assert!(stamps.is_sorted());
}

#[test]
fn phases_and_iterations_follow_the_cycle() {
    let mut plant = plant();
    assert_eq!(ask(&mut plant, 0.0, "AMST"), "AMST 0 0");
    tell(&mut plant, 0.0, "STAM", "11");
    for (seconds, phase) in [(0.0, 1), (11.5, 1), (12.5, 2), (46.5, 2), (49.5, 3), (56.0, 3), (60.0, 1)] {
        assert_eq!(ask(&mut plant, seconds, "AMST"), format!("AMST 0 {phase}"), "{seconds}");
        assert_eq!(ask(&mut plant, seconds, "ASTS"), "ASTS 0 5");
        assert_eq!(ask(&mut plant, seconds, "AITR"), format!("AITR 0 {}", u8::from(seconds > 59.0)));
    }
}

#[test]
fn stopping_goes_through_cancelling_and_drops_the_iteration_under_way() {
    let mut plant = plant();
    tell(&mut plant, 0.0, "STAM", "11");
    assert_eq!(ask(&mut plant, 50.0, "STPM"), "STPM 0");
    assert_eq!((ask(&mut plant, 51.9, "ASTS"), ask(&mut plant, 51.9, "AMST")), ("ASTS 0 7".into(), "AMST 0 0".into()));
    assert_eq!(tell(&mut plant, 51.9, "STAM", "11"), "STAM 1");
    assert_eq!(ask(&mut plant, 52.0, "ASTS"), "ASTS 0 2");
    assert_eq!(ask(&mut plant, 52.0, "ACON"), "ACON 1");
    plant.advance(at(200.0));
    assert_eq!(plant.take_truth(), []);
    assert_eq!(ask(&mut plant, 200.0, "STPM"), "STPM 0");
    assert_eq!(ask(&mut plant, 200.0, "ASTS"), "ASTS 0 2");
}

#[test]
fn the_last_result_stays_until_the_next_one() {
    let mut plant = plant();
    tell(&mut plant, 0.0, "STAM", "11");
    let first = ask(&mut plant, 60.0, "ACON");
    ask(&mut plant, 61.0, "STPM");
    tell(&mut plant, 100.0, "STAM", "11");
    assert_eq!(ask(&mut plant, 156.0, "ACON"), first);
    assert_ne!(ask(&mut plant, 160.0, "ACON"), first);
    let measurements: Vec<(u32, u32)> =
        plant.take_truth().iter().map(|truth| (truth.measurement, truth.iteration)).collect();
    assert_eq!(measurements, [(1, 0), (2, 0)]);
}

#[test]
fn a_start_is_refused_while_measuring_or_for_an_unknown_task() {
    let mut plant = plant();
    for data in ["99", "", "DEFAULT", "-1"] {
        assert_eq!(tell(&mut plant, 0.0, "STAM", data), "STAM 1", "{data}");
    }
    assert_eq!(tell(&mut plant, 0.0, "STAM", "11"), "STAM 0");
    assert_eq!(tell(&mut plant, 1.0, "STAM", "11"), "STAM 1");
    assert_eq!(ask(&mut plant, 1.0, "ASTS"), "ASTS 0 5");
}

#[test]
fn the_other_commands_answer_as_the_instrument_does() {
    let mut plant = plant_with(CYCLE, 1, Faults { errors: vec!["8002".into(), "8004".into()], ..Faults::default() });
    assert_eq!(ask(&mut plant, 0.0, "AERR"), "AERR 0 8002 8004");
    assert_eq!(ask(&mut plant, 0.0, "ATSK"), "ATSK 0 7 Calibration task 11 DEFAULT 12 FLUSH");
    let parameters = "ATSP 0 74-82-8,124-38-9,7732-18-5,10024-97-2,7664-41-7 850 1 1 6";
    assert_eq!(tell(&mut plant, 0.0, "ATSP", "11"), parameters);
    assert_eq!(tell(&mut plant, 0.0, "ATSP", "99"), "ATSP 1");
    assert_eq!(
        (tell(&mut plant, 0.0, "SONL", "1"), tell(&mut plant, 0.0, "SONL", "2")),
        ("SONL 0".into(), "SONL 1".into())
    );
    assert!(ask(&mut plant, 0.0, "ADEV").starts_with("ADEV 0 \"Simulator\" \"000000\" "));
    assert_eq!(
        (ask(&mut plant, 0.0, "XXXX"), ask(&mut plant, 0.0, "ANAM")),
        ("XXXX 1".into(), "ANAM 0 simulator".into())
    );
}

#[test]
fn scon_changes_what_acon_prints() {
    let mut plant = plant();
    tell(&mut plant, 0.0, "STAM", "11");
    assert_eq!(tell(&mut plant, 60.0, "SCON", "0 1 0"), "SCON 0");
    assert_eq!(ask(&mut plant, 60.0, "ACON"), "ACON 0 74-82-8 124-38-9 7732-18-5 10024-97-2 7664-41-7");
    assert_eq!(tell(&mut plant, 60.0, "SCON", "1 1 1 1"), "SCON 0");
    assert_eq!(ask(&mut plant, 60.0, "ACON").split(' ').count(), 2 + 5 * 4);
    assert_eq!(
        (tell(&mut plant, 60.0, "SCON", "1 1"), tell(&mut plant, 60.0, "SCON", "1 1 2")),
        ("SCON 1".into(), "SCON 1".into())
    );
}

#[test]
fn faults_refuse_starts_and_hide_tasks() {
    let mut refusing = plant_with(CYCLE, 1, Faults { refuse_start: true, ..Faults::default() });
    assert_eq!(tell(&mut refusing, 0.0, "STAM", "11"), "STAM 1");
    assert_eq!(ask(&mut refusing, 0.0, "ASTS"), "ASTS 0 2");
    let mut empty = plant_with(CYCLE, 1, Faults { no_tasks: true, ..Faults::default() });
    assert_eq!(ask(&mut empty, 0.0, "ATSK"), "ATSK 0");
    assert_eq!(tell(&mut empty, 0.0, "STAM", "11"), "STAM 1");
}

#[test]
fn the_analyzer_is_silent_in_its_window_only() {
    let span = |seconds| Some(Duration::from_secs(seconds));
    let faults = Faults { analyzer_silent_after: span(120), analyzer_silent_for: span(30), ..Faults::default() };
    let mut plant = plant_with(CYCLE, 1, faults);
    for (seconds, silent) in [(119.9, false), (120.0, true), (149.9, true), (150.0, false)] {
        plant.advance(at(seconds));
        assert_eq!(plant.analyzer_silent(), silent, "{seconds}");
    }
}
