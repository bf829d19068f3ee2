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
mod reload;
mod scheduler;
mod seams;
mod tidy;
mod upkeep;
mod verify;

use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::api::auth::Cookies;
use crate::api::{self, AccessInEffect, Address, Bound, Control, Plans, Services};
use crate::config::{Listen, Settings};
use crate::device::Analyzer;
use crate::domain::{Clock, Schedule, Wire};
use crate::runtime::clock::HostClock;
use crate::runtime::{self, Handle, Runtime};
use crate::store::{Store, StoreError};
use crate::stream::Hub;
use access::Material;
pub use core::{Core, Devices, Ground};
use equipment::Registrar;
pub use failure::DaemonFailure;
use mirroring::Mirroring;
use reload::Reloader;
pub use reload::Surroundings;
use scheduler::{Scheduler, SchedulerParts};
use seams::{AuditLedger, Files, Measuring, StoredArchive};
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
    /// What starts runs by the clock.
    minding: JoinHandle<()>,
    /// Tells that to stop, and what looks after old runs.
    stop_scheduling: CancellationToken,
    reloader: Arc<Reloader>,
    listeners: JoinHandle<()>,
    cancel: CancellationToken,
}

impl Daemon {
    /// Builds everything and begins to serve.
    pub async fn start(surroundings: Surroundings, scale: f64) -> Result<Self, DaemonFailure> {
        let settings = &surroundings.begin()?;
        let mut material = Material::need(settings)?;
        let bound = bind(settings, &material).await?;
        let Measurement { store, clock, schedules, handle, hub, analyzer, runtime } = measure(settings, scale).await?;
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let changing = watch::Sender::new(Arc::new(settings.clone()));
        let in_effect = changing.subscribe();
        let control: Arc<dyn Control> =
            Arc::new(Measuring { handle: handle.clone(), analyzer, settings: in_effect.clone() });
        let plans: Arc<dyn Plans> = Arc::new(Files { settings: in_effect.clone() });
        let (ordering, stored) = (control.clone(), plans.clone());
        let means = SchedulerParts { handle: handle.clone(), control: ordering, plans: stored, clock: clock.clone() };
        let stop_scheduling = CancellationToken::new();
        let (desk, minding) = Scheduler::start(means, schedules, stop_scheduling.clone());
        let mirroring = Mirroring::start(settings, store.clone(), handle.clone()).await;
        let broom = UpkeepParts {
            store: store.clone(),
            handle: handle.clone(),
            settings: in_effect.clone(),
            mirror: mirroring.mirror(),
            clock,
        };
        let tidy = Tidy::start(broom, stop_scheduling.clone());
        let cookies = Arc::new(Cookies::new(access::cookie_key(&settings.store.directory)?));
        let certificate = material.certificate.take();
        let access = Arc::new(AccessInEffect::new(material.access(settings, cookies)));
        let ledger: Arc<dyn api::Ledger> = Arc::new(AuditLedger::start(store.clone(), shared.clone()));
        let reloader = Arc::new(Reloader {
            surroundings,
            settings: changing,
            handle: handle.clone(),
            access: access.clone(),
            certificate,
            hub: hub.clone(),
            store: store.clone(),
            mirroring,
            ledger: ledger.clone(),
            one_at_a_time: Mutex::default(),
            hangups: Mutex::new(signal(SignalKind::hangup()).map_err(anyhow::Error::from)?),
        });
        let upkeep = House { store: store.clone(), settings: in_effect, reloader: reloader.clone() };
        let services = Services {
            control,
            archive: Arc::new(StoredArchive(store.clone())),
            plans,
            schedules: Arc::new(desk),
            folders: Arc::new(UpkeepQueue(tidy)),
            upkeep: Arc::new(upkeep),
            hub: hub.clone(),
            ledger,
            clock: shared,
            access,
        };
        let cancel = CancellationToken::new();
        let names = bound.iter().map(|bound| bound.name().to_owned()).collect();
        let listeners = tokio::spawn(api::serve(bound, services, cancel.clone()));
        let runtime = tokio::spawn(runtime.run());
        Ok(Self { handle, hub, store, names, runtime, minding, stop_scheduling, reloader, listeners, cancel })
    }

    /// Serves until it is told to stop, or cannot go on.
    pub async fn until_stopped(mut self) -> Result<(), DaemonFailure> {
        tokio::select! {
            () = self.reloader.reload_on_hangup() => {}
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
        self.stop_scheduling.cancel();
        if (&mut self.minding).await.is_err() {
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
        self.reloader.mirroring.stop().await;
        self.store.close().await;
    }
}

/// What measures, and keeps what was measured.
struct Measurement {
    store: Store,
    clock: HostClock,
    schedules: Vec<Schedule>,
    handle: Handle,
    hub: Arc<Hub>,
    analyzer: Analyzer,
    /// It does nothing until it is run.
    runtime: Runtime,
}

/// Opens the store, and sets everything to work but the runtime.
async fn measure(settings: &Settings, scale: f64) -> Result<Measurement, DaemonFailure> {
    let about = circumstances::of(settings);
    let (mut store, mut opened) =
        recovery::with_space(|| std::future::ready(Store::open(&settings.store.directory, about.clone()))).await?;
    let clock = HostClock::new(opened.last_tick + Duration::from_secs(1), opened.last_utc, scale);
    let schedules = std::mem::take(&mut opened.schedules);
    let wire = wire(settings, &mut store, Arc::new(clock.clone())).await?;
    let unasked = equipment::unasked(&store, opened.open_run.as_ref()).await;
    let ground = Ground { store: store.clone(), opened, clock: clock.clone(), run_ids: Box::new(runtime::new_run_id) };
    let start_devices = |reports| devices::start(settings, &clock, wire, &reports);
    let Core { handle, hub, analyzer, runtime, started } =
        Box::pin(Core::build(settings, ground, start_devices)).await?;
    let registrar = Registrar { handle: handle.clone(), analyzer: analyzer.clone(), clock: clock.clone() };
    tokio::spawn(registrar.run(unasked, started));
    Ok(Measurement { store, clock, schedules, handle, hub, analyzer, runtime })
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
            _ = hangup.recv() => {}
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
    Ok(Some(Arc::new(store.log_wire(clock, settings.min_free_bytes()).await?)))
}

async fn bind(settings: &Settings, material: &Material) -> Result<Vec<Bound>, DaemonFailure> {
    raise_file_limit();
    let mut bound = Vec::new();
    for listen in &settings.listen.addresses {
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
