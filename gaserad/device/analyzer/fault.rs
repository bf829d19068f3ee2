//! What goes wrong with the analyzer, in sentences.

use crate::ak;
use crate::device::session::AskError;
use crate::domain::{AnalyzerState, Fault, FaultKind};

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(super) enum Trouble {
    /// There was no answer.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// There was another answer.
    #[error(transparent)]
    Reply(#[from] ak::Error),
    /// There was an answer, and it is in the way.
    #[error(transparent)]
    Fault(#[from] Fault),
    #[error("a stop was ordered meanwhile")]
    Overtaken,
}

impl Trouble {
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
            Self::Overtaken => superseded(),
            Self::Ask(_) => Fault::new(FaultKind::Offline, format!("cannot {tried}: {}", self.reason(place))),
            Self::Reply(error) => Fault::new(
                FaultKind::Refused,
                format!("cannot {tried} on the analyzer at {place}: {error}; look at its display and its errors"),
            ),
        }
    }
}

pub(super) fn superseded() -> Fault {
    Fault::new(FaultKind::Superseded, "not carried out, because a stop was ordered meanwhile")
}

pub(super) fn busy(place: &str, state: AnalyzerState) -> Fault {
    let text = format!(
        "the analyzer at {place} is {}; wait until it is idle, or stop it on its display, then start again",
        state.words()
    );
    Fault::new(FaultKind::Busy, text)
}
