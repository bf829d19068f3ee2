//! The sections of the drivers over GPIO and Modbus.

use std::time::Duration;

use gasera::config::{self, ModbusLink, Overrides};
use gasera::domain::{GpioLine, LineAt};

use super::{mistakes, read, service, shipped};

const GPIO: &str = "[multiplexer]\ndriver = \"gpio\"\n[multiplexer.gpio]\n";
const LINES: &str = "home1 = \"PC8\"\nnext1 = \"PC5\"\nhome2 = \"PC11\"\nnext2 = \"PH3\"\n";

fn named(name: &str) -> GpioLine {
    GpioLine { at: LineAt::Name(name.into()), active_low: false }
}

#[test]
fn two_units_have_31_channels_and_one_has_16() {
    let settings = read(&format!("{GPIO}{LINES}")).unwrap();
    let gpio = settings.gpio.unwrap();
    assert_eq!((settings.multiplexer.channels, &gpio.chip), (31, &None));
    assert_eq!((&gpio.units()[0].home, &gpio.units()[1].next), (&named("PC8"), &named("PH3")));
    let times = [gpio.pulse, gpio.gap, gpio.travel];
    assert_eq!(times, [50, 30, 1000].map(Duration::from_millis));
    assert_eq!(settings.warnings, Vec::<String>::new());

    let alone = format!("{GPIO}units = 1\nchip = \"pins\"\nhome1 = 1\nnext1 = {{ line = 2, active_low = true }}\n");
    let settings = read(&alone).unwrap();
    assert_eq!(settings.multiplexer.channels, 16);
    let unit = &settings.gpio.unwrap().units()[0];
    assert_eq!((&unit.home.at, unit.home.active_low), (&LineAt::Offset(1), false));
    assert_eq!((&unit.next.at, unit.next.active_low), (&LineAt::Offset(2), true));
    let many = mistakes(&alone.replace("driver", "channels = 17\ndriver"));
    assert_eq!(many, ["gaserad.toml:2:12: channels is 17, but one 16-way unit has 16; set units to 2"]);
}

#[test]
fn every_mistake_in_the_lines_has_its_place() {
    let missing = mistakes(&format!("{GPIO}home1 = \"A\"\nhome2 = \"B\"\n"));
    assert_eq!(missing.len(), 2, "{missing:#?}");
    assert!(missing[0].starts_with("gaserad.toml:3:14: next1 is missing; write the line's name"), "{missing:#?}");
    for (wrong, says) in [
        ("home_sensor1 = 7", "8:16: home_sensor1 is offset 7, and needs chip to say of which GPIO chip"),
        ("home_sensor1 = \"7\"", "8:16: home_sensor1 is \"7\"; write an offset without quotes"),
        ("home_sensor2 = \"PC5\"", "8:16: home_sensor2 is line \"PC5\", and so is next1; each needs a line of its own"),
        ("home_sensor1 = true", "8:16: home_sensor1 is no line; a line is its name"),
        ("home_sensor1 = -1", "8:16: home_sensor1 is no offset; lines are counted from 0"),
        ("home_sensor1 = \" \"", "8:16: home_sensor1 is empty; a line is its name"),
        ("home_sensor1 = { active_low = true }", "8:16: home_sensor1 does not say which line"),
        ("home_sensor1 = { line = \"X\", low = true }", "8:16: home_sensor1 has the key low; a line is its name"),
        ("home_sensor1 = { line = \"X\", active_low = 1 }", "home_sensor1 has an active_low that is neither"),
        ("position1 = [\"a\", \"b\"]", "8:13: position1 must be a list of four lines, the least significant bit first"),
        ("position1 = [\"a\", \"b\", \"c\", 1.5]", "8:13: position1 has a line that is no line"),
        ("position1 = [\"a\", \"b\", \"c\", \"a\"]", "8:13: position1 is line \"a\", and so is position1"),
        ("units = 3", "8:9: units is 3; it can be 1 to 2"),
        ("units = 1", "home2 is for a second unit, but units is 1"),
        ("pulse = \"0s\"", "8:9: pulse is 0s; it can be 0.001s to 5s"),
        ("chip = \"\"", "8:8: chip is \"\"; write the label of the GPIO chip"),
        ("hom1 = 1", "8:1: hom1 is not a key of [multiplexer.gpio]; did you mean home1?"),
    ] {
        let found = mistakes(&format!("{GPIO}{LINES}{wrong}\n"));
        assert!(found.len() == 1 && found[0].contains(says), "{wrong}: {found:#?}");
    }
}

#[test]
fn the_number_of_a_gpio_chip_is_accepted_with_a_warning() {
    for (chip, warns) in
        [("gpiochip0", true), ("/dev/gpiochip1", true), ("300b000.pinctrl", false), ("/dev/mux", false)]
    {
        let settings = read(&format!("{GPIO}{LINES}chip = {chip:?}\n")).unwrap();
        assert_eq!(settings.warnings.iter().any(|text| text.contains("another GPIO chip")), warns, "{chip}");
    }
}

