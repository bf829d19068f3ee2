//! The simulated multiplexer: the real driver of each kind, connected to the plant in this process.
//!
//! And the dials to the plant's devices, for whoever brings a driver of their own.

use std::sync::Arc;

use super::gpio::{Gpio, GpioSettings};
use super::modbus::{Framing, Modbus, ModbusSettings};
use super::vici::{Vici, ViciSettings};
use crate::device::{Dial, Stream};
use crate::domain::Clock;
use crate::simulator::{Selector, Simulator};

/// The driver for the plant's valve.
pub fn driver(simulator: &Simulator, channels: u8, clock: Arc<dyn Clock>) -> Vici {
    Vici::new(valve_dial(simulator), ViciSettings::new(channels), clock)
}

/// The driver for the plant's units that count pulses. Times are those of the plant.
pub fn gpio(simulator: &Simulator, settings: GpioSettings, clock: &dyn Clock) -> Gpio {
    let [pulse, gap, travel] = [settings.pulse, settings.gap, settings.travel].map(|time| clock.outside(time));
    let lines = simulator.pulse_lines(settings.units);
    Gpio::over(Box::new(lines), GpioSettings { pulse, gap, travel, ..settings })
}

/// The driver for the plant's relays, which are always the coils from 0 of a device on a network.
pub fn modbus(simulator: &Simulator, settings: &ModbusSettings, clock: &dyn Clock) -> Modbus {
    simulator.put_in_charge(Selector::Relays);
    let ModbusSettings { channels, break_before_make, timeout, .. } = *settings;
    let break_before_make = break_before_make.map(|gap| clock.outside(gap));
    let (framing, unit, first_coil) = (Framing::Tcp, 1, 0);
    let settings = ModbusSettings { framing, unit, first_coil, channels, break_before_make, timeout };
    Modbus::new(relays_dial(simulator), settings)
}

fn relays_dial(simulator: &Simulator) -> Dial {
    let simulator = simulator.clone();
    Dial::new("the simulator", move || {
        let stream = simulator.connect_relays();
        async move { Ok(Box::new(stream) as Box<dyn Stream>) }
    })
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
