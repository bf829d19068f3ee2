//! What is known of a run besides its records: what its files and exports are made with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::channel::{Channel, ChannelKind};
use super::gas::{Cas, GasInfo};
use super::instrument::{Instrument, Task};
use super::run::RunSummary;

/// A run's sheet as it was when the run began; what is not known is empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    pub run: RunSummary,
    pub channels: BTreeMap<Channel, ChannelInfo>,
    /// In the order of the columns.
    pub gases: Vec<GasInfo>,
    /// The newest record when this was read; 0 if there is none.
    pub last_record: u32,
    pub provenance: Provenance,
    pub equipment: Equipment,
}

/// A sample line as it was described when a run began.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChannelInfo {
    pub label: String,
    pub kind: ChannelKind,
    /// The ground that a chamber covers.
    pub area_m2: Option<f64>,
    /// What a chamber encloses, without its collar.
    pub volume_m3: Option<f64>,
    /// How far the collar stands out of the ground.
    pub collar_offset_m: Option<f64>,
    pub tube_length_m: Option<f64>,
    pub tube_id_mm: Option<f64>,
    pub treatment: String,
    pub plot: String,
    pub lat: Option<f64>,
    pub lon: Option<f64>,
    pub note: String,
    /// What the gas on this line is known to contain, ppm: of a zero, span or target gas.
    pub reference: BTreeMap<Cas, f64>,
}

/// Under which circumstances a run was measured, as they were configured when it began.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// Name and version of the program that measured: `gaserad 0.1.0`.
    pub software: String,
    /// How the analyzer was reached.
    pub analyzer_address: String,
    /// The kind of multiplexer: `vici`.
    pub multiplexer: String,
    /// Nothing of it was measured: the instruments were simulated.
    pub simulated: bool,
    pub site: Site,
    /// All settings in effect, as a configuration file.
    pub configuration: String,
}

/// Where it was measured, and for whom.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Site {
    pub name: String,
    /// The identifier of the site in a network, like `DE-Hai`.
    pub id: String,
    pub institution: String,
    /// Of the institution: `https://ror.org/…`.
    pub ror: String,
    pub contact: String,
    pub lat: Option<f64>,
    pub lon: Option<f64>,
    pub altitude_m: Option<f64>,
    /// Under which terms the data may be used, like `CC-BY-4.0`.
    pub license: String,
}

/// What the instruments said of themselves during a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Equipment {
    pub instrument: Option<Instrument>,
    /// The analyzer's task that the run measured with.
    pub task: Option<Task>,
}

impl Sheet {
    /// What is known of a channel; nothing but its number of one that nobody described.
    pub fn channel(&self, channel: Channel) -> ChannelInfo {
        self.channels.get(&channel).cloned().unwrap_or_default()
    }
}
