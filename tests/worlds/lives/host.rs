//! The host of a life: one real daemon after the other, without its listeners, on one plant and one disk.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gasera::config::{self, Environment, Overrides, Settings};
use gasera::daemon::{Core, Devices, Ground};
use gasera::device::multiplexer::simulated;
use gasera::device::{Analyzer, AnalyzerSettings, OwnedValve};
use gasera::domain::{Clock, Denied, Reason, RunId, Status};
use gasera::runtime::clock::HostClock;
use gasera::runtime::{Handle, RuntimeIdentity};
use gasera::simulator::Simulator;
use gasera::store::{ChannelLabels, Store, StoreWork};
use gasera::stream::{Format, Hub, SubscribeRequest};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::sleep;

use super::disk::Medium;
use crate::support::stack::clock::PausedClock;
use crate::support::stack::dice::Dice;
use crate::support::stack::wire::Wire;
use crate::support::stack::{Design, Sink, plant, somebody_else_asks};

/// What was asked of a daemon, by somebody who asks once.
pub struct Asked {
    pub who: String,
    pub answer: JoinHandle<Result<(), Denied>>,
}

pub struct Host {
    design: Design,
    settings: String,
    /// The host's; nobody sets the plant's.
    pub clock: Arc<PausedClock>,
    pub simulator: Simulator,
    pub truth: Sink,
    pub analyzer_wire: Wire,
    pub valve_wire: Wire,
    pub disk: Arc<Medium>,
    folder: TempDir,
    /// The directory that is the disk now.
    place: u32,
    /// Starts and crashes.
    count: (usize, usize),
    process: Option<Process>,
    runs: Arc<AtomicU64>,
    /// What a reader of the stream was told, line by line with its number, over all daemons.
    pub told: Arc<Mutex<Vec<(u64, String)>>>,
    pub asked: Vec<Asked>,
}

/// One daemon.
struct Process {
    up: watch::Receiver<Option<Up>>,
    life: JoinHandle<()>,
    owners: Arc<Mutex<Vec<AbortHandle>>>,
}

/// What there is once it is up.
#[derive(Clone)]
struct Up {
    store: Store,
    handle: Option<Handle>,
}

/// In memory, where there is such a place.
fn folder() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap()
}

impl Host {
    pub fn new(design: &Design, settings: &str) -> Self {
        let clock = Arc::new(PausedClock::new());
        let truth = Sink::default();
        let simulator = Simulator::new(plant(design, &truth), Arc::new(PausedClock::new()));
        Self {
            settings: settings.to_owned(),
            analyzer_wire: Wire::new(simulated::analyzer_dial(&simulator)),
            valve_wire: Wire::new(design.driver.dial(&simulator)),
            disk: Arc::new(Medium::new(clock.clone(), design.seed)),
            design: design.clone(),
            clock,
            simulator,
            truth,
            folder: folder(),
            place: 0,
            count: (0, 0),
            process: None,
            runs: Arc::default(),
            told: Arc::default(),
            asked: Vec::new(),
        }
    }

    pub fn directory(&self) -> PathBuf {
        self.folder.path().join(self.place.to_string())
    }

    /// A daemon begins on what the one before has left.
    pub fn boot(&mut self) {
        self.count.0 += 1;
        let directory = self.directory();
        let settings = settings(&format!("{}\ndirectory = {:?}\n", self.settings, directory.display().to_string()));
        let wall = self.clock.clone();
        let work = StoreWork::Caller(self.disk.clone());
        let (store, opened) = Store::open_by(work, &directory, ChannelLabels::new()).expect("it opens");
        let first = opened.last_tick + Duration::from_secs(1);
        let clock = HostClock::by(Arc::new(move || wall.now().utc), first, opened.last_utc, 1.0);
        let runs = self.runs.clone();
        let run_ids = Box::new(move |_| RunId(format!("RUN{:04}", runs.fetch_add(1, Ordering::Relaxed))));
        let owners = Arc::<Mutex<Vec<AbortHandle>>>::default();
        let devices = self.devices(Arc::new(clock.clone()), owners.clone());
        let ground = Ground { store: store.clone(), opened, clock, run_ids };
        let (tell, up) = watch::channel(Some(Up { store: store.clone(), handle: None }));
        let (told, reading) = (self.told.clone(), owners.clone());
        let life = tokio::spawn(async move {
            let core = Box::pin(Core::build(&settings, ground, devices)).await.map_err(|error| error.sentence());
            let core = core.unwrap_or_else(|sentence| panic!("no daemon: {sentence}"));
            reading.lock().unwrap().push(tokio::spawn(read(core.hub, told)).abort_handle());
            tell.send_replace(Some(Up { store, handle: Some(core.handle) }));
            core.runtime.run().await.expect("the store holds");
            tell.send_replace(None);
        });
        self.process = Some(Process { up, life, owners });
    }

