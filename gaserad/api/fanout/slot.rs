//! One reader: its socket, how far it is, and what the kernel did not take yet.

use std::io::ErrorKind;
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};

use super::Line;
use crate::stream::Cursor;

/// What a reader may send although it should listen, before it is taken for broken.
const NOISE: u16 = 4096;

pub struct Slot {
    pub socket: Line,
    pub cursor: Cursor,
    pub group: usize,
    rest: Bytes,
    waker: Waker,
    /// The sweep after which something was last written, or given to be.
    moved: u32,
    noise: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flushed {
    All,
    /// The waker is called when there is room.
    Waiting,
    Broken,
}

impl Slot {
    pub fn new(socket: Line, cursor: Cursor, group: usize, waker: Waker, now: u32) -> Self {
        Self { socket, cursor, group, rest: Bytes::new(), waker, moved: now, noise: 0 }
    }

    /// Whether there is something that the kernel did not take yet.
    pub fn is_waiting(&self) -> bool {
        !self.rest.is_empty()
    }

    /// How many sweeps ago something was last written.
    pub fn silent(&self, now: u32) -> u32 {
        now.saturating_sub(self.moved)
    }

    /// What is to be written next; everything before must have been.
    pub fn give(&mut self, bytes: Bytes, now: u32) {
        self.rest = bytes;
        self.moved = now;
    }

    /// What the kernel did not take yet, for somebody else to write.
    pub fn take_rest(&mut self) -> Bytes {
        std::mem::take(&mut self.rest)
    }

    pub fn flush(&mut self, now: u32) -> Flushed {
        while self.is_waiting() {
            match self.socket.try_write(&self.rest) {
                Ok(0) => return Flushed::Broken,
                Ok(written) => {
                    self.moved = now;
                    self.rest.advance(written);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if self.socket.poll_write_ready(&mut Context::from_waker(&self.waker)).is_pending() {
                        return Flushed::Waiting;
                    }
                }
                Err(_) => return Flushed::Broken,
            }
        }
        // What was written is not kept.
        self.rest = Bytes::new();
        Flushed::All
    }

    /// Asks to be woken when the peer says something, which is that it closes; whether it has not.
    pub fn listen(&mut self) -> bool {
        let mut noise = [0; 256];
        while let Poll::Ready(ready) = self.socket.poll_read_ready(&mut Context::from_waker(&self.waker)) {
            if ready.is_err() {
                return false;
            }
            match self.socket.try_read(&mut noise) {
                Ok(0) => return false,
                Ok(read) => self.noise = self.noise.saturating_add(u16::try_from(read).unwrap_or(u16::MAX)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return false,
            }
            if self.noise > NOISE {
                return false;
            }
        }
        true
    }

    /// Gives up what the kernel still keeps for it.
    pub fn cut(&self) {
        let _ = self.socket.set_zero_linger();
    }
}
