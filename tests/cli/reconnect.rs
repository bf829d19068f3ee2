//! What watch does when the stream breaks, is refused, or cannot be had at all.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use gasera::domain::{Event, Outcome, Position};
use serde_json::Value;

use super::fake::{Action, Fake, Script};
use super::support::{Done, finished, frame, gaseractl, greeting, run, status, summary};

/// Delays that a test can wait for.
const SOON: [&str; 2] = ["--reconnect-delay", "100ms"];

fn fake(streams: Vec<Vec<Action>>) -> Fake {
    let status = serde_json::to_string(&status(Some(summary(None)), None, 44)).unwrap();
    Fake::new(Script { status, streams, ..Script::default() })
}

fn watch(fake: &Fake, more: &[&str]) -> Done {
    run(&[&["watch", "--endpoint", &fake.unix], &SOON[..], more].concat())
}

fn hello() -> Action {
    Action::Send(greeting(&status(Some(summary(None)), None, 40)).replace("retry: 1000", "retry: 100"))
}

fn moving(seq: u64) -> String {
    frame(seq, &Event::MuxPosition { position: Position::Moving, channel: None })
}

fn the_end(seq: u64) -> Action {
    Action::Send(finished(seq, Outcome::Completed))
}

fn ids(done: &Done) -> Vec<u64> {
    let lines = done.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["type"] != "snapshot").filter_map(|line| line["id"].as_u64()).collect()
}

#[test]
fn events_that_come_again_are_shown_once_and_a_gap_is_shown() {
    let gap = "event: gap\ndata: {\"reason\":\"these events are not kept any more\",\"after\":42,\"missed\":3}\n\n";
    let first = vec![hello(), Action::Send(moving(41) + &moving(42) + &moving(42))];
    let second = vec![Action::Send(moving(41) + &moving(42) + gap + &moving(46)), the_end(47), Action::Hang];
    let fake = fake(vec![first, second]);
    let done = watch(&fake, &["--until-done"]);
    assert_eq!((done.exit, ids(&done)), (0, vec![41, 42, 46, 47]), "{done:?}");
    assert!(done.stdout.contains("\"missed\":3"), "{done:?}");
    assert_eq!(fake.calls(), ["GET /events", "GET /events after 42"]);
}

#[test]
fn a_daemon_without_a_place_is_asked_again_when_it_says() {
    let full = || vec![Action::Refuse(503, Some(0))];
    let fake = fake(vec![full(), full(), vec![hello(), the_end(41), Action::Hang]]);
    let done = watch(&fake, &["--until-done"]);
    assert_eq!((done.exit, ids(&done)), (0, vec![41]), "{done:?}");
    assert_eq!(done.stderr.matches(": all places are taken; trying again in ").count(), 2, "{done:?}");
    assert_eq!(fake.calls(), ["GET /events"; 3]);
}

#[test]
fn retry_after_is_waited_for() {
    let fake = fake(vec![vec![Action::Refuse(503, Some(60))]]);
    let done = watch(&fake, &["--timeout", "1s"]);
    assert_eq!(done.exit, 124, "{done:?}");
    let told = "answered 503 Service Unavailable to the subscription: all places are taken; trying again in 60.";
    assert!(done.stderr.contains(told), "{done:?}");
    assert_eq!(fake.calls().len(), 1);
}

#[test]
fn what_will_never_be_granted_is_not_asked_twice() {
    for (status, exit) in [(401, 11), (403, 11), (404, 10), (400, 2)] {
        let fake = fake(vec![vec![hello()], vec![Action::Refuse(status, None)]]);
        let done = watch(&fake, &[]);
        assert_eq!(done.exit, exit, "{status}: {done:?}");
        let told = format!("answered {status} ");
        assert!(done.stderr.contains(&told) && done.stderr.contains(": all places are taken"), "{done:?}");
        assert_eq!(fake.calls().len(), 2);
    }
}

#[test]
fn without_a_fallback_it_is_given_up_after_so_many_attempts() {
    let again = || vec![Action::Refuse(500, None)];
    let fake = fake(vec![vec![hello()], again(), again(), again()]);
    let done = watch(&fake, &["--fallback", "none", "--max-reconnect", "2"]);
    assert_eq!(done.exit, 8, "{done:?}");
    assert!(done.stderr.contains("gaserad did not come back after 2 attempts: gaserad at unix:"), "{done:?}");
    assert_eq!(fake.calls(), ["GET /events", "GET /events after 40", "GET /events after 40"]);
}

#[test]
fn a_frame_that_cannot_be_read_resets_the_connection_and_is_asked_for_again() {
    let torn = "id: 42\nevent: phase\ndata: {\"timest\n\n";
    let first = vec![hello(), Action::Send(moving(41) + torn + &moving(43)), Action::Hang];
    let second = vec![Action::Send(moving(42) + &moving(43)), the_end(44), Action::Hang];
    let fake = fake(vec![first, second]);
    let done = watch(&fake, &["--until-done"]);
    assert_eq!((done.exit, ids(&done)), (0, vec![41, 42, 43, 44]), "{done:?}");
    assert!(
        done.stderr.contains("connection lost: the data of \"phase\" is not JSON: \"{\\\"timest\"; trying again"),
        "{done:?}"
    );
    assert_eq!(fake.calls(), ["GET /events", "GET /events after 41"]);
}

