//! An analyzer that falls silent in the middle of a run.

use super::lab::{Design, Lab};
use super::verdict::{assert_true, exported, visited};

#[test]
fn a_run_survives_an_analyzer_that_is_silent_for_a_while() {
    // Long enough for a question to go unanswered, and well before such a run can be over.
    let faults = "analyzer_silent_after = \"6m\"\nanalyzer_silent_for = \"4m\"";
    let lab = Lab::new(&Design { scale: 60, faults, analyzer: "grace = \"1h\"", ..Design::default() });
    let plan = ["--channels", "1-4", "--repeats", "3", "--purge", "6s", "--measure", "20s"];
    let done = lab.ctl(&[&["start", "--wait"], &plan[..]].concat());
    lab.assert_idle();
    // A visit may have no good sample; nothing else may come of it.
    assert!([0, 7].contains(&done.exit), "{done:?}");
    let rows = exported(&lab);
    assert_true(&rows, &lab.truth());
    assert!(visited(&rows).len() >= 6, "{rows:#?}");
}
