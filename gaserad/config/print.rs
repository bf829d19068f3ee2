//! The settings in effect as a file that reads back to the same, each line with its origin.

use std::fmt::Write;
use std::time::Duration;

use super::settings::{ChannelSettings, Choice, GasSettings, Gpio, Listen, Modbus, ModbusLink, Origin, Settings, Vici};
use super::{gases, size};
use crate::domain::{Channel, GasFacts, GpioLine, LineAt, Reactions, Site, duration};

/// A setting in effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// Like `analyzer.poll`.
    pub key: String,
    /// As TOML.
    pub value: String,
    pub origin: String,
}

/// TOML that [`super::parse`] reads back to the same settings.
pub fn print_config(settings: &Settings) -> String {
    page(settings).text
}

/// The same settings one by one.
pub fn list_config(settings: &Settings) -> Vec<Printed> {
    page(settings).printed
}

fn page(settings: &Settings) -> Page<'_> {
    let mut page = Page { settings, text: String::new(), section: String::new(), printed: Vec::new() };
    if settings.simulate {
        page.text.push_str("# analyzer and multiplexer are simulated (--simulate)\n");
    }
    page.begin("listen");
    page.raw("addresses", &list(&settings.listen));
    access(&mut page);
    analyzer(&mut page);
    multiplexer(&mut page);
    plan(&mut page);
    pause(&mut page);
    guard(&mut page);
    store(&mut page);
    page.begin("stream");
    page.duration("heartbeat", settings.stream.heartbeat);
    page.duration("keepalive", settings.stream.keepalive);
    page.raw("ring", &settings.stream.ring.to_string());
    page.raw("max_connections", &settings.stream.max_connections.to_string());
    for (number, channel) in &settings.channels {
        page.begin(&format!("channels.{number}"));
        self::channel(&mut page, channel);
    }
    for (cas, gas) in &settings.gases {
        page.begin(&gases::path(cas));
        self::gas(&mut page, gas);
    }
    site(&mut page);
    page
}

fn store(page: &mut Page<'_>) {
    let store = &page.settings.store;
    page.begin("store");
    page.string("directory", &store.directory.to_string_lossy());
    page.string("on_restart", store.on_restart.word());
    page.duration("max_outage", store.max_outage);
    page.raw("min_free_mb", &store.min_free_mb.to_string());
    page.raw("raw_log", &store.raw_log.to_string());
    if let Some(mirror) = &store.mirror {
        page.begin("store.mirror");
        page.string("directory", &mirror.directory.to_string_lossy());
        page.raw("require_mount", &mirror.require_mount.to_string());
    }
    let retention = &store.retention;
    page.begin("store.retention");
    page.optional_duration("keep", retention.keep);
    if let Some(bytes) = retention.max_size {
        page.string("max_size", &size::format(bytes));
    }
    page.integer("min_runs", Some(retention.min_runs));
    page.raw("mirrored", &retention.mirrored.to_string());
    page.duration("trash_after", retention.trash_after);
}

fn gas(page: &mut Page<'_>, gas: &GasSettings) {
    page.raw("discard_first", &gas.discard_first.to_string());
    let GasFacts { formula, name, color, molar_mass_g_mol } = &gas.facts;
    for (key, text) in [("formula", formula), ("name", name), ("color", color)] {
        if let Some(text) = text {
            page.string(key, text);
        }
    }
    page.number("molar_mass", *molar_mass_g_mol);
}

fn site(page: &mut Page<'_>) {
    let Site { name, id, institution, ror, contact, lat, lon, altitude_m, license } = &page.settings.site;
    if page.settings.site == Site::default() {
        return;
    }
    page.begin("site");
    let texts = [("name", name), ("id", id), ("institution", institution), ("ror", ror), ("contact", contact)];
    for (key, text) in texts.into_iter().chain([("license", license)]).filter(|(_, text)| !text.is_empty()) {
        page.string(key, text);
    }
    for (key, number) in [("lat", lat), ("lon", lon), ("altitude_m", altitude_m)] {
        page.number(key, *number);
    }
}

fn pause(page: &mut Page<'_>) {
    let Reactions { analyzer_errors, valve, clock, clock_unsynced, disk } = page.settings.pause;
    page.begin("pause");
    page.string("analyzer_errors", analyzer_errors.word());
    page.string("valve", valve.word());
    page.string("clock", clock.word());
    page.string("clock_unsynced", clock_unsynced.word());
    page.string("disk", disk.word());
}

