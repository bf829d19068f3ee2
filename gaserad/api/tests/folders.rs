//! The files of runs, and the trash, over gRPC and HTTP.

use super::*;
use crate::api::{FileChunk, Folders, InTrash, RunFile};
use crate::domain::TrashedRun;
use crate::proto::storage_service_client::StorageServiceClient;

const TEXT: &str = "a,b\n1,2\n";

/// There is one file, and one run in the trash.
impl Folders for Shelf {
    fn files<'a>(&'a self, _: &'a RunId) -> BoxFuture<'a, Result<Vec<RunFile>, Denied>> {
        let file = RunFile { name: "samples.csv".into(), bytes: TEXT.len() as u64, changed: NOW };
        Box::pin(async { Ok(vec![file]) })
    }

    fn read(&self, _: RunId, _: RunFile, chunks: mpsc::Sender<FileChunk>) -> BoxFuture<'_, ()> {
        Box::pin(async move { drop(chunks.send(Ok(TEXT.into())).await) })
    }

    fn trash(&self) -> BoxFuture<'_, Result<Vec<InTrash>, Denied>> {
        let (label, who) = ("weekly".into(), "ada".into());
        let run = TrashedRun { id: RunId("01JOLD".into()), label, started: NOW, records: 7, trashed: NOW, who };
        Box::pin(async { Ok(vec![InTrash { run, bytes: 80, gone_after: NOW }]) })
    }

    fn remove(&self, names: Vec<String>, who: String, purge: bool) -> BoxFuture<'_, Result<Vec<RunId>, Denied>> {
        Box::pin(async move {
            if names.contains(&"open".to_owned()) {
                return Err(Denied::new(Reason::RunUnderWay, "run open is under way"));
            }
            Ok(vec![RunId(format!("{} by {who} {purge}", names.join("+")))])
        })
    }

    fn restore(&self, name: String, _: String) -> BoxFuture<'_, Result<RunId, Denied>> {
        Box::pin(async move { Ok(RunId(name)) })
    }

    fn empty(&self, _: String) -> BoxFuture<'_, Result<Vec<RunId>, Denied>> {
        Box::pin(async { Ok(vec![RunId("01JOLD".into())]) })
    }
}

/// Remembers what is to be kept.
#[derive(Default)]
pub(super) struct Book(pub(super) Mutex<Vec<Audit>>);

impl Ledger for Book {
    fn note(&self, entry: Audit) {
        self.0.lock().unwrap().push(entry);
    }
}

#[tokio::test]
async fn the_files_of_a_run_are_listed_and_read() {
    let daemon = Daemon::start().await;
    let (status, body) = daemon.get("/runs/last/files").await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["run_id"], &body["files"][0]["bytes"]), (StatusCode::OK, &json!("01JRUN"), &json!(8)));
    assert_eq!(daemon.get("/runs/last/files/samples.csv").await, (StatusCode::OK, TEXT.to_owned()));
    for path in ["/runs/last/files/other.csv", "/runs/last/files/..%2Fsamples.csv", "/runs/none/files"] {
        assert_eq!(daemon.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    let mut client = StorageServiceClient::new(daemon.channel().await);
    let request = proto::GetRunFileRequest { run: "last".into(), name: "samples.csv".into() };
    let mut chunks = client.get_run_file(request).await.unwrap().into_inner();
    assert_eq!(chunks.message().await.unwrap().unwrap().chunk, TEXT.as_bytes());
    let request = proto::GetRunFileRequest { run: "last".into(), name: "samples".into() };
    assert_eq!(client.get_run_file(request).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn runs_are_removed_by_somebody_unless_they_are_under_way() {
    let daemon = Daemon::start().await;
    let mut client = StorageServiceClient::new(daemon.channel().await);
    let remove = |runs: &[&str]| proto::RemoveRunsRequest {
        runs: runs.iter().map(|run| (*run).to_owned()).collect(),
        operator: "ada".into(),
        purge: false,
    };
    let removed = client.remove_runs(remove(&["a", "b"])).await.unwrap().into_inner().run_ids;
    assert!(removed[0].starts_with("a+b by ada (") && removed[0].ends_with(") false"), "{removed:?}");
    assert_eq!(client.remove_runs(remove(&[])).await.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(client.remove_runs(remove(&["open"])).await.unwrap_err().code(), Code::FailedPrecondition);
    let trash = client.list_trash(proto::ListTrashRequest {}).await.unwrap().into_inner().runs;
    assert_eq!((trash[0].run_id.as_str(), trash[0].records, trash[0].bytes), ("01JOLD", 7, 80));
    let restored = client.restore_run(proto::RestoreRunRequest { run: "01J".into(), operator: String::new() }).await;
    assert_eq!(restored.unwrap().into_inner().run_id, "01J");
    let purged = client.empty_trash(proto::EmptyTrashRequest::default()).await.unwrap().into_inner().run_ids;
    assert_eq!(purged, ["01JOLD"]);
}
