//! `[multiplexer.modbus]`: relays as coils, over TCP or a serial line.

use std::time::Duration;

use super::address;
use super::multiplexer::{baud, serial_port};
use super::section::Section;
use super::settings::{Modbus, ModbusLink};

/// `None` where the section is missing or does not say where the relays are.
pub(super) fn settings(mut section: Section<'_>, channels: u8, warnings: &mut Vec<String>) -> Option<Modbus> {
    let link = link(&mut section, warnings);
    let serial = matches!(link, Some(ModbusLink::Serial { .. }));
    let unit_place = section.place_of("unit");
    let unit = section.integer("unit", 1, 0..=255);
    if let Some(place) = unit_place.filter(|_| serial && !(1..=247).contains(&unit)) {
        section.wrong(&place, format!("unit is {unit}; on a serial line it can be 1 to 247"));
    }
    let last = u32::from(u16::MAX) + 1 - u32::from(channels);
    let first_coil = section.integer("first_coil", 0, 0..=last);
    let settings = Modbus {
        link: link.clone().unwrap_or(ModbusLink::Tcp(String::new())),
        unit: u8::try_from(unit).unwrap_or(1),
        first_coil: u16::try_from(first_coil).unwrap_or_default(),
        break_before_make: section.boolean("break_before_make", false),
        gap: section.duration("gap", Duration::from_millis(100), Duration::ZERO..=Duration::from_secs(10)),
        timeout: section.duration(
            "timeout",
            Duration::from_secs(1),
            Duration::from_millis(50)..=Duration::from_secs(10),
        ),
    };
    section.finish();
    link.map(|_| settings)
}

fn link(section: &mut Section<'_>, warnings: &mut Vec<String>) -> Option<ModbusLink> {
    let server = |text: &str| address::server(text).map_err(|complaint| format!("is wrong: {complaint}"));
    let address = section.checked("address", server);
    let address_place = section.place_of("address");
    let baud_place = section.place_of("baud");
    let baud = baud(section);
    if section.place_of("port").is_some() {
        let (port, allow_unstable_port) = serial_port(section, warnings);
        if let Some(place) = address_place {
            section.wrong(&place, "address and port are two ways to the relays; leave one of them out");
        }
        return port.map(|port| ModbusLink::Serial { port, baud, allow_unstable_port });
    }
    section.nothing("port");
    section.nothing("allow_unstable_port");
    if let Some(place) = baud_place {
        section.wrong(&place, "baud is for a serial port, and there is no port");
    }
    if address_place.is_none() && section.is_there() {
        section.wrong_here(
            "address is missing; write where the relays are, like \"192.168.0.7:502\", or their serial port as port, \
             like \"/dev/serial/by-id/…\"",
        );
    }
    address.map(ModbusLink::Tcp)
}
