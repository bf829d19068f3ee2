//! The section of the multiplexer, and one for each of its drivers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::check::{absolute, minutes, seconds};
use super::section::{Section, Source};
use super::settings::{Choice, Dialect, Direction, Driver, Gpio, MultiplexerSettings, Origin, Vici};
use super::{gpio, modbus};
use crate::domain::Channel;

/// The settings of the multiplexer and of its driver.
pub(super) fn settings(
    source: &Source<'_>,
    mut section: Section<'_>,
    simulate: bool,
    warnings: &mut Vec<String>,
) -> MultiplexerSettings {
    let named = driver(source, &mut section, simulate);
    let allowed = allows_simulated(&mut section, named, simulate, warnings);
    let unnamed = simulate && section.place_of("driver").is_none();
    let in_use = if unnamed { Some(Driver::Simulated) } else { named };
    let [vici, gpio, modbus] = ["vici", "gpio", "modbus"].map(|name| used(&mut section, name, in_use));
    let gpio = gpio::settings(gpio, warnings);
    let channels = channels(&mut section, gpio.as_ref().filter(|_| named == Some(Driver::Gpio)));
    let vici = self::vici(vici, channels, warnings);
    let modbus = modbus::settings(modbus, channels, warnings);
    let settle = section.duration("settle", seconds(5), Duration::ZERO..=minutes(10));
    section.finish();
    let named = named.unwrap_or(Driver::Simulated);
    let driver = if simulate { Driver::Simulated } else { named };
    MultiplexerSettings { driver, named, simulated_with_real_analyzer: allowed, channels, settle, vici, gpio, modbus }
}

const DRIVERS: &str = "\"vici\" (a VICI valve actuator on a serial line), \"gpio\" (16-way units that are told by pulses) or \
                       \"modbus\" (a board of relays)";

/// The driver that the file names. There is no default: nobody's gas is to be told by a valve that is not there.
fn driver(source: &Source<'_>, section: &mut Section<'_>, simulate: bool) -> Option<Driver> {
    let named = section.optional_choice("driver");
    let Some(place) = section.place_of("driver") else {
        if simulate {
            source.origin("multiplexer.driver", Origin::Flag("--simulate"));
        } else {
            let without = "or see it without any hardware: gaserad --simulate, gaserad --demo";
            section.missing(format!("driver is missing in [multiplexer]; write driver = {DRIVERS}, {without}"));
        }
        return None;
    };
    let (driver, word) = named.map(|driver: Driver| (driver, driver.word()))?;
    if driver != Driver::Simulated && section.place_of(word).is_none() {
        let with = match driver {
            Driver::Gpio => "the lines of the units",
            Driver::Modbus => "the address or the serial port of the relays",
            Driver::Vici | Driver::Simulated => "the serial port of the valve",
        };
        section.wrong(&place, format!("driver {word:?} needs a section [multiplexer.{word}] with {with}"));
    }
    named
}

/// A valve that is not there beside an analyzer that is: only if somebody says so in as many words.
fn allows_simulated(
    section: &mut Section<'_>,
    named: Option<Driver>,
    simulate: bool,
    warnings: &mut Vec<String>,
) -> bool {
    let allowed = section.boolean("simulated_with_real_analyzer", false);
    let invented = named == Some(Driver::Simulated) && !simulate;
    if invented && allowed {
        warnings.push(
            "the multiplexer is simulated beside a real analyzer: no valve moves, and no sample is good \
             (valve_simulated)"
                .into(),
        );
    } else if let Some(place) = section.place_of("driver").filter(|_| invented) {
        let text = format!(
            "driver is \"simulated\", but the analyzer is a real one, so nobody could tell where its gas comes from; \
             write {DRIVERS}, or simulate the analyzer too (gaserad --simulate), or write \
             simulated_with_real_analyzer = true, with which no sample is good"
        );
        section.wrong(&place, text);
    }
    allowed
}

/// The section of a driver. What is written for one that is not used was meant to be.
fn used<'a>(section: &mut Section<'a>, name: &'static str, named: Option<Driver>) -> Section<'a> {
    let own = section.section(name);
    let Some(named) = named.map(Driver::word).filter(|named| own.is_there() && *named != name) else { return own };
    own.wrong_here(format!(
        "[multiplexer.{name}] is not used, because driver is {named:?}; write driver = {name:?}, or take the section out"
    ));
    own.ignored()
}

