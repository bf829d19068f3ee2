//! The hub behind the server of this project, in a daemon in which nothing happens.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gasera::api::{
    Address, Archive, Chunk, Control, Detail, PlanMistake, PlanText, Plans, Services, StoredRun, Verdict, bind, serve,
};
use gasera::domain::status::{AnalyzerStatus, MultiplexerStatus};
use gasera::domain::{
    self, Aborted, Clock, Denied, Inquiry, Moment, Phase, PlanDraft, PlanRequest, Progress, Published, Reason, RunId,
    Service, StartRequest, Started, Status, Tick, Told, Utc, ValveOrder,
};
use gasera::stream::{BoxFuture, History, Hub, Settings};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{FLOOD, PACED, Way, payload};

pub struct Ours {
    hub: Arc<Hub>,
    address: SocketAddr,
    cancel: CancellationToken,
}

impl Ours {
    pub async fn start() -> std::io::Result<Self> {
        let hub = Hub::start(Settings::default(), Arc::new(Still), Arc::new(Still), 0);
        let bound = bind(&Address::Tcp("127.0.0.1:0".into())).await.map_err(std::io::Error::other)?;
        let name = bound[0].name().trim_start_matches("http://").to_owned();
        let services = Services {
            control: Arc::new(Still),
            archive: Arc::new(Still),
            plans: Arc::new(Still),
            hub: hub.clone(),
            clock: Arc::new(Still),
        };
        let cancel = CancellationToken::new();
        tokio::spawn(serve(bound, services, cancel.clone()));
        Ok(Self { hub, address: name.parse().map_err(std::io::Error::other)?, cancel })
    }
}

impl Way for Ours {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn publish(&self, seq: u64) {
        let data = payload(seq).to_string();
        self.hub.publish(vec![Published { seq, name: "phase".into(), run: None, channel: Some(7), data }]);
    }

    fn readers(&self) -> usize {
        self.hub.clients()
    }

    fn stop(self) {
        self.cancel.cancel();
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

impl History for Still {
    /// All that was published, as the store would have it.
    fn after(&self, seq: u64, limit: u32) -> BoxFuture<'_, Result<Vec<Published>, String>> {
        let last = (PACED + FLOOD).min(seq + u64::from(limit));
        let event =
            |seq| Published { seq, name: "phase".into(), run: None, channel: Some(7), data: payload(seq).to_string() };
        let events = (seq + 1..=last).map(event).collect();
        Box::pin(async move { Ok(events) })
    }
}

fn nothing<T: Send + 'static>() -> BoxFuture<'static, Result<T, Denied>> {
    Box::pin(async { Err(Denied::new(Reason::NoRun, "nothing is measured here")) })
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
        };
        Box::pin(async move { status })
    }

    fn control(&self, _: domain::Control, _: String) -> BoxFuture<'_, Result<RunId, Denied>> {
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

    fn verify<'a>(&'a self, _: &'a RunId) -> BoxFuture<'a, Result<Verdict, Denied>> {
        nothing()
    }

    fn export(&self, _: RunId, _: mpsc::Sender<Chunk>) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}
