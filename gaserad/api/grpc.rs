//! The gRPC service: translates, asks, translates back.

use std::pin::Pin;

use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status};

use super::auth::Caller;
use super::{Change, Services, Verdict, convert, export, instrument, plans, runs, upkeep};
use crate::domain::{Control, Denied, DeviceKind, RunId, ValveOrder};
use crate::proto;
use crate::proto::gasera_service_server::GaseraService;

pub struct Grpc {
    services: Services,
}

type Answered<T> = Result<Response<T>, Status>;

impl Grpc {
    pub fn new(services: Services) -> Self {
        Self { services }
    }

    fn planning(&self) -> plans::Planning<'_> {
        plans::Planning(&self.services)
    }

    fn instrument(&self) -> instrument::Asking<'_> {
        instrument::Asking(self.services.control.as_ref())
    }

    fn upkeep(&self) -> upkeep::Asking<'_> {
        upkeep::Asking(self.services.upkeep.as_ref())
    }

    async fn move_valve<T>(&self, order: ValveOrder, request: &Request<T>) -> Result<proto::Mux, Status> {
        let moved = self.services.control.move_valve(order, peer(request).to_string()).await;
        moved.map(instrument::mux).map_err(convert::status)
    }

    async fn control(&self, control: Control, who: String) -> Result<String, Status> {
        let done = self.services.control.control(control, who).await;
        done.map(|id| id.0).map_err(convert::status)
    }

    async fn verdict(&self, name: &str) -> Result<(RunId, Verdict), Denied> {
        let id = self.services.archive.find(name).await?;
        let verdict = self.services.archive.verify(&id).await?;
        Ok((id, verdict))
    }
}

#[tonic::async_trait]
impl GaseraService for Grpc {
    async fn start_measurement(
        &self,
        request: Request<proto::StartMeasurementRequest>,
    ) -> Answered<proto::StartMeasurementResponse> {
        let peer = peer(&request);
        answered(self.planning().start(request.into_inner(), &peer).await.map_err(Denied::from))
    }

    async fn check_plan(&self, request: Request<proto::CheckPlanRequest>) -> Answered<proto::CheckPlanResponse> {
        answered(self.planning().check(request.into_inner().file.unwrap_or_default()).await)
    }

    async fn list_plans(&self, _: Request<proto::ListPlansRequest>) -> Answered<proto::ListPlansResponse> {
        answered(self.planning().list().await)
    }

    async fn abort_measurement(
        &self,
        request: Request<proto::AbortMeasurementRequest>,
    ) -> Answered<proto::AbortMeasurementResponse> {
        let who = peer(&request).named(&request.get_ref().operator);
        let run = Some(request.into_inner().run).filter(|run| !run.is_empty());
        let aborted = self.services.control.abort(who, run).await.map_err(convert::status)?;
        Ok(Response::new(proto::AbortMeasurementResponse { run_id: aborted.run.0, waited: aborted.waited }))
    }

    async fn pause_measurement(
        &self,
        request: Request<proto::PauseMeasurementRequest>,
    ) -> Answered<proto::PauseMeasurementResponse> {
        let who = peer(&request).named(&request.get_ref().operator);
        let run_id = self.control(Control::Pause { now: request.get_ref().now }, who).await?;
        Ok(Response::new(proto::PauseMeasurementResponse { run_id }))
    }

    async fn resume_measurement(
        &self,
        request: Request<proto::ResumeMeasurementRequest>,
    ) -> Answered<proto::ResumeMeasurementResponse> {
        let run_id = self.control(Control::Resume, peer(&request).named(&request.get_ref().operator)).await?;
        Ok(Response::new(proto::ResumeMeasurementResponse { run_id }))
    }

    async fn skip_visit(&self, request: Request<proto::SkipVisitRequest>) -> Answered<proto::SkipVisitResponse> {
        let run_id = self.control(Control::Skip, peer(&request).named(&request.get_ref().operator)).await?;
        Ok(Response::new(proto::SkipVisitResponse { run_id }))
    }