#[test]
fn relays_are_at_an_address_or_on_a_serial_port() {
    let modbus = |text: &str| format!("[multiplexer]\ndriver = \"modbus\"\n[multiplexer.modbus]\n{text}\n");
    let tcp = read(&modbus("address = \"relays.local:502\"")).unwrap().modbus.unwrap();
    assert_eq!(tcp.link(), ModbusLink::Tcp("relays.local:502".into()));
    assert_eq!((tcp.unit, tcp.first_coil, tcp.break_before_make), (1, 0, false));
    let serial = read(&modbus("port = \"/dev/serial/by-id/x\"\nunit = 247")).unwrap().modbus.unwrap();
    let port = ModbusLink::Serial { port: "/dev/serial/by-id/x".into(), baud: 9600 };
    assert_eq!((serial.link(), serial.unit, serial.allow_unstable_port), (port, 247, None));
    for (wrong, says) in [
        ("unit = 1", "3:14: address is missing; write where the relays are, like \"192.168.0.7:502\", or"),
        ("address = \"relays\"", "4:11: address is wrong"),
        ("address = \"a:1\"\nport = \"/dev/ttyS0\"", "4:11: address and port are two ways to the relays"),
        ("address = \"a:1\"\nbaud = 9600", "5:8: baud is for a serial port, and there is no port"),
        ("port = \"ttyS0\"", "4:8: port is \"ttyS0\"; it must be an absolute path"),
        ("port = \"/dev/ttyUSB0\"", "4:8: port is \"/dev/ttyUSB0\", and"),
        ("port = \"/dev/ttyS0\"\nunit = 0", "5:8: unit is 0; on a serial line it can be 1 to 247"),
        ("port = \"/dev/ttyS0\"\nbaud = 9601", "5:8: baud is 9601; it can be 1200"),
        ("address = \"a:1\"\nfirst_coil = 65506", "5:14: first_coil is 65506; it can be 0 to 65505"),
        ("address = \"a:1\"\ntimeout = \"1ms\"", "5:11: timeout is 1ms; it can be 0.05s to 10s"),
        ("address = \"a:1\"\nparity = \"even\"", "5:1: parity is not a key of [multiplexer.modbus]"),
    ] {
        let found = mistakes(&modbus(wrong));
        assert!(found.len() == 1 && found[0].contains(says), "{wrong}: {found:#?}");
    }
}

#[test]
fn a_driver_needs_its_section_unless_all_is_simulated() {
    for (driver, needs) in [("gpio", "the lines of the units"), ("modbus", "the address or the serial port")] {
        let text = format!("[multiplexer]\ndriver = {driver:?}\n");
        let found = mistakes(&text);
        assert!(
            found[0].contains(&format!(":2:10: driver {driver:?} needs a section [multiplexer.{driver}] with {needs}"))
        );
    }
    let simulated = Overrides { simulate: true, ..Overrides::default() };
    let settings = config::parse(&format!("{GPIO}{LINES}"), "x", &simulated, &service()).unwrap();
    assert_eq!(settings.driver(), config::Driver::Simulated);
}

#[test]
fn the_service_may_use_gpio_chips() {
    let (unit, users, rule) =
        (shipped("gaserad.service"), shipped("gaserad.sysusers"), shipped("60-gaserad-gpio.rules"));
    assert!(unit.contains("DeviceAllow=char-gpiochip rw\n") && unit.contains("SupplementaryGroups=dialout gpio\n"));
    assert!(users.contains("m gaserad gpio\n") && rule.contains("GROUP=\"gpio\", MODE=\"0660\""));
}

#[test]
fn serial_port_needs_a_lasting_name_or_consent() {
    let driver = "multiplexer.driver = \"vici\"\n";
    let text = |port: &str, more: &str| format!("{driver}[multiplexer.vici]\nport = {port:?}\n{more}");
    for stable in ["/dev/serial/by-path/pci-0-usb-0:1:1.0-port0", "/dev/valve", "/dev/ttyS0", "/dev/ttyAMA0"] {
        assert_eq!(read(&text(stable, "")).unwrap().warnings, Vec::<String>::new(), "{stable}");
    }
    for unstable in ["/dev/ttyUSB0", "/dev/ttyACM1"] {
        let refused = mistakes(&text(unstable, ""));
        assert!(refused[0].starts_with("gaserad.toml:3:8: port is"), "{refused:?}");
        assert!(refused[0].contains("/dev/serial/by-id") && refused[0].contains("allow_unstable_port"), "{refused:?}");
        let allowed = read(&text(unstable, "allow_unstable_port = true")).unwrap();
        assert!(allowed.warnings[0].contains(unstable) && allowed.warnings[0].contains("by-id"), "{allowed:?}");
    }
}
