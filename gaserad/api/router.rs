//! Which part answers which request.

use std::convert::Infallible;
use std::time::Duration;

use http::request::Parts;
use http::{HeaderValue, Method, Request, StatusCode, header};
use hyper::body::Incoming;
use serde_json::json;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};
use tower_service::Service;

use super::answer::{self, Answer};
use super::archive::Keeping;
use super::auth::{self, Caller, Link};
use super::gate::{self, Gate};
use super::grpc::Grpc;
use super::page::Page;
use super::query::{self, Query};
use super::routes::Resource;
use super::schedules::Scheduling;
use super::storage::Tending;
use super::{Services, events, export, facts, metrics, orders, oversight, runs, schemas, status_stream, storage};
use crate::proto;
use crate::proto::archive_service_server::ArchiveServiceServer;
use crate::proto::gasera_service_server::GaseraServiceServer;
use crate::proto::schedule_service_server::ScheduleServiceServer;
use crate::proto::storage_service_server::StorageServiceServer;
use crate::stream::Format;

/// How long a healthy daemon takes to say how it is, at most.
const READY_WITHIN: Duration = Duration::from_secs(2);
const GRPC: &str = "application/grpc";

const HELP: &str = "\
gaserad runs measurement plans on a gas analyzer and its multiplexer.

GET /                        the dashboard
GET /events                  what happens, as server-sent events (?types= &channels= &run= &since= &format=);
                             also at /api/events/stream and /sse/events
GET /events/schema           what each event carries, as JSON Schema; /events/schema/{type} is one of them
GET /events/stats            figures of the stream
GET /events/connections      who follows it; DELETE /events/connections/{id} closes one
POST /events/subscribe       other filters for a stream that is open (?connection_id=)
POST /events/test            an event that is a trial
GET /status                  the state of everything, as JSON
GET /status/stream           changes of chosen subjects (?ids=instrument,engine,ch:1-8)
GET /metrics                 figures for Prometheus
GET /runs                    past and present runs
GET /runs/{id}               one run and its visits; an id, a unique prefix of one, or last
GET /runs/{id}/samples.csv   its samples
GET /runs/{id}/export        its samples in another format (?format=parquet&from=&until=&channels=&gases= …)
GET /runs/{id}/visits  what was measured on each visit, as means
GET /runs/{id}/events        what happened in it, but for its results (?types= &since= &limit=)
GET /runs/{id}/files         the files in its folder; /files/{name} is one of them
GET /channels  /gases        the lines of the multiplexer; what is known of gases
GET /tasks  /plans           what the analyzer can measure; plans that are kept
GET /me                      what whoever asks may do
POST /plan/check             what a start would come to, or what is wrong with it
POST /control/start          starts a run, as JSON; also /abort /pause /resume /skip /finish /note
GET /healthz  /readyz        whether the daemon lives, and whether it serves
GET /gasera/api/measurement/events   the stream for GaseraMux dashboards
POST /login  /logout         a cookie for a browser, for a token

The same can be done with gaseractl, and by gRPC on this address (gasera.v1.GaseraService).
";

pub struct Router {
    services: Services,
    gate: Gate,
    page: Page,
    grpc: GaseraServiceServer<Grpc>,
    schedules: ScheduleServiceServer<Scheduling>,
    storage: StorageServiceServer<Tending>,
    archive: ArchiveServiceServer<Keeping>,
    health: HealthServer<HealthService>,
    reporter: HealthReporter,
    reflection: Reflection,
    /// The same by its name of before, which most clients still ask for.
    reflection_before: Reflection,
}

/// Answers gRPC reflection; its service has no name of its own.
type Reflection = Box<dyn Fn(Request<Incoming>) -> Answering + Send + Sync>;
type Answering = crate::stream::BoxFuture<'static, Result<Answer, Infallible>>;

