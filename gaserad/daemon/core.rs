//! What measures, without the interface: recovery, hub, devices and runtime around a store.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::failure::DaemonFailure;
use super::recovery::{self, Recovered};
use super::seams::Events;
use crate::config::{Driver, OnRestart, Settings, gas_table};
use crate::device::{Analyzer, OwnedValve, Report};
use crate::domain::{Clock, KnownDevices, Pace, RunSummary};
use crate::engine::{Beginning, Guard, Lags, Limits};
use crate::runtime::clock::HostClock;
use crate::runtime::{Handle, RunIds, Runtime, RuntimeIdentity, RuntimeParts};
use crate::store::{Opened, Store};
use crate::stream::Hub;

/// The devices, each with its owner at work.
pub struct Devices {
    pub analyzer: Analyzer,
    pub valve: OwnedValve,
    pub identity: RuntimeIdentity,
}

/// What there is before there is anything that measures.
pub struct Ground {
    pub store: Store,
    pub opened: Opened,
    pub clock: HostClock,
    pub run_ids: RunIds,
}

pub struct Core {
    pub handle: Handle,
    pub hub: Arc<Hub>,
    pub analyzer: Analyzer,
    /// It does nothing until it is run.
    pub runtime: Runtime,
    /// Runs that have begun.
    pub started: mpsc::UnboundedReceiver<RunSummary>,
}

impl Core {
    /// Takes up or ends what the last process left, and sets everything to work but the runtime.
    pub async fn build(
        settings: &Settings,
        ground: Ground,
        devices: impl FnOnce(mpsc::UnboundedSender<Report>) -> Result<Devices, DaemonFailure>,
    ) -> Result<Self, DaemonFailure> {
        let Ground { store, opened, clock, run_ids } = ground;
        let Recovered { mut opened, state, resumes_after, ends, untouched } =
            Box::pin(recovery::recover(&store, &clock, opened, settings)).await?;
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let history = Arc::new(Events(store.clone()));
        let hub = Hub::start(settings.stream.clone(), shared, history, opened.last_seq);
        let (reports, inbox) = mpsc::unbounded_channel();
        let Devices { analyzer, valve, identity } = devices(reports)?;
        let pace = recovery::pace_before(&store, &opened).await?;
        let began = Beginning { resumes_after, ends, untouched, ..beginning(settings, &clock, &mut opened, pace) };
        let (starting, started) = mpsc::unbounded_channel();
        let (handle, runtime) = Runtime::new(RuntimeParts {
            clock,
            store,
            hub: hub.clone(),
            analyzer: analyzer.clone(),
            valve,
            reports: inbox,
            identity,
            guard: settings.guard.clone(),
            min_free_bytes: settings.min_free_bytes(),
            minds_the_clock: !settings.simulate,
            state,
            began,
            seq: opened.last_seq,
            run_ids,
            gases: gas_table(&settings.gases),
            started: starting,
        });
        Ok(Self { handle, hub, analyzer, runtime, started })
    }
}

/// What the engine is to know from the first.
fn beginning(settings: &Settings, clock: &HostClock, opened: &mut Opened, pace: Option<Pace>) -> Beginning {
    Beginning {
        limits: limits(settings, clock),
        stamp: settings.analyzer.stamp,
        pace,
        last_run: opened.last_run.take(),
        waiting: std::mem::take(&mut opened.waiting),
        reactions: settings.pause,
        after_restart: Some(settings.analyzer.after_restart),
        guard: settings
            .guard
            .as_ref()
            .map(|guard| Guard { every: clock.inside(guard.every), timeout: clock.inside(guard.timeout) }),
        resumable: settings.store.on_restart == OnRestart::Resume,
        owes_stop: opened.owes_stop,
        known: KnownDevices {
            minds_analyzer: !settings.simulate,
            minds_multiplexer: settings.driver() != Driver::Simulated,
            ..std::mem::take(&mut opened.known)
        },
        valve_simulated: settings.valve_is_simulated(),
        ..Beginning::default()
    }
}

/// The engine's patience. Devices answer in the time of the real world, so where the measured world runs faster they
/// get correspondingly more of its time.
fn limits(settings: &Settings, clock: &HostClock) -> Limits {
    let plain = Limits::default();
    let scaled = |limit: Duration| limit.max(clock.inside(limit));
    Limits {
        order: scaled(plain.order),
        valve: scaled(plain.valve),
        stop: scaled(plain.stop),
        grace: settings.analyzer.grace,
        iteration: plain.iteration,
        lags: Lags { phase: settings.analyzer.phase_lag, result: settings.analyzer.result_lag },
    }
}
