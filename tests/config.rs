//! The configuration: every mistake at once with its place, and what is shipped is what is true.

mod access;
mod alias;
mod description;
mod documents;
mod keeping;
mod multiplexers;
mod plan;
mod plan_file;
mod reload;
mod shipped;
mod simulated;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gasera::config::{
    self, ConfigError, Direction, Driver, Environment, Listen, OnRestart, Origin, Overrides, SessionMode, Settings,
    ViciSection,
};
use gasera::domain::{Channel, StampMeaning, Sync};
use proptest::prelude::*;

fn service() -> Environment {
    Environment { system: true, ..Environment::default() }
}

fn user() -> Environment {
    Environment {
        user_state: Some("/home/ada/.local/state/gaserad".into()),
        user_runtime: Some("/run/user/1000/gaserad".into()),
        ..Environment::default()
    }
}

/// What is not about the multiplexer names no driver, and is read as with `--simulate`.
fn read(text: &str) -> Result<Settings, ConfigError> {
    let simulate = !text.contains("driver") || text.starts_with("# analyzer and multiplexer are simulated");
    config::parse(text, "gaserad.toml", &Overrides { simulate, ..Overrides::default() }, &service())
}

/// As the daemon reads it that is to drive real instruments.
fn read_as_it_is(text: &str) -> Result<Settings, ConfigError> {
    config::parse(text, "gaserad.toml", &Overrides::default(), &service())
}

fn mistakes(text: &str) -> Vec<String> {
    read(text).unwrap_err().0.iter().map(ToString::to_string).collect()
}

/// Without what differs from file to file.
fn values(settings: Settings) -> Settings {
    Settings { origins: config::Origins::new(), ..settings }
}

fn shipped(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd").join(name)).unwrap()
}

#[test]
fn every_mistake_of_a_file_is_reported_at_once_with_line_and_column() {
    let text = r#"
[listen]
addresses = ["0.0.0.0:5001", 7, "unix:relative"]
[analyser]
address = "x:1"
[analyzer]
adress = "192.168.0.100:8888"
session = "sometimes"
task = " "
poll = 1
grace = "-2m"
[multiplexer]
driver = "gpio"
channels = 32
settle = "2h"
[plan]
repeats = 0
measure = "soon"
[store]
directory = "data"
max_outage = true
[stream]
ring = -1
[auth]
tokens = "tokens"
[channels.1]
label = "barn"
[channels.2]
label = "barn"
kind = "zeroo"
lat = 91
[channels.40]
"#;
    let expected = [
        "3:14: \"0.0.0.0:5001\" can be reached from other machines, which needs TLS: name tls_cert and tls_key in [listen], or say plain_text = true where everybody on the network may see the tokens",
        "3:14: \"0.0.0.0:5001\" can be reached from other machines, which needs tokens: name their file with tokens in [auth]; `gaserad new-token` makes one",
        "3:30: addresses holds a number; each must be text in quotes",
        "3:33: \"unix:relative\" is not an absolute path; write it like \"unix:/run/gaserad/gaserad.sock\"",
        "4:2: [analyser] is not a section; did you mean analyzer?",
        "7:1: adress is not a key of [analyzer]; did you mean address?",
        "8:11: session is \"sometimes\"; it can be \"auto\", \"persistent\", \"oneshot\"",
        "9:8: task is empty; name the analyzer's task, like \"DEFAULT\"",
        "10:8: poll is a number; write a duration as text, like \"30s\" or \"5m\"",
        "11:9: grace is not a duration: \"-2m\" is negative; a duration cannot be",
        "13:10: driver \"gpio\" needs a section [multiplexer.gpio] with the lines of the units",
        "14:12: channels is 32; it can be 1 to 31",
        "15:10: settle is 2h; it can be 0s to 10m",
        "17:11: repeats is 0; it can be 1 to 100000",
        "18:11: measure is not a duration: a duration needs a number and a unit, like 30s, 5m or 1h30m; got \"soon\"",
        "20:13: directory is \"data\"; it must be an absolute path, like \"/var/lib/gaserad\"",
        "21:14: max_outage is true or false; write a duration as text, like \"30s\" or \"5m\"",
        "23:8: ring is -1; it can be 10 to 1000000",
        "25:10: tokens is \"tokens\"; it must be an absolute path, like \"/etc/gaserad/tokens\"",
        "29:9: label \"barn\" is the label of channel 1 too",
        "30:8: kind is \"zeroo\"; it can be \"sample\", \"background\", \"zero\", \"span\", \"target\"",
        "31:7: lat is out of range; it can be -90 to 90",
        "32:11: channel 40 does not exist; this multiplexer has channels 1 to 31",
    ];
    let expected: Vec<String> = expected.iter().map(|text| format!("gaserad.toml:{text}")).collect();
    assert_eq!(mistakes(text), expected);
}

