//! plan, and start with a plan: what is sent, and what is said of the answer.

use std::io::Write;
use std::process::Stdio;

use gasera::proto::{CheckPlanResponse, PlanMistake, PlanRequest, StoredPlan, TimelineEntry};
use tempfile::TempDir;
use tonic::Code;

use super::fake::{Fake, Script, refusal};
use super::support::{gaseractl, golden, run};

fn plan() -> PlanRequest {
    PlanRequest {
        channels: "1-4".into(),
        repeats: Some(2),
        purge_ms: Some(60_000),
        iterations: Some(3),
        label: "barn north".into(),
        ..PlanRequest::default()
    }
}

fn good() -> CheckPlanResponse {
    let entry = |offset_ms, phase: &str, channel| TimelineEntry {
        offset_ms,
        duration_ms: 5000,
        phase: phase.into(),
        channel,
        repeat: 1,
    };
    CheckPlanResponse {
        plan: Some(plan()),
        total_ms: 217_000,
        timeline: vec![entry(0, "HOMING", 0), entry(5000, "PURGING", 1)],
        end_utc: "2026-01-15T08:03:37.000Z".into(),
        ..CheckPlanResponse::default()
    }
}

fn bad() -> CheckPlanResponse {
    let mistake = |line, column, text: &str| PlanMistake { line, column, text: text.into() };
    let mistakes =
        vec![mistake(2, 1, "repeat is not a key of a plan; did you mean repeats?"), mistake(0, 0, "too long")];
    CheckPlanResponse { mistakes, ..CheckPlanResponse::default() }
}

fn fake(checked: CheckPlanResponse) -> Fake {
    Fake::new(Script { checked: Ok(checked), ..Script::default() })
}

fn file(text: &[u8]) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weekly.toml");
    std::fs::write(&path, text).unwrap();
    (folder, path.display().to_string())
}

#[test]
fn a_good_file_is_ok_with_what_it_takes() {
    let (_folder, path) = file(b"repeats = 2\n");
    let fake = fake(good());
    let done = run(&["plan", "check", &path, "--endpoint", &fake.unix]);
    let told = "ok: channels 1-4 x 2, purge 1m, measure 3 iterations; takes 3m37s\n";
    assert_eq!((done.exit, done.stdout.as_str(), done.stderr.as_str()), (0, told, ""));
    assert_eq!(fake.calls(), ["CheckPlan".to_owned(), format!("{path} Some(\"repeats = 2\\n\")")]);
    let quiet = run(&["plan", "check", &path, "-q", "--endpoint", &fake.unix]);
    assert_eq!((quiet.exit, quiet.stdout.as_str()), (0, ""));
    let json = run(&["plan", "check", &path, "--json", "--endpoint", &fake.unix]);
    let object: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((&object["mistakes"], &object["total_s"]), (&serde_json::json!([]), &217.into()));
}

#[test]
fn every_mistake_is_a_line_with_its_place_and_exit_2() {
    let (_folder, path) = file(b"");
    let fake = fake(bad());
    let lines = format!("{path}:2:1: repeat is not a key of a plan; did you mean repeats?\n{path}: too long\n");
    let done = run(&["plan", "check", &path, "--endpoint", &fake.unix]);
    assert_eq!((done.exit, done.stdout.as_str(), done.stderr.as_str()), (2, lines.as_str(), ""));
    let done = run(&["plan", "check", &path, "--json", "--endpoint", &fake.unix]);
    let object: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((done.exit, &object["mistakes"][0]["column"], &object["file"]), (2, &1.into(), &path.as_str().into()));
    assert_eq!((&object["mistakes"][1]["line"], &object["total_s"]), (&().into(), &().into()));
    let done = run(&["plan", "show", &path, "--endpoint", &fake.unix]);
    assert_eq!((done.exit, done.stdout.as_str(), done.stderr.as_str()), (2, "", lines.as_str()));
}

