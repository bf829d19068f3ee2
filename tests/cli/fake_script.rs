//! What a scripted gaserad is to say.

use bytes::Bytes;
use gasera::proto::{self, GetRunResponse, Run, StartMeasurementResponse};
use tokio_rustls::TlsAcceptor;
use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt};

use super::fake_web::Action;

#[derive(Clone)]
pub struct Script {
    pub start: Result<StartMeasurementResponse, Status>,
    pub abort: Result<String, Status>,
    pub control: Result<String, Status>,
    pub checked: Result<proto::CheckPlanResponse, Status>,
    pub plans: Vec<proto::StoredPlan>,
    pub status: String,
    pub run: Result<GetRunResponse, Status>,
    pub runs: Vec<Run>,
    pub verdict: Result<proto::VerifyRunResponse, Status>,
    pub device: Result<proto::Device, Status>,
    pub tasks: proto::ListTasksResponse,
    pub errors: Vec<proto::DeviceError>,
    pub clock: proto::GetClockResponse,
    pub self_test: Result<(), Status>,
    /// One for each time that it is asked for; the last one for good.
    pub results: Vec<Result<proto::SelfTest, Status>>,
    pub reply: Result<String, Status>,
    pub mux: Result<proto::Mux, Status>,
    pub accepted: Result<String, Status>,
    pub storage: proto::GetStorageResponse,
    pub config: proto::GetConfigResponse,
    pub config_check: proto::CheckConfigResponse,
    pub config_reload: Result<proto::ReloadConfigResponse, Status>,
    pub chunks: Vec<Result<Bytes, Status>>,
    /// One script per connection to the stream; there are no more connections than scripts.
    pub streams: Vec<Vec<Action>>,
    /// What else is answered over HTTP: path without query, status and body.
    pub pages: Vec<(&'static str, u16, String)>,
    /// What must be shown, if anything.
    pub token: Option<&'static str>,
    /// TCP is spoken within this.
    pub tls: Option<TlsAcceptor>,
    /// Calls are never answered.
    pub mute: bool,
    /// Connections are closed as soon as something is asked.
    pub hang_up: bool,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            start: Ok(StartMeasurementResponse::default()),
            abort: Ok("01KAHRUN".into()),
            control: Ok("01KAHRUN".into()),
            checked: Ok(proto::CheckPlanResponse::default()),
            plans: Vec::new(),
            status: "{}".into(),
            run: Ok(GetRunResponse::default()),
            runs: Vec::new(),
            verdict: Ok(proto::VerifyRunResponse::default()),
            device: Ok(proto::Device::default()),
            tasks: proto::ListTasksResponse::default(),
            errors: Vec::new(),
            clock: proto::GetClockResponse::default(),
            self_test: Ok(()),
            results: Vec::new(),
            reply: Ok("ASTS 0 2".into()),
            mux: Ok(proto::Mux::default()),
            accepted: Ok("serial number \"000002\"".into()),
            storage: proto::GetStorageResponse::default(),
            config: proto::GetConfigResponse::default(),
            config_check: proto::CheckConfigResponse::default(),
            config_reload: Ok(proto::ReloadConfigResponse::default()),
            chunks: Vec::new(),
            streams: Vec::new(),
            pages: Vec::new(),
            token: None,
            tls: None,
            mute: false,
            hang_up: false,
        }
    }
}

/// A refusal as the daemon words it.
pub fn refusal(code: tonic::Code, reason: &str, text: &str) -> Status {
    let none: [(String, String); 0] = [];
    Status::with_error_details(code, text, ErrorDetails::with_error_info(reason, "gasera", none))
}
