//! What waits to be done: orders, what a stop does to them, and inquiries, which wait behind all orders.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;

use super::desk::AskedInquiry;
use crate::domain::{AnalyzerOrder, CommandId};

type Ordered = (CommandId, AnalyzerOrder);

/// What comes in.
pub(super) enum InboxMessage {
    Order(CommandId, AnalyzerOrder),
    Inquiry(AskedInquiry),
}

pub(super) struct Inbox {
    messages: mpsc::UnboundedReceiver<InboxMessage>,
    waiting: VecDeque<Ordered>,
    inquiries: Vec<AskedInquiry>,
    closed: bool,
}

/// An order to carry out, and those that it overtook and that are not to be carried out any more.
pub(super) struct Next {
    pub ordered: Ordered,
    pub overtaken: Vec<CommandId>,
}

impl Inbox {
    pub(super) fn new(messages: mpsc::UnboundedReceiver<InboxMessage>) -> Self {
        Self { messages, waiting: VecDeque::new(), inquiries: Vec::new(), closed: false }
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

    /// A look that a stop interrupted is carried out behind it.
    pub(super) fn put_back(&mut self, ordered: Ordered) {
        self.waiting.push_front(ordered);
    }

    /// The inquiries that came since the last call.
    pub(super) fn inquiries(&mut self) -> Vec<AskedInquiry> {
        self.collect();
        std::mem::take(&mut self.inquiries)
    }

    /// Waits that long, or until a message comes, or until none can come any more.
    pub(super) async fn wait(&mut self, time: Duration) {
        self.wait_for(time, |_| true).await;
    }

    /// Waits that long, or until a stop is ordered.
    pub(super) async fn wait_for_stop(&mut self, time: Duration) {
        self.wait_for(time, |message| matches!(message, Some(InboxMessage::Order(_, AnalyzerOrder::Stop)))).await;
    }

    /// Returns when a stop has waited that long; never if none comes.
    pub(super) async fn stop_overdue(&mut self, time: Duration) {
        while !self.stop_waits() {
            match self.messages.recv().await {
                Some(message) => self.take(message),
                None => std::future::pending().await,
            }
        }
        tokio::time::sleep(time).await;
    }

    async fn wait_for(&mut self, time: Duration, wakes: impl Fn(Option<&InboxMessage>) -> bool) {
        let time = tokio::time::sleep(time);
        tokio::pin!(time);
        loop {
            tokio::select! {
                biased;
                () = &mut time => return,
                received = self.messages.recv(), if !self.closed => {
                    let awake = wakes(received.as_ref());
                    match received {
                        Some(message) => self.take(message),
                        None => self.closed = true,
                    }
                    if awake {
                        return;
                    }
                }
            }
        }
    }

    fn collect(&mut self) {
        loop {
            match self.messages.try_recv() {
                Ok(message) => self.take(message),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    self.closed = true;
                    return;
                }
            }
        }
    }

    fn take(&mut self, message: InboxMessage) {
        match message {
            InboxMessage::Order(id, order) => self.waiting.push_back((id, order)),
            InboxMessage::Inquiry(asked) => self.inquiries.push(asked),
        }
    }
}

fn is_stop((_, order): &Ordered) -> bool {
    *order == AnalyzerOrder::Stop
}