    fn devices(
        &self,
        clock: Arc<dyn Clock>,
        owners: Arc<Mutex<Vec<AbortHandle>>>,
    ) -> impl FnOnce(
        tokio::sync::mpsc::UnboundedSender<gasera::device::Report>,
    ) -> Result<Devices, gasera::daemon::DaemonFailure>
    + use<> {
        let design = self.design.clone();
        let (simulator, valve_wire) = (self.simulator.clone(), self.valve_wire.clone());
        let dial = self.analyzer_wire.dial();
        move |reports| {
            let settings = AnalyzerSettings {
                dial,
                mode: design.mode,
                poll: design.poll,
                idle_poll: design.poll.max(Duration::from_secs(2)),
                start_patience: Duration::from_secs(5),
                stop_patience: Duration::from_secs(120),
            };
            let (analyzer, owner) = Analyzer::new(settings, clock.clone(), reports.clone());
            let mut owners = owners.lock().unwrap();
            owners.push(tokio::spawn(owner).abort_handle());
            let driver = design.driver.build(&design, &simulator, &valve_wire, clock.clone());
            let (valve, owner) = OwnedValve::new(driver, clock, reports);
            owners.push(tokio::spawn(owner).abort_handle());
            let identity = RuntimeIdentity {
                analyzer_address: String::new(),
                driver: String::new(),
                channels: design.channels,
                simulated: true,
            };
            Ok(Devices { analyzer, valve, identity })
        }
    }

    pub fn boots(&self) -> usize {
        self.count.0
    }

    pub fn crashes(&self) -> usize {
        self.count.1
    }

    pub fn now(&self) -> gasera::domain::Tick {
        self.clock.now().tick
    }

    /// The daemon's handle, if there is one already and still.
    pub fn handle(&self) -> Option<Handle> {
        self.process.as_ref()?.up.borrow().as_ref()?.handle.clone()
    }

    pub fn store(&self) -> Option<Store> {
        Some(self.process.as_ref()?.up.borrow().as_ref()?.store.clone())
    }

    /// The power fails; whatever the daemon held in memory is gone.
    pub async fn crash(&mut self, dice: &mut Dice) {
        let before = self.directory();
        self.place += 1;
        self.count.1 += 1;
        self.disk.as_the_power_leaves_it(&before, &self.directory(), dice);
        self.end().await;
        std::fs::remove_dir_all(before).unwrap();
    }

    /// The daemon is told to stop, and is cut off where it does not.
    pub async fn shut_down(&mut self) {
        if let Some(handle) = self.handle() {
            handle.shut_down().await;
        }
        if let Some(process) = &mut self.process {
            // It is cut off below.
            let _ = tokio::time::timeout(Duration::from_secs(20), &mut process.life).await;
        }
        self.end().await;
    }

    async fn end(&mut self) {
        let store = self.store();
        let Some(process) = self.process.take() else { return };
        process.life.abort();
        process.owners.lock().unwrap().iter().for_each(AbortHandle::abort);
        if !process.life.is_finished() {
            // It was cut off.
            let _ = process.life.await;
        }
        if let Some(store) = store {
            store.close().await;
        }
        // Connections of the daemon that is gone break.
        sleep(Duration::from_millis(1)).await;
    }

    /// Somebody asks for something, once; with nobody there he goes away again.
    pub fn ask<F: Future<Output = Result<(), Denied>> + Send + 'static>(
        &mut self,
        ask: impl FnOnce(Handle, String) -> F,
    ) {
        let Some(handle) = self.handle() else { return };
        let who = format!("person {}", self.asked.len());
        let answer = tokio::spawn(ask(handle, who.clone()));
        self.asked.push(Asked { who, answer });
    }

    /// Somebody else's program asks the analyzer something; gives the reply's text.
    pub async fn somebody_else_asks(&self, request: &str) -> String {
        somebody_else_asks(&self.simulator, request).await
    }

    pub async fn status(&self) -> Option<Status> {
        self.handle()?.status().await.ok()
    }
}

/// Somebody follows all that happens, from where he was.
async fn read(hub: Arc<Hub>, told: Arc<Mutex<Vec<(u64, String)>>>) {
    let last = told.lock().unwrap().last().map_or(0, |(seq, _)| *seq);
    let request = SubscribeRequest { format: Format::Lines, last_event_id: Some(last), ..SubscribeRequest::default() };
    let Ok(mut cursor) = hub.subscribe(request, Box::pin(async { Status::default() })) else { return };
    drop(hub);
    while let Some(frames) = cursor.next().await {
        for frame in frames {
            let line = String::from_utf8(frame.to_vec()).unwrap();
            let number = line.strip_prefix("{\"id\":").and_then(|rest| rest.split(',').next()?.parse().ok());
            told.lock().unwrap().extend(number.map(|number| (number, line)));
        }
    }
}

fn settings(text: &str) -> Settings {
    let environment = Environment { system: true, ..Environment::default() };
    let overrides = Overrides { simulate: true, ..Overrides::default() };
    config::parse(text, "life", &overrides, &environment).unwrap_or_else(|error| panic!("{error}"))
}

/// Nobody was there to answer, any more or yet.
pub fn is_gone(denied: &Denied) -> bool {
    denied.reason == Reason::ShuttingDown
}
