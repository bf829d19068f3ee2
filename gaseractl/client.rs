//! The gRPC client: one HTTP/2 connection, the calls of the contract, failures in words.

mod archive;
mod schedules;
mod storage;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use gasera::proto::archive_service_client::ArchiveServiceClient;
use gasera::proto::gasera_service_client::GaseraServiceClient;
use gasera::proto::schedule_service_client::ScheduleServiceClient;
use gasera::proto::storage_service_client::StorageServiceClient;
use gasera::proto::{
    self, AbortMeasurementRequest, ExportRunRequest, ExportRunResponse, GetRunRequest, GetRunResponse,
    GetStatusRequest, ListRunsRequest, Run, StartMeasurementRequest, StartMeasurementResponse,
};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tonic::Streaming;
use tonic::body::Body;

use crate::endpoint::{Endpoint, Endpoints};
use crate::failure::{Failure, chain};
use crate::tls::Speaks;
use crate::token::ClientToken;

/// How often a silent daemon is asked whether it lives, and how long it may take to say so.
const ALIVE: Duration = Duration::from_secs(20);

/// Who gives the commands, as the system knows them; empty if it does not say.
pub fn operator() -> String {
    // Under cron there may be only the latter.
    let named = |name: &str| std::env::var(name).ok().filter(|user| !user.is_empty());
    named("USER").or_else(|| named("LOGNAME")).unwrap_or_default()
}

pub struct Client {
    grpc: GaseraServiceClient<ClientConnection>,
    schedules: ScheduleServiceClient<ClientConnection>,
    storage: StorageServiceClient<ClientConnection>,
    archive: ArchiveServiceClient<ClientConnection>,
    endpoint: Endpoint,
}

impl Client {
    pub async fn connect(endpoints: &Endpoints) -> Result<Self, Failure> {
        let (endpoint, io) = endpoints.dial(Speaks::Http2).await?;
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(ALIVE)
            .keep_alive_timeout(ALIVE)
            .handshake(TokioIo::new(io))
            .await
            .map_err(|error| Failure::unreachable(&format!("{endpoint} ({})", chain(&error))))?;
        // Its errors reach the callers through the sender.
        tokio::spawn(connection);
        let connection = ClientConnection { sender, token: endpoints.token().cloned() };
        let origin: http::Uri = format!("{}://{}", endpoint.scheme(), endpoint.host())
            .parse()
            .map_err(|error| Failure::unreachable(&format!("{endpoint} ({error})")))?;
        let schedules = ScheduleServiceClient::with_origin(connection.clone(), origin.clone());
        let storage = StorageServiceClient::with_origin(connection.clone(), origin.clone());
        let archive = ArchiveServiceClient::with_origin(connection.clone(), origin.clone());
        Ok(Self { grpc: GaseraServiceClient::with_origin(connection, origin), schedules, storage, archive, endpoint })
    }

    pub async fn start(&mut self, request: StartMeasurementRequest) -> Result<StartMeasurementResponse, Failure> {
        let answer = self.grpc.start_measurement(request).await;
        self.explain(answer)
    }

    pub async fn check_plan(&mut self, file: proto::PlanFile) -> Result<proto::CheckPlanResponse, Failure> {
        let answer = self.grpc.check_plan(proto::CheckPlanRequest { file: Some(file) }).await;
        self.explain(answer)
    }

    /// The plans that the daemon keeps.
    pub async fn plans(&mut self) -> Result<Vec<proto::StoredPlan>, Failure> {
        let answer = self.grpc.list_plans(proto::ListPlansRequest {}).await;
        Ok(self.explain(answer)?.plans)
    }

    /// Tells which run was aborted, once the analyzer is idle.
    pub async fn abort(&mut self, run: String) -> Result<proto::AbortMeasurementResponse, Failure> {
        let answer = self.grpc.abort_measurement(AbortMeasurementRequest { operator: operator(), run }).await;
        self.explain(answer)
    }

    /// Returns the id of the run under way, as do the next four.
    pub async fn pause(&mut self, now: bool) -> Result<String, Failure> {
        let answer = self.grpc.pause_measurement(proto::PauseMeasurementRequest { now, operator: operator() }).await;
        Ok(self.explain(answer)?.run_id)
    }

    pub async fn resume(&mut self) -> Result<String, Failure> {
        let answer = self.grpc.resume_measurement(proto::ResumeMeasurementRequest { operator: operator() }).await;
        Ok(self.explain(answer)?.run_id)
    }

    pub async fn skip(&mut self) -> Result<String, Failure> {
        let answer = self.grpc.skip_visit(proto::SkipVisitRequest { operator: operator() }).await;
        Ok(self.explain(answer)?.run_id)
    }

    pub async fn finish(&mut self, after: proto::FinishAfter) -> Result<String, Failure> {
        let request = proto::FinishMeasurementRequest { after: after.into(), operator: operator() };
        let answer = self.grpc.finish_measurement(request).await;
        Ok(self.explain(answer)?.run_id)
    }

    pub async fn note(&mut self, text: String) -> Result<String, Failure> {
        let answer = self.grpc.add_note(proto::AddNoteRequest { text, operator: operator() }).await;
        Ok(self.explain(answer)?.run_id)
    }

    /// The status object as the daemon writes it.
    pub async fn status(&mut self) -> Result<String, Failure> {
        let answer = self.grpc.get_status(GetStatusRequest {}).await;
        Ok(self.explain(answer)?.status_json)
    }

    /// At most so many, the newest first; 0 for as many as a list usually has.
    pub async fn runs(&mut self, limit: u32) -> Result<Vec<Run>, Failure> {
        let answer = self.grpc.list_runs(ListRunsRequest { limit }).await;
        Ok(self.explain(answer)?.runs)
    }

