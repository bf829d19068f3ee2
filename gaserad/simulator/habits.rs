//! Habits of real instruments, as the table `[habits]` of the faults file says them: counters, caches, late replies,
//! stamps, excursions, networks and swaps.
//!
//! No habit is needed to measure. Each is drawn on when the plant gets there, from the plant's seed.

mod help;
mod written;

use std::time::Duration;

use serde::Deserialize;

use super::faults::When;
use super::faults::script::{one_or_many, some_period, some_span, span};
use super::random::Random;

pub use help::HABITS_HELP;
pub use written::{FalsePhase, OddForm, OddStamp, OddValue, StampForm};

/// See [`HABITS_HELP`].
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Habits {
    pub counter: CounterHabit,
    pub cached: Staleness,
    pub late: Staleness,
    #[serde(deserialize_with = "some_span")]
    pub acon_late_up_to: Option<Duration>,
    pub acon_held: Option<Opening>,
    pub repeated_stamp: Option<When>,
    pub stamps_as_shown: bool,
    pub odd_stamp: Option<OddStamp>,
    #[serde(deserialize_with = "one_or_many")]
    pub odd_value: Vec<OddValue>,
    pub false_phase: Option<FalsePhase>,
    #[serde(deserialize_with = "one_or_many")]
    pub excursion: Vec<Excursion>,
    pub no_result: Option<When>,
    pub mains_blip: Option<Opening>,
    pub network_down: Option<NetworkDown>,
    pub analyzer_swapped: Option<SwappedAnalyzer>,
    pub valve_swapped: Option<SwappedValve>,
    pub relays_swapped: Option<SwappedRelays>,
}

/// How AITR counts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CounterHabit {
    pub ticks: CounterTick,
    pub by: u32,
    #[serde(deserialize_with = "written::some_number")]
    pub wraps_at: Option<u32>,
    pub starts_at: u32,
    /// It does not begin anew with a measurement.
    pub global: bool,
    pub jumps: Option<CounterJump>,
    #[serde(deserialize_with = "one_or_many")]
    pub back: Vec<CounterBack>,
}

impl Default for CounterHabit {
    fn default() -> Self {
        Self {
            ticks: CounterTick::Start,
            by: 1,
            wraps_at: None,
            starts_at: 0,
            global: false,
            jumps: None,
            back: Vec::new(),
        }
    }
}

/// Where in an iteration the counter comes to its number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CounterTick {
    #[default]
    Start,
    ExchangeEnd,
    /// In the middle of the integration.
    Mid,
    /// In the middle of the analysis, and then to the number of the next iteration.
    Late,
    /// Never.
    Constant,
}

/// At some iterations the counter moves by so much more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CounterJump {
    pub when: When,
    pub by: u32,
}

/// The counter goes back by so much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CounterBack {
    #[serde(deserialize_with = "span")]
    pub after: Duration,
    pub by: u32,
}

/// How old the replies to each question are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Staleness {
    #[serde(rename = "ASTS", deserialize_with = "span")]
    pub state: Duration,
    #[serde(rename = "AMST", deserialize_with = "span")]
    pub phase: Duration,
    #[serde(rename = "AITR", deserialize_with = "span")]
    pub iteration: Duration,
    #[serde(rename = "ACON", deserialize_with = "span")]
    pub result: Duration,
}

/// A time that comes, lasts, and may come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    #[serde(deserialize_with = "span")]
    pub after: Duration,
    #[serde(rename = "for", deserialize_with = "span")]
    pub length: Duration,
    #[serde(default, deserialize_with = "some_period")]
    pub every: Option<Duration>,
}

impl Opening {
    /// The age at which it began, while it lasts.
    pub fn since(self, age: Duration) -> Option<Duration> {
        let passed = age.checked_sub(self.after)?;
        let turn = self.every.map_or(passed, |every| super::faults::remainder(passed, every));
        (turn < self.length).then(|| age.saturating_sub(turn))
    }
}

/// The analyzer leaves measuring for a moment.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Excursion {
    /// Of the iterations.
    pub when: When,
    /// After such a part of the iteration; anywhere if it does not say.
    #[serde(default, deserialize_with = "written::some_part")]
    pub at: Option<f64>,
    #[serde(rename = "for", deserialize_with = "span")]
    pub length: Duration,
    /// What ASTS and AMST say meanwhile.
    #[serde(default = "laser_scan")]
    pub state: u8,
    #[serde(default)]
    pub phase: u8,
    #[serde(default)]
    pub then: AfterExcursion,
}

const fn laser_scan() -> u8 {
    8
}

/// What becomes of the iteration that was left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterExcursion {
    /// It goes on where it was.
    #[default]
    GoesOn,
    /// It is measured anew, from its gas exchange on.
    Anew,
    /// It gives no result; the next one begins.
    NoResult,
}

/// The analyzer measures on, and cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkDown {
    #[serde(deserialize_with = "span")]
    pub after: Duration,
    #[serde(rename = "for", deserialize_with = "span")]
    pub length: Duration,
    #[serde(default, deserialize_with = "some_period")]
    pub every: Option<Duration>,
    #[serde(default)]
    pub how: NetworkFailure,
}

impl NetworkDown {
    pub fn at(self, age: Duration) -> Option<NetworkFailure> {
        let Self { after, length, every, how } = self;
        Opening { after, length, every }.since(age).map(|_| how)
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkFailure {
    /// Connections break, and new ones end at once.
    #[default]
    Refused,
    /// Nothing arrives, and nothing comes back.
    Hangs,
    /// Commands arrive and are obeyed; their replies are lost.
    RepliesLost,
}

/// ADEV names another instrument.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwappedAnalyzer {
    #[serde(deserialize_with = "span")]
    pub after: Duration,
    pub serial: String,
}

/// Another valve answers in place of ours. The gas does not come through it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwappedValve {
    #[serde(deserialize_with = "span")]
    pub after: Duration,
    #[serde(rename = "for", default, deserialize_with = "some_span")]
    pub length: Option<Duration>,
    /// What VR says, the same as ours if it does not say, and what CNT has counted by then.
    #[serde(default)]
    pub model: Option<String>,
    #[serde(default)]
    pub count: Option<u32>,
    /// Where it stands: on its first port if it does not say.
    #[serde(default)]
    pub at: Option<u8>,
}

/// Another relay board answers in place of ours. The gas does not come through it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwappedRelays {
    #[serde(deserialize_with = "span")]
    pub after: Duration,
    #[serde(rename = "for", default, deserialize_with = "some_span")]
    pub length: Option<Duration>,
    pub coils: u8,
}

/// Whether something that begins `after`, and may end, is so at that age.
pub(super) fn is_swapped(after: Duration, length: Option<Duration>, age: Duration) -> bool {
    age.checked_sub(after).is_some_and(|since| length.is_none_or(|length| since < length))
}

/// A [`When`] with what it needs to remember.
#[derive(Debug)]
pub(super) struct Struck {
    when: When,
    passed: u32,
    random: Random,
}

impl Struck {
    pub fn new(when: When, random: Random) -> Self {
        Self { when, passed: 0, random }
    }

    pub fn strikes(&mut self, age: Duration) -> bool {
        self.when.strikes(age, &mut self.passed, &mut self.random)
    }
}

#[cfg(test)]
mod tests;
