//! One AK connection: a question, its reply, a deadline. What is worth asking is for `analyzer`.
//!
//! Replies carry no number, so one question is in flight at a time, and a stream on which a reply was late or broken is
//! dropped: the next reply on it could be the one to the question before. So is one on which a reply came that nobody had
//! asked for, and one on which a question was given up: [`Session::ask`] may be dropped at any time. Some servers hang up
//! after each reply. That is no error; it is noticed, and from then on every question has a connection of its own.

#[cfg(test)]
mod tests;

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

use super::dial::{Dial, Stream};
use crate::ak::{self, Command, Decoder, Reply};
pub use crate::config::SessionMode;

const CONNECT: Duration = Duration::from_secs(2);
const REPLY: Duration = Duration::from_secs(3);
const PIECE: usize = 4096;
const HABIT: u8 = 2;

/// A question without an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The question was not delivered.
    #[error("cannot connect to {place}: {why}")]
    Unreachable { place: String, why: String },
    #[error("{place} gave no reply to {code}: {why}")]
    NoReply { place: String, code: String, why: String },
    /// It may have been carried out or not, and must not be repeated.
    #[error("the reply of {place} to {code} was lost: {why}")]
    Lost { place: String, code: String, why: String },
    #[error("{place} does not speak AK: {error}")]
    Malformed { place: String, error: ak::Error },
}

pub struct Session {
    dial: Dial,
    mode: SessionMode,
    connection: Option<AnalyzerConnection>,
    /// In how many connections in a row the server hung up after the first reply.
    hung_up: u8,
    /// How the last question without an answer was turned away, if it was.
    turned_away: Option<TurnedAway>,
    /// How many connections were made that were meant to last.
    contacts: u64,
}

/// The machine was there, and its program did not serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnedAway {
    /// Nothing listened.
    Refused,
    /// The connection was closed or reset instead of an answer.
    Closed,
}

struct AnalyzerConnection {
    stream: Box<dyn Stream>,
    decoder: Decoder,
    replies: u32,
    /// More came than was asked for: what comes next may answer another question.
    strayed: bool,
}

/// How one attempt went wrong.
enum SessionFailure {
    /// Nothing listens there.
    Refused(String),
    Unreachable(String),
    /// The connection was gone before a byte of the question was on its way.
    Undelivered(String),
    /// It was closed or reset without a byte of a reply.
    Ended,
    /// It was lost without a byte of a reply, and not by the other side.
    Cut(String),
    Silent,
    Broken(String),
    Malformed(ak::Error),
}

impl Session {
    pub fn new(dial: Dial, mode: SessionMode) -> Self {
        Self { dial, mode, connection: None, hung_up: 0, turned_away: None, contacts: 0 }
    }

    /// The analyzer's address as people know it.
    pub fn place(&self) -> &str {
        &self.dial.place
    }

    /// How the last question was turned away, if it had no answer for that reason.
    pub fn turned_away(&self) -> Option<TurnedAway> {
        self.turned_away
    }

    /// How many connections were made that were meant to last: behind each of them may be another analyzer.
    pub const fn contacts(&self) -> u64 {
        self.contacts
    }

    /// Whether connections last; else each question has its own, and who answers cannot be seen by that.
    pub fn keeps(&self) -> bool {
        match self.mode {
            SessionMode::Auto => self.hung_up < HABIT,
            SessionMode::Persistent => true,
            SessionMode::Oneshot => false,
        }
    }

