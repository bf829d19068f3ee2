//! No valve is invented beside a real analyzer, unless somebody says so; and what is not used is not written.

use gasera::config::{self, Driver, Overrides};

use super::{mistakes, read, read_as_it_is, service, values};

const REAL: &str = "[analyzer]\naddress = \"192.168.0.100:8888\"\n";

#[test]
fn without_a_driver_it_is_said_which_there_are() {
    for (text, place) in [
        ("", "gaserad.toml: "),
        (REAL, "gaserad.toml: "),
        ("[multiplexer]\nchannels = 8\n", "gaserad.toml:1:2: "),
        ("[analyzer]\n[multiplexer]\n", "gaserad.toml:2:2: "),
    ] {
        let found: Vec<String> = read_as_it_is(text).unwrap_err().0.iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 1, "{text}: {found:#?}");
        let says = format!("{place}driver is missing in [multiplexer]; write driver = \"vici\" (");
        assert!(found[0].starts_with(&says), "{found:?}");
        for word in ["\"gpio\"", "\"modbus\"", "gaserad --simulate", "gaserad --demo"] {
            assert!(found[0].contains(word), "{word}: {found:?}");
        }
    }
    assert!(read("").unwrap().simulate);
    let misspelt = mistakes("[multiplexer]\ndriver = \"vicii\"\n[multiplexer.vici]\nport = \"/dev/valve\"\n");
    let says = "gaserad.toml:2:10: driver is \"vicii\"; it can be \"simulated\", \"gpio\", \"vici\", \"modbus\"";
    assert_eq!(misspelt, [says]);
}

#[test]
fn simulated_valve_with_real_analyzer_needs_consent() {
    let text = format!("{REAL}[multiplexer]\ndriver = \"simulated\"\n");
    for refused in [text.clone(), format!("{text}simulated_with_real_analyzer = false\n")] {
        let found = mistakes(&refused);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].starts_with("gaserad.toml:4:10: driver is \"simulated\", but the analyzer is a real one"));
        assert!(found[0].contains("simulated_with_real_analyzer = true, with which no sample is good"), "{found:?}");
    }
    let allowed = read(&format!("{text}simulated_with_real_analyzer = true\n")).unwrap();
    assert!(allowed.valve_is_simulated());
    assert!(allowed.warnings[0].contains("no sample is good (valve_simulated)"), "{:?}", allowed.warnings);
    assert_eq!(values(read(&config::print_config(&allowed)).unwrap()), values(allowed));

    let all = Overrides { simulate: true, ..Overrides::default() };
    let settings = config::parse(&text, "x", &all, &service()).unwrap();
    assert!(!settings.valve_is_simulated() && settings.warnings.is_empty(), "{:?}", settings.warnings);
}

#[test]
fn section_of_unused_driver_is_a_mistake_with_its_place() {
    let vici = "[multiplexer.vici]\nport = \"/dev/valve\"\n";
    let modbus = "[multiplexer.modbus]\naddress = \"relays:502\"\n";
    let gpio = "[multiplexer.gpio]\nhome1 = \"A\"\nnext1 = \"B\"\nunits = 1\n";
    let simulated = "simulated_with_real_analyzer = true\n";
    for (driver, sections, place, unused) in [
        ("modbus", format!("{modbus}{vici}"), "5:14", "vici"),
        ("vici", format!("{vici}{gpio}"), "5:14", "gpio"),
        ("gpio", format!("{modbus}{gpio}"), "3:14", "modbus"),
        ("simulated", format!("{simulated}{vici}"), "4:14", "vici"),
        // However wrong it is, it is said once.
        ("modbus", format!("{modbus}[multiplexer.vici]\nbaud = 1\nprot = 2\n"), "5:14", "vici"),
    ] {
        let says = format!(
            "gaserad.toml:{place}: [multiplexer.{unused}] is not used, because driver is {driver:?}; write driver = \
             {unused:?}, or take the section out"
        );
        assert_eq!(mistakes(&format!("[multiplexer]\ndriver = {driver:?}\n{sections}")), [says], "{driver}");
    }
}

#[test]
fn with_simulate_the_named_driver_is_printed_and_read_again() {
    let all = Overrides { simulate: true, ..Overrides::default() };
    for text in ["", "[multiplexer]\ndriver = \"vici\"\n[multiplexer.vici]\nport = \"/dev/valve\"\n"] {
        let settings = config::parse(text, "x", &all, &service()).unwrap();
        assert_eq!(settings.driver(), Driver::Simulated);
        let printed = config::print_config(&settings);
        assert_eq!(values(config::parse(&printed, "x", &all, &service()).unwrap()), values(settings), "{printed}");
    }
}
