//! Asking: what a stop cuts short, and which commands this firmware has. When to ask is for the other parts.

use std::time::Duration;

use super::AnalyzerOwner;
use super::fault::SessionError;
use crate::ak::{Command, Reply};
use crate::device::session::AskError;

/// A reply that is not there so long after a stop was ordered is not awaited any longer.
const STALLED: Duration = Duration::from_millis(400);

/// What becomes of the work under way when a stop is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Yielding {
    /// No further question is asked, and the one in flight is given up if it stalls.
    AtOnce,
    /// Only what stalls is given up.
    WhenStalled,
    Never,
}

/// What is known of a command that not every firmware has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Feature {
    Works,
    Refused,
    /// It is not even answered.
    Silent,
}

impl Feature {
    pub(super) const fn works(self) -> bool {
        matches!(self, Self::Works)
    }
}

impl AnalyzerOwner {
    pub(super) async fn ask(&mut self, command: &Command) -> Result<Reply, SessionError> {
        if self.yielding == Yielding::AtOnce && self.inbox.stop_waits() {
            return Err(SessionError::Overtaken { unanswered: None });
        }
        self.contact.asked = Some(self.now());
        if self.yielding == Yielding::Never {
            return Ok(self.session.ask(command).await?);
        }
        tokio::select! {
            biased;
            answered = self.session.ask(command) => Ok(answered?),
            () = self.inbox.stop_overdue(STALLED) => {
                let unanswered = (!command.is_safe_to_repeat()).then(|| command.code().to_owned());
                Err(SessionError::Overtaken { unanswered })
            }
        }
    }

    /// Asks what not every firmware knows; `None` if it was refused, or was never answered though other questions are.
    pub(super) async fn probe(&mut self, command: &Command) -> Result<Option<Reply>, SessionError> {
        let code = command.code();
        let known = self.contact.features.get(code).copied();
        if known.is_some_and(|feature| !feature.works()) {
            return Ok(None);
        }
        match self.ask(command).await {
            Ok(reply) if reply.done(command).is_ok() => {
                self.contact.features.insert(code.to_owned(), Feature::Works);
                Ok(Some(reply))
            }
            Ok(reply) => {
                if known.is_none() && (tells_of_the_firmware(command) || reply.code != code) {
                    self.contact.features.insert(code.to_owned(), Feature::Refused);
                }
                Ok(None)
            }
            Err(SessionError::Ask(AskError::NoReply { .. } | AskError::Malformed { .. })) if known.is_none() => {
                self.ask(&Command::State).await?.state()?;
                self.contact.features.insert(code.to_owned(), Feature::Silent);
                Ok(None)
            }
            Err(trouble) => Err(trouble),
        }
    }
}

/// Whether a refusal can only mean that the firmware has no such command. Others depend on their data or on the state.
const fn tells_of_the_firmware(command: &Command) -> bool {
    matches!(
        command,
        Command::Phase
            | Command::Iteration
            | Command::Errors
            | Command::Layout(_)
            | Command::Clock
            | Command::Identity
            | Command::Name
            | Command::Network
            | Command::SystemParameters
            | Command::Inlets
            | Command::SelfTestResult
    )
}
