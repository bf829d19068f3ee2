//! The rules of `[multiplexer]`: there is a driver, its section, and no section of another one.

use std::path::Path;

use toml::de::DeValue;

use super::keys::{GpioSection, ModbusSection, MultiplexerSettings, ViciSection};
use super::kind::{ValueKind, custom, name, quoted, whole};
use super::section::{Section, Source};
use super::settings::Origin;
use super::table::Keys;
use super::words::{Choice, Dialect, Driver};
use crate::domain::Channel;

/// The multiplexer, with the section of each driver that has one.
pub(super) struct MultiplexerSections {
    pub keys: MultiplexerSettings,
    pub vici: Option<ViciSection>,
    pub gpio: Option<GpioSection>,
    pub modbus: Option<ModbusSection>,
}

impl MultiplexerSections {
    pub(super) fn checked(source: &Source<'_>, mut section: Section<'_>, simulate: bool) -> Self {
        let mut keys = MultiplexerSettings::read(&mut section);
        let named = driver(source, &section, simulate);
        check_simulated(&section, named, simulate, keys.simulated_with_real_analyzer);
        let unnamed = simulate && section.place_of("driver").is_none();
        let in_use = if unnamed { Some(Driver::Simulated) } else { named };
        let [vici, gpio, modbus] = ["vici", "gpio", "modbus"].map(|name| used(&mut section, name, in_use));
        let gpio = gpio.is_there().then(|| GpioSection::checked(gpio));
        keys.channels = channels(&section, keys.channels, gpio.as_ref().filter(|_| named == Some(Driver::Gpio)));
        let vici = vici.is_there().then(|| ViciSection::checked(vici, keys.channels));
        let modbus = modbus.is_there().then(|| ModbusSection::checked(modbus, keys.channels));
        let park = keys.park.map_or(0, Channel::number);
        if let Some(place) = section.place_of("park").filter(|_| park > keys.channels) {
            section.wrong(&place, format!("park is {park}; this multiplexer has channels 1 to {}", keys.channels));
        }
        section.finish();
        Self { keys, vici, gpio, modbus }
    }
}

const DRIVERS: &str = "\"vici\" (a VICI valve actuator on a serial line), \"gpio\" (16-way units that are told by pulses) or \
                       \"modbus\" (a board of relays)";

/// The driver that the file names. There is no default: nobody's gas is to be told by a valve that is not there.
fn driver(source: &Source<'_>, section: &Section<'_>, simulate: bool) -> Option<Driver> {
    let Some(place) = section.place_of("driver") else {
        if simulate {
            source.origin("multiplexer.driver", Origin::Flag("--simulate"));
        } else {
            let without = "or see it without any hardware: gaserad --simulate, gaserad --demo";
            section.missing(format!("driver is missing in [multiplexer]; write driver = {DRIVERS}, {without}"));
        }
        return None;
    };
    let driver: Driver = section.word("driver")?;
    let word = driver.word();
    if driver != Driver::Simulated && section.place_of(word).is_none() {
        let with = match driver {
            Driver::Gpio => "the lines of the units",
            Driver::Modbus => "the address or the serial port of the relays",
            Driver::Vici | Driver::Simulated => "the serial port of the valve",
        };
        section.wrong(&place, format!("driver {word:?} needs a section [multiplexer.{word}] with {with}"));
    }
    Some(driver)
}

