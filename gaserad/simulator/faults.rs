//! What may go wrong in the plant, as a TOML file says it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::cascade::StuckSensor;
use super::mishap::{Befalls, MovedByHand, Unplugged};
use crate::domain::duration;

/// For the long help of the simulator command: every key, its meaning, its default.
pub const FAULTS_HELP: &str = "\
Faults file (TOML; every key is optional, unknown keys are errors):
  clock_offset = \"1h\"           the analyzer's clock minus this machine's; \"-1h\" is behind [0]
  stamp = \"calculated\"          a result's stamp is the end of its analysis, not of its gas exchange [\"sampling\"]
  cancel_time = \"2s\"            how long the analyzer takes to stop measuring [2s]
  errors = [\"8004\"]             error codes that AERR reports [none]
  refuse_start = true           STAM answers with an error
  no_tasks = true               ATSK lists no task
  close_after_reply = true      the analyzer closes the connection after every reply
  slow_reply = \"500ms\"          the analyzer replies this much later, in real time [0]
  junk = true                   noise before every reply, and replies arrive in pieces
  analyzer_silent_after = \"2m\"  from then on the analyzer neither obeys nor answers, in plant time since the start
  analyzer_silent_for = \"30s\"   for how long that lasts [for ever]
  legacy_valve = true           the valve answers \"Position is  = 3\" instead of \"CP03\"
  valve_id = \"3\"                the valve hears only commands with this id before them, or /3 [none]
  valve_np = 10                 the actuator is set up for so many ports [as many as there are]
  valve_am = 2                  the actuator is set up as one with two positions, or whatever AM is [3: many]
  valve_stuck_after = \"2m\"      the valve accepts GO and does not move from then on
  valve_between_ports = 3       its third move ends between two ports; \"2m\" is the first move after that time
  valve_wrong_port = 3          its third move ends one port further, and it says so; or a time
  valve_moved_by_hand = { after = \"2m\", to = 5 }
                                somebody turns the valve
  serial_unplugged = { after = \"2m\", for = \"30s\", link = \"/tmp/other\" }
                                the valve's serial port goes away, and is back as another one
                                [for ever; under the same name]
  valve_silent = true           the valve neither obeys nor answers
  valve_stuck = true            the valve accepts GO and does not move
  pulse_lost_every = 7          one pulse in so many to the cascaded units is lost [none]
  home_sensor_stuck = \"active\" the units' home sensors say this whatever happens: \"active\" or \"inactive\" [they work]
  coil_stuck = 5                the relay of this channel does not switch
  coil_welded = 4               the relay of this channel stays on
  modbus_silent = true          the relay board neither obeys nor answers
  modbus_exception = 4          the relay board answers everything with this exception
  modbus_single_coils = true    the relay board cannot write several coils at once";

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
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    #[serde(rename = "clock_offset", deserialize_with = "offset_ms")]
    pub clock_offset_ms: i64,
    pub stamp: Stamp,
    #[serde(deserialize_with = "span")]
    pub cancel_time: Duration,
    pub errors: Vec<String>,
    pub refuse_start: bool,
    pub no_tasks: bool,
    pub close_after_reply: bool,
    #[serde(deserialize_with = "span")]
    pub slow_reply: Duration,
    pub junk: bool,
    #[serde(deserialize_with = "some_span")]
    pub analyzer_silent_after: Option<Duration>,
    #[serde(deserialize_with = "some_span")]
    pub analyzer_silent_for: Option<Duration>,
    pub legacy_valve: bool,
    pub valve_id: Option<char>,
    pub valve_np: Option<u8>,
    pub valve_am: Option<u8>,
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
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            clock_offset_ms: 0,
            stamp: Stamp::default(),
            cancel_time: Duration::from_secs(2),
            errors: Vec::new(),
            refuse_start: false,
            no_tasks: false,
            close_after_reply: false,
            slow_reply: Duration::ZERO,
            junk: false,
            analyzer_silent_after: None,
            analyzer_silent_for: None,
            legacy_valve: false,
            valve_id: None,
            valve_np: None,
            valve_am: None,
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
}

pub(super) fn span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    duration::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

fn some_span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    span(deserializer).map(Some)
}

fn offset_ms<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let text = String::deserialize(deserializer)?;
    let (sign, size) = text.trim().strip_prefix('-').map_or((1, text.trim()), |size| (-1, size));
    let size = duration::parse(size).map_err(serde::de::Error::custom)?;
    i64::try_from(size.as_millis()).map(|millis| sign * millis).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_key() {
        let faults = Faults::parse(
            r#"
            clock_offset = "-1h"
            stamp = "calculated"
            cancel_time = "5s"
            errors = ["8004", "E001"]
            refuse_start = true
            no_tasks = true
            close_after_reply = true
            slow_reply = "500ms"
            junk = true
            analyzer_silent_after = "2m"
            analyzer_silent_for = "30s"
            legacy_valve = true
            valve_silent = true
            valve_stuck = true
            pulse_lost_every = 7
            home_sensor_stuck = "inactive"
            coil_stuck = 5
            coil_welded = 4
            modbus_silent = true
            modbus_exception = 4
            modbus_single_coils = true
            "#,
        )
        .unwrap();
        assert_eq!(faults.clock_offset_ms, -3_600_000);
        assert_eq!(faults.stamp, Stamp::Calculated);
        assert_eq!(faults.cancel_time, Duration::from_secs(5));
        assert_eq!(faults.errors, ["8004", "E001"]);
        assert_eq!(faults.slow_reply, Duration::from_millis(500));
        assert_eq!(faults.analyzer_silent_after, Some(Duration::from_secs(120)));
        assert_eq!(faults.analyzer_silent_for, Some(Duration::from_secs(30)));
        assert!(faults.refuse_start && faults.no_tasks && faults.close_after_reply && faults.junk);
        assert!(faults.legacy_valve && faults.valve_silent && faults.valve_stuck);
        assert_eq!((faults.pulse_lost_every, faults.home_sensor_stuck), (7, Some(StuckSensor::Inactive)));
        assert_eq!((faults.coil_stuck, faults.coil_welded, faults.modbus_exception), (Some(5), Some(4), Some(4)));
        assert!(faults.modbus_silent && faults.modbus_single_coils);
    }

    #[test]
    fn reads_what_befalls_a_valve() {
        let faults = Faults::parse(
            r#"
            valve_id = "3"
            valve_np = 10
            valve_am = 2
            valve_stuck_after = "2m"
            valve_between_ports = 3
            valve_wrong_port = "90s"
            valve_moved_by_hand = { after = "2m", to = 5 }
            serial_unplugged = { after = "2m", for = "30s", link = "/tmp/other" }
            "#,
        )
        .unwrap();
        let minutes = Duration::from_secs(120);
        assert_eq!((faults.valve_id, faults.valve_np, faults.valve_am), (Some('3'), Some(10), Some(2)));
        assert_eq!(faults.valve_stuck_after, Some(minutes));
        assert_eq!(faults.valve_between_ports, Some(Befalls::Move(3)));
        assert_eq!(faults.valve_wrong_port, Some(Befalls::After(Duration::from_secs(90))));
        assert_eq!(faults.valve_moved_by_hand, Some(MovedByHand { after: minutes, to: 5 }));
        let unplugged =
            Unplugged { after: minutes, length: Some(Duration::from_secs(30)), link: Some("/tmp/other".into()) };
        assert_eq!(faults.serial_unplugged, Some(unplugged));
        let error = Faults::parse("valve_wrong_port = true").unwrap_err().to_string();
        assert!(error.contains("it must be the number of a move, like 3, or a time"), "{error}");
    }

    #[test]
    fn an_empty_file_is_a_healthy_plant() {
        assert_eq!(Faults::parse("").unwrap(), Faults::default());
    }

    #[test]
    fn an_unknown_key_is_an_error_with_its_line() {
        let error = Faults::parse("junk = true\nvalve_stuk = true\n").unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("valve_stuk"), "{error}");
    }

    #[test]
    fn the_help_names_every_key_that_can_be_read() {
        let error = Faults::parse("x = 1").unwrap_err().to_string();
        let keys: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
        assert_eq!(keys.len(), 29, "{error}");
        for key in keys {
            assert!(FAULTS_HELP.contains(&format!("\n  {key} = ")), "{key}");
        }
    }
}
