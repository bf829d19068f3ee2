//! The analyzer's one owner: looks at it, reads its results, carries out orders, and tells what is new.
//!
//! It alone talks to the analyzer, one question at a time. Between orders it makes rounds: a look (state, phase, iteration
//! counter), the results when there may be new ones, now and then errors and clock. An order is carried out at once, in
//! a pause of the rounds or while an absent analyzer is not yet tried again. A stop overtakes all else, within one question,
//! and gives that one up if it stalls. Inquiries are answered in the pauses, one question at a time; what the analyzer is
//! asked does not depend on how many people want to know.
//!
//! Which gas a result is of is not decided here: the looks are reported with the ticks that bound them.
//!
//! Intervals and patience are outside time, that of a clock on the wall: a sped-up analyzer is followed by looking more
//! often ([`pace`]), not by another measure of time. Ticks are those of the [`Clock`].

mod ask;
mod clock;
mod contact;
mod desk;
mod fault;
mod inbox;
mod inquiry;
mod layout;
mod look;
mod orders;
mod pace;
mod prepare;
mod results;
mod serve;
mod start;
mod stop;
mod task;
#[cfg(test)]
mod tests;
mod told;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use self::ask::Yielding;
use self::clock::ClockTrack;
use self::contact::SessionContact;
use self::desk::{AskedInquiry, Desk};
use self::fault::SessionError;
use self::inbox::{Inbox, InboxMessage};
use self::look::Track;
use self::results::ResultReader;
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
    messages: mpsc::UnboundedSender<InboxMessage>,
}

impl Analyzer {
    /// The handle, and the future to run. It ends when all handles are gone.
    pub fn new(
        settings: AnalyzerSettings,
        clock: Arc<dyn Clock>,
        reports: mpsc::UnboundedSender<Report>,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (messages, inbox) = mpsc::unbounded_channel();
        (Self { messages }, AnalyzerOwner::new(settings, clock, reports, inbox).run())
    }

    /// Asks something that changes nothing, between two looks.
    pub async fn inquire(&self, inquiry: Inquiry) -> Result<Told, Fault> {
        let ended =
            || Fault::new(FaultKind::Offline, "the analyzer is not asked any more: the daemon is shutting down");
        let (answer, answered) = oneshot::channel();
        self.messages.send(InboxMessage::Inquiry(AskedInquiry { inquiry, answer })).map_err(|_| ended())?;
        answered.await.unwrap_or_else(|_| Err(ended()))
    }

    /// Never waits. Each order is answered once by a report with its id.
    pub fn order(&self, id: CommandId, order: AnalyzerOrder) {
        if self.messages.send(InboxMessage::Order(id, order)).is_err() {
            tracing::debug!("an order came after the analyzer's owner had ended");
        }
    }
}

struct AnalyzerOwner {
    settings: AnalyzerSettings,
    clock: Arc<dyn Clock>,
    reports: mpsc::UnboundedSender<Report>,
    inbox: Inbox,
    session: Session,
    contact: SessionContact,
    track: Track,
    results: ResultReader,
    /// The last reply with results that could not be read, until one can.
    unreadable: String,
    clock_track: ClockTrack,
    desk: Desk,
    yielding: Yielding,
    /// A start was ordered, and the analyzer was not seen measuring since.
    start_outstanding: bool,
    round_begun: Option<Tick>,
}

impl AnalyzerOwner {
    fn new(
        settings: AnalyzerSettings,
        clock: Arc<dyn Clock>,
        reports: mpsc::UnboundedSender<Report>,
        inbox: mpsc::UnboundedReceiver<InboxMessage>,
    ) -> Self {
        Self {
            session: Session::new(settings.dial.clone(), settings.mode),
            track: Track::new(settings.poll),
            settings,
            clock,
            reports,
            inbox: Inbox::new(inbox),
            contact: SessionContact::default(),
            results: ResultReader::default(),
            unreadable: String::new(),
            clock_track: ClockTrack::default(),
            desk: Desk::default(),
            yielding: Yielding::AtOnce,
            start_outstanding: false,
            round_begun: None,
        }
    }

    async fn run(mut self) {
        loop {
            if let Some((id, order)) = self.next_order() {
                self.carry_out(id, order).await;
            } else if self.inbox.is_closed() {
                return;
            } else if let Some(left) = self.until_next_round() {
                self.pause(left).await;
            } else {
                self.round_begun = Some(self.now());
                let round = self.round().await;
                self.note_contact(&round);
            }
        }
    }

    async fn round(&mut self) -> Result<(), SessionError> {
        self.look_in().await?;
        self.read_results_if_due().await?;
        self.read_errors_if_due().await
    }

    /// Between two rounds: one question, or a wait that ends as soon as there is something to do.
    async fn pause(&mut self, left: Duration) {
        match self.until_clock_is_due() {
            Some(Duration::ZERO) => {
                let read = self.read_clock().await;
                self.note_contact(&read);
            }
            due => {
                if !self.attend().await {
                    self.inbox.wait(due.unwrap_or(left).min(left)).await;
                }
            }
        }
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
