//! Select, stamp, journal, step, perform: the one loop around the engine.
//!
//! What arrives together is stepped together and kept in one commit, journal lines and all that follows from them;
//! only then does anything go out: orders to the devices, events to the stream, answers to people. Nothing here waits
//! for a device. Progress is no event: it is shown at once and not kept.

mod asked;
pub mod clock;
mod expected;
mod full;
mod guard;
mod handle;
mod space;
mod synchronized;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::config::GuardSettings;
use crate::device::{Analyzer, OwnedValve, Report};
use crate::domain::event::LiveData;
use crate::domain::{
    self, AnalyzerOrder, Attribution, Clock, CommandId, Fact, GasTable, KnownMultiplexer, MirrorStatus, Moment, RunId,
    RunSummary, Status, Tick,
};
use crate::engine::{self, Beginning, Effect, RequestId, State, What};
use crate::store::{Batch, Store, StoreError};
use crate::stream::Hub;
use clock::HostClock;
use guard::Guard;
pub use handle::Handle;
use handle::{Asker, Request};
use space::Space;
use synchronized::Synchronized;

/// Progress is shown at most this often, however fast the simulated world runs.
const TICK_AT_MOST: Duration = Duration::from_millis(50);
/// Events that are stepped and kept together at most.
const TOGETHER: usize = 64;
/// What a service manager takes to bring a daemon back that was restarted, and that to open its store.
const RESTART_EXPECTED_S: f64 = 5.0;
/// How long the analyzer may take to stop when the store has failed.
const STOP_AT_THE_END: Duration = Duration::from_secs(15);

/// What the engine cannot know of itself.
#[derive(Debug, Clone)]
pub struct RuntimeIdentity {
    pub analyzer_address: String,
    pub driver: String,
    pub channels: u8,
    pub simulated: bool,
}

/// Everything that the loop owns or reaches.
pub struct Runtime {
    clock: HostClock,
    store: Store,
    hub: Arc<Hub>,
    analyzer: Analyzer,
    valve: OwnedValve,
    /// The multiplexer that the valve's owner was told of.
    expected: Option<KnownMultiplexer>,
    identity: RuntimeIdentity,
    began: Option<Beginning>,
    space: Space,
    synchronized: Synchronized,
    guard: Guard,
    state: State,
    inbox: mpsc::Receiver<Request>,
    /// What was asked while the disk was full.
    held: VecDeque<Request>,
    reports: mpsc::UnboundedReceiver<Report>,
    /// What others want kept, and who waits for that.
    others: Vec<(Batch, oneshot::Sender<()>)>,
    waiting: BTreeMap<RequestId, Asker>,
    asked: u64,
    seq: u64,
    run_ids: RunIds,
    gases: GasTable,
    started: mpsc::UnboundedSender<RunSummary>,
    next_tick: Option<Tick>,
    /// The newest result that is kept: nobody is shown one that is not.
    live_data: Option<LiveData>,
    /// How the copy on another drive stands, if there is to be one.
    mirror: Option<MirrorStatus>,
    shutting_down: bool,
    inbox_open: bool,
}

/// What the runtime is made of.
pub struct RuntimeParts {
    pub clock: HostClock,
    pub store: Store,
    pub hub: Arc<Hub>,
    pub analyzer: Analyzer,
    pub valve: OwnedValve,
    pub reports: mpsc::UnboundedReceiver<Report>,
    pub identity: RuntimeIdentity,
    pub guard: Option<GuardSettings>,
    /// With less free space than this, the disk is nearly full.
    pub min_free_bytes: u64,
    /// Whether it matters how right this machine's clock is.
    pub minds_the_clock: bool,
    /// What the journal of an interrupted run folds to; else nothing yet.
    pub state: State,
    pub began: Beginning,
    /// The newest event's number.
    pub seq: u64,
    pub run_ids: RunIds,
    /// How gases are shown.
    pub gases: GasTable,
    /// Hears of every run that has begun and is kept.
    pub started: mpsc::UnboundedSender<RunSummary>,
}

/// What a run is called that is asked for at this moment; never the same twice.
pub type RunIds = Box<dyn FnMut(Moment) -> RunId + Send>;

