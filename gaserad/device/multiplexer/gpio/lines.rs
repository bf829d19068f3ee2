//! The wires to the units, whatever is behind them: a GPIO chip, the plant, a recorder.

use std::fmt;

use crate::domain::Fault;
use crate::simulator::{CascadeWire, PulseLines};

/// One of the 16-way units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// Leads to the analyzer.
    First,
    /// Leads to the last input of the first.
    Second,
}

/// A wire that tells a unit something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OutputLines {
    Home(Unit),
    Next(Unit),
}

/// A wire by which a unit tells something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Input {
    /// It stands on its first input.
    Home(Unit),
    /// A bit of the input that it stands on, counted from 0; bit 0 is the least significant.
    Bit(Unit, u8),
}

/// Bits of a unit's position.
pub const BITS: u8 = 4;

impl Unit {
    pub const ALL: [Self; 2] = [Self::First, Self::Second];

    /// Counted from 0.
    pub const fn index(self) -> usize {
        match self {
            Self::First => 0,
            Self::Second => 1,
        }
    }

    /// The first unit, or both.
    pub fn of(units: u8) -> &'static [Self] {
        if units < 2 { &Self::ALL[..1] } else { &Self::ALL }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unit {}", self.index() + 1)
    }
}

/// Named as in the configuration.
impl fmt::Display for OutputLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Home(unit) => write!(f, "home{}", unit.index() + 1),
            Self::Next(unit) => write!(f, "next{}", unit.index() + 1),
        }
    }
}

/// Named as in the configuration.
impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Home(unit) => write!(f, "home_sensor{}", unit.index() + 1),
            Self::Bit(unit, bit) => write!(f, "position{} bit {bit}", unit.index() + 1),
        }
    }
}

/// Wires that are held. An output is inactive until it is set, and again once this is dropped.
pub trait Lines: Send {
    fn set(&mut self, output: OutputLines, active: bool) -> Result<(), Fault>;
    fn read(&mut self, input: Input) -> Result<bool, Fault>;
}

/// The plant's wires, without a chip between.
impl Lines for PulseLines {
    fn set(&mut self, output: OutputLines, active: bool) -> Result<(), Fault> {
        let (unit, wire) = match output {
            OutputLines::Home(unit) => (unit, CascadeWire::Home),
            OutputLines::Next(unit) => (unit, CascadeWire::Next),
        };
        Self::set(self, unit.index(), wire, active);
        Ok(())
    }

    fn read(&mut self, input: Input) -> Result<bool, Fault> {
        Ok(match input {
            Input::Home(unit) => self.at_home(unit.index()),
            Input::Bit(unit, bit) => self.position(unit.index()) >> bit & 1 == 1,
        })
    }
}
