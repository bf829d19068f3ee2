//! What may go wrong in the plant, as a TOML file says it.

mod help;
pub(super) mod script;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::cascade::StuckSensor;
use super::habits::Habits;
use super::mishap::{Befalls, MovedByHand, Unplugged};
use script::{some_span, span};

pub use help::FAULTS_HELP;
pub use script::{ClockStep, LaterErrors, OtherClient, When};

/// The tasks of an analyzer that the file says nothing of. Whichever is started, it measures the same gases.
const TASKS: [(u32, &str); 3] = [(7, "Calibration task"), (11, "DEFAULT"), (12, "FLUSH")];

/// What a result's stamp means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stamp {
    /// The end of its gas exchange.
    #[default]
    Sampling,
    /// The end of its analysis.
    Calculated,
}

/// See [`FAULTS_HELP`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own")]
pub struct Faults {
    #[serde(deserialize_with = "script::lags")]
    pub lag: BTreeMap<String, Duration>,
    #[serde(deserialize_with = "script::part")]
    pub jitter: f64,
    #[serde(rename = "clock_offset", deserialize_with = "script::offset_ms")]
    pub clock_offset_ms: i64,
    #[serde(rename = "clock_drift", deserialize_with = "script::ppm")]
    pub clock_drift_ppm: f64,
    pub clock_step: Option<ClockStep>,
    pub stamp: Stamp,
    pub sampler: Option<u32>,
    #[serde(deserialize_with = "span")]
    pub cancel_time: Duration,
    #[serde(deserialize_with = "span")]
    pub boot_time: Duration,
    #[serde(deserialize_with = "span")]
    pub self_test_time: Duration,
    pub self_test_fails: bool,
    pub errors: Vec<String>,
    pub errors_after: Option<LaterErrors>,
    #[serde(deserialize_with = "some_span")]
    pub malfunction_after: Option<Duration>,
    #[serde(deserialize_with = "some_span")]
    pub reboot_after: Option<Duration>,
    #[serde(deserialize_with = "script::one_or_many")]
    pub other_client: Vec<OtherClient>,
    #[serde(deserialize_with = "script::tasks")]
    pub tasks: Vec<(u32, String)>,
    pub no_tasks: bool,
    pub refuse_start: bool,
    pub start_while_measuring: bool,
    #[serde(deserialize_with = "script::codes")]
    pub refuse: Vec<String>,
    #[serde(deserialize_with = "script::codes")]
    pub silent_to: Vec<String>,
    #[serde(deserialize_with = "some_span")]
    pub analyzer_silent_after: Option<Duration>,
    #[serde(deserialize_with = "some_span")]
    pub analyzer_silent_for: Option<Duration>,
    #[serde(deserialize_with = "script::some_period")]
    pub analyzer_silent_every: Option<Duration>,
    pub close_after_reply: bool,
    #[serde(deserialize_with = "span")]
    pub slow_reply: Duration,
    pub junk: bool,
    pub reply_byte_by_byte: bool,
    pub unsolicited: Option<When>,
    pub reply_stalls: Option<When>,
    pub reset: Option<When>,

    pub legacy_valve: bool,
    pub valve_id: Option<char>,
    pub valve_np: Option<u8>,
    pub valve_am: Option<u8>,
    pub valve_count: u32,
    #[serde(deserialize_with = "some_span")]
    pub valve_stuck_after: Option<Duration>,
    pub valve_between_ports: Option<Befalls>,
    pub valve_wrong_port: Option<Befalls>,
    pub valve_moved_by_hand: Option<MovedByHand>,
    pub serial_unplugged: Option<Unplugged>,
    pub valve_silent: bool,
    pub valve_stuck: bool,
    pub pulse_lost_every: u32,
    pub home_sensor_stuck: Option<StuckSensor>,
    pub coil_stuck: Option<u8>,
    pub coil_welded: Option<u8>,
    pub modbus_silent: bool,
    pub modbus_exception: Option<u8>,
    pub modbus_single_coils: bool,
    pub modbus_nameless: bool,
    pub habits: Habits,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            lag: BTreeMap::new(),
            jitter: 0.02,
            clock_offset_ms: 0,
            clock_drift_ppm: 0.0,
            clock_step: None,
            stamp: Stamp::default(),
            sampler: None,
            cancel_time: Duration::from_secs(2),
            boot_time: Duration::from_secs(5),
            self_test_time: Duration::from_secs(120),
            self_test_fails: false,
            errors: Vec::new(),
            errors_after: None,
            malfunction_after: None,
            reboot_after: None,
            other_client: Vec::new(),
            tasks: TASKS.map(|(id, name)| (id, name.to_owned())).to_vec(),
            no_tasks: false,
            refuse_start: false,
            start_while_measuring: false,
            refuse: Vec::new(),
            silent_to: Vec::new(),
            analyzer_silent_after: None,
            analyzer_silent_for: None,
            analyzer_silent_every: None,
            close_after_reply: false,
            slow_reply: Duration::ZERO,
            junk: false,
            reply_byte_by_byte: false,
            unsolicited: None,
            reply_stalls: None,
            reset: None,

            legacy_valve: false,
            valve_id: None,
            valve_np: None,
            valve_am: None,
            valve_count: 0,
            valve_stuck_after: None,
            valve_between_ports: None,
            valve_wrong_port: None,
            valve_moved_by_hand: None,
            serial_unplugged: None,
            valve_silent: false,
            valve_stuck: false,
            pulse_lost_every: 0,
            home_sensor_stuck: None,
            coil_stuck: None,
            coil_welded: None,
            modbus_silent: false,
            modbus_exception: None,
            modbus_single_coils: false,
            modbus_nameless: false,
            habits: Habits::default(),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum FaultsError {
    #[error("cannot read the faults file {path}: {source}")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the faults file {path} is not valid; `gaserad simulator --help` lists the keys\n{source}")]
    Invalid { path: PathBuf, source: toml::de::Error },
}

impl Faults {
    pub fn load(path: &Path) -> Result<Self, FaultsError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| FaultsError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text).map_err(|source| FaultsError::Invalid { path: path.to_owned(), source })
    }

    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// Whether the analyzer neither obeys nor answers at that age of the plant.
    pub fn analyzer_is_silent(&self, age: Duration) -> bool {
        let Some(since) = self.analyzer_silent_after.and_then(|after| age.checked_sub(after)) else { return false };
        let turn = self.analyzer_silent_every.map_or(since, |every| remainder(since, every));
        self.analyzer_silent_for.is_none_or(|length| turn < length)
    }
}

pub(super) fn remainder(age: Duration, every: Duration) -> Duration {
    let nanos = age.as_nanos() % every.as_nanos().max(1);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
