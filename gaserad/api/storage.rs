//! What is kept of runs, over gRPC and HTTP: the files in their folders, and the trash.

use std::pin::Pin;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use http_body_util::StreamBody;
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::body::Body;
use tonic::{Request, Response as Answered, Status};

use super::answer::{self, Answer};
use super::control::{FileChunk, InTrash, RunFile};
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

pub async fn list(services: &Services, run: &str) -> Answer {
    match files(services, run).await {
        Ok((id, files)) => {
            let file = |file: &RunFile| json!({ "name": file.name, "bytes": file.bytes, "changed_utc": file.changed.to_seconds_string() });
            answer::json(&json!({ "run_id": id, "files": files.iter().map(file).collect::<Value>() }))
        }
        Err(denied) => answer::denied(&denied),
    }
}

pub async fn file(services: &Services, method: &Method, run: &str, name: &str) -> Answer {
    match read(services, run, name).await {
        Ok((file, _)) if method == Method::HEAD => download(&file, Body::empty()),
        Ok((file, pieces)) => {
            let frames = pieces.map(|piece| piece.map(|bytes| Frame::data(Bytes::from(bytes))));
            download(&file, Body::new(StreamBody::new(frames)))
        }
        Err(denied) => answer::denied(&denied),
    }
}

fn download(file: &RunFile, body: Body) -> Answer {
    let kind = match file.name.rsplit_once('.').map(|(_, kind)| kind) {
        Some("csv") => "text/csv; charset=utf-8",
        Some("json") => "application/json",
        Some("toml" | "md" | "txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };
    let mut answer = Response::new(body);
    *answer.status_mut() = StatusCode::OK;
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