impl Router {
    pub fn new(services: Services) -> Self {
        let reporter = HealthReporter::new();
        Self {
            gate: Gate::new(&services),
            page: Page::new(),
            grpc: GaseraServiceServer::new(Grpc::new(services.clone())),
            schedules: ScheduleServiceServer::new(Scheduling::new(services.clone())),
            storage: StorageServiceServer::new(Tending::new(services.clone())),
            archive: ArchiveServiceServer::new(Keeping::new(services.clone())),
            health: HealthServer::new(HealthService::from_health_reporter(reporter.clone())),
            reporter,
            reflection: reflection(Builder::build_v1, |service, request| service.call(request)),
            reflection_before: reflection(Builder::build_v1alpha, |service, request| service.call(request)),
            services,
        }
    }

    /// Tells those who watch whether the daemon serves.
    pub async fn report(&self, serving: bool) {
        if serving {
            self.reporter.set_serving::<GaseraServiceServer<Grpc>>().await;
        } else {
            self.reporter.set_not_serving::<GaseraServiceServer<Grpc>>().await;
            self.reporter.set_service_status("", tonic_health::ServingStatus::NotServing).await;
        }
    }

    /// Answers a request that came over `link`.
    pub async fn route(&self, request: Request<Incoming>, link: &Link) -> Result<Answer, Infallible> {
        let (mut parts, body) = request.into_parts();
        let allowed = match self.gate.judge(link, &parts).await {
            Ok(allowed) => allowed,
            Err(answer) => return Ok(*answer),
        };
        if gate::is_grpc(&parts) {
            parts.extensions.insert(allowed.caller);
            return self.route_grpc(Request::from_parts(parts, body)).await;
        }
        let mut answer = self.route_http(&parts, body, link, &allowed.caller).await;
        auth::dress(answer.headers_mut(), allowed.origin.as_ref());
        if gate::is_kept(&parts) {
            self.gate.done(&allowed, &parts, &answer);
        }
        Ok(answer)
    }

    async fn route_grpc(&self, request: Request<Incoming>) -> Result<Answer, Infallible> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if !kind.is_some_and(|kind| kind.starts_with(GRPC)) {
            let sentence = "this address speaks gRPC; use a gRPC client over HTTP/2, or gaseractl";
            return Ok(answer::refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", sentence));
        }
        let path = request.uri().path();
        if path.starts_with("/gasera.v1.GaseraService/") {
            self.grpc.clone().call(request).await
        } else if path.starts_with("/gasera.v1.ScheduleService/") {
            self.schedules.clone().call(request).await
        } else if path.starts_with("/gasera.v1.StorageService/") {
            self.storage.clone().call(request).await
        } else if path.starts_with("/gasera.v1.ArchiveService/") {
            self.archive.clone().call(request).await
        } else if path.starts_with("/grpc.health.v1.Health/") {
            self.health.clone().call(request).await
        } else if path.starts_with("/grpc.reflection.v1.") {
            (self.reflection)(request).await
        } else if path.starts_with("/grpc.reflection.v1alpha.") {
            (self.reflection_before)(request).await
        } else {
            let status =
                tonic::Status::unimplemented(format!("there is no {path} here; gRPC reflection lists what is"));
            Ok(status.into_http())
        }
    }

    async fn route_http(&self, asked: &Parts, body: Incoming, link: &Link, caller: &Caller) -> Answer {
        let path = asked.uri.path();
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        let Some(resource) = Resource::find(&parts) else {
            let sentence = format!("there is nothing at {path}; GET /help lists what there is");
            return answer::refuse(StatusCode::NOT_FOUND, "NOT_FOUND", &sentence);
        };
        if !resource.knows(&asked.method) {
            return not_allowed(resource, &asked.method, path);
        }
        let query = Query::parse(asked.uri.query().unwrap_or_default());
        let (services, headers) = (&self.services, &asked.headers);
        match resource {
            Resource::Index => self.page.index(headers),
            Resource::Asset => self.page.file(&query::decode(parts[1]), headers),
            Resource::Login => self.gate.log_in(link, asked, body).await,
            Resource::Logout => {
                let answer = self.gate.log_out(link, asked);
                if let Some(cookie) = auth::shown_cookie(headers) {
                    services.hub.end_session(cookie, "whoever opened this stream logged out");
                }
                answer
            }
            Resource::Order => orders::give(services, parts[1], caller, headers, body).await,
            Resource::CheckPlan => orders::check(services, headers, body).await,
            Resource::Subscribe => oversight::subscribe(services, &query, headers, body, caller).await,
            Resource::TestEvent => oversight::test(services, &query, headers, body, &caller.to_string()).await,
            Resource::Connection => oversight::close(services, &query::decode(parts[2]), &caller.to_string()),
            _ => self.read(resource, &parts, asked, &query, caller).await,
        }
    }