/// A valve that is not there beside an analyzer that is: only if somebody says so in as many words.
fn check_simulated(section: &Section<'_>, named: Option<Driver>, simulate: bool, allowed: bool) {
    let invented = named == Some(Driver::Simulated) && !simulate;
    if invented && allowed {
        section.warn(
            "the multiplexer is simulated beside a real analyzer: no valve moves, and no sample is good \
             (valve_simulated)",
        );
    } else if let Some(place) = section.place_of("driver").filter(|_| invented) {
        let text = format!(
            "driver is \"simulated\", but the analyzer is a real one, so nobody could tell where its gas comes from; \
             write {DRIVERS}, or simulate the analyzer too (gaserad --simulate), or write \
             simulated_with_real_analyzer = true, with which no sample is good"
        );
        section.wrong(&place, text);
    }
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
fn channels(section: &Section<'_>, written: u8, gpio: Option<&GpioSection>) -> u8 {
    let most = gpio.map_or(Channel::MAX, GpioSection::most_channels);
    let Some(place) = section.place_of("channels") else { return most };
    if written > most {
        section.wrong(&place, format!("channels is {written}, but one 16-way unit has {most}; set units to 2"));
    }
    written
}

impl ViciSection {
    fn checked(mut section: Section<'_>, channels: u8) -> Self {
        let settings = Self::read(&mut section);
        check_serial_port(&section, &settings.port, settings.allow_unstable_port);
        if let (Some(place), Some(address)) = (section.place_of("address"), &settings.address)
            && settings.dialect == Some(Dialect::Legacy)
            && !address.bytes().all(|id| id.is_ascii_digit())
        {
            section.wrong(&place, format!("address is {address:?}; the id of a legacy actuator is one of 0 to 9"));
        }
        if let (Some(place), Some(ports)) = (section.place_of("ports"), settings.ports)
            && ports < channels
        {
            let text = format!("ports is {ports}, but there are {channels} channels; set channels to {ports}");
            section.wrong(&place, text);
        }
        section.finish();
        settings
    }
}

/// The name of a serial port means the same device tomorrow, or is wanted all the same.
pub(super) fn check_serial_port(section: &Section<'_>, port: &Path, allowed: bool) {
    let Some(place) = section.place_of("port") else {
        section.wrong_here("port is missing; write the valve's serial port, like \"/dev/serial/by-id/…\"");
        return;
    };
    let name = port.display().to_string();
    if ["/dev/ttyUSB", "/dev/ttyACM"].iter().any(|unstable| name.starts_with(unstable)) {
        let text = format!("{name} may be another device after the next restart or when it is plugged in again");
        let stable = "use its name in /dev/serial/by-id, or in /dev/serial/by-path if it has no serial number";
        if allowed {
            section.warn(format!("{text}; {stable}"));
        } else {
            let anyway = "write allow_unstable_port = true to use it all the same";
            section.wrong(&place, format!("port is {name:?}, and {text}; {stable}; {anyway}"));
        }
    }
}

pub(super) const BAUD: u32 = 9600;
const BAUD_RATES: [u32; 8] = [1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200];

/// What goes before every command: `3`, or `/3` on RS-485.
pub(super) fn device_id(text: &str) -> Result<String, String> {
    match text.strip_prefix('/').unwrap_or(text).as_bytes() {
        [id] if id.is_ascii_digit() || id.is_ascii_uppercase() => Ok(text.to_owned()),
        _ => Err(format!("is {text:?}; a device id is one of 0 to 9 and A to Z, with a slash before it on RS-485")),
    }
}

pub(super) fn baud() -> ValueKind<u32> {
    let known = BAUD_RATES.map(|rate| rate.to_string()).join(", ");
    whole(1200..=115_200).among(&BAUD_RATES, format!("one of {known}"))
}

/// Where the valve goes when a run is over; `None` if it stays where it is.
pub(super) fn park() -> ValueKind<Option<Channel>> {
    let read = |value: &DeValue<'_>| match value {
        DeValue::String(text) if text == "home" => Ok(Some(Channel::HOME)),
        DeValue::String(text) if text == "stay" => Ok(None),
        DeValue::String(text) => Err(format!("is {text:?}; it can be \"home\", \"stay\", or the number of a channel")),
        DeValue::Integer(integer) if integer.radix() == 10 => {
            let channel = integer.as_str().parse().ok().and_then(Channel::new);
            let refused = || format!("is {integer}; it can be 1 to {}, \"home\" or \"stay\"", Channel::MAX);
            channel.map(Some).ok_or_else(refused)
        }
        other => Err(format!("is {}; it can be \"home\", \"stay\", or the number of a channel", name(other))),
    };
    custom("\"home\" or \"stay\" or a channel", read, |park| match park {
        None => quoted("stay"),
        Some(Channel::HOME) => quoted("home"),
        Some(channel) => channel.to_string(),
    })
}
