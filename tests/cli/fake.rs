//! A gaserad that follows a script: real sockets, the real contract, nothing behind it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use gasera::proto::gasera_service_server::{GaseraService, GaseraServiceServer};
use gasera::proto::{
    self, AbortMeasurementRequest, AbortMeasurementResponse, ExportRunRequest, ExportRunResponse, GetRunRequest,
    GetRunResponse, GetStatusRequest, GetStatusResponse, ListRunsRequest, ListRunsResponse, StartMeasurementRequest,
    StartMeasurementResponse,
};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use tonic::body::Body;
use tonic::{Request, Response, Status};
use tower_service::Service;

use super::fake_web;

pub use super::fake_script::{Script, refusal};
pub use super::fake_web::Action;

pub struct Fake {
    pub unix: String,
    pub http: String,
    calls: Arc<Mutex<Vec<String>>>,
    _runtime: Runtime,
    _folder: tempfile::TempDir,
}

impl Fake {
    pub fn new(script: Script) -> Self {
        let runtime = Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gaserad.sock");
        let (started, _) = watch::channel(false);
        let calls = Arc::default();
        let streams = Arc::new(Mutex::new(script.streams.clone().into()));
        let results = Arc::new(Mutex::new(script.results.clone().into()));
        let service = Scripted { script, calls: Arc::clone(&calls), streams, results, started: Arc::new(started) };
        let scheme = if service.script.tls.is_some() { "https" } else { "http" };
        let port = runtime.block_on(listen(service, path.clone()));
        let unix = format!("unix:{}", path.display());
        Self { unix, http: format!("{scheme}://127.0.0.1:{port}"), calls, _runtime: runtime, _folder: folder }
    }

    /// What was asked, in order.
    pub fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }
}

async fn listen(service: Scripted, path: PathBuf) -> u16 {
    let unix = UnixListener::bind(path).unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = tcp.local_addr().unwrap().port();
    let over_unix = service.clone();
    tokio::spawn(async move {
        while let Ok((io, _)) = unix.accept().await {
            tokio::spawn(serve(io, over_unix.clone()));
        }
    });
    tokio::spawn(async move {
        while let Ok((io, _)) = tcp.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                match service.script.tls.clone() {
                    None => serve(io, service).await,
                    Some(tls) => match tls.accept(io).await {
                        Ok(io) => serve(io, service).await,
                        Err(error) => service.note(format!("no handshake: {error}")),
                    },
                }
            });
        }
    });
    port
}

async fn serve(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, service: Scripted) {
    let (hang_up, mut ending) = mpsc::channel::<()>(1);
    let answer = hyper::service::service_fn(move |request: http::Request<Incoming>| {
        let service = service.clone();
        let hang_up = hang_up.clone();
        async move {
            if service.script.hang_up {
                let _ = hang_up.send(()).await;
                std::future::pending::<()>().await;
            }
            Ok::<_, Infallible>(service.answer(request).await)
        }
    });
    let server = auto::Builder::new(TokioExecutor::new());
    let connection = server.serve_connection(TokioIo::new(io), answer);
    tokio::select! {
        _ = connection => {}
        Some(()) = ending.recv() => {}
    }
}

#[derive(Clone)]
struct Scripted {
    script: Script,
    calls: Arc<Mutex<Vec<String>>>,
    streams: Arc<Mutex<VecDeque<Vec<Action>>>>,
    results: Arc<Mutex<VecDeque<Result<proto::SelfTest, Status>>>>,
    started: Arc<watch::Sender<bool>>,
}

type Answered<T> = Result<Response<T>, Status>;

impl Scripted {
    /// What was asked in detail.
    fn note(&self, detail: String) {
        self.calls.lock().unwrap().push(detail);
    }

    /// What was done to the run under way, and the run.
    fn controlled(&self, operator: &str, detail: &str) -> Result<String, Status> {
        self.note(format!("{operator} {detail}").trim_end().to_owned());
        self.script.control.clone()
    }

    fn mux(&self) -> Result<Option<proto::Mux>, Status> {
        self.script.mux.clone().map(Some)
    }

    async fn answer(self, request: http::Request<Incoming>) -> http::Response<Body> {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let grpc = header("content-type").starts_with("application/grpc");
        if let Some(refusal) = fake_web::locked(self.script.token, header("authorization"), grpc) {
            return refusal;
        }
        if grpc {
            let call = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
            self.note(call);
            if self.script.mute {
                std::future::pending::<()>().await;
            }
            return GaseraServiceServer::new(self).call(request).await.unwrap();
        }
        let after = header("last-event-id");
        let after = if after.is_empty() { String::new() } else { format!(" after {after}") };
        self.note(format!("{} {}{after}", request.method(), request.uri()));
        let path = request.uri().path();
        if path == "/status" {
            return fake_web::page(200, self.script.status.clone());
        }
        if let Some((_, status, body)) = self.script.pages.iter().find(|page| page.0 == path) {
            return fake_web::page(*status, body.clone());
        }
        let actions = self.streams.lock().unwrap().pop_front();
        actions.map_or_else(fake_web::refuse, |actions| fake_web::stream(actions, self.started.subscribe()))
    }
}

