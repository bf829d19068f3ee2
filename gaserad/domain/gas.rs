//! Gases by CAS number.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A CAS registry number as the analyzer writes it, like `74-82-8`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cas(pub String);

impl fmt::Display for Cas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is known of a gas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gas {
    pub cas: &'static str,
    pub formula: &'static str,
    /// The formula as print sets it, with subscripts.
    pub symbol: &'static str,
    pub name: &'static str,
    pub color: &'static str,
    pub molar_mass_g_mol: f64,
}

const fn gas(
    cas: &'static str,
    formula: &'static str,
    symbol: &'static str,
    name: &'static str,
    color: &'static str,
    molar_mass_g_mol: f64,
) -> Gas {
    Gas { cas, formula, symbol, name, color, molar_mass_g_mol }
}

pub const GASES: [Gas; 15] = [
    gas("74-82-8", "CH4", "CH₄", "Methane", "#ff9f40", 16.043),
    gas("124-38-9", "CO2", "CO₂", "Carbon Dioxide", "#ff6384", 44.009),
    gas("7732-18-5", "H2O", "H₂O", "Water Vapor", "#2ca02c", 18.015),
    gas("630-08-0", "CO", "CO", "Carbon Monoxide", "#4bc0c0", 28.010),
    gas("10024-97-2", "N2O", "N₂O", "Nitrous Oxide", "#ffcd56", 44.013),
    gas("7664-41-7", "NH3", "NH₃", "Ammonia", "#1f77b4", 17.031),
    gas("7446-09-5", "SO2", "SO₂", "Sulfur Dioxide", "#9966ff", 64.060),
    gas("7782-44-7", "O2", "O₂", "Oxygen", "#17becf", 31.998),
    gas("75-07-0", "C2H4O", "C₂H₄O", "Acetaldehyde", "#8c564b", 44.053),
    gas("64-17-5", "C2H6O", "C₂H₆O", "Ethanol", "#e377c2", 46.069),
    gas("67-56-1", "CH4O", "CH₄O", "Methanol", "#bcbd22", 32.042),
    gas("74-86-2", "C2H2", "C₂H₂", "Acetylene", "#7f7f7f", 26.038),
    gas("74-85-1", "C2H4", "C₂H₄", "Ethylene", "#d62728", 28.054),
    gas("74-84-0", "C2H6", "C₂H₆", "Ethane", "#9467bd", 30.070),
    gas("2551-62-4", "SF6", "SF₆", "Sulfur Hexafluoride", "#393b79", 146.050),
];

const UNKNOWN_COLOR: &str = "#999999";

impl Cas {
    pub fn gas(&self) -> Option<&'static Gas> {
        GASES.iter().find(|gas| gas.cas == self.0)
    }

    /// `CO2`, or the CAS number of a gas that is not in the table.
    pub fn formula(&self) -> &str {
        self.gas().map_or(&self.0, |gas| gas.formula)
    }

    /// `Methane (CH₄, 74-82-8)`, as GaseraMux labels its readings.
    pub fn label(&self) -> String {
        self.gas().map_or_else(|| self.0.clone(), |gas| format!("{} ({}, {})", gas.name, gas.symbol, gas.cas))
    }

    pub fn color(&self) -> &'static str {
        self.gas().map_or(UNKNOWN_COLOR, |gas| gas.color)
    }

    /// The name of its column in files: `co2_ppm`, or `cas_<number>_ppm` for a gas not in the table.
    pub fn column(&self) -> String {
        match self.gas() {
            Some(gas) => format!("{}_ppm", gas.formula.to_lowercase()),
            None => format!("cas_{}_ppm", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_and_labels() {
        let methane = Cas("74-82-8".into());
        assert_eq!(methane.column(), "ch4_ppm");
        assert_eq!(methane.label(), "Methane (CH₄, 74-82-8)");
        let unknown = Cas("71-43-2".into());
        assert_eq!(unknown.column(), "cas_71-43-2_ppm");
        assert_eq!(unknown.formula(), "71-43-2");
    }
}
