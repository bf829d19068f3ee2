//! Every section with its keys, defaults and bounds; what belongs to plans is in [`super::plan`] and [`super::gases`].

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::section::{Section, Source};
use super::settings::{
    AnalyzerSettings, GuardSettings, OnRestart, Origin, SessionKind, Settings, StoreSettings, StreamSettings,
};
use super::{Environment, Overrides, access, address, gases, keeping, multiplexer, plan};
use crate::domain::{AfterRestart, Reaction, Reactions, Site};

pub(super) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

pub(super) const fn days(days: u64) -> Duration {
    Duration::from_secs(24 * 3600 * days)
}

const fn hours(hours: u64) -> Duration {
    Duration::from_secs(3600 * hours)
}

/// All settings, with a default wherever `source` now holds a mistake.
pub(super) fn settings(
    source: &Source<'_>,
    mut root: Section<'_>,
    overrides: &Overrides,
    environment: &Environment,
) -> Settings {
    let mut warnings = Vec::new();
    let auth = access::auth(root.section("auth"));
    let (listen, network) =
        access::listen(source, root.section("listen"), &auth, overrides, environment, &mut warnings);
    let analyzer = analyzer(root.section("analyzer"));
    let mut valve = root.section("multiplexer");
    let park = plan::park(&mut valve);
    let multiplexer = multiplexer::settings(source, valve, overrides.simulate, &mut warnings);
    let park = park.within(source, multiplexer.channels);
    let plan = plan::defaults(root.section("plan"), park, multiplexer.channels);
    let pause = pause(root.section("pause"));
    let guard = guard(root.section("guard"));
    let store = store(source, root.section("store"), overrides, environment);
    let stream = stream(root.section("stream"));
    let channels = plan::channels(root.section("channels"), multiplexer.channels);
    let gases = gases::described(source, root.section("gases"));
    let site = site(root.section("site"));
    warnings.extend(plan::of_no_use(&plan, &channels));
    root.finish();
    let origins = source.origins.borrow().clone();
    let simulate = overrides.simulate;
    Settings {
        listen,
        network,
        auth,
        analyzer,
        multiplexer,
        plan,
        pause,
        guard,
        store,
        stream,
        channels,
        gases,
        site,
        simulate,
        origins,
        warnings,
    }
}

/// What the analyzer calls a task is not known here.
pub(super) fn task(text: &str) -> Result<String, String> {
    let refused = || "is empty; name the analyzer's task, like \"DEFAULT\"".to_owned();
    if text.trim().is_empty() { Err(refused()) } else { Ok(text.to_owned()) }
}

fn analyzer(mut section: Section<'_>) -> AnalyzerSettings {
    let server = |text: &str| address::server(text).map_err(|complaint| format!("is wrong: {complaint}"));
    let settings = AnalyzerSettings {
        address: section.checked("address", server).unwrap_or_else(|| "192.168.0.100:8888".into()),
        session: section.choice("session", SessionKind::Auto),
        task: section.checked("task", task).unwrap_or_else(|| "DEFAULT".into()),
        stamp: section.choice("stamp", None),
        poll: section.duration("poll", seconds(1), Duration::from_millis(100)..=minutes(1)),
        grace: section.duration("grace", minutes(2), Duration::ZERO..=hours(24)),
        phase_lag: section.duration("phase_lag", seconds(2), Duration::ZERO..=minutes(10)),
        result_lag: section.duration("result_lag", seconds(5), Duration::ZERO..=minutes(10)),
        after_restart: section.choice("after_restart", AfterRestart::Resume),
    };
    section.finish();
    settings
}

pub(super) fn absolute(text: &str, like: &str) -> Result<PathBuf, String> {
    if text.contains('\0') {
        return Err(format!("is {text:?}; no path contains a zero byte"));
    }
    let refused = || format!("is {text:?}; it must be an absolute path, like \"{like}\"");
    if Path::new(text).is_absolute() { Ok(PathBuf::from(text)) } else { Err(refused()) }
}

/// What a run waits for, and what it goes on in spite of.
fn pause(mut section: Section<'_>) -> Reactions {
    let reactions = Reactions {
        analyzer_errors: section.choice("analyzer_errors", Reaction::GoOn),
        valve: section.choice("valve", Reaction::GoOn),
        clock: section.choice("clock", Reaction::GoOn),
        clock_unsynced: section.choice("clock_unsynced", Reaction::GoOn),
        disk: section.choice("disk", Reaction::GoOn),
    };
    section.finish();
    reactions
}

/// What must hold before a visit begins.
fn guard(mut section: Section<'_>) -> Option<GuardSettings> {
    let settings = GuardSettings {
        file: section.checked("file", |text| absolute(text, "/run/gaserad/hold")),
        command: section.list("command").unwrap_or_default().into_iter().map(|(word, _)| word.to_owned()).collect(),
        every: section.duration("every", minutes(1), seconds(1)..=hours(24)),
        timeout: section.duration("timeout", seconds(10), seconds(1)..=minutes(10)),
    };
    let is_there = section.is_there();
    if is_there && settings.file.is_none() && settings.command.is_empty() {
        section.wrong_here("guard needs a file or a command, like command = [\"/usr/local/bin/is-dry\"]");
    }
    section.finish();
    Some(settings).filter(|_| is_there)
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
    let directory = directory.unwrap_or_default();
    let settings = StoreSettings {
        mirror: keeping::mirror(section.section("mirror"), &directory),
        retention: keeping::retention(section.section("retention")),
        directory,
        on_restart: section.choice("on_restart", OnRestart::Resume),
        max_outage: section.duration("max_outage", minutes(30), Duration::ZERO..=hours(30 * 24)),
        min_free_mb: section.integer("min_free_mb", 200, 0..=1_000_000),
        raw_log: section.boolean("raw_log", true),
    };
    section.finish();
    settings
}

/// Where it is measured, and for whom.
fn site(mut section: Section<'_>) -> Site {
    let mut text = |key| section.checked(key, plan::label).unwrap_or_default();
    let (name, id, institution) = (text("name"), text("id"), text("institution"));
    let (ror, contact, license) = (text("ror"), text("contact"), text("license"));
    let site = Site {
        name,
        id,
        institution,
        ror,
        contact,
        license,
        lat: section.number("lat", -90.0..=90.0),
        lon: section.number("lon", -180.0..=180.0),
        altitude_m: section.number("altitude_m", -500.0..=9000.0),
    };
    section.finish();
    site
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
