//! Every section with its keys, defaults and bounds; what belongs to plans is in [`super::plan`] and [`super::gases`].

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::section::{Section, Source};
use super::settings::{
    AnalyzerSettings, Choice, Dialect, Driver, Listen, MultiplexerSettings, OnRestart, Origin, SessionKind, Settings,
    StoreSettings, StreamSettings, Vici,
};
use super::{Environment, Overrides, address, gases, plan};
use crate::domain::Channel;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

const fn hours(hours: u64) -> Duration {
    Duration::from_secs(3600 * hours)
}

/// What is accepted for a later version and has no effect in this one.
fn not_yet(store: &StoreSettings) -> Vec<String> {
    let mut warnings = Vec::new();
    if store.on_restart == OnRestart::Resume {
        warnings.push(
            "[store] on_restart = \"resume\" is not available in this version; an interrupted run is ended, as with \"end\""
                .into(),
        );
    }
    warnings
}

/// All settings, with a default wherever `source` now holds a mistake.
pub(super) fn settings(
    source: &Source<'_>,
    mut root: Section<'_>,
    overrides: &Overrides,
    environment: &Environment,
) -> Settings {
    let mut warnings = Vec::new();
    let listen = listen(source, root.section("listen"), overrides, environment, &mut warnings);
    let analyzer = analyzer(root.section("analyzer"));
    let mut valve = root.section("multiplexer");
    let park = plan::park(&mut valve);
    let multiplexer = multiplexer(source, valve, overrides.simulate, &mut warnings);
    let park = park.within(source, multiplexer.channels);
    let plan = plan::defaults(root.section("plan"), park, multiplexer.channels);
    let store = store(source, root.section("store"), overrides, environment);
    let stream = stream(root.section("stream"));
    root.unavailable("auth");
    let channels = plan::channels(root.section("channels"), multiplexer.channels);
    let gases = gases::settings(source, root.section("gases"));
    warnings.extend(not_yet(&store));
    warnings.extend(plan::of_no_use(&plan, &channels));
    root.finish();
    let origins = source.origins.borrow().clone();
    let simulate = overrides.simulate;
    Settings { listen, analyzer, multiplexer, plan, store, stream, channels, gases, simulate, origins, warnings }
}

fn listen(
    source: &Source<'_>,
    mut section: Section<'_>,
    overrides: &Overrides,
    environment: &Environment,
    warnings: &mut Vec<String>,
) -> Vec<Listen> {
    let configured = section.list("addresses").map(|addresses| {
        if addresses.is_empty() {
            let place = section.place_of("addresses").unwrap_or_default();
            section.wrong(&place, "addresses is empty, so nobody could reach gaserad; leave it out for the default");
        }
        let read = |(text, place)| address::listen(text).map_err(|complaint| section.wrong(&place, complaint)).ok();
        addresses.into_iter().filter_map(read).collect()
    });
    section.finish();
    if !overrides.listen.is_empty() {
        source.origin("listen.addresses", Origin::Flag("--listen"));
        let read =
            |text: &String| address::listen(text).map_err(|complaint| source.wrong_outside("--listen", complaint)).ok();
        return overrides.listen.iter().filter_map(read).collect();
    }
    configured.unwrap_or_else(|| {
        let (addresses, origin) = environment.listen();
        source.origin("listen.addresses", origin);
        if !addresses.iter().any(|address| matches!(address, Listen::Unix(_))) {
            warnings.push("$XDG_RUNTIME_DIR is not set, so there is no unix socket; name one with --listen".into());
        }
        addresses
    })
}

fn analyzer(mut section: Section<'_>) -> AnalyzerSettings {
    let task = |text: &str| {
        let refused = || "is empty; name the analyzer's task, like \"DEFAULT\"".to_owned();
        if text.trim().is_empty() { Err(refused()) } else { Ok(text.to_owned()) }
    };
    let server = |text: &str| address::server(text).map_err(|complaint| format!("is wrong: {complaint}"));
    let settings = AnalyzerSettings {
        address: section.checked("address", server).unwrap_or_else(|| "192.168.0.100:8888".into()),
        session: section.choice("session", SessionKind::Auto),
        task: section.checked("task", task).unwrap_or_else(|| "DEFAULT".into()),
        stamp: section.choice("stamp", None),
        poll: section.duration("poll", seconds(1), Duration::from_millis(100)..=minutes(1)),
        grace: section.duration("grace", minutes(2), Duration::ZERO..=hours(24)),
    };
    section.finish();
    settings
}

fn multiplexer(
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

fn absolute(text: &str, like: &str) -> Result<PathBuf, String> {
    if text.contains('\0') {
        return Err(format!("is {text:?}; no path contains a zero byte"));
    }
    let refused = || format!("is {text:?}; it must be an absolute path, like \"{like}\"");
    if Path::new(text).is_absolute() { Ok(PathBuf::from(text)) } else { Err(refused()) }
}

fn store(
    source: &Source<'_>,
    mut section: Section<'_>,
    overrides: &Overrides,
    environment: &Environment,
) -> StoreSettings {
    let mut directory = section.checked("directory", |text| absolute(text, "/var/lib/gaserad"));
    if let Some(flag) = &overrides.state_dir {
        source.origin("store.directory", Origin::Flag("--state-dir"));
        directory = Some(std::path::absolute(flag).unwrap_or_else(|_| flag.clone()));
    }
    if directory.is_none() && section.place_of("directory").is_none() {
        match environment.state() {
            Some((path, origin)) => {
                source.origin("store.directory", origin);
                directory = Some(path);
            }
            None => source.wrong_outside("--state-dir", "there is no home directory to keep the data in; name one"),
        }
    }
    let settings = StoreSettings {
        directory: directory.unwrap_or_default(),
        on_restart: section.choice("on_restart", OnRestart::End),
        max_outage: section.duration("max_outage", minutes(30), Duration::ZERO..=hours(30 * 24)),
    };
    section.finish();
    settings
}

fn stream(mut section: Section<'_>) -> StreamSettings {
    let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let settings = StreamSettings {
        heartbeat: section.duration("heartbeat", seconds(30), seconds(1)..=minutes(10)),
        keepalive: section.duration("keepalive", seconds(10), seconds(1)..=minutes(10)),
        ring: size(section.integer("ring", 1000, 10..=1_000_000)),
        max_connections: size(section.integer("max_connections", 1000, 1..=100_000)),
    };
    section.finish();
    settings
}
