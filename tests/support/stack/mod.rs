//! Everything but the store and the interface, in virtual time: the real engine, the real owners of both devices and
//! their drivers and sessions, and the plant as bytes.
//!
//! Time stands still while anything can go on and then jumps to the next thing that is waited for, so that a night of
//! measuring takes a moment. The loop is the runtime's: select, stamp, step, perform. There is no store, since a thread
//! of its own would let time jump while it works.

pub mod clock;
pub mod dice;
pub mod ledger;
pub mod valves;
pub mod wire;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gasera::device::multiplexer::simulated;
use gasera::device::{Analyzer, AnalyzerSettings, OwnedValve, Report, SessionMode};
use gasera::domain::{
    AfterRestart, Clock, Denied, Done, Event, Fact, IfMeasuring, KnownDevices, KnownMultiplexer, Moment, Outcome, Plan,
    Record, RunId, StartRequest, ValveDescription, VisitSummary,
};
use gasera::engine::{self, Beginning, Effect, Limits, RequestId, State, What};
use gasera::simulator::{Faults, PlantSettings, Simulator, Truth};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::sleep_until;

use clock::PausedClock;
use valves::Driver;
use wire::{Line, Wire};

/// What a world is made of.
#[derive(Debug, Clone)]
pub struct Design {
    /// The plant's faults file.
    pub faults: String,
    pub cycle: Duration,
    pub seed: u64,
    pub driver: Driver,
    /// Of the valve.
    pub ports: u8,
    /// How many of them are configured.
    pub channels: u8,
    pub poll: Duration,
    pub mode: SessionMode,
    pub limits: Limits,
    pub after_restart: AfterRestart,
}

impl Default for Design {
    fn default() -> Self {
        Self {
            faults: String::new(),
            cycle: Duration::from_secs(58),
            seed: 1,
            driver: Driver::default(),
            ports: 31,
            channels: 31,
            poll: Duration::from_secs(1),
            mode: SessionMode::Auto,
            limits: Limits::default(),
            after_restart: AfterRestart::Resume,
        }
    }
}

pub struct Stack {
    pub state: State,
    /// The host's clock. The plant has one of its own, which nobody sets.
    pub clock: Arc<PausedClock>,
    plant_clock: Arc<PausedClock>,
    pub simulator: Simulator,
    /// All that the engine did, and when.
    pub effects: Vec<(Moment, Effect)>,
    /// To the analyzer and to the valve.
    pub analyzer_wire: Wire,
    pub valve_wire: Wire,
    analyzer: Analyzer,
    valve: OwnedValve,
    /// Who the valve's owner was told may be moved.
    expected: Option<KnownMultiplexer>,
    reports: mpsc::UnboundedReceiver<Report>,
    truth: Sink,
    requests: u64,
}

impl Stack {
    /// Everything is switched on. Within a runtime whose time is paused.
    pub fn new(design: &Design) -> Self {
        let clock = Arc::new(PausedClock::new());
        let truth = Sink::default();
        let plant_clock = Arc::new(PausedClock::new());
        let simulator = Simulator::new(plant(design, &truth), plant_clock.clone());
        let analyzer_wire = Wire::new(simulated::analyzer_dial(&simulator));
        let valve_wire = Wire::new(design.driver.dial(&simulator));
        let (sender, reports) = mpsc::unbounded_channel();
        let shared: Arc<dyn Clock> = clock.clone();
        let settings = AnalyzerSettings {
            dial: analyzer_wire.dial(),
            mode: design.mode,
            poll: design.poll,
            idle_poll: design.poll.max(Duration::from_secs(2)),
            start_patience: Duration::from_secs(5),
            stop_patience: Duration::from_secs(120),
        };
        let (analyzer, owner) = Analyzer::new(settings, shared.clone(), sender.clone());
        tokio::spawn(owner);
        let driver = design.driver.build(design, &simulator, &valve_wire, shared.clone());
        let (valve, owner) = OwnedValve::new(driver, shared, sender);
        tokio::spawn(owner);
        Self {
            state: State::new(Beginning {
                limits: design.limits,
                after_restart: Some(design.after_restart),
                // Both are to be known again, like real ones.
                known: KnownDevices { minds_analyzer: true, minds_multiplexer: true, ..KnownDevices::default() },
                ..Beginning::default()
            }),
            clock,
            plant_clock,
            simulator,
            effects: Vec::new(),
            analyzer_wire,
            valve_wire,
            analyzer,
            valve,
            expected: None,
            reports,
            truth,
            requests: 0,
        }
    }

    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Asks for a run as soon as both devices are there. Where some valves stand nobody knows before the first run.
    pub async fn start(&mut self, plan: Plan) -> RequestId {
        self.start_if(plan, IfMeasuring::Refuse).await
    }

