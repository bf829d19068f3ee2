//! The task that owns a multiplexer: it passes orders on, and looks after the valve while there are none.
//!
//! A valve that can be read back is asked every second where it stands, so that a pulled cable, a lost supply or
//! somebody who turned it by hand shows at once and not at the next move. Only what is new is told. That it was not
//! asked for longer than a moment is new too, and so is a move there and back that the valve itself has counted
//! ([`Watched`]).

mod watched;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use self::watched::{Sight, Watched};
use super::Multiplexer;
use crate::device::Report;
use crate::domain::{Clock, CommandId, Fault, Position, Tick, ValveNews, ValveOrder, Verification};

/// How often a valve is asked whether it still stands where it did, from question to question.
const WATCH: Duration = Duration::from_secs(1);
/// How often a valve that is lost is asked again, and its port opened if need be.
const RETRY: Duration = Duration::from_secs(1);
/// However fast a simulation runs, the valve is not asked more often than this.
const FASTEST: Duration = Duration::from_millis(50);

/// A handle to the task that owns the multiplexer. The task ends with its last handle.
#[derive(Clone)]
pub struct Valve {
    orders: mpsc::UnboundedSender<(CommandId, ValveOrder)>,
}

impl Valve {
    /// The handle, and the task to spawn.
    pub fn new(
        driver: Box<dyn Multiplexer>,
        clock: Arc<dyn Clock>,
        reports: mpsc::UnboundedSender<Report>,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (orders, inbox) = mpsc::unbounded_channel();
        let owner =
            Owner { driver, clock, reports, known: Known::Nothing, seen: Tick::ZERO, watched: Watched::default() };
        (Self { orders }, owner.run(inbox))
    }

    /// Every order is answered once, by [`Report::ValveDid`], in the order in which they came.
    pub fn order(&self, id: CommandId, order: ValveOrder) {
        // The task outlives its handles; if it has ended all the same, the program is shutting down.
        let _ = self.orders.send((id, order));
    }
}

struct Owner {
    driver: Box<dyn Multiplexer>,
    clock: Arc<dyn Clock>,
    reports: mpsc::UnboundedSender<Report>,
    known: Known,
    /// The question that it last answered was asked after this.
    seen: Tick,
    watched: Watched,
}

/// What was last told of the valve.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Known {
    /// That it is lost, or that an order failed: where it is now is news in any case.
    Nothing,
    Stands(Position),
}

impl Owner {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<(CommandId, ValveOrder)>) {
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
                order = inbox.recv() => match order {
                    Some((id, order)) => self.obey(id, order).await,
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
        let seen = std::mem::replace(&mut self.seen, asked);
        let known = std::mem::replace(&mut self.known, Known::Stands(position));
        if known == self.known {
            self.doubt(seen, &sight);
        } else {
            self.watched.begin(&sight);
            if known != Known::Nothing {
                self.report(Report::Valve(ValveNews::UnseenSince(seen)));
            }
            self.report(Report::Valve(ValveNews::At(position)));
        }
        if known == Known::Nothing {
            self.describe().await;
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
        let known = self.known;
        self.known = answer.as_ref().map_or(Known::Nothing, |position| Known::Stands(*position));
        if order != ValveOrder::Where {
            // It has just been read back where it is, and its own moves are no surprise.
            self.seen = self.clock.now().tick;
            self.watched = self.watched.forget();
        }
        let found = known == Known::Nothing && answer.is_ok();
        if order == ValveOrder::Where && answer.is_ok() {
            // Who asks for it looks when the answer is there.
            self.describe().await;
        }
        self.report(Report::ValveDid { id, answer });
        if found && order != ValveOrder::Where {
            self.describe().await;
        }
    }

    /// A valve is sent on as soon as a sample is drawn: the last moments before that must not have been elsewhere.
    async fn see_where_it_stood(&mut self) {
        let asked = self.clock.now().tick;
        if let Known::Stands(known @ Position::At(_, Verification::Readback)) = self.known {
            if self.driver.position().await.ok() == Some(known) {
                let sight = self.sight(asked).await;
                self.doubt(self.seen, &sight);
            } else {
                self.report(Report::Valve(ValveNews::UnseenSince(self.seen)));
            }
        }
        self.seen = asked;
    }

    /// What else is to be known of a position that was read right now.
    async fn sight(&mut self, asked: Tick) -> Sight {
        let wavered = self.driver.wavered();
        let answered = self.clock.now().tick;
        let moves = if self.watched.counts() { self.driver.moves().await } else { None };
        Sight { asked, answered, moves, wavered }
    }

    /// It stands where it stood at `seen`. Whether it did so all the time is another question.
    fn doubt(&mut self, seen: Tick, sight: &Sight) {
        let is_read_back = matches!(self.known, Known::Stands(Position::At(_, Verification::Readback)));
        let unseen = self.clock.outside(sight.answered.since(seen));
        if let Some((since, why)) = self.watched.doubt(seen, unseen, sight).filter(|_| is_read_back) {
            tracing::warn!("the valve's position was not verified since {since:?}: {why}");
            self.report(Report::Valve(ValveNews::Doubted { since, why }));
        }
    }

    /// What a valve does not say of itself is not missed.
    async fn describe(&mut self) {
        match self.driver.describe().await {
            Ok(description) => self.report(Report::Valve(ValveNews::Is(description))),
            Err(fault) => tracing::debug!("the valve does not describe itself: {fault}"),
        }
    }

    fn report(&self, report: Report) {
        // Nobody listens any more: the program is shutting down.
        let _ = self.reports.send(report);
    }
}
