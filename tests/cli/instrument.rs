//! analyzer and mux: what the instrument tells in words and as JSON, and how refusals end.

use std::process::Stdio;

use gasera::proto::{self, SelfTest};
use rustix::process::{Pid, Signal};
use tonic::Code;

use super::fake::{Fake, Script, refusal};
use super::support::{gaseractl, golden, run};

/// What it prints, in words and as JSON, one behind the other.
fn told(fake: &Fake, args: &[&str]) -> String {
    let words = run(&[args, &["--endpoint", &fake.unix]].concat());
    let json = run(&[args, &["--json", "--endpoint", &fake.unix]].concat());
    assert_eq!((words.exit, json.exit, json.stdout.lines().count()), (0, 0, 1), "{words:?} {json:?}");
    assert_eq!(words.stderr, json.stderr);
    format!("{}{}{}", words.stdout, json.stdout, json.stderr)
}

fn device() -> proto::Device {
    let parameter = |name: &str, value: Option<&str>, unit: Option<&str>| proto::Parameter {
        name: name.into(),
        value: value.map(Into::into),
        unit: unit.map(Into::into),
        ..Default::default()
    };
    let network = proto::Network {
        dhcp: true,
        address: "192.168.20.112".into(),
        netmask: "255.255.255.0".into(),
        gateway: String::new(),
    };
    let inlet = |id| proto::Inlet { id, active: id == 1, bypass_s: 1.5 };
    proto::Device {
        manufacturer: "Gasera Ltd".into(),
        serial: "030109".into(),
        firmware: "010304".into(),
        name: "mints-gasera-one".into(),
        network: Some(network),
        sampler: Some(proto::Sampler { inlets: vec![inlet(1), inlet(2)] }),
        parameters: vec![parameter("PumpRate", Some("10"), Some("Hz")), parameter("Spare", None, None)],
        cell_temperature_c: Some(50.12),
        unsupported: vec!["STUN".into(), "ANET".into()],
        ..Default::default()
    }
}

#[test]
fn the_analyzer_is_described() {
    let fake = Fake::new(Script { device: Ok(device()), ..Script::default() });
    golden("analyzer_info", &told(&fake, &["analyzer", "info"]));
    let done = run(&["analyzer", "info", "--parameters", "--endpoint", &fake.unix]);
    golden("analyzer_parameters", &done.stdout);
    assert_eq!(run(&["analyzer", "info", "-q", "--endpoint", &fake.unix]).stdout, "030109\n");
    let silent = Fake::new(Script { device: Ok(proto::Device::default()), ..Script::default() });
    let done = run(&["analyzer", "info", "--json", "--endpoint", &silent.unix]);
    let object: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert!(object["network"].is_null() && object["inlets"].is_null() && object["serial"] == "");
}

#[test]
fn tasks_that_can_be_read_in_two_ways_are_shown_as_such() {
    let parameters = proto::TaskParameters {
        gases: vec!["74-82-8".into(), "71-43-2".into()],
        pressure_mbar: Some(850.0),
        flush_bypass_s: Some(1.0),
        flush_cycles: Some(6),
        ..Default::default()
    };
    let sure = proto::Task { id: 11, name: "Soil".into(), confirmed: true, parameters: Some(parameters) };
    let unsure = proto::Task { id: 2024, name: "run".into(), ..Default::default() };
    let raw = "11 Soil 2024 run".to_owned();
    let mut tasks = proto::ListTasksResponse { tasks: vec![sure, unsure], ambiguous: true, raw };
    let fake = Fake::new(Script { tasks: tasks.clone(), ..Script::default() });
    golden("analyzer_tasks", &told(&fake, &["analyzer", "tasks"]));
    tasks.ambiguous = false;
    let fake = Fake::new(Script { tasks, ..Script::default() });
    let done = run(&["analyzer", "tasks", "--endpoint", &fake.unix]);
    assert!(!done.stdout.contains("ambiguous") && !done.stdout.contains("(?)"), "{done:?}");
}

