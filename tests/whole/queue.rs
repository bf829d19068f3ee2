//! Starts that wait: for the run under way, for their time, over the end of the daemon; and many people at once.

use std::sync::Barrier;

use serde_json::Value;

use super::lab::{Design, Lab};

const SHORT: &[&str] = &["start", "--channels", "1-2", "--purge", "6s", "--measure", "20s"];

fn waiting(lab: &Lab) -> Vec<String> {
    let queued = lab.ask(&["status"])["queued"].as_array().unwrap().clone();
    queued.iter().map(|run| run["run_id"].as_str().unwrap().to_owned()).collect()
}

fn id(started: &Value) -> String {
    started["run_id"].as_str().unwrap().to_owned()
}

#[test]
fn two_starts_that_wait_run_one_after_the_other_and_one_more_is_called_off() {
    let lab = Lab::new(&Design { scale: 50, ..Design::default() });
    let mut events = lab.events(Some(0));
    let first = lab.ask(SHORT);
    let busy = lab.ctl(SHORT);
    assert!(busy.exit == 3 && busy.stderr.contains("is under way"), "{busy:?}");
    let wait = |more: &[&str]| lab.ask(&[SHORT, &["--if-busy", "wait"], more].concat());
    let (second, unwanted) = (wait(&[]), wait(&["--label", "unwanted"]));
    assert_eq!((&second["queued"], &second["begins_utc"]), (&true.into(), &Value::Null), "{second}");
    let called_off = lab.ctl(&["abort", &id(&unwanted)]);
    assert_eq!(called_off.exit, 0, "{called_off:?}");
    let last = lab.ctl(&[SHORT, &["--if-busy", "wait", "--wait"]].concat());
    assert_eq!(last.exit, 0, "{last:?}");
    let mut order = Vec::new();
    while order.len() < 6 {
        let event = events.until(|event| event["type"] == "run.started" || event["type"] == "run.finished");
        order.push((
            event["type"].as_str().unwrap().to_owned(),
            event["data"]["run"]["id"].as_str().unwrap().to_owned(),
        ));
    }
    let kinds: Vec<&str> = order.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["run.started", "run.finished"].repeat(3), "one after the other");
    assert_eq!([&order[0].1, &order[2].1], [&id(&first), &id(&second)]);
    assert!(order.iter().all(|(_, run)| *run != id(&unwanted)));
    assert!(waiting(&lab).is_empty());
    lab.assert_idle();
}

#[test]
fn an_aligned_start_begins_on_the_multiple_also_by_a_daemon_that_was_killed_meanwhile() {
    let mut lab = Lab::new(&Design::default());
    let aligned = lab.ask(&[SHORT, &["--align", "30m"]].concat());
    let begins: gasera::domain::Utc = aligned["begins_utc"].as_str().unwrap().parse().unwrap();
    assert_eq!(begins.as_micros() % 1_800_000_000, 0, "{aligned}");
    assert_eq!(waiting(&lab), [id(&aligned)]);
    lab.daemon.take().unwrap().kill();
    lab.start_daemon();
    let begun = lab.events_to_the_end_of(&id(&aligned));
    let started = begun.iter().find(|event| event["type"] == "run.started").unwrap();
    let at: gasera::domain::Utc = started["data"]["run"]["started"].as_str().unwrap().parse().unwrap();
    assert!(at >= begins, "{at} is before {begins}");
    let ended = &begun.last().unwrap()["data"]["run"];
    assert_eq!(ended["outcome"], "completed", "{ended}");
    assert!(waiting(&lab).is_empty());
}

#[test]
fn many_who_ask_at_once_get_one_answer_each() {
    const CLIENTS: usize = 32;
    let lab = Lab::new(&Design { scale: 20, ..Design::default() });
    assert_eq!(lab.ctl(SHORT).exit, 0);
    let asks: [&[&str]; 7] = [
        &["start", "--channels", "1", "--if-busy", "wait"],
        SHORT,
        &["abort"],
        &["pause"],
        &["skip"],
        &["finish"],
        &["note", "windy"],
    ];
    let together = Barrier::new(CLIENTS);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let (lab, together) = (&lab, &together);
        let ask = |number: usize| {
            let args = [asks[number % asks.len()], &["--json", "--timeout", "60s"]].concat();
            scope.spawn(move || {
                together.wait();
                lab.ctl(&args)
            })
        };
        let all: Vec<_> = (0..CLIENTS).map(ask).collect();
        all.into_iter().map(|client| client.join().unwrap()).collect()
    });
    assert_eq!(answers.len(), CLIENTS);
    for done in &answers {
        let granted = done.exit == 0 && done.stdout.lines().count() == 1;
        let refused = [3, 6].contains(&done.exit) && done.stdout.is_empty() && done.stderr.lines().count() == 1;
        assert!(granted || refused, "{done:?}");
    }
    // Whatever waits after that is called off, until nothing is left.
    while lab.ctl(&["abort"]).exit == 0 {}
    lab.assert_idle();
}
