//! The hub behind the server of this project, in a daemon in which nothing happens.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gasera::api::auth::{Role, Seats, Token, Tokens};
use gasera::api::{
    Access, AccessInEffect, Address, Archive, ChannelLine, Checked, Chunk, ConfigReload, ConfigVerdict, Control,
    Copied, Detail, FileChunk, Folders, Holdings, InTrash, Ledger, Listed, NewSchedule, PlanMistake, PlanText, Plans,
    RunFile, Schedules, Services, Setting, Storage, StoredRun, Upkeep, Verdict, bind, serve,
};
use gasera::domain::status::{AnalyzerStatus, MultiplexerStatus};
use gasera::domain::{
    self, Aborted, Clock, Denied, DriftPoint, Inquiry, Moment, Phase, PlanDraft, PlanRequest, Progress, Published,
    Reason, RunId, Service, StartRequest, Started, Status, Tick, Told, Utc, ValveOrder, VisitMeans, Wanted,
};
use gasera::store::Audit;
use gasera::stream::{BoxFuture, History, Hub, Settings};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::event;
use crate::server::Serving;

/// How many events the history has: more than the ring.
const KEPT: usize = 5000;

pub struct Ours {
    hub: Arc<Hub>,
    kept: Arc<Kept>,
    address: SocketAddr,
}

impl Ours {
    pub async fn start() -> std::io::Result<Self> {
        let kept = Arc::new(Kept::default());
        let settings = Settings { max_connections: 20_000, ..Settings::default() };
        let hub = Hub::start(settings, Arc::new(Still), kept.clone(), 0);
        let bound = bind(&Address::Tcp("127.0.0.1:0".into())).await.map_err(std::io::Error::other)?;
        let name = bound[0].name().trim_start_matches("http://").to_owned();
        let seats = Seats { waiting: 20_000, seated: 1000, per_peer: 64 };
        let tokens = Tokens::parse(&Token::line(Role::Viewer, "screen", "wall")).unwrap_or_default();
        let services = Services {
            control: Arc::new(Still),
            archive: Arc::new(Still),
            plans: Arc::new(Still),
            schedules: Arc::new(Still),
            folders: Arc::new(Still),
            upkeep: Arc::new(Still),
            hub: hub.clone(),
            clock: Arc::new(Still),
            access: Arc::new(AccessInEffect::new(Access { seats, tokens, ..Access::local() })),
            ledger: Arc::new(Still),
        };
        tokio::spawn(serve(bound, services, CancellationToken::new()));
        Ok(Self { hub, kept, address: name.parse().map_err(std::io::Error::other)? })
    }
}

impl Serving for Ours {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn publish(&self, seq: u64) {
        let data = event::payload(seq);
        let event = Published { seq, name: "phase".into(), run: None, channel: Some(7), data };
        self.kept.keep(event.clone());
        self.hub.publish(vec![event]);
    }

    fn readers(&self) -> usize {
        self.hub.clients()
    }
}

/// The latest events, in the place of the database.
#[derive(Default)]
struct Kept(Mutex<VecDeque<Published>>);

impl Kept {
    fn keep(&self, event: Published) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back(event);
        if kept.len() > KEPT {
            kept.pop_front();
        }
    }
}

impl History for Kept {
    fn after(&self, seq: u64, limit: u32) -> BoxFuture<'_, Result<Vec<Published>, String>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = kept.partition_point(|event| event.seq <= seq);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let events = kept.range(first..).take(limit).cloned().collect();
        Box::pin(async move { Ok(events) })
    }
}

/// A daemon in which nothing happens.
struct Still;

impl Clock for Still {
    fn now(&self) -> Moment {
        Moment { tick: Tick::ZERO, utc: Utc::from_micros(0) }
    }

    fn outside(&self, duration: Duration) -> Duration {
        duration
    }
}

fn nothing<T: Send + 'static>() -> BoxFuture<'static, Result<T, Denied>> {
    Box::pin(async { Err(Denied::new(Reason::NoRun, "nothing is measured here")) })
}

impl Ledger for Still {
    fn note(&self, _: Audit) {}
}

