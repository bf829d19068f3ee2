//! The gRPC client: one HTTP/2 connection, the calls of the contract, failures in words.

mod archive;
mod schedules;
mod storage;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use gasera::proto::{
    self, AbortMeasurementRequest, Call, ExportRunRequest, ExportRunResponse, GetRunRequest, GetRunResponse,
    GetStatusRequest, ListRunsRequest, Run, StartMeasurementRequest, StartMeasurementResponse,
};
use http::uri::PathAndQuery;
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tonic::Streaming;
use tonic::body::Body;
use tonic::client::Grpc;
use tonic_prost::ProstCodec;

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
    grpc: Grpc<ClientConnection>,
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
        Ok(Self { grpc: Grpc::with_origin(connection, origin), endpoint })
    }

    /// Makes the call that the request belongs to.
    pub async fn call<C: Call>(&mut self, request: C) -> Result<C::Answer, Failure> {
        let (request, path) = (tonic::Request::new(request), PathAndQuery::from_static(C::PATH));
        let answer = self.grpc.unary(request, path, ProstCodec::default()).await;
        self.explain(answer)
    }

    /// The same, for a call that is answered in pieces.
    pub async fn pieces<C: Call>(&mut self, request: C) -> Result<AnswerPieces<C::Answer>, Failure> {
        let (request, path) = (tonic::Request::new(request), PathAndQuery::from_static(C::PATH));
        let answer = self.grpc.server_streaming(request, path, ProstCodec::default()).await;
        Ok(AnswerPieces { pieces: self.explain(answer)?, endpoint: self.endpoint.clone() })
    }

    pub async fn start(&mut self, request: StartMeasurementRequest) -> Result<StartMeasurementResponse, Failure> {
        self.call(request).await
    }

    pub async fn check_plan(&mut self, file: proto::PlanFile) -> Result<proto::CheckPlanResponse, Failure> {
        self.call(proto::CheckPlanRequest { file: Some(file) }).await
    }

    /// The plans that the daemon keeps.
    pub async fn plans(&mut self) -> Result<Vec<proto::StoredPlan>, Failure> {
        Ok(self.call(proto::ListPlansRequest {}).await?.plans)
    }

    /// Tells which run was aborted, once the analyzer is idle.
    pub async fn abort(&mut self, run: String) -> Result<proto::AbortMeasurementResponse, Failure> {
        self.call(AbortMeasurementRequest { operator: operator(), run }).await
    }

    /// Returns the id of the run under way, as do the next four.
    pub async fn pause(&mut self, now: bool) -> Result<String, Failure> {
        Ok(self.call(proto::PauseMeasurementRequest { now, operator: operator() }).await?.run_id)
    }

    pub async fn resume(&mut self) -> Result<String, Failure> {
        Ok(self.call(proto::ResumeMeasurementRequest { operator: operator() }).await?.run_id)
    }

    pub async fn skip(&mut self) -> Result<String, Failure> {
        Ok(self.call(proto::SkipVisitRequest { operator: operator() }).await?.run_id)
    }

    pub async fn finish(&mut self, after: proto::FinishAfter) -> Result<String, Failure> {
        let request = proto::FinishMeasurementRequest { after: after.into(), operator: operator() };
        Ok(self.call(request).await?.run_id)
    }

    pub async fn note(&mut self, text: String) -> Result<String, Failure> {
        Ok(self.call(proto::AddNoteRequest { text, operator: operator() }).await?.run_id)
    }

    /// The status object as the daemon writes it.
    pub async fn status(&mut self) -> Result<String, Failure> {
        Ok(self.call(GetStatusRequest {}).await?.status_json)
    }

    /// At most so many, the newest first; 0 for as many as a list usually has.
    pub async fn runs(&mut self, limit: u32) -> Result<Vec<Run>, Failure> {
        Ok(self.call(ListRunsRequest { limit }).await?.runs)
    }

    pub async fn run(&mut self, run: &str) -> Result<GetRunResponse, Failure> {
        self.call(GetRunRequest { run: run.to_owned() }).await
    }

    pub async fn export(&mut self, request: ExportRunRequest) -> Result<AnswerPieces<ExportRunResponse>, Failure> {
        self.pieces(request).await
    }

    pub async fn verify(&mut self, run: &str) -> Result<proto::VerifyRunResponse, Failure> {
        self.call(proto::VerifyRunRequest { run: run.to_owned() }).await
    }

    pub async fn device(&mut self) -> Result<proto::Device, Failure> {
        Ok(self.call(proto::GetDeviceRequest {}).await?.device.unwrap_or_default())
    }

    pub async fn tasks(&mut self) -> Result<proto::ListTasksResponse, Failure> {
        self.call(proto::ListTasksRequest {}).await
    }

    pub async fn errors(&mut self) -> Result<Vec<proto::DeviceError>, Failure> {
        Ok(self.call(proto::GetErrorsRequest {}).await?.errors)
    }

    pub async fn clock(&mut self) -> Result<proto::GetClockResponse, Failure> {
        self.call(proto::GetClockRequest {}).await
    }

    pub async fn run_self_test(&mut self) -> Result<(), Failure> {
        self.call(proto::RunSelfTestRequest {}).await.map(drop)
    }

    pub async fn self_test(&mut self) -> Result<proto::SelfTest, Failure> {
        Ok(self.call(proto::GetSelfTestRequest {}).await?.self_test())
    }

    /// Returns the reply as the analyzer wrote it.
    pub async fn raw_ak(&mut self, line: String, confirmed: bool) -> Result<String, Failure> {
        Ok(self.call(proto::RawAkRequest { line, confirmed }).await?.reply)
    }

    pub async fn mux(&mut self) -> Result<proto::Mux, Failure> {
        Ok(self.call(proto::GetMuxRequest {}).await?.mux.unwrap_or_default())
    }

    pub async fn home_mux(&mut self) -> Result<proto::Mux, Failure> {
        Ok(self.call(proto::HomeMuxRequest {}).await?.mux.unwrap_or_default())
    }

    pub async fn goto_channel(&mut self, channel: u32) -> Result<proto::Mux, Failure> {
        Ok(self.call(proto::GotoChannelRequest { channel }).await?.mux.unwrap_or_default())
    }

    /// Returns who is known from now on.
    pub async fn accept_analyzer(&mut self) -> Result<String, Failure> {
        Ok(self.call(proto::AcceptAnalyzerRequest {}).await?.known)
    }

    /// Returns who is known from now on.
    pub async fn accept_mux(&mut self) -> Result<String, Failure> {
        Ok(self.call(proto::AcceptMuxRequest {}).await?.known)
    }

    pub async fn storage(&mut self) -> Result<proto::GetStorageResponse, Failure> {
        self.call(proto::GetStorageRequest {}).await
    }

    pub async fn config(&mut self) -> Result<proto::GetConfigResponse, Failure> {
        self.call(proto::GetConfigRequest {}).await
    }

    pub async fn check_config(
        &mut self,
        request: proto::CheckConfigRequest,
    ) -> Result<proto::CheckConfigResponse, Failure> {
        self.call(request).await
    }

    pub async fn reload_config(&mut self) -> Result<proto::ReloadConfigResponse, Failure> {
        self.call(proto::ReloadConfigRequest { operator: operator() }).await
    }

    /// Where the daemon was found.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn explain<T>(&self, answer: Result<tonic::Response<T>, tonic::Status>) -> Result<T, Failure> {
        answer
            .map(tonic::Response::into_inner)
            .map_err(|status| Failure::of_status(&status, &self.endpoint.to_string()))
    }
}

/// An answer that comes piece by piece.
pub struct AnswerPieces<T> {
    pieces: Streaming<T>,
    endpoint: Endpoint,
}

impl<T> AnswerPieces<T> {
    /// `None` after the last one.
    pub async fn next(&mut self) -> Result<Option<T>, Failure> {
        let piece = self.pieces.message().await;
        piece.map_err(|status| Failure::of_status(&status, &self.endpoint.to_string()))
    }
}

/// What calls go through.
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
