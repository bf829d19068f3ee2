//! The calls about all that is kept.

use gasera::proto::{
    BackupStoreRequest, BackupStoreResponse, CheckStoreRequest, CheckStoreResponse, GetDriftRequest, GetDriftResponse,
};
use tonic::Streaming;

use super::Client;
use crate::endpoint::Endpoint;
use crate::failure::Failure;

/// A copy of the database on its way.
pub struct BackupReceipt {
    pieces: Streaming<BackupStoreResponse>,
    endpoint: Endpoint,
}

impl BackupReceipt {
    pub async fn next(&mut self) -> Result<Option<BackupStoreResponse>, Failure> {
        self.pieces.message().await.map_err(|status| Failure::of_status(&status, &self.endpoint.to_string()))
    }
}

impl Client {
    pub async fn check_store(&mut self, without_files: bool) -> Result<CheckStoreResponse, Failure> {
        let answer = self.archive.check_store(CheckStoreRequest { without_files }).await;
        self.explain(answer)
    }

    pub async fn backup(&mut self) -> Result<BackupReceipt, Failure> {
        let answer = self.archive.backup_store(BackupStoreRequest {}).await;
        Ok(BackupReceipt { pieces: self.explain(answer)?, endpoint: self.endpoint.clone() })
    }

    /// Of one run, or of all that began then or later; empty for all.
    pub async fn drift(&mut self, run: String, since_utc: String) -> Result<GetDriftResponse, Failure> {
        let answer = self.archive.get_drift(GetDriftRequest { run, since_utc }).await;
        self.explain(answer)
    }
}
