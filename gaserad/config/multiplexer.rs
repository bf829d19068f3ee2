//! The section of the multiplexer, and one for each of its drivers.

use std::time::Duration;

use super::check::{absolute, minutes, seconds};
use super::section::{Section, Source};
use super::settings::{Choice, Dialect, Driver, MultiplexerSettings, Origin, Vici};
use crate::domain::Channel;

/// The settings of the multiplexer and of its driver.
pub(super) fn settings(
    source: &Source<'_>,
    mut section: Section<'_>,
    simulate: bool,
    warnings: &mut Vec<String>,
) -> MultiplexerSettings {
    let mut driver = section.choice("driver", Driver::Simulated);
    let place = section.place_of("driver").unwrap_or_default();
    if matches!(driver, Driver::Gpio | Driver::Modbus) {
        let word = driver.word();
        section
            .wrong(&place, format!("driver {word:?} is not available in this version; use \"vici\" or \"simulated\""));
    }
    let vici = vici(section.section("vici"), warnings);
    if driver == Driver::Vici && vici.is_none() && section.place_of("vici").is_none() {
        section.wrong(&place, "driver \"vici\" needs a section [multiplexer.vici] with the serial port of the valve");
    }
    if simulate {
        driver = Driver::Simulated;
        source.origin("multiplexer.driver", Origin::Flag("--simulate"));
    }
    section.unavailable("gpio");
    let channels = section.integer("channels", u32::from(Channel::MAX), 1..=u32::from(Channel::MAX));
    let settle = section.duration("settle", seconds(5), Duration::ZERO..=minutes(10));
    section.finish();
    MultiplexerSettings { driver, channels: u8::try_from(channels).unwrap_or(Channel::MAX), settle, vici }
}

/// `None` where the section is missing or has no port.
fn vici(mut section: Section<'_>, warnings: &mut Vec<String>) -> Option<Vici> {
    let id = |text: &str| match text.chars().collect::<Vec<_>>()[..] {
        [id] if id.is_ascii_digit() || id.is_ascii_uppercase() => Ok(id),
        _ => Err(format!("is {text:?}; a device id is one of 0 to 9 and A to Z")),
    };
    let port = section.checked("port", |text| absolute(text, "/dev/serial/by-id/…"));
    let baud_place = section.place_of("baud");
    let baud = section.integer("baud", 9600, 1200..=115_200);
    if let Some(place) = baud_place.filter(|_| !BAUD_RATES.contains(&baud)) {
        let known: Vec<String> = BAUD_RATES.iter().map(u32::to_string).collect();
        section.wrong(&place, format!("baud is {baud}; it can be {}", known.join(", ")));
    }
    let (address, dialect) = (section.checked("address", id), section.choice("dialect", Dialect::Auto));
    if port.is_none() && section.is_there() && section.place_of("port").is_none() {
        section.wrong_here("port is missing; write the valve's serial port, like \"/dev/serial/by-id/…\"");
    }
    section.finish();
    let port = port?;
    if ["/dev/ttyUSB", "/dev/ttyACM"].iter().any(|name| port.to_string_lossy().starts_with(name)) {
        warnings.push(format!(
            "{} may be another device after the next restart; use its name in /dev/serial/by-id",
            port.display()
        ));
    }
    Some(Vici { port, baud, address, dialect })
}

const BAUD_RATES: [u32; 8] = [1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200];
