//! How the parts see each other: the runtime and the store as the interface and the stream want them.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::reload::InEffect;
use super::{check, verify};
use crate::api::{
    self, Archive, ChannelLine, Checked, Chunk, Control, Copied, Detail, Holdings, PlanMistake, PlanText, Plans,
    StoredRun, Verdict,
};
use crate::config::{self, ChannelTimes, KeptPlan, Mistake, Settings, ShelfError};
use crate::device::Analyzer;
use crate::domain::status::MultiplexerStatus;
use crate::domain::{
    self, Aborted, Channel, ChannelPlan, Clock, Denied, DeviceKind, DriftPoint, FaultKind, GasInfo, Inquiry, PlanDraft,
    PlanRequest, Published, Reason, RunId, RunSummary, Service, StartRequest, Started, Status, Told, Utc, ValveOrder,
    VisitMeans, Wanted,
};
use crate::export::ExportJob;
use crate::runtime::Handle;
use crate::store::{Audit, Batch, Piece, Store, StoreError};
use crate::stream::{BoxFuture, History};

/// Writes into the audit, one after the other, what comes from the interface.
pub(super) struct AuditLedger(mpsc::Sender<Audit>);

/// Entries that wait for the disk; further ones are only logged.
const ENTRIES: usize = 64;

impl AuditLedger {
    pub fn start(store: Store, clock: Arc<dyn Clock>) -> Self {
        let (entries, mut inbox) = mpsc::channel(ENTRIES);
        tokio::spawn(async move {
            while let Some(entry) = inbox.recv().await {
                let batch = Batch { moment: clock.now(), audit: vec![entry], ..Batch::default() };
                if let Err(error) = store.commit(batch).await {
                    tracing::warn!(%error, "an entry of the audit is lost");
                }
            }
        });
        Self(entries)
    }
}

impl api::Ledger for AuditLedger {
    fn note(&self, entry: Audit) {
        if let Err(error) = self.0.try_send(entry) {
            tracing::warn!(%error, "an entry of the audit is lost");
        }
    }
}

/// The runtime, with the settings' defaults for plans.
pub(super) struct Measuring {
    pub handle: Handle,
    pub analyzer: Analyzer,
    pub settings: InEffect,
}

impl Control for Measuring {
    fn start(&self, request: StartRequest) -> BoxFuture<'_, Result<Started, Denied>> {
        Box::pin(self.handle.start(request))
    }

    fn abort(&self, who: String, run: Option<String>) -> BoxFuture<'_, Result<Aborted, Denied>> {
        Box::pin(self.handle.abort(who, run))
    }

    fn control(&self, control: domain::Control, who: String) -> BoxFuture<'_, Result<RunId, Denied>> {
        Box::pin(self.handle.control(control, who))
    }

    fn move_valve(&self, order: ValveOrder, who: String) -> BoxFuture<'_, Result<MultiplexerStatus, Denied>> {
        Box::pin(async move {
            self.handle.move_valve(order, who.clone()).await?;
            if order != ValveOrder::Where {
                // So that what it says of itself is from after the move.
                self.handle.move_valve(ValveOrder::Where, who).await?;
            }
            Ok(self.handle.status().await?.multiplexer)
        })
    }

    fn serve(&self, service: Service, who: String) -> BoxFuture<'_, Result<String, Denied>> {
        Box::pin(self.handle.serve(service, who))
    }

    fn accept(&self, device: DeviceKind, who: String) -> BoxFuture<'_, Result<String, Denied>> {
        Box::pin(self.handle.accept(device, who))
    }

    fn inquire(&self, inquiry: Inquiry) -> BoxFuture<'_, Result<Told, Denied>> {
        Box::pin(async move {
            self.analyzer.inquire(inquiry).await.map_err(|fault| {
                let reason = match fault.kind {
                    FaultKind::Offline => Reason::AnalyzerOffline,
                    FaultKind::Busy => Reason::AnalyzerBusy,
                    FaultKind::TaskUnknown => Reason::TaskUnknown,
                    FaultKind::Refused | FaultKind::Superseded => Reason::AnalyzerRefused,
                };
                Denied::new(reason, fault.text)
            })
        })
    }

    fn status(&self) -> BoxFuture<'_, Status> {
        Box::pin(async { self.handle.status().await.unwrap_or_default() })
    }

    fn plan_draft(&self) -> PlanDraft {
        let settings = self.settings.borrow().clone();
        let Settings { plan, multiplexer, analyzer, channels, gases, .. } = settings.as_ref();
        let exceptions = channels.iter().map(|(channel, line)| exception(*channel, &line.times));
        // A gas may have a section only because it is described there.
        let discards = gases.iter().filter(|(_, gas)| gas.times.discard_first > 0);
        PlanDraft {
            channels: "all".into(),
            channel_count: multiplexer.channels,
            repeats: plan.repeats,
            purge: plan.purge,
            measure: plan.measure,
            task: analyzer.task.clone(),
            sync: plan.sync,
            settle: multiplexer.settle,
            discard_first: plan.discard_first,
            background: plan.background(),
            overlap: plan.overlap,
            park: multiplexer.park,
            exceptions: exceptions.filter(|own| *own != ChannelPlan::new(own.channel)).collect(),
            gas_discards: discards.map(|(cas, gas)| (cas.clone(), gas.times.discard_first)).collect(),
            ..PlanDraft::default()
        }
    }

    fn gases(&self) -> Vec<GasInfo> {
        config::gas_table(&self.settings.borrow().gases).all()
    }

    fn channels(&self) -> Vec<ChannelLine> {
        let settings = self.settings.borrow().clone();
        let line = |channel: Channel| {
            let own = settings.channels.get(&channel);
            let (label, kind) = own.map(|own| (own.info.label.clone(), own.info.kind)).unwrap_or_default();
            ChannelLine { channel, label, kind }
        };
        (1..=settings.multiplexer.channels).filter_map(Channel::new).map(line).collect()
    }
}

