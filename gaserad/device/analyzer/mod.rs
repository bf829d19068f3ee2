//! The analyzer's one owner: looks at it, reads its results, carries out orders, and tells what is new.
//!
//! It alone talks to the analyzer, one question at a time. Between orders it makes rounds: a look (state, phase, iteration
//! counter), the results when there may be new ones, now and then errors and clock. An order is carried out at once, in
//! a pause of the rounds or while an absent analyzer is not yet tried again. A stop overtakes all else, within one question.
//!
//! Which gas a result is of is not decided here: the looks are reported with the ticks that bound them.
//!
//! Intervals and patience are outside time, that of a clock on the wall: a sped-up analyzer is followed by looking more
//! often ([`pace`]), not by another measure of time. Ticks are those of the [`Clock`].

mod contact;
mod fault;
mod inbox;
mod look;
mod orders;
mod pace;
mod results;
mod start;
mod stop;
mod task;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use self::contact::Contact;
use self::fault::Trouble;
use self::inbox::Inbox;
use self::look::Track;
use self::results::Results;
use super::Report;
use super::dial::Dial;
use super::session::{Session, SessionMode};
use crate::domain::{AnalyzerNews, AnalyzerOrder, Clock, CommandId, Fault, FaultKind, Inquiry, Tick, Told};

/// How the analyzer is reached and how patiently it is treated. All durations are outside time.
#[derive(Clone)]
pub struct AnalyzerSettings {
    pub dial: Dial,
    pub mode: SessionMode,
    /// Between looks while it measures; a fast analyzer is looked at more often.
    pub poll: Duration,
    /// Between looks while it is idle.
    pub idle_poll: Duration,
    /// From the start of a task until it measures.
    pub start_patience: Duration,
    /// From the order to stop until it is idle.
    pub stop_patience: Duration,
}

/// Gives orders to the analyzer's owner. Clones give them to the same one.
#[derive(Clone)]
pub struct Analyzer {
    orders: mpsc::UnboundedSender<(CommandId, AnalyzerOrder)>,
}

impl Analyzer {
    /// The handle, and the future to run. It ends when all handles are gone.
    pub fn new(
        settings: AnalyzerSettings,
        clock: Arc<dyn Clock>,
        reports: mpsc::UnboundedSender<Report>,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (orders, inbox) = mpsc::unbounded_channel();
        (Self { orders }, Owner::new(settings, clock, reports, inbox).run())
    }

    /// Asks something that changes nothing, between two looks.
    pub async fn inquire(&self, _inquiry: Inquiry) -> Result<Told, Fault> {
        Err(Fault::new(FaultKind::Refused, "not available yet"))
    }

    /// Never waits. Each order is answered once by a report with its id.
    pub fn order(&self, id: CommandId, order: AnalyzerOrder) {
        if self.orders.send((id, order)).is_err() {
            tracing::debug!("an order came after the analyzer's owner had ended");
        }
    }
}

struct Owner {
    settings: AnalyzerSettings,
    clock: Arc<dyn Clock>,
    reports: mpsc::UnboundedSender<Report>,
    inbox: Inbox,
    session: Session,
    contact: Contact,
    track: Track,
    results: Results,
    /// What is under way must not be overtaken.
    unstoppable: bool,
    /// A start was ordered, and the analyzer was not seen measuring since.
    start_outstanding: bool,
    round_begun: Option<Tick>,
}

impl Owner {
    fn new(
        settings: AnalyzerSettings,
        clock: Arc<dyn Clock>,
        reports: mpsc::UnboundedSender<Report>,
        inbox: mpsc::UnboundedReceiver<(CommandId, AnalyzerOrder)>,
    ) -> Self {
        Self {
            session: Session::new(settings.dial.clone(), settings.mode),
            track: Track::new(settings.poll),
            settings,
            clock,
            reports,
            inbox: Inbox::new(inbox),
            contact: Contact::default(),
            results: Results::default(),
            unstoppable: false,
            start_outstanding: false,
            round_begun: None,
        }
    }

    async fn run(mut self) {
        loop {
            if let Some((id, order)) = self.next_order() {
                let answer = self.carry_out(order).await;
                self.tell(Report::AnalyzerDid { id, answer });
            } else if self.inbox.is_closed() {
                return;
            } else if let Some(left) = self.until_next_round() {
                self.inbox.wait(left).await;
            } else {
                self.round_begun = Some(self.now());
                let round = self.round().await;
                self.note_contact(&round);
            }
        }
    }

    async fn round(&mut self) -> Result<(), Trouble> {
        self.look_in().await?;
        self.read_results_if_due().await?;
        self.read_errors_if_due().await?;
        self.read_clock_if_due().await
    }

    fn until_next_round(&self) -> Option<Duration> {
        let interval = self.contact.back_off().unwrap_or_else(|| self.track.interval(self.settings.idle_poll));
        let left = interval.saturating_sub(self.elapsed(self.round_begun?));
        (!left.is_zero()).then_some(left)
    }

    fn now(&self) -> Tick {
        self.clock.now().tick
    }

    /// Outside time since then.
    fn elapsed(&self, since: Tick) -> Duration {
        self.clock.outside(self.now().since(since))
    }

    fn news(&self, news: AnalyzerNews) {
        self.tell(Report::Analyzer(news));
    }

    fn tell(&self, report: Report) {
        if self.reports.send(report).is_err() {
            tracing::debug!("nobody listens to the analyzer's reports any more");
        }
    }
}
