//! What a check found, for people and for programs.

use serde_json::{Value, json};

use crate::output::Paint;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingOutcome {
    Ok,
    Warn,
    Fail,
}

impl FindingOutcome {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub check: &'static str,
    pub outcome: FindingOutcome,
    pub found: String,
    pub tried: String,
    /// What to do next; empty if nothing is.
    pub advice: String,
}

impl Finding {
    pub fn ok(check: &'static str, tried: &str, found: impl Into<String>) -> Self {
        Self { check, outcome: FindingOutcome::Ok, found: found.into(), tried: tried.into(), advice: String::new() }
    }

    pub fn warn(check: &'static str, tried: &str, found: impl Into<String>, advice: &str) -> Self {
        Self { outcome: FindingOutcome::Warn, advice: advice.into(), ..Self::ok(check, tried, found) }
    }

    pub fn fail(check: &'static str, tried: &str, found: impl Into<String>, advice: &str) -> Self {
        Self { outcome: FindingOutcome::Fail, advice: advice.into(), ..Self::ok(check, tried, found) }
    }

    pub fn json(&self) -> Value {
        json!({
            "check": self.check,
            "outcome": self.outcome.word(),
            "found": self.found,
            "tried": self.tried,
            "advice": self.advice,
        })
    }

    pub fn lines(&self, paint: Paint) -> String {
        let word = format!("{:<4}", self.outcome.word());
        let word = match self.outcome {
            FindingOutcome::Ok => paint.good(&word),
            FindingOutcome::Warn => paint.doubtful(&word),
            FindingOutcome::Fail => paint.bad(&word),
        };
        let head = format!("{word}  {:<12} {}", self.check, self.found);
        if self.outcome == FindingOutcome::Ok {
            return head;
        }
        let indent = " ".repeat(19);
        format!("{head}\n{indent}tried: {}\n{indent}do: {}", self.tried, self.advice)
    }
}
