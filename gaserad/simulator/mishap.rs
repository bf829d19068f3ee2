//! Faults that happen at a moment or to one of many moves, as the faults file says them.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::faults::script::span;

/// Which of the valve's moves something befalls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "it must be the number of a move, like 3, or a time, like \"2m\"")]
pub enum Befalls {
    /// The first one is 1.
    Move(u32),
    /// The first one that begins after so much plant time.
    After(#[serde(deserialize_with = "span")] Duration),
}

/// Somebody turns the valve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MovedByHand {
    #[serde(deserialize_with = "span")]
    pub after: Duration,
    pub to: u8,
    /// So much later it is turned back to where it stood.
    #[serde(default, deserialize_with = "some_span")]
    pub back: Option<Duration>,
}

/// Somebody pulls the plug of the valve's serial port, and puts it in again.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unplugged {
    #[serde(deserialize_with = "span")]
    pub after: Duration,
    /// For ever if it does not say.
    #[serde(rename = "for", default, deserialize_with = "some_span")]
    pub length: Option<Duration>,
    /// Where the port is found when it is back; where it was if it does not say.
    #[serde(default)]
    pub link: Option<PathBuf>,
}

fn some_span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    span(deserializer).map(Some)
}
