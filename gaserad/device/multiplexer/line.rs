//! Lines of text to and from a device, ended by CR, LF or both.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::device::{Dial, Stream};

/// A device that sends more than this without ending its line does not send lines.
const LONGEST: usize = 1024;
/// So long without a byte is a pause in what the other side sends.
const PAUSE: Duration = Duration::from_millis(2);
/// What a device sends unasked may delay a question this many times.
const MOST_DRAINS: usize = 16;

/// Why no line came.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    #[error("it cannot be opened: {0}")]
    NotOpened(io::Error),
    #[error("the connection failed: {0}")]
    Failed(#[from] io::Error),
    #[error("the connection was closed")]
    Closed,
    #[error("no answer within {0:?}")]
    Silent(Duration),
    #[error("what came is not lines of text")]
    NoLines,
}

/// An open connection. It is to be dropped after an error: what comes late would answer the wrong question.
pub struct SerialLine {
    stream: Box<dyn Stream>,
    received: Vec<u8>,
}

impl SerialLine {
    pub async fn open(dial: &Dial, limit: Duration) -> Result<Self, LineError> {
        let stream = timeout(limit, dial.open()).await.map_err(|_| LineError::Silent(limit))?;
        Ok(Self { stream: stream.map_err(LineError::NotOpened)?, received: Vec::new() })
    }

    /// Forgets what came before, then sends `text` and CR.
    pub async fn send(&mut self, text: &str, limit: Duration) -> Result<(), LineError> {
        self.drain().await?;
        let line = format!("{text}\r");
        let sending = async {
            self.stream.write_all(line.as_bytes()).await?;
            self.stream.flush().await
        };
        Ok(timeout(limit, sending).await.map_err(|_| LineError::Silent(limit))??)
    }

    /// The next line that is not empty.
    pub async fn receive(&mut self, limit: Duration) -> Result<String, LineError> {
        timeout(limit, self.next()).await.map_err(|_| LineError::Silent(limit))?
    }

    /// Ends when the other side hangs up. What it says meanwhile answers nothing, and is forgotten.
    pub async fn hung_up(&mut self) {
        loop {
            self.received.clear();
            if !matches!(self.stream.read_buf(&mut self.received).await, Ok(1..)) {
                return;
            }
        }
    }

    async fn next(&mut self) -> Result<String, LineError> {
        loop {
            if let Some(end) = self.received.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
                let line: Vec<u8> = self.received.drain(..=end).collect();
                let text = String::from_utf8_lossy(&line).trim().to_owned();
                if !text.is_empty() {
                    return Ok(text);
                }
            } else if self.received.len() > LONGEST {
                return Err(LineError::NoLines);
            } else if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(LineError::Closed);
            }
        }
    }

    async fn drain(&mut self) -> Result<(), LineError> {
        for _ in 0..MOST_DRAINS {
            self.received.clear();
            match timeout(PAUSE, self.stream.read_buf(&mut self.received)).await {
                Err(_) => return Ok(()),
                Ok(Ok(0)) => return Err(LineError::Closed),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(error.into()),
            }
        }
        Err(LineError::NoLines)
    }
}
