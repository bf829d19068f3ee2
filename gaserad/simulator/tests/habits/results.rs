//! ACON late, held, with repeated stamps, and with values that are no plain numbers.

use super::super::plant::{ask, at, tell};
use super::{iterations, measuring, result, through};
use crate::simulator::{Plant, Truth};

/// The CO2 of the newest result, which its noise keeps apart from those of all others.
fn co2(plant: &mut Plant, seconds: f64) -> String {
    result(plant, seconds).get(5).cloned().unwrap_or_default()
}

fn co2_of(truth: &Truth) -> String {
    format!("{:.6}", truth.readings["124-38-9"])
}

/// Which iteration's result is there at each of these moments.
fn held(habits: &str, moments: &[f64]) -> Vec<Option<usize>> {
    let mut plant = measuring(habits);
    let heard: Vec<String> = moments.iter().map(|moment| co2(&mut plant, *moment)).collect();
    let truth = through(&mut plant, 1000.0);
    heard.iter().map(|heard| truth.iter().position(|truth| co2_of(truth) == *heard)).collect()
}

#[test]
fn a_result_may_come_late() {
    let moments = [57.0, 59.0, 87.0, 89.0, 145.0, 147.0];
    assert_eq!(held("", &moments), [None, Some(0), Some(0), Some(0), Some(1), Some(1)]);
    assert_eq!(held("habits.late = { ACON = \"30s\" }", &moments), [None, None, None, Some(0), Some(0), Some(1)]);
}

#[test]
fn results_may_each_come_late_by_another_time_but_not_out_of_order() {
    let moments: Vec<f64> = (0..900).map(f64::from).collect();
    let there = held("habits.acon_late_up_to = \"70s\"", &moments);
    assert!(there.is_sorted(), "{there:?}");
    let late: Vec<usize> = (0..13)
        .filter_map(|iteration| Some(there.iter().position(|there| *there == Some(iteration))? - 58 * (iteration + 1)))
        .collect();
    assert!(late.iter().all(|late| *late <= 71) && late.iter().any(|late| *late > 30), "{late:?}");
    assert!(late.iter().any(|late| *late < 25) && late.len() < 13, "one was overwritten: {late:?}");
}

#[test]
fn a_result_that_is_held_hides_the_next_one() {
    // Held from 150 s to 240 s: the third (174 s) is never given.
    let habits = "habits.acon_held = { after = \"150s\", for = \"90s\" }";
    assert_eq!(held(habits, &[149.0, 175.0, 239.0, 241.0]), [Some(1), Some(1), Some(1), Some(3)]);
}

#[test]
fn stamps_repeat_by_count_all_of_them_or_after_the_clock_was_set_back() {
    let stamps = |habits: &str| {
        let truth = through(&mut measuring(habits), 58.0 * 6.0 + 1.0);
        let first = truth[0].stamp;
        let ids = iterations(&truth);
        assert_eq!(ids, [0, 1, 2, 3, 4, 5].map(|iteration| (1, iteration)));
        assert!(truth.iter().map(co2_of).collect::<std::collections::BTreeSet<_>>().len() == 6);
        truth.iter().map(|truth| truth.stamp - first).collect::<Vec<i64>>()
    };
    assert_eq!(stamps("habits.repeated_stamp = { every = 3 }"), [0, 58, 58, 174, 232, 232]);
    assert_eq!(stamps("habits.repeated_stamp = { every = 1 }"), [0; 6]);
    let back = "clock_step = { after = \"150s\", by = \"-116s\" }";
    assert_eq!(stamps(&format!("{back}\nhabits.stamps_as_shown = true")), [0, 58, 116, 58, 116, 174]);
    assert_eq!(stamps(back), [0, 58, 116, 117, 118, 174]);
}