    async fn finish_measurement(
        &self,
        request: Request<proto::FinishMeasurementRequest>,
    ) -> Answered<proto::FinishMeasurementResponse> {
        let who = peer(&request).named(&request.get_ref().operator);
        let after = convert::finish_after(request.get_ref().after());
        let run_id = self.control(Control::Finish { after }, who).await?;
        Ok(Response::new(proto::FinishMeasurementResponse { run_id }))
    }

    async fn add_note(&self, request: Request<proto::AddNoteRequest>) -> Answered<proto::AddNoteResponse> {
        let who = peer(&request).named(&request.get_ref().operator);
        let note = convert::note(&request.get_ref().text).map_err(convert::status)?;
        Ok(Response::new(proto::AddNoteResponse { run_id: self.control(note, who).await? }))
    }

    async fn get_status(&self, _: Request<proto::GetStatusRequest>) -> Answered<proto::GetStatusResponse> {
        let status = self.services.control.status().await;
        let status_json = serde_json::to_string(&status).map_err(|error| Status::internal(error.to_string()))?;
        Ok(Response::new(proto::GetStatusResponse { status_json }))
    }

    async fn list_runs(&self, request: Request<proto::ListRunsRequest>) -> Answered<proto::ListRunsResponse> {
        let limit = match request.into_inner().limit {
            0 => runs::LIMIT,
            limit => limit,
        };
        let found = self.services.archive.runs(limit).await.map_err(convert::status)?;
        Ok(Response::new(proto::ListRunsResponse { runs: found.into_iter().map(convert::run).collect() }))
    }

    async fn get_run(&self, request: Request<proto::GetRunRequest>) -> Answered<proto::GetRunResponse> {
        let archive = self.services.archive.as_ref();
        let detail = runs::detail(archive, &request.into_inner().run).await.map_err(convert::status)?;
        Ok(Response::new(proto::GetRunResponse {
            run: Some(convert::run(detail.stored)),
            visits: detail.visits.iter().map(convert::visit).collect(),
            notes: detail.notes.into_iter().map(convert::note_out).collect(),
        }))
    }

    type ExportRunStream = Pin<Box<dyn Stream<Item = Result<proto::ExportRunResponse, Status>> + Send>>;

    async fn export_run(&self, request: Request<proto::ExportRunRequest>) -> Answered<Self::ExportRunStream> {
        let request = request.into_inner();
        let prepared = async {
            let wanted = export::wanted(&request)?;
            let ids = export::runs(&self.services, &request).await?;
            export::pieces(&self.services, ids, wanted).await
        };
        let pieces = prepared.await.map_err(convert::status)?;
        Ok(Response::new(Box::pin(pieces.map(export::message))))
    }

    async fn verify_run(&self, request: Request<proto::VerifyRunRequest>) -> Answered<proto::VerifyRunResponse> {
        let (id, verdict) = self.verdict(&request.into_inner().run).await.map_err(convert::status)?;
        Ok(Response::new(proto::VerifyRunResponse {
            run_id: id.0,
            records: verdict.records,
            csv_rows: verdict.rows,
            attributed_again: verdict.attributed_again,
            files: verdict.files,
            differences: verdict.differences,
            changes: verdict.changes.into_iter().map(change).collect(),
            doubts: verdict.doubts,
        }))
    }

    async fn get_device(&self, _: Request<proto::GetDeviceRequest>) -> Answered<proto::GetDeviceResponse> {
        answered(self.instrument().device().await)
    }

    async fn list_tasks(&self, _: Request<proto::ListTasksRequest>) -> Answered<proto::ListTasksResponse> {
        answered(self.instrument().tasks().await)
    }

    async fn get_errors(&self, _: Request<proto::GetErrorsRequest>) -> Answered<proto::GetErrorsResponse> {
        answered(self.instrument().errors().await)
    }