#[test]
fn syntax_errors_are_reported_together_with_other_mistakes() {
    let found = mistakes("[plan]\npause = \nrepeats = 0\nrepeats = 1\n[stream\nring = 5\n");
    for place in
        ["gaserad.toml:2:", "gaserad.toml:3:11: repeats is 0", "gaserad.toml:4:1: duplicate key", "gaserad.toml:5:"]
    {
        assert!(found.iter().any(|mistake| mistake.starts_with(place)), "{place} in {found:#?}");
    }
}

#[test]
fn a_key_unlike_any_other_gets_the_list_of_known_ones() {
    assert_eq!(
        mistakes("[store]\nxyzzy = 1\n"),
        [
            "gaserad.toml:2:1: xyzzy is not a key of [store]; known are mirror, retention, directory, on_restart, max_outage, min_free_mb, raw_log"
        ]
    );
    assert!(mistakes("poll = \"1s\"\n")[0].contains("poll is not a key outside a section"));
    assert!(mistakes("plan = 1\n")[0].contains("plan is a number; it must be a table, like [plan]"));
}

#[test]
fn the_vici_driver_needs_its_port() {
    let without = mistakes("[multiplexer]\ndriver = \"vici\"\n");
    assert!(
        without[0].starts_with("gaserad.toml:2:10: driver \"vici\" needs a section [multiplexer.vici]"),
        "{without:?}"
    );
    let no_port = mistakes("[multiplexer]\ndriver = \"vici\"\n[multiplexer.vici]\nbaud = 9601\naddress = \"AB\"\n");
    assert_eq!(no_port.len(), 3, "{no_port:#?}");
    assert!(no_port[0].contains(":3:14: port is missing"), "{no_port:#?}");

    let vici = |port: &str| {
        let text = format!(
            "[multiplexer]\ndriver = \"vici\"\nchannels = 16\n[multiplexer.vici]\nport = {port:?}\naddress = \"Z\"\n"
        );
        read(&text).unwrap()
    };
    let stable = vici("/dev/serial/by-id/usb-x");
    let expected = ViciSection {
        port: "/dev/serial/by-id/usb-x".into(),
        baud: 9600,
        address: Some("Z".into()),
        dialect: None,
        direction: Direction::Shortest,
        ports: None,
        write_settings: false,
        allow_unstable_port: false,
    };
    assert_eq!(stable.vici, Some(expected));
    assert_eq!(stable.warnings, Vec::<String>::new());
}

#[test]
fn the_vici_section_is_checked_key_by_key() {
    let text = "[multiplexer]\ndriver = \"vici\"\nchannels = 16\n[multiplexer.vici]\nport = \"/dev/valve\"\n";
    let with = |more: &str| format!("{text}{more}");
    let good = read(&with("address = \"/3\"\ndirection = \"ccw\"\nports = 16\nwrite_settings = true\n")).unwrap();
    let vici = good.vici.unwrap();
    assert_eq!((vici.address.as_deref(), vici.direction), (Some("/3"), Direction::Counterclockwise));
    assert_eq!((vici.ports, vici.write_settings), (Some(16), true));
    for (wrong, says) in [
        ("address = \"AB\"", "a device id is one of 0 to 9 and A to Z"),
        ("address = \"/\"", "a device id is one of"),
        ("address = \"A\"\ndialect = \"legacy\"", "the id of a legacy actuator is one of 0 to 9"),
        ("address = \"/3\"\ndialect = \"legacy\"", "the id of a legacy actuator"),
        ("ports = 10", "ports is 10, but there are 16 channels"),
        ("ports = 41", "ports is 41; it can be 2 to 40"),
        ("ports = 0", "ports is 0; it can be 2 to 40"),
        ("direction = \"left\"", "it can be \"shortest\", \"cw\", \"ccw\""),
        ("write_settings = 1", "write_settings is a number; it must be true or false"),
    ] {
        let found = mistakes(&with(wrong));
        assert!(found.len() == 1 && found[0].contains(says), "{wrong}: {found:?}");
    }
}

