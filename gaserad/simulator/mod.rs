//! The plant as bytes: an analyzer that speaks AK, a valve that speaks VICI, and the gas line between them.
//!
//! [`Plant`] is pure and moves only when it is told the time; it is asked to catch up before every request, so
//! nothing runs between requests. [`Simulator`] puts it behind byte streams: in this process, on TCP, on a
//! pseudo-terminal. It stands below the protocols: whoever talks to it uses the same codecs and drivers as with the
//! real devices. It is no model of the photoacoustic measurement itself; a reading is the mixture and some noise.

mod analyzer;
mod commands;
pub mod faults;
pub mod gas;
mod manner;
mod mishap;
mod parameters;
mod plant;
mod pty;
mod random;
mod rotor;
mod run;
mod script;
mod serve;
mod setup;
pub mod truth;
mod valve;

#[cfg(test)]
pub(crate) mod tests;

pub use faults::{ClockStep, FAULTS_HELP, Faults, FaultsError, LaterErrors, OtherClient, Stamp, When};
pub use gas::known_gas;
pub use mishap::{Befalls, MovedByHand, Unplugged};
pub use plant::{Plant, PlantDesign};
pub use pty::open_valve;
pub use run::{Ready, SimulatorError, SimulatorOptions, run};
pub use serve::{PlantSettings, Simulator, listen_analyzer};
pub use truth::Truth;
