//! The instrument over gRPC: what it is asked and told outside of measuring, translated there and back.

use super::control::Control;
use crate::domain::device::{DeviceErrors, describe};
use crate::domain::instrument::{
    AkLine, ClockReading, Inlet, Instrument, Network, Parameter, SelfTest, Task, TaskList, TaskParameters,
};
use crate::domain::status::MultiplexerStatus;
use crate::domain::{Denied, Inquiry, Position, Reason, Service, Severity, Told, Utc, Verification};
use crate::proto;

/// Asks the measuring side one thing, and translates what it tells.
pub struct Asking<'a>(pub &'a dyn Control);

impl Asking<'_> {
    pub async fn device(&self) -> Result<proto::GetDeviceResponse, Denied> {
        match self.0.inquire(Inquiry::Info).await? {
            Told::Info(instrument) => Ok(proto::GetDeviceResponse { device: Some(device(*instrument)) }),
            other => Err(beside_the_question(&other)),
        }
    }

    pub async fn tasks(&self) -> Result<proto::ListTasksResponse, Denied> {
        match self.0.inquire(Inquiry::Tasks).await? {
            Told::Tasks(tasks) => Ok(task_list(tasks)),
            other => Err(beside_the_question(&other)),
        }
    }

    pub async fn errors(&self) -> Result<proto::GetErrorsResponse, Denied> {
        match self.0.inquire(Inquiry::Errors).await? {
            Told::Errors(DeviceErrors(codes)) => {
                Ok(proto::GetErrorsResponse { errors: codes.into_iter().map(error).collect() })
            }
            other => Err(beside_the_question(&other)),
        }
    }

    pub async fn clock(&self) -> Result<proto::GetClockResponse, Denied> {
        match self.0.inquire(Inquiry::Clock).await? {
            Told::Clock(reading) => Ok(clock(reading)),
            other => Err(beside_the_question(&other)),
        }
    }

    pub async fn run_self_test(&self, who: String) -> Result<proto::RunSelfTestResponse, Denied> {
        self.0.serve(Service::SelfTest, who).await?;
        Ok(proto::RunSelfTestResponse {})
    }

    pub async fn self_test(&self) -> Result<proto::GetSelfTestResponse, Denied> {
        match self.0.inquire(Inquiry::SelfTest).await? {
            Told::SelfTest(result) => Ok(proto::GetSelfTestResponse { self_test: self_test(result).into() }),
            other => Err(beside_the_question(&other)),
        }
    }

    /// A question may be asked at any time; what changes the instrument has to be admitted.
    pub async fn raw_ak(&self, request: &proto::RawAkRequest, who: String) -> Result<proto::RawAkResponse, Denied> {
        let invalid = |sentence: String| Denied::new(Reason::RequestInvalid, sentence);
        let line: AkLine = request.line.parse().map_err(|error| invalid(format!("{error}")))?;
        if line.is_drastic() && !request.confirmed {
            return Err(invalid(format!(
                "{} was not sent: after it the analyzer may not be reached any more, as it restarts or has another \
                 address; confirm it, with gaseractl by --yes",
                line.code
            )));
        }
        if !line.is_question() {
            return Ok(proto::RawAkResponse { reply: self.0.serve(Service::Ak(line), who).await? });
        }
        match self.0.inquire(Inquiry::Ak(line)).await? {
            Told::Ak(reply) => Ok(proto::RawAkResponse { reply }),
            other => Err(beside_the_question(&other)),
        }
    }
}

fn beside_the_question(told: &Told) -> Denied {
    let what = match told {
        Told::Info(_) => "its description",
        Told::Tasks(_) => "its tasks",
        Told::Errors(_) => "its errors",
        Told::Clock(_) => "its clock",
        Told::SelfTest(_) => "its self-test",
        Told::Ak(_) => "a reply",
    };
    Denied::new(Reason::Internal, format!("the analyzer was asked something else and told {what}; please report this"))
}