fn access(page: &mut Page<'_>) {
    let network = &page.settings.network;
    if let Some((certificate, key)) = &network.tls {
        page.string("tls_cert", &certificate.to_string());
        page.string("tls_key", &key.to_string());
    }
    page.raw("plain_text", &network.plain_text.to_string());
    page.raw("hosts", &strings(&network.hosts));
    page.raw("origins", &strings(&network.origins));
    page.raw("max_connections", &network.max_connections.to_string());
    page.raw("max_connections_per_peer", &network.max_connections_per_peer.to_string());
    page.raw("connects_per_second", &network.connects_per_second.to_string());
    page.raw("orders_per_second", &network.orders_per_second.to_string());
    let auth = &page.settings.auth;
    page.begin("auth");
    if let Some(tokens) = &auth.tokens {
        page.string("tokens", &tokens.to_string());
    }
    page.string("loopback", if auth.loopback_open { "open" } else { "token" });
    for (key, users) in [("operators", &auth.operators), ("viewers", &auth.viewers)] {
        if let Some(users) = users {
            page.raw(key, &strings(users));
        }
    }
}

fn strings(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    format!("[{}]", words.join(", "))
}

fn analyzer(page: &mut Page<'_>) {
    let analyzer = &page.settings.analyzer;
    page.begin("analyzer");
    page.string("address", &analyzer.address);
    page.string("session", analyzer.session.word());
    page.string("task", &analyzer.task);
    page.string("stamp", analyzer.stamp.word());
    page.duration("poll", analyzer.poll);
    page.duration("grace", analyzer.grace);
    page.duration("phase_lag", analyzer.phase_lag);
    page.duration("result_lag", analyzer.result_lag);
    page.string("after_restart", analyzer.after_restart.word());
}

fn multiplexer(page: &mut Page<'_>) {
    let multiplexer = &page.settings.multiplexer;
    page.begin("multiplexer");
    // With --simulate, what is named says what is simulated.
    page.string("driver", multiplexer.named.word());
    page.raw("simulated_with_real_analyzer", &multiplexer.simulated_with_real_analyzer.to_string());
    page.raw("channels", &multiplexer.channels.to_string());
    park(page);
    page.duration("settle", multiplexer.settle);
    if let Some(section) = &multiplexer.vici {
        page.begin("multiplexer.vici");
        vici(page, section);
    }
    if let Some(section) = &multiplexer.gpio {
        page.begin("multiplexer.gpio");
        gpio(page, section);
    }
    if let Some(section) = &multiplexer.modbus {
        page.begin("multiplexer.modbus");
        modbus(page, section);
    }
}

fn gpio(page: &mut Page<'_>, section: &Gpio) {
    if let Some(chip) = &section.chip {
        page.string("chip", chip);
    }
    page.raw("units", &section.units.len().to_string());
    page.duration("pulse", section.pulse);
    page.duration("gap", section.gap);
    page.duration("travel", section.travel);
    for (number, unit) in (1..).zip(&section.units) {
        page.raw(&format!("home{number}"), &line(&unit.home));
        page.raw(&format!("next{number}"), &line(&unit.next));
        if let Some(sensor) = &unit.home_sensor {
            page.raw(&format!("home_sensor{number}"), &line(sensor));
        }
        if !unit.position.is_empty() {
            let lines: Vec<String> = unit.position.iter().map(line).collect();
            page.raw(&format!("position{number}"), &format!("[{}]", lines.join(", ")));
        }
    }
}

fn line(line: &GpioLine) -> String {
    let at = match &line.at {
        LineAt::Name(name) => quoted(name),
        LineAt::Offset(offset) => offset.to_string(),
    };
    if line.active_low { format!("{{ line = {at}, active_low = true }}") } else { at }
}

fn modbus(page: &mut Page<'_>, section: &Modbus) {
    match &section.link {
        ModbusLink::Tcp(address) => page.string("address", address),
        ModbusLink::Serial { port, baud, allow_unstable_port } => {
            page.string("port", &port.to_string_lossy());
            page.raw("baud", &baud.to_string());
            page.raw("allow_unstable_port", &allow_unstable_port.to_string());
        }
    }
    page.raw("unit", &section.unit.to_string());
    page.raw("first_coil", &section.first_coil.to_string());
    page.raw("break_before_make", &section.break_before_make.to_string());
    page.duration("gap", section.gap);
    page.duration("timeout", section.timeout);
}

fn vici(page: &mut Page<'_>, section: &Vici) {
    page.string("port", &section.port.to_string_lossy());
    page.raw("baud", &section.baud.to_string());
    if let Some(address) = &section.address {
        page.string("address", address);
    }
    page.string("dialect", section.dialect.word());
    page.string("direction", section.direction.word());
    if let Some(ports) = section.ports {
        page.raw("ports", &ports.to_string());
    }
    page.raw("write_settings", &section.write_settings.to_string());
    page.raw("allow_unstable_port", &section.allow_unstable_port.to_string());
}

