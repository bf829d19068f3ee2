//! watch on a terminal: a view that is drawn in place, keys, and a terminal that is given back as it was.

use gasera::domain::{AnalyzerPhase, Event, Outcome};
use rustix::process::Signal;
use tonic::{Code, Status};

use super::fake::{Action, Fake, Script, refusal};
use super::support::{finished, frame, gaseractl, greeting, status, summary};
use crate::support::terminal::Terminal;

fn under_way() -> Vec<Action> {
    vec![Action::Send(greeting(&status(Some(summary(None)), None, 40))), Action::Hang]
}

fn fake(streams: Vec<Vec<Action>>) -> Fake {
    fake_that_answers(streams, Ok("01KAHRUN".into()))
}

fn fake_that_answers(streams: Vec<Vec<Action>>, abort: Result<String, Status>) -> Fake {
    let status = serde_json::to_string(&status(Some(summary(None)), None, 40)).unwrap();
    Fake::new(Script { abort, status, streams, ..Script::default() })
}

fn view(fake: &Fake, more: &[&str]) -> Terminal {
    let mut command = gaseractl();
    command.args(["watch", "--color", "never", "--endpoint", &fake.unix]).args(more);
    Terminal::run(command, 80, 24)
}

#[test]
fn a_terminal_gets_a_view_that_is_drawn_in_place_until_somebody_quits() {
    let fake = fake(vec![under_way()]);
    let mut view = view(&fake, &[]);
    let shown = view.until_shown("q quit");
    for text in
        ["● connected  unix:", "Run 01KAHRUN \"barn north\"", "Measuring, channel 1, repeat 1 of 2", "Channels "]
    {
        assert!(shown.contains(text), "{text} is not in\n{shown}");
    }
    view.press("q");
    let (code, left) = view.wait();
    assert_eq!((code, left.trim()), (Some(0), ""), "nothing is left of the view");
    // What happened lately is asked for too.
    assert_eq!(fake.calls(), ["GET /status", "GET /events after 0"]);
}

#[test]
fn the_view_ends_with_the_run_and_a_sentence() {
    let phase = Event::DevicePhase { code: 1, name: AnalyzerPhase::GasExchange, iteration: Some(3) };
    let mut actions = under_way();
    actions.splice(1..1, [Action::Send(frame(41, &phase)), Action::Send(finished(42, Outcome::Completed))]);
    let fake = fake(vec![actions]);
    let (code, left) = view(&fake, &["--until-done"]).wait();
    assert_eq!((code, left.trim()), (Some(0), "run 01KAHRUN completed: as told; 16 samples, 15 good"));
}

#[test]
fn an_order_is_given_only_after_a_yes_and_its_answer_shown() {
    let fake = fake(vec![under_way()]);
    let mut view = view(&fake, &[]);
    view.until_shown("q quit");
    view.press("a");
    view.until_shown("Abort run 01KAHRUN? y/N");
    view.press("n");
    view.until_shown("q quit");
    assert_eq!(fake.calls().len(), 2, "{:?}", fake.calls());
    view.press("a");
    view.until_shown("Abort run 01KAHRUN? y/N");
    view.press("y");
    view.until_shown("Run 01KAHRUN is aborted; the analyzer is idle");
    view.press("q");
    assert_eq!(view.wait().0, Some(0));
    let orders: Vec<String> = fake.calls().into_iter().filter(|call| call == "01KAHRUN").collect();
    assert_eq!(orders.len(), 1, "{orders:?}");
}

#[test]
fn who_may_only_look_is_told_so_in_a_sentence() {
    let no = refusal(Code::PermissionDenied, "ROLE", "ada is a viewer, and only operators abort runs");
    let fake = fake_that_answers(vec![under_way()], Err(no));
    let mut view = view(&fake, &[]);
    view.until_shown("q quit");
    view.press("ay");
    view.until_shown("Cannot abort run 01KAHRUN: ada is a viewer, and only operators abort runs");
    view.press("q");
    assert_eq!(view.wait().0, Some(0));
}

#[test]
fn another_size_of_the_window_is_filled_at_once() {
    let fake = fake(vec![under_way()]);
    let mut view = view(&fake, &[]);
    view.until(|shown| shown.lines().nth(23).is_some_and(|line| line.contains("q quit")));
    view.resize(120, 40);
    view.until(|shown| shown.lines().nth(39).is_some_and(|line| line.contains("q quit")));
    view.resize(40, 10);
    view.until(|shown| shown.lines().nth(9).is_some_and(|line| line.contains("q quit")));
    view.press("q");
    assert_eq!(view.wait().0, Some(0));
}

#[test]
fn the_terminal_is_given_back_however_the_view_ends() {
    let interrupted = "interrupted; watching has no effect on gaserad";
    let terminated = "terminated; watching has no effect on gaserad";
    for (end, says) in [("\x03", interrupted), ("TERM", terminated), ("HUP", terminated)] {
        let fake = fake(vec![under_way()]);
        let mut view = view(&fake, &[]);
        view.until_shown("q quit");
        match end {
            "TERM" => view.signal(Signal::TERM),
            "HUP" => view.signal(Signal::HUP),
            keys => view.press(keys),
        }
        let (code, left) = view.wait();
        assert_eq!(code, Some(130), "{left}");
        assert!(left.contains(says), "{left}");
    }
}

#[test]
fn a_limit_of_time_gives_the_terminal_back_too() {
    let fake = fake(vec![under_way()]);
    let (code, left) = view(&fake, &["--timeout", "300ms"]).wait();
    assert_eq!(code, Some(124), "{left}");
    assert!(left.contains("gaseractl: not done within 0.3s; watching has no effect"), "{left}");
}

#[test]
fn who_waits_for_the_end_of_a_run_and_leaves_has_not_seen_it() {
    let fake = fake(vec![under_way()]);
    let mut view = view(&fake, &["--until-done"]);
    view.until_shown("q quit");
    view.press("q");
    assert_eq!(view.wait().0, Some(130));
}
