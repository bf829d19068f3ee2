//! What goes wrong with the analyzer, in sentences.

use super::pace::PacePlace;
use crate::ak;
use crate::device::session::AskError;
use crate::domain::{Fault, FaultKind};

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(super) enum SessionError {
    /// There was no answer.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// There was another answer.
    #[error(transparent)]
    Reply(#[from] ak::Error),
    /// There was an answer, and it is in the way.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// A stop was ordered meanwhile; `unanswered` was asked already, and cannot be taken back.
    #[error("a stop was ordered meanwhile")]
    Overtaken { unanswered: Option<String> },
}

impl SessionError {
    /// As the reason why the analyzer is offline.
    pub(super) fn reason(&self, place: &str) -> String {
        match self {
            Self::Ask(error) => {
                format!(
                    "{error}; check that the analyzer is on, that [analyzer] address is right, and the network between"
                )
            }
            Self::Reply(error) => format!("{place} does not tell its state: {error}"),
            other => other.to_string(),
        }
    }

    /// As the answer to an order; `tried` goes on after "cannot".
    pub(super) fn fault(self, tried: &str, place: &str) -> Fault {
        match self {
            Self::Fault(fault) => fault,
            Self::Overtaken { unanswered } => superseded(unanswered.as_deref()),
            Self::Ask(_) => Fault::new(FaultKind::Offline, format!("cannot {tried}: {}", self.reason(place))),
            Self::Reply(error) => Fault::new(
                FaultKind::Refused,
                format!("cannot {tried} on the analyzer at {place}: {error}; look at its display and its errors"),
            ),
        }
    }
}

pub(super) fn superseded(unanswered: Option<&str>) -> Fault {
    let text = match unanswered {
        None => "not carried out to its end, because a stop was ordered meanwhile".to_owned(),
        Some(code) => format!(
            "given up, because a stop was ordered meanwhile; the reply to {code} was not awaited: it may have been obeyed"
        ),
    };
    Fault::new(FaultKind::Superseded, text)
}

pub(super) fn busy(place: &str, at: &PacePlace) -> Fault {
    let words = at.state.words();
    let text = if at.is_measuring() {
        let iteration = at.iteration.map(|number| format!(" (iteration {number})")).unwrap_or_default();
        format!(
            "the analyzer at {place} is {words}{iteration} already, and not for this daemon; \
             have it stopped first with --if-measuring stop, or its measurement taken over with --if-measuring adopt"
        )
    } else {
        format!(
            "the analyzer at {place} is {words}; wait until it is idle, or stop it on its display, then start again"
        )
    };
    Fault::new(FaultKind::Busy, text)
}
