//! The task that owns a multiplexer: it passes orders on, and looks after the valve while there are none.
//!
//! A valve that can be read back is asked every second where it stands, so that a pulled cable, a lost supply or
//! somebody who turned it by hand shows at once and not at the next move. Only what is new is told. That it was not
//! asked for longer than a moment is new too, and so is a move there and back that the valve itself has counted
//! ([`WatchedValve`]).

mod watched;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use self::watched::{Sight, WatchedValve};
use super::Multiplexer;
use crate::device::Report;
use crate::domain::{
    Clock, CommandId, Fault, KnownMultiplexer, Position, Tick, ValveDescription, ValveNews, ValveOrder, Verification,
};

/// How often a valve is asked whether it still stands where it did, from question to question.
const WATCH: Duration = Duration::from_secs(1);
/// How often a valve that is lost is asked again, and its port opened if need be.
const RETRY: Duration = Duration::from_secs(1);
/// After so many moves a valve is asked for its count of them, so that what is known of that is never long ago.
const COUNT_AFTER: u32 = 16;
/// However fast a simulation runs, the valve is not asked more often than this.
const FASTEST: Duration = Duration::from_millis(50);

/// A handle to the task that owns the multiplexer. The task ends with its last handle.
#[derive(Clone)]
pub struct OwnedValve {
    messages: mpsc::UnboundedSender<OwnerMessage>,
}

enum OwnerMessage {
    Order(CommandId, ValveOrder),
    /// Only this one may be moved, if it is known.
    Expect(Option<KnownMultiplexer>),
}

impl OwnedValve {
    /// The handle, and the task to spawn.
    pub fn new(
        driver: Box<dyn Multiplexer>,
        clock: Arc<dyn Clock>,
        reports: mpsc::UnboundedSender<Report>,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (messages, inbox) = mpsc::unbounded_channel();
        let (known, seen, watched) = (Known::Nothing, Tick::ZERO, WatchedValve::default());
        let owner = ValveOwner { driver, clock, reports, known, seen, watched, met: None, moves: 0 };
        (Self { messages }, owner.run(inbox))
    }

    /// Every order is answered once, by [`Report::ValveDid`], in the order in which they came.
    pub fn order(&self, id: CommandId, order: ValveOrder) {
        // The task outlives its handles; if it has ended all the same, the program is shutting down.
        let _ = self.messages.send(OwnerMessage::Order(id, order));
    }

    /// Who is to be there: orders that come after this move no other one.
    pub fn expect(&self, known: Option<KnownMultiplexer>) {
        // As above.
        let _ = self.messages.send(OwnerMessage::Expect(known));
    }
}

struct ValveOwner {
    driver: Box<dyn Multiplexer>,
    clock: Arc<dyn Clock>,
    reports: mpsc::UnboundedSender<Report>,
    known: Known,
    /// The question that it last answered was asked after this.
    seen: Tick,
    watched: WatchedValve,
    /// How many contacts the driver had made when the valve last said what it is, and how many moves since then.
    met: Option<u64>,
    moves: u32,
}

/// What was last told of the valve.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Known {
    /// That it is lost, or that an order failed: where it is now is news in any case.
    Nothing,
    Stands(Position),
}

