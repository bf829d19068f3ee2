//! What is kept of runs, over gRPC and HTTP: the files in their folders, and the trash.

use std::pin::Pin;

use axum::body::Body;
use axum::extract::State;
use http::{HeaderValue, Method, header};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response as Answered, Status};
use utoipa::{IntoParams, ToSchema};

use super::answer::{self, Answer, JSON, Kind, Problem, Raw, TEXT, Told};
use super::control::{FileChunk, InTrash, RunFile};
use super::operation::Endpoint;
use super::query::Named;
use super::runs::RunNamed;
use super::{Services, convert, grpc};
use crate::domain::{Denied, Reason, RunId};
use crate::proto;
use crate::proto::storage_service_server::StorageService;

/// How many pieces of a file may wait for their reader.
const PIECES: usize = 4;

pub struct Tending {
    services: Services,
}

impl Tending {
    pub fn new(services: Services) -> Self {
        Self { services }
    }
}

type Chunks = Pin<Box<dyn Stream<Item = Result<proto::GetRunFileResponse, Status>> + Send>>;

#[tonic::async_trait]
impl StorageService for Tending {
    async fn list_run_files(
        &self,
        request: Request<proto::ListRunFilesRequest>,
    ) -> Result<Answered<proto::ListRunFilesResponse>, Status> {
        let (id, files) = files(&self.services, &request.into_inner().run).await.map_err(convert::status)?;
        let file = |RunFile { name, bytes, changed }| {
            let changed_utc = changed.to_seconds_string();
            proto::RunFile { name, bytes, changed_utc }
        };
        let files = files.into_iter().map(file).collect();
        Ok(Answered::new(proto::ListRunFilesResponse { run_id: id.0, files }))
    }

    type GetRunFileStream = Chunks;

    async fn get_run_file(&self, request: Request<proto::GetRunFileRequest>) -> Result<Answered<Chunks>, Status> {
        let proto::GetRunFileRequest { run, name } = request.into_inner();
        let (_, pieces) = read(&self.services, &run, &name).await.map_err(convert::status)?;
        let answers = pieces.map(|piece| match piece {
            Ok(chunk) => Ok(proto::GetRunFileResponse { chunk }),
            Err(reason) => Err(convert::status(Denied::new(Reason::Internal, reason))),
        });
        Ok(Answered::new(Box::pin(answers)))
    }

    async fn remove_runs(
        &self,
        request: Request<proto::RemoveRunsRequest>,
    ) -> Result<Answered<proto::RemoveRunsResponse>, Status> {
        let who = grpc::who(&grpc::peer(&request), &request.get_ref().operator);
        let proto::RemoveRunsRequest { runs, purge, .. } = request.into_inner();
        if runs.is_empty() {
            let denied = Denied::new(Reason::RequestInvalid, "no run is named that is to be removed");
            return Err(convert::status(denied));
        }
        let removed = self.services.folders.remove(runs, who, purge).await.map_err(convert::status)?;
        Ok(Answered::new(proto::RemoveRunsResponse { run_ids: ids(removed) }))
    }

    async fn restore_run(
        &self,
        request: Request<proto::RestoreRunRequest>,
    ) -> Result<Answered<proto::RestoreRunResponse>, Status> {
        let who = grpc::who(&grpc::peer(&request), &request.get_ref().operator);
        let restored = self.services.folders.restore(request.into_inner().run, who).await.map_err(convert::status)?;
        Ok(Answered::new(proto::RestoreRunResponse { run_id: restored.0 }))
    }

    async fn list_trash(
        &self,
        _: Request<proto::ListTrashRequest>,
    ) -> Result<Answered<proto::ListTrashResponse>, Status> {
        let runs = self.services.folders.trash().await.map_err(convert::status)?;
        Ok(Answered::new(proto::ListTrashResponse { runs: runs.into_iter().map(trashed).collect() }))
    }

    async fn empty_trash(
        &self,
        request: Request<proto::EmptyTrashRequest>,
    ) -> Result<Answered<proto::EmptyTrashResponse>, Status> {
        let who = grpc::who(&grpc::peer(&request), &request.get_ref().operator);
        let purged = self.services.folders.empty(who).await.map_err(convert::status)?;
        Ok(Answered::new(proto::EmptyTrashResponse { run_ids: ids(purged) }))
    }
}

