use super::*;
use crate::simulator::Faults;

fn habits(text: &str) -> Habits {
    Faults::parse(&format!("[habits]\n{text}")).unwrap().habits
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn reads_every_key_of_the_counter_and_of_old_replies() {
    let read = habits(
        r#"
        cached = { ASTS = "1s", AMST = "15s", AITR = "2s", ACON = "3s" }
        late = { AMST = "5s", ACON = "30s" }
        acon_late_up_to = "70s"
        acon_held = { after = "5m", for = "90s", every = "20m" }
        [habits.counter]
        ticks = "exchange_end"
        by = 2
        wraps_at = 256
        starts_at = 60000
        global = true
        jumps = { when = { every = 10 }, by = 65 }
        back = [{ after = "3m", by = 2 }, { after = "4m", by = 1 }]
        "#,
    );
    assert_eq!(
        read.cached,
        Staleness { state: seconds(1), phase: seconds(15), iteration: seconds(2), result: seconds(3) }
    );
    assert_eq!(read.late, Staleness { phase: seconds(5), result: seconds(30), ..Staleness::default() });
    assert_eq!(read.acon_late_up_to, Some(seconds(70)));
    let held = Opening { after: seconds(300), length: seconds(90), every: Some(seconds(1200)) };
    assert_eq!(read.acon_held, Some(held));
    let CounterHabit { ticks, by, wraps_at, starts_at, global, jumps, back } = read.counter;
    assert_eq!((ticks, by, wraps_at, starts_at, global), (CounterTick::ExchangeEnd, 2, Some(256), 60_000, true));
    assert_eq!(jumps, Some(CounterJump { when: When { every: Some(10), ..When::default() }, by: 65 }));
    assert_eq!(back, [CounterBack { after: seconds(180), by: 2 }, CounterBack { after: seconds(240), by: 1 }]);
}

#[test]
fn reads_every_key_of_results_phases_power_and_swaps() {
    let read = habits(
        r#"
        repeated_stamp = { one_in = 5 }
        stamps_as_shown = true
        odd_stamp = { when = { every = 2 }, as = "milliseconds" }
        odd_value = [{ when = { every = 3 }, as = "comma", gas = "all" }, { when = {}, as = "missing" }]
        false_phase = { when = { every = 20 }, phase = 3 }
        excursion = { when = { every = 7 }, at = 0.5, for = "5s", state = 7, phase = 4, then = "anew" }
        no_result = { every = 9 }
        mains_blip = { after = "5m", for = "8s" }
        network_down = { after = "5m", for = "30s", how = "replies_lost" }
        analyzer_swapped = { after = "5m", serial = "999999" }
        valve_swapped = { after = "5m", for = "1m", model = "OTHER", count = 9, at = 3 }
        relays_swapped = { after = "5m", coils = 8 }
        "#,
    );
    let every = |every| When { every: Some(every), ..When::default() };
    assert_eq!(read.repeated_stamp.unwrap().one_in, Some(5));
    assert!(read.stamps_as_shown);
    assert_eq!(read.odd_stamp, Some(OddStamp { when: every(2), form: StampForm::Milliseconds }));
    let forms: Vec<(OddForm, Option<&str>)> = read.odd_value.iter().map(|it| (it.form, it.gas.as_deref())).collect();
    assert_eq!(forms, [(OddForm::Comma, Some("all")), (OddForm::Missing, None)]);
    assert_eq!(read.false_phase, Some(FalsePhase { when: every(20), phase: Some(3) }));
    let excursion =
        Excursion { when: every(7), at: Some(0.5), length: seconds(5), state: 7, phase: 4, then: AfterExcursion::Anew };
    assert_eq!((read.excursion, read.no_result), (vec![excursion], Some(every(9))));
    assert_eq!(read.mains_blip, Some(Opening { after: seconds(300), length: seconds(8), every: None }));
    assert_eq!(read.network_down.unwrap().how, NetworkFailure::RepliesLost);
    assert_eq!(read.analyzer_swapped.unwrap().serial, "999999");
    let swapped = read.valve_swapped.unwrap();
    assert_eq!((swapped.model.as_deref(), swapped.count, swapped.at), (Some("OTHER"), Some(9), Some(3)));
    assert_eq!(read.relays_swapped.unwrap().coils, 8);
}

#[test]
fn habits_that_mean_nothing_are_errors() {
    for (text, told) in [
        ("habits.nonsense = 1", "nonsense"),
        ("habits.counter.ticks = \"never\"", "never"),
        ("habits.counter.wraps_at = 1", "counts nothing"),
        ("habits.late = { ATSK = \"1s\" }", "ATSK"),
        ("habits.odd_value = { when = {}, as = \"comma\", gas = \"71-43-2\" }", "odd_value"),
        ("habits.excursion = { when = {}, for = \"1s\", at = 1.5 }", "excursion"),
        ("habits.mains_blip = { after = \"1m\", for = \"8s\", every = \"0\" }", "longer than nothing"),
        ("habits.no_result = { one_in = 0 }", "write 1 or more"),
    ] {
        let error = Faults::parse(text).unwrap_err().to_string();
        assert!(error.contains(told), "{text}: {error}");
    }
}

#[test]
fn an_opening_comes_lasts_and_comes_again() {
    let opening = Opening { after: seconds(10), length: seconds(2), every: Some(seconds(5)) };
    let open: Vec<(u64, u64)> = (0..22).filter_map(|age| Some((age, opening.since(seconds(age))?.as_secs()))).collect();
    assert_eq!(open, [(10, 10), (11, 10), (15, 15), (16, 15), (20, 20), (21, 20)]);
    let once = Opening { every: None, ..opening };
    assert_eq!((0..30).filter(|age| once.since(seconds(*age)).is_some()).collect::<Vec<u64>>(), [10, 11]);
}

#[test]
fn the_help_names_every_habit_that_can_be_read() {
    let keys = |text: &str| {
        let error = Faults::parse(text).unwrap_err().to_string();
        error.split('`').skip(3).step_by(2).map(str::to_owned).collect::<Vec<String>>()
    };
    let habits = keys("habits.x = 1");
    assert!(habits.len() > 15, "{habits:?}");
    for key in habits {
        assert!(HABITS_HELP.contains(&format!("\n  {key} = ")), "{key}");
    }
    for key in keys("habits.counter.x = 1") {
        assert!(HABITS_HELP.contains(&format!("{key} = ")), "{key}");
    }
    let long: Vec<&str> = HABITS_HELP.lines().filter(|line| line.chars().count() > 100).collect();
    assert!(long.is_empty(), "terminals break them: {long:#?}");
}