#[test]
fn errors_are_no_failure() {
    let error = |code: &str, severity: proto::Severity, meaning: &str| proto::DeviceError {
        code: code.into(),
        severity: severity.into(),
        meaning: meaning.into(),
    };
    let errors = vec![
        error("8004", proto::Severity::Blocker, "cell temperature high"),
        error("E002", proto::Severity::Critical, "signal processor reset"),
    ];
    let fake = Fake::new(Script { errors, ..Script::default() });
    golden("analyzer_errors", &told(&fake, &["analyzer", "errors"]));
    let fake = Fake::new(Script::default());
    let done = run(&["analyzer", "errors", "--endpoint", &fake.unix]);
    assert_eq!((done.exit, done.stdout.as_str(), done.stderr.as_str()), (0, "", "the analyzer reports no errors\n"));
    assert_eq!(run(&["analyzer", "errors", "--json", "--endpoint", &fake.unix]).stdout, "{\"errors\":[]}\n");
}

#[test]
fn a_clock_that_is_more_than_2_s_off_is_a_warning() {
    let reading = |offset_ms| proto::GetClockResponse {
        analyzer_utc: "2026-01-15T08:03:15Z".into(),
        host_utc: "2026-01-15T08:03:12.345Z".into(),
        offset_ms,
    };
    let fake = Fake::new(Script { clock: reading(2655), ..Script::default() });
    golden("analyzer_clock", &told(&fake, &["analyzer", "clock"]));
    for (offset, warns) in [(-2001, true), (2000, false), (0, false)] {
        let fake = Fake::new(Script { clock: reading(offset), ..Script::default() });
        let done = run(&["analyzer", "clock", "--endpoint", &fake.unix]);
        assert_eq!((done.exit, done.stderr.starts_with("warning: ")), (0, warns), "{done:?}");
    }
}

fn testing(results: Vec<Result<SelfTest, tonic::Status>>) -> Fake {
    Fake::new(Script { results, ..Script::default() })
}

#[test]
fn a_selftest_is_waited_for_through_a_time_without_connection() {
    let away = Err(refusal(Code::Unavailable, "ANALYZER_OFFLINE", "the analyzer is offline"));
    for (result, exit, word) in [(SelfTest::Passed, 0, "passed"), (SelfTest::Failed, 5, "failed")] {
        let fake = testing(vec![Ok(SelfTest::Running), away.clone(), Ok(result)]);
        let done = run(&["analyzer", "selftest", "--json", "--endpoint", &fake.unix]);
        assert_eq!((done.exit, done.stdout), (exit, format!("{{\"result\":\"{word}\"}}\n")));
        assert_eq!(done.stderr, "the self-test runs, and takes about two minutes\n");
        assert_eq!(fake.calls(), ["RunSelfTest", "GetSelfTest", "GetSelfTest", "GetSelfTest"]);
    }
}

#[test]
fn the_result_of_the_selftest_before_is_not_taken_for_this_ones() {
    let fake = testing(vec![Ok(SelfTest::Passed), Ok(SelfTest::Running), Ok(SelfTest::Failed)]);
    let done = run(&["analyzer", "selftest", "-q", "--endpoint", &fake.unix]);
    assert_eq!((done.exit, done.stdout.as_str(), done.stderr.as_str()), (5, "failed\n", ""));
}

#[test]
fn a_selftest_may_be_left_alone_and_asked_for_later() {
    let fake = testing(vec![Ok(SelfTest::Passed)]);
    let done = run(&["analyzer", "selftest", "--no-wait", "--endpoint", &fake.unix]);
    assert_eq!((done.exit, done.stdout.as_str()), (0, "the self-test runs\n"));
    assert_eq!(fake.calls(), ["RunSelfTest"]);
    let done = run(&["analyzer", "selftest", "--last", "--endpoint", &fake.unix]);
    assert_eq!((done.exit, done.stdout.as_str(), done.stderr.as_str()), (0, "the self-test passed\n", ""));
    assert_eq!(fake.calls()[1..], ["GetSelfTest"]);
    let none = testing(vec![Ok(SelfTest::NotAvailable)]);
    assert_eq!(run(&["analyzer", "selftest", "--last", "--endpoint", &none.unix]).exit, 5);
}

