//! `[multiplexer.vici]`, `[multiplexer.gpio]` and `[multiplexer.modbus]`: what each driver needs.

use std::path::PathBuf;
use std::time::Duration;

use super::{milliseconds, seconds};
use crate::config::address;
use crate::config::gpio::{chip, line, lines};
use crate::config::kind::{choice, flag, path, span, text, whole};
use crate::config::multiplexer::{BAUD, baud, device_id};
use crate::config::table::keys;
use crate::config::words::{Dialect, Direction};
use crate::domain::GpioLine;

keys! {
    /// A VICI valve actuator on a serial line.
    struct ViciSection {
        /// Its serial port. The name in /dev/serial/by-id stays the same after a restart, and so does that in
        /// /dev/serial/by-path, for adapters without a serial number; ttyUSB0 may not, and needs allow_unstable_port =
        /// true. Write the name here that `ls /dev/serial/by-id` shows, like
        /// "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A1B2C3-if00-port0".
        restart port: PathBuf = path("/dev/serial/by-id/…")
            .or(PathBuf::new()).needed("\"/dev/serial/by-id/NAME-OF-THE-ADAPTER\"");
        /// The actuator's own setting.
        restart baud: u32 = baud().or(BAUD);
        /// Its device id, 0 to 9 or A to Z, if it has one, with a slash before it on RS-485.
        restart address: Option<String> = text("device id", device_id).optional().like("\"3\"");
        /// "legacy" (microelectric actuators), "universal", or "auto" to find out.
        restart dialect: Option<Dialect> = choice().or(None);
        /// "shortest", "cw" (counting up) or "ccw": the rotor opens every port that it passes.
        restart direction: Direction = choice().or(Direction::Shortest);
        /// How many ports the valve has; with it the actuator has to be set up for exactly that many.
        restart ports: Option<u8> = whole(2..=40).optional().like("31");
        /// true: the actuator's own memory is corrected where it differs (AM to 3, NP to ports). Otherwise gaserad says
        /// what is wrong and moves nothing.
        restart write_settings: bool = flag().or(false);
        /// true: a port is accepted whose name may mean another device tomorrow.
        restart allow_unstable_port: bool = flag().or(false);
    }
}

keys! {
    /// One or two 16-way units that are told by pulses on GPIO lines.
    struct GpioSection {
        /// The label of the GPIO chip that gpiodetect shows, or a path; gpiochip0 may be another one after a restart.
        restart chip: Option<String> = chip().optional().like("\"300b000.pinctrl\"");
        /// Unit 2 leads to the last input of unit 1, which makes 31 channels. 1 has 16 channels, and only the keys that
        /// end in 1.
        restart units: u8 = whole(1..=2).or(2);
        /// The line that sends unit 1 to its first input by a pulse: its name ("PC8"), its offset on chip (72), or {
        /// line = "PC8", active_low = true } where the low level is the active one. Only a pull-down resistor keeps a
        /// line inactive while nobody holds it.
        restart home1: Option<GpioLine> = line().optional().like("72");
        /// The line that sends unit 1 one input further.
        restart next1: Option<GpioLine> = line().optional().like("69");
        /// An input that is active while unit 1 is at home.
        restart home_sensor1: Option<GpioLine> = line().optional().like("{ line = 226, active_low = true }");
        /// Four inputs with the input that unit 1 stands on, counted from 0, the least significant bit first. Without
        /// inputs positions are counted.
        restart position1: Option<Vec<GpioLine>> = lines().optional().like("[60, 61, 62, 63]");
        /// Like home1, for unit 2.
        restart home2: Option<GpioLine> = line().optional().like("75");
        /// Like next1.
        restart next2: Option<GpioLine> = line().optional().like("{ line = 227, active_low = false }");
        /// Like home_sensor1.
        restart home_sensor2: Option<GpioLine> = line().optional().like("{ line = \"PH2\", active_low = true }");
        /// Like position1.
        restart position2: Option<Vec<GpioLine>> = lines().optional().like("[64, 65, 66, 67]");
        /// How long a line is active.
        restart pulse: Duration = span(milliseconds(1)..=seconds(5)).or(milliseconds(50)).told("\"50ms\"");
        /// How long nothing happens after a pulse.
        restart gap: Duration = span(milliseconds(1)..=seconds(5)).or(milliseconds(30)).told("\"30ms\"");
        /// How long a unit may take to stand where it was sent.
        restart travel: Duration = span(Duration::ZERO..=seconds(60)).or(seconds(1));
    }
}

keys! {
    /// A board of relays, one for each channel, as coils of a Modbus device.
    struct ModbusSection {
        /// host:port for Modbus TCP.
        restart address: Option<String> = text("host:port", address::server).optional().like("\"192.168.0.7:502\"");
        /// A serial port in place of address, for Modbus RTU (8 data bits, no parity, one stop bit), named as for vici.
        restart port: Option<PathBuf> = path("/dev/serial/by-id/…").optional();
        /// The rate of the serial port.
        restart baud: Option<u32> = baud().optional();
        /// As for vici.
        restart allow_unstable_port: Option<bool> = flag().optional();
        /// Its number on the line: 1 to 247; over TCP some devices want 0 or 255.
        restart unit: u8 = whole(0..=255).or(1);
        /// The coil of channel 1, counted from 0; that of channel 2 comes next. One coil is on at a time.
        restart first_coil: u16 = whole(0..=u16::MAX).or(0);
        /// true: all coils are off for the time of gap before the next one is on.
        restart break_before_make: bool = flag().or(false);
        /// How long all coils are off between two channels.
        restart gap: Duration = span(Duration::ZERO..=seconds(10)).or(milliseconds(100)).told("\"100ms\"");
        /// How long the device may take to answer.
        restart timeout: Duration = span(milliseconds(50)..=seconds(10)).or(seconds(1));
    }
}
