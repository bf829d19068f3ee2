//! The settings as the daemon uses them: checked, with every default filled in.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::gases::{self, GasSettings};
use super::keys::{
    AnalyzerSettings, AuthSettings, ChannelTimes, GpioSection, GuardSettings, ListenSettings, LogSettings,
    MirrorSettings, ModbusSection, MultiplexerSettings, PlanDefaults, RetentionSettings, StoreSettings, StreamSettings,
    ViciSection,
};
use super::multiplexer::MultiplexerSections;
use super::print::SettingsPage;
use super::section::{Section, Source};
use super::table::{Keys, join};
use super::words::Driver;
use super::{Environment, Overrides, plan};
use crate::domain::{Cas, Channel, ChannelInfo, Reactions, Site};

/// Everything that can be configured. One that exists is valid.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub listen: ListenSettings,
    pub auth: AuthSettings,
    pub analyzer: AnalyzerSettings,
    pub multiplexer: MultiplexerSettings,
    /// There whenever the driver is `vici`.
    pub vici: Option<ViciSection>,
    /// There whenever the driver is `gpio`.
    pub gpio: Option<GpioSection>,
    /// There whenever the driver is `modbus`.
    pub modbus: Option<ModbusSection>,
    pub plan: PlanDefaults,
    pub pause: Reactions,
    pub guard: Option<GuardSettings>,
    pub store: StoreSettings,
    pub mirror: Option<MirrorSettings>,
    pub retention: RetentionSettings,
    pub stream: StreamSettings,
    pub log: LogSettings,
    pub channels: BTreeMap<Channel, ChannelSettings>,
    pub gases: BTreeMap<Cas, GasSettings>,
    pub site: Site,
    /// Analyzer and multiplexer are simulated within this process.
    pub simulate: bool,
    /// Where each value comes from, by its path, like `analyzer.poll`.
    pub origins: Origins,
    /// What is allowed but should be known.
    pub warnings: Vec<String>,
}

/// What is known of a sample line, and what plans do otherwise on it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChannelSettings {
    pub info: ChannelInfo,
    pub times: ChannelTimes,
}

join! { ChannelSettings { info: ChannelInfo, times: ChannelTimes } }

pub type Origins = BTreeMap<String, Origin>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Default,
    File { file: String, line: usize },
    Flag(&'static str),
    Environment(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { file, line } => write!(f, "line {line} of {file}"),
            Self::Flag(flag) => f.write_str(flag),
            Self::Environment(variable) => write!(f, "${variable}"),
        }
    }
}

impl Settings {
    /// All settings, with a default wherever `source` now holds a mistake.
    pub(super) fn read(
        source: &Source<'_>,
        mut root: Section<'_>,
        overrides: &Overrides,
        environment: &Environment,
    ) -> Self {
        let simulate = overrides.simulate;
        let auth = AuthSettings::checked(root.section("auth"));
        let listen = ListenSettings::checked(source, root.section("listen"), &auth, overrides, environment);
        let analyzer = plain(root.section("analyzer"));
        let multiplexer = MultiplexerSections::checked(source, root.section("multiplexer"), simulate);
        let MultiplexerSections { keys: multiplexer, vici, gpio, modbus } = multiplexer;
        let plan = PlanDefaults::checked(root.section("plan"), multiplexer.channels);
        let pause = plain(root.renamed_section("pause", Some("suspend")));
        let guard = GuardSettings::checked(root.section("guard"));
        let mut store = root.section("store");
        let [mirror, retention] = ["mirror", "retention"].map(|name| store.section(name));
        let store = StoreSettings::checked(source, store, overrides, environment);
        let mirror = MirrorSettings::checked(mirror, &store.directory);
        let retention = plain(retention);
        let stream = plain(root.section("stream"));
        let log = LogSettings::checked(source, root.section("log"), overrides);
        let channels = plan::channels(root.section("channels"), multiplexer.channels);
        let gases = gases::described(source, root.section("gases"));
        let site = plain(root.section("site"));
        plan::warn_of_no_use(source, &plan, &channels);
        root.finish();
        let (origins, warnings) = (source.origins.take(), source.warnings.take());
        Self {
            listen,
            auth,
            analyzer,
            multiplexer,
            vici,
            gpio,
            modbus,
            plan,
            pause,
            guard,
            store,
            mirror,
            retention,
            stream,
            log,
            channels,
            gases,
            site,
            simulate,
            origins,
            warnings,
        }
    }

    pub(super) fn write(&self, page: &mut SettingsPage<'_>) {
        page.section("listen", &self.listen);
        page.section("auth", &self.auth);
        page.section("analyzer", &self.analyzer);
        page.section("multiplexer", &self.multiplexer);
        page.optional("multiplexer.vici", self.vici.as_ref());
        page.optional("multiplexer.gpio", self.gpio.as_ref());
        page.optional("multiplexer.modbus", self.modbus.as_ref());
        page.section("plan", &self.plan);
        page.section("pause", &self.pause);
        page.optional("guard", self.guard.as_ref());
        page.section("store", &self.store);
        page.optional("store.mirror", self.mirror.as_ref());
        page.section("store.retention", &self.retention);
        page.section("stream", &self.stream);
        page.section("log", &self.log);
        for (number, channel) in &self.channels {
            page.section(&format!("channels.{number}"), channel);
        }
        for (cas, gas) in &self.gases {
            page.section(&gases::path(cas), gas);
        }
        page.optional("site", Some(&self.site).filter(|site| **site != Site::default()));
    }

