//! What may go wrong in the plant, as a TOML file says it.

pub(super) mod script;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::cascade::StuckSensor;
use super::mishap::{Befalls, MovedByHand, Unplugged};
use script::{some_span, span};

pub use script::{ClockStep, LaterErrors, OtherClient, When};

/// For the long help of the simulator command: every key, its meaning, its default.
pub const FAULTS_HELP: &str = "\
Faults file (TOML; every key is optional, unknown keys are errors)
Times are the plant's, since it was switched on. WHEN names replies of the analyzer:
{ every = 7 } each seventh, { after = \"2m\" } the first one from then on,
{ after = \"2m\", for = \"10s\" } all of that time, and with every as well, each of so many of them.

The gas and the iterations:
  lag = { \"7664-41-7\" = \"30s\" } how slowly gases follow the valve, by CAS number [800ms each]
  jitter = 0.1                  an iteration's length varies by such a part of it at most [0.02]

The analyzer's clock:
  clock_offset = \"1h\"           it is ahead of this machine's; \"-1h\" is behind [0]
  clock_drift = 50.0            it gains so much, in parts per million [0]
  clock_step = { after = \"10m\", by = \"-1h\" }
                                it is set to another time
  stamp = \"calculated\"          a result's stamp is the end of its analysis, not of its gas
                                exchange [\"sampling\"]

What the analyzer is and does:
  serial = \"000002\"             its serial number [000000]
  sampler = 4                   it has a sampler of its own with so many inlets [none]
  cancel_time = \"2s\"            how long it takes to stop measuring [2s]
  boot_time = \"5s\"              after a reboot: so long away, then so long initializing [5s]
  self_test_time = \"2m\"         how long a self-test takes [2m]
  self_test_fails = true        and how it ends
  errors = [\"8004\"]             error codes that AERR reports [none]
  errors_after = { after = \"3m\", codes = [\"8012\"] }
                                more of them, later
  malfunction_after = \"3m\"      then it stops measuring, in malfunction until it is rebooted
  reboot_after = \"3m\"           then it reboots
  other_client = { after = \"3m\", what = \"SCON 1 1 0\" }
                                another client gives it an order; or a list of such

What the analyzer answers:
  tasks = [\"11 Soil 2024 run\", \"12 FLUSH\"]
                                ids and names [7 Calibration task, 11 DEFAULT, 12 FLUSH]
  no_tasks = true               ATSK lists no task
  refuse_start = true           STAM and STAT are answered with an error
  start_while_measuring = true  STAM and STAT while measuring are answered 0, and change nothing
                                [answered 1]
  refuse = [\"AMST\", \"AITR\"]     commands that this firmware answers with an error
  silent_to = [\"AITR\"]          commands that are neither obeyed nor answered
  analyzer_silent_after = \"2m\"  from then on the analyzer neither obeys nor answers
  analyzer_silent_for = \"30s\"   for how long that lasts [for ever]
  analyzer_silent_every = \"10m\" and when it begins again [never]

How the analyzer's replies arrive:
  close_after_reply = true      the analyzer closes the connection after every reply
  slow_reply = \"500ms\"          every reply is this much later, in real time [0]
  junk = true                   noise before every reply, and replies arrive in pieces
  reply_byte_by_byte = true     every byte by itself
  unsolicited = WHEN            a reply that nobody asked for comes before them
  reply_stalls = WHEN           half of them arrives, then nothing more; the connection stays open
  reset = WHEN                  a TCP reset comes in place of them

The valve:
  legacy_valve = true           the valve answers \"Position is  = 3\" instead of \"CP03\"
  valve_id = \"3\"                the valve hears only commands with this id before them, or /3 [none]
  valve_np = 10                 the actuator is set up for so many ports [as many as there are]
  valve_am = 2                  the actuator is set up as one with two positions, or whatever AM is
                                [3: many]
  valve_version = \"V2\"          what VR answers, in one line [what a simulated valve is]
  valve_count = 1200            how often it had moved before (CNT) [0]
  valve_stuck_after = \"2m\"      the valve accepts GO and does not move from then on
  valve_between_ports = 3       its third move ends between two ports; \"2m\" is the first move
                                after that time
  valve_wrong_port = 3          its third move ends one port further, and it says so; or a time
  valve_moved_by_hand = { after = \"2m\", to = 5 }
                                somebody turns the valve
  serial_unplugged = { after = \"2m\", for = \"30s\", link = \"/tmp/other\" }
                                the valve's serial port goes away, and is back as another one
                                [for ever; under the same name]
  valve_silent = true           the valve neither obeys nor answers
  valve_stuck = true            the valve accepts GO and does not move

The cascaded units that count pulses:
  pulse_lost_every = 7          one pulse in so many is lost [none]
  home_sensor_stuck = \"active\"  their home sensors say this whatever happens, or \"inactive\"
                                [they work]

The relay board:
  coil_stuck = 5                the relay of this channel does not switch
  coil_welded = 4               the relay of this channel stays on
  modbus_silent = true          it neither obeys nor answers
  modbus_exception = 4          it answers everything with this exception
  modbus_single_coils = true    it cannot write several coils at once
  modbus_nameless = true        it does not tell who it is
  modbus_revision = \"2\"         the revision that it tells [that of a simulated board]";

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
    pub serial: Option<String>,
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
    pub valve_version: Option<String>,
    pub valve_count: u64,
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
    pub modbus_revision: Option<String>,
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
            serial: None,
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
            valve_version: None,
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
            modbus_revision: None,
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

fn remainder(age: Duration, every: Duration) -> Duration {
    let nanos = age.as_nanos() % every.as_nanos().max(1);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
