//! An open line to one actuator: a command with its address goes out, and what is the answer to it comes back.

use std::time::Duration;

use super::dialect::is_refusal;
use crate::device::Dial;
use crate::device::multiplexer::line::{LineError, SerialLine};

/// How long a connection or a line of a reply may take. A real device's own time, whatever a simulation's clock says.
const REPLY: Duration = Duration::from_millis(500);
/// A reply of several lines is over after this silence.
const NEXT_LINE: Duration = Duration::from_millis(100);
/// Echoes and left-overs before the answer to a question.
const MOST_STRAYS: usize = 4;
const MOST_LINES: usize = 4;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error(transparent)]
    Line(#[from] LineError),
    #[error("it answers {0:?}, which no VICI valve says to that")]
    Stray(String),
    #[error("it answers {0:?}")]
    BadCommand(String),
    /// It answers well, and is not what it has to be: as a sentence about it goes on.
    #[error("{0}")]
    Unfit(String),
    /// What it answers to a question on which its safety rests is not understood. So is a sentence.
    #[error("{0}")]
    Unclear(String),
}

impl Trouble {
    /// Of a question whose answer decides whether the valve may be moved. A line that fails remains one.
    pub fn unclear(self, question: &str, about: &str) -> Self {
        let answer = match self {
            Self::Line(LineError::Silent(_)) => "does not answer".to_owned(),
            Self::Stray(reply) => format!("answers {reply:?}, which is not understood"),
            Self::BadCommand(reply) => format!("answers {reply:?}"),
            other => return other,
        };
        Self::Unclear(format!(
            "was asked {question} ({about}), and {answer}: it is not moved, as a valve with two positions, driven as one \
             with many, breaks; ask it {question} with a terminal, and see its manual for what it has to be"
        ))
    }
}

/// It is to be dropped after an error that is not the actuator's own answer.
pub struct Contact {
    line: SerialLine,
    address: String,
}

impl Contact {
    pub async fn open(dial: &Dial, address: &str) -> Result<Self, Trouble> {
        Ok(Self { line: SerialLine::open(dial, REPLY).await?, address: address.to_owned() })
    }

    /// Orders, and waits for an objection; echoes are no objection, and neither is silence.
    pub async fn order(&mut self, command: &str, patience: Duration) -> Result<(), Trouble> {
        self.send(command).await?;
        for _ in 0..MOST_STRAYS {
            match self.line.receive(patience).await {
                Ok(reply) if is_refusal(&reply) => return Err(Trouble::BadCommand(reply)),
                Ok(_) => {}
                Err(LineError::Silent(_)) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Asks, and waits for a line that `read` understands, past echoes and left-overs.
    pub async fn ask<T>(&mut self, command: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, Trouble> {
        self.send(command).await?;
        let mut stray = None;
        for _ in 0..MOST_STRAYS {
            let received = self.line.receive(REPLY).await;
            if let (Err(LineError::Silent(_)), Some(stray)) = (&received, stray.take()) {
                return Err(Trouble::Stray(stray));
            }
            let reply = received?;
            if is_refusal(&reply) {
                return Err(Trouble::BadCommand(reply));
            }
            // An id may be the first letter of a command, so the reply is read as it came first.
            if let Some(answer) = read(&reply).or_else(|| read(self.bare(&reply)?)) {
                return Ok(answer);
            }
            stray = Some(reply);
        }
        Err(Trouble::Stray(stray.unwrap_or_default()))
    }

    /// Asks for a text of one or more lines.
    pub async fn ask_text(&mut self, command: &str) -> Result<String, Trouble> {
        self.send(command).await?;
        let mut lines = vec![self.line.receive(REPLY).await?];
        while lines.len() < MOST_LINES {
            match self.line.receive(NEXT_LINE).await {
                Ok(line) => lines.push(line),
                Err(LineError::Silent(_)) => break,
                Err(error) => return Err(error.into()),
            }
        }
        if let Some(refusal) = lines.iter().find(|line| is_refusal(line)) {
            return Err(Trouble::BadCommand(refusal.clone()));
        }
        lines.retain(|line| line != command && self.bare(line) != Some(command));
        Ok(lines.join(", "))
    }

    /// Ends when the other side hangs up.
    pub async fn hung_up(&mut self) {
        self.line.hung_up().await;
    }

    async fn send(&mut self, command: &str) -> Result<(), Trouble> {
        let line = format!("{}{command}", self.address);
        Ok(self.line.send(&line, REPLY).await?)
    }

    /// A reply without the address that some models put before it.
    fn bare<'a>(&self, reply: &'a str) -> Option<&'a str> {
        let address = self.address.trim_start_matches('/');
        let reply = reply.strip_prefix('/').unwrap_or(reply);
        if address.is_empty() { None } else { reply.strip_prefix(address).map(str::trim_start) }
    }
}

/// The answer, or `None` if the actuator does not know the command.
pub fn if_known<T>(answer: Result<T, Trouble>) -> Result<Option<T>, Trouble> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(Trouble::BadCommand(_)) => Ok(None),
        Err(trouble) => Err(trouble),
    }
}
