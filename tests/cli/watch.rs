//! watch and status: what is seen, in which form, and that nothing is missed.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use gasera::domain::{AnalyzerPhase, Event, Outcome, Position};
use rustix::process::{Pid, Signal};

use super::fake::{Action, Fake, Script};
use super::support::{finished, frame, gaseractl, golden, greeting, run, status, summary};

fn fake(streams: Vec<Vec<Action>>) -> Fake {
    Fake::new(Script { streams, ..Script::default() })
}

fn moving(seq: u64) -> String {
    frame(seq, &Event::MuxPosition { position: Position::Moving, channel: None })
}

/// A run under way that is soon over.
fn whole_run() -> Vec<Action> {
    let phase = Event::DevicePhase { code: 1, name: AnalyzerPhase::GasExchange, iteration: Some(3) };
    let tick = "event: progress\ndata: {\"timestamp\":1768464020.0}\n\nevent: heartbeat\ndata: {\"seq\":42}\n\n";
    vec![
        Action::Send(greeting(&status(Some(summary(None)), None, 40))),
        Action::Send(moving(41)),
        Action::Send(frame(42, &phase)),
        Action::Send(tick.into()),
        Action::Send(finished(43, Outcome::Completed)),
        Action::Hang,
    ]
}

#[test]
fn a_pipe_gets_every_event_as_a_line_of_json() {
    let fake = fake(vec![whole_run()]);
    let done = run(&["watch", "--until-done", "--endpoint", &fake.unix]);
    assert_eq!(done.exit, 0, "{done:?}");
    let lines: Vec<serde_json::Value> = done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen: Vec<_> = lines.iter().map(|line| (line["id"].as_u64(), line["type"].as_str().unwrap())).collect();
    assert_eq!(
        seen,
        [
            (None, "snapshot"),
            (Some(41), "mux.position"),
            (Some(42), "device.phase"),
            (None, "progress"),
            (None, "heartbeat"),
            (Some(43), "run.finished")
        ]
    );
    assert_eq!(lines[1]["position"]["state"], "moving");
}

#[test]
fn tables_and_frames_are_for_those_who_ask() {
    let fake = fake(vec![whole_run(), whole_run()]);
    let done = run(&["watch", "--until-done", "--format", "table", "--endpoint", &fake.unix]);
    golden("watch_table", &done.stdout);
    let done = run(&["watch", "--until-done", "--format", "frames", "--types", "mux.*", "--endpoint", &fake.unix]);
    assert_eq!(done.stdout, moving(41));
}

#[test]
fn filters_are_the_daemons_to_apply() {
    let fake = fake(vec![vec![Action::Send(moving(41)), Action::Hang]]);
    let args = ["watch", "--types", "run.*,mux.*", "--channels", "1-4", "--since", "40", "--timeout", "300ms"];
    let done = run(&[&args[..], &["--endpoint", &fake.http]].concat());
    assert_eq!(done.exit, 124, "{done:?}");
    assert_eq!(fake.calls(), ["GET /events?types=run.*,mux.*&channels=1-4 after 40"]);
    assert_eq!(done.stdout.lines().count(), 1);
}

#[test]
fn a_filter_the_daemon_does_not_know_is_a_usage_error() {
    let fake = fake(Vec::new());
    let done = run(&["watch", "--types", "fase", "--endpoint", &fake.unix]);
    assert_eq!(done.exit, 2);
    assert!(done.stderr.contains("400 Bad Request to the subscription: nothing of type \"fase\" exists"), "{done:?}");
}

#[test]
fn a_broken_connection_is_resumed_after_the_last_event() {
    let first = vec![Action::Send(greeting(&status(Some(summary(None)), None, 40))), Action::Send(moving(41))];
    let second = vec![
        Action::Send(greeting(&status(Some(summary(None)), None, 42))),
        Action::Send(moving(42)),
        Action::Send(finished(43, Outcome::Aborted)),
        Action::Hang,
    ];
    let fake = fake(vec![first, second]);
    let done = run(&["watch", "--until-done", "--types", "mux.position", "--endpoint", &fake.unix]);
    assert_eq!(done.exit, 6, "{done:?}");
    assert_eq!(fake.calls(), ["GET /events", "GET /events after 41"]);
    let ids: Vec<&str> = done.stdout.lines().map(|line| &line[..8]).collect();
    assert_eq!(ids, ["{\"id\":41", "{\"id\":42"]);
}

#[test]
fn a_reader_that_has_seen_enough_ends_it_quietly() {
    let mut actions = vec![Action::Send(greeting(&status(None, None, 40)))];
    actions.extend((41..2000).map(|seq| Action::Send(moving(seq))));
    let fake = fake(vec![actions]);
    let mut child = watching(&fake);
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn ctrl_c_leaves_the_run_alone_and_says_so() {
    let fake = fake(vec![vec![Action::Send(greeting(&status(Some(summary(None)), None, 40))), Action::Hang]]);
    let mut child = watching(&fake);
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    rustix::process::kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let stderr = String::from_utf8(output.stderr).unwrap();
    let sentence = "interrupted; watching has no effect on gaserad: a run that is under way goes on\n";
    assert!(stderr.ends_with(sentence), "{stderr}");
    assert_eq!(fake.calls(), ["GET /events"]);
}

fn watching(fake: &Fake) -> Child {
    let mut command = gaseractl();
    command.args(["watch", "--endpoint", &fake.unix]).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

#[test]
fn status_is_told_in_words_or_as_the_daemon_gives_it() {
    let json = serde_json::to_string(&status(Some(summary(None)), None, 40)).unwrap();
    let fake = Fake::new(Script { status: json.clone(), ..Script::default() });
    let done = run(&["status", "--endpoint", &fake.unix]);
    assert_eq!((done.exit, done.stderr.as_str()), (0, ""));
    golden("status", &done.stdout);
    assert_eq!(run(&["status", "--json", "--endpoint", &fake.http]).stdout, json + "\n");
    assert_eq!(run(&["status", "-q", "--endpoint", &fake.http]).stdout, "MEASURING\n");
}