    /// Takes from `new` what a running daemon can take.
    pub(super) fn reload(&mut self, new: &Self) {
        if self.listen.tls().is_some() == new.listen.tls().is_some() {
            self.listen.reload(&new.listen);
        } else {
            // Whether a listener speaks TLS is decided when it begins.
            let (tls_cert, tls_key) = (self.listen.tls_cert.take(), self.listen.tls_key.take());
            self.listen.reload(&new.listen);
            (self.listen.tls_cert, self.listen.tls_key) = (tls_cert, tls_key);
        }
        self.auth.reload(&new.auth);
        self.analyzer.reload(&new.analyzer);
        self.multiplexer.reload(&new.multiplexer);
        self.plan.reload(&new.plan);
        self.pause.reload(&new.pause);
        self.store.reload(&new.store);
        self.mirror.clone_from(&new.mirror);
        self.retention.reload(&new.retention);
        self.stream.reload(&new.stream);
        self.log.reload(&new.log);
        self.channels.clone_from(&new.channels);
        self.site.reload(&new.site);
        self.origins.clone_from(&new.origins);
        self.warnings.clone_from(&new.warnings);
    }

    /// With less free space than this, the disk is nearly full.
    pub fn min_free_bytes(&self) -> u64 {
        u64::from(self.store.min_free_mb) * 1_000_000
    }

    /// The driver in use.
    pub fn driver(&self) -> Driver {
        if self.simulate { Driver::Simulated } else { self.multiplexer.driver }
    }

    /// Where plans are looked for by name, the first one first.
    pub fn plan_directories(&self) -> Vec<PathBuf> {
        match &self.plan.directory {
            Some(directory) => vec![directory.clone()],
            None => vec![self.store.directory.join("plans"), PathBuf::from("/etc/gaserad/plans")],
        }
    }

    /// The valve is not there, and the analyzer is: no sample is good.
    pub fn valve_is_simulated(&self) -> bool {
        !self.simulate && self.multiplexer.driver == Driver::Simulated
    }
}

/// A section without rules of its own.
fn plain<T: Keys>(mut section: Section<'_>) -> T {
    let keys = T::read(&mut section);
    section.finish();
    keys
}

impl GuardSettings {
    fn checked(mut section: Section<'_>) -> Option<Self> {
        let settings = Self::read(&mut section);
        let is_there = section.is_there();
        if is_there && settings.file.is_none() && settings.command.is_empty() {
            section.wrong_here("guard needs a file or a command, like command = [\"/usr/local/bin/is-dry\"]");
        }
        section.finish();
        Some(settings).filter(|_| is_there)
    }
}

impl StoreSettings {
    fn checked(
        source: &Source<'_>,
        mut section: Section<'_>,
        overrides: &Overrides,
        environment: &Environment,
    ) -> Self {
        let mut settings = Self::read(&mut section);
        let mut elsewhere = |directory, origin| {
            source.origin("store.directory", origin);
            settings.directory = directory;
        };
        if let Some(flag) = &overrides.state_dir {
            elsewhere(std::path::absolute(flag).unwrap_or_else(|_| flag.clone()), Origin::Flag("--state-dir"));
        } else if section.place_of("directory").is_none() {
            match environment.state() {
                Some((path, origin)) => elsewhere(path, origin),
                None => source.wrong_outside("--state-dir", "there is no home directory to keep the data in; name one"),
            }
        }
        section.finish();
        settings
    }
}

impl MirrorSettings {
    /// `state` is the state directory, in which no copy of it is any use.
    fn checked(mut section: Section<'_>, state: &Path) -> Option<Self> {
        let settings = Self::read(&mut section);
        let is_there = section.is_there();
        let directory = &settings.directory;
        match section.place_of("directory") {
            None if is_there => {
                section.wrong_here("the mirror needs a directory, like directory = \"/media/usb0/gasera\"");
            }
            Some(place) if directory.starts_with(state) || state.starts_with(directory) => {
                let text = format!(
                    "directory is {:?}, which is the state directory or within it",
                    directory.to_string_lossy()
                );
                section.wrong(&place, format!("{text}; name a place on another disk"));
            }
            _ => {}
        }
        section.finish();
        Some(settings).filter(|_| is_there)
    }
}

impl LogSettings {
    fn checked(source: &Source<'_>, section: Section<'_>, overrides: &Overrides) -> Self {
        let settings = plain(section);
        match &overrides.log_level {
            Some(level) => {
                source.origin("log.level", Origin::Flag("--log-level"));
                Self { level: level.clone() }
            }
            None => settings,
        }
    }
}
