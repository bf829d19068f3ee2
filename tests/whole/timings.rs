//! The pauses and measuring times that people use, through real TCP and a pseudo-terminal, held against the truth.

use super::lab::{Design, Lab};
use super::verdict::{assert_complete, assert_numbered, assert_true, exported, visited};

/// Four channels; whichever way a channel is left, no good row is wrong and no clean iteration is lost.
#[track_caller]
fn measures(scale: u32, plan: &[&str]) -> (i32, usize) {
    let lab = Lab::new(&Design { scale, ..Design::default() });
    let done = lab.ctl(&[&["start", "--channels", "1-4", "--wait"], plan].concat());
    assert!([0, 7].contains(&done.exit), "{done:?}");
    lab.assert_idle();
    let run = lab.ask(&["runs", "show", "last"])["id"].as_str().unwrap().to_owned();
    let events = lab.events_to_the_end_of(&run);
    assert_numbered(&events);
    let (rows, truth) = (exported(&lab), lab.truth());
    assert_true(&rows, &truth);
    if done.exit == 0 {
        assert_complete(&rows, &truth, &events);
    }
    (done.exit, visited(&rows).len())
}

#[test]
fn three_hundred_and_three_hundred_seconds_in_step() {
    assert_eq!(measures(200, &["--purge", "300s", "--measure", "300s"]), (0, 4));
}

#[test]
fn a_hundred_and_twenty_and_ten_seconds_in_step() {
    assert_eq!(measures(100, &["--purge", "120s", "--measure", "10s"]), (0, 4));
}

#[test]
fn twenty_and_sixty_seconds_in_step() {
    assert_eq!(measures(100, &["--purge", "20s", "--measure", "60s", "--repeats", "2"]), (0, 8));
}

#[test]
fn three_hundred_and_three_hundred_seconds_by_the_clock() {
    assert_eq!(measures(200, &["--purge", "300s", "--measure", "300s", "--sync", "dwell"]), (0, 4));
}

/// Ten seconds hold no gas exchange of twelve: nothing is good, and the run says so.
#[test]
fn a_hundred_and_twenty_and_ten_seconds_by_the_clock() {
    assert_eq!(measures(100, &["--purge", "120s", "--measure", "10s", "--sync", "dwell"]), (7, 0));
}

/// Whether sixty seconds hold a whole gas exchange is a matter of luck.
#[test]
fn twenty_and_sixty_seconds_by_the_clock() {
    let (exit, visited) = measures(100, &["--purge", "20s", "--measure", "60s", "--sync", "dwell"]);
    assert!(exit == 0 || visited < 4);
}
