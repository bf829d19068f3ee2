//! The one owner of the analyzer: it looks at it, tells what is new, and carries out orders.
//!
//! How often the analyzer is asked does not depend on how many people watch. It is looked at every `poll` while it
//! measures and more rarely while it does not; if it turns out to iterate too fast for that, more often. A [`Report`]
//! goes up for every change, and one for every order.

mod look;
mod orders;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::Report;
use super::dial::Dial;
use super::session::{Session, SessionMode};
use crate::domain::{
    AnalyzerNews, AnalyzerOrder, AnalyzerPhase, AnalyzerState, AnalyzerTime, Clock, CommandId, DeviceErrors, Fault,
    FaultKind, Tick,
};

/// Times are of the real world.
#[derive(Clone)]
pub struct AnalyzerSettings {
    pub dial: Dial,
    pub mode: SessionMode,
    /// Between two looks while it measures.
    pub poll: Duration,
    /// Between two looks while it does not.
    pub idle_poll: Duration,
    /// How long it may take to measure after it was started.
    pub start_patience: Duration,
    /// How long it may take to become idle after it was stopped.
    pub stop_patience: Duration,
}

/// Orders for the analyzer. Its owner ends when the last of these is gone.
#[derive(Clone)]
pub struct Analyzer {
    inbox: mpsc::UnboundedSender<(CommandId, AnalyzerOrder)>,
}

impl Analyzer {
    /// The handle, and the owner to be run.
    pub fn new(
        settings: AnalyzerSettings,
        clock: Arc<dyn Clock>,
        reports: mpsc::UnboundedSender<Report>,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (sender, inbox) = mpsc::unbounded_channel();
        let owner = Owner::new(settings, clock, reports, inbox);
        (Self { inbox: sender }, owner.run())
    }

    /// Hands an order over. It is answered by one [`Report::AnalyzerDid`].
    pub fn order(&self, id: CommandId, order: AnalyzerOrder) {
        // The owner is gone only when the daemon is on its way out.
        let _ = self.inbox.send((id, order));
    }
}

/// What was last seen and told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct View {
    state: AnalyzerState,
    phase: AnalyzerPhase,
    iteration: Option<u32>,
}

struct Owner {
    settings: AnalyzerSettings,
    clock: Arc<dyn Clock>,
    reports: mpsc::UnboundedSender<Report>,
    inbox: mpsc::UnboundedReceiver<(CommandId, AnalyzerOrder)>,
    /// Orders that came while another one was carried out.
    waiting: VecDeque<(CommandId, AnalyzerOrder)>,
    session: Session,
    /// `None` until it is known.
    online: Option<bool>,
    failures: u32,
    view: Option<View>,
    /// When the last look began that was answered.
    looked: Tick,
    looks: u64,
    looks_in_iteration: u32,
    /// Between looks; shorter than the settings say if the analyzer is faster than they expect.
    pace: Duration,
    has_phase: bool,
    has_iteration: bool,
    errors: DeviceErrors,
    errors_due: Tick,
    clock_due: Tick,
    /// The stamps of the last result, which are no news any more; `None` before the first reading.
    stamps: Option<BTreeSet<AnalyzerTime>>,
    result_due: bool,
    looks_since_result: u32,
    /// The analyzer was started and not seen idle since.
    started: bool,
}

/// After so many failures in a row the analyzer counts as offline.
const FAILURES: u32 = 3;
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

impl Owner {
    fn new(
        settings: AnalyzerSettings,
        clock: Arc<dyn Clock>,
        reports: mpsc::UnboundedSender<Report>,
        inbox: mpsc::UnboundedReceiver<(CommandId, AnalyzerOrder)>,
    ) -> Self {
        Self {
            session: Session::new(settings.dial.clone(), settings.mode),
            pace: settings.poll,
            settings,
            clock,
            reports,
            inbox,
            waiting: VecDeque::new(),
            online: None,
            failures: 0,
            view: None,
            looked: Tick::ZERO,
            looks: 0,
            looks_in_iteration: 0,
            has_phase: true,
            has_iteration: true,
            errors: DeviceErrors::default(),
            errors_due: Tick::ZERO,
            clock_due: Tick::ZERO,
            stamps: None,
            result_due: false,
            looks_since_result: 0,
            started: false,
        }
    }

    async fn run(mut self) {
        // The first look at once, and then whenever it is time or somebody orders something.
        let mut pause = Duration::ZERO;
        loop {
            let order = match self.waiting.pop_front() {
                Some(order) => Some(order),
                None => match timeout(pause, self.inbox.recv()).await {
                    Ok(None) => break,
                    Ok(order) => order,
                    Err(_) => None,
                },
            };
            match order {
                Some((id, order)) => self.carry_out(id, order).await,
                None => self.look_and_tell().await,
            }
            pause = self.pause();
        }
    }

    /// How long to wait for the next look.
    fn pause(&self) -> Duration {
        if self.failures > 0 {
            let doubled = BACK_OFF.0.saturating_mul(1 << (self.failures - 1).min(8));
            // Before it counts as offline it is asked again soon.
            return if self.online == Some(true) { self.pace.min(BACK_OFF.0) } else { doubled.min(BACK_OFF.1) };
        }
        match self.view.map(|view| view.state) {
            Some(AnalyzerState::Idle) | None => self.settings.idle_poll,
            Some(_) => self.pace,
        }
    }

    fn tell(&self, news: AnalyzerNews) {
        // Whoever listened is gone only when the daemon is on its way out.
        let _ = self.reports.send(Report::Analyzer(news));
    }

    fn now(&self) -> Tick {
        self.clock.now().tick
    }

    /// It did not answer. That it is offline is told once, and not for a single lost reply.
    fn failed(&mut self, error: &super::session::AskError) {
        self.failures += 1;
        tracing::debug!(%error, failures = self.failures, "the analyzer did not answer");
        let gone = match self.online {
            None => true,
            Some(online) => online && self.failures >= FAILURES,
        };
        if gone {
            self.online = Some(false);
            self.tell(AnalyzerNews::Offline { reason: error.to_string() });
        }
    }

    fn offline_fault(&self, error: &super::session::AskError) -> Fault {
        Fault::new(FaultKind::Offline, format!("{}: {error}", self.session.place()))
    }

    /// Whether somebody wants the analyzer stopped, whatever else is going on.
    fn is_overtaken(&mut self) -> bool {
        while let Ok(order) = self.inbox.try_recv() {
            self.waiting.push_back(order);
        }
        self.waiting.iter().any(|(_, order)| *order == AnalyzerOrder::Stop)
    }

    /// Waits, but not if there is something to stop.
    async fn wait(&mut self, time: Duration) {
        let over = sleep(time);
        tokio::pin!(over);
        while !self.waiting.iter().any(|(_, order)| *order == AnalyzerOrder::Stop) {
            tokio::select! {
                Some(order) = self.inbox.recv() => self.waiting.push_back(order),
                () = &mut over => break,
            }
        }
    }
}
