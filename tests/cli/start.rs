//! start and abort: subscribed first, every end its exit code.

use gasera::domain::Outcome;
use gasera::proto::{StartMeasurementResponse, TimelineEntry};
use serde_json::Value;
use tonic::Code;

use super::fake::{Action, Fake, Script, refusal};
use super::support::{RUN, finished, golden, greeting, run, status, summary};

fn started() -> StartMeasurementResponse {
    StartMeasurementResponse {
        run_id: RUN.into(),
        total_ms: 217_000,
        end_utc: "2026-01-15T08:03:37.000Z".into(),
        ..StartMeasurementResponse::default()
    }
}

fn script(streams: Vec<Vec<Action>>) -> Script {
    Script { start: Ok(started()), streams, ..Script::default() }
}

/// A stream on which the run ends as soon as it was started.
fn ending(outcome: Outcome) -> Vec<Action> {
    let greeting = greeting(&status(None, None, 40));
    vec![Action::Send(greeting), Action::AwaitStart, Action::Send(finished(42, outcome)), Action::Hang]
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn it_subscribes_before_it_starts_and_exits_as_the_run_ended() {
    for (outcome, exit) in [(Outcome::Completed, 0), (Outcome::Aborted, 6), (Outcome::Partial, 7), (Outcome::Failed, 9)]
    {
        let fake = Fake::new(script(vec![ending(outcome)]));
        let done = run(&["start", "--wait", "--endpoint", &fake.unix]);
        assert_eq!(done.exit, exit, "{done:?}");
        assert_eq!(fake.calls(), ["GET /events", "StartMeasurement"]);
        let sentence = format!("run {RUN} {}: as told; 16 samples, 15 good\n", outcome.as_str());
        assert!(done.stderr.ends_with(&sentence), "{done:?}");
    }
}

#[test]
fn json_gives_a_line_at_the_start_and_one_at_the_end() {
    let fake = Fake::new(script(vec![ending(Outcome::Partial)]));
    let done = run(&["start", "--channels", "1-4", "--purge", "6s", "--wait", "--json", "--endpoint", &fake.http]);
    let lines = lines(&done.stdout);
    assert_eq!(lines.len(), 2, "{done:?}");
    assert_eq!((&lines[0]["run_id"], &lines[0]["total_s"]), (&RUN.into(), &217.into()));
    assert_eq!((&lines[0]["channels"], &lines[0]["purge_s"]), (&"1-4".into(), &6.into()));
    assert_eq!(lines[0]["operator"], "ada");
    assert_eq!((&lines[1]["outcome"], &lines[1]["exit"]), (&"partial".into(), &7.into()));
}

#[test]
fn watching_into_a_pipe_gives_the_events_between_the_two() {
    let fake = Fake::new(script(vec![ending(Outcome::Completed)]));
    let done = run(&["start", "--watch", "--endpoint", &fake.unix]);
    let lines = lines(&done.stdout);
    assert_eq!(lines.len(), 3, "{done:?}");
    assert_eq!((&lines[1]["id"], &lines[1]["type"]), (&42.into(), &"run.finished".into()));
    assert_eq!((done.exit, &lines[2]["exit"]), (0, &0.into()));
}

#[test]
fn the_end_is_found_although_the_connection_broke_before_it() {
    let broken = vec![Action::Send(greeting(&status(None, None, 40))), Action::AwaitStart];
    let over = status(None, Some(summary(Some(Outcome::Completed))), 50);
    let fake = Fake::new(script(vec![broken, vec![Action::Send(greeting(&over)), Action::Hang]]));
    let done = run(&["start", "--wait", "--endpoint", &fake.unix]);
    assert_eq!(done.exit, 0, "{done:?}");
    assert!(done.stderr.contains("connection lost: the daemon closed the stream; trying again in "), "{done:?}");
    assert!(done.stderr.contains("connected again\n"), "{done:?}");
}

#[test]
fn without_wait_it_returns_when_the_run_is_under_way() {
    let fake = Fake::new(script(Vec::new()));
    let done = run(&["start", "--channels", "1-4", "--measure", "20s", "--endpoint", &fake.unix]);
    assert_eq!(done.exit, 0);
    assert_eq!(fake.calls(), ["StartMeasurement"]);
    assert_eq!(done.stdout, format!("run {RUN} is measuring: channels 1-4 x 1, measure 20s\n"));
    assert_eq!(done.stderr, "it takes about 3m37s and ends about 2026-01-15 08:03:37 UTC\n");
    let done = run(&["start", "-q", "--endpoint", &fake.unix]);
    assert_eq!((done.stdout, done.stderr), (format!("{RUN}\n"), String::new()));
}

#[test]
fn whoever_waits_quietly_hears_of_a_bad_end_only_and_in_one_line() {
    for (outcome, exit, said) in [
        (Outcome::Completed, 0, String::new()),
        (Outcome::Failed, 9, format!("gaseractl: run {RUN} failed: as told; 16 samples, 15 good\n")),
    ] {
        let fake = Fake::new(script(vec![ending(outcome)]));
        let done = run(&["start", "--wait", "-q", "--endpoint", &fake.unix]);
        assert_eq!((done.exit, done.stdout.as_str(), done.stderr), (exit, "", said));
    }
}

#[test]
fn what_is_particular_of_a_plan_is_asked_and_told() {
    let fake = Fake::new(script(Vec::new()));
    let args = ["start", "--channels", "1-8", "--discard-first", "1", "--background", "31:4", "--no-overlap"];
    let done = run(&[&args[..], &["--sync", "analyzer", "--if-measuring", "adopt", "--endpoint", &fake.unix]].concat());
    let plan = "channels 1-8 x 1, sync analyzer, discard first 1, background 31 after every 4, no overlap";
    assert_eq!((done.exit, done.stdout), (0, format!("run {RUN} is measuring: {plan}\n")));
    assert_eq!(fake.calls(), ["StartMeasurement", "Adopt"]);
    let done = run(&[&args[..], &["--json", "--endpoint", &fake.unix]].concat());
    let line = &lines(&done.stdout)[0];
    assert_eq!(line["background"], serde_json::json!({"channel": 31, "every": 4}));
    assert_eq!((&line["discard_first"], &line["overlap"]), (&1.into(), &false.into()));
    let done = run(&["start", "--background", "none", "--json", "--endpoint", &fake.unix]);
    assert_eq!(lines(&done.stdout)[0]["background"], Value::Null);
}

#[test]
fn every_refusal_has_its_sentence_and_exit_code() {
    for (code, reason, exit) in [
        (Code::FailedPrecondition, "RUN_UNDER_WAY", 3),
        (Code::FailedPrecondition, "ANALYZER_BUSY", 3),
        (Code::Unavailable, "ANALYZER_OFFLINE", 4),
        (Code::FailedPrecondition, "ANALYZER_ERRORS", 5),
        (Code::Aborted, "RUN_ABORTED", 6),
        (Code::NotFound, "TASK_UNKNOWN", 10),
        (Code::InvalidArgument, "PLAN_INVALID", 2),
        (Code::InvalidArgument, "REQUEST_INVALID", 2),
        (Code::PermissionDenied, "", 11),
        (Code::Internal, "", 1),
    ] {
        let start = Err(refusal(code, reason, "it is as it is"));
        let fake = Fake::new(Script { start, ..Script::default() });
        let done = run(&["start", "--endpoint", &fake.unix]);
        assert_eq!((done.exit, done.stdout.as_str()), (exit, ""), "{reason}");
        assert_eq!(done.stderr, "gaseractl: it is as it is\n");
    }
}

#[test]
fn if_busy_skip_turns_a_run_under_way_into_success() {
    let busy = |reason| Err(refusal(Code::FailedPrecondition, reason, "run 01J is under way"));
    let fake = Fake::new(Script { start: busy("RUN_UNDER_WAY"), ..Script::default() });
    let done = run(&["start", "--if-busy", "skip", "--json", "--endpoint", &fake.unix]);
    assert_eq!((done.exit, lines(&done.stdout)[0]["skipped"].as_bool()), (0, Some(true)), "{done:?}");
    let fake = Fake::new(Script { start: busy("ANALYZER_ERRORS"), ..Script::default() });
    assert_eq!(run(&["start", "--if-busy", "skip", "--endpoint", &fake.unix]).exit, 5);
}

#[test]
fn a_daemon_that_hangs_up_is_exit_8() {
    let fake = Fake::new(Script { hang_up: true, ..Script::default() });
    for args in [&["start"][..], &["abort"], &["status"], &["watch"], &["runs", "export", "last"]] {
        let done = run(&[args, &["--endpoint", &fake.unix]].concat());
        assert_eq!(done.exit, 8, "{done:?}");
        assert!(done.stderr.contains(&fake.unix) && done.stderr.contains("systemctl status gaserad"), "{done:?}");
    }
}

#[test]
fn a_daemon_that_does_not_answer_runs_into_the_timeout() {
    let fake = Fake::new(Script { mute: true, ..Script::default() });
    let done = run(&["start", "--timeout", "200ms", "--endpoint", &fake.unix]);
    assert_eq!((done.exit, done.stdout.as_str()), (124, ""));
    let sentence = "gaseractl: not done within 0.2s; whether the run starts is not known: see `gaseractl status`\n";
    assert_eq!(done.stderr, sentence);
}

#[test]
fn a_dry_run_shows_the_timeline_and_when_it_would_end() {
    let mut timeline = Vec::new();
    for repeat in 1..=3 {
        for (second, phase, channel, lasts) in [(0, "HOMING", 0, 1), (1, "PURGING", 1, 6), (7, "MEASURING", 1, 20)] {
            let offset_ms = (u64::from(repeat - 1) * 27 + second) * 1000;
            let duration_ms = lasts * 1000;
            timeline.push(TimelineEntry { offset_ms, duration_ms, phase: phase.into(), channel, repeat });
        }
    }
    timeline.push(TimelineEntry {
        offset_ms: 81_000,
        duration_ms: 1000,
        phase: "SWITCHING".into(),
        channel: 0,
        repeat: 3,
    });
    let start = Ok(StartMeasurementResponse { run_id: String::new(), total_ms: 82_000, timeline, ..started() });
    let fake = Fake::new(Script { start, ..Script::default() });
    let args = ["start", "--channels", "1", "--repeats", "3", "--purge", "6s", "--measure", "20s", "--dry-run"];
    let done = run(&[&args[..], &["--endpoint", &fake.unix]].concat());
    assert_eq!((done.exit, done.stderr.as_str()), (0, ""));
    golden("dry_run", &done.stdout);
    let done = run(&[&args[..], &["--json", "--endpoint", &fake.unix]].concat());
    golden("dry_run_json", &done.stdout);
}

#[test]
fn abort_names_the_run_it_ended() {
    let fake = Fake::new(Script::default());
    let done = run(&["abort", "--wait", "--endpoint", &fake.unix]);
    assert_eq!((done.exit, done.stdout.as_str()), (0, "run 01KAHRUN is aborted; the analyzer is idle\n"));
    let done = run(&["abort", "--json", "--endpoint", &fake.unix]);
    assert_eq!(done.stdout, "{\"run_id\":\"01KAHRUN\",\"waited\":false}\n");
    let abort = Err(refusal(Code::FailedPrecondition, "NO_RUN", "no run is under way"));
    let fake = Fake::new(Script { abort, ..Script::default() });
    assert_eq!(run(&["abort", "--endpoint", &fake.unix]).exit, 3);
}
