//! The analyzer and the valve over gRPC, outside of measuring.

use super::*;
use crate::domain::instrument::{
    ClockReading, Inlet, Instrument, Network, Parameter, SelfTest, Task, TaskList, TaskParameters,
};
use crate::domain::{AnalyzerTime, Cas, DeviceErrors, Position, Verification};

/// What the analyzer of these tests tells.
pub(super) fn told(inquiry: &Inquiry) -> Told {
    match inquiry {
        Inquiry::Info => Told::Info(Box::new(described())),
        Inquiry::Tasks => Told::Tasks(tasks()),
        Inquiry::Errors => Told::Errors(DeviceErrors(vec!["8004".into(), "E002".into(), "9999".into()])),
        Inquiry::Clock => {
            Told::Clock(ClockReading { analyzer: AnalyzerTime(1_768_464_195), host: NOW, offset_ms: -2655 })
        }
        Inquiry::SelfTest => Told::SelfTest(SelfTest::Running),
        Inquiry::Ak(_) => Told::Ak("ASTS 0 2".into()),
    }
}

fn described() -> Instrument {
    let address = |last: &str| format!("192.168.0.{last}");
    Instrument {
        manufacturer: "Gasera Ltd".into(),
        serial: "030109".into(),
        network: Some(Network { dhcp: true, address: address("100"), netmask: String::new(), gateway: address("1") }),
        inlets: Some(vec![Inlet { id: 2, active: true, bypass_s: 1.5 }]),
        parameters: vec![Parameter {
            name: "PumpRate".into(),
            value: Some("10".into()),
            min: None,
            max: Some("20".into()),
            unit: None,
        }],
        cell_temperature_c: Some(50.1),
        unsupported: vec!["STUN".into()],
        ..Instrument::default()
    }
}

fn tasks() -> TaskList {
    let gases = vec![Cas("74-82-8".into())];
    let parameters = TaskParameters { gases, pressure_mbar: Some(850.0), flush_cycles: Some(6), ..Default::default() };
    let sure = Task { id: 11, name: "DEFAULT".into(), confirmed: true, parameters: Some(parameters) };
    let unsure = Task { id: 12, name: "5".into(), ..Task::default() };
    TaskList { tasks: vec![sure, unsure], ambiguous: true, raw: "11 DEFAULT 12 5".into() }
}

pub(super) fn valve() -> MultiplexerStatus {
    MultiplexerStatus {
        driver: "vici".into(),
        channels: 10,
        position: Position::At(domain::Channel::HOME, Verification::Readback),
        channel: Some(domain::Channel::HOME),
        model: "EMHMA-CE".into(),
        actuations: Some(1204),
        fault: String::new(),
        ..MultiplexerStatus::default()
    }
}

#[tokio::test]
async fn what_the_instrument_tells_arrives_whole() {
    let daemon = Daemon::start().await;
    let mut client = daemon.grpc().await;
    let device = client.get_device(proto::GetDeviceRequest {}).await.unwrap().into_inner().device.unwrap();
    assert_eq!((device.serial.as_str(), device.cell_temperature_c, device.name.as_str()), ("030109", Some(50.1), ""));
    let network = device.network.unwrap();
    assert_eq!((network.dhcp, network.gateway.as_str(), network.netmask.as_str()), (true, "192.168.0.1", ""));
    let inlets = device.sampler.unwrap().inlets;
    assert_eq!(inlets, [proto::Inlet { id: 2, active: true, bypass_s: 1.5 }]);
    let parameter = &device.parameters[0];
    assert_eq!(
        (parameter.value.as_deref(), parameter.min.as_deref(), parameter.max.as_deref()),
        (Some("10"), None, Some("20"))
    );
    assert_eq!(device.unsupported, ["STUN"]);

    let list = client.list_tasks(proto::ListTasksRequest {}).await.unwrap().into_inner();
    assert_eq!((list.ambiguous, list.raw.as_str()), (true, "11 DEFAULT 12 5"));
    let parameters = list.tasks[0].parameters.clone().unwrap();
    assert_eq!(
        (parameters.gases, parameters.pressure_mbar, parameters.flush_cell_s),
        (vec!["74-82-8".into()], Some(850.0), None)
    );
    assert!(list.tasks[0].confirmed && !list.tasks[1].confirmed && list.tasks[1].parameters.is_none());

    let clock = client.get_clock(proto::GetClockRequest {}).await.unwrap().into_inner();
    assert_eq!((clock.analyzer_utc.as_str(), clock.offset_ms), ("2026-01-15T08:03:15Z", -2655));
    assert_eq!(clock.host_utc, NOW.to_string());
    let result = client.get_self_test(proto::GetSelfTestRequest {}).await.unwrap().into_inner();
    assert_eq!(result.self_test(), proto::SelfTest::Running);
}