fn exception(channel: Channel, times: &ChannelTimes) -> ChannelPlan {
    ChannelPlan {
        channel,
        purge: times.purge,
        measure: times.measure,
        iterations: times.iterations,
        discard_first: times.discard_first,
    }
}

/// Plans in files, as the settings say where and how they are read.
pub(super) struct Files {
    pub settings: InEffect,
}

impl Plans for Files {
    fn read(&self, text: &str, defaults: &PlanDraft) -> Result<PlanRequest, Vec<PlanMistake>> {
        let mistake = |Mistake { line, column, text, .. }| PlanMistake { line, column, text };
        config::parse_plan(text, "", defaults).map_err(|error| error.0.into_iter().map(mistake).collect())
    }

    fn find(&self, name: String) -> BoxFuture<'_, Result<PlanText, Denied>> {
        Box::pin(self.with_directories(move |directories| config::find_plan(directories, &name).map(plan_text)))
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<PlanText>, Denied>> {
        let list =
            |directories: &[PathBuf]| Ok(config::list_plans(directories)?.into_iter().filter_map(told).collect());
        Box::pin(self.with_directories(list))
    }
}

impl Files {
    /// Reads files where that keeps nobody waiting.
    async fn with_directories<T: Send + 'static>(
        &self,
        read: impl FnOnce(&[PathBuf]) -> Result<T, ShelfError> + Send + 'static,
    ) -> Result<T, Denied> {
        let directories = self.settings.borrow().plan_directories();
        let found = tokio::task::spawn_blocking(move || read(&directories)).await;
        found.map_err(|error| Denied::new(Reason::Internal, error.to_string()))?.map_err(not_shelved)
    }
}

fn plan_text(plan: KeptPlan) -> PlanText {
    PlanText { name: plan.name, path: plan.path.display().to_string(), text: plan.text }
}

/// A plan that cannot be read is no reason not to list the others.
fn told(plan: Result<KeptPlan, ShelfError>) -> Option<PlanText> {
    plan.inspect_err(|error| tracing::warn!("{error}")).ok().map(plan_text)
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
fn not_shelved(error: ShelfError) -> Denied {
    let reason = match error {
        ShelfError::Name(_) | ShelfError::NotFound { .. } => Reason::PlanUnknown,
        ShelfError::Unreadable { .. } => Reason::Internal,
    };
    Denied::new(reason, error.to_string())
}

/// The store, as the place of past runs.
pub(super) struct StoredArchive(pub Store);

impl StoredArchive {
    fn stored(&self, run: RunSummary) -> StoredRun {
        let folder: PathBuf = self.0.run_folder(&run);
        StoredRun { run, folder }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
pub(super) fn denied(error: StoreError) -> Denied {
    let reason = match error {
        StoreError::NotFound(_) | StoreError::Ambiguous { .. } => Reason::RunUnknown,
        _ => Reason::Internal,
    };
    Denied::new(reason, error.to_string())
}

impl Holdings for StoredArchive {
    fn check(&self, files: bool) -> BoxFuture<'_, Result<Checked, Denied>> {
        Box::pin(async move { check::check(&self.0, files).await.map_err(denied) })
    }

    fn backup(&self, pieces: mpsc::Sender<Result<Copied, Denied>>) -> BoxFuture<'_, ()> {
        Box::pin(async move { check::backup(&self.0, pieces).await })
    }

    fn drift(&self, run: Option<RunId>, since: Option<Utc>) -> BoxFuture<'_, Result<Vec<DriftPoint>, Denied>> {
        Box::pin(async move { self.0.drift(run, since).await.map_err(denied) })
    }
}