impl Runtime {
    pub fn new(parts: RuntimeParts) -> (Handle, Self) {
        let (handle, inbox) = Handle::new();
        let runtime = Self {
            store: parts.store,
            hub: parts.hub,
            analyzer: parts.analyzer,
            valve: parts.valve,
            expected: None,
            identity: parts.identity,
            began: Some(parts.began),
            space: Space::new(parts.min_free_bytes),
            synchronized: Synchronized::watch(parts.minds_the_clock.then(|| parts.clock.clone())),
            clock: parts.clock,
            guard: Guard::new(parts.guard),
            state: parts.state,
            inbox,
            held: VecDeque::new(),
            reports: parts.reports,
            others: Vec::new(),
            waiting: BTreeMap::new(),
            asked: 0,
            seq: parts.seq,
            run_ids: parts.run_ids,
            gases: parts.gases,
            started: parts.started,
            next_tick: None,
            live_data: None,
            mirror: None,
            shutting_down: false,
            inbox_open: true,
        };
        (handle, runtime)
    }

    /// Runs until it is shut down and no run is under way, or until the store fails.
    pub async fn run(mut self) -> Result<(), StoreError> {
        let Err(error) = self.go_on().await else { return Ok(()) };
        // Without a store nothing can be measured.
        self.leave_devices_safe().await;
        if !error.is_out_of_space() {
            return Err(error);
        }
        tracing::error!(
            "stopped while the disk of the state directory is full: what happened since then is not kept. A run under way \
             is left open, and the next start goes on with it or ends it, as [store] on_restart says; make space before"
        );
        Ok(())
    }

    async fn go_on(&mut self) -> Result<(), StoreError> {
        if let Some(began) = self.began.take() {
            self.turn(What::Began(Box::new(began))).await?;
        }
        self.show(self.clock.now());
        while !self.shutting_down || !self.state.is_at_rest() {
            if let Some(what) = self.select().await {
                self.turn(what).await?;
            }
            self.keep_others().await?;
        }
        let reason = "gaserad is shutting down".to_owned();
        let moment = self.clock.now();
        let events = vec![domain::Event::SystemShutdown { reason, restart_expected_s: Some(RESTART_EXPECTED_S) }];
        let published = self.commit(Batch { moment, events, ..Batch::default() }).await?;
        self.hub.publish(published);
        Ok(())
    }

