//! The calls about files of runs and the trash.

use gasera::proto::{
    EmptyTrashRequest, GetRunFileRequest, GetRunFileResponse, ListRunFilesRequest, ListRunFilesResponse,
    ListTrashRequest, RemoveRunsRequest, RestoreRunRequest, TrashedRun,
};
use tonic::Streaming;

use super::{Client, operator};
use crate::failure::Failure;

impl Client {
    pub async fn files(&mut self, run: &str) -> Result<ListRunFilesResponse, Failure> {
        let answer = self.storage.list_run_files(ListRunFilesRequest { run: run.into() }).await;
        self.explain(answer)
    }

    /// Its pieces, one after the other.
    pub async fn file(&mut self, run: &str, name: &str) -> Result<Streaming<GetRunFileResponse>, Failure> {
        let answer = self.storage.get_run_file(GetRunFileRequest { run: run.into(), name: name.into() }).await;
        self.explain(answer)
    }

    pub async fn remove_runs(&mut self, runs: Vec<String>, purge: bool) -> Result<Vec<String>, Failure> {
        let answer = self.storage.remove_runs(RemoveRunsRequest { runs, operator: operator(), purge }).await;
        Ok(self.explain(answer)?.run_ids)
    }

    pub async fn restore_run(&mut self, run: &str) -> Result<String, Failure> {
        let answer = self.storage.restore_run(RestoreRunRequest { run: run.into(), operator: operator() }).await;
        Ok(self.explain(answer)?.run_id)
    }

    pub async fn trash(&mut self) -> Result<Vec<TrashedRun>, Failure> {
        let answer = self.storage.list_trash(ListTrashRequest {}).await;
        Ok(self.explain(answer)?.runs)
    }

    pub async fn empty_trash(&mut self) -> Result<Vec<String>, Failure> {
        let answer = self.storage.empty_trash(EmptyTrashRequest { operator: operator() }).await;
        Ok(self.explain(answer)?.run_ids)
    }
}
