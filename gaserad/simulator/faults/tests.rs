use super::*;
use crate::simulator::random::Random;

#[test]
fn reads_every_key_of_the_analyzer() {
    let faults = Faults::parse(
        r#"
        lag = { "7664-41-7" = "30s" }
        jitter = 0.1
        clock_offset = "-1h"
        clock_drift = -50.0
        clock_step = { after = "10m", by = "-1h" }
        stamp = "calculated"
        sampler = 4
        cancel_time = "5s"
        boot_time = "20s"
        self_test_time = "1m"
        self_test_fails = true
        errors = ["8004", "E001"]
        errors_after = { after = "3m", codes = ["8012"] }
        malfunction_after = "4m"
        reboot_after = "5m"
        other_client = { after = "3m", what = "scon 1 1 0" }
        tasks = ["11 Soil 2024 run", "12 FLUSH"]
        no_tasks = true
        refuse_start = true
        start_while_measuring = true
        refuse = ["amst"]
        silent_to = ["AITR"]
        analyzer_silent_after = "2m"
        analyzer_silent_for = "30s"
        analyzer_silent_every = "10m"
        close_after_reply = true
        slow_reply = "500ms"
        junk = true
        reply_byte_by_byte = true
        unsolicited = { every = 3 }
        reply_stalls = { after = "2m" }
        reset = { after = "2m", for = "10s", every = 2 }
        "#,
    )
    .unwrap();
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    assert_eq!(faults.lag["7664-41-7"], Duration::from_secs(30));
    assert_eq!((faults.jitter, faults.clock_offset_ms, faults.clock_drift_ppm), (0.1, -3_600_000, -50.0));
    assert_eq!(faults.clock_step, Some(ClockStep { after: Duration::from_secs(600), by_ms: -3_600_000 }));
    assert_eq!((faults.stamp, faults.sampler), (Stamp::Calculated, Some(4)));
    assert_eq!((faults.cancel_time, faults.boot_time), (Duration::from_secs(5), Duration::from_secs(20)));
    assert_eq!((faults.self_test_time, faults.errors.join(" ")), (Duration::from_secs(60), "8004 E001".into()));
    assert_eq!(faults.errors_after.unwrap().codes, ["8012"]);
    assert_eq!((faults.malfunction_after, faults.reboot_after), (seconds(240), seconds(300)));
    assert_eq!(
        (faults.other_client[0].what.code.as_str(), faults.other_client[0].what.data.as_str()),
        ("SCON", "1 1 0")
    );
    assert_eq!((faults.refuse.join(" "), faults.silent_to.join(" ")), ("AMST".into(), "AITR".into()));
    assert_eq!(faults.tasks, [(11, "Soil 2024 run".to_owned()), (12, "FLUSH".to_owned())]);
    assert_eq!(faults.slow_reply, Duration::from_millis(500));
    assert_eq!((faults.analyzer_silent_after, faults.analyzer_silent_for), (seconds(120), seconds(30)));
    assert_eq!((faults.analyzer_silent_every, faults.unsolicited.unwrap().every), (seconds(600), Some(3)));
    assert_eq!(faults.reply_stalls, Some(When { after: Duration::from_secs(120), ..When::default() }));
    let reset = When { after: Duration::from_secs(120), length: seconds(10), every: Some(2), one_in: None };
    assert_eq!(faults.reset, Some(reset));
    assert!(faults.no_tasks && faults.refuse_start && faults.start_while_measuring && faults.self_test_fails);
    assert!(faults.close_after_reply && faults.junk && faults.reply_byte_by_byte);
}

#[test]
fn reads_every_key_of_the_valve() {
    let faults = Faults::parse("legacy_valve = true\nvalve_silent = true\nvalve_stuck = true").unwrap();
    assert!(faults.legacy_valve && faults.valve_silent && faults.valve_stuck);
}

#[test]
fn reads_every_key_of_the_units_and_of_the_relay_board() {
    let faults = Faults::parse(
        r#"
        pulse_lost_every = 7
        home_sensor_stuck = "inactive"
        coil_stuck = 5
        coil_welded = 4
        modbus_silent = true
        modbus_exception = 4
        modbus_single_coils = true
        "#,
    )
    .unwrap();
    assert_eq!((faults.pulse_lost_every, faults.home_sensor_stuck), (7, Some(StuckSensor::Inactive)));
    assert_eq!((faults.coil_stuck, faults.coil_welded, faults.modbus_exception), (Some(5), Some(4), Some(4)));
    assert!(faults.modbus_silent && faults.modbus_single_coils);
}