    /// The same, and what is to happen if somebody else measures already.
    pub async fn start_if(&mut self, plan: Plan, if_measuring: IfMeasuring) -> RequestId {
        let nothing = ValveDescription::default();
        self.run_until(Duration::from_secs(600), |state| {
            let valve = state.valve();
            state.analyzer().online && (valve.position.channel().is_some() || valve.description != nothing)
        })
        .await;
        let request = self.request();
        let asked = StartRequest { if_measuring, ..StartRequest::new(plan, "somebody") };
        self.step(What::Start { request, run: RunId(format!("RUN{}", request.0)), asked: Box::new(asked) });
        request
    }

    pub fn abort(&mut self) -> RequestId {
        let request = self.request();
        self.step(What::Abort { request, who: "somebody".into() });
        request
    }

    fn request(&mut self) -> RequestId {
        self.requests += 1;
        RequestId(self.requests)
    }

    /// Goes on until no run is under way.
    pub async fn settle(&mut self, limit: Duration) {
        self.run_until(limit, |state| !state.is_busy()).await;
        assert!(!self.state.is_busy(), "after {limit:?} still waiting for {:?}", self.state.deadline());
    }

    pub async fn run_for(&mut self, time: Duration) {
        self.run_until(time, |_| false).await;
    }

    /// Goes on until it is so, but no longer than `limit`.
    pub async fn run_until(&mut self, limit: Duration, reached: impl Fn(&State) -> bool) {
        let end = self.clock.now().tick + limit;
        while !reached(&self.state) {
            let deadline = self.state.deadline().map(|(tick, _)| tick);
            let wake = deadline.map_or(end, |deadline| deadline.min(end));
            let what = tokio::select! {
                biased;
                Some(report) = self.reports.recv() => Some(what_of(report)),
                () = sleep_until(self.clock.instant(wake)) => None,
            };
            let now = self.clock.now().tick;
            match what {
                Some(what) => self.step(what),
                None if deadline.is_some_and(|deadline| deadline <= now) => self.step(What::DeadlineReached),
                None => {}
            }
            if now >= end {
                return;
            }
        }
    }

    /// The daemon is stopped for so long, like a process by SIGSTOP: nothing of it runs meanwhile, and then all is late.
    pub async fn stop_daemon(&mut self, time: Duration) {
        tokio::time::advance(time).await;
    }

    /// The host is suspended for so long: the plant goes on, and no timer of the daemon does.
    pub fn suspend_host(&mut self, time: Duration) {
        self.plant_clock.suspend(time);
        self.clock.suspend(time);
    }

    /// The analyzer goes on, and is not reached for so long.
    pub async fn analyzer_out_of_reach(&mut self, line: Line, time: Duration) {
        self.analyzer_wire.be(line);
        self.run_for(time).await;
        self.analyzer_wire.be(Line::Sound);
    }

    fn step(&mut self, what: What) {
        let at = self.clock.now();
        let (state, effects) = engine::step(std::mem::take(&mut self.state), engine::Event { at, what });
        self.state = state;
        for effect in effects {
            match &effect {
                Effect::Analyzer { id, order } => self.analyzer.order(*id, order.clone()),
                Effect::Valve { id, order } => {
                    let known = self.state.known_multiplexer();
                    if self.expected.as_ref() != known {
                        self.expected = known.cloned();
                        self.valve.expect(self.expected.clone());
                    }
                    self.valve.order(*id, *order);
                }
                Effect::Keep(_) | Effect::Tell(_) | Effect::Reply { .. } | Effect::Guard { .. } => {}
            }
            self.effects.push((at, effect));
        }
    }

    /// Somebody else's program asks the analyzer something, like `STPM K0`; gives the reply's text.
    pub async fn somebody_else_asks(&self, request: &str) -> String {
        somebody_else_asks(&self.simulator, request).await
    }

