//! The table of all keys, section by section: the one place where a key is declared.
//!
//! What a row says, and how it is written, is told in [`super::table`]. Rules between keys are not here.

mod access;
mod drivers;
mod instrument;
mod keeping;
mod measuring;

use std::time::Duration;

pub use access::{AuthSettings, ListenSettings};
pub use drivers::{GpioSection, ModbusSection, ViciSection};
pub(super) use instrument::task;
pub use instrument::{AnalyzerSettings, MultiplexerSettings};
pub use keeping::{LogSettings, MirrorSettings, RetentionSettings, StoreSettings, StreamSettings};
pub use measuring::{ChannelTimes, GasTimes, GuardSettings, PlanDefaults};

const fn milliseconds(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn minutes(minutes: u64) -> Duration {
    seconds(60 * minutes)
}

const fn hours(hours: u64) -> Duration {
    minutes(60 * hours)
}

const fn days(days: u64) -> Duration {
    hours(24 * days)
}
