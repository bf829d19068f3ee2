//! Plans as files, from the command line to the run.

use std::fs;

use super::lab::{Design, Lab};

#[test]
fn a_plan_is_checked_kept_shown_and_started() {
    let lab = Lab::new(&Design::default());
    let path = lab.path("weekly.toml").display().to_string();
    fs::write(&path, "channels = \"2-3\"\nrepeat = 2\npurge = \"6s\"\nmeasure = 20\n").unwrap();
    let checked = lab.ctl(&["plan", "check", &path]);
    let expected = format!(
        "{path}:2:1: repeat is not a key of a plan; did you mean repeats?\n\
         {path}:4:11: measure is a number; write a duration as text, like \"30s\" or \"5m\"\n"
    );
    assert_eq!((checked.exit, checked.stdout.as_str()), (2, expected.as_str()), "{checked:?}");
    let refused = lab.ctl(&["start", &path]);
    assert_eq!((refused.exit, refused.stderr.as_str()), (2, expected.as_str()), "{refused:?}");

    let good = "channels = \"2-3\"\nrepeats = 2\npurge = \"6s\"\nmeasure = \"20s\"\n[channel.3]\npurge = \"9s\"\n";
    fs::write(&path, good).unwrap();
    let checked = lab.ctl(&["plan", "check", &path]);
    assert!(checked.exit == 0 && checked.stdout.starts_with("ok: channels 2-3 x 2, purge 6s,"), "{checked:?}");
    assert_eq!(lab.ctl(&["plan", "show", "weekly"]).exit, 10, "it is not kept by the daemon");
    fs::create_dir_all(lab.path("state/plans")).unwrap();
    fs::copy(&path, lab.path("state/plans/weekly.toml")).unwrap();
    assert_eq!(lab.ask(&["plan", "list"])["plans"][0]["name"], "weekly");
    let shown = lab.ask(&["plan", "show", "weekly"]);
    let dry = lab.ask(&["start", "weekly", "--dry-run"]);
    assert_eq!((&shown["timeline"], &shown["total_s"]), (&dry["timeline"], &dry["total_s"]));

    let done = lab.ctl(&["start", "weekly", "--channels", "3", "--repeats", "1", "--wait"]);
    assert_eq!(done.exit, 0, "{done:?}");
    let plan = &lab.ask(&["runs", "show", "last"])["plan"];
    assert_eq!((&plan["channels"], &plan["repeats"]), (&"3".into(), &1.into()), "{plan}");
    assert_eq!((&plan["exceptions"][0]["purge_s"], &plan["operator"]), (&9.into(), &"ada".into()), "{plan}");
}
