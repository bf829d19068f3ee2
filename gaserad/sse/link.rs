//! How a connection is kept: its states, and how long to wait before the next attempt.
//!
//! Pure: it is told what happened, and says what to do next. The chance of the jitter, 0 to 1, comes from outside.

use std::time::Duration;

/// Without a word of the server about it.
const FIRST_DELAY: Duration = Duration::from_secs(1);
const LONGEST_DELAY: Duration = Duration::from_secs(30);
/// A server that says zero would be asked without a pause.
const SHORTEST_BASE: Duration = Duration::from_millis(100);
/// A stream that lasted so long is well.
const HEALTHY_AFTER: Duration = Duration::from_secs(10);
/// How often the stream is tried while polling.
const PROBE: Duration = Duration::from_secs(30);
/// A server that asks for more patience than this is tried before.
const MOST_PATIENCE: Duration = Duration::from_secs(300);

/// Where a connection stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LinkState {
    #[default]
    Disconnected,
    /// For the first time.
    Connecting,
    Connected,
    Reconnecting,
    /// It will not be tried again.
    Error,
}

/// How much is put up with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkPatience {
    /// The delay that doubles; otherwise what the server asks for, or a second.
    pub first_delay: Option<Duration>,
    pub longest_delay: Duration,
    /// How often in a row to try again; `None` for ever.
    pub attempts: Option<u32>,
    /// After that poll instead of giving up.
    pub polls: bool,
}

impl Default for LinkPatience {
    fn default() -> Self {
        Self { first_delay: None, longest_delay: LONGEST_DELAY, attempts: None, polls: false }
    }
}

/// How a connection was lost, or did not come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    Broken,
    /// The server said when to come again, as with `Retry-After`.
    Asked(Duration),
    /// The server announced that it restarts, and how long that takes.
    Restart(Duration),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextAttempt {
    /// Connect again after this.
    Wait(Duration),
    /// Poll, and connect again after this.
    Poll(Duration),
    GiveUp,
}

#[derive(Debug, Clone, Default)]
pub struct StreamLink {
    patience: LinkPatience,
    state: LinkState,
    polling: bool,
    /// Losses in a row, without a healthy stream between them.
    losses: u32,
    /// What the server asks for.
    retry: Option<Duration>,
}

impl StreamLink {
    pub fn new(patience: LinkPatience) -> Self {
        Self { patience, ..Self::default() }
    }

    pub fn state(&self) -> LinkState {
        self.state
    }

    /// The stream was given up for now.
    pub fn is_polling(&self) -> bool {
        self.polling
    }

    /// Begins, or begins anew after an error.
    pub fn open(&mut self) {
        if matches!(self.state, LinkState::Disconnected | LinkState::Error) {
            *self = Self { state: LinkState::Connecting, ..Self::new(self.patience.clone()) };
        }
    }

    pub fn opened(&mut self) {
        if matches!(self.state, LinkState::Connecting | LinkState::Reconnecting) {
            self.state = LinkState::Connected;
            self.polling = false;
        }
    }

    /// Something came so long after the stream was opened. Only a stream that lasts, or brings an event, is well: a
    /// server that accepts and drops is not.
    pub fn heard(&mut self, since_opened: Duration, event: bool) {
        if self.state == LinkState::Connected && (event || since_opened >= HEALTHY_AFTER) {
            self.losses = 0;
        }
    }

    /// The server's `retry`.
    pub fn asked_to_retry_after(&mut self, delay: Duration) {
        self.retry = Some(delay);
    }

    /// The connection is gone, or the attempt failed: what now?
    pub fn lost(&mut self, loss: Loss, chance: f64) -> NextAttempt {
        if matches!(self.state, LinkState::Disconnected | LinkState::Error) {
            return NextAttempt::GiveUp;
        }
        self.state = LinkState::Reconnecting;
        let jitter = |delay: Duration| delay.mul_f64(chance.clamp(0.0, 1.0));
        let base = self.base();
        if let (Loss::Restart(expected), 0) = (loss, self.losses) {
            return NextAttempt::Wait(expected.min(MOST_PATIENCE) + jitter(base));
        }
        self.losses = self.losses.saturating_add(1);
        if self.patience.attempts.is_some_and(|attempts| self.losses > attempts) {
            return self.spent(chance);
        }
        let delay = base.saturating_mul(1 << (self.losses - 1).min(20)).min(self.longest());
        NextAttempt::Wait(match loss {
            Loss::Broken => jitter(delay),
            Loss::Asked(asked) | Loss::Restart(asked) => (asked.min(MOST_PATIENCE) + jitter(base)).max(jitter(delay)),
        })
    }

    /// All attempts were in vain.
    fn spent(&mut self, chance: f64) -> NextAttempt {
        if self.patience.polls {
            self.polling = true;
            // Not all come at the same moment.
            return NextAttempt::Poll(PROBE.mul_f64(1.0 - chance.clamp(0.0, 1.0) / 10.0));
        }
        self.state = LinkState::Error;
        NextAttempt::GiveUp
    }

    fn base(&self) -> Duration {
        let base = self.patience.first_delay.or(self.retry).unwrap_or(FIRST_DELAY);
        base.clamp(SHORTEST_BASE, self.longest())
    }

    fn longest(&self) -> Duration {
        self.patience.longest_delay.max(SHORTEST_BASE)
    }

    /// The server will not have it, now or later.
    pub fn refused(&mut self) {
        self.state = LinkState::Error;
    }

    /// Nobody wants it any more.
    pub fn close(&mut self) {
        (self.state, self.polling) = (LinkState::Disconnected, false);
    }
}

#[cfg(test)]
mod tests;
