//! The analyzer leaves measuring for a moment, loses its power, or is not reached.

use super::super::plant::{ask, at, go, tell};
use super::super::simulator;
use super::{asked, iterations, measuring, numbers, seconds, through};
use crate::simulator::Faults;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[test]
fn it_leaves_measuring_for_a_moment_and_says_so() {
    let habits = "habits.excursion = { when = { every = 2 }, at = 0.5, for = \"6s\", state = 7, phase = 4 }";
    let mut plant = measuring(habits);
    // Of the second iteration, 29 s after its beginning.
    let moments = [86.0, 88.0, 92.9, 93.1];
    assert_eq!(numbers(&mut plant, "ASTS", &moments[..2]), [5, 7]);
    assert_eq!(numbers(&mut plant, "AMST", &moments[1..]), [4, 4, 2]);
    assert_eq!(numbers(&mut plant, "AITR", &[94.0]), [1]);
    assert_eq!(asked(&mut plant, "ASTS", &[95.0]), ["5"]);
}

#[test]
fn the_iteration_goes_on_is_measured_anew_or_gives_no_result() {
    // In the middle of the second gas exchange, at 64 s, for ten seconds; the valve is turned at 66 s.
    for (then, ids, second, ends) in [
        ("goes_on", vec![0, 1, 2], (58.0, 80.0), 126.0),
        ("anew", vec![0, 1, 2], (74.0, 86.0), 132.0),
        ("no_result", vec![0, 2, 3], (74.0, 86.0), 132.0),
    ] {
        let part = 6.0 / 58.0;
        let habits = format!(
            "habits.excursion = {{ when = {{ after = \"50s\" }}, at = {part}, for = \"10s\", then = \"{then}\" }}"
        );
        let mut plant = measuring(&habits);
        go(&mut plant, 66.0, 31);
        let truth = through(&mut plant, 200.0);
        assert_eq!(iterations(&truth), ids.iter().map(|iteration| (1, *iteration)).collect::<Vec<_>>(), "{then}");
        let started = truth[0].exchange_start_utc.as_seconds();
        let [from, to] = [truth[1].exchange_start_utc, truth[1].exchange_end_utc].map(|utc| utc.as_seconds() - started);
        assert!((from - second.0).abs() < 0.01 && (to - second.1).abs() < 0.01, "{then}: {from} {to}");
        let next = truth[2].exchange_start_utc.as_seconds() - started;
        assert!((next - ends).abs() < 0.01, "{then}: {next}");
        // What was drawn before and after it mix; drawn anew, it is all of the new line.
        assert_eq!((truth[1].clean, truth[1].valve.is_some()), (then != "goes_on", then != "goes_on"), "{then}");
    }
}

#[test]
fn it_can_be_stopped_meanwhile() {
    let mut plant = measuring("habits.excursion = { when = {}, at = 0.5, for = \"1h\" }");
    assert_eq!(ask(&mut plant, 30.0, "ASTS"), "ASTS 0 8");
    assert_eq!(
        (tell(&mut plant, 31.0, "STAM", "11"), tell(&mut plant, 31.0, "STPM", "")),
        ("STAM 1".into(), "STPM 0".into())
    );
    assert_eq!(asked(&mut plant, "ASTS", &[32.0, 34.0]), ["7", "2"]);
    assert!(through(&mut plant, 10_000.0).is_empty());
}

#[test]
fn the_power_fails_again_and_again() {
    let habits = "boot_time = \"5s\"\nhabits.mains_blip = { after = \"100s\", for = \"8s\", every = \"200s\" }";
    let mut plant = measuring(habits);
    plant.advance(at(99.0));
    let mut away = Vec::new();
    for second in 99..520_u32 {
        plant.advance(at(f64::from(second) + 0.5));
        if plant.analyzer_away() {
            away.push(second);
        } else if plant.analyzer_command("ASTS", "") == "ASTS 0 2" {
            assert_eq!(plant.analyzer_command("STAM", "11"), "STAM 0");
        }
    }
    let expected: Vec<u32> = [100..108, 300..308, 500..508].into_iter().flatten().collect();
    assert_eq!((away, plant.analyzer_boots()), (expected, 3));
    assert_eq!(iterations(&plant.take_truth()), [(1, 0), (2, 0), (2, 1), (2, 2), (3, 0), (3, 1), (3, 2)]);
}

/// A connection of its own; what it hears within two seconds.
async fn heard(simulator: &crate::simulator::Simulator, request: &str) -> String {
    let mut stream = simulator.connect_analyzer();
    stream.write_all(format!("\x02 {request} \x03").as_bytes()).await.unwrap();
    let mut bytes = [0; 64];
    match tokio::time::timeout(seconds(2), stream.read(&mut bytes)).await {
        Err(_) => "silence".to_owned(),
        Ok(Ok(0) | Err(_)) => "end".to_owned(),
        Ok(Ok(count)) => String::from_utf8_lossy(&bytes[..count]).trim_matches(['\x02', '\x03', ' ']).to_owned(),
    }
}

#[tokio::test(start_paused = true)]
async fn the_network_fails_and_the_analyzer_measures_on() {
    for (how, within, then) in
        [("refused", "end", "ASTS 0 5"), ("hangs", "silence", "ASTS 0 5"), ("replies_lost", "silence", "ASTS 0 7")]
    {
        let down = format!("habits.network_down = {{ after = \"100s\", for = \"30s\", how = \"{how}\" }}");
        let faults = Faults::parse(&format!("cancel_time = \"10m\"\n{down}")).unwrap();
        let (simulator, sink) = simulator(faults);
        assert_eq!(heard(&simulator, "STAM K0 11").await, "STAM 0");
        tokio::time::advance(seconds(110)).await;
        assert_eq!(heard(&simulator, "ASTS K0").await, within, "{how}");
        assert_eq!(heard(&simulator, "STPM K0").await, within, "{how}");
        tokio::time::advance(seconds(30)).await;
        assert_eq!(heard(&simulator, "ASTS K0").await, then, "{how}: only lost replies are of orders that were obeyed");
        assert_eq!(sink.truth().len(), if how == "replies_lost" { 1 } else { 2 });
    }
}

#[tokio::test(start_paused = true)]
async fn others_may_start_a_measurement_anew_while_the_network_is_down() {
    let text = "cancel_time = \"2s\"\nother_client = [{ after = \"105s\", what = \"STPM\" }, { after = \"110s\", what = \"STAM 11\" }]\n\
                habits.network_down = { after = \"100s\", for = \"30s\", every = \"100s\" }";
    let (simulator, sink) = simulator(Faults::parse(text).unwrap());
    assert_eq!(heard(&simulator, "STAM K0 11").await, "STAM 0");
    tokio::time::advance(seconds(98)).await;
    assert_eq!(heard(&simulator, "AITR K0").await, "AITR 0 1");
    tokio::time::advance(seconds(5)).await;
    assert_eq!(heard(&simulator, "AITR K0").await, "end");
    tokio::time::advance(seconds(30)).await;
    assert_eq!(
        (heard(&simulator, "ASTS K0").await, heard(&simulator, "AITR K0").await),
        ("ASTS 0 5".into(), "AITR 0 0".into())
    );
    tokio::time::advance(seconds(50)).await;
    simulator.catch_up();
    assert_eq!(iterations(&sink.truth()), [(1, 0), (2, 0)]);
}
