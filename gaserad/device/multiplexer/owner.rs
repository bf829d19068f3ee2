//! The task that owns a multiplexer: it passes orders on, and looks after the valve while there are none.
//!
//! A valve that can be read back is asked every few seconds where it stands, so that a pulled cable, a lost supply or
//! somebody who turned it by hand shows within seconds and not at the next move. Only what is new is told.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::Multiplexer;
use crate::device::Report;
use crate::domain::{
    Clock, CommandId, Fault, KnownMultiplexer, Position, Tick, ValveDescription, ValveNews, ValveOrder, Verification,
};

/// How often a valve is asked whether it still stands where it did.
const WATCH: Duration = Duration::from_secs(3);
/// How often a valve that is lost is asked again, and its port opened if need be.
const RETRY: Duration = Duration::from_secs(1);
/// After so many moves a valve is asked for its count of them, so that what is known of that is never long ago.
const COUNT_AFTER: u32 = 16;
/// However fast a simulation runs, the valve is not asked more often than this.
const FASTEST: Duration = Duration::from_millis(50);

/// A handle to the task that owns the multiplexer. The task ends with its last handle.
#[derive(Clone)]
pub struct Valve {
    messages: mpsc::UnboundedSender<Message>,
}

enum Message {
    Order(CommandId, ValveOrder),
    /// Only this one may be moved, if it is known.
    Expect(Option<KnownMultiplexer>),
}

impl Valve {
    /// The handle, and the task to spawn.
    pub fn new(
        driver: Box<dyn Multiplexer>,
        clock: Arc<dyn Clock>,
        reports: mpsc::UnboundedSender<Report>,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (messages, inbox) = mpsc::unbounded_channel();
        let (known, seen) = (Known::Nothing, Tick::ZERO);
        let owner = Owner { driver, clock, reports, known, seen, contacts: 0, moves: 0 };
        (Self { messages }, owner.run(inbox))
    }

    /// Every order is answered once, by [`Report::ValveDid`], in the order in which they came.
    pub fn order(&self, id: CommandId, order: ValveOrder) {
        // The task outlives its handles; if it has ended all the same, the program is shutting down.
        let _ = self.messages.send(Message::Order(id, order));
    }

    /// Who is to be there: orders that come after this move no other one.
    pub fn expect(&self, known: Option<KnownMultiplexer>) {
        // As above.
        let _ = self.messages.send(Message::Expect(known));
    }
}

struct Owner {
    driver: Box<dyn Multiplexer>,
    clock: Arc<dyn Clock>,
    reports: mpsc::UnboundedSender<Report>,
    known: Known,
    /// The question that it last answered was asked after this.
    seen: Tick,
    /// How many contacts the driver had made when the valve last said what it is, and how many moves since then.
    contacts: u64,
    moves: u32,
}

/// What was last told of the valve.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Known {
    /// That it is lost, or that an order failed: where it is now is news in any case.
    Nothing,
    Stands(Position),
}

impl Owner {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Message>) {
        if let Err(fault) = self.look().await {
            self.lose(fault);
        }
        loop {
            let pause = self.pause();
            let next_look = async {
                match pause {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                message = inbox.recv() => match message {
                    Some(Message::Order(id, order)) => self.obey(id, order).await,
                    Some(Message::Expect(known)) => self.driver.expect(known),
                    None => return,
                },
                () = self.driver.hung_up() => self.watch().await,
                () = next_look => self.watch().await,
            }
        }
    }

    /// How long nothing is asked while nothing is ordered; `None` where asking would tell nothing new.
    fn pause(&self) -> Option<Duration> {
        let pause = match self.known {
            Known::Nothing => RETRY,
            Known::Stands(Position::At(_, Verification::Readback)) => WATCH,
            Known::Stands(_) => return None,
        };
        Some(self.clock.outside(pause).max(FASTEST))
    }

    /// Tells that the valve is lost once, and not every time that it is still away.
    async fn watch(&mut self) {
        let known = self.known;
        if let Err(fault) = self.look().await
            && known != Known::Nothing
        {
            self.lose(fault);
        }
    }

    fn lose(&mut self, fault: Fault) {
        tracing::warn!("{fault}");
        if std::mem::replace(&mut self.known, Known::Nothing) != Known::Nothing {
            self.report(Report::Valve(ValveNews::UnseenSince(self.seen)));
        }
        self.report(Report::Valve(ValveNews::Lost(fault)));
    }

    async fn look(&mut self) -> Result<(), Fault> {
        let asked = self.clock.now().tick;
        let position = self.driver.position().await?;
        // Who it is comes before where it stands, which counts only if it is the right one.
        self.introduce().await;
        let seen = std::mem::replace(&mut self.seen, asked);
        let known = std::mem::replace(&mut self.known, Known::Stands(position));
        if known != self.known {
            if known != Known::Nothing {
                self.report(Report::Valve(ValveNews::UnseenSince(seen)));
            }
            self.report(Report::Valve(ValveNews::At(position)));
        }
        Ok(())
    }

    async fn obey(&mut self, id: CommandId, order: ValveOrder) {
        self.see_where_it_stood().await;
        let answer = match order {
            ValveOrder::Home => self.driver.home().await,
            ValveOrder::Goto(channel) => self.driver.go(channel).await,
            ValveOrder::Where => self.driver.position().await,
        };
        if answer.is_ok() || self.driver.contacts() > 0 {
            self.introduce().await;
        }
        self.known = answer.as_ref().map_or(Known::Nothing, |position| Known::Stands(*position));
        self.moves += u32::from(order != ValveOrder::Where);
        if answer.is_ok() && (order == ValveOrder::Where || self.moves >= COUNT_AFTER) {
            // Who asks for it looks when the answer is there.
            self.describe().await;
        }
        self.report(Report::ValveDid { id, answer });
    }

    /// A valve is sent on as soon as a sample is drawn: the last moments before that must not have been elsewhere.
    async fn see_where_it_stood(&mut self) {
        let asked = self.clock.now().tick;
        if let Known::Stands(known @ Position::At(_, Verification::Readback)) = self.known
            && self.driver.position().await.ok() != Some(known)
        {
            self.report(Report::Valve(ValveNews::UnseenSince(self.seen)));
        }
        self.introduce().await;
        if self.known != Known::Nothing {
            self.seen = asked;
        }
    }

    /// After a new contact it may be another one: it says who it is.
    async fn introduce(&mut self) {
        let contacts = self.driver.contacts();
        if contacts == 0 && self.known == Known::Nothing {
            return self.describe().await;
        }
        if contacts == self.contacts {
            return;
        }
        let seen = self.seen;
        if let Some(description) = self.description().await {
            self.contacts = contacts;
            self.report(Report::Valve(ValveNews::Contacted { description, seen }));
        }
    }

    async fn describe(&mut self) {
        if let Some(description) = self.description().await {
            self.report(Report::Valve(ValveNews::Is(description)));
        }
    }

    /// What a valve does not say of itself is not missed.
    async fn description(&mut self) -> Option<ValveDescription> {
        self.moves = 0;
        let told = self.driver.describe().await;
        told.inspect_err(|fault| tracing::debug!("the valve does not describe itself: {fault}")).ok()
    }

    fn report(&self, report: Report) {
        // Nobody listens any more: the program is shutting down.
        let _ = self.reports.send(report);
    }
}
