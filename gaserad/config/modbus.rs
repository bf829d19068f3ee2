//! The rules of `[multiplexer.modbus]`: relays are reached over TCP or over a serial line.

use std::path::PathBuf;

use super::keys::ModbusSection;
use super::multiplexer::{BAUD, check_serial_port};
use super::section::Section;
use super::table::Keys;

/// The way to the relays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModbusLink {
    /// `host:port`.
    Tcp(String),
    Serial {
        port: PathBuf,
        baud: u32,
    },
}

impl ModbusSection {
    pub fn link(&self) -> ModbusLink {
        match &self.port {
            Some(port) => ModbusLink::Serial { port: port.clone(), baud: self.baud.unwrap_or(BAUD) },
            None => ModbusLink::Tcp(self.address.clone().unwrap_or_default()),
        }
    }

    pub(super) fn checked(mut section: Section<'_>, channels: u8) -> Self {
        let settings = Self::read(&mut section);
        let unit = settings.unit;
        let address = section.place_of("address");
        if section.place_of("port").is_some() {
            let port = settings.port.clone().unwrap_or_default();
            check_serial_port(&section, &port, settings.allow_unstable_port == Some(true));
            if let Some(place) = address {
                section.wrong(&place, "address and port are two ways to the relays; leave one of them out");
            }
            if let Some(place) = section.place_of("unit").filter(|_| !(1..=247).contains(&unit)) {
                section.wrong(&place, format!("unit is {unit}; on a serial line it can be 1 to 247"));
            }
        } else {
            if let Some(place) = section.place_of("baud") {
                section.wrong(&place, "baud is for a serial port, and there is no port");
            }
            if address.is_none() {
                section.wrong_here(
                    "address is missing; write where the relays are, like \"192.168.0.7:502\", or their serial port as \
                     port, like \"/dev/serial/by-id/…\"",
                );
            }
        }
        let last = u16::MAX - u16::from(channels - 1);
        if let Some(place) = section.place_of("first_coil").filter(|_| settings.first_coil > last) {
            section.wrong(&place, format!("first_coil is {}; it can be 0 to {last}", settings.first_coil));
        }
        section.finish();
        settings
    }
}
