//! storage, config, runs tail, and what is said of names that are nearly right.

use gasera::domain::{Attribution, Event, Outcome, Phase, Qc, RunId, event::LiveData};
use gasera::proto;
use tonic::Code;

use super::fake::{Action, Fake, Script, refusal};
use super::support::{RUN, at, finished, frame, golden, run};

fn storage(faults: &[&str]) -> proto::GetStorageResponse {
    let size = |run_id: &str, label: &str, records, bytes| proto::RunSize {
        run_id: run_id.into(),
        label: label.into(),
        started_utc: "2026-01-15T08:00:00Z".into(),
        records,
        bytes,
    };
    proto::GetStorageResponse {
        directory: "/var/lib/gaserad".into(),
        free_bytes: Some(12_345_678_901),
        min_free_bytes: 209_715_200,
        database_bytes: 999_999,
        runs: vec![size("01KAHRUN", "barn north", 16, 4321), size("01KAGRUN", "", 0, 0)],
        faults: faults.iter().map(|fault| (*fault).to_owned()).collect(),
        total_bytes: Some(64_000_000_000),
        reusable_bytes: 4096,
        trash_runs: 1,
        trash_bytes: 7777,
        mirror: Some(proto::Mirror {
            directory: "/media/usb0/gasera".into(),
            state: "behind".into(),
            behind_files: 3,
            behind_bytes: 12_345,
            free_bytes: Some(29_100_000_000),
            total_bytes: Some(32_000_000_000),
            fault: String::new(),
        }),
        retention: "runs go 365 days after they ended".into(),
    }
}

fn config() -> proto::GetConfigResponse {
    let setting = |key: &str, value: &str, origin: &str| proto::Setting {
        key: key.into(),
        value: value.into(),
        origin: origin.into(),
    };
    proto::GetConfigResponse {
        settings: vec![
            setting("analyzer.address", "\"192.168.0.100:8888\"", "line 2 of /etc/gaserad/gaserad.toml"),
            setting("analyzer.task", "\"DEFAULT\"", "default"),
            setting("plan.purge", "\"5m\"", "default"),
        ],
        warnings: vec!["the valve is simulated".into()],
    }
}

/// What it prints, in words and as JSON, one behind the other.
fn told(fake: &Fake, args: &[&str]) -> String {
    let words = run(&[args, &["--endpoint", &fake.unix]].concat());
    let json = run(&[args, &["--json", "--endpoint", &fake.unix]].concat());
    assert_eq!(words.exit, json.exit);
    format!("{}{}{}exit {}\n", words.stdout, json.stdout, words.stderr, words.exit)
}

#[test]
fn storage_tells_what_is_kept_and_ends_with_1_if_something_is_wrong() {
    let fake = Fake::new(Script { storage: storage(&[]), ..Script::default() });
    golden("storage", &told(&fake, &["storage"]));
    let full = Fake::new(Script { storage: storage(&["there is little room"]), ..Script::default() });
    let done = run(&["storage", "-q", "--endpoint", &full.unix]);
    assert_eq!((done.exit, done.stdout.as_str()), (1, "12345678901\n"));
}

#[test]
fn settings_are_told_with_their_origin_one_section_or_one_value() {
    let fake = Fake::new(Script { config: config(), ..Script::default() });
    golden("config_get", &told(&fake, &["config", "get"]));
    golden("config_get_section", &told(&fake, &["config", "get", "analyzer"]));
    let value = run(&["config", "get", "plan.purge", "-q", "--endpoint", &fake.unix]);
    assert_eq!((value.exit, value.stdout.as_str()), (0, "\"5m\"\n"));
    let unknown = run(&["config", "get", "plan.purg", "--endpoint", &fake.unix]);
    assert_eq!(unknown.exit, 10);
    assert!(unknown.stderr.ends_with("did you mean plan.purge?\n"), "{unknown:?}");
}

#[test]
fn a_configuration_is_checked_by_the_daemon_line_by_line() {
    let mistake = proto::ConfigMistake { line: 2, column: 1, text: "adress is not a key".into() };
    let verdict = proto::CheckConfigResponse { mistakes: vec![mistake], warnings: vec!["odd".into()] };
    let fake = Fake::new(Script { config_check: verdict, ..Script::default() });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gaserad.toml");
    std::fs::write(&file, "[analyzer]\nadress = 1\n").unwrap();
    let file = file.to_str().unwrap();
    let done = run(&["config", "check", file, "--endpoint", &fake.unix]);
    assert_eq!((done.exit, done.stdout), (2, format!("{file}:2:1: adress is not a key\n")));
    assert_eq!(done.stderr, "warning: odd\n");
    assert!(fake.calls().contains(&format!("{file} \"[analyzer]\\nadress = 1\\n\"")), "{:?}", fake.calls());
    assert_eq!(run(&["config", "check", file, "--json", "--endpoint", &fake.unix]).exit, 2);
    let good = Fake::new(Script::default());
    let done = run(&["config", "check", file, "--endpoint", &good.unix]);
    assert_eq!((done.exit, done.stderr.as_str()), (0, "the configuration is valid\n"));
    assert_eq!(run(&["config", "check", "/nonexistent", "--endpoint", &good.unix]).exit, 10);
}

