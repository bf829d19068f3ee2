//! What `--simulate` drives: every kind of multiplexer in the plant, by its own driver.

use super::*;
use crate::device::multiplexer::gpio::{GpioSettings, Unit};
use crate::device::multiplexer::modbus::{Framing, ModbusSettings};

fn relays() -> ModbusSettings {
    ModbusSettings {
        framing: Framing::rtu(19200),
        unit: 17,
        first_coil: 100,
        channels: 31,
        break_before_make: Some(ModbusSettings::GAP),
        timeout: ModbusSettings::TIMEOUT,
    }
}

fn units(with_sensors: bool) -> GpioSettings {
    let position_inputs = if with_sensors { Unit::ALL.to_vec() } else { Vec::new() };
    GpioSettings { position_inputs, ..GpioSettings::plain(2) }
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_multiplexer_can_be_simulated_at_any_speed() {
    for scale in [1, 60] {
        let clock = test_clock(scale);
        let of = || plant(31, Faults::default(), scale);
        let drivers: [(Box<dyn Multiplexer>, Verification); 4] = [
            (Box::new(simulated::driver(&of(), 31, clock.clone())), Verification::Readback),
            (Box::new(simulated::gpio(&of(), units(true), clock.as_ref())), Verification::Readback),
            (Box::new(simulated::gpio(&of(), units(false), clock.as_ref())), Verification::HomedCount),
            (Box::new(simulated::modbus(&of(), &relays(), clock.as_ref())), Verification::Readback),
        ];
        for (mut driver, known) in drivers {
            driver.home().await.unwrap();
            for number in [18, 2, 31] {
                assert_eq!(driver.go(channel(number)).await, Ok(Position::At(channel(number), known)), "{scale}x");
            }
        }
    }
}
