//! The calls about all that is kept.

use gasera::proto::{
    BackupStoreRequest, BackupStoreResponse, CheckStoreRequest, CheckStoreResponse, GetDriftRequest, GetDriftResponse,
};

use super::{AnswerPieces, Client};
use crate::failure::Failure;

impl Client {
    pub async fn check_store(&mut self, without_files: bool) -> Result<CheckStoreResponse, Failure> {
        self.call(CheckStoreRequest { without_files }).await
    }

    pub async fn backup(&mut self) -> Result<AnswerPieces<BackupStoreResponse>, Failure> {
        self.pieces(BackupStoreRequest {}).await
    }

    /// Of one run, or of all that began then or later; empty for all.
    pub async fn drift(&mut self, run: String, since_utc: String) -> Result<GetDriftResponse, Failure> {
        self.call(GetDriftRequest { run, since_utc }).await
    }
}
