//! When something goes wrong, and what: the values that are more than a switch or a number.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::ak::Command;
use crate::domain::duration;
use crate::domain::instrument::AkLine;
use crate::simulator::known_gas;
use crate::simulator::random::Random;

/// Which replies something happens to. Without a length and a count: one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct When {
    /// Not before, since the start of the plant.
    #[serde(deserialize_with = "span")]
    pub after: Duration,
    /// For so long.
    #[serde(rename = "for", deserialize_with = "some_span")]
    pub length: Option<Duration>,
    /// Each reply of so many.
    #[serde(deserialize_with = "some_count")]
    pub every: Option<u32>,
    /// One of so many, by chance.
    #[serde(deserialize_with = "some_count")]
    pub one_in: Option<u32>,
}

impl When {
    /// Whether the reply at that age of the plant is one of them; `passed` counts those that could have been.
    pub(in crate::simulator) fn strikes(self, age: Duration, passed: &mut u32, random: &mut Random) -> bool {
        let open = self.length.is_none_or(|length| age < self.after.saturating_add(length));
        if age < self.after || !open {
            return false;
        }
        *passed = passed.saturating_add(1);
        if let Some(times) = self.one_in
            && random.below(times) != 0
        {
            return false;
        }
        match (self.every, self.length) {
            (None, None) if self.one_in.is_some() => true,
            (Some(every), _) => passed.is_multiple_of(every),
            (None, Some(_)) => true,
            (None, None) => *passed == 1,
        }
    }
}

/// The analyzer's clock is set to another time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockStep {
    #[serde(deserialize_with = "span")]
    pub after: Duration,
    #[serde(rename = "by", deserialize_with = "offset_ms")]
    pub by_ms: i64,
}

/// Another client of the analyzer gives it an order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherClient {
    #[serde(deserialize_with = "span")]
    pub after: Duration,
    #[serde(deserialize_with = "command")]
    pub what: AkLine,
}

/// Errors that the analyzer does not have from the start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaterErrors {
    #[serde(deserialize_with = "span")]
    pub after: Duration,
    pub codes: Vec<String>,
}

pub(in crate::simulator) fn span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    duration::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

pub(in crate::simulator) fn some_span<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    span(deserializer).map(Some)
}

/// A span that something comes back after.
pub(in crate::simulator) fn some_period<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    match span(deserializer)? {
        Duration::ZERO => Err(D::Error::custom("it must be longer than nothing")),
        period => Ok(Some(period)),
    }
}

fn some_count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    match u32::deserialize(deserializer)? {
        0 => Err(D::Error::custom("every 0th reply there is none; write 1 or more")),
        count => Ok(Some(count)),
    }
}

/// Forward, or back with a minus.
pub(super) fn offset_ms<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let text = String::deserialize(deserializer)?;
    let (sign, size) = text.trim().strip_prefix('-').map_or((1, text.trim()), |size| (-1, size));
    let size = duration::parse(size).map_err(D::Error::custom)?;
    i64::try_from(size.as_millis()).map(|millis| sign * millis).map_err(D::Error::custom)
}

fn command<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AkLine, D::Error> {
    let text = String::deserialize(deserializer)?;
    let (code, data) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let line = AkLine { code: code.to_ascii_uppercase(), data: data.trim().to_owned() };
    Command::read(&line).map(|_| line).map_err(D::Error::custom)
}

/// One, or a list of them.
pub(in crate::simulator) fn one_or_many<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a table with its keys, { after = \"3m\", ... }, or a list of such")]
    enum OneOrMany<T> {
        One(T),
        Many(Vec<T>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many,
    })
}

pub(super) fn codes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let codes = Vec::<String>::deserialize(deserializer)?;
    match codes.iter().find(|code| code.len() != 4) {
        Some(code) => {
            Err(D::Error::custom(format!("{code:?} is no AK command: a command has four letters, like AITR")))
        }
        None => Ok(codes.into_iter().map(|code| code.to_ascii_uppercase()).collect()),
    }
}

/// Each an id, and a name behind it.
pub(super) fn tasks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(u32, String)>, D::Error> {
    let task = |text: &String| {
        let (id, name) = text.trim().split_once(' ')?;
        Some((id.parse().ok()?, name.trim().to_owned()))
    };
    let read = |text: String| {
        task(&text).ok_or_else(|| {
            D::Error::custom(format!("{text:?} is no task; write an id and a name, like \"11 DEFAULT\""))
        })
    };
    Vec::<String>::deserialize(deserializer)?.into_iter().map(read).collect()
}

/// Lags by CAS number.
pub(super) fn lags<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Duration>, D::Error> {
    let written = BTreeMap::<String, String>::deserialize(deserializer)?;
    let gases = known_gas(1).map(|(cas, _)| cas);
    let lag = |(cas, text): (String, String)| {
        if !gases.contains(&cas.as_str()) {
            return Err(D::Error::custom(format!("{cas} does not flow here; these do: {}", gases.join(", "))));
        }
        Ok((cas, duration::parse(&text).map_err(D::Error::custom)?))
    };
    written.into_iter().map(lag).collect()
}

/// A part of the whole, up to a half.
pub(super) fn part<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let part = f64::deserialize(deserializer)?;
    if (0.0..=0.5).contains(&part) { Ok(part) } else { Err(D::Error::custom(format!("{part} is not 0 to 0.5"))) }
}

/// Parts per million; an hour an hour would be a million.
pub(super) fn ppm<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let ppm = f64::deserialize(deserializer)?;
    if ppm.abs() <= 100_000.0 { Ok(ppm) } else { Err(D::Error::custom(format!("{ppm} is not -100000 to 100000"))) }
}
