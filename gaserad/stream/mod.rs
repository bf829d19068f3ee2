//! The event hub: everything that happens, to everybody who listens, in order and complete.
//!
//! An event is rendered once into shared bytes and kept in a [`ring::Ring`]; every reader is a [`Cursor`] into that
//! ring, woken and never copied to. A reader that fell behind the ring, or was away, is fed from the [`History`] by
//! sequence number until it is back. Progress ticks are not numbered: the latest replaces the one before.
//!
//! It knows nothing of HTTP and decides nothing about measuring.

use std::future::Future;
use std::pin::Pin;

/// `[stream]` of the configuration.
pub use crate::config::StreamSettings as Settings;
use crate::domain::Published;

mod connections;
mod cursor;
mod figures;
mod filter;
mod frame;
mod hub;
mod merged;
mod oversight;
mod ring;
mod sticky;
pub mod subjects;
#[cfg(test)]
pub(crate) mod support;
#[cfg(test)]
mod tests;
mod view;
mod visit;

pub use connections::{Connection, ConnectionChange, Origin};
pub use cursor::{Cursor, CursorStep};
pub use figures::Left;
pub use filter::{Filter, FilterError};
pub use frame::KEEP_ALIVE;
pub use hub::{Hub, Refused, SubscribeRequest};
pub use oversight::Counts;
pub use view::{Look, View, ViewPlace};
pub use visit::Visit;

pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The events that are kept for good.
pub trait History: Send + Sync {
    /// Up to `limit` events after `seq`, in order.
    fn after(&self, seq: u64, limit: u32) -> BoxFuture<'_, Result<Vec<Published>, String>>;
}

/// How the stream looks to one reader.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// Server-sent events with names and ids.
    #[default]
    Named,
    /// Unnamed server-sent events, each the whole state: what the dashboards of GaseraMux read.
    Merged,
    /// Unnamed server-sent events, each one event that says by itself what it is.
    Envelope,
    /// Named and merged on one wire: who listens to unnamed messages sees only those, and the other way round.
    Both,
    /// One JSON object per line.
    Lines,
}

impl Format {
    /// What somebody asks for in an address.
    pub const NAMES: [(&'static str, Self); 6] = [
        ("named", Self::Named),
        ("merged", Self::Merged),
        ("envelope", Self::Envelope),
        ("both", Self::Both),
        ("jsonl", Self::Lines),
        ("ndjson", Self::Lines),
    ];

    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(_, format)| *format == self).map_or("named", |(name, _)| name)
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, format)| *format)
    }
}