fn guard(page: &mut Page<'_>) {
    let Some(guard) = &page.settings.guard else { return };
    page.begin("guard");
    if let Some(file) = &guard.file {
        page.string("file", &file.to_string_lossy());
    }
    let words: Vec<String> = guard.command.iter().map(|word| toml::Value::from(word.as_str()).to_string()).collect();
    page.raw("command", &format!("[{}]", words.join(", ")));
    page.duration("every", guard.every);
    page.duration("timeout", guard.timeout);
}

fn park(page: &mut Page<'_>) {
    match page.settings.plan.park {
        None => page.string("park", "stay"),
        Some(Channel::HOME) => page.string("park", "home"),
        Some(channel) => page.raw("park", &channel.to_string()),
    }
}

fn plan(page: &mut Page<'_>) {
    let plan = &page.settings.plan;
    page.begin("plan");
    page.duration("purge", plan.purge);
    page.duration("measure", plan.measure);
    page.raw("repeats", &plan.repeats.to_string());
    page.string("sync", plan.sync.word());
    page.raw("discard_first", &plan.discard_first.to_string());
    if let Some(background) = plan.background {
        page.raw("background", &background.channel.to_string());
        page.raw("background_every", &background.every.to_string());
    }
    page.raw("overlap", &plan.overlap.to_string());
    if let Some(directory) = &plan.directory {
        page.string("directory", &directory.to_string_lossy());
    }
}

fn channel(page: &mut Page<'_>, channel: &ChannelSettings) {
    page.string("label", &channel.label);
    page.string("kind", channel.kind.word());
    page.optional_duration("purge", channel.purge);
    page.optional_duration("measure", channel.measure);
    page.integer("iterations", channel.iterations);
    page.integer("discard_first", channel.discard_first);
    page.number("area_m2", channel.area_m2);
    page.number("volume_m3", channel.volume_m3);
    page.number("collar_offset_m", channel.collar_offset_m);
    page.number("tube_length_m", channel.tube_length_m);
    page.number("tube_id_mm", channel.tube_id_mm);
    page.string("treatment", &channel.treatment);
    page.string("plot", &channel.plot);
    page.number("lat", channel.lat);
    page.number("lon", channel.lon);
    page.string("note", &channel.note);
    if !channel.reference.is_empty() {
        let contents = channel.reference.iter();
        let contents: Vec<String> =
            contents.map(|(cas, ppm)| format!("{} = {}", quoted(&cas.0), toml::Value::Float(*ppm))).collect();
        page.raw("reference", &format!("{{ {} }}", contents.join(", ")));
    }
}

fn list(addresses: &[Listen]) -> String {
    let addresses: Vec<String> = addresses.iter().map(|address| quoted(&address.to_string())).collect();
    format!("[{}]", addresses.join(", "))
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

struct Page<'a> {
    settings: &'a Settings,
    text: String,
    section: String,
    printed: Vec<Printed>,
}

impl Page<'_> {
    fn begin(&mut self, section: &str) {
        let gap = if self.text.is_empty() { "" } else { "\n" };
        section.clone_into(&mut self.section);
        self.line(&format!("{gap}[{section}]"));
    }

    fn line(&mut self, line: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{line}");
    }

    fn raw(&mut self, key: &str, value: &str) {
        let path = format!("{}.{key}", self.section);
        let origin = self.settings.origins.get(&path).unwrap_or(&Origin::Default);
        // The name of a file may contain a line break.
        let origin = origin.to_string().replace(char::is_control, " ");
        self.line(&format!("{:<56} # {origin}", format!("{key} = {value}")));
        self.printed.push(Printed { key: path, value: value.to_owned(), origin });
    }

    fn string(&mut self, key: &str, value: &str) {
        self.raw(key, &quoted(value));
    }

    fn duration(&mut self, key: &str, value: Duration) {
        self.raw(key, &quoted(&duration::format(value)));
    }

    fn optional_duration(&mut self, key: &str, value: Option<Duration>) {
        if let Some(value) = value {
            self.duration(key, value);
        }
    }

    fn integer(&mut self, key: &str, value: Option<u32>) {
        if let Some(value) = value {
            self.raw(key, &value.to_string());
        }
    }

    fn number(&mut self, key: &str, value: Option<f64>) {
        if let Some(value) = value {
            self.raw(key, &toml::Value::Float(value).to_string());
        }
    }
}
