//! The way that the rotor takes, and how long that may take.

use std::time::Duration;

pub use crate::config::Direction;

pub(super) const TRAVEL: Duration = Duration::from_secs(2);
pub(super) const TRAVEL_PER_PORT: Duration = Duration::from_millis(300);

impl Direction {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Shortest => "GO",
            Self::Clockwise => "CW",
            Self::Counterclockwise => "CC",
        }
    }

    /// How long the longest way may take on a valve with `ports`.
    pub(super) fn longest_way(self, ports: u32) -> Duration {
        let steps = if self == Self::Shortest { ports / 2 } else { ports };
        TRAVEL + TRAVEL_PER_PORT * steps
    }

    /// How many ports it is from one to another, on a valve with `ports`.
    pub(super) const fn steps(self, from: u32, to: u32, ports: u32) -> u32 {
        let (from, to) = (from % ports, to % ports);
        let up = (to + ports - from) % ports;
        let down = (from + ports - to) % ports;
        match self {
            Self::Clockwise => up,
            Self::Shortest if up < down => up,
            Self::Counterclockwise | Self::Shortest => down,
        }
    }
}
