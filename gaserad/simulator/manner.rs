//! How a reply arrives: whole and at once, or as a bad line and a bad server would have it.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::faults::Faults;
use super::random::Random;
use crate::ak::frame::encode;

/// What the junk fault puts before a reply: no start and no end of a frame in it.
const NOISE: &[u8] = b"\0~#\x7f ASTS 9\r\n";
const PIECES: usize = 3;
/// So many pauses at most, or the longest replies would take longer than anybody waits.
const PAUSES: usize = 100;
const BETWEEN_PIECES: Duration = Duration::from_millis(2);
/// Replies that nobody asked for: whoever takes one for an answer is told of a disaster.
const STRAYS: [&str; 2] = ["AERR 0 8012", "ASTS 0 4"];

/// How many replies there were while each of the faults could have struck.
#[derive(Debug)]
pub(super) struct Passed {
    stalls: u32,
    resets: u32,
    strays: u32,
    random: Random,
}

impl Passed {
    pub const fn new(random: Random) -> Self {
        Self { stalls: 0, resets: 0, strays: 0, random }
    }
}

/// What comes in place of silence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delivery {
    stray: Option<&'static str>,
    reply: Vec<u8>,
    end: End,
}

/// What becomes of the connection with a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It goes on.
    None,
    /// Half of the reply, then nothing more.
    Stalls,
    Closes,
    /// In place of the reply.
    Resets,
}

impl Delivery {
    /// Of the reply to that command, at that age of the plant.
    pub fn new(faults: &Faults, passed: &mut Passed, age: Duration, code: &str, text: &str) -> Self {
        let stalls = faults.reply_stalls.is_some_and(|when| when.strikes(age, &mut passed.stalls, &mut passed.random));
        let resets = faults.reset.is_some_and(|when| when.strikes(age, &mut passed.resets, &mut passed.random));
        let strays = faults.unsolicited.is_some_and(|when| when.strikes(age, &mut passed.strays, &mut passed.random));
        let stray = STRAYS.into_iter().find(|stray| !stray.starts_with(code)).filter(|_| strays);
        let end = match (resets, stalls) {
            (true, _) => End::Resets,
            (false, true) => End::Stalls,
            (false, false) if faults.close_after_reply => End::Closes,
            (false, false) => End::None,
        };
        Self { stray, reply: encode(text), end }
    }

    pub async fn send(&self, stream: &mut (impl AsyncWrite + Unpin), faults: &Faults) -> io::Result<End> {
        if !faults.slow_reply.is_zero() {
            tokio::time::sleep(faults.slow_reply).await;
        }
        if self.end == End::Resets {
            return Ok(self.end);
        }
        if let Some(stray) = self.stray {
            stream.write_all(&encode(stray)).await?;
        }
        if faults.junk {
            stream.write_all(NOISE).await?;
        }
        let length = if self.end == End::Stalls { self.reply.len() / 2 } else { self.reply.len() };
        let reply = &self.reply[..length];
        let piece = match (faults.reply_byte_by_byte, faults.junk) {
            (true, _) => 1,
            (false, true) => reply.len().div_ceil(PIECES).max(1),
            (false, false) => reply.len().max(1),
        };
        for (at, piece) in reply.chunks(piece).enumerate() {
            match at {
                0 => {}
                1..PAUSES => tokio::time::sleep(BETWEEN_PIECES).await,
                _ => tokio::task::yield_now().await,
            }
            stream.write_all(piece).await?;
            stream.flush().await?;
        }
        Ok(self.end)
    }
}

/// Hears everything and says nothing, until the other side hangs up.
pub(super) async fn fall_silent(stream: &mut (impl AsyncRead + Unpin)) {
    let mut heard = [0; 256];
    while let Ok(1..) = stream.read(&mut heard).await {}
}