#[test]
fn defaults_depend_on_who_runs_it() {
    let service_settings = read("").unwrap();
    assert_eq!(service_settings.store.directory, PathBuf::from("/var/lib/gaserad"));
    assert_eq!(service_settings.listen.addresses[0], Listen::Unix("/run/gaserad/gaserad.sock".into()));

    let told = Environment {
        state_directory: Some("/srv/state".into()),
        runtime_directory: Some("/srv/run".into()),
        ..service()
    };
    let simulated = Overrides { simulate: true, ..Overrides::default() };
    let settings = config::parse("", "x", &simulated, &told).unwrap();
    assert_eq!(settings.store.directory, PathBuf::from("/srv/state"));
    assert_eq!(settings.origins["store.directory"], Origin::Environment("STATE_DIRECTORY"));
    assert_eq!(settings.listen.addresses[0], Listen::Unix("/srv/run/gaserad.sock".into()));

    let settings = config::parse("", "x", &simulated, &user()).unwrap();
    assert_eq!(settings.store.directory, PathBuf::from("/home/ada/.local/state/gaserad"));
    assert_eq!(settings.listen.addresses[0], Listen::Unix("/run/user/1000/gaserad/gaserad.sock".into()));

    let bare = Environment { user_runtime: None, ..user() };
    let settings = config::parse("", "x", &simulated, &bare).unwrap();
    assert_eq!(settings.listen.addresses, [Listen::Tcp("127.0.0.1:5001".into())]);
    assert!(settings.warnings[0].contains("XDG_RUNTIME_DIR"));

    let homeless = config::parse("", "x", &simulated, &Environment::default()).unwrap_err();
    assert!(homeless.to_string().starts_with("--state-dir: "), "{homeless}");
}

#[test]
fn flags_win_over_the_file_and_are_checked_too() {
    let text = "[listen]\naddresses = [\"127.0.0.1:1\"]\n[store]\ndirectory = \"/from/file\"\n\
                [multiplexer]\ndriver = \"vici\"\n[multiplexer.vici]\nport = \"/dev/ttyS0\"\n";
    let overrides = Overrides {
        listen: vec!["127.0.0.1:0".into(), "fd:".into()],
        state_dir: Some("/from/flag".into()),
        simulate: true,
        log_level: Some("gasera=debug".into()),
    };
    let settings = config::parse(text, "x", &overrides, &service()).unwrap();
    assert_eq!(settings.listen.addresses, [Listen::Tcp("127.0.0.1:0".into()), Listen::Fd]);
    assert_eq!(settings.store.directory, PathBuf::from("/from/flag"));
    assert_eq!(settings.driver(), Driver::Simulated);
    assert_eq!(settings.origins["store.directory"], Origin::Flag("--state-dir"));
    assert_eq!(
        (settings.log.level.as_str(), &settings.origins["log.level"]),
        ("gasera=debug", &Origin::Flag("--log-level"))
    );

    let wrong = Overrides { listen: vec!["0.0.0.0:1".into()], simulate: true, ..Overrides::default() };
    let error = config::parse("", "x", &wrong, &service()).unwrap_err();
    assert!(error.to_string().starts_with("--listen: \"0.0.0.0:1\" can be reached"), "{error}");
}

const GPIO: &str = r#"
[multiplexer.gpio]
chip = "300b000.pinctrl"
pulse = "60ms"
home1 = 72
next1 = { line = "PC5", active_low = true }
home2 = "PC11"
next2 = { line = 0xE3 }
home_sensor2 = { line = "PH2", active_low = true }
position1 = [1, 2, { line = "three" }, "four"]
"#;

const MODBUS: &str = r#"
[multiplexer.modbus]
port = "/dev/serial/by-id/usb-relays"
baud = 19_200
unit = 17
first_coil = 16
gap = "0.25s"
"#;

/// All of it, for the driver that this section is of.
fn everything_for(driver: &str, section: &str) -> String {
    let vici = EVERYTHING.lines().find(|line| line.starts_with("vici = ")).unwrap();
    EVERYTHING.replace(vici, "").replace("driver = \"vici\"", &format!("driver = {driver:?}")) + section
}

