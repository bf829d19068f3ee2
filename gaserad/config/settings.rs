//! The settings as the daemon uses them: checked, with every default filled in.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::access::{AuthSettings, NetworkSettings};
use crate::domain::{
    AfterRestart, Background, Cas, Channel, ChannelKind, GasFacts, GpioLine, Reaction, Reactions, Site, StampMeaning,
    Sync,
};

/// Everything that can be configured. One that exists is valid.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub listen: Vec<Listen>,
    pub network: NetworkSettings,
    pub auth: AuthSettings,
    pub analyzer: AnalyzerSettings,
    pub multiplexer: MultiplexerSettings,
    pub plan: PlanDefaults,
    pub pause: Reactions,
    pub guard: Option<GuardSettings>,
    pub store: StoreSettings,
    pub stream: StreamSettings,
    pub channels: BTreeMap<Channel, ChannelSettings>,
    pub gases: BTreeMap<Cas, GasSettings>,
    pub site: Site,
    /// Analyzer and multiplexer are simulated within this process.
    pub simulate: bool,
    /// Where each value comes from, by its path, like `analyzer.poll`.
    pub origins: Origins,
    /// What is allowed but should be known.
    pub warnings: Vec<String>,
}

impl Settings {
    /// Where plans are looked for by name, the first one first.
    pub fn plan_directories(&self) -> Vec<PathBuf> {
        match &self.plan.directory {
            Some(directory) => vec![directory.clone()],
            None => vec![self.store.directory.join("plans"), PathBuf::from("/etc/gaserad/plans")],
        }
    }

    /// The valve is not there, and the analyzer is: no sample is good.
    pub fn valve_is_simulated(&self) -> bool {
        !self.simulate && self.multiplexer.driver == Driver::Simulated
    }
}

pub type Origins = BTreeMap<String, Origin>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Default,
    File { file: String, line: usize },
    Flag(&'static str),
    Environment(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { file, line } => write!(f, "line {line} of {file}"),
            Self::Flag(flag) => f.write_str(flag),
            Self::Environment(variable) => write!(f, "${variable}"),
        }
    }
}

/// Where the API is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    Unix(PathBuf),
    /// `host:port`; port 0 takes a free one.
    Tcp(String),
    /// The sockets that systemd passes.
    Fd,
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(address) => f.write_str(address),
            Self::Fd => f.write_str("fd:"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnalyzerSettings {
    /// `host:port` of the AK server.
    pub address: String,
    pub session: SessionKind,
    pub task: String,
    /// What the time stamp of a result means; `None` to find out.
    pub stamp: Option<StampMeaning>,
    pub poll: Duration,
    pub grace: Duration,
    /// How stale a phase, and how late a result, may be.
    pub phase_lag: Duration,
    pub result_lag: Duration,
    /// What a restart of the analyzer does to a run.
    pub after_restart: AfterRestart,
}

/// Whether the AK server keeps a connection open after its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionKind {
    Auto,
    Persistent,
    Oneshot,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultiplexerSettings {
    pub driver: Driver,
    /// The driver that the configuration names, also where all is simulated.
    pub named: Driver,
    /// A simulated valve may stand beside a real analyzer: no sample is good then.
    pub simulated_with_real_analyzer: bool,
    pub channels: u8,
    pub settle: Duration,
    /// There whenever the driver is `vici`.
    pub vici: Option<Vici>,
    /// There whenever the driver is `gpio`.
    pub gpio: Option<Gpio>,
    /// There whenever the driver is `modbus`.
    pub modbus: Option<Modbus>,
}

/// Units that are told by pulses on GPIO lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gpio {
    /// A label, a path, or a name like `gpiochip0`.
    pub chip: Option<String>,
    /// One, or two of which the second leads to the last input of the first.
    pub units: Vec<GpioUnit>,
    pub pulse: Duration,
    /// Between two pulses.
    pub gap: Duration,
    /// How long a unit may take to stand where a pulse sent it.
    pub travel: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpioUnit {
    pub home: GpioLine,
    pub next: GpioLine,
    pub home_sensor: Option<GpioLine>,
    /// Four lines, the least significant bit first, or none.
    pub position: Vec<GpioLine>,
}

/// Relays as coils of a Modbus device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Modbus {
    pub link: ModbusLink,
    pub unit: u8,
    /// The coil of channel 1.
    pub first_coil: u16,
    pub break_before_make: bool,
    /// How long all coils are off between two channels, where they are.
    pub gap: Duration,
    pub timeout: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModbusLink {
    /// `host:port`.
    Tcp(String),
    Serial {
        port: PathBuf,
        baud: u32,
        allow_unstable_port: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    Simulated,
    Gpio,
    Vici,
    Modbus,
}

/// A VICI valve actuator on a serial line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vici {
    pub port: PathBuf,
    pub baud: u32,
    /// The device id, where the actuator has one: `3`, or `/3` on RS-485.
    pub address: Option<String>,
    pub dialect: Dialect,
    pub direction: Direction,
    /// How many ports the valve has, where that is to be checked.
    pub ports: Option<u8>,
    /// The actuator's own settings may be corrected.
    pub write_settings: bool,
    /// The port's name may mean another device tomorrow.
    pub allow_unstable_port: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Auto,
    /// Microelectric actuators: `Position is  = 3`.
    Legacy,
    /// Universal actuators: `CP03`.
    Universal,
}

/// Which way the rotor turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Shortest,
    Clockwise,
    Counterclockwise,
}