impl Control for Still {
    fn start(&self, _: StartRequest) -> BoxFuture<'_, Result<Started, Denied>> {
        nothing()
    }

    fn abort(&self, _: String, _: Option<String>) -> BoxFuture<'_, Result<Aborted, Denied>> {
        nothing()
    }

    fn status(&self) -> BoxFuture<'_, Status> {
        let status = Status {
            timestamp: 0.0,
            phase: Phase::Idle,
            waiting_for: String::new(),
            until: None,
            progress: Progress::default(),
            run: None,
            last_run: None,
            queued: Vec::new(),
            analyzer: AnalyzerStatus::default(),
            multiplexer: MultiplexerStatus::default(),
            live_data: None,
            seq: 0,
            version: String::new(),
            simulated: true,
            clock_synchronized: None,
            mirror: None,
        };
        Box::pin(async move { status })
    }

    fn control(&self, _: domain::Control, _: String) -> BoxFuture<'_, Result<RunId, Denied>> {
        nothing()
    }

    fn accept(&self, _: domain::DeviceKind, _: String) -> BoxFuture<'_, Result<String, Denied>> {
        nothing()
    }

    fn move_valve(&self, _: ValveOrder, _: String) -> BoxFuture<'_, Result<MultiplexerStatus, Denied>> {
        nothing()
    }

    fn serve(&self, _: Service, _: String) -> BoxFuture<'_, Result<String, Denied>> {
        nothing()
    }

    fn inquire(&self, _: Inquiry) -> BoxFuture<'_, Result<Told, Denied>> {
        nothing()
    }

    fn plan_draft(&self) -> PlanDraft {
        PlanDraft::default()
    }

    fn channels(&self) -> Vec<ChannelLine> {
        Vec::new()
    }
}

impl Plans for Still {
    fn read(&self, _: &str, _: &PlanDraft) -> Result<PlanRequest, Vec<PlanMistake>> {
        Ok(PlanRequest::default())
    }

    fn find(&self, _: String) -> BoxFuture<'_, Result<PlanText, Denied>> {
        nothing()
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<PlanText>, Denied>> {
        nothing()
    }
}

impl Schedules for Still {
    fn list(&self, _: u32) -> BoxFuture<'_, Result<Vec<Listed>, Denied>> {
        nothing()
    }

    fn add(&self, _: NewSchedule, _: String, _: u32) -> BoxFuture<'_, Result<Listed, Denied>> {
        nothing()
    }

    fn remove(&self, _: String, _: String) -> BoxFuture<'_, Result<(), Denied>> {
        nothing()
    }

    fn enable(&self, _: String, _: bool, _: String, _: u32) -> BoxFuture<'_, Result<Listed, Denied>> {
        nothing()
    }
}

impl Folders for Still {
    fn files<'a>(&'a self, _: &'a RunId) -> BoxFuture<'a, Result<Vec<RunFile>, Denied>> {
        nothing()
    }

    fn read(&self, _: RunId, _: RunFile, _: mpsc::Sender<FileChunk>) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    fn trash(&self) -> BoxFuture<'_, Result<Vec<InTrash>, Denied>> {
        nothing()
    }

    fn remove(&self, _: Vec<String>, _: String, _: bool) -> BoxFuture<'_, Result<Vec<RunId>, Denied>> {
        nothing()
    }

    fn restore(&self, _: String, _: String) -> BoxFuture<'_, Result<RunId, Denied>> {
        nothing()
    }

    fn empty(&self, _: String) -> BoxFuture<'_, Result<Vec<RunId>, Denied>> {
        nothing()
    }
}

impl Upkeep for Still {
    fn storage(&self) -> BoxFuture<'_, Result<Storage, Denied>> {
        nothing()
    }

    fn settings(&self) -> Vec<Setting> {
        Vec::new()
    }

    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }

    fn check(&self, _: &str, _: &str) -> ConfigVerdict {
        ConfigVerdict::default()
    }

    fn reload(&self, _: String) -> BoxFuture<'_, Result<ConfigReload, Denied>> {
        nothing()
    }
}

impl Holdings for Still {
    fn check(&self, _: bool) -> BoxFuture<'_, Result<Checked, Denied>> {
        nothing()
    }

    fn backup(&self, _: mpsc::Sender<Result<Copied, Denied>>) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    fn drift(&self, _: Option<RunId>, _: Option<Utc>) -> BoxFuture<'_, Result<Vec<DriftPoint>, Denied>> {
        nothing()
    }
}

impl Archive for Still {
    fn runs(&self, _: u32) -> BoxFuture<'_, Result<Vec<StoredRun>, Denied>> {
        nothing()
    }

    fn find<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<RunId, Denied>> {
        nothing()
    }

    fn run<'a>(&'a self, _: &'a RunId) -> BoxFuture<'a, Result<Detail, Denied>> {
        nothing()
    }

    fn visit_means<'a>(&'a self, _: &'a RunId) -> BoxFuture<'a, Result<Vec<VisitMeans>, Denied>> {
        nothing()
    }

    fn events<'a>(&'a self, _: &'a RunId, _: u64, _: u32) -> BoxFuture<'a, Result<Vec<Published>, Denied>> {
        nothing()
    }

    fn verify<'a>(&'a self, _: &'a RunId) -> BoxFuture<'a, Result<Verdict, Denied>> {
        nothing()
    }

    fn export(&self, _: Vec<RunId>, _: Wanted) -> BoxFuture<'_, Result<mpsc::Receiver<Chunk>, Denied>> {
        nothing()
    }
}
