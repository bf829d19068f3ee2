//! The multiplexer: what every driver can do, and the task that owns one.
//!
//! A driver answers with a verified position or a [`Fault`]. It decides nothing: when to move where is the engine's
//! business.

pub mod gpio;
pub mod line;
pub mod modbus;
pub mod simulated;
pub mod vici;

#[cfg(test)]
mod tests;

use std::pin::Pin;
use std::time::Duration;

use tokio::sync::mpsc;

use super::Report;
use crate::domain::{Channel, CommandId, Fault, Position, ValveDescription, ValveNews, ValveOrder};

pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How often a valve that is lost is asked again.
const RETRY: Duration = Duration::from_secs(5);

/// Something that connects one of several sample lines to the analyzer.
pub trait Multiplexer: Send {
    /// Goes to its home channel by the way that makes its position certain.
    fn home(&mut self) -> BoxFuture<'_, Result<Position, Fault>>;
    /// Goes to a channel, from wherever it stands.
    fn go(&mut self, to: Channel) -> BoxFuture<'_, Result<Position, Fault>>;
    /// Says where it stands.
    fn position(&mut self) -> BoxFuture<'_, Result<Position, Fault>>;
    /// Says what it is, as far as it can. Asked whenever it was found, and when somebody wants to know.
    fn describe(&mut self) -> BoxFuture<'_, Result<ValveDescription, Fault>> {
        Box::pin(async { Ok(ValveDescription::default()) })
    }
}

/// A handle to the task that owns the multiplexer. The task ends with its last handle.
#[derive(Clone)]
pub struct Valve {
    orders: mpsc::UnboundedSender<(CommandId, ValveOrder)>,
}

impl Valve {
    /// The handle, and the task to spawn.
    pub fn new(
        driver: Box<dyn Multiplexer>,
        reports: mpsc::UnboundedSender<Report>,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (orders, inbox) = mpsc::unbounded_channel();
        let owner = Owner { driver, reports, lost: true };
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
    reports: mpsc::UnboundedSender<Report>,
    /// The last thing known of the valve is that nothing is known.
    lost: bool,
}

impl Owner {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<(CommandId, ValveOrder)>) {
        if let Err(fault) = self.look().await {
            self.report(Report::Valve(ValveNews::Lost(fault)));
        }
        loop {
            tokio::select! {
                biased;
                order = inbox.recv() => match order {
                    Some((id, order)) => self.obey(id, order).await,
                    None => return,
                },
                // It is reported when it is back, not every time that it is still away.
                () = tokio::time::sleep(RETRY), if self.lost => drop(self.look().await),
            }
        }
    }

    async fn look(&mut self) -> Result<(), Fault> {
        let position = self.driver.position().await?;
        self.lost = false;
        self.report(Report::Valve(ValveNews::At(position)));
        Ok(())
    }

    async fn obey(&mut self, id: CommandId, order: ValveOrder) {
        let answer = match order {
            ValveOrder::Home => self.driver.home().await,
            ValveOrder::Goto(channel) => self.driver.go(channel).await,
            ValveOrder::Where => self.driver.position().await,
        };
        self.lost = answer.is_err();
        self.report(Report::ValveDid { id, answer });
    }

    fn report(&self, report: Report) {
        // Nobody listens any more: the program is shutting down.
        let _ = self.reports.send(report);
    }
}