/// What a start uses for whatever it does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanDefaults {
    pub purge: Duration,
    pub measure: Duration,
    pub repeats: u32,
    pub sync: Sync,
    pub discard_first: u32,
    pub background: Option<Background>,
    pub overlap: bool,
    /// Where the valve is sent when a run is over, from `[multiplexer] park`; `None` if it stays where it is.
    pub park: Option<Channel>,
    /// Where plans are kept by name, if not where they usually are.
    pub directory: Option<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    pub directory: PathBuf,
    pub on_restart: OnRestart,
    pub max_outage: Duration,
    /// With less free space than this, the disk is nearly full.
    pub min_free_mb: u32,
    /// What passes between host and analyzer during a run is kept.
    pub raw_log: bool,
    /// Where run folders are copied to.
    pub mirror: Option<MirrorSettings>,
    pub retention: RetentionSettings,
}

/// A copy of all run folders on another drive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorSettings {
    pub directory: PathBuf,
    /// Nothing is written unless a drive is mounted there.
    pub require_mount: bool,
}

/// How long runs are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionSettings {
    /// Older runs go into the trash.
    pub keep: Option<Duration>,
    /// The oldest runs go into the trash until the others take no more bytes than this.
    pub max_size: Option<u64>,
    /// So many of the newest ones stay in any case.
    pub min_runs: u32,
    /// Only what is on the mirror goes, where there is to be one.
    pub mirrored: bool,
    /// How long it is in the trash before it is gone for good.
    pub trash_after: Duration,
}

/// A condition that must hold before a visit begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardSettings {
    /// While it exists, no visit begins.
    pub file: Option<PathBuf>,
    /// The program and its arguments; it must end with status 0.
    pub command: Vec<String>,
    /// How often it is asked again while it does not hold.
    pub every: Duration,
    pub timeout: Duration,
}

/// What happens to a run that a crash or a power loss interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnRestart {
    Resume,
    End,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamSettings {
    pub heartbeat: Duration,
    pub keepalive: Duration,
    /// Events kept in memory for readers that come back.
    pub ring: usize,
    pub max_connections: usize,
}

/// What is known of a sample line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChannelSettings {
    pub label: String,
    pub kind: ChannelKind,
    /// What plans do otherwise on this channel.
    pub purge: Option<Duration>,
    pub measure: Option<Duration>,
    pub iterations: Option<u32>,
    pub discard_first: Option<u32>,
    pub area_m2: Option<f64>,
    pub volume_m3: Option<f64>,
    pub collar_offset_m: Option<f64>,
    pub tube_length_m: Option<f64>,
    pub tube_id_mm: Option<f64>,
    pub treatment: String,
    pub plot: String,
    pub lat: Option<f64>,
    pub lon: Option<f64>,
    pub note: String,
    /// What the gas on the line contains, ppm.
    pub reference: BTreeMap<Cas, f64>,
}

/// What plans do otherwise for one gas, and how it is described.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GasSettings {
    pub discard_first: u32,
    pub facts: GasFacts,
}

/// A value that is one of a few words.
pub trait Choice: Copy + PartialEq + 'static {
    const ALL: &'static [(&'static str, Self)];

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, value)| *value == self).map_or("", |(word, _)| word)
    }
}

impl Choice for SessionKind {
    const ALL: &'static [(&'static str, Self)] =
        &[("auto", Self::Auto), ("persistent", Self::Persistent), ("oneshot", Self::Oneshot)];
}

impl Choice for Option<StampMeaning> {
    const ALL: &'static [(&'static str, Self)] =
        &[("auto", None), ("sampling", Some(StampMeaning::Sampling)), ("calculated", Some(StampMeaning::Calculated))];
}

impl Choice for Driver {
    const ALL: &'static [(&'static str, Self)] =
        &[("simulated", Self::Simulated), ("gpio", Self::Gpio), ("vici", Self::Vici), ("modbus", Self::Modbus)];
}

impl Choice for Dialect {
    const ALL: &'static [(&'static str, Self)] =
        &[("auto", Self::Auto), ("legacy", Self::Legacy), ("universal", Self::Universal)];
}

impl Choice for Direction {
    const ALL: &'static [(&'static str, Self)] =
        &[("shortest", Self::Shortest), ("cw", Self::Clockwise), ("ccw", Self::Counterclockwise)];
}

impl Choice for Reaction {
    const ALL: &'static [(&'static str, Self)] = &[("go_on", Self::GoOn), ("pause", Self::Pause)];
}

impl Choice for AfterRestart {
    const ALL: &'static [(&'static str, Self)] = &[("resume", Self::Resume), ("fail", Self::Fail)];
}

impl Choice for OnRestart {
    const ALL: &'static [(&'static str, Self)] = &[("resume", Self::Resume), ("end", Self::End)];
}

impl Choice for Sync {
    const ALL: &'static [(&'static str, Self)] = &[("analyzer", Self::Analyzer), ("dwell", Self::Dwell)];
}

impl Choice for ChannelKind {
    const ALL: &'static [(&'static str, Self)] = &Self::ALL;
}
