//! The reader's side of an event stream, without a network: bytes to frames, and what to do when a connection breaks.
//!
//! For every program that follows the stream of gaserad, gaseractl first. Who connects, to what, and what frames mean
//! is not its business; it reads no clock and rolls no dice.

pub mod link;
pub mod parser;

pub use link::{LinkPatience, LinkState, Loss, NextAttempt, StreamLink};
pub use parser::{FrameLimits, Parser, SseFrame, TooLarge};
