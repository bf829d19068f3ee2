//! What is known of a run besides its records: what its files and exports are made with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::channel::{Channel, ChannelKind};
use super::gas::Cas;
use super::instrument::TaskParameters;
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
    /// What the task does, as the analyzer says it.
    pub task: Option<TaskParameters>,
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
}

/// What is known of a gas, be it of the built-in table or of the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GasInfo {
    pub cas: Cas,
    /// `CO2`; the CAS number of a gas of which nothing is known.
    pub formula: String,
    pub name: String,
    pub molar_mass_g_mol: Option<f64>,
    /// The name of its column in files: `co2_ppm`.
    pub column: String,
}

impl GasInfo {
    /// What the built-in table knows of it.
    pub fn of(cas: &Cas) -> Self {
        let known = cas.gas();
        Self {
            cas: cas.clone(),
            formula: cas.formula().to_owned(),
            name: known.map_or(cas.0.as_str(), |gas| gas.name).to_owned(),
            molar_mass_g_mol: known.map(|gas| gas.molar_mass_g_mol),
            column: cas.column(),
        }
    }
}
