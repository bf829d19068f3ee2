//! Runs that people remove, and such that have been kept long enough, over the command line.

use std::fs;

use serde_json::Value;

use super::lab::{Design, Lab};
use super::verdict::exported;

const SHORT: &[&str] = &["start", "--channels", "1-2", "--purge", "6s", "--measure", "20s", "--wait"];

fn ids(listed: &Value, key: &str) -> Vec<String> {
    let runs = listed[key].as_array().unwrap_or_else(|| panic!("{listed}"));
    runs.iter().map(|run| run["run_id"].as_str().or(run["id"].as_str()).unwrap().to_owned()).collect()
}

fn runs(lab: &Lab) -> Vec<String> {
    ids(&lab.ask(&["runs", "list"]), "runs")
}

#[test]
fn a_run_is_removed_and_comes_back_and_one_under_way_stays() {
    let lab = Lab::new(&Design::default());
    assert_eq!(lab.ctl(SHORT).exit, 0);
    let rows = exported(&lab);
    let run = runs(&lab).remove(0);
    let files = lab.ask(&["runs", "files", "last"]);
    let names: Vec<&str> =
        files["files"].as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"samples.csv"), "{files}");
    let csv = lab.ctl(&["runs", "get", "last", "samples.csv"]);
    assert_eq!((csv.exit, csv.stdout.lines().count()), (0, rows.len() + 1));
    assert_eq!(lab.ctl(&["runs", "get", "last", "../../state.sqlite"]).exit, 10);

    let removed = lab.ask(&["runs", "rm", &run]);
    assert_eq!((&removed["removed"][0], &removed["purged"]), (&run.clone().into(), &false.into()));
    assert!(runs(&lab).is_empty());
    assert_eq!(lab.ctl(&["runs", "show", &run]).exit, 10);
    let told = lab.ask(&["storage"]);
    assert_eq!((&told["trash"]["runs"], &told["faults"]), (&1.into(), &Value::Array(Vec::new())), "{told}");
    assert!(told["trash"]["bytes"].as_u64().unwrap() > 0, "{told}");
    let trash = lab.ask(&["runs", "trash"]);
    assert_eq!(
        (ids(&trash, "trash"), trash["trash"][0]["records"].as_u64()),
        (vec![run.clone()], Some(rows.len() as u64))
    );
    lab.events(Some(0)).until(|event| event["type"] == "storage" && event["data"]["change"] == "trashed");

    assert_eq!(lab.ctl(&["start", "--channels", "1-3", "--repeats", "50"]).exit, 0);
    let open = runs(&lab).remove(0);
    let refused = lab.ctl(&["runs", "rm", &open, "--yes"]);
    assert_eq!(refused.exit, 3, "{refused:?}");
    assert!(refused.stderr.contains("is under way"), "{refused:?}");
    assert_eq!(lab.ask(&["runs", "restore", &run[..20]])["restored"], run);
    assert_eq!(runs(&lab), [open.clone(), run.clone()]);
    assert_eq!(lab.ctl(&["runs", "verify", &run]).exit, 0);
    assert_eq!(lab.ctl(&["abort", "--wait"]).exit, 0);

    // For good, which has to be said.
    assert_eq!(lab.ctl(&["runs", "rm", "--all"]).exit, 2);
    assert_eq!(lab.ask(&["runs", "rm", "--all", "--purge", "--yes"])["purged"], true);
    assert!(runs(&lab).is_empty());
    assert!(ids(&lab.ask(&["runs", "trash"]), "trash").is_empty());
    assert_eq!(lab.ctl(&["storage", "check"]).exit, 0);
    assert_eq!(fs::read_dir(lab.path("state/trash")).map_or(0, Iterator::count), 0);
}

#[test]
fn what_was_kept_long_enough_goes_by_itself_and_says_so() {
    let mut lab = Lab::new(&Design::default());
    for _ in 0..3 {
        assert_eq!(lab.ctl(SHORT).exit, 0);
    }
    let kept = runs(&lab);
    assert_eq!(ids(&lab.ask(&["runs", "list", "-n", "2"]), "runs"), kept[..2]);
    assert_eq!(ids(&lab.ask(&["runs", "list", "-n", "1", "--before", &kept[0]]), "runs"), kept[1..2]);
    assert_eq!(lab.ctl(&["runs", "list", "--before", "01ZZZ"]).exit, 10);
    lab.daemon.take().unwrap().terminate();
    let config = fs::read_to_string(lab.path("gaserad.toml")).unwrap();
    let retention = "[store.retention]\nmax_size = \"1B\"\nmin_runs = 1\n";
    fs::write(lab.path("gaserad.toml"), format!("{config}{retention}")).unwrap();
    lab.start_daemon();
    // The oldest first.
    let mut events = lab.events(Some(0));
    for run in [&kept[2], &kept[1]] {
        let event = events.until(|event| event["type"] == "storage");
        assert_eq!((&event["data"]["change"], &event["data"]["run_id"]), (&"pruned".into(), &run.as_str().into()));
        assert!(event["data"]["text"].as_str().unwrap().contains("more than max_size"), "{event}");
    }
    assert_eq!(runs(&lab), kept[..1]);
    let trash = lab.ask(&["runs", "trash"]);
    assert_eq!(ids(&trash, "trash").len(), 2);
    assert_eq!(trash["trash"][0]["who"], "retention");
    assert_eq!(lab.ctl(&["runs", "empty-trash", "--yes"]).exit, 0);
    assert_eq!(lab.ctl(&["runs", "verify"]).exit, 0, "what is kept can still be worked out anew");
    assert_eq!(lab.ctl(&["storage", "check"]).exit, 0);
}