    /// Asks, a second time if the reply was lost and asking twice does no harm.
    pub async fn ask(&mut self, command: &Command) -> Result<Reply, AskError> {
        let mut repeats = u8::from(command.is_safe_to_repeat());
        loop {
            let reused = self.still_open(command).await;
            let failure = match self.attempt(command).await {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            self.connection = None;
            self.turned_away = failure.turned_away();
            match failure {
                // It had hung up meanwhile: that says nothing of the question.
                SessionFailure::Undelivered(_) if reused => {}
                SessionFailure::Ended | SessionFailure::Cut(_) if reused && command.is_safe_to_repeat() => {}
                SessionFailure::Refused(_) | SessionFailure::Unreachable(_) | SessionFailure::Undelivered(_) => {
                    return Err(self.error(command, failure));
                }
                _ if repeats > 0 => repeats -= 1,
                failure => return Err(self.error(command, failure)),
            }
        }
    }

    /// Whether there is a connection to use again. One that the server has closed is dropped.
    async fn still_open(&mut self, command: &Command) -> bool {
        let Some(connection) = &mut self.connection else { return false };
        // A close that has come in must get the chance to be noticed.
        tokio::task::yield_now().await;
        let open = connection.take_what_came().await;
        let (replies, strayed) = (connection.replies, connection.strayed);
        // What must not be repeated goes where no close can be on its way yet.
        let proven = self.mode != SessionMode::Auto || replies > 1 || command.is_safe_to_repeat();
        if !open {
            self.note_close(replies);
        }
        if !open || !proven || strayed {
            self.connection = None;
        }
        self.connection.is_some()
    }

    /// One reply, then a close: once may be chance, twice is this server's habit.
    fn note_close(&mut self, replies: u32) {
        match replies {
            0 => {}
            1 => self.hung_up = self.hung_up.saturating_add(1),
            _ => self.hung_up = 0,
        }
    }

    async fn attempt(&mut self, command: &Command) -> Result<Reply, SessionFailure> {
        let mut connection = if let Some(connection) = self.connection.take() {
            connection
        } else {
            let connection = connect(&self.dial).await?;
            self.contacts += u64::from(self.keeps());
            connection
        };
        let exchanged = timeout(REPLY, connection.exchange(command)).await.unwrap_or(Err(SessionFailure::Silent));
        if matches!(exchanged, Err(SessionFailure::Ended | SessionFailure::Cut(_) | SessionFailure::Undelivered(_))) {
            self.note_close(connection.replies);
        }
        let reply = exchanged?;
        let keep = self.keeps();
        self.connection = Some(connection).filter(|connection| keep && !connection.strayed);
        Ok(reply)
    }

    fn error(&self, command: &Command, failure: SessionFailure) -> AskError {
        let place = self.dial.place.clone();
        let code = command.code().to_owned();
        let why = match failure {
            SessionFailure::Refused(why) | SessionFailure::Unreachable(why) | SessionFailure::Undelivered(why) => {
                return AskError::Unreachable { place, why };
            }
            SessionFailure::Malformed(error) if command.is_safe_to_repeat() => {
                return AskError::Malformed { place, error };
            }
            SessionFailure::Malformed(error) => error.to_string(),
            SessionFailure::Ended => "it closed the connection".to_owned(),
            SessionFailure::Silent => format!("nothing came within {} s", REPLY.as_secs()),
            SessionFailure::Cut(why) | SessionFailure::Broken(why) => why,
        };
        if command.is_safe_to_repeat() {
            AskError::NoReply { place, code, why }
        } else {
            AskError::Lost { place, code, why }
        }
    }
}

async fn connect(dial: &Dial) -> Result<AnalyzerConnection, SessionFailure> {
    match timeout(CONNECT, dial.open()).await {
        Ok(Ok(stream)) => Ok(AnalyzerConnection { stream, decoder: Decoder::default(), replies: 0, strayed: false }),
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
            Err(SessionFailure::Refused(error.to_string()))
        }
        Ok(Err(error)) => Err(SessionFailure::Unreachable(error.to_string())),
        Err(_) => Err(SessionFailure::Unreachable(format!("nothing answered within {} s", CONNECT.as_secs()))),
    }
}

impl SessionFailure {
    const fn turned_away(&self) -> Option<TurnedAway> {
        match self {
            Self::Refused(_) => Some(TurnedAway::Refused),
            Self::Ended => Some(TurnedAway::Closed),
            _ => None,
        }
    }
}

/// Whether the other side did that, and not what lies between.
fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), ConnectionReset | ConnectionAborted | BrokenPipe | UnexpectedEof)
}

impl AnalyzerConnection {
    async fn exchange(&mut self, command: &Command) -> Result<Reply, SessionFailure> {
        self.send(&command.encode()).await?;
        let mut piece = [0; PIECE];
        let mut received = 0;
        loop {
            while let Some(frame) = self.decoder.next_frame() {
                let reply = Reply::parse(&frame).map_err(SessionFailure::Malformed)?;
                if reply.answers(command) {
                    self.replies = self.replies.saturating_add(1);
                    self.strayed |= !self.decoder.is_between_frames();
                    return Ok(reply);
                }
                self.strayed = true;
                tracing::debug!("{:?} is no reply to {}, and is discarded", reply.raw, command.code());
            }
            match self.stream.read(&mut piece).await {
                Ok(0) if received == 0 => return Err(SessionFailure::Ended),
                Err(error) if received == 0 && is_closed(&error) => return Err(SessionFailure::Ended),
                Err(error) if received == 0 => return Err(SessionFailure::Cut(error.to_string())),
                Ok(0) => return Err(SessionFailure::Broken("it closed the connection within the reply".to_owned())),
                Ok(count) => {
                    received += count;
                    self.decoder.push(&piece[..count]);
                }
                Err(error) => return Err(SessionFailure::Broken(error.to_string())),
            }
        }
    }

    async fn send(&mut self, question: &[u8]) -> Result<(), SessionFailure> {
        let sent = self.stream.write(question).await.map_err(|error| SessionFailure::Undelivered(error.to_string()))?;
        if sent == 0 {
            return Err(SessionFailure::Undelivered("it takes no bytes".to_owned()));
        }
        let rest = async {
            self.stream.write_all(&question[sent..]).await?;
            self.stream.flush().await
        };
        rest.await.map_err(|error| SessionFailure::Broken(error.to_string()))
    }

    /// Takes what has come in unasked; `false` if the server has closed the connection. Noise between two replies does
    /// no harm; what may be a reply does.
    async fn take_what_came(&mut self) -> bool {
        let mut piece = [0; PIECE];
        loop {
            match read_what_is_there(&mut self.stream, &mut piece).await {
                None => return true,
                Some(Ok(count @ 1..)) => {
                    self.decoder.push(&piece[..count]);
                    self.strayed |= !self.decoder.is_between_frames();
                }
                Some(Ok(0) | Err(_)) => return false,
            }
        }
    }
}

/// Does not wait: `None` if nothing is there.
async fn read_what_is_there(stream: &mut Box<dyn Stream>, piece: &mut [u8]) -> Option<io::Result<usize>> {
    poll_fn(|context| {
        let mut buffer = ReadBuf::new(piece);
        Poll::Ready(match Pin::new(&mut *stream).poll_read(context, &mut buffer) {
            Poll::Pending => None,
            Poll::Ready(read) => Some(read.map(|()| buffer.filled().len())),
        })
    })
    .await
}