#[test]
fn a_value_may_be_written_in_ways_that_are_no_plain_number() {
    for (form, shape) in [
        ("comma", "425,"),
        ("exponent", "e2"),
        ("inf", "1.#INF"),
        ("over", "OVER"),
        ("nan", "nan"),
        ("hash", "#"),
        ("dashes", "----"),
    ] {
        let habits = format!("habits.odd_value = {{ when = {{ every = 2 }}, as = \"{form}\", gas = \"124-38-9\" }}");
        let mut plant = measuring(&habits);
        let plain = co2(&mut plant, 59.0);
        assert!(plain.parse::<f64>().is_ok_and(f64::is_finite), "{form}: {plain}");
        let odd = co2(&mut plant, 117.0);
        assert!(odd.contains(shape) || odd.replace(',', ".").starts_with("42"), "{form}: {odd}");
        assert!(odd.contains(shape) || form == "comma", "{form}: {odd}");
        let truth = through(&mut plant, 118.0);
        assert_eq!((truth[0].odd.len(), truth[1].odd.get("124-38-9")), (0, Some(&odd)));
        assert!((truth[1].readings["124-38-9"] - 425.0).abs() < 1.0, "the truth knows what was measured");
    }
}

#[test]
fn a_comma_and_an_exponent_keep_the_number() {
    for form in ["comma", "exponent"] {
        let mut plant = measuring(&format!("habits.odd_value = {{ when = {{}}, as = \"{form}\", gas = \"all\" }}"));
        let written = result(&mut plant, 59.0);
        let truth = through(&mut plant, 59.0).remove(0);
        for gas in written.chunks(3) {
            let read: f64 = gas[2].replace(',', ".").parse().unwrap();
            assert!((read - truth.readings[&gas[1]]).abs() < 1e-9, "{form}: {gas:?}");
        }
        assert_eq!((written.len(), truth.odd.len()), (15, 5));
    }
}

#[test]
fn a_gas_may_be_missing_and_all_of_them() {
    let mut plant = measuring("habits.odd_value = { when = { every = 2 }, as = \"missing\", gas = \"7664-41-7\" }");
    assert_eq!(result(&mut plant, 59.0).len(), 15);
    let short = result(&mut plant, 117.0);
    assert!(short.len() == 12 && !short.contains(&"7664-41-7".into()), "{short:?}");
    let mut plant = measuring("habits.odd_value = { when = {}, as = \"missing\", gas = \"all\" }");
    assert_eq!(ask(&mut plant, 59.0, "ACON"), "ACON 0");
    let mut plant = measuring("habits.odd_value = { when = { every = 1 }, as = \"dashes\" }");
    let odd: Vec<String> = through(&mut plant, 58.0 * 30.0).iter().flat_map(|it| it.odd.keys().cloned()).collect();
    assert_eq!(odd.len(), 30, "one of each");
    assert!(odd.iter().collect::<std::collections::BTreeSet<_>>().len() == 5, "any of them: {odd:?}");
}

#[test]
fn a_stamp_may_be_written_as_a_fraction_or_in_milliseconds() {
    let plain = result(&mut measuring(""), 59.0)[0].clone();
    for (form, ending) in [("float", ".0"), ("milliseconds", "000")] {
        let mut plant = measuring(&format!("habits.odd_stamp = {{ when = {{ every = 1 }}, as = \"{form}\" }}"));
        assert_eq!(result(&mut plant, 59.0)[0], format!("{plain}{ending}"));
    }
}

#[test]
fn an_iteration_may_give_no_result() {
    let mut plant = measuring("habits.no_result = { every = 3 }");
    let truth = through(&mut plant, 58.0 * 7.0 + 1.0);
    assert_eq!(iterations(&truth), [0, 1, 3, 4, 6].map(|iteration| (1, iteration)));
    let before = co2(&mut measuring("habits.no_result = { every = 3 }"), 58.0 * 3.0 + 1.0);
    assert_eq!(before, co2_of(&truth[1]), "the one before is still there");
}

#[test]
fn a_reboot_forgets_what_is_late() {
    let mut plant = measuring("habits.late = { ACON = \"30s\", ASTS = \"30s\" }\nboot_time = \"2s\"");
    assert_eq!(ask(&mut plant, 85.0, "ACON"), "ACON 1");
    tell(&mut plant, 86.0, "RDEV", "");
    plant.advance(at(91.0));
    assert_eq!((ask(&mut plant, 95.0, "ACON"), ask(&mut plant, 91.0, "ASTS")), ("ACON 1".into(), "ASTS 0 0".into()));
}