    /// Somebody turns the VICI valve by another way than ours.
    pub async fn somebody_else_turns_to(&self, port: u8) {
        let mut stream = self.simulator.connect_valve();
        stream.write_all(format!("GO{port:02}\r").as_bytes()).await.expect("the simulator takes it");
        // It has heard the one when it answers the other.
        stream.write_all(b"NP\r").await.expect("the simulator takes it");
        stream.read_u8().await.expect("the simulator answers");
    }

    /// What every iteration up to now really sampled.
    pub fn truth(&self) -> Vec<Truth> {
        self.simulator.catch_up();
        self.truth.truth()
    }

    fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.effects.iter().filter_map(|(_, effect)| if let Effect::Keep(fact) = effect { Some(fact) } else { None })
    }

    pub fn events(&self) -> impl Iterator<Item = (Moment, &Event)> {
        self.effects
            .iter()
            .filter_map(|(at, effect)| if let Effect::Tell(event) = effect { Some((*at, event)) } else { None })
    }

    pub fn records(&self) -> Vec<&Record> {
        self.facts().filter_map(|fact| if let Fact::Recorded(record) = fact { Some(record) } else { None }).collect()
    }

    pub fn visits(&self) -> Vec<&VisitSummary> {
        self.facts()
            .filter_map(|fact| if let Fact::VisitStarted { visit, .. } = fact { Some(visit) } else { None })
            .collect()
    }

    pub fn endings(&self) -> Vec<(Outcome, String)> {
        let ended = |fact: &Fact| match fact {
            Fact::RunEnded { outcome, reason, .. } => Some((*outcome, reason.clone())),
            _ => None,
        };
        self.facts().filter_map(ended).collect()
    }

    pub fn replies(&self, wanted: RequestId) -> Vec<Result<Done, Denied>> {
        let replied = |effect: &Effect| match effect {
            Effect::Reply { request, answer } if *request == wanted => Some(answer.clone()),
            _ => None,
        };
        self.effects.iter().filter_map(|(_, effect)| replied(effect)).collect()
    }
}

/// Somebody else's program asks the analyzer something, like `STPM K0`; gives the reply's text. Of a plant that breaks its
/// connections or stalls it asks again.
pub async fn somebody_else_asks(simulator: &Simulator, request: &str) -> String {
    const PATIENCE: Duration = Duration::from_secs(30);
    loop {
        if let Ok(Some(reply)) = tokio::time::timeout(PATIENCE, asked_once(simulator, request)).await {
            return reply;
        }
    }
}

async fn asked_once(simulator: &Simulator, request: &str) -> Option<String> {
    let mut stream = simulator.connect_analyzer();
    stream.write_all(format!("\x02 {request} \x03").as_bytes()).await.ok()?;
    let mut reply = Vec::new();
    loop {
        match stream.read_u8().await.ok()? {
            0x02 => reply.clear(),
            0x03 if reply.trim_ascii_start().starts_with(&request.as_bytes()[..4]) => {
                return Some(String::from_utf8_lossy(&reply).trim().to_owned());
            }
            byte => reply.push(byte),
        }
    }
}

pub fn plant(design: &Design, truth: &Sink) -> PlantSettings {
    PlantSettings {
        cycle: design.cycle,
        seed: design.seed,
        channels: design.ports,
        faults: Faults::parse(&design.faults).expect(&design.faults),
        truth: Some(Box::new(truth.clone())),
    }
}

fn what_of(report: Report) -> What {
    match report {
        Report::Analyzer(news) => What::Analyzer(news),
        Report::AnalyzerDid { id, answer } => What::AnalyzerDid { id, answer },
        Report::Valve(news) => What::Valve(news),
        Report::ValveDid { id, answer } => What::ValveDid { id, answer },
    }
}

/// Runs a world to its end, in time of its own.
pub fn in_virtual_time<T>(world: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(world)
}

/// The truth file, in memory.
#[derive(Clone, Default)]
pub struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    pub fn truth(&self) -> Vec<Truth> {
        let bytes = self.0.lock().expect("nobody panicked with it").clone();
        let text = String::from_utf8(bytes).expect("the truth is text");
        text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panicked with it").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