#[tokio::test]
async fn an_error_code_comes_with_its_severity_and_meaning() {
    let errors =
        Daemon::start().await.grpc().await.get_errors(proto::GetErrorsRequest {}).await.unwrap().into_inner().errors;
    let told: Vec<_> = errors.iter().map(|error| (error.code.as_str(), error.severity())).collect();
    let expected =
        [("8004", proto::Severity::Blocker), ("E002", proto::Severity::Critical), ("9999", proto::Severity::Warning)];
    assert_eq!(told, expected);
    assert_eq!(errors[0].meaning, "cell temperature high");
}

#[tokio::test]
async fn a_raw_question_is_asked_and_a_raw_order_has_to_be_admitted() {
    let daemon = Daemon::start().await;
    let mut client = daemon.grpc().await;
    let line = |line: &str, confirmed| proto::RawAkRequest { line: line.into(), confirmed };
    let reply = client.raw_ak(line("asts", false)).await.unwrap().into_inner().reply;
    assert_eq!(reply, "ASTS 0 2");
    let reply = client.raw_ak(line("SONL 1", false)).await.unwrap().into_inner().reply;
    assert_eq!(reply, "STST 0");
    let asked = daemon.measuring.asked.lock().unwrap().clone();
    assert_eq!(asked[0], "Ak(AkLine { code: \"ASTS\", data: \"\" })");
    assert!(asked[1].starts_with("Ak(AkLine { code: \"SONL\", data: \"1\" }) by user "), "{asked:?}");
    daemon.deny(Reason::RunUnderWay, "run 01J is under way");
    let refused = client.raw_ak(line("STPM", false)).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::FailedPrecondition, "run 01J is under way"));
}

#[tokio::test]
async fn what_may_cut_the_analyzer_off_has_to_be_confirmed() {
    let daemon = Daemon::start().await;
    let mut client = daemon.grpc().await;
    for line in ["RDEV", "SNET 1 10.0.0.2 255.0.0.0 10.0.0.1", "nothing", "ASTS\u{3}\u{2} STPM"] {
        let request = proto::RawAkRequest { line: line.into(), confirmed: false };
        let refused = client.raw_ak(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{line}");
        assert_eq!(refused.get_details_error_info().unwrap().reason, "REQUEST_INVALID");
    }
    assert!(daemon.measuring.asked.lock().unwrap().is_empty());
    client.raw_ak(proto::RawAkRequest { line: "RDEV".into(), confirmed: true }).await.unwrap();
    client.run_self_test(proto::RunSelfTestRequest {}).await.unwrap();
    let asked = daemon.measuring.asked.lock().unwrap().clone();
    assert!(asked[0].contains("RDEV") && asked[1].starts_with("SelfTest by user "), "{asked:?}");
}

#[tokio::test]
async fn the_valve_is_asked_sent_home_and_sent_to_a_channel() {
    let daemon = Daemon::start().await;
    let mut client = daemon.grpc().await;
    let mux = client.get_mux(proto::GetMuxRequest {}).await.unwrap().into_inner().mux.unwrap();
    let position = mux.position.unwrap();
    assert_eq!((position.state(), position.channel), (proto::PositionState::At, 1));
    assert_eq!(position.verification(), proto::Verification::Readback);
    assert_eq!((mux.driver.as_str(), mux.model.as_str(), mux.actuations), ("vici", "EMHMA-CE", Some(1204)));
    client.home_mux(proto::HomeMuxRequest {}).await.unwrap();
    client.goto_channel(proto::GotoChannelRequest { channel: 4 }).await.unwrap();
    let accepted = client.accept_mux(proto::AcceptMuxRequest {}).await.unwrap().into_inner().known;
    assert!(accepted.starts_with("Multiplexer by "), "{accepted}");
    let accepted = client.accept_analyzer(proto::AcceptAnalyzerRequest {}).await.unwrap().into_inner().known;
    assert!(accepted.starts_with("Analyzer by "), "{accepted}");
    for channel in [0, 32, 400] {
        let refused = client.goto_channel(proto::GotoChannelRequest { channel }).await.unwrap_err();
        assert_eq!(refused.get_details_error_info().unwrap().reason, "REQUEST_INVALID", "{channel}");
    }
    let asked = daemon.measuring.asked.lock().unwrap().clone();
    let orders: Vec<&str> = asked.iter().map(|asked| asked.split(" by ").next().unwrap()).collect();
    assert_eq!(orders, ["Where", "Home", "Goto(Channel(4))"]);
    daemon.deny(Reason::MultiplexerFault, "the valve is stuck");
    let stuck = client.home_mux(proto::HomeMuxRequest {}).await.unwrap_err();
    assert_eq!((stuck.code(), stuck.message()), (Code::FailedPrecondition, "the valve is stuck"));
}

#[tokio::test]
async fn a_run_is_verified_by_any_of_its_names() {
    let mut client = Daemon::start().await.grpc().await;
    let verdict = client.verify_run(proto::VerifyRunRequest { run: "last".into() }).await.unwrap().into_inner();
    assert_eq!((verdict.run_id.as_str(), verdict.records, verdict.csv_rows), ("01JRUN", 2, 1));
    assert_eq!((verdict.attributed_again, verdict.differences.len()), (2, 1));
    let unknown = client.verify_run(proto::VerifyRunRequest { run: "xyz".into() }).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
}
