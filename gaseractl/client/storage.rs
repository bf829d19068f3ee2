//! The calls about files of runs and the trash.

use gasera::proto::{
    EmptyTrashRequest, GetRunFileRequest, GetRunFileResponse, ListRunFilesRequest, ListRunFilesResponse,
    ListTrashRequest, RemoveRunsRequest, RestoreRunRequest, TrashedRun,
};

use super::{AnswerPieces, Client, operator};
use crate::failure::Failure;

impl Client {
    pub async fn files(&mut self, run: &str) -> Result<ListRunFilesResponse, Failure> {
        self.call(ListRunFilesRequest { run: run.into() }).await
    }

    /// Its pieces, one after the other.
    pub async fn file(&mut self, run: &str, name: &str) -> Result<AnswerPieces<GetRunFileResponse>, Failure> {
        self.pieces(GetRunFileRequest { run: run.into(), name: name.into() }).await
    }

    pub async fn remove_runs(&mut self, runs: Vec<String>, purge: bool) -> Result<Vec<String>, Failure> {
        Ok(self.call(RemoveRunsRequest { runs, operator: operator(), purge }).await?.run_ids)
    }

    pub async fn restore_run(&mut self, run: &str) -> Result<String, Failure> {
        Ok(self.call(RestoreRunRequest { run: run.into(), operator: operator() }).await?.run_id)
    }

    pub async fn trash(&mut self) -> Result<Vec<TrashedRun>, Failure> {
        Ok(self.call(ListTrashRequest {}).await?.runs)
    }

    pub async fn empty_trash(&mut self) -> Result<Vec<String>, Failure> {
        Ok(self.call(EmptyTrashRequest { operator: operator() }).await?.run_ids)
    }
}