#[test]
fn a_plan_is_shown_with_its_timeline_by_file_and_by_name() {
    let fake = fake(good());
    let done = run(&["plan", "show", "weekly", "--endpoint", &fake.unix]);
    golden("plan_show", &done.stdout);
    assert_eq!((done.exit, fake.calls()[1].as_str()), (0, "weekly None"));
    golden("plan_show_json", &run(&["plan", "show", "weekly", "--json", "--endpoint", &fake.unix]).stdout);
}

#[test]
fn plans_that_are_kept_are_listed() {
    let kept = |name: &str, mistakes| StoredPlan {
        name: name.into(),
        path: format!("/etc/gaserad/plans/{name}.toml"),
        mistakes,
        plan: (mistakes == 0).then(plan),
        total_ms: 217_000,
    };
    let fake = Fake::new(Script { plans: vec![kept("broken", 2), kept("weekly", 0)], ..Script::default() });
    golden("plan_list", &run(&["plan", "list", "--endpoint", &fake.unix]).stdout);
    golden("plan_list_json", &run(&["plan", "list", "--json", "--endpoint", &fake.unix]).stdout);
    assert_eq!(run(&["plan", "list", "-q", "--endpoint", &fake.unix]).stdout, "broken\nweekly\n");
    let none = run(&["plan", "list", "--endpoint", &Fake::new(Script::default()).unix]);
    assert!(none.exit == 0 && none.stdout.is_empty() && none.stderr.contains("keeps no plans"), "{none:?}");
}

#[test]
fn a_start_sends_the_file_or_the_name_and_its_options_besides() {
    let (_folder, path) = file(b"repeats = 2\n");
    let fake = fake(good());
    let done = run(&["start", &path, "--channels", "3", "--json", "--endpoint", &fake.unix]);
    assert!(done.exit == 0 && done.stdout.contains("\"channels\":\"3\""), "{done:?}");
    assert_eq!(run(&["start", "weekly", "--endpoint", &fake.unix]).exit, 0);
    let none = run(&["start", "weekly", "--channels", "", "--endpoint", &fake.unix]);
    assert!(none.exit == 2 && none.stderr.contains("no channel is selected"), "{none:?}");
    let expected = [
        "StartMeasurement".to_owned(),
        format!("{path} Some(\"repeats = 2\\n\")"),
        "StartMeasurement".to_owned(),
        "weekly None".to_owned(),
    ];
    assert_eq!(fake.calls(), expected);
}

#[test]
fn a_plan_may_come_on_stdin() {
    let fake = fake(good());
    let mut child = gaseractl()
        .args(["start", "-", "-q", "--endpoint", &fake.unix])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"repeats = 4\n").unwrap();
    assert!(child.wait_with_output().unwrap().status.success());
    assert_eq!(fake.calls(), ["StartMeasurement", "stdin Some(\"repeats = 4\\n\")"]);
}

#[test]
fn mistakes_of_a_start_stand_each_on_its_line() {
    let (_folder, path) = file(b"");
    let refused = Err(refusal(Code::InvalidArgument, "PLAN_INVALID", "a.toml:1:1: one\na.toml:2:1: two"));
    let fake = Fake::new(Script { start: refused, ..Script::default() });
    let done = run(&["start", &path, "--endpoint", &fake.unix]);
    assert_eq!((done.exit, done.stderr.as_str()), (2, "a.toml:1:1: one\na.toml:2:1: two\n"));
}

#[test]
fn a_plan_that_is_not_there_is_exit_10_and_asks_nobody() {
    for args in [&["start", "nowhere/weekly.toml"][..], &["plan", "check", "weekly"], &["plan", "show", "./weekly"]] {
        let fake = fake(good());
        let done = run(&[args, &["--endpoint", &fake.unix]].concat());
        assert_eq!((done.exit, done.stdout.as_str(), fake.calls().len()), (10, "", 0), "{args:?}");
        assert!(done.stderr.starts_with("gaseractl: cannot read the plan "), "{done:?}");
    }
    let unknown = Err(refusal(Code::NotFound, "PLAN_UNKNOWN", "there is no plan \"weekly\""));
    let fake = Fake::new(Script { checked: unknown, ..Script::default() });
    assert_eq!(run(&["plan", "show", "weekly", "--endpoint", &fake.unix]).exit, 10);
}