#[test]
fn reload_tells_what_changed_and_what_needs_a_restart() {
    let change = |key: &str, was: Option<&str>, is: Option<&str>| proto::SettingChange {
        key: key.into(),
        was: was.map(Into::into),
        is: is.map(Into::into),
    };
    let reloaded = proto::ReloadConfigResponse {
        changed: vec![
            change("plan.purge", Some("\"5m\""), Some("\"2m\"")),
            change("auth.tokens", None, Some("other content")),
            change("store.retention.keep", Some("\"8760h\""), None),
        ],
        needs_restart: vec![change("analyzer.address", Some("\"10.0.0.1:8888\""), Some("\"10.0.0.2:8888\""))],
        warnings: vec!["odd".into()],
    };
    let fake = Fake::new(Script { config_reload: Ok(reloaded), ..Script::default() });
    golden("config_reload", &told(&fake, &["config", "reload"]));
    let same = Fake::new(Script::default());
    golden("config_reload_nothing", &told(&same, &["config", "reload"]));
    let text = "nothing was reloaded, and all goes on as before:\na.toml:2:1: adress is not a key";
    let broken = Err(refusal(Code::InvalidArgument, "REQUEST_INVALID", text));
    let broken = Fake::new(Script { config_reload: broken, ..Script::default() });
    let done = run(&["config", "reload", "--endpoint", &broken.unix]);
    assert_eq!((done.exit, done.stdout.as_str()), (2, ""));
    assert!(done.stderr.contains("a.toml:2:1: adress is not a key"), "{done:?}");
}

#[test]
fn a_name_that_is_nearly_right_is_suggested() {
    let unknown = |reason: &str, text: &str| refusal(Code::NotFound, reason, text);
    let listed = proto::Run { id: "01KAHRUN5Q".into(), ..Default::default() };
    let fake = Fake::new(Script {
        run: Err(unknown("RUN_UNKNOWN", "no run is called that")),
        runs: vec![listed],
        start: Err(unknown("PLAN_UNKNOWN", "there is no such plan")),
        plans: vec![proto::StoredPlan { name: "weekly".into(), ..Default::default() }],
        ..Script::default()
    });
    let stderr = |args: &[&str]| {
        let done = run(&[args, &["--endpoint", &fake.unix]].concat());
        assert_eq!(done.exit, 10, "{done:?}");
        done.stderr
    };
    assert_eq!(stderr(&["runs", "show", "01KAHRNU5"]), "gaseractl: no run is called that; did you mean 01KAHRUN5Q?\n");
    // It begins so, and others seem to do so as well.
    assert_eq!(stderr(&["runs", "show", "01K"]), "gaseractl: no run is called that\n");
    assert_eq!(stderr(&["start", "wekly"]), "gaseractl: there is no such plan; did you mean weekly?\n");
    assert_eq!(stderr(&["start", "monthly"]), "gaseractl: there is no such plan\n");
}

/// Its event is numbered ten higher.
fn sample(run: &str, seq: u32) -> Action {
    let data = LiveData {
        run_id: RunId(run.into()),
        seq,
        phase: Phase::Measuring,
        channel: gasera::domain::Channel::new(3),
        visit_id: None,
        repeat: Some(1),
        attribution: Attribution::Exact,
        discard: false,
        qc: Qc::Good,
        flags: Vec::new(),
        iteration: Some(seq),
        sampled: at(u64::from(seq)),
        device_timestamp: gasera::domain::AnalyzerTime(0),
        units: "ppm".into(),
        components: Vec::new(),
    };
    Action::Send(frame(10 + u64::from(seq), &Event::LiveData(data)))
}

#[test]
fn the_samples_of_a_run_are_told_and_those_that_come_until_its_end() {
    let under_way = proto::Run { id: RUN.into(), records: 2, started_utc: "x".into(), ..Default::default() };
    let ended = Action::Send(finished(19, Outcome::Completed));
    let stream = vec![sample("01OTHER", 0), sample(RUN, 1), sample(RUN, 2), sample(RUN, 3), ended];
    let found = proto::GetRunResponse { run: Some(under_way), ..Default::default() };
    let script = Script { run: Ok(found), streams: vec![stream.clone(), stream], ..Script::default() };
    let fake = Fake::new(script);
    let done = run(&["runs", "tail", RUN, "--endpoint", &fake.unix]);
    assert_eq!((done.exit, done.stdout.lines().count()), (0, 3), "{done:?}");
    let last = run(&["runs", "tail", RUN, "-n", "1", "--json", "--endpoint", &fake.unix]);
    let seqs: Vec<u64> = last
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["seq"].as_u64().unwrap())
        .collect();
    assert_eq!((last.exit, seqs), (0, vec![2, 3]));
}
