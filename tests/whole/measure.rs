//! Whole runs, with whatever habits analyzer and valve have: nothing wrong, nothing lost, nothing twice.

use super::lab::{Design, Lab, Multiplexer};
use super::verdict::{assert_channels, assert_complete, assert_numbered, assert_true, exported, visited};

const START: &[&str] = &["start", "--channels", "1-4", "--repeats", "2", "--purge", "6s", "--wait"];
const SHORT: &[&str] = &["--measure", "20s"];

/// Carries out a plan and holds its records against the truth.
#[track_caller]
fn measures(design: &Design, plan: &[&str]) {
    let lab = Lab::new(design);
    let done = lab.ctl(&[START, plan].concat());
    assert_eq!(done.exit, 0, "{done:?}");
    lab.assert_idle();
    let run = lab.ask(&["runs", "show", "last"]);
    assert_eq!(run["outcome"], "completed", "{run}");
    let events = lab.events_to_the_end_of(run["id"].as_str().unwrap());
    assert_numbered(&events);
    let (rows, truth) = (exported(&lab), lab.truth());
    assert_true(&rows, &truth);
    assert_complete(&rows, &truth, &events);
    let expected = (1..=4).flat_map(|channel| [(channel, 1), (channel, 2)]).collect();
    assert_eq!(visited(&rows), expected);
}

#[test]
fn every_good_record_has_the_channel_whose_gas_it_is() {
    measures(&Design::default(), SHORT);
}

#[test]
fn an_analyzer_whose_clock_is_an_hour_ahead_changes_nothing() {
    measures(&Design { faults: "clock_offset = \"1h\"", ..Design::default() }, SHORT);
}

#[test]
fn an_analyzer_that_closes_after_every_reply_changes_nothing() {
    measures(&Design { faults: "close_after_reply = true", ..Design::default() }, SHORT);
}

#[test]
fn noise_between_the_replies_changes_nothing() {
    measures(&Design { faults: "junk = true", ..Design::default() }, SHORT);
}

#[test]
fn a_valve_of_the_older_dialect_changes_nothing() {
    measures(&Design { faults: "legacy_valve = true", ..Design::default() }, SHORT);
}

#[test]
fn relays_over_tcp_and_over_a_serial_line_change_nothing() {
    for multiplexer in [Multiplexer::RelaysOnTcp, Multiplexer::RelaysOnSerial] {
        measures(&Design { multiplexer, ..Design::default() }, SHORT);
    }
}

#[test]
fn stamps_of_the_calculation_change_nothing() {
    measures(&Design { faults: "stamp = \"calculated\"", ..Design::default() }, SHORT);
}

#[test]
fn an_analyzer_that_replies_late_changes_nothing() {
    measures(&Design { faults: "slow_reply = \"10ms\"", ..Design::default() }, SHORT);
}

#[test]
fn fixed_dwell_times_lose_and_mistake_nothing() {
    measures(&Design { scale: 200, ..Design::default() }, &["--sync", "dwell", "--measure", "2m"]);
}

/// Whatever is not seen of the analyzer, what is kept has the right channel.
#[track_caller]
fn mistakes_no_channel(design: &Design, plan: &[&str]) {
    let lab = Lab::new(design);
    let done = lab.ctl(&[START, plan].concat());
    assert!([0, 7].contains(&done.exit), "{done:?}");
    lab.assert_idle();
    assert_channels(&exported(&lab), &lab.truth());
}

/// Most of what it does is not seen.
#[test]
fn an_analyzer_looked_at_too_rarely_gets_no_wrong_channel() {
    mistakes_no_channel(&Design { scale: 1000, faults: "slow_reply = \"15ms\"", ..Design::default() }, SHORT);
}

/// A look takes a good part of an iteration, so that phase and counter in it belong to different ones, and the valve
/// moves after every gas exchange.
#[test]
fn looks_that_straddle_two_iterations_give_no_wrong_channel() {
    mistakes_no_channel(
        &Design { scale: 200, faults: "slow_reply = \"15ms\"", ..Design::default() },
        &["--measure", "5s"],
    );
}