    async fn get_clock(&self, _: Request<proto::GetClockRequest>) -> Answered<proto::GetClockResponse> {
        answered(self.instrument().clock().await)
    }

    async fn run_self_test(&self, request: Request<proto::RunSelfTestRequest>) -> Answered<proto::RunSelfTestResponse> {
        answered(self.instrument().run_self_test(peer(&request).to_string()).await)
    }

    async fn get_self_test(&self, _: Request<proto::GetSelfTestRequest>) -> Answered<proto::GetSelfTestResponse> {
        answered(self.instrument().self_test().await)
    }

    async fn raw_ak(&self, request: Request<proto::RawAkRequest>) -> Answered<proto::RawAkResponse> {
        let peer = peer(&request);
        answered(self.instrument().raw_ak(&request.into_inner(), peer.to_string()).await)
    }

    async fn get_mux(&self, request: Request<proto::GetMuxRequest>) -> Answered<proto::GetMuxResponse> {
        let mux = Some(self.move_valve(ValveOrder::Where, &request).await?);
        Ok(Response::new(proto::GetMuxResponse { mux }))
    }

    async fn home_mux(&self, request: Request<proto::HomeMuxRequest>) -> Answered<proto::HomeMuxResponse> {
        let mux = Some(self.move_valve(ValveOrder::Home, &request).await?);
        Ok(Response::new(proto::HomeMuxResponse { mux }))
    }

    async fn goto_channel(&self, request: Request<proto::GotoChannelRequest>) -> Answered<proto::GotoChannelResponse> {
        let count = self.services.control.plan_draft().channel_count;
        let channel = convert::channel(request.get_ref().channel, count).map_err(convert::status)?;
        let mux = Some(self.move_valve(ValveOrder::Goto(channel), &request).await?);
        Ok(Response::new(proto::GotoChannelResponse { mux }))
    }

    async fn accept_analyzer(
        &self,
        request: Request<proto::AcceptAnalyzerRequest>,
    ) -> Answered<proto::AcceptAnalyzerResponse> {
        let accepted = self.services.control.accept(DeviceKind::Analyzer, peer(&request).to_string()).await;
        answered(accepted.map(|known| proto::AcceptAnalyzerResponse { known }))
    }

    async fn accept_mux(&self, request: Request<proto::AcceptMuxRequest>) -> Answered<proto::AcceptMuxResponse> {
        let accepted = self.services.control.accept(DeviceKind::Multiplexer, peer(&request).to_string()).await;
        answered(accepted.map(|known| proto::AcceptMuxResponse { known }))
    }

    async fn get_storage(&self, _: Request<proto::GetStorageRequest>) -> Answered<proto::GetStorageResponse> {
        answered(self.upkeep().storage().await)
    }

    async fn get_config(&self, _: Request<proto::GetConfigRequest>) -> Answered<proto::GetConfigResponse> {
        Ok(Response::new(self.upkeep().settings()))
    }

    async fn check_config(&self, request: Request<proto::CheckConfigRequest>) -> Answered<proto::CheckConfigResponse> {
        Ok(Response::new(self.upkeep().check(request.get_ref())))
    }

    async fn reload_config(
        &self,
        request: Request<proto::ReloadConfigRequest>,
    ) -> Answered<proto::ReloadConfigResponse> {
        let who = peer(&request).named(&request.get_ref().operator);
        answered(self.upkeep().reload(who).await)
    }
}

fn change(Change { seq, was, now }: Change) -> proto::Change {
    proto::Change { seq, was, now }
}

fn answered<T>(answer: Result<T, Denied>) -> Answered<T> {
    answer.map(Response::new).map_err(convert::status)
}

/// Somebody by the name that they give, and by what the connection tells of them.
pub fn who(peer: &Caller, operator: &str) -> String {
    if operator.is_empty() { peer.to_string() } else { format!("{operator} ({peer})") }
}

pub fn peer<T>(request: &Request<T>) -> Caller {
    request.extensions().get().cloned().unwrap_or_else(Caller::unknown)
}