#[tonic::async_trait]
impl GaseraService for Scripted {
    async fn start_measurement(
        &self,
        request: Request<StartMeasurementRequest>,
    ) -> Result<Response<StartMeasurementResponse>, Status> {
        let mut response = self.script.start.clone()?;
        let asked = request.into_inner();
        if asked.if_busy() == proto::IfBusy::Wait || asked.align_ms > 0 {
            self.note(format!("{:?} {}", asked.if_busy(), asked.align_ms));
        }
        if asked.if_measuring() != proto::IfMeasuring::Refuse {
            self.note(format!("{:?}", asked.if_measuring()));
        }
        if let Some(file) = &asked.file {
            self.note(format!("{} {:?}", file.name, file.toml));
        }
        if response.plan.is_none() {
            response.plan = asked.plan;
        }
        self.started.send_replace(true);
        Ok(Response::new(response))
    }

    async fn abort_measurement(
        &self,
        request: Request<AbortMeasurementRequest>,
    ) -> Result<Response<AbortMeasurementResponse>, Status> {
        let run = request.into_inner().run;
        if !run.is_empty() {
            self.note(run.clone());
        }
        Ok(Response::new(AbortMeasurementResponse { run_id: self.script.abort.clone()?, waited: !run.is_empty() }))
    }

    async fn check_plan(&self, request: Request<proto::CheckPlanRequest>) -> Answered<proto::CheckPlanResponse> {
        let file = request.into_inner().file.unwrap_or_default();
        self.note(format!("{} {:?}", file.name, file.toml));
        Ok(Response::new(proto::CheckPlanResponse { name: file.name, ..self.script.checked.clone()? }))
    }

    async fn list_plans(&self, _: Request<proto::ListPlansRequest>) -> Answered<proto::ListPlansResponse> {
        Ok(Response::new(proto::ListPlansResponse { plans: self.script.plans.clone() }))
    }

    async fn pause_measurement(
        &self,
        request: Request<proto::PauseMeasurementRequest>,
    ) -> Answered<proto::PauseMeasurementResponse> {
        let proto::PauseMeasurementRequest { now, operator } = request.into_inner();
        Ok(Response::new(proto::PauseMeasurementResponse {
            run_id: self.controlled(&operator, &format!("now {now}"))?,
        }))
    }

    async fn resume_measurement(
        &self,
        request: Request<proto::ResumeMeasurementRequest>,
    ) -> Answered<proto::ResumeMeasurementResponse> {
        let run_id = self.controlled(&request.into_inner().operator, "")?;
        Ok(Response::new(proto::ResumeMeasurementResponse { run_id }))
    }

    async fn skip_visit(&self, request: Request<proto::SkipVisitRequest>) -> Answered<proto::SkipVisitResponse> {
        let run_id = self.controlled(&request.into_inner().operator, "")?;
        Ok(Response::new(proto::SkipVisitResponse { run_id }))
    }

    async fn finish_measurement(
        &self,
        request: Request<proto::FinishMeasurementRequest>,
    ) -> Answered<proto::FinishMeasurementResponse> {
        let request = request.into_inner();
        let run_id = self.controlled(&request.operator, &format!("{:?}", request.after()))?;
        Ok(Response::new(proto::FinishMeasurementResponse { run_id }))
    }

    async fn add_note(&self, request: Request<proto::AddNoteRequest>) -> Answered<proto::AddNoteResponse> {
        let proto::AddNoteRequest { text, operator } = request.into_inner();
        Ok(Response::new(proto::AddNoteResponse { run_id: self.controlled(&operator, &format!("{text:?}"))? }))
    }

    async fn get_status(&self, _: Request<GetStatusRequest>) -> Result<Response<GetStatusResponse>, Status> {
        Ok(Response::new(GetStatusResponse { status_json: self.script.status.clone() }))
    }

    async fn list_runs(&self, _: Request<ListRunsRequest>) -> Result<Response<ListRunsResponse>, Status> {
        Ok(Response::new(ListRunsResponse { runs: self.script.runs.clone() }))
    }

    async fn get_run(&self, _: Request<GetRunRequest>) -> Result<Response<GetRunResponse>, Status> {
        Ok(Response::new(self.script.run.clone()?))
    }

    type ExportRunStream = tokio_stream::Iter<std::vec::IntoIter<Result<ExportRunResponse, Status>>>;

