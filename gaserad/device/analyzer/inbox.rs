//! The orders that wait, and what a stop does to them.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;

use crate::domain::{AnalyzerOrder, CommandId};

type Ordered = (CommandId, AnalyzerOrder);

pub(super) struct Inbox {
    orders: mpsc::UnboundedReceiver<Ordered>,
    waiting: VecDeque<Ordered>,
    closed: bool,
}

/// An order to carry out, and those that it overtook and that are not to be carried out any more.
pub(super) struct Next {
    pub ordered: Ordered,
    pub overtaken: Vec<CommandId>,
}

impl Inbox {
    pub(super) fn new(orders: mpsc::UnboundedReceiver<Ordered>) -> Self {
        Self { orders, waiting: VecDeque::new(), closed: false }
    }

    /// Whether nothing waits and nothing can come any more.
    pub(super) fn is_closed(&self) -> bool {
        self.closed && self.waiting.is_empty()
    }

    pub(super) fn stop_waits(&mut self) -> bool {
        self.collect();
        self.waiting.iter().any(is_stop)
    }

    /// The first stop, else the first order. To prepare or to start what is then stopped would make no sense.
    pub(super) fn next(&mut self) -> Option<Next> {
        self.collect();
        let Some(place) = self.waiting.iter().position(is_stop) else {
            let ordered = self.waiting.pop_front()?;
            return Some(Next { ordered, overtaken: Vec::new() });
        };
        let ordered = self.waiting.remove(place)?;
        let later = self.waiting.split_off(place);
        let (looks, overtaken): (Vec<Ordered>, Vec<Ordered>) =
            self.waiting.drain(..).partition(|(_, order)| *order == AnalyzerOrder::Look);
        self.waiting.extend(looks.into_iter().chain(later));
        Some(Next { ordered, overtaken: overtaken.into_iter().map(|(id, _)| id).collect() })
    }

    /// Waits that long, or until a first order, or until none can come any more.
    pub(super) async fn wait(&mut self, time: Duration) {
        self.wait_for(time, |_| true).await;
    }

    /// Waits that long, or until a stop is ordered.
    pub(super) async fn wait_for_stop(&mut self, time: Duration) {
        self.wait_for(time, |received| received.is_some_and(is_stop)).await;
    }

    async fn wait_for(&mut self, time: Duration, wakes: impl Fn(Option<&Ordered>) -> bool) {
        let time = tokio::time::sleep(time);
        tokio::pin!(time);
        loop {
            tokio::select! {
                () = &mut time => return,
                received = self.orders.recv(), if !self.closed => {
                    let awake = wakes(received.as_ref());
                    self.closed |= received.is_none();
                    self.waiting.extend(received);
                    if awake {
                        return;
                    }
                }
            }
        }
    }

    fn collect(&mut self) {
        loop {
            match self.orders.try_recv() {
                Ok(ordered) => self.waiting.push_back(ordered),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    self.closed = true;
                    return;
                }
            }
        }
    }
}

fn is_stop((_, order): &Ordered) -> bool {
    *order == AnalyzerOrder::Stop
}
