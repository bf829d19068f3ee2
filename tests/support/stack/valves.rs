//! What may switch the lines of a world: every driver, over the plant as bytes or as wires.

use std::sync::Arc;

use gasera::device::multiplexer::gpio::{Gpio, GpioSettings, Unit};
use gasera::device::multiplexer::modbus::{Framing, Modbus, ModbusSettings};
use gasera::device::multiplexer::vici::{Vici, ViciSettings};
use gasera::device::multiplexer::{Multiplexer, simulated};
use gasera::device::{Dial, dial::Stream};
use gasera::domain::Clock;
use gasera::simulator::{Selector, Simulator};

use super::Design;
use super::wire::Wire;

/// What switches the lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Driver {
    #[default]
    Vici,
    Pulses {
        /// One or two.
        units: u8,
        senses: Senses,
    },
    RelaysOverTcp,
    RelaysOverRtu,
}

/// What the units that count pulses tell of themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Senses {
    #[default]
    Nothing,
    Home,
    Position,
}

impl Driver {
    /// How many lines it can have.
    pub fn most_channels(self) -> u8 {
        match self {
            Self::Pulses { units, .. } => GpioSettings::most_channels(units),
            Self::Vici | Self::RelaysOverTcp | Self::RelaysOverRtu => 31,
        }
    }

    /// The way to the device. Pulses go over wires, which nothing befalls.
    pub fn dial(self, simulator: &Simulator) -> Dial {
        match self {
            Self::Vici | Self::Pulses { .. } => simulated::valve_dial(simulator),
            Self::RelaysOverTcp | Self::RelaysOverRtu => relays_dial(simulator, self == Self::RelaysOverTcp),
        }
    }

    /// The real driver, and the plant's gas goes through what it drives.
    pub fn build(
        self,
        design: &Design,
        simulator: &Simulator,
        wire: &Wire,
        clock: Arc<dyn Clock>,
    ) -> Box<dyn Multiplexer> {
        let channels = design.channels;
        let relays = |framing| {
            simulator.put_in_charge(Selector::Relays);
            Box::new(Modbus::new(wire.dial(), relays_settings(framing, channels)))
        };
        match self {
            Self::Vici => Box::new(Vici::new(wire.dial(), ViciSettings::new(channels), clock)),
            Self::Pulses { units, senses } => {
                let settings = pulses_settings(units, senses, channels);
                Box::new(Gpio::over(Box::new(simulator.pulse_lines(units)), settings))
            }
            Self::RelaysOverTcp => relays(Framing::Tcp),
            Self::RelaysOverRtu => relays(Framing::rtu(9600)),
        }
    }
}

fn pulses_settings(units: u8, senses: Senses, channels: u8) -> GpioSettings {
    let all = Unit::of(units).to_vec();
    let plain = GpioSettings { channels, ..GpioSettings::plain(units) };
    match senses {
        Senses::Nothing => plain,
        Senses::Home => GpioSettings { home_sensors: all, ..plain },
        Senses::Position => GpioSettings { position_inputs: all, ..plain },
    }
}

fn relays_settings(framing: Framing, channels: u8) -> ModbusSettings {
    ModbusSettings {
        framing,
        unit: 1,
        first_coil: 0,
        channels,
        break_before_make: Some(ModbusSettings::GAP),
        timeout: ModbusSettings::TIMEOUT,
    }
}

fn relays_dial(simulator: &Simulator, over_tcp: bool) -> Dial {
    const PIPE_BYTES: usize = 1024;
    let simulator = simulator.clone();
    Dial::new("the simulator's relays", move || {
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        let simulator = simulator.clone();
        tokio::spawn(async move {
            if over_tcp { simulator.serve_modbus_tcp(far).await } else { simulator.serve_modbus_rtu(far).await }
        });
        async move { Ok(Box::new(near) as Box<dyn Stream>) }
    })
}