    async fn export_run(&self, _: Request<ExportRunRequest>) -> Result<Response<Self::ExportRunStream>, Status> {
        let chunks: Vec<_> = self
            .script
            .chunks
            .iter()
            .cloned()
            .map(|chunk| chunk.map(|chunk| ExportRunResponse { chunk: chunk.to_vec(), ..ExportRunResponse::default() }))
            .collect();
        Ok(Response::new(tokio_stream::iter(chunks)))
    }

    async fn verify_run(&self, request: Request<proto::VerifyRunRequest>) -> Answered<proto::VerifyRunResponse> {
        let mut verdict = self.script.verdict.clone()?;
        verdict.run_id = request.into_inner().run;
        Ok(Response::new(verdict))
    }

    async fn get_device(&self, _: Request<proto::GetDeviceRequest>) -> Answered<proto::GetDeviceResponse> {
        Ok(Response::new(proto::GetDeviceResponse { device: Some(self.script.device.clone()?) }))
    }

    async fn list_tasks(&self, _: Request<proto::ListTasksRequest>) -> Answered<proto::ListTasksResponse> {
        Ok(Response::new(self.script.tasks.clone()))
    }

    async fn get_errors(&self, _: Request<proto::GetErrorsRequest>) -> Answered<proto::GetErrorsResponse> {
        Ok(Response::new(proto::GetErrorsResponse { errors: self.script.errors.clone() }))
    }

    async fn get_clock(&self, _: Request<proto::GetClockRequest>) -> Answered<proto::GetClockResponse> {
        Ok(Response::new(self.script.clock.clone()))
    }

    async fn run_self_test(&self, _: Request<proto::RunSelfTestRequest>) -> Answered<proto::RunSelfTestResponse> {
        self.script.self_test.clone()?;
        Ok(Response::new(proto::RunSelfTestResponse {}))
    }

    async fn get_self_test(&self, _: Request<proto::GetSelfTestRequest>) -> Answered<proto::GetSelfTestResponse> {
        let mut results = self.results.lock().unwrap();
        let next = if results.len() > 1 { results.pop_front() } else { results.front().cloned() };
        let self_test = next.unwrap_or(Ok(proto::SelfTest::NotAvailable))?.into();
        Ok(Response::new(proto::GetSelfTestResponse { self_test }))
    }

    async fn raw_ak(&self, request: Request<proto::RawAkRequest>) -> Answered<proto::RawAkResponse> {
        let request = request.into_inner();
        self.note(format!("{:?}{}", request.line, if request.confirmed { " confirmed" } else { "" }));
        Ok(Response::new(proto::RawAkResponse { reply: self.script.reply.clone()? }))
    }

    async fn get_mux(&self, _: Request<proto::GetMuxRequest>) -> Answered<proto::GetMuxResponse> {
        Ok(Response::new(proto::GetMuxResponse { mux: self.mux()? }))
    }

    async fn home_mux(&self, _: Request<proto::HomeMuxRequest>) -> Answered<proto::HomeMuxResponse> {
        Ok(Response::new(proto::HomeMuxResponse { mux: self.mux()? }))
    }

    async fn goto_channel(&self, request: Request<proto::GotoChannelRequest>) -> Answered<proto::GotoChannelResponse> {
        self.note(format!("channel {}", request.into_inner().channel));
        Ok(Response::new(proto::GotoChannelResponse { mux: self.mux()? }))
    }

    async fn accept_analyzer(
        &self,
        _: Request<proto::AcceptAnalyzerRequest>,
    ) -> Answered<proto::AcceptAnalyzerResponse> {
        Ok(Response::new(proto::AcceptAnalyzerResponse { known: self.script.accepted.clone()? }))
    }

    async fn accept_mux(&self, _: Request<proto::AcceptMuxRequest>) -> Answered<proto::AcceptMuxResponse> {
        Ok(Response::new(proto::AcceptMuxResponse { known: self.script.accepted.clone()? }))
    }

    async fn get_storage(&self, _: Request<proto::GetStorageRequest>) -> Answered<proto::GetStorageResponse> {
        Ok(Response::new(self.script.storage.clone()))
    }

    async fn get_config(&self, _: Request<proto::GetConfigRequest>) -> Answered<proto::GetConfigResponse> {
        Ok(Response::new(self.script.config.clone()))
    }

    async fn check_config(&self, request: Request<proto::CheckConfigRequest>) -> Answered<proto::CheckConfigResponse> {
        let request = request.into_inner();
        self.note(format!("{} {:?}", request.name, request.toml));
        Ok(Response::new(self.script.config_check.clone()))
    }

    async fn reload_config(&self, _: Request<proto::ReloadConfigRequest>) -> Answered<proto::ReloadConfigResponse> {
        self.script.config_reload.clone().map(Response::new)
    }
}
