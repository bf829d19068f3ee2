//! Builds all parts, joins them, and shuts them down in order.
//!
//! ```text
//! settings -> store -> hub -> analyzer, valve -> runtime -> api
//! ```
//!
//! At the end the other way round: the run is brought to its end, the stream says so, the listeners close, the store
//! is synced.

pub mod access;
mod changed;
mod check;
mod circumstances;
mod core;
pub mod demo;
mod devices;
mod equipment;
mod failure;
mod files;
mod mirroring;
mod plausible;
mod recovery;
mod scheduler;
mod seams;
mod tidy;
mod upkeep;
mod verify;

use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::api::{self, Address, Bound, Control, Plans, Services};
use crate::config::{Listen, Settings};
use crate::domain::{Clock, Wire};
use crate::runtime::clock::HostClock;
use crate::runtime::{self, Handle};
use crate::store::{Store, StoreError};
use crate::stream::Hub;
use access::Material;
pub use core::{Core, Devices, Ground};
use equipment::Registrar;
pub use failure::DaemonFailure;
use mirroring::Mirroring;
use scheduler::{Scheduler, SchedulerParts};
use seams::{Files, Keeping, Ledger, Measuring};
use tidy::{Tidy, UpkeepParts, UpkeepQueue};
use upkeep::House;
pub use verify::verify;

/// How long a shutdown may take before it is cut off.
const SHUTDOWN: Duration = Duration::from_secs(20);

/// A daemon that serves.
pub struct Daemon {
    pub handle: Handle,
    pub hub: Arc<Hub>,
    pub store: Store,
    pub names: Vec<String>,
    runtime: JoinHandle<Result<(), StoreError>>,
    /// What starts runs by the clock, and how it is told to stop.
    scheduling: (JoinHandle<()>, CancellationToken),
    mirroring: Option<Mirroring>,
    listeners: JoinHandle<()>,
    cancel: CancellationToken,
}

impl Daemon {
    /// Builds everything and begins to serve.
    pub async fn start(settings: &Settings, scale: f64) -> Result<Self, DaemonFailure> {
        settings.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        let material = Material::need(settings)?;
        raise_file_limit();
        let bound = bind(settings, &material).await?;
        let about = circumstances::of(settings);
        let (mut store, mut opened) =
            recovery::with_space(|| std::future::ready(Store::open(&settings.store.directory, about.clone()))).await?;
        let clock = HostClock::new(opened.last_tick + Duration::from_secs(1), opened.last_utc, scale);
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let schedules = std::mem::take(&mut opened.schedules);
        let wire = wire(settings, &mut store, shared.clone()).await?;
        let unasked = equipment::unasked(&store, opened.open_run.as_ref()).await;
        let ground =
            Ground { store: store.clone(), opened, clock: clock.clone(), run_ids: Box::new(runtime::new_run_id) };
        let start_devices = |reports| devices::start(settings, &clock, wire, &reports);
        let Core { handle, hub, analyzer, runtime, started } =
            Box::pin(Core::build(settings, ground, start_devices)).await?;
        let registrar = Registrar { handle: handle.clone(), analyzer: analyzer.clone(), clock: clock.clone() };
        tokio::spawn(registrar.run(unasked, started));
        let control: Arc<dyn Control> =
            Arc::new(Measuring { handle: handle.clone(), analyzer, settings: settings.clone() });
        let plans: Arc<dyn Plans> = Arc::new(Files { directories: settings.plan_directories() });
        let means = SchedulerParts {
            handle: handle.clone(),
            control: control.clone(),
            plans: plans.clone(),
            clock: clock.clone(),
        };
        let stop_scheduling = CancellationToken::new();
        let (desk, minding) = Scheduler::start(means, schedules, stop_scheduling.clone());
        let mirroring = Mirroring::start(settings, &store, handle.clone());
        let mirror = mirroring.as_ref().map(|mirroring| mirroring.mirror.clone());
        let tidy = Tidy::new(UpkeepParts {
            store: store.clone(),
            handle: handle.clone(),
            settings: settings.clone(),
            mirror: mirror.clone(),
            clock,
        });
        tokio::spawn(tidy::sweep(tidy.clone(), stop_scheduling.clone()));
        let services = Services {
            control,
            archive: Arc::new(Keeping(store.clone())),
            plans,
            schedules: Arc::new(desk),
            folders: Arc::new(UpkeepQueue(tidy)),
            upkeep: Arc::new(House { store: store.clone(), settings: settings.clone(), mirror }),
            hub: hub.clone(),
            ledger: Arc::new(Ledger::start(store.clone(), shared.clone())),
            clock: shared,
            access: Arc::new(material.access(settings, access::cookie_key(&settings.store.directory)?)),
        };
        let cancel = CancellationToken::new();
        let names = bound.iter().map(|bound| bound.name().to_owned()).collect();
        let listeners = tokio::spawn(api::serve(bound, services, cancel.clone()));
        let runtime = tokio::spawn(runtime.run());
        let scheduling = (minding, stop_scheduling);
        Ok(Self { handle, hub, store, names, runtime, scheduling, mirroring, listeners, cancel })
    }

