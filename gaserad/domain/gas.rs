//! Gases by CAS number.

use std::collections::BTreeMap;
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

/// What is known of a gas, be it of the built-in table or of the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GasInfo {
    pub cas: Cas,
    /// `CO2`; the CAS number of a gas of which nothing is known.
    pub formula: String,
    /// The formula as print sets it, with subscripts.
    #[serde(default)]
    pub symbol: String,
    pub name: String,
    pub molar_mass_g_mol: Option<f64>,
    /// The name of its column in files: `co2_ppm`.
    pub column: String,
    #[serde(default)]
    pub color: String,
}

impl GasInfo {
    /// What the built-in table knows of it.
    pub fn of(cas: &Cas) -> Self {
        let known = cas.gas();
        Self {
            cas: cas.clone(),
            formula: cas.formula().to_owned(),
            symbol: known.map_or(cas.0.as_str(), |gas| gas.symbol).to_owned(),
            name: known.map_or(cas.0.as_str(), |gas| gas.name).to_owned(),
            molar_mass_g_mol: known.map(|gas| gas.molar_mass_g_mol),
            column: cas.column(),
            color: cas.color().to_owned(),
        }
    }

    /// `Methane (CH₄, 74-82-8)`, as GaseraMux labels its readings; the CAS number of a gas without a name.
    pub fn label(&self) -> String {
        if self.name == self.cas.0 {
            self.cas.0.clone()
        } else {
            format!("{} ({}, {})", self.name, self.symbol, self.cas)
        }
    }

    fn merge(&mut self, facts: &GasFacts) {
        if let Some(formula) = &facts.formula {
            self.formula.clone_from(formula);
            self.symbol = subscripted(formula);
            self.column = format!("{}_ppm", formula.to_lowercase());
            if self.name == self.cas.0 {
                self.name.clone_from(formula);
            }
        }
        if let Some(name) = &facts.name {
            self.name.clone_from(name);
        }
        if let Some(color) = &facts.color {
            self.color.clone_from(color);
        }
        self.molar_mass_g_mol = facts.molar_mass_g_mol.or(self.molar_mass_g_mol);
    }
}

/// A formula with the digits behind its letters as subscripts: `CH₄`.
fn subscripted(formula: &str) -> String {
    let subscript = |digit: u32| char::from_u32(u32::from('\u{2080}') + digit);
    formula.chars().map(|c| c.to_digit(10).and_then(subscript).unwrap_or(c)).collect()
}

/// What the configuration says of a gas; what it does not say is as the built-in table has it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GasFacts {
    pub formula: Option<String>,
    pub name: Option<String>,
    /// Like `#1f77b4`.
    pub color: Option<String>,
    pub molar_mass_g_mol: Option<f64>,
}

/// All gases: those of the built-in table, and what the configuration adds or says otherwise.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GasTable {
    own: BTreeMap<Cas, GasFacts>,
}

impl GasTable {
    pub fn new(own: impl IntoIterator<Item = (Cas, GasFacts)>) -> Self {
        let said = |(_, facts): &(Cas, GasFacts)| *facts != GasFacts::default();
        Self { own: own.into_iter().filter(said).collect() }
    }

    pub fn info(&self, cas: &Cas) -> GasInfo {
        let mut info = GasInfo::of(cas);
        if let Some(facts) = self.own.get(cas) {
            info.merge(facts);
        }
        info
    }

    /// The built-in gases, then those that only the configuration knows.
    pub fn all(&self) -> Vec<GasInfo> {
        let known = GASES.iter().map(|gas| Cas(gas.cas.to_owned()));
        let own = self.own.keys().filter(|cas| cas.gas().is_none()).cloned();
        known.chain(own).map(|cas| self.info(&cas)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gas_of_the_configuration_has_its_name_and_column() {
        let benzene = Cas("71-43-2".into());
        let facts = GasFacts { formula: Some("C6H6".into()), name: Some("Benzene".into()), ..GasFacts::default() };
        let table = GasTable::new([(benzene.clone(), facts)]);
        let info = table.info(&benzene);
        assert_eq!((info.column.as_str(), info.label().as_str()), ("c6h6_ppm", "Benzene (C₆H₆, 71-43-2)"));
        assert_eq!(table.all().len(), GASES.len() + 1);
        for cas in GASES.map(|gas| Cas(gas.cas.into())) {
            assert_eq!((table.info(&cas), table.info(&cas).label()), (GasInfo::of(&cas), cas.label()));
        }
    }

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