    /// Waits for what happens next. `None` if that changed nothing for the engine.
    async fn select(&mut self) -> Option<What> {
        if let Some(request) = self.held.pop_front() {
            return self.hear(Some(request));
        }
        let deadline = self.state.deadline().map(|(tick, _)| tick);
        let wake = [deadline, self.next_tick].into_iter().flatten().min();
        let clock = &self.clock;
        let sleep = async move {
            match wake {
                Some(tick) => clock.sleep_until(tick).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            request = self.inbox.recv(), if self.inbox_open => self.hear(request),
            Some(report) = self.reports.recv() => Some(what_of(report)),
            (id, verdict) = self.guard.answered() => Some(What::GuardDid { id, verdict }),
            free = self.space.watch(&self.store) => {
                self.tell_others(self.space.news(free));
                Some(What::Disk { free_bytes: free.bytes, low: free.is_low })
            }
            synchronized = self.synchronized.changed() => Some(What::ClockSync { synchronized }),
            () = sleep => self.woken(deadline),
        }
    }

    fn woken(&mut self, deadline: Option<Tick>) -> Option<What> {
        let now = self.clock.now();
        if deadline.is_some_and(|deadline| deadline <= now.tick) {
            return Some(What::DeadlineReached);
        }
        self.show(now);
        None
    }

    /// Steps through what has come, keeps what follows, and only then lets it out.
    async fn turn(&mut self, first: What) -> Result<(), StoreError> {
        let phase = self.state.progress(Tick::ZERO).phase;
        let mut batch = Batch::default();
        let mut orders = Vec::new();
        let mut next = Some(first);
        for _ in 0..TOGETHER {
            let Some(what) = next.take().or_else(|| self.reports.try_recv().ok().map(what_of)) else { break };
            self.step(what, &mut batch, &mut orders);
        }
        if self.state.progress(Tick::ZERO).phase != phase {
            self.show(self.clock.now());
        }
        self.keep(batch).await?;
        for effect in orders {
            self.perform(effect);
        }
        Ok(())
    }

    /// What is told beside the engine, with what is kept next.
    fn tell_others(&mut self, event: Option<domain::Event>) {
        if let Some(event) = event {
            let (nobody, _) = oneshot::channel();
            self.others.push((Batch { events: vec![event], ..Batch::default() }, nobody));
        }
    }

    async fn keep_others(&mut self) -> Result<(), StoreError> {
        for (mut batch, kept) in std::mem::take(&mut self.others) {
            batch.moment = self.clock.now();
            self.keep(batch).await?;
            // Whoever wanted it may have gone meanwhile.
            let _ = kept.send(());
        }
        Ok(())
    }

    async fn keep(&mut self, batch: Batch) -> Result<(), StoreError> {
        let live_data = batch.events.iter().rev().find_map(|event| match event {
            // A result from before the run is none of its readings.
            domain::Event::LiveData(data) if data.attribution != Attribution::Stale => Some(data.clone()),
            _ => None,
        });
        let told = !batch.events.is_empty();
        let started = batch.facts.iter().find_map(|fact| match fact {
            Fact::RunStarted(run) => Some(run.clone()),
            _ => None,
        });
        let published = self.commit(batch).await?;
        self.seq = published.last().map_or(self.seq, |event| event.seq);
        self.live_data = live_data.or_else(|| self.live_data.take());
        self.hub.publish(published);
        if let Some(run) = started {
            // Nobody needs to listen.
            let _ = self.started.send(run);
        }
        if told {
            self.show(self.clock.now());
        }
        Ok(())
    }

    /// The analyzer is stopped, as far as it still answers.
    async fn leave_devices_safe(&mut self) {
        let last = CommandId(u64::MAX);
        self.analyzer.order(last, AnalyzerOrder::Stop);
        let stopped = async {
            while let Some(report) = self.reports.recv().await {
                if matches!(report, Report::AnalyzerDid { id, .. } if id == last) {
                    break;
                }
            }
        };
        if tokio::time::timeout(STOP_AT_THE_END, stopped).await.is_err() {
            tracing::error!("the analyzer did not confirm that it is idle; it may still be measuring");
        }
    }

    fn step(&mut self, what: What, batch: &mut Batch, orders: &mut Vec<Effect>) {
        let at = self.clock.now();
        let event = engine::Event { at, what };
        batch.moment = at;
        match serde_json::to_string(&event) {
            Ok(line) => batch.journal.push(line),
            Err(error) => tracing::error!(%error, "an event cannot be written to the journal"),
        }
        tracing::debug!(?event.what, "event");
        let (state, effects) = engine::step(std::mem::take(&mut self.state), event);
        self.state = state;
        for effect in effects {
            tracing::debug!(?effect, "effect");
            match effect {
                Effect::Keep(fact) => batch.facts.push(fact),
                Effect::Tell(mut event) => {
                    if let domain::Event::LiveData(data) = &mut event {
                        data.dress(&self.gases);
                    }
                    batch.events.push(event);
                }
                Effect::Reply { request, ref answer } => {
                    batch.audit.extend(self.audit(request, answer));
                    orders.push(effect);
                }
                Effect::Analyzer { .. } | Effect::Valve { .. } | Effect::Guard { .. } => orders.push(effect),
            }
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Analyzer { id, order } => self.analyzer.order(id, order),
            Effect::Valve { id, order } => {
                self.say_who_is_expected();
                self.valve.order(id, order);
            }
            Effect::Reply { request, answer } => self.answer(request, answer),
            Effect::Guard { id } => self.guard.ask(id),
            Effect::Keep(_) | Effect::Tell(_) => {}
        }
    }

    /// Shows how far things are, and plans when to do so again.
    fn show(&mut self, now: Moment) {
        self.hub.tick(&self.status(now));
        let earliest = now.tick + self.clock.inside(TICK_AT_MOST);
        self.next_tick = self.state.next_tick(now.tick).map(|tick| tick.max(earliest));
    }

    fn status(&self, at: Moment) -> Status {
        let mut status = self.state.status(at);
        status.analyzer.address.clone_from(&self.identity.analyzer_address);
        status.multiplexer.driver.clone_from(&self.identity.driver);
        status.multiplexer.channels = self.identity.channels;
        status.simulated = self.identity.simulated;
        status.version = env!("CARGO_PKG_VERSION").into();
        status.seq = self.seq;
        status.live_data.clone_from(&self.live_data);
        status.mirror.clone_from(&self.mirror);
        status
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

/// An id that sorts by time, and is no other's.
pub fn new_run_id(at: Moment) -> RunId {
    let mut random = [0; 16];
    // Without randomness two runs of the same millisecond could collide, which the store would refuse.
    let _ = getrandom::fill(&mut random);
    let milliseconds = u64::try_from(at.utc.as_micros() / 1000).unwrap_or_default();
    RunId(ulid::Ulid::from_parts(milliseconds, u128::from_le_bytes(random)).to_string())
}