    /// Serves until it is told to stop, or cannot go on.
    pub async fn until_stopped(mut self) -> Result<(), DaemonFailure> {
        tokio::select! {
            asked = asked_to_stop() => match asked {
                Ok(name) => tracing::info!("stopping on {name}"),
                Err(error) => tracing::error!(%error, "cannot hear signals; stopping"),
            },
            ended = &mut self.runtime => {
                self.close().await;
                return Ok(ended.map_err(anyhow::Error::from)??);
            }
        }
        self.stop().await
    }

    /// Brings the run to its end, tells everybody, and closes in order.
    pub async fn stop(mut self) -> Result<(), DaemonFailure> {
        sd_notify_best_effort(&[sd_notify::NotifyState::Stopping]);
        // What comes due from here on is for the next process.
        self.scheduling.1.cancel();
        if (&mut self.scheduling.0).await.is_err() {
            tracing::error!("the schedules broke");
        }
        self.handle.shut_down().await;
        let ended = timeout(SHUTDOWN, &mut self.runtime).await;
        if ended.is_err() {
            tracing::error!("the run did not end within {}s; the analyzer may still be measuring", SHUTDOWN.as_secs());
            self.runtime.abort();
        }
        self.close().await;
        match ended {
            Ok(ended) => Ok(ended.map_err(anyhow::Error::from)??),
            Err(_) => Ok(()),
        }
    }

    async fn close(&mut self) {
        self.cancel.cancel();
        if (&mut self.listeners).await.is_err() {
            tracing::error!("the listeners broke");
        }
        if let Some(mirroring) = self.mirroring.take() {
            mirroring.stop().await;
        }
        self.store.close().await;
    }
}

/// Waits for SIGTERM or SIGINT, and says which it was. A SIGHUP ends nothing.
pub async fn asked_to_stop() -> std::io::Result<&'static str> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok("SIGTERM"),
            _ = interrupt.recv() => return Ok("SIGINT"),
            _ = hangup.recv() => tracing::warn!("SIGHUP: nothing is reloaded in this version; restart to apply new settings"),
        }
    }
}

/// Tells the service manager, if there is one.
pub fn sd_notify_best_effort(state: &[sd_notify::NotifyState]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "cannot tell the service manager");
    }
}

/// A socket for each stream and each connection: as many as the system grants, not as many as it gives unasked.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

/// What keeps a log of what passes between host and analyzer, if that is wanted.
async fn wire(
    settings: &Settings,
    store: &mut Store,
    clock: Arc<dyn Clock>,
) -> Result<Option<Arc<dyn Wire>>, StoreError> {
    if !settings.store.raw_log {
        return Ok(None);
    }
    let min_free_bytes = u64::from(settings.store.min_free_mb) * 1_000_000;
    Ok(Some(Arc::new(store.log_wire(clock, min_free_bytes).await?)))
}

async fn bind(settings: &Settings, material: &Material) -> Result<Vec<Bound>, DaemonFailure> {
    let mut bound = Vec::new();
    for listen in &settings.listen {
        let address = match listen {
            Listen::Unix(path) => Address::Unix(path.clone()),
            Listen::Tcp(address) => Address::Tcp(address.clone()),
            Listen::Fd => Address::Fd,
        };
        for listener in api::bind(&address).await? {
            bound.push(material.secure(listener, settings)?);
        }
    }
    Ok(bound)
}