fn ids(runs: Vec<RunId>) -> Vec<String> {
    runs.into_iter().map(|run| run.0).collect()
}

fn trashed(told: InTrash) -> proto::TrashedRun {
    let InTrash { run, bytes, gone_after } = told;
    proto::TrashedRun {
        run_id: run.id.0,
        label: run.label,
        started_utc: run.started.to_seconds_string(),
        records: run.records,
        bytes,
        trashed_utc: run.trashed.to_seconds_string(),
        who: run.who,
        gone_after_utc: gone_after.to_seconds_string(),
    }
}

async fn files(services: &Services, run: &str) -> Result<(RunId, Vec<RunFile>), Denied> {
    let id = services.archive.find(run).await?;
    let files = services.folders.files(&id).await?;
    Ok((id, files))
}

/// One that is listed; no other name leads anywhere.
async fn read(services: &Services, run: &str, name: &str) -> Result<(RunFile, ReceiverStream<FileChunk>), Denied> {
    let (id, files) = files(services, run).await?;
    let Some(file) = files.into_iter().find(|file| file.name == name) else {
        let text = format!("run {id} has no file {name:?}; `gaseractl runs files {id}` lists those that it has");
        return Err(Denied::new(Reason::FileUnknown, text));
    };
    let (sender, pieces) = mpsc::channel(PIECES);
    let (folders, told) = (services.folders.clone(), file.clone());
    tokio::spawn(async move { folders.read(id, told, sender).await });
    Ok((file, ReceiverStream::new(pieces)))
}

pub fn endpoints() -> Vec<Endpoint<Services>> {
    vec![
        Endpoint::get("/runs/{id}/files", "list_run_files", "Lists the files of a run", list),
        Endpoint::get("/runs/{id}/files/{name}", "get_run_file", "Returns one file of a run", file),
    ]
}

#[derive(Serialize, ToSchema)]
struct FileList {
    run_id: String,
    files: Vec<FileTold>,
}

#[derive(Serialize, ToSchema)]
struct FileTold {
    name: String,
    bytes: u64,
    changed_utc: String,
}

async fn list(
    State(services): State<Services>,
    Named(RunNamed { id }): Named<RunNamed>,
) -> Result<Told<FileList>, Problem> {
    let (id, files) = files(&services, &id).await?;
    let file = |RunFile { name, bytes, changed }| FileTold { name, bytes, changed_utc: changed.to_seconds_string() };
    Ok(Told::json(&FileList { run_id: id.0, files: files.into_iter().map(file).collect() }))
}

#[derive(Deserialize, IntoParams)]
struct StoredFileNamed {
    /// The id of a run, a unique prefix of one, or `last`.
    id: String,
    /// One of those that are listed.
    name: String,
}

struct AnyFile;

impl Kind for AnyFile {
    const KINDS: &'static [&'static str] = &[CSV, JSON, TEXT, BYTES];
}

const CSV: &str = "text/csv; charset=utf-8";
const BYTES: &str = "application/octet-stream";

async fn file(
    State(services): State<Services>,
    method: Method,
    Named(StoredFileNamed { id, name }): Named<StoredFileNamed>,
) -> Result<Raw<AnyFile>, Problem> {
    let (file, pieces) = read(&services, &id, &name).await?;
    let body = if method == Method::HEAD { answer::untold_body() } else { Body::from_stream(pieces) };
    Ok(download(&file, body).into())
}

fn download(file: &RunFile, body: Body) -> Answer {
    let kind = match file.name.rsplit_once('.').map(|(_, kind)| kind) {
        Some("csv") => CSV,
        Some("json") => JSON,
        Some("toml" | "md" | "txt") => TEXT,
        _ => BYTES,
    };
    let mut answer = Answer::new(body);
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let plain: String = file.name.chars().filter(|c| c.is_ascii_alphanumeric() || "._-".contains(*c)).collect();
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{plain}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    answer
}
