//! doctor, storage and config against all the real parts, and what they print against the published schema.

use serde_json::Value;

use super::lab::{Design, Lab};
use crate::support::schema;

fn told(lab: &Lab, command: &str, more: &[&str]) -> Value {
    let words: Vec<&str> = command.split(' ').chain(more.iter().copied()).chain(["--json"]).collect();
    let done = lab.ctl(&words);
    assert_eq!(done.exit, 0, "{done:?}");
    let object: Value = serde_json::from_str(&done.stdout).unwrap();
    let mistakes = schema::mistakes(&format!("gaseractl {command}"), &object);
    assert!(mistakes.is_empty(), "{mistakes:#?}");
    object
}

#[test]
fn where_all_is_well_nothing_fails() {
    let lab = Lab::new(&Design::default());
    let found = told(&lab, "doctor", &["--quick"]);
    let failed = found["findings"].as_array().unwrap().iter().filter(|finding| finding["outcome"] == "fail");
    assert_eq!((failed.count(), found["fail"].as_u64()), (0, Some(0)), "{found}");
    assert!(found["ok"].as_u64().unwrap() >= 12, "{found}");
}

#[test]
fn what_is_kept_and_how_it_is_set_up_is_told() {
    let lab = Lab::new(&Design::default());
    let done = lab.ctl(&["start", "--channels", "1-2", "--purge", "6s", "--measure", "20s", "--wait"]);
    assert_eq!(done.exit, 0, "{done:?}");
    let storage = told(&lab, "storage", &[]);
    let run = &storage["runs"][0];
    assert!(run["bytes"].as_u64() > Some(0) && run["records"].as_u64() > Some(0), "{storage}");
    assert!(
        storage["database_bytes"].as_u64() > Some(0) && storage["faults"].as_array().unwrap().is_empty(),
        "{storage}"
    );
    let config = told(&lab, "config get", &["analyzer"]);
    let keys: Vec<&str> =
        config["settings"].as_array().unwrap().iter().map(|set| set["key"].as_str().unwrap()).collect();
    assert!(keys.contains(&"analyzer.address") && keys.iter().all(|key| key.starts_with("analyzer.")), "{keys:?}");
    told(&lab, "status", &[]);
    told(&lab, "runs show", &["last"]);
    told(&lab, "analyzer info", &[]);
    told(&lab, "analyzer tasks", &[]);
    told(&lab, "mux where", &[]);
    let tail = lab.ctl(&["runs", "tail", "last", "--json"]);
    assert_eq!((tail.exit, tail.stdout.lines().count() as u64), (0, run["records"].as_u64().unwrap()), "{tail:?}");
}

#[test]
fn a_purge_test_measures_a_line_between_two_gases() {
    let lab = Lab::new(&Design::default());
    let found = told(&lab, "doctor purge-test", &["--channel", "3", "--settle", "10m"]);
    let measured = found["gases"].as_array().unwrap().iter().filter(|gas| gas["t90_s"].is_number());
    assert!(measured.count() > 0, "{found}");
    assert!(found["purge_s"].as_u64().is_some_and(|purge| (10..=600).contains(&purge)), "{found}");
    let visits = lab.ask(&["runs", "show", "last"])["visits"].clone();
    let channels: Vec<u64> =
        visits.as_array().unwrap().iter().map(|visit| visit["channel"].as_u64().unwrap()).collect();
    assert_eq!(channels[..2], [1, 3], "{visits}");
}
