//! The AK session: one question in flight, each with a deadline, over a connection that is made anew when it must be.
//!
//! Some servers keep the connection open, some close it after every reply; both are fine, and which it is is learned.
//! After a silence or a garbled reply the connection is dropped: what comes late must never answer a later question.
//! The deadlines are of the real world, however fast a simulated one runs.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::dial::{Dial, Stream};
use crate::ak::{self, Command, Decoder, Reply};

const CONNECT: Duration = Duration::from_secs(2);
const REPLY: Duration = Duration::from_secs(3);

/// Whether the server keeps the connection open after a reply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SessionMode {
    /// Learned from what it does.
    #[default]
    Auto,
    Persistent,
    Oneshot,
}

#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error("cannot connect to the analyzer at {place}: {error}; check its power, network and [analyzer] address")]
    Unreachable { place: String, error: io::Error },
    #[error("the analyzer at {place} did not answer {code} within {}s", REPLY.as_secs())]
    Silent { place: String, code: &'static str },
    #[error("the connection to the analyzer at {place} broke while it was asked {code}")]
    Lost { place: String, code: &'static str },
    #[error(transparent)]
    Garbled(#[from] ak::Error),
}

/// Asks the analyzer, one question after another.
pub struct Session {
    dial: Dial,
    mode: SessionMode,
    link: Option<Link>,
    /// The server was seen to close after a reply.
    closes: bool,
}

struct Link {
    stream: Box<dyn Stream>,
    decoder: Decoder,
}

impl Session {
    pub fn new(dial: Dial, mode: SessionMode) -> Self {
        Self { dial, mode, link: None, closes: false }
    }

    pub fn place(&self) -> &str {
        &self.dial.place
    }

    /// Asks, and asks once more if the answer was lost and asking twice does no harm.
    pub async fn ask(&mut self, command: &Command) -> Result<Reply, AskError> {
        match self.ask_once(command).await {
            Err(AskError::Lost { .. } | AskError::Garbled(_)) if command.is_safe_to_repeat() => {
                self.ask_once(command).await
            }
            answered => answered,
        }
    }

    async fn ask_once(&mut self, command: &Command) -> Result<Reply, AskError> {
        let mut link = self.connected(command).await?;
        let reply = exchange(&self.dial.place, &mut link, command).await?;
        if self.mode != SessionMode::Oneshot && !self.closes {
            self.link = Some(link);
        }
        Ok(reply)
    }

    /// A connection that is open as far as can be seen. A start must not be lost on one that is not, so it gets a
    /// new one wherever the server may have closed the old.
    async fn connected(&mut self, command: &Command) -> Result<Link, AskError> {
        if let Some(mut link) = self.link.take() {
            if link.is_open().await {
                return Ok(link);
            }
            self.closes |= self.mode == SessionMode::Auto;
        }
        tracing::trace!(place = self.dial.place, code = command.code(), "connecting");
        let unreachable = |error| AskError::Unreachable { place: self.dial.place.clone(), error };
        let late = |_| io::Error::new(io::ErrorKind::TimedOut, "no answer in time");
        let opened = timeout(CONNECT, self.dial.open()).await.map_err(late).and_then(|opened| opened);
        Ok(Link { stream: opened.map_err(unreachable)?, decoder: Decoder::default() })
    }
}

async fn exchange(place: &str, link: &mut Link, command: &Command) -> Result<Reply, AskError> {
    let code = command.code();
    let conversation = async {
        link.stream.write_all(&command.encode()).await?;
        link.stream.flush().await?;
        link.reply_to(command).await
    };
    match timeout(REPLY, conversation).await {
        Err(_) => Err(AskError::Silent { place: place.into(), code }),
        Ok(Err(error)) => {
            tracing::debug!(%error, code, "the connection broke");
            Err(AskError::Lost { place: place.into(), code })
        }
        Ok(Ok(reply)) => Ok(reply?),
    }
}

impl Link {
    /// What arrived unasked is thrown away: it answers nothing that is asked from now on.
    async fn is_open(&mut self) -> bool {
        let mut strays = [0; 512];
        loop {
            tokio::select! {
                biased;
                read = self.stream.read(&mut strays) => match read {
                    Ok(0) | Err(_) => return false,
                    Ok(_) => self.decoder = Decoder::default(),
                },
                () = std::future::ready(()) => return true,
            }
        }
    }

    /// The reply to this command; replies to others are left over from before and skipped.
    async fn reply_to(&mut self, command: &Command) -> io::Result<Result<Reply, ak::Error>> {
        let mut bytes = [0; 4096];
        loop {
            while let Some(frame) = self.decoder.next_frame() {
                match Reply::parse(&frame) {
                    Ok(reply) if reply.answers(command).is_ok() => return Ok(Ok(reply)),
                    Ok(stray) => tracing::debug!(line = stray.raw, "skipped a reply to something else"),
                    Err(error) => return Ok(Err(error)),
                }
            }
            let read = self.stream.read(&mut bytes).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.decoder.push(&bytes[..read]);
        }
    }
}
