//! Channels as people count them, and where the valve stands.

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroU8;

use serde::{Deserialize, Serialize};

use super::worded::worded;

/// A sample line, 1-based as printed on the valve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Channel(NonZeroU8);

impl Channel {
    pub const MAX: u8 = 31;
    /// Where the multiplexer stands after homing.
    pub const HOME: Self = Self(NonZeroU8::MIN);

    pub const fn new(number: u8) -> Option<Self> {
        match NonZeroU8::new(number) {
            Some(number) if number.get() <= Self::MAX => Some(Self(number)),
            _ => None,
        }
    }

    pub const fn number(self) -> u8 {
        self.0.get()
    }

    /// 0-based, as the merged payload counts.
    pub const fn index(self) -> u8 {
        self.0.get() - 1
    }

    /// The next line on the valve, if there is one.
    pub const fn next(self) -> Option<Self> {
        Self::new(self.0.get() + 1)
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What a channel is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelKind {
    #[default]
    Sample,
    Background,
    Zero,
    Span,
    Target,
}

impl ChannelKind {
    pub const ALL: [(&'static str, Self); 5] = [
        ("sample", Self::Sample),
        ("background", Self::Background),
        ("zero", Self::Zero),
        ("span", Self::Span),
        ("target", Self::Target),
    ];

    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("sample", |(name, _)| name)
    }
}

worded! {
    /// How we know where the valve stands.
    pub enum Verification {
        /// The valve said so.
        Readback = "readback",
        /// Pulses were counted from home.
        HomedCount = "homed_count",
        /// It was ordered, and nothing confirms it.
        None = "none",
    }
}

/// What is known of where the valve stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "PositionParts", into = "PositionParts")]
pub enum Position {
    /// Nothing is known: before the first home, after a fault.
    #[default]
    Unknown,
    /// On its way.
    Moving,
    At(Channel, Verification),
}

impl Position {
    pub const fn channel(self) -> Option<Channel> {
        match self {
            Self::At(channel, _) => Some(channel),
            Self::Unknown | Self::Moving => None,
        }
    }
}

/// A position as it is written: `{"state":"at","channel":3,"verification":"readback"}`.
#[derive(Serialize, Deserialize)]
struct PositionParts {
    state: PositionState,
    channel: Option<Channel>,
    verification: Option<Verification>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PositionState {
    Unknown,
    Moving,
    At,
}

impl From<Position> for PositionParts {
    fn from(position: Position) -> Self {
        let (state, channel, verification) = match position {
            Position::Unknown => (PositionState::Unknown, None, None),
            Position::Moving => (PositionState::Moving, None, None),
            Position::At(channel, verification) => (PositionState::At, Some(channel), Some(verification)),
        };
        Self { state, channel, verification }
    }
}

impl From<PositionParts> for Position {
    fn from(parts: PositionParts) -> Self {
        match (parts.state, parts.channel) {
            (PositionState::Moving, _) => Self::Moving,
            (PositionState::At, Some(channel)) => Self::At(channel, parts.verification.unwrap_or(Verification::None)),
            (PositionState::At, None) | (PositionState::Unknown, _) => Self::Unknown,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    #[error("no channel is selected; give some, like --channels 1-8,12 or --channels all")]
    None,
    #[error("{0:?} is not a channel list; write it like 1-8,12,!5 or all")]
    Shape(String),
    #[error("channel {number} does not exist; this multiplexer has channels 1 to {count}")]
    OutOfRange { number: u32, count: u8 },
    #[error("{0:?} counts down; write the smaller channel first")]
    Descending(String),
}

/// Reads a channel list like `1-8,12,!5`, `all` or `all,!3` for a multiplexer with `count` channels.
/// The result is ascending and not empty.
pub fn parse_list(text: &str, count: u8) -> Result<Vec<Channel>, ChannelError> {
    let mut selected = BTreeSet::new();
    for (place, item) in text.split(',').map(str::trim).filter(|item| !item.is_empty()).enumerate() {
        let (exclude, range) = item.strip_prefix('!').map_or((false, item), |rest| (true, rest));
        let channels = parse_range(range.trim(), count)?;
        if exclude {
            // A list that begins by leaving out means all but those.
            if place == 0 {
                selected.extend((1..=count).filter_map(Channel::new));
            }
            selected.retain(|channel| !channels.contains(channel));
        } else {
            selected.extend(channels);
        }
    }
    if selected.is_empty() { Err(ChannelError::None) } else { Ok(selected.into_iter().collect()) }
}

fn parse_range(range: &str, count: u8) -> Result<Vec<Channel>, ChannelError> {
    if range == "all" {
        return Ok((1..=count).filter_map(Channel::new).collect());
    }
    let number = |text: &str| text.trim().parse::<u32>().map_err(|_| ChannelError::Shape(range.to_owned()));
    let (first, last) = match range.split_once('-') {
        Some((first, last)) => (number(first)?, number(last)?),
        None => (number(range)?, number(range)?),
    };
    if first > last {
        return Err(ChannelError::Descending(range.to_owned()));
    }
    [first, last]
        .into_iter()
        .find(|number| *number == 0 || *number > u32::from(count))
        .map_or(Ok(()), |number| Err(ChannelError::OutOfRange { number, count }))?;
    Ok((first..=last).filter_map(|number| Channel::new(u8::try_from(number).ok()?)).collect())
}

/// Writes a list as [`parse_list`] reads it: `1-4,7`.
pub fn format_list(channels: &[Channel]) -> String {
    let mut ranges: Vec<(u8, u8)> = Vec::new();
    for number in channels.iter().map(|channel| channel.number()) {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let written: Vec<String> = ranges
        .into_iter()
        .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") })
        .collect();
    written.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Result<Vec<u8>, ChannelError> {
        parse_list(text, 8).map(|channels| channels.into_iter().map(Channel::number).collect())
    }

    #[test]
    fn reads_ranges_single_channels_and_exclusions() {
        assert_eq!(list("1-4,7").unwrap(), [1, 2, 3, 4, 7]);
        assert_eq!(list("all,!3").unwrap(), [1, 2, 4, 5, 6, 7, 8]);
        assert_eq!(list("!5-8").unwrap(), [1, 2, 3, 4]);
        assert_eq!(list(" 2 , 1 , 2 ").unwrap(), [1, 2]);
    }

    #[test]
    fn refuses_what_does_not_exist() {
        assert_eq!(list(""), Err(ChannelError::None));
        assert_eq!(list("1,!1"), Err(ChannelError::None));
        assert_eq!(list("9"), Err(ChannelError::OutOfRange { number: 9, count: 8 }));
        assert_eq!(list("0-2"), Err(ChannelError::OutOfRange { number: 0, count: 8 }));
        assert!(matches!(list("4-2"), Err(ChannelError::Descending(_))));
        assert!(matches!(list("x"), Err(ChannelError::Shape(_))));
    }

    #[test]
    fn what_is_written_reads_back() {
        let channels = parse_list("1-4,7,8,12-31", 31).unwrap();
        assert_eq!(format_list(&channels), "1-4,7-8,12-31");
        assert_eq!(parse_list(&format_list(&channels), 31).unwrap(), channels);
    }
}
