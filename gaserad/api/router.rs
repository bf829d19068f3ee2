//! Leads each request to the part that answers it.

use std::convert::Infallible;
use std::sync::Arc;

use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use http::Uri;
use hyper::body::Incoming;
use tonic::service::Routes;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};
use tower_service::Service;

use super::answer::{Answer, Problem};
use super::archive::Keeping;
use super::auth::{Link, Pass};
use super::document::Document;
use super::gate::{self, Gate};
use super::grpc::Grpc;
use super::operation::Endpoint;
use super::page::Page;
use super::schedules::Scheduling;
use super::storage::Tending;
use super::table::OperationTable;
use super::{Services, operations};
use crate::proto;
use crate::proto::archive_service_server::ArchiveServiceServer;
use crate::proto::gasera_service_server::GaseraServiceServer;
use crate::proto::schedule_service_server::ScheduleServiceServer;
use crate::proto::storage_service_server::StorageServiceServer;

pub struct Router {
    routes: axum::Router,
    reporter: HealthReporter,
}

impl Router {
    pub fn new(services: &Services) -> Self {
        let (gate, page) = (Arc::new(Gate::new(services)), Arc::new(Page::new()));
        let (document, reporter) = (Arc::new(Document::default()), HealthReporter::new());
        let endpoints = operations::all(services, &gate, &page, &document);
        let table = Arc::new(OperationTable::of(endpoints.iter().map(|endpoint| &endpoint.operation)));

        let calls = calls(services, &reporter).into_axum_router().reset_fallback();
        let routes = endpoints.iter().fold(calls, |routes, Endpoint { operation, route }| {
            operation.paths().fold(routes, |routes, path| routes.route(&path, route.clone()))
        });
        let routes = routes.fallback(nothing_there).layer(from_fn_with_state((gate, table), gate::pass));
        document.describe(endpoints.into_iter().map(|endpoint| endpoint.operation).collect());
        Self { routes, reporter }
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

    /// Answers a request that came over `link`, if there is a place for who asks.
    pub async fn answer(&self, mut request: http::Request<Incoming>, link: Link, pass: &Arc<Pass>) -> Answer {
        request.extensions_mut().insert(link);
        request.extensions_mut().insert(pass.clone());
        let Ok::<_, Infallible>(answer) = self.routes.clone().call(request).await;
        answer
    }
}

/// gRPC, with its health and its description of itself, also by the name of before, which most clients still ask for.
fn calls(services: &Services, reporter: &HealthReporter) -> Routes {
    let mut routes = Routes::new(GaseraServiceServer::new(Grpc::new(services.clone())))
        .add_service(ScheduleServiceServer::new(Scheduling::new(services.clone())))
        .add_service(StorageServiceServer::new(Tending::new(services.clone())))
        .add_service(ArchiveServiceServer::new(Keeping::new(services.clone())))
        .add_service(HealthServer::new(HealthService::from_health_reporter(reporter.clone())));
    let description = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    match (description().build_v1(), description().build_v1alpha()) {
        (Ok(described), Ok(described_before)) => {
            routes = routes.add_service(described).add_service(described_before);
        }
        (Err(error), _) | (_, Err(error)) => tracing::warn!(%error, "gRPC reflection is not available"),
    }
    routes
}

async fn nothing_there(uri: Uri) -> Answer {
    let path = uri.path();
    if gate::is_grpc(path) {
        let status = tonic::Status::unimplemented(format!("there is no {path} here; gRPC reflection lists what is"));
        return status.into_http();
    }
    let sentence = format!("there is nothing at {path}; GET /help lists what there is");
    Problem::not_found("NOT_FOUND", sentence).into_response()
}
