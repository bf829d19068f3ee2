//! Daemons by name, and which one counts; all of them at once.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::fake::{Fake, Script};
use super::support::{Done, gaseractl, run_in, status};

/// gaseractl of somebody whose configuration is in that folder.
fn of(home: &Path) -> Command {
    let mut command = gaseractl();
    command.env("XDG_CONFIG_HOME", home);
    command
}

fn at(home: &Path, args: &[&str]) -> Done {
    run_in(&mut of(home), args)
}

fn fake(simulated: bool) -> Fake {
    let mut status = status(None, None, 7);
    status.simulated = simulated;
    Fake::new(Script { status: serde_json::to_string(&status).unwrap(), ..Script::default() })
}

/// Whether the daemon that answered was the simulated one.
fn is_simulated(done: &Done) -> bool {
    assert_eq!(done.exit, 0, "{done:?}");
    serde_json::from_str::<Value>(&done.stdout).unwrap()["simulated"].as_bool().unwrap()
}

#[test]
fn contexts_are_added_used_listed_and_forgotten() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    assert_eq!(at(home, &["context", "list"]).exit, 0);
    let added = at(home, &["context", "add", "barn", "https://barn-pc", "--token", "/etc/barn.token", "--use"]);
    assert_eq!((added.exit, added.stderr.as_str()), (0, "context barn: https://barn-pc:5001\n"));
    assert_eq!(at(home, &["context", "add", "roof", "unix:/run/roof.sock"]).exit, 0);
    let list = at(home, &["context", "list"]).stdout;
    assert!(list.contains("*        barn  https://barn-pc:5001  /etc/barn.token\n"), "{list}");
    assert_eq!(at(home, &["context", "list", "-q"]).stdout, "barn\nroof\n");
    assert_eq!(at(home, &["context", "use", "roof"]).exit, 0);
    let json: Value = serde_json::from_str(&at(home, &["context", "list", "--json"]).stdout).unwrap();
    assert_eq!((json["current"].as_str(), json["contexts"][1]["current"].as_bool()), (Some("roof"), Some(true)));
    assert_eq!(at(home, &["context", "rm", "roof"]).exit, 0);
    let json: Value = serde_json::from_str(&at(home, &["context", "list", "--json"]).stdout).unwrap();
    assert_eq!((&json["current"], json["contexts"].as_array().unwrap().len()), (&Value::Null, 1));
}

#[test]
fn a_context_that_is_not_there_is_exit_10_and_a_name_that_cannot_be_one_is_2() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    at(home, &["context", "add", "barn", "unix:/run/barn.sock"]);
    for args in [&["context", "use", "bran"][..], &["context", "rm", "bran"], &["status", "--context", "bran"]] {
        let done = at(home, args);
        assert_eq!(done.exit, 10);
        assert_eq!(done.stderr, "gaseractl: there is no context \"bran\"; did you mean barn?\n");
    }
    assert_eq!(at(home, &["context", "add", "a b", "unix:/x"]).exit, 2);
    std::fs::write(home.join("gaseractl/config.toml"), "curent = 1\n").unwrap();
    let broken = at(home, &["status"]);
    assert_eq!(broken.exit, 2);
    assert!(broken.stderr.contains("line 1") && broken.stderr.contains("curent"), "{broken:?}");
}

#[test]
fn an_option_counts_more_than_the_environment_and_that_more_than_the_current_context() {
    let (real, simulated) = (fake(false), fake(true));
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    at(home, &["context", "add", "real", &real.unix]);
    at(home, &["context", "add", "sim", &simulated.unix, "--use"]);
    let ask = |set: &[(&str, &str)], more: &[&str]| {
        is_simulated(&run_in(of(home).envs(set.iter().copied()), &[&["status", "--json"], more].concat()))
    };
    assert!(ask(&[], &[]));
    assert!(!ask(&[("GASERACTL_CONTEXT", "real")], &[]));
    assert!(!ask(&[("GASERACTL_ENDPOINT", &real.unix)], &[]));
    assert!(!ask(&[("GASERACTL_ENDPOINT", &real.unix), ("GASERACTL_CONTEXT", "sim")], &[]));
    assert!(ask(&[("GASERACTL_ENDPOINT", &real.unix)], &["--context", "sim"]));
    assert!(ask(&[("GASERACTL_CONTEXT", "real")], &["--endpoint", &simulated.unix]));
    assert!(!ask(&[("GASERACTL_CONTEXT", "sim")], &["--context", "real"]));
}

#[test]
fn the_fleet_is_told_side_by_side_and_one_that_is_away_makes_it_8() {
    let simulated = fake(true);
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    assert_eq!(at(home, &["fleet", "status"]).exit, 10);
    at(home, &["context", "add", "sim", &simulated.unix]);
    assert_eq!(at(home, &["fleet", "status"]).exit, 0);
    at(home, &["context", "add", "gone", "unix:/nonexistent/g.sock"]);
    let done = at(home, &["fleet", "status"]);
    assert_eq!(done.exit, 8);
    let lines: Vec<&str> = done.stdout.lines().collect();
    assert!(lines[1].starts_with("gone     unreachable") && lines[2].starts_with("sim      Idle"), "{done:?}");
    assert!(done.stderr.starts_with("gone: cannot reach gaserad at unix:/nonexistent/g.sock"), "{done:?}");
    let done = at(home, &["fleet", "status", "--json"]);
    let json: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((done.exit, json["daemons"][0]["exit"].as_u64()), (8, Some(8)));
    assert_eq!(json["daemons"][1]["status"]["simulated"], true);
}

#[test]
fn one_that_does_not_answer_keeps_the_others_waiting_no_longer_than_it_may() {
    let (mute, simulated) = (Fake::new(Script { mute: true, ..Script::default() }), fake(true));
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    at(home, &["context", "add", "mute", &mute.unix]);
    at(home, &["context", "add", "sim", &simulated.unix]);
    let done = at(home, &["fleet", "status", "--timeout", "1s"]);
    assert_eq!(done.exit, 8);
    assert!(done.stderr.contains("(no answer within 1s)"), "{done:?}");
    assert!(done.stdout.contains("sim      Idle"), "{done:?}");
}
