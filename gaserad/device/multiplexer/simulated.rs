//! The simulated multiplexer: the real VICI driver, connected to the plant's valve in this process.
//!
//! And the dials to the plant's devices, for whoever brings a driver of their own.

use std::sync::Arc;

use super::vici::{Vici, ViciSettings};
use crate::device::{Dial, Stream};
use crate::domain::Clock;
use crate::simulator::Simulator;

/// The driver for the plant's valve.
pub fn driver(simulator: &Simulator, channels: u8, clock: Arc<dyn Clock>) -> Vici {
    Vici::new(valve_dial(simulator), ViciSettings::new(channels), clock)
}

pub fn analyzer_dial(simulator: &Simulator) -> Dial {
    let simulator = simulator.clone();
    Dial::new("the simulator", move || {
        let stream = simulator.connect_analyzer();
        async move { Ok(Box::new(stream) as Box<dyn Stream>) }
    })
}

pub fn valve_dial(simulator: &Simulator) -> Dial {
    let simulator = simulator.clone();
    Dial::new("the simulator", move || {
        let stream = simulator.connect_valve();
        async move { Ok(Box::new(stream) as Box<dyn Stream>) }
    })
}