    /// What changes nothing.
    async fn read(&self, resource: Resource, parts: &[&str], asked: &Parts, query: &Query, caller: &Caller) -> Answer {
        let (services, method, headers) = (&self.services, &asked.method, &asked.headers);
        let named = |index: usize| query::decode(parts.get(index).copied().unwrap_or_default());
        match resource {
            Resource::Help => answer::text(HELP),
            Resource::Me => facts::me(services, caller, self.gate.is_logged_in(asked)),
            Resource::Channels => facts::channels(services),
            Resource::Gases => facts::gases(services),
            Resource::Tasks => facts::tasks(services).await,
            Resource::Plans => facts::plans(services).await,
            Resource::Events => events::stream(services, method, headers, query, None, caller).await,
            Resource::MergedEvents => {
                events::stream(services, method, headers, query, Some(Format::Merged), caller).await
            }
            Resource::StatusStream => {
                status_stream::stream(services, method, query, events::origin(headers, caller)).await
            }
            Resource::Status => answer::json(&services.control.status().await),
            Resource::Schemas => schemas::all(),
            Resource::Schema => schemas::of(&named(2)),
            Resource::Stats => oversight::stats(services),
            Resource::Connections => oversight::connections(services),
            Resource::Metrics => metrics::page(services).await,
            Resource::Alive => answer::text("ok\n"),
            Resource::Ready => self.ready().await,
            Resource::Runs => runs::list(services, query).await,
            Resource::Run => runs::show(services, &named(1)).await,
            Resource::Visits => runs::visits(services, &named(1)).await,
            Resource::RunFiles => storage::list(services, &named(1)).await,
            Resource::RunFile => storage::file(services, method, &named(1), &named(3)).await,
            Resource::RunEvents => runs::events(services, &named(1), query).await,
            Resource::Samples => export::samples(services, method, &named(1)).await,
            Resource::Export => export::export(services, method, &named(1), query).await,
            _ => not_allowed(resource, method, asked.uri.path()),
        }
    }

    /// Ready is who answers: that the analyzer is away is in the answer, not against it.
    async fn ready(&self) -> Answer {
        match tokio::time::timeout(READY_WITHIN, self.services.control.status()).await {
            Ok(status) => answer::json(&json!({
                "ready": true,
                "phase": status.phase,
                "analyzer_online": status.analyzer.online,
            })),
            Err(_) => answer::refuse(
                StatusCode::SERVICE_UNAVAILABLE,
                "NOT_READY",
                "the measuring side does not answer; see the daemon's log",
            ),
        }
    }
}

fn not_allowed(resource: Resource, method: &Method, path: &str) -> Answer {
    let allowed = resource.allows();
    let sentence = format!("{path} does not know {method}, but {allowed}; gaseractl starts and aborts measurements");
    let mut answer = answer::refuse(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", &sentence);
    answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    answer
}

type Builder = tonic_reflection::server::Builder<'static>;
type Built<S> = Result<S, tonic_reflection::server::Error>;

fn reflection<S: Clone + Send + Sync + 'static>(
    build: fn(Builder) -> Built<S>,
    call: fn(&mut S, Request<Incoming>) -> Answering,
) -> Reflection {
    let builder = Builder::configure()
        .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
    match build(builder) {
        Ok(service) => Box::new(move |request| call(&mut service.clone(), request)),
        Err(error) => {
            let sentence = format!("reflection is not available: {error}");
            Box::new(move |_| {
                let status = tonic::Status::unimplemented(&sentence);
                Box::pin(async move { Ok(status.into_http()) })
            })
        }
    }
}
