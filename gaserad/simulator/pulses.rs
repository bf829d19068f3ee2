//! The wires to the cascaded units, for a driver that pulses them.

use super::cascade::CascadeWire;
use super::plant::Selector;
use super::serve::Simulator;

/// All wires of the cascade, held by one driver.
#[derive(Clone)]
pub struct PulseLines {
    simulator: Simulator,
}

impl Simulator {
    /// The gas comes through the cascaded units from now on, or through one alone. They stand where somebody left
    /// them, and not at home.
    pub fn pulse_lines(&self, units: u8) -> PulseLines {
        self.ask(|plant| plant.install_units(units));
        PulseLines { simulator: self.clone() }
    }

    pub fn put_in_charge(&self, selector: Selector) {
        self.ask(|plant| plant.put_in_charge(selector));
    }
}

impl PulseLines {
    /// Puts a level on a wire; `unit` counts from 0.
    pub fn set(&self, unit: usize, wire: CascadeWire, active: bool) {
        self.simulator.ask(|plant| plant.cascade_wire(unit, wire, active));
    }

    /// What the home sensor of a unit says.
    pub fn at_home(&self, unit: usize) -> bool {
        self.simulator.ask(|plant| plant.cascade().at_home(unit))
    }

    /// What the position outputs of a unit say, 0 to 15.
    pub fn position(&self, unit: usize) -> u8 {
        self.simulator.ask(|plant| plant.cascade().input(unit))
    }

    /// The line that the gas comes from: what a driver can never ask.
    pub fn inlet(&self) -> u8 {
        self.simulator.ask(|plant| plant.cascade().inlet())
    }
}