#[test]
fn a_silent_connection_is_dead() {
    let fake = fake(vec![vec![hello(), Action::Hang], vec![the_end(41), Action::Hang]]);
    let done = watch(&fake, &["--until-done", "--dead-after", "200ms"]);
    assert_eq!((done.exit, ids(&done)), (0, vec![41]), "{done:?}");
    assert!(done.stderr.contains("connection lost: not a byte came for 0.2 s"), "{done:?}");
}

#[test]
fn an_announced_restart_is_waited_for() {
    let reason = "service restarted".into();
    let announced = frame(41, &Event::SystemShutdown { reason, restart_expected_s: Some(60.0) });
    let fake = fake(vec![vec![hello(), Action::Send(announced)]]);
    let done = watch(&fake, &["--timeout", "1s"]);
    assert!(done.stderr.contains("connection lost: gaserad is restarting; trying again in 60."), "{done:?}");
    assert_eq!((done.exit, fake.calls().len()), (124, 1));
}

#[test]
fn while_nobody_is_there_the_state_is_polled_and_nothing_is_missed_when_the_stream_is_back() {
    let first = vec![hello(), Action::Send(moving(41)), Action::AwaitStart];
    let second = vec![Action::Send(moving(42) + &moving(43)), the_end(44), Action::Hang];
    let fake = fake(vec![first, second]);
    let socket = fake.unix.strip_prefix("unix:").unwrap();
    let aside = format!("{socket}.aside");
    let mut command = gaseractl();
    command.args(["watch", "--until-done", "--max-reconnect", "1", "--endpoint", &fake.unix]).args(SOON);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let (mut lines, told) = (BufReader::new(stdout).lines(), BufReader::new(stderr).lines());
    let mut seen = vec![lines.next().unwrap().unwrap(), lines.next().unwrap().unwrap()];

    std::fs::rename(socket, &aside).unwrap();
    assert_eq!(run(&["start", "--channels", "1", "--endpoint", &fake.http]).exit, 0);
    let mut told = told.map(Result::unwrap);
    assert!(told.any(|line| line.starts_with("fallback: polling the state every 2 s")));
    std::fs::rename(&aside, socket).unwrap();
    assert!(told.any(|line| line == "connected again"));

    seen.extend(lines.map(Result::unwrap));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let done = Done { exit: 0, stdout: seen.join("\n"), stderr: String::new() };
    assert_eq!(ids(&done), [41, 42, 43, 44], "{seen:?}");
    let asked = fake.calls();
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    assert_eq!(asked, ["GET /events", "StartMeasurement", "GET /status", "GET /events after 41"]);
}

#[test]
fn the_end_of_a_run_is_seen_by_polling_too() {
    let again = || vec![Action::Refuse(502, None)];
    let over = serde_json::to_string(&status(None, Some(summary(Some(Outcome::Partial))), 50)).unwrap();
    let streams = vec![vec![hello()], again(), again(), again(), again()];
    let fake = Fake::new(Script { status: over, streams, ..Script::default() });
    let done = watch(&fake, &["--until-done", "--max-reconnect", "0"]);
    assert_eq!(done.exit, 7, "{done:?}");
}

#[test]
fn waiting_for_the_end_goes_with_a_replay() {
    let replayed =
        vec![Action::Send(moving(6) + &finished(7, Outcome::Failed) + &moving(8)), the_end(45), Action::Hang];
    let fake = fake(vec![replayed]);
    let done = watch(&fake, &["--until-done", "--since", "5"]);
    assert_eq!(done.exit, 9, "the run under way is the one that has ended: {done:?}");
    assert_eq!(fake.calls(), ["GET /status", "GET /events after 5"]);
}

#[test]
fn people_are_called_for_what_matters() {
    let fake = fake(vec![vec![hello(), Action::Send(moving(41)), the_end(42), Action::Hang]]);
    let done = watch(&fake, &["--until-done", "--notify", "--types", "phase"]);
    assert_eq!((done.exit, done.stdout.as_str()), (0, ""), "{done:?}");
    let (bell, rest) = done.stderr.split_once('\u{7}').unwrap();
    assert!(bell.is_empty() && !rest.contains('\u{7}') && rest.contains("run.finished"), "{done:?}");
}

#[test]
fn frames_are_shown_as_they_came() {
    let frames = moving(41) + "event: progress\ndata: {\"timestamp\":1.0}\n\n";
    let fake = fake(vec![vec![Action::Send(frames.clone()), Action::Hang]]);
    let mut command = gaseractl();
    command.args(["watch", "--format", "frames", "--endpoint", &fake.unix]).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let seen: Vec<String> = (0..7).map(|_| lines.next().unwrap().unwrap()).collect();
    assert_eq!(seen.join("\n") + "\n", frames);
    child.kill().unwrap();
    child.wait().unwrap();
}
