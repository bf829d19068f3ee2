//! What a check found, for people and for programs.

use serde_json::{Value, json};

use crate::output::Paint;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Ok,
    Warn,
    Fail,
}

impl Outcome {
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
    pub outcome: Outcome,
    pub found: String,
    pub tried: String,
    /// What to do next; empty if nothing is.
    pub advice: String,
}

impl Finding {
    pub fn ok(check: &'static str, tried: &str, found: impl Into<String>) -> Self {
        Self { check, outcome: Outcome::Ok, found: found.into(), tried: tried.into(), advice: String::new() }
    }

    pub fn warn(check: &'static str, tried: &str, found: impl Into<String>, advice: &str) -> Self {
        Self { outcome: Outcome::Warn, advice: advice.into(), ..Self::ok(check, tried, found) }
    }

    pub fn fail(check: &'static str, tried: &str, found: impl Into<String>, advice: &str) -> Self {
        Self { outcome: Outcome::Fail, advice: advice.into(), ..Self::ok(check, tried, found) }
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
            Outcome::Ok => paint.good(&word),
            Outcome::Warn => paint.doubtful(&word),
            Outcome::Fail => paint.bad(&word),
        };
        let head = format!("{word}  {:<12} {}", self.check, self.found);
        if self.outcome == Outcome::Ok {
            return head;
        }
        let indent = " ".repeat(19);
        format!("{head}\n{indent}tried: {}\n{indent}do: {}", self.tried, self.advice)
    }
}