impl ValveOwner {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<OwnerMessage>) {
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
                    Some(OwnerMessage::Order(id, order)) => self.obey(id, order).await,
                    Some(OwnerMessage::Expect(known)) => self.driver.expect(known),
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
            Known::Stands(Position::At(_, Verification::Readback)) => {
                WATCH.saturating_sub(self.clock.now().tick.since(self.seen))
            }
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
        let sight = self.sight(asked).await;
        let (known, found) = (self.known, Known::Stands(position));
        let doubt = if known == found { self.doubt(&sight) } else { None };
        if doubt.is_some() || (known != Known::Nothing && known != found) {
            self.suspect();
        }
        // Who it is comes before where it stands, which counts only if it is the right one.
        let met = self.introduce().await;
        self.tell_doubt(doubt);
        met?;
        let seen = std::mem::replace(&mut self.seen, asked);
        self.known = found;
        if known != found {
            self.watched.begin(&sight);
            if known != Known::Nothing {
                self.report(Report::Valve(ValveNews::UnseenSince(seen)));
            }
            self.report(Report::Valve(ValveNews::At(position)));
        }
        Ok(())
    }

    async fn obey(&mut self, id: CommandId, order: ValveOrder) {
        self.see_where_it_stood().await;
        let mut answer = match order {
            ValveOrder::Home => self.driver.home().await,
            ValveOrder::Goto(channel) => self.driver.go(channel).await,
            ValveOrder::Where => self.driver.position().await,
        };
        if (answer.is_ok() || self.driver.contacts() > 0)
            && let Err(fault) = self.introduce().await
        {
            // Where a device stands that could not be asked who it is says nothing.
            answer = answer.and(Err(fault));
        }
        self.known = answer.as_ref().map_or(Known::Nothing, |position| Known::Stands(*position));
        if order != ValveOrder::Where {
            if answer.is_ok() {
                // It has just been read back where it is.
                self.seen = self.clock.now().tick;
            }
            // Its own moves are no surprise.
            self.watched = self.watched.forget();
            self.moves += 1;
        }
        if answer.is_ok() && (order == ValveOrder::Where || self.moves >= COUNT_AFTER) {
            // Who asks for it looks when the answer is there.
            self.describe().await;
        }
        self.report(Report::ValveDid { id, answer });
    }

    /// A valve is sent on as soon as a sample is drawn: the last moments before that must not have been elsewhere.
    async fn see_where_it_stood(&mut self) {
        let asked = self.clock.now().tick;
        let mut doubt = None;
        if let Known::Stands(known @ Position::At(_, Verification::Readback)) = self.known {
            if self.driver.position().await.ok() == Some(known) {
                let sight = self.sight(asked).await;
                doubt = self.doubt(&sight);
            } else {
                self.report(Report::Valve(ValveNews::UnseenSince(self.seen)));
                self.suspect();
            }
        }
        if doubt.is_some() {
            self.suspect();
        }
        let met = self.introduce().await;
        self.tell_doubt(doubt);
        // One that cannot be asked who it is was not seen; before it is moved, it is asked again.
        if met.is_ok() && self.known != Known::Nothing {
            self.seen = asked;
        }
    }

    /// What the known one was not ordered to do, another one in its place may have done: it is asked anew who it is.
    fn suspect(&mut self) {
        self.met = None;
        self.driver.suspect();
    }

    /// After a new contact, or a surprise, it may be another one: it says who it is.
    async fn introduce(&mut self) -> Result<(), Fault> {
        let contacts = self.driver.contacts();
        if contacts == 0 {
            // One that always is the same says what it is when it was found.
            if self.known == Known::Nothing {
                self.describe().await;
            }
            return Ok(());
        }
        if self.met == Some(contacts) {
            return Ok(());
        }
        let seen = self.seen;
        let description = self.description().await?;
        self.met = Some(self.driver.contacts());
        self.report(Report::Valve(ValveNews::Contacted { description, seen }));
        Ok(())
    }

    /// What else is to be known of a position that was read right now.
    async fn sight(&mut self, asked: Tick) -> Sight {
        let wavered = self.driver.wavered();
        let answered = self.clock.now().tick;
        let moves = if self.watched.counts() { self.driver.moves().await } else { None };
        Sight { asked, answered, moves, wavered }
    }

    /// It stands where it stood when it was last seen. Whether it did so all the time is another question.
    fn doubt(&mut self, sight: &Sight) -> Option<(Tick, String)> {
        let is_read_back = matches!(self.known, Known::Stands(Position::At(_, Verification::Readback)));
        let unseen = self.clock.outside(sight.answered.since(self.seen));
        self.watched.doubt(self.seen, unseen, sight).filter(|_| is_read_back)
    }

    fn tell_doubt(&self, doubt: Option<(Tick, String)>) {
        if let Some((since, why)) = doubt {
            tracing::warn!("the valve's position was not verified since {since:?}: {why}");
            self.report(Report::Valve(ValveNews::Doubted { since, why }));
        }
    }

    async fn describe(&mut self) {
        match self.description().await {
            Ok(description) => self.report(Report::Valve(ValveNews::Is(description))),
            Err(fault) => tracing::debug!("the valve does not describe itself: {fault}"),
        }
    }

    async fn description(&mut self) -> Result<ValveDescription, Fault> {
        self.moves = 0;
        self.driver.describe().await
    }

    fn report(&self, report: Report) {
        // Nobody listens any more: the program is shutting down.
        let _ = self.reports.send(report);
    }
}
