//! doctor: what it finds wrong, what it says to do about it, and how it ends.

use gasera::domain::{Position, Status};
use gasera::proto;
use serde_json::Value;
use tonic::Code;

use super::fake::{Action, Fake, Script, refusal};
use super::support::{golden, greeting, run, status};

/// All is well with it.
fn sound() -> Script {
    let mut told: Status = status(None, None, 40);
    told.version = env!("CARGO_PKG_VERSION").into();
    told.clock_synchronized = Some(true);
    told.multiplexer.position = Position::Unknown;
    let setting = proto::Setting { key: "analyzer.task".into(), value: "\"DEFAULT\"".into(), origin: "default".into() };
    let at = proto::Position {
        state: proto::PositionState::At.into(),
        channel: 3,
        verification: proto::Verification::Readback.into(),
    };
    Script {
        status: serde_json::to_string(&told).unwrap(),
        config: proto::GetConfigResponse { settings: vec![setting], warnings: Vec::new() },
        tasks: proto::ListTasksResponse {
            tasks: vec![proto::Task { id: 11, name: "DEFAULT".into(), ..Default::default() }],
            ..Default::default()
        },
        storage: proto::GetStorageResponse {
            directory: "/var/lib/gaserad".into(),
            free_bytes: Some(5_000_000_000),
            ..Default::default()
        },
        mux: Ok(proto::Mux { driver: "vici".into(), channels: 8, position: Some(at), ..Default::default() }),
        streams: vec![vec![Action::Send(greeting(&told)), Action::Hang]],
        ..Script::default()
    }
}

fn findings(script: Script) -> (i32, Vec<(String, String)>) {
    let fake = Fake::new(script);
    let done = run(&["doctor", "--quick", "--json", "--endpoint", &fake.http]);
    let object: Value = serde_json::from_str(&done.stdout).unwrap();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let found = object["findings"].as_array().unwrap().iter();
    (done.exit, found.map(|finding| (text(finding, "check"), text(finding, "outcome"))).collect())
}

fn outcome(found: &[(String, String)], check: &str) -> String {
    found.iter().find(|(name, _)| name == check).unwrap_or_else(|| panic!("{check}: {found:?}")).1.clone()
}

#[test]
fn where_all_is_well_every_finding_is_ok_and_the_exit_code_0() {
    let (exit, found) = findings(sound());
    let doubtful: Vec<_> = found.iter().filter(|(check, outcome)| outcome != "ok" && check != "headers").collect();
    assert!(doubtful.is_empty(), "{doubtful:?}");
    assert_eq!((exit, found.len()), (0, 15));
}

#[test]
fn what_is_wrong_is_found_and_fails() {
    let with = |change: &dyn Fn(&mut Script)| {
        let mut script = sound();
        change(&mut script);
        findings(script)
    };
    let changed = |change: &dyn Fn(&mut Status)| {
        with(&|script| {
            let mut status: Status = serde_json::from_str(&script.status).unwrap();
            change(&mut status);
            script.status = serde_json::to_string(&status).unwrap();
        })
    };
    let error = |severity: proto::Severity| proto::DeviceError {
        code: "E001".into(),
        severity: severity.into(),
        meaning: "dirt".into(),
    };
    for ((exit, found), check, outcome_is, exit_is) in [
        (changed(&|status| status.analyzer.online = false), "analyzer", "fail", 1),
        (changed(&|status| status.version = "0.0.9".into()), "versions", "warn", 0),
        (changed(&|status| status.clock_synchronized = Some(false)), "time", "warn", 0),
        (with(&|script| script.errors = vec![error(proto::Severity::Blocker)]), "errors", "fail", 1),
        (with(&|script| script.errors = vec![error(proto::Severity::Warning)]), "errors", "warn", 0),
        (with(&|script| script.clock.offset_ms = -3_600_000), "clock", "warn", 0),
        (with(&|script| script.tasks.tasks.clear()), "task", "fail", 1),
        (with(&|script| script.storage.faults = vec!["full".into()]), "storage", "fail", 1),
        (with(&|script| script.config.warnings = vec!["odd".into()]), "config", "warn", 0),
        (
            with(&|script| script.mux = Err(refusal(Code::FailedPrecondition, "MULTIPLEXER_FAULT", "no power"))),
            "valve",
            "fail",
            1,
        ),
        (with(&|script| script.control = Err(tonic::Status::permission_denied("look only"))), "permissions", "warn", 0),
        (with(&|script| script.streams = vec![vec![Action::Refuse(503, None)]]), "stream", "fail", 1),
    ] {
        assert_eq!((outcome(&found, check).as_str(), exit), (outcome_is, exit_is), "{check}: {found:?}");
    }
}

#[test]
fn a_daemon_that_is_not_there_ends_it_with_8_and_what_to_do() {
    let done = run(&["doctor", "--endpoint", "unix:/nonexistent/gaserad.sock"]);
    assert_eq!(done.exit, 8);
    golden("doctor_unreachable", &format!("{}{}", done.stdout, done.stderr));
    let (exit, found) = findings(Script { token: Some("secret"), ..sound() });
    assert_eq!((exit, found), (11, vec![("endpoint".into(), "fail".into())]));
}

#[test]
fn a_purge_test_needs_two_channels() {
    let fake = Fake::new(sound());
    let done = run(&["doctor", "purge-test", "--channel", "3", "--from", "3", "--endpoint", &fake.unix]);
    assert_eq!((done.exit, fake.calls().len()), (2, 0), "{done:?}");
}