    pub async fn run(&mut self, run: &str) -> Result<GetRunResponse, Failure> {
        let answer = self.grpc.get_run(GetRunRequest { run: run.to_owned() }).await;
        self.explain(answer)
    }

    pub async fn export(&mut self, request: ExportRunRequest) -> Result<Export, Failure> {
        let answer = self.grpc.export_run(request).await;
        Ok(Export { chunks: self.explain(answer)?, endpoint: self.endpoint.clone() })
    }

    pub async fn verify(&mut self, run: &str) -> Result<proto::VerifyRunResponse, Failure> {
        let answer = self.grpc.verify_run(proto::VerifyRunRequest { run: run.to_owned() }).await;
        self.explain(answer)
    }

    pub async fn device(&mut self) -> Result<proto::Device, Failure> {
        let answer = self.grpc.get_device(proto::GetDeviceRequest {}).await;
        Ok(self.explain(answer)?.device.unwrap_or_default())
    }

    pub async fn tasks(&mut self) -> Result<proto::ListTasksResponse, Failure> {
        let answer = self.grpc.list_tasks(proto::ListTasksRequest {}).await;
        self.explain(answer)
    }

    pub async fn errors(&mut self) -> Result<Vec<proto::DeviceError>, Failure> {
        let answer = self.grpc.get_errors(proto::GetErrorsRequest {}).await;
        Ok(self.explain(answer)?.errors)
    }

    pub async fn clock(&mut self) -> Result<proto::GetClockResponse, Failure> {
        let answer = self.grpc.get_clock(proto::GetClockRequest {}).await;
        self.explain(answer)
    }

    pub async fn run_self_test(&mut self) -> Result<(), Failure> {
        let answer = self.grpc.run_self_test(proto::RunSelfTestRequest {}).await;
        self.explain(answer).map(drop)
    }

    pub async fn self_test(&mut self) -> Result<proto::SelfTest, Failure> {
        let answer = self.grpc.get_self_test(proto::GetSelfTestRequest {}).await;
        Ok(self.explain(answer)?.self_test())
    }

    /// Returns the reply as the analyzer wrote it.
    pub async fn raw_ak(&mut self, line: String, confirmed: bool) -> Result<String, Failure> {
        let answer = self.grpc.raw_ak(proto::RawAkRequest { line, confirmed }).await;
        Ok(self.explain(answer)?.reply)
    }

    pub async fn mux(&mut self) -> Result<proto::Mux, Failure> {
        let answer = self.grpc.get_mux(proto::GetMuxRequest {}).await;
        Ok(self.explain(answer)?.mux.unwrap_or_default())
    }

    pub async fn home_mux(&mut self) -> Result<proto::Mux, Failure> {
        let answer = self.grpc.home_mux(proto::HomeMuxRequest {}).await;
        Ok(self.explain(answer)?.mux.unwrap_or_default())
    }

    pub async fn goto_channel(&mut self, channel: u32) -> Result<proto::Mux, Failure> {
        let answer = self.grpc.goto_channel(proto::GotoChannelRequest { channel }).await;
        Ok(self.explain(answer)?.mux.unwrap_or_default())
    }

    /// Returns who is known from now on.
    pub async fn accept_analyzer(&mut self) -> Result<String, Failure> {
        let answer = self.grpc.accept_analyzer(proto::AcceptAnalyzerRequest {}).await;
        Ok(self.explain(answer)?.known)
    }

    /// Returns who is known from now on.
    pub async fn accept_mux(&mut self) -> Result<String, Failure> {
        let answer = self.grpc.accept_mux(proto::AcceptMuxRequest {}).await;
        Ok(self.explain(answer)?.known)
    }

    pub async fn storage(&mut self) -> Result<proto::GetStorageResponse, Failure> {
        let answer = self.grpc.get_storage(proto::GetStorageRequest {}).await;
        self.explain(answer)
    }

    pub async fn config(&mut self) -> Result<proto::GetConfigResponse, Failure> {
        let answer = self.grpc.get_config(proto::GetConfigRequest {}).await;
        self.explain(answer)
    }

    pub async fn check_config(
        &mut self,
        request: proto::CheckConfigRequest,
    ) -> Result<proto::CheckConfigResponse, Failure> {
        let answer = self.grpc.check_config(request).await;
        self.explain(answer)
    }

    /// Where the daemon was found.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub fn explain<T>(&self, answer: Result<tonic::Response<T>, tonic::Status>) -> Result<T, Failure> {
        answer
            .map(tonic::Response::into_inner)
            .map_err(|status| Failure::of_status(&status, &self.endpoint.to_string()))
    }
}

/// An export as it comes in.
pub struct Export {
    chunks: Streaming<ExportRunResponse>,
    endpoint: Endpoint,
}

impl Export {
    /// `None` after the last one.
    pub async fn next(&mut self) -> Result<Option<ExportRunResponse>, Failure> {
        let chunk = self.chunks.message().await;
        chunk.map_err(|status| Failure::of_status(&status, &self.endpoint.to_string()))
    }
}

/// What tonic's generated client speaks through.
#[derive(Clone)]
struct ClientConnection {
    sender: http2::SendRequest<Body>,
    token: Option<ClientToken>,
}

impl tower_service::Service<http::Request<Body>> for ClientConnection {
    type Response = http::Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    /// A connection that broke is reported by the call, which keeps the cause; from here tonic would drop it.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        let mut sender = self.sender.clone();
        if let Some(token) = &self.token {
            request.headers_mut().insert(http::header::AUTHORIZATION, token.header());
        }
        Box::pin(async move {
            sender.ready().await?;
            sender.send_request(request).await
        })
    }
}