/// All that there can be, unless the units have fewer.
fn channels(section: &mut Section<'_>, gpio: Option<&Gpio>) -> u8 {
    let place = section.place_of("channels");
    let most = gpio.map_or(u32::from(Channel::MAX), |gpio| gpio::most_channels(gpio.units.len()));
    let channels = section.integer("channels", most, 1..=u32::from(Channel::MAX));
    if let Some(place) = place.filter(|_| channels > most) {
        section.wrong(&place, format!("channels is {channels}, but one 16-way unit has {most}; set units to 2"));
    }
    u8::try_from(channels).unwrap_or(Channel::MAX)
}

/// `None` where the section is missing or has no port.
fn vici(mut section: Section<'_>, channels: u8, warnings: &mut Vec<String>) -> Option<Vici> {
    let (port, allow_unstable_port) = serial_port(&mut section, warnings);
    let (address_place, ports_place) = (section.place_of("address"), section.place_of("ports"));
    let settings = Vici {
        port: port.clone().unwrap_or_default(),
        baud: baud(&mut section),
        address: section.checked("address", device_id),
        dialect: section.choice("dialect", Dialect::Auto),
        direction: section.choice("direction", Direction::Shortest),
        ports: u8::try_from(section.integer("ports", 0, 2..=MOST_PORTS)).ok().filter(|ports| *ports > 0),
        write_settings: section.boolean("write_settings", false),
        allow_unstable_port,
    };
    if let (Some(place), Some(address)) = (address_place, &settings.address)
        && settings.dialect == Dialect::Legacy
        && !address.bytes().all(|id| id.is_ascii_digit())
    {
        section.wrong(&place, format!("address is {address:?}; the id of a legacy actuator is one of 0 to 9"));
    }
    if let (Some(place), Some(ports)) = (ports_place, settings.ports)
        && ports < channels
    {
        section.wrong(&place, format!("ports is {ports}, but there are {channels} channels; set channels to {ports}"));
    }
    section.finish();
    port.map(|_| settings)
}

/// The name of a serial port that means the same device tomorrow, or that is wanted all the same.
pub(super) fn serial_port(section: &mut Section<'_>, warnings: &mut Vec<String>) -> (Option<PathBuf>, bool) {
    let port = section.checked("port", |text| absolute(text, "/dev/serial/by-id/…"));
    let allowed = section.boolean("allow_unstable_port", false);
    let Some(place) = section.place_of("port") else {
        if section.is_there() {
            section.wrong_here("port is missing; write the valve's serial port, like \"/dev/serial/by-id/…\"");
        }
        return (None, allowed);
    };
    let name = port.as_deref().unwrap_or(Path::new("")).display().to_string();
    if ["/dev/ttyUSB", "/dev/ttyACM"].iter().any(|unstable| name.starts_with(unstable)) {
        let text = format!("{name} may be another device after the next restart or when it is plugged in again");
        let stable = "use its name in /dev/serial/by-id, or in /dev/serial/by-path if it has no serial number";
        if allowed {
            warnings.push(format!("{text}; {stable}"));
        } else {
            let anyway = "write allow_unstable_port = true to use it all the same";
            section.wrong(&place, format!("port is {name:?}, and {text}; {stable}; {anyway}"));
        }
    }
    (port, allowed)
}

pub(super) fn baud(section: &mut Section<'_>) -> u32 {
    let place = section.place_of("baud");
    let baud = section.integer("baud", 9600, 1200..=115_200);
    if let Some(place) = place.filter(|_| !BAUD_RATES.contains(&baud)) {
        let known: Vec<String> = BAUD_RATES.iter().map(u32::to_string).collect();
        section.wrong(&place, format!("baud is {baud}; it can be {}", known.join(", ")));
    }
    baud
}

/// What goes before every command: `3`, or `/3` on RS-485.
fn device_id(text: &str) -> Result<String, String> {
    match text.strip_prefix('/').unwrap_or(text).as_bytes() {
        [id] if id.is_ascii_digit() || id.is_ascii_uppercase() => Ok(text.to_owned()),
        _ => Err(format!("is {text:?}; a device id is one of 0 to 9 and A to Z, with a slash before it on RS-485")),
    }
}

const BAUD_RATES: [u32; 8] = [1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200];
/// The actuators can be set to no more.
const MOST_PORTS: u32 = 40;
