//! AITR as others count, and ASTS, AMST and AITR from caches and too late.

use super::super::plant::{CYCLE, ask, at, plant_with, tell};
use super::{asked, measuring, numbers};
use crate::simulator::Faults;

/// Within the first three iterations: the gas exchange, early and late in the integration, the analysis early and late.
const MOMENTS: [f64; 15] =
    [1.0, 13.0, 40.0, 49.0, 57.0, 59.0, 71.0, 98.0, 107.0, 115.0, 117.0, 129.0, 156.0, 165.0, 173.0];

#[test]
fn it_ticks_somewhere_in_the_iteration_or_never() {
    for (ticks, shown) in [
        ("start", [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2]),
        ("exchange_end", [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2]),
        ("mid", [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2]),
        ("late", [0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3]),
        ("constant", [0; 15]),
    ] {
        let mut plant = measuring(&format!("habits.counter.ticks = \"{ticks}\""));
        assert_eq!(numbers(&mut plant, "AITR", &MOMENTS), shown, "{ticks}");
    }
}

#[test]
fn it_counts_by_twos_wraps_jumps_and_goes_back() {
    let each: Vec<f64> = (0..6).map(|iteration| f64::from(iteration).mul_add(58.0, 1.0)).collect();
    let mut by_two = measuring("habits.counter = { by = 2, wraps_at = 256, starts_at = 250 }");
    assert_eq!(numbers(&mut by_two, "AITR", &each), [250, 252, 254, 0, 2, 4]);
    let mut jumps = measuring("habits.counter.jumps = { when = { every = 2 }, by = 65 }");
    assert_eq!(numbers(&mut jumps, "AITR", &each), [0, 1, 67, 68, 134, 135]);
    let back = "habits.counter.back = [{ after = \"2m\", by = 1 }, { after = \"4m\", by = 9 }]";
    assert_eq!(numbers(&mut measuring(back), "AITR", &each), [0, 1, 2, 2, 3, 1]);
}

#[test]
fn a_global_one_goes_on_through_measurements_until_a_reboot() {
    for (global, shown) in [(true, [500, 501, 501, 501, 501]), (false, [500, 501, 0, 500, 500])] {
        let mut plant =
            measuring(&format!("habits.counter = {{ starts_at = 500, global = {global} }}\nboot_time = \"1s\""));
        let mut heard = numbers(&mut plant, "AITR", &[1.0, 60.0]);
        tell(&mut plant, 61.0, "STPM", "");
        heard.extend(numbers(&mut plant, "AITR", &[70.0]));
        tell(&mut plant, 71.0, "STAM", "11");
        heard.extend(numbers(&mut plant, "AITR", &[72.0, 80.0]));
        assert_eq!(heard, shown, "{global}");
        tell(&mut plant, 81.0, "RDEV", "");
        plant.advance(at(90.0));
        tell(&mut plant, 90.0, "STAM", "11");
        assert_eq!(ask(&mut plant, 91.0, "AITR"), "AITR 0 500");
    }
}

#[test]
fn a_phase_from_a_cache_is_staler_than_a_phase_lasts() {
    let mut plant = measuring("habits.cached = { AMST = \"15s\" }");
    let moments = [1.0, 14.0, 16.0, 31.0, 46.0, 59.0, 61.0, 74.0, 76.0];
    // Asked anew at 0, 15, 30, 45, 60, 75 s: the whole analysis and the beginning of the second exchange are not seen.
    assert_eq!(numbers(&mut plant, "AMST", &moments), [1, 1, 2, 2, 2, 2, 1, 1, 2]);
    assert_eq!(numbers(&mut plant, "AITR", &[77.0]), [1], "the counter has no cache");
}

#[test]
fn replies_may_be_late_each_by_its_own_time() {
    let late = "jitter = 0.0\nhabits.late = { AMST = \"5s\", AITR = \"3s\", ASTS = \"2s\" }";
    let mut plant = plant_with(CYCLE, 1, Faults::parse(late).unwrap());
    tell(&mut plant, 100.0, "STAM", "11");
    let moments = [1.0, 3.0, 4.0, 6.0, 16.0, 18.0, 60.0, 62.0, 64.0];
    let replies = |moment: f64| ["ASTS", "AMST", "AITR"].map(|code| numbers(&mut plant, code, &[100.0 + moment])[0]);
    assert_eq!(
        moments.map(replies),
        [[2, 0, 0], [5, 0, 0], [5, 0, 0], [5, 1, 0], [5, 1, 0], [5, 2, 0], [5, 3, 0], [5, 3, 1], [5, 1, 1]]
    );
}

#[test]
fn some_replies_tell_a_phase_that_is_not() {
    let mut plant = measuring("habits.false_phase = { when = { every = 4 }, phase = 3 }");
    let moments: Vec<f64> = (1..9).map(f64::from).collect();
    assert_eq!(numbers(&mut plant, "AMST", &moments), [1, 1, 1, 3, 1, 1, 1, 3]);
    let mut plant = measuring("habits.false_phase = { when = { one_in = 3 } }");
    let heard = asked(&mut plant, "AMST", &(1..48).map(|quarter| f64::from(quarter) / 4.0).collect::<Vec<f64>>());
    let falsely = heard.iter().filter(|phase| *phase != "1").count();
    assert!((8..25).contains(&falsely) && heard.contains(&"2".into()) && heard.contains(&"3".into()), "{heard:?}");
}
