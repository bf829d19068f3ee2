//! Who the instruments are, as far as they tell, and whether one that is found now can be the one that was known.
//!
//! A name of a port and an address say where a device is, not which one. What a device does not tell is compared with
//! nothing: it makes nobody a stranger.

use serde::{Deserialize, Serialize};

use super::command::ValveDescription;
use super::time::Utc;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    Analyzer,
    Multiplexer,
}

impl DeviceKind {
    /// What somebody types who means the device that is there now.
    pub const fn accept(self) -> &'static str {
        match self {
            Self::Analyzer => "gaseractl analyzer accept",
            Self::Multiplexer => "gaseractl mux accept",
        }
    }

    pub const fn word(self) -> &'static str {
        match self {
            Self::Analyzer => "analyzer",
            Self::Multiplexer => "multiplexer",
        }
    }
}

/// The devices that were there before, as they are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KnownDevices {
    /// Whether it matters which analyzer it is; a simulated one is a new one each time.
    pub minds_analyzer: bool,
    pub minds_multiplexer: bool,
    pub analyzer: Option<KnownAnalyzer>,
    pub multiplexer: Option<KnownMultiplexer>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KnownAnalyzer {
    /// Its serial number.
    pub serial: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KnownMultiplexer {
    /// The version of an actuator (VR), the identification of a Modbus device; empty where it tells none.
    pub identity: String,
    /// How many coils of a Modbus device can be read.
    pub coils: Option<u32>,
    /// How often it had moved.
    pub actuations: Option<u64>,
    /// When it told that.
    pub seen: Utc,
}

/// A universal actuator counts with 16 bits, and then from 0 again.
const COUNTER: u64 = 1 << 16;
/// A count that fell has wrapped if it made no more moves than this meanwhile. Its owner asks for it far more often.
const MOST_UNSEEN: u64 = 4096;
/// No valve moves more often, whoever commands it; and what a clock may be off.
const MOST_PER_SECOND: u64 = 10;
const SLACK: u64 = 64;

impl KnownAnalyzer {
    /// What an analyzer says of itself (ADEV): manufacturer, serial number, name, firmware. `None` without a serial number.
    pub fn of(words: &[String]) -> Option<Self> {
        let serial = words.get(1)?.trim();
        (!serial.is_empty()).then(|| Self { serial: serial.to_owned() })
    }

    /// As a sentence goes on: "the analyzer at this address is another one: …".
    pub fn differs(&self, found: &Self) -> Option<String> {
        let text =
            || format!("its serial number is {:?}, and that of the known one is {:?}", found.serial, self.serial);
        (self.serial != found.serial).then(text)
    }

    pub fn words(&self) -> String {
        format!("serial number {:?}", self.serial)
    }
}

impl KnownMultiplexer {
    /// What a multiplexer says of itself. `None` if that is nothing by which it could be known again.
    pub fn of(description: &ValveDescription, seen: Utc) -> Option<Self> {
        let ValveDescription { identity, coils, actuations, .. } = description;
        let (identity, coils, actuations) = (identity.trim().to_owned(), *coils, *actuations);
        let told = !identity.is_empty() || coils.is_some() || actuations.is_some();
        told.then_some(Self { identity, coils, actuations, seen })
    }

    /// Why what is found cannot be this one, as a sentence goes on.
    pub fn differs(&self, found: &Self) -> Option<String> {
        if !self.identity.is_empty() && !found.identity.is_empty() && self.identity != found.identity {
            return Some(format!("it says that it is {:?}, and the known one is {:?}", found.identity, self.identity));
        }
        if let (Some(known), Some(now)) = (self.coils, found.coils)
            && known != now
        {
            return Some(format!("{now} of its coils can be read, and {known} of the known one"));
        }
        self.cannot_count(found)
    }

    /// A count of moves only rises, until it wraps, and no faster than a valve can move.
    fn cannot_count(&self, found: &Self) -> Option<String> {
        let (known, now) = (self.actuations?, found.actuations?);
        let wraps = known < COUNTER && now < COUNTER;
        let moves = match now.checked_sub(known) {
            Some(moves) => Some(moves),
            None => Some(now + COUNTER - known.min(COUNTER)).filter(|moves| wraps && *moves <= MOST_UNSEEN),
        };
        let Some(moves) = moves else {
            return Some(format!("it has moved {now} times, and the known one {known} times already"));
        };
        // A clock that was set back tells nothing.
        let micros = u64::try_from(found.seen.as_micros() - self.seen.as_micros()).ok()?;
        let seconds = micros / 1_000_000;
        (moves > seconds.saturating_mul(MOST_PER_SECOND).saturating_add(SLACK))
            .then(|| format!("it has moved {now} times, and the known one {known} times, which was {seconds} s ago"))
    }

    /// The same one, with what it tells now.
    #[must_use]
    pub fn renewed(self, found: Self) -> Self {
        Self {
            identity: if found.identity.is_empty() { self.identity } else { found.identity },
            coils: found.coils.or(self.coils),
            actuations: found.actuations.or(self.actuations),
            seen: found.seen,
        }
    }

    pub fn words(&self) -> String {
        let coils = self.coils.map(|coils| format!("{coils} coils"));
        let moves = self.actuations.map(|moves| format!("{moves} moves"));
        let parts = Some(self.identity.clone()).filter(|identity| !identity.is_empty()).into_iter();
        parts.chain(coils).chain(moves).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valve(identity: &str, actuations: Option<u64>, seconds: i64) -> KnownMultiplexer {
        let seen = Utc::from_micros(1_700_000_000_000_000 + seconds * 1_000_000);
        KnownMultiplexer { identity: identity.into(), coils: None, actuations, seen }
    }

    #[test]
    fn serial_number_tells_analyzers_apart() {
        let of = |words: &[&str]| KnownAnalyzer::of(&words.iter().map(ToString::to_string).collect::<Vec<_>>());
        for untold in [&[][..], &["Gasera Ltd"], &["Gasera Ltd", ""], &["Gasera Ltd", "  ", "ONE", "1"]] {
            assert_eq!(of(untold), None, "{untold:?}");
        }
        let known = of(&["Gasera Ltd", "SN-17", "ONE", "1.8"]).unwrap();
        assert_eq!(known.differs(&of(&["Gasera", " SN-17 ", "barn", "2.0"]).unwrap()), None, "new firmware and name");
        let why = known.differs(&of(&["Gasera Ltd", "SN-18", "ONE", "1.8"]).unwrap()).unwrap();
        assert!(why.contains("SN-17") && why.contains("SN-18"), "{why}");
    }

    #[test]
    fn actuation_count_may_only_rise_and_wrap() {
        let strange = |known: u64, now: u64, after: i64| {
            valve("V", Some(known), 0).differs(&valve("V", Some(now), after)).is_some()
        };
        for (known, now, after) in [
            (1200, 1200, 0),
            (1200, 1230, 3),
            (1200, 1200 + 64 + 100, 10),
            (100, 60_000, 86_400),
            (65_500, 20, 60),
            (65_535, 0, 0),
            (62_000, 500, 3600),
            // A clock that was set back says nothing of how long ago that was.
            (1200, 9000, -3600),
            (70_000, 70_001, 1),
        ] {
            assert!(!strange(known, now, after), "{known} {now} {after}");
        }
        for (known, now, after) in [
            (1200, 1199, 3600),
            (1200, 0, 1_000_000),
            (1200, 9000, 60),
            (65_500, 4000, 60),
            (65_500, 20_000, 1_000_000),
            (40_000, 100, 1_000_000),
            (70_000, 5, 1_000_000),
        ] {
            assert!(strange(known, now, after), "{known} {now} {after}");
        }
    }

    #[test]
    fn untold_identity_is_no_stranger() {
        let known = valve("V1", Some(7), 0);
        assert_eq!(known.differs(&valve("", Some(8), 9)), None);
        assert_eq!(known.differs(&valve("V1", None, 9)), None);
        assert_eq!(valve("", None, 0).differs(&valve("V2", Some(3), 9)), None);
        assert!(known.differs(&valve("V2", Some(8), 9)).is_some());
        let coils = |coils, identity: &str| KnownMultiplexer { coils: Some(coils), ..valve(identity, None, 0) };
        assert!(coils(16, "").differs(&coils(8, "")).is_some());
        assert_eq!(coils(16, "").differs(&coils(16, "")), None);
        assert!(coils(16, "R").differs(&coils(8, "R")).is_some(), "of the same make, and smaller");
        let described = |identity: &str| ValveDescription { identity: identity.into(), ..ValveDescription::default() };
        assert_eq!(KnownMultiplexer::of(&described(" "), Utc::default()), None);
        let renewed = known.renewed(valve("", Some(9), 60));
        assert_eq!((renewed.identity.as_str(), renewed.actuations), ("V1", Some(9)));
    }
}
