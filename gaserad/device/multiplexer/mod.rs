//! The multiplexer: what every driver can do, and the task that owns one.
//!
//! A driver answers with a verified position or a [`Fault`]. It decides nothing: when to move where is the engine's
//! business.

mod again;
pub mod gpio;
pub mod line;
pub mod modbus;
mod owner;
pub mod simulated;
pub mod vici;

#[cfg(test)]
mod tests;

use std::pin::Pin;

use crate::domain::{Channel, Fault, KnownMultiplexer, Position, ValveDescription};

pub use owner::OwnedValve;

pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Something that connects one of several sample lines to the analyzer.
pub trait Multiplexer: Send {
    /// Goes to its home channel by the way that makes its position certain.
    fn home(&mut self) -> BoxFuture<'_, Result<Position, Fault>>;
    /// Goes to a channel, from wherever it stands.
    fn go(&mut self, to: Channel) -> BoxFuture<'_, Result<Position, Fault>>;
    /// Says where it stands. One that reads it back is asked every second; the others only when it matters.
    fn position(&mut self) -> BoxFuture<'_, Result<Position, Fault>>;
    /// How often it has moved in its life, where it counts that itself: so that a move there and back between two
    /// questions is seen. Asked after each position.
    fn moves(&mut self) -> BoxFuture<'_, Option<u64>> {
        Box::pin(async { None })
    }
    /// Whether it was not in place while it was last asked, though nothing was ordered and it is now.
    fn wavered(&self) -> bool {
        false
    }
    /// Says what it is, as far as it can. Asked whenever it was found, and when somebody wants to know.
    fn describe(&mut self) -> BoxFuture<'_, Result<ValveDescription, Fault>> {
        Box::pin(async { Ok(ValveDescription::default()) })
    }
    /// How many contacts were made so far: after each of them it may be another device. 0 for one that always is the same.
    fn contacts(&self) -> u64 {
        0
    }
    /// It may be another device now, whether or not its contact broke: it is asked anew who it is, and before it is moved.
    fn suspect(&mut self) {}
    /// Only this one may be moved. A driver whose device does not tell who it is has nothing to compare.
    fn expect(&mut self, _known: Option<KnownMultiplexer>) {}
    /// Ends when the connection breaks while nothing is asked, for drivers that can notice. It may be dropped and
    /// called anew at any time.
    fn hung_up(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }
}