const EVERYTHING: &str = r#"
[listen]
addresses = ["unix:/tmp/a \"quoted\" path", "[::1]:0", "fd:"]
[analyzer]
address = "gasera.local:8888"
session = "oneshot"
task = "7 'Calibration' \"task\""
poll = "250ms"
grace = "1h30m"
stamp = "calculated"
[multiplexer]
driver = "vici"
park = 7
channels = 0x10
settle = "1.5s"
vici = { port = "/dev/ttyS0", baud = 19_200, dialect = "legacy", direction = "cw", ports = 16 }
[plan]
purge = "0"
sync = "dwell"
discard_first = 3
background = 16
background_every = 2
overlap = false
directory = "/srv/plans"
[store]
on_restart = "end"
[channels.16]
label = "Süd, \\ 50 %"
kind = "target"
purge = "90s"
iterations = 4
discard_first = 0
volume_m3 = 1
lon = -13.125
note = """two
lines"""
[gases.nh3]
discard_first = 2
[gases."71-43-2"]
[auth]
"#;

#[test]
fn what_is_printed_reads_back_to_the_same_settings_and_names_every_origin() {
    let settings = read(EVERYTHING).unwrap();
    assert_eq!(settings.analyzer.session, SessionMode::Oneshot);
    assert_eq!(settings.multiplexer.settle, Duration::from_millis(1500));
    assert_eq!(settings.plan.sync, Sync::Dwell);
    assert_eq!((settings.analyzer.stamp, settings.multiplexer.park), (Some(StampMeaning::Calculated), Channel::new(7)));
    assert_eq!((settings.plan.discard_first, settings.plan.overlap), (3, false));
    let own = &settings.channels[&Channel::new(16).unwrap()];
    assert_eq!(
        (own.times.purge, own.times.measure, own.times.discard_first),
        (Some(Duration::from_secs(90)), None, Some(0))
    );
    assert_eq!(settings.store.on_restart, OnRestart::End);
    for (driver, section) in [("gpio", GPIO), ("modbus", MODBUS)] {
        let settings = read(&everything_for(driver, section)).unwrap();
        assert_eq!(values(read(&config::print_config(&settings)).unwrap()), values(settings), "{driver}");
    }
    let printed = config::print_config(&settings);
    let again = config::parse(&printed, "printed", &Overrides::default(), &service()).unwrap();
    assert_eq!(values(again), values(settings));
    assert!(
        printed.lines().any(|line| line.starts_with("poll = \"0.25s\"") && line.ends_with("# line 8 of gaserad.toml"))
    );
    assert!(printed.lines().any(|line| line.starts_with("measure = \"5m\"") && line.ends_with("# default")));
    let ammonia = printed.split_once("[gases.\"7664-41-7\"]\n").unwrap().1;
    assert!(
        ammonia.starts_with("discard_first = 2") && ammonia.lines().next().unwrap().contains("# line "),
        "{ammonia}"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_a_mistake_with_its_name() {
    let missing = config::load(Some(Path::new("/nonexistent/gaserad.toml")), &Overrides::default()).unwrap_err();
    assert!(missing.to_string().starts_with("/nonexistent/gaserad.toml: the file cannot be read"), "{missing}");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("latin1.toml");
    fs::write(&file, b"[plan]\n# S\xFCd\n").unwrap();
    let error = config::load(Some(&file), &Overrides::default()).unwrap_err();
    assert_eq!((error.0[0].line, error.0[0].column), (2, 4));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        let _ = read(&text);
    }

    #[test]
    fn no_change_to_a_good_file_makes_it_panic(at in 0..EVERYTHING.len(), length in 0..40_usize, other in "[\\PC\n\"\\[\\]=#.]{0,8}") {
        let mut text = EVERYTHING.to_owned();
        let boundary = |place: usize| (0..=place.min(text.len())).rev().find(|place| text.is_char_boundary(*place)).unwrap();
        let range = boundary(at)..boundary(at + length);
        text.replace_range(range, &other);
        if let Ok(settings) = read(&text) {
            let printed = config::print_config(&settings);
            let overrides = Overrides { simulate: settings.simulate, ..Overrides::default() };
            let again = config::parse(&printed, "printed", &overrides, &service()).unwrap();
            prop_assert_eq!(values(again), values(settings));
        }
    }
}