#[test]
fn ctrl_c_leaves_the_selftest_running_and_says_so() {
    let fake = testing(vec![Ok(SelfTest::Running)]);
    let mut command = gaseractl();
    command.args(["analyzer", "selftest", "--endpoint", &fake.unix]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    while fake.calls().len() < 2 {
        std::thread::yield_now();
    }
    rustix::process::kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(
        stderr.ends_with("interrupted; the self-test goes on: `gaseractl analyzer selftest --last` tells its result\n"),
        "{stderr}"
    );
}

#[test]
fn an_ak_command_goes_as_it_is_and_its_reply_comes_as_it_is() {
    let fake = Fake::new(Script::default());
    let done = run(&["analyzer", "ak", "ASTS", "--endpoint", &fake.unix]);
    assert_eq!((done.exit, done.stdout.as_str()), (0, "ASTS 0 2\n"));
    let done = run(&["analyzer", "ak", "SNET", "0", "10.0.0.2", "--yes", "--json", "--endpoint", &fake.unix]);
    assert_eq!((done.exit, done.stdout.as_str()), (0, "{\"reply\":\"ASTS 0 2\"}\n"));
    assert_eq!(fake.calls(), ["RawAk", "\"ASTS\"", "RawAk", "\"SNET 0 10.0.0.2\" confirmed"]);
    let refused = Fake::new(Script { reply: Ok("APAR 1".into()), ..Script::default() });
    let done = run(&["analyzer", "ak", "APAR", "NOTHING", "--endpoint", &refused.unix]);
    assert_eq!((done.exit, done.stdout.as_str()), (5, "APAR 1\n"));
}

#[test]
fn the_valve_is_asked_and_moved() {
    let position = proto::Position {
        state: proto::PositionState::At.into(),
        channel: 3,
        verification: proto::Verification::Readback.into(),
    };
    let mux = proto::Mux {
        driver: "vici".into(),
        channels: 10,
        position: Some(position),
        model: "EMHMA-CE".into(),
        actuations: Some(1204),
        fault: String::new(),
        ..proto::Mux::default()
    };
    let fake = Fake::new(Script { mux: Ok(mux), ..Script::default() });
    golden("mux", &told(&fake, &["mux", "where"]));
    assert_eq!(run(&["mux", "home", "--endpoint", &fake.unix]).exit, 0);
    assert_eq!(run(&["mux", "goto", "3", "-q", "--endpoint", &fake.unix]).stdout, "3\n");
    assert_eq!(fake.calls(), ["GetMux", "GetMux", "HomeMux", "GotoChannel", "channel 3"]);
    let unknown = Fake::new(Script::default());
    assert_eq!(run(&["mux", "where", "-q", "--endpoint", &unknown.unix]).stdout, "-\n");
}

#[test]
fn device_that_is_meant_is_accepted() {
    let fake = Fake::new(Script::default());
    assert_eq!(run(&["analyzer", "accept", "--endpoint", &fake.unix]).stdout, "accepted: serial number \"000002\"\n");
    assert_eq!(run(&["mux", "accept", "-q", "--endpoint", &fake.unix]).stdout, "");
    assert_eq!(fake.calls(), ["AcceptAnalyzer", "AcceptMux"]);
    let text = "there is nothing to accept: no other multiplexer was met than the known one (V1, 12 moves)";
    let refused = Err(refusal(Code::FailedPrecondition, "NOT_NOW", text));
    let done =
        run(&["mux", "accept", "--endpoint", &Fake::new(Script { accepted: refused, ..Script::default() }).unix]);
    assert_eq!((done.exit, done.stderr), (3, format!("gaseractl: {text}\n")));
}

#[test]
fn every_refusal_has_its_exit_code() {
    for (code, reason, exit) in [
        (Code::FailedPrecondition, "RUN_UNDER_WAY", 3),
        (Code::Unavailable, "ANALYZER_OFFLINE", 4),
        (Code::FailedPrecondition, "ANALYZER_REFUSED", 5),
        (Code::FailedPrecondition, "MULTIPLEXER_FAULT", 5),
        (Code::FailedPrecondition, "DEVICE_STRANGER", 5),
        (Code::InvalidArgument, "REQUEST_INVALID", 2),
    ] {
        let refused = refusal(code, reason, "it is as it is");
        let fake = Fake::new(Script {
            device: Err(refused.clone()),
            self_test: Err(refused.clone()),
            reply: Err(refused.clone()),
            mux: Err(refused),
            ..Script::default()
        });
        for args in
            [&["analyzer", "info"][..], &["analyzer", "selftest"], &["analyzer", "ak", "RDEV"], &["mux", "home"]]
        {
            let done = run(&[args, &["--endpoint", &fake.unix]].concat());
            assert_eq!((done.exit, done.stdout.as_str()), (exit, ""), "{args:?} {reason}");
            assert_eq!(done.stderr, "gaseractl: it is as it is\n");
        }
    }
}
