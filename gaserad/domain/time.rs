//! Three clocks, three types: ticks (monotonic), host UTC, and the analyzer's own clock.
//!
//! None of them can be read here: time comes in with whatever happens.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Monotonic time since the journal began, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tick(u64);

impl Tick {
    pub const ZERO: Self = Self(0);

    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// How long ago `earlier` was; zero if it was not earlier.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Tick {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)))
    }
}

/// Host wall clock, microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Utc(i64);

impl Utc {
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    pub const fn as_micros(self) -> i64 {
        self.0
    }

    #[expect(clippy::cast_precision_loss, reason = "microseconds since the epoch fit a double until the year 2255")]
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }

    fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// `2026-01-15T08:03:12Z`, to the second.
    pub fn to_seconds_string(self) -> String {
        self.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// `Thu, 15 Jan 2026 08:03:12 GMT`, as HTTP has it.
    pub fn to_http_string(self) -> String {
        self.timestamp().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    /// In the time zone of this machine, as `format` (strftime) says.
    pub fn to_local_string(self, format: &str) -> String {
        self.timestamp().to_zoned(jiff::tz::TimeZone::system()).strftime(format).to_string()
    }
}

impl Add<Duration> for Utc {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Utc {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }
}

/// RFC 3339 with milliseconds and `Z`.
impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.timestamp().strftime("%Y-%m-%dT%H:%M:%S.%3fZ"))
    }
}

impl FromStr for Utc {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        Ok(Self(text.parse::<jiff::Timestamp>()?.as_microsecond()))
    }
}

impl Serialize for Utc {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Utc {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The same instant on both host clocks. It is written exactly: what is worked out from it again is to be the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    pub tick: Tick,
    #[serde(serialize_with = "to_the_microsecond")]
    pub utc: Utc,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over like this")]
fn to_the_microsecond<S: serde::Serializer>(utc: &Utc, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&utc.timestamp().strftime("%Y-%m-%dT%H:%M:%S.%6fZ"))
}

impl Moment {
    /// The wall clock at `tick`, as this moment knows it.
    pub fn utc_at(self, tick: Tick) -> Utc {
        if tick >= self.tick { self.utc + tick.since(self.tick) } else { self.utc - self.tick.since(tick) }
    }
}

/// Who tells the time. The one implementation that reads a clock is `runtime::clock`.
pub trait Clock: Send + Sync {
    fn now(&self) -> Moment;

    /// How long `duration` takes outside: a simulation may run faster than the world.
    fn outside(&self, duration: Duration) -> Duration;
}

/// The analyzer's own clock, whole seconds since the epoch. It is set by hand and may be hours off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AnalyzerTime(pub i64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utc_is_written_and_read_as_rfc_3339_with_z() {
        let utc = Utc::from_micros(1_768_464_192_345_000);
        assert_eq!(utc.to_string(), "2026-01-15T08:03:12.345Z");
        assert_eq!("2026-01-15T08:03:12.345Z".parse::<Utc>().unwrap(), utc);
        assert_eq!(utc.to_seconds_string(), "2026-01-15T08:03:12Z");
    }

    #[test]
    fn a_moment_is_read_as_it_was_written_and_one_in_milliseconds_too() {
        let moment = Moment { tick: Tick::from_micros(7), utc: Utc::from_micros(1_768_464_192_345_678) };
        let written = serde_json::to_string(&moment).unwrap();
        assert_eq!(written, r#"{"tick":7,"utc":"2026-01-15T08:03:12.345678Z"}"#);
        assert_eq!(serde_json::from_str::<Moment>(&written).unwrap(), moment);
        let older: Moment = serde_json::from_str(r#"{"tick":7,"utc":"2026-01-15T08:03:12.345Z"}"#).unwrap();
        assert_eq!(older.utc, Utc::from_micros(1_768_464_192_345_000));
    }

    #[test]
    fn a_moment_maps_ticks_before_and_after_it() {
        let moment = Moment { tick: Tick::from_micros(5_000_000), utc: Utc::from_micros(100_000_000) };
        assert_eq!(moment.utc_at(Tick::from_micros(2_000_000)), Utc::from_micros(97_000_000));
        assert_eq!(moment.utc_at(Tick::from_micros(6_000_000)), Utc::from_micros(101_000_000));
    }
}