#[test]
fn reads_what_befalls_a_valve() {
    let faults = Faults::parse(
        r#"
        valve_id = "3"
        valve_np = 10
        valve_am = 2
        valve_stuck_after = "2m"
        valve_between_ports = 3
        valve_wrong_port = "90s"
        valve_moved_by_hand = { after = "2m", to = 5, back = "4s" }
        serial_unplugged = { after = "2m", for = "30s", link = "/tmp/other" }
        "#,
    )
    .unwrap();
    let minutes = Duration::from_secs(120);
    assert_eq!((faults.valve_id, faults.valve_np, faults.valve_am), (Some('3'), Some(10), Some(2)));
    assert_eq!(faults.valve_stuck_after, Some(minutes));
    assert_eq!(faults.valve_between_ports, Some(Befalls::Move(3)));
    assert_eq!(faults.valve_wrong_port, Some(Befalls::After(Duration::from_secs(90))));
    assert_eq!(
        faults.valve_moved_by_hand,
        Some(MovedByHand { after: minutes, to: 5, back: Some(Duration::from_secs(4)) })
    );
    let unplugged =
        Unplugged { after: minutes, length: Some(Duration::from_secs(30)), link: Some("/tmp/other".into()) };
    assert_eq!(faults.serial_unplugged, Some(unplugged));
    let error = Faults::parse("valve_wrong_port = true").unwrap_err().to_string();
    assert!(error.contains("it must be the number of a move, like 3, or a time"), "{error}");
}

#[test]
fn an_empty_file_is_a_healthy_plant() {
    assert_eq!(Faults::parse("").unwrap(), Faults::default());
}

#[test]
fn an_unknown_key_is_an_error_with_its_line() {
    let error = Faults::parse("junk = true\nvalve_stuk = true\n").unwrap_err().to_string();
    assert!(error.contains("line 2") && error.contains("valve_stuk"), "{error}");
}

#[test]
fn values_that_mean_nothing_are_errors() {
    for (text, told) in [
        ("lag = { \"71-43-2\" = \"30s\" }", "71-43-2 does not flow here"),
        ("tasks = [\"DEFAULT\"]", "\"DEFAULT\" is no task"),
        ("jitter = 0.9", "0.9 is not 0 to 0.5"),
        ("clock_drift = 1e9", "is not -100000 to 100000"),
        ("refuse = [\"AM\"]", "\"AM\" is no AK command"),
        ("other_client = { after = \"1m\", what = \"STAM now\" }", "other_client"),
        ("reset = { every = 0 }", "write 1 or more"),
        ("reset = { evry = 2 }", "evry"),
        ("analyzer_silent_every = \"0\"", "longer than nothing"),
    ] {
        let error = Faults::parse(text).unwrap_err().to_string();
        assert!(error.contains(told), "{text}: {error}");
    }
}

#[test]
fn several_orders_of_other_clients_are_a_list() {
    let text =
        "[[other_client]]\nafter = \"1m\"\nwhat = \"STPM\"\n[[other_client]]\nafter = \"2m\"\nwhat = \"STAM 11\"";
    assert_eq!(Faults::parse(text).unwrap().other_client.len(), 2);
}

#[test]
fn replies_are_struck_by_count_by_time_or_once() {
    let struck = |when: When| {
        let (mut passed, mut random) = (0, Random::new(7));
        (0..20)
            .filter(|second| when.strikes(Duration::from_secs(*second), &mut passed, &mut random))
            .collect::<Vec<u64>>()
    };
    let (after, length) = (Duration::from_secs(5), Some(Duration::from_secs(4)));
    assert_eq!(struck(When { every: Some(7), ..When::default() }), [6, 13]);
    assert_eq!(struck(When { after, ..When::default() }), [5]);
    assert_eq!(struck(When { after, length, ..When::default() }), [5, 6, 7, 8]);
    assert_eq!(struck(When { after, length, every: Some(2), ..When::default() }), [6, 8]);
    let by_chance = struck(When { after, one_in: Some(3), ..When::default() });
    assert!((2..9).contains(&by_chance.len()) && by_chance.iter().all(|second| *second >= 5), "{by_chance:?}");
}

#[test]
fn silence_may_come_again_and_again() {
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let faults = Faults {
        analyzer_silent_after: seconds(10),
        analyzer_silent_for: seconds(2),
        analyzer_silent_every: seconds(5),
        ..Faults::default()
    };
    let silent = (0..22).filter(|second| faults.analyzer_is_silent(Duration::from_secs(*second)));
    assert_eq!(silent.collect::<Vec<u64>>(), [10, 11, 15, 16, 20, 21]);
}

#[test]
fn the_help_names_every_key_that_can_be_read() {
    let error = Faults::parse("x = 1").unwrap_err().to_string();
    let keys: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
    assert!(keys.len() > 45, "{error}");
    for key in keys.into_iter().filter(|key| *key != "habits") {
        assert!(FAULTS_HELP.contains(&format!("\n  {key} = ")), "{key}");
    }
    let long: Vec<&str> = FAULTS_HELP.lines().filter(|line| line.chars().count() > 100).collect();
    assert!(long.is_empty(), "terminals break them: {long:#?}");
}
