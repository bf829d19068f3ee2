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
        position: Position::At(crate::domain::Channel::HOME, Verification::Readback),
        channel: Some(crate::domain::Channel::HOME),
        model: "EMHMA-CE".into(),
        actuations: Some(1204),
        fault: String::new(),
    }
}
