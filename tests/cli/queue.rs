//! Starts that wait: what is asked, what is said of it, and what becomes of those who wait for the end.

use gasera::domain::event::{RunChange, RunUpdate};
use gasera::domain::status::QueuedRun;
use gasera::domain::{Event, Outcome, RunId, Severity};
use gasera::proto::StartMeasurementResponse;
use serde_json::{Value, json};

use super::fake::{Action, Fake, Script};
use super::support::{RUN, at, finished, frame, greeting, run, status, summary};

fn queued(begins: &str) -> StartMeasurementResponse {
    StartMeasurementResponse {
        run_id: RUN.into(),
        total_ms: 217_000,
        queued: true,
        begins_utc: begins.into(),
        ..StartMeasurementResponse::default()
    }
}

fn update(change: RunChange, text: &str) -> Event {
    Event::RunUpdated(RunUpdate { run_id: RunId(RUN.into()), change, who: "bob".into(), text: text.into() })
}

fn alarm(code: &str) -> Event {
    let run_id = Some(RunId(RUN.into()));
    Event::Alarm { severity: Severity::Warning, code: code.into(), text: "another one is under way".into(), run_id }
}

/// A daemon on which a start waits, and then this happens.
fn daemon(happens: String) -> Fake {
    let greeting = greeting(&status(None, None, 40));
    let stream = vec![Action::Send(greeting), Action::AwaitStart, Action::Send(happens), Action::Hang];
    Fake::new(Script { start: Ok(queued("")), streams: vec![stream], ..Script::default() })
}

#[test]
fn a_start_that_waits_says_until_when() {
    let fake = Fake::new(Script { start: Ok(queued("2026-01-15T08:30:00.000Z")), ..Script::default() });
    let args = ["start", "--channels", "1-4", "--align", "30m", "--if-busy", "wait", "--endpoint", &fake.unix];
    let done = run(&args);
    assert_eq!((done.exit, fake.calls()), (0, vec!["StartMeasurement".into(), "Wait 1800000".into()]));
    let told = format!("run {RUN} waits, and begins at 2026-01-15 08:30:00 UTC: channels 1-4 x 1\n");
    assert_eq!((done.stdout, done.stderr.as_str()), (told, "it takes about 3m37s\n"));
    let json: Value = serde_json::from_str(&run(&[&args[..], &["--json"]].concat()).stdout).unwrap();
    assert_eq!((&json["queued"], &json["begins_utc"]), (&json!(true), &json!("2026-01-15T08:30:00.000Z")));
    let fake = Fake::new(Script { start: Ok(queued("")), ..Script::default() });
    let done = run(&["start", "--if-busy", "wait", "--endpoint", &fake.unix]);
    assert!(done.stdout.starts_with(&format!("run {RUN} waits, and begins when no other is under way: ")), "{done:?}");
}

#[test]
fn with_wait_it_stays_until_the_run_that_waited_is_over() {
    let begun = frame(41, &Event::RunStarted { run: summary(None) });
    let fake = daemon(begun + &finished(42, Outcome::Partial));
    let done = run(&["start", "--if-busy", "wait", "--wait", "--json", "--endpoint", &fake.unix]);
    assert_eq!(done.exit, 7, "{done:?}");
    assert!(done.stdout.lines().count() == 2 && done.stdout.contains("\"outcome\":\"partial\""), "{done:?}");
}

#[test]
fn a_run_that_does_not_begin_ends_the_wait_with_the_reason_and_its_exit_code() {
    let (called_off, skipped, failed) =
        (update(RunChange::Unqueued, "aborted by bob"), alarm("start_skipped"), alarm("start_failed"));
    for (event, if_busy, exit) in
        [(&called_off, "wait", 6), (&skipped, "fail", 3), (&skipped, "skip", 0), (&failed, "wait", 9)]
    {
        let fake = daemon(frame(41, event));
        let done = run(&["start", "--if-busy", if_busy, "--wait", "--json", "--endpoint", &fake.unix]);
        assert_eq!(done.exit, exit, "{done:?}");
        assert!(done.stderr.contains(&format!("run {RUN} did not begin: a")), "{done:?}");
        let last: Value = serde_json::from_str(done.stdout.lines().last().unwrap()).unwrap();
        assert_eq!((&last["outcome"], &last["exit"], &last["records"]), (&Value::Null, &json!(exit), &json!(0)));
    }
}

#[test]
fn whoever_stops_waiting_is_told_how_to_call_the_run_off() {
    let fake = daemon(String::new());
    let done = run(&["start", "--if-busy", "wait", "--wait", "--timeout", "1s", "--endpoint", &fake.unix]);
    assert_eq!(done.exit, 124, "{done:?}");
    assert!(done.stderr.contains(&format!("`gaseractl abort {RUN}` calls it off")), "{done:?}");
    assert!(!fake.calls().contains(&"AbortMeasurement".into()), "it waits on");
}

#[test]
fn the_status_shows_what_waits_and_one_of_it_is_called_off() {
    let mut busy = status(Some(summary(None)), None, 40);
    let waits =
        |id: &str, begins| QueuedRun { run_id: RunId(id.into()), label: "south".into(), who: "ada".into(), begins };
    busy.queued = vec![waits("01NEXT", None), waits("01LATER", Some(at(1800)))];
    let fake = Fake::new(Script { status: serde_json::to_string(&busy).unwrap(), ..Script::default() });
    let done = run(&["status", "--endpoint", &fake.unix]);
    assert!(
        done.stdout.contains("Waiting     01NEXT \"south\", begins when no other is under way, for ada\n"),
        "{done:?}"
    );
    assert!(
        done.stdout.contains("            01LATER \"south\", begins at 2026-01-15 08:30:00 UTC, for ada\n"),
        "{done:?}"
    );
    let done = run(&["abort", "01LATER", "--endpoint", &fake.unix]);
    assert_eq!((done.exit, done.stdout), (0, format!("run {RUN} is called off; it had not begun\n")));
    assert_eq!(fake.calls()[1..], ["AbortMeasurement", "01LATER"]);
    let done = run(&["abort", "--endpoint", &fake.unix]);
    assert_eq!(done.stderr, "run 01NEXT waits and begins next; `gaseractl abort 01NEXT` calls it off\n");
}
