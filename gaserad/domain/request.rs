//! What people ask for, and why it is not always granted.

use serde::{Deserialize, Serialize};

use super::plan::Plan;

/// A plan that somebody wants carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartRequest {
    pub plan: Plan,
    /// Start although the analyzer reports errors that block measuring.
    pub ignore_errors: bool,
    pub who: String,
}

/// A request that is not granted, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{text}")]
pub struct Denied {
    pub reason: Reason,
    /// What was asked, why not, and what to do.
    pub text: String,
}

impl Denied {
    pub fn new(reason: Reason, text: impl Into<String>) -> Self {
        Self { reason, text: text.into() }
    }
}

/// Why, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Reason {
    RunUnderWay,
    NoRun,
    AnalyzerBusy,
    AnalyzerOffline,
    AnalyzerRefused,
    AnalyzerErrors,
    MultiplexerFault,
    TaskUnknown,
    RunUnknown,
    PlanInvalid,
    RunAborted,
    ShuttingDown,
    Internal,
}

impl Reason {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RunUnderWay => "RUN_UNDER_WAY",
            Self::NoRun => "NO_RUN",
            Self::AnalyzerBusy => "ANALYZER_BUSY",
            Self::AnalyzerOffline => "ANALYZER_OFFLINE",
            Self::AnalyzerRefused => "ANALYZER_REFUSED",
            Self::AnalyzerErrors => "ANALYZER_ERRORS",
            Self::MultiplexerFault => "MULTIPLEXER_FAULT",
            Self::TaskUnknown => "TASK_UNKNOWN",
            Self::RunUnknown => "RUN_UNKNOWN",
            Self::PlanInvalid => "PLAN_INVALID",
            Self::RunAborted => "RUN_ABORTED",
            Self::ShuttingDown => "SHUTTING_DOWN",
            Self::Internal => "INTERNAL",
        }
    }
}
