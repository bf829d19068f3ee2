//! Schedules inside gaserad: through a night with a power failure in it, and what people do to them.

use serde_json::Value;

use super::lab::{Design, Events, Lab};

const PLAN: &str = "channels = \"1-2\"\npurge = \"2m\"\nmeasure = \"6m\"\n";
const LONG: &str = "channels = \"1-2\"\nmeasure = \"4h\"\n";

fn lab(scale: u32) -> Lab {
    let lab = Lab::new(&Design { scale, ..Design::default() });
    let plans = lab.state("plans");
    std::fs::create_dir_all(&plans).unwrap();
    std::fs::write(plans.join("short.toml"), PLAN).unwrap();
    std::fs::write(plans.join("long.toml"), LONG).unwrap();
    lab
}

/// The next that is told of a schedule like this.
#[track_caller]
fn told(events: &mut Events, change: &str) -> Value {
    let told = |event: &Value| event["type"] == "schedule.updated" && event["data"]["change"] == change;
    events.until(told)["data"].clone()
}

#[track_caller]
fn alarm(events: &mut Events, code: &str) -> Value {
    events.until(|event| event["type"] == "alarm" && event["data"]["code"] == code)["data"].clone()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{value} has no {key}"))
}

/// Who asked for what, and what came of it, as it is kept.
fn audit(lab: &Lab, who: &str) -> Vec<(String, String)> {
    let database = rusqlite::Connection::open(lab.state("state.sqlite")).unwrap();
    let mut query = database.prepare("SELECT what, result FROM audit WHERE who = ? ORDER BY seq").unwrap();
    let rows = query.query_map([who], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[test]
fn through_a_night_with_a_power_failure_every_hour_fires_once() {
    const HOURS: usize = 3;
    let mut lab = lab(1000);
    lab.ask(&["schedule", "add", "hourly", "0 * * * *", "short", "--zone", "Europe/Berlin"]);
    let mut events = lab.events(None);
    let mut dues: Vec<String> = Vec::new();
    for _ in 0..HOURS {
        dues.push(text(&told(&mut events, "started"), "due").to_owned());
    }
    events.until_phase("MEASURING");
    lab.daemon.take().unwrap().kill();
    lab.start_daemon();
    let mut events = lab.events(None);
    for _ in 0..HOURS {
        dues.push(text(&told(&mut events, "started"), "due").to_owned());
    }
    assert!(dues.is_sorted_by(|one, next| one < next), "each hour fires once: {dues:?}");
    assert!(dues.iter().all(|due| due.ends_with(":00:00.000Z")), "{dues:?}");
    assert_eq!(lab.ask(&["schedule", "disable", "hourly"])["enabled"], false);
    events.until(|event| event["type"] == "run.finished");
    let mut runs = lab.ask(&["runs"])["runs"].as_array().unwrap().clone();
    runs.reverse();
    assert!(runs.len() >= 2 * HOURS, "{runs:#?}");
    for pair in runs.windows(2) {
        assert!(text(&pair[0], "ended_utc") <= text(&pair[1], "started_utc"), "{pair:?}");
    }
    let started: Vec<_> = audit(&lab, "schedule hourly").into_iter().filter(|(what, _)| what == "start").collect();
    let begun = started.iter().filter(|(_, result)| result.starts_with("ok ")).count();
    assert_eq!(begun, runs.len(), "{started:?}");
    assert!(runs.iter().all(|run| run["plan"]["operator"] == "schedule hourly"), "{runs:#?}");
}

#[test]
fn a_run_under_way_is_skipped_waited_for_or_a_failure() {
    let lab = lab(200);
    let mut events = lab.events(None);
    lab.ask(&["start", "long"]);
    let every_minute = |how: &str| {
        lab.ask(&["schedule", "add", "busy", "* * * * *", "short", "--if-busy", how, "--replace"]);
    };
    every_minute("skip");
    assert!(text(&told(&mut events, "skipped"), "text").contains("is under way"));
    assert_eq!(alarm(&mut events, "schedule_skipped")["severity"], "warning");
    every_minute("fail");
    assert!(text(&told(&mut events, "failed"), "text").contains("is under way"));
    assert_eq!(alarm(&mut events, "schedule_failed")["severity"], "blocker");
    every_minute("wait");
    let waits = told(&mut events, "started");
    assert!(text(&waits, "text").contains("waits until the one under way is over"), "{waits}");
    assert!(text(&told(&mut events, "skipped"), "text").contains("still waits"), "one of a schedule waits at most");
    let queued = lab.ask(&["status"])["queued"].as_array().unwrap().clone();
    assert_eq!((queued.len(), text(&queued[0], "who")), (1, "schedule busy"));
    std::fs::remove_file(lab.state("plans").join("short.toml")).unwrap();
    assert!(text(&told(&mut events, "failed"), "text").contains("there is no plan \"short\""));
    lab.ask(&["schedule", "rm", "busy"]);
    let removed = told(&mut events, "removed");
    assert!(text(&removed, "who").starts_with("ada (user "), "{removed}");
    let audit = audit(&lab, "schedule busy");
    for kind in ["fired", "skipped", "failed", "started"] {
        assert!(audit.iter().any(|(what, _)| what == kind), "{kind}: {audit:?}");
    }
}

#[test]
fn what_is_wrong_with_a_schedule_is_said_before_the_night() {
    let lab = lab(1);
    let refused = |args: &[&str], exit: i32, said: &str| {
        let done = lab.ctl(&[&["schedule"], args].concat());
        assert_eq!((done.exit, done.stderr.lines().count()), (exit, 1), "{args:?}: {done:?}");
        assert!(done.stderr.contains(said), "{args:?}: {done:?}");
    };
    refused(&["add", "a", "0 2 * *", "short"], 2, "it has five fields");
    refused(&["add", "a", "61 2 * * *", "short"], 2, "is no cron expression: ");
    refused(&["add", "a", "0 0 30 2 *", "short"], 2, "never comes");
    refused(&["add", "a", "0 2 * * *", "short", "--zone", "Berlin"], 2, "is no time zone");
    refused(&["add", "a b", "0 2 * * *", "short"], 2, "a schedule needs a name");
    refused(&["add", "a", "0 2 * * *", "shortest"], 10, "there is no plan \"shortest\"");
    refused(&["rm", "a"], 10, "there is no schedule a");
    refused(&["next", "a"], 10, "there is no schedule a");
    let dry = lab.ask(&["schedule", "add", "a", "0 2 * * *", "short", "--dry-run"]);
    assert_eq!(dry["next"].as_array().unwrap().len(), 3, "{dry}");
    assert_eq!(lab.ask(&["schedule"])["schedules"], Value::Array(Vec::new()));
    lab.ask(&["schedule", "add", "a", "0 2 * * *", "short", "--zone", "America/New_York", "--grace", "1h"]);
    refused(&["add", "a", "0 3 * * *", "short"], 2, "--replace puts this one in its place");
    let listed = lab.ask(&["schedule", "list"])["schedules"][0].clone();
    assert_eq!(
        (&listed["if_busy"], &listed["if_missed"], &listed["grace_s"]),
        (&"skip".into(), &"run".into(), &3600.0.into())
    );
    assert!(text(&listed["next"][0], "local").contains("T02:00:00-0"), "{listed}");
    let times = lab.ask(&["schedule", "next", "a", "-n", "4"])["next"].as_array().unwrap().clone();
    assert_eq!(times.len(), 4);
    lab.ask(&["schedule", "disable", "a"]);
    assert_eq!(lab.ask(&["schedule", "next"])["next"], Value::Array(Vec::new()));
    let table = lab.ctl(&["schedule"]).stdout;
    assert!(table.starts_with("SCHEDULE") && table.contains("disabled"), "{table}");
    assert_eq!(lab.ctl(&["schedule", "-q"]).stdout, "a\n");
    assert_eq!(lab.ctl(&["schedule", "rm", "a"]).stdout, "schedule a removed\n");
}

#[test]
fn a_time_that_passed_while_nobody_was_there_is_made_up_for_once_the_analyzer_is_seen() {
    let mut lab = lab(1);
    // Since yesterday nobody decided on anything, and the last time was a moment ago.
    lab.ask(&["schedule", "add", "often", "* * * * *", "short", "--grace", "1h"]);
    lab.daemon.take().unwrap().terminate();
    let database = rusqlite::Connection::open(lab.state("state.sqlite")).unwrap();
    let kept: String = database.query_row("SELECT schedule FROM schedules", [], |row| row.get(0)).unwrap();
    let mut schedule: Value = serde_json::from_str(&kept).unwrap();
    let decided: gasera::domain::Utc = schedule["decided"].as_str().unwrap().parse().unwrap();
    schedule["decided"] = (decided - std::time::Duration::from_secs(24 * 3600)).to_string().into();
    schedule["last"] = serde_json::json!({ "due": schedule["decided"], "result": "" });
    let update = "UPDATE schedules SET schedule = ?";
    database.execute(update, [schedule.to_string()]).unwrap();
    drop(database);
    lab.start_daemon();
    let mut events = lab.events(Some(0));
    assert_eq!(text(&alarm(&mut events, "schedule_interrupted"), "severity"), "warning");
    let fired = told(&mut events, "fired");
    assert!(text(&fired, "text").ends_with("and 1000 times before it passed"), "{fired}");
    let missed = alarm(&mut events, "schedule_missed");
    assert!(text(&missed, "text").starts_with("schedule often: due at "), "{missed}");
    assert_eq!(told(&mut events, "started")["due"], fired["due"]);
}
