//! An archive that has nothing as a whole.

use tokio::sync::mpsc;

use super::super::{Checked, Copied, Holdings};
use super::Shelf;
use crate::domain::{Denied, DriftPoint, Reason, RunId, Utc};
use crate::stream::BoxFuture;

impl Holdings for Shelf {
    fn check(&self, _: bool) -> BoxFuture<'_, Result<Checked, Denied>> {
        Box::pin(async { Err(Denied::new(Reason::Internal, "nothing is kept here")) })
    }

    fn backup(&self, _: mpsc::Sender<Result<Copied, Denied>>) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    fn drift(&self, _: Option<RunId>, _: Option<Utc>) -> BoxFuture<'_, Result<Vec<DriftPoint>, Denied>> {
        Box::pin(async { Err(Denied::new(Reason::Internal, "nothing is kept here")) })
    }
}