impl Archive for StoredArchive {
    fn runs(&self, limit: u32) -> BoxFuture<'_, Result<Vec<StoredRun>, Denied>> {
        Box::pin(async move {
            let runs = self.0.runs(limit).await.map_err(denied)?;
            Ok(runs.into_iter().map(|run| self.stored(run)).collect())
        })
    }

    fn find<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<RunId, Denied>> {
        Box::pin(async move { self.0.find_run(name).await.map_err(denied) })
    }

    fn run<'a>(&'a self, id: &'a RunId) -> BoxFuture<'a, Result<Detail, Denied>> {
        Box::pin(async move {
            let (run, visits) = self.0.run(id).await.map_err(denied)?;
            let notes = self.0.notes(id).await.map_err(denied)?;
            Ok(Detail { stored: self.stored(run), visits, notes })
        })
    }

    fn visit_means<'a>(&'a self, id: &'a RunId) -> BoxFuture<'a, Result<Vec<VisitMeans>, Denied>> {
        Box::pin(async move { self.0.visit_means(id).await.map_err(denied) })
    }

    fn events<'a>(&'a self, id: &'a RunId, seq: u64, limit: u32) -> BoxFuture<'a, Result<Vec<Published>, Denied>> {
        Box::pin(async move { self.0.events_of(id, seq, limit).await.map_err(denied) })
    }

    fn verify<'a>(&'a self, id: &'a RunId) -> BoxFuture<'a, Result<Verdict, Denied>> {
        Box::pin(async move { verify(&self.0, id).await.map_err(denied) })
    }

    fn export(&self, ids: Vec<RunId>, wanted: Wanted) -> BoxFuture<'_, Result<mpsc::Receiver<Chunk>, Denied>> {
        Box::pin(async move {
            let mut sheets = Vec::with_capacity(ids.len());
            for id in &ids {
                sheets.push(self.0.sheet(id).await.map_err(denied)?);
            }
            let job = ExportJob::new(wanted, sheets);
            let job = job.map_err(|error| Denied::new(Reason::RequestInvalid, error.to_string()))?;
            let (pieces, made) = mpsc::channel(PIECES);
            let (chunks, receiver) = mpsc::channel(1);
            let store = self.0.clone();
            tokio::spawn(async move { store.export_as(job, pieces).await });
            tokio::spawn(pass_on(made, chunks));
            Ok(receiver)
        })
    }
}

/// More than this is sent in parts: clients take messages of 4 MiB.
const PART: usize = 1 << 20;
/// Pieces of an export that may wait for their reader.
const PIECES: usize = 1;

/// Until it is through, or nobody receives any more.
async fn pass_on(mut made: mpsc::Receiver<Result<Piece, StoreError>>, chunks: mpsc::Sender<Chunk>) {
    while let Some(piece) = made.recv().await {
        let sent = match piece {
            Ok(piece) => in_parts(piece, &chunks).await,
            Err(error) => chunks.send(Err(error.to_string())).await.is_ok(),
        };
        if !sent {
            return;
        }
    }
}

async fn in_parts(piece: Piece, chunks: &mpsc::Sender<Chunk>) -> bool {
    if piece.bytes.len() <= PART {
        return chunks.send(Ok(piece)).await.is_ok();
    }
    for part in piece.bytes.chunks(PART) {
        if chunks.send(Ok(Piece { bytes: part.to_vec(), ..piece })).await.is_err() {
            return false;
        }
    }
    true
}

/// The store, as the memory of the stream.
pub(super) struct Events(pub Store);

impl History for Events {
    fn after(&self, seq: u64, limit: u32) -> BoxFuture<'_, Result<Vec<Published>, String>> {
        Box::pin(async move { self.0.events_after(seq, limit).await.map_err(|error| error.to_string()) })
    }
}