fn device(instrument: Instrument) -> proto::Device {
    proto::Device {
        manufacturer: instrument.manufacturer,
        serial: instrument.serial,
        model: instrument.model,
        firmware: instrument.firmware,
        name: instrument.name,
        network: instrument.network.map(network),
        sampler: instrument.inlets.map(|inlets| proto::Sampler { inlets: inlets.iter().map(inlet).collect() }),
        parameters: instrument.parameters.into_iter().map(parameter).collect(),
        cell_temperature_c: instrument.cell_temperature_c,
        unsupported: instrument.unsupported,
    }
}

fn network(network: Network) -> proto::Network {
    let Network { dhcp, address, netmask, gateway } = network;
    proto::Network { dhcp, address, netmask, gateway }
}

const fn inlet(inlet: &Inlet) -> proto::Inlet {
    proto::Inlet { id: inlet.id, active: inlet.active, bypass_s: inlet.bypass_s }
}

fn parameter(parameter: Parameter) -> proto::Parameter {
    let Parameter { name, value, min, max, unit } = parameter;
    proto::Parameter { name, value, min, max, unit }
}

fn task_list(list: TaskList) -> proto::ListTasksResponse {
    let tasks = list.tasks.into_iter().map(task).collect();
    proto::ListTasksResponse { tasks, ambiguous: list.ambiguous, raw: list.raw }
}

fn task(task: Task) -> proto::Task {
    let Task { id, name, confirmed, parameters } = task;
    proto::Task { id, name, confirmed, parameters: parameters.map(task_parameters) }
}

fn task_parameters(parameters: TaskParameters) -> proto::TaskParameters {
    proto::TaskParameters {
        gases: parameters.gases.into_iter().map(|cas| cas.0).collect(),
        pressure_mbar: parameters.pressure_mbar,
        flush_bypass_s: parameters.flush_bypass_s,
        flush_cell_s: parameters.flush_cell_s,
        flush_cycles: parameters.flush_cycles,
    }
}

fn error(code: String) -> proto::DeviceError {
    let (severity, meaning) = describe(&code);
    let severity = match severity {
        Severity::Warning => proto::Severity::Warning,
        Severity::Blocker => proto::Severity::Blocker,
        Severity::Critical => proto::Severity::Critical,
    };
    proto::DeviceError { code, severity: severity.into(), meaning: meaning.into() }
}

fn clock(reading: ClockReading) -> proto::GetClockResponse {
    let analyzer = Utc::from_micros(reading.analyzer.0.saturating_mul(1_000_000));
    proto::GetClockResponse {
        analyzer_utc: analyzer.to_seconds_string(),
        host_utc: reading.host.to_string(),
        offset_ms: reading.offset_ms,
    }
}

const fn self_test(result: SelfTest) -> proto::SelfTest {
    match result {
        SelfTest::NotAvailable => proto::SelfTest::NotAvailable,
        SelfTest::Running => proto::SelfTest::Running,
        SelfTest::Failed => proto::SelfTest::Failed,
        SelfTest::Passed => proto::SelfTest::Passed,
    }
}

pub fn mux(status: MultiplexerStatus) -> proto::Mux {
    proto::Mux {
        driver: status.driver,
        channels: status.channels.into(),
        position: Some(position(status.position)),
        model: status.model,
        actuations: status.actuations,
        fault: status.fault,
        stranger_to: status.stranger_to,
        simulated: status.simulated,
    }
}

fn position(position: Position) -> proto::Position {
    let (state, channel, verification) = match position {
        Position::Unknown => (proto::PositionState::Unspecified, 0, proto::Verification::Unspecified),
        Position::Moving => (proto::PositionState::Moving, 0, proto::Verification::Unspecified),
        Position::At(channel, verification) => {
            (proto::PositionState::At, channel.number().into(), self::verification(verification))
        }
    };
    proto::Position { state: state.into(), channel, verification: verification.into() }
}

const fn verification(verification: Verification) -> proto::Verification {
    match verification {
        Verification::Readback => proto::Verification::Readback,
        Verification::HomedCount => proto::Verification::HomedCount,
        Verification::None => proto::Verification::None,
    }
}
