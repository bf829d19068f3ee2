//! The archive over gRPC: checked, copied, and asked how the analyzer drifts.

use std::pin::Pin;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status};

use super::control::Copied;
use super::{Services, convert};
use crate::domain::{Denied, DriftPoint, DriftTrend, Reason, Utc, drift};
use crate::proto;
use crate::proto::archive_service_server::ArchiveService;

/// Pieces that wait for a slow reader.
const PIECES: usize = 4;

pub struct Keeping {
    services: Services,
}

impl Keeping {
    pub fn new(services: Services) -> Self {
        Self { services }
    }

    async fn drift(&self, request: proto::GetDriftRequest) -> Result<Vec<DriftPoint>, Denied> {
        let archive = &self.services.archive;
        let run = if request.run.is_empty() { None } else { Some(archive.find(&request.run).await?) };
        let since = match request.since_utc.as_str() {
            "" => None,
            text => Some(text.parse::<Utc>().map_err(|error| {
                Denied::new(
                    Reason::RequestInvalid,
                    format!("since is {text:?}, and is not a time of RFC 3339: {error}"),
                )
            })?),
        };
        archive.drift(run, since).await
    }
}

type Answered<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl ArchiveService for Keeping {
    async fn check_store(&self, request: Request<proto::CheckStoreRequest>) -> Answered<proto::CheckStoreResponse> {
        let checked =
            self.services.archive.check(!request.into_inner().without_files).await.map_err(convert::status)?;
        Ok(Response::new(proto::CheckStoreResponse {
            runs: checked.found.runs,
            records: checked.found.records,
            events: checked.found.events,
            schema: checked.found.schema,
            files: checked.files,
            faults: checked.found.faults,
        }))
    }

    type BackupStoreStream = Pin<Box<dyn Stream<Item = Result<proto::BackupStoreResponse, Status>> + Send>>;

    async fn backup_store(&self, _: Request<proto::BackupStoreRequest>) -> Answered<Self::BackupStoreStream> {
        let (pieces, made) = mpsc::channel(PIECES);
        let archive = self.services.archive.clone();
        tokio::spawn(async move { archive.backup(pieces).await });
        let answers = ReceiverStream::new(made).map(|piece| match piece {
            Ok(Copied::Begins(found)) => Ok(proto::BackupStoreResponse {
                chunk: Vec::new(),
                figures: Some(proto::BackupFigures {
                    bytes: found.bytes,
                    runs: found.runs,
                    records: found.records,
                    files: found.files,
                }),
            }),
            Ok(Copied::Piece(chunk)) => Ok(proto::BackupStoreResponse { chunk, figures: None }),
            Err(denied) => Err(convert::status(denied)),
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn get_drift(&self, request: Request<proto::GetDriftRequest>) -> Answered<proto::GetDriftResponse> {
        let points = self.drift(request.into_inner()).await.map_err(convert::status)?;
        let trends = drift::trends(&points).into_iter().map(trend).collect();
        Ok(Response::new(proto::GetDriftResponse { points: points.into_iter().map(point).collect(), trends }))
    }
}

fn point(point: DriftPoint) -> proto::DriftPoint {
    proto::DriftPoint {
        deviation_ppm: point.deviation_ppm(),
        run_id: point.run.0,
        started_utc: point.started.to_string(),
        channel: point.channel.number().into(),
        label: point.label,
        kind: point.kind.as_str().into(),
        gas: point.gas.formula,
        cas: point.gas.cas.0,
        expected_ppm: point.expected_ppm,
        mean_ppm: point.measured.mean,
        sd_ppm: point.measured.deviation(),
        n: point.measured.count,
    }
}

fn trend(trend: DriftTrend) -> proto::DriftTrend {
    proto::DriftTrend {
        channel: trend.channel.number().into(),
        gas: trend.gas.formula,
        cas: trend.gas.cas.0,
        runs: trend.runs,
        deviation_ppm: trend.deviation_ppm,
        slope_ppm_per_day: trend.slope_ppm_per_day,
    }
}
