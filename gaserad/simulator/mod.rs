//! The plant as bytes: an analyzer that speaks AK, multiplexers, and the gas line between them: a valve that speaks
//! VICI, units that count pulses, relays that speak Modbus.
//!
//! [`Plant`] is pure and moves only when it is told the time; it is asked to catch up before every request, so
//! nothing runs between requests. [`Simulator`] puts it behind byte streams: in this process, on TCP, on a
//! pseudo-terminal. It stands below the protocols: whoever talks to it uses the same codecs and drivers as with the
//! real devices. It is no model of the photoacoustic measurement itself; a reading is the mixture and some noise.

mod analyzer;
mod another;
mod cascade;
mod commands;
pub mod faults;
pub mod gas;
pub mod habits;
mod manner;
mod mishap;
mod modbus;
mod parameters;
mod plant;
mod pty;
mod pulses;
mod random;
mod relays;
mod rotor;
mod run;
mod script;
mod serve;
mod setup;
pub mod truth;
mod valve;

#[cfg(test)]
pub(crate) mod tests;

pub use cascade::{CascadeWire, StuckSensor};
pub use faults::{ClockStep, FAULTS_HELP, Faults, FaultsError, LaterErrors, OtherClient, Stamp, When};
pub use gas::known_gas;
pub use habits::{HABITS_HELP, Habits};
pub use mishap::{Befalls, MovedByHand, Unplugged};
pub use modbus::listen_modbus;
pub use plant::{Plant, PlantDesign, Selector};
pub use pty::{open_relays, open_valve};
pub use pulses::PulseLines;
pub use run::{SimulatorError, SimulatorOptions, SimulatorReady, run};
pub use serve::{PlantSettings, Simulator, listen_analyzer};
pub use truth::Truth;
