//! `[listen]` and `[auth]`: where gaserad can be reached, by whom, and how often.
//!
//! What other machines can reach needs tokens and TLS. Whether the files that are named can be read is found out when
//! they are.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use super::check::absolute;
use super::section::{Section, Source};
use super::settings::{Choice, Listen, Origin};
use super::{Environment, Overrides, address};

/// What goes for every listener on a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkSettings {
    /// Certificate and key, for what other machines can reach.
    pub tls: Option<(Secret, Secret)>,
    /// Other machines are answered without TLS.
    pub plain_text: bool,
    /// Names that browsers may call this machine by.
    pub hosts: Vec<String>,
    /// Pages from elsewhere that may ask.
    pub origins: Vec<String>,
    /// Beside streams.
    pub max_connections: u32,
    pub max_connections_per_peer: u32,
    pub connects_per_second: u32,
    pub orders_per_second: u32,
}

/// Who may do what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthSettings {
    pub tokens: Option<Secret>,
    /// Everybody on the loopback interface may do everything.
    pub loopback_open: bool,
    /// Users and groups of the unix socket.
    pub operators: Option<Vec<String>>,
    pub viewers: Option<Vec<String>>,
}

/// A file that is kept from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secret {
    File(PathBuf),
    /// One that systemd passes (`LoadCredential=`), by its name.
    Credential(String),
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Credential(name) => write!(f, "credential:{name}"),
        }
    }
}

fn secret(text: &str, like: &str) -> Result<Secret, String> {
    match text.strip_prefix("credential:") {
        Some(name) if name.is_empty() || name.contains('/') || name.starts_with('.') => {
            Err(format!("is {text:?}; a credential has the name that LoadCredential= gives it, without a path"))
        }
        Some(name) => Ok(Secret::Credential(name.to_owned())),
        None => absolute(text, like).map(Secret::File),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loopback {
    Open,
    Token,
}

impl Choice for Loopback {
    const ALL: &'static [(&'static str, Self)] = &[("open", Self::Open), ("token", Self::Token)];
}

pub(super) fn auth(mut section: Section<'_>) -> AuthSettings {
    let tokens = section.checked("tokens", |text| secret(text, "/etc/gaserad/tokens"));
    let loopback = section.choice("loopback", Loopback::Open);
    if loopback == Loopback::Token && section.place_of("tokens").is_none() {
        let place = section.place_of("loopback").unwrap_or_default();
        section.wrong(&place, "loopback is \"token\", so there must be some: name their file with tokens");
    }
    let operators = users(&mut section, "operators");
    let viewers = users(&mut section, "viewers");
    if let (None, Some(place)) = (&operators, section.place_of("viewers")) {
        section.wrong(&place, "viewers says who may only read, but without operators everybody may do everything");
    }
    section.finish();
    AuthSettings { tokens, loopback_open: loopback == Loopback::Open, operators, viewers }
}

fn users(section: &mut Section<'_>, key: &'static str) -> Option<Vec<String>> {
    let names = section.list(key)?;
    let mut users = Vec::new();
    for (name, place) in names {
        let bare = name.strip_prefix("group:").unwrap_or(name);
        if bare.is_empty() || bare.chars().any(|c| c.is_whitespace() || c.is_control() || ":/".contains(c)) {
            section.wrong(&place, format!("{name:?} is no user or group; write \"ada\", \"1000\" or \"group:lab\""));
        } else {
            users.push(name.to_owned());
        }
    }
    Some(users)
}

/// A listener and where it stands, if in the file.
type Placed = (Listen, Option<Range<usize>>);

pub(super) fn listen(
    source: &Source<'_>,
    mut section: Section<'_>,
    auth: &AuthSettings,
    overrides: &Overrides,
    environment: &Environment,
    warnings: &mut Vec<String>,
) -> (Vec<Listen>, NetworkSettings) {
    let configured = addresses(&mut section);
    let network = network(&mut section);
    let listeners: Vec<Placed> = if overrides.listen.is_empty() {
        configured.unwrap_or_else(|| defaults(source, environment, warnings))
    } else {
        source.origin("listen.addresses", Origin::Flag("--listen"));
        let read =
            |text: &String| address::listen(text).map_err(|complaint| source.wrong_outside("--listen", complaint)).ok();
        overrides.listen.iter().filter_map(read).map(|listen| (listen, None)).collect()
    };
    for (listen, place) in &listeners {
        for complaint in complaints(listen, &section, auth, &network) {
            match place {
                Some(place) => section.wrong(place, complaint),
                None => source.wrong_outside("--listen", complaint),
            }
        }
    }
    if network.plain_text && listeners.iter().any(|(listen, _)| address::is_beyond_loopback(listen)) {
        warnings.push(
            "plain_text: tokens and data go over the network unencrypted, and whoever sees a token has it".into(),
        );
    }
    section.finish();
    (listeners.into_iter().map(|(listen, _)| listen).collect(), network)
}

fn addresses(section: &mut Section<'_>) -> Option<Vec<Placed>> {
    let addresses = section.list("addresses")?;
    if addresses.is_empty() {
        let place = section.place_of("addresses").unwrap_or_default();
        section.wrong(&place, "addresses is empty, so nobody could reach gaserad; leave it out for the default");
    }
    let read = |(text, place): (&str, Range<usize>)| match address::listen(text) {
        Ok(listen) => Some((listen, Some(place))),
        Err(complaint) => {
            section.wrong(&place, complaint);
            None
        }
    };
    Some(addresses.into_iter().filter_map(read).collect())
}

fn defaults(source: &Source<'_>, environment: &Environment, warnings: &mut Vec<String>) -> Vec<Placed> {
    let (addresses, origin) = environment.listen();
    source.origin("listen.addresses", origin);
    if !addresses.iter().any(|address| matches!(address, Listen::Unix(_))) {
        warnings.push("$XDG_RUNTIME_DIR is not set, so there is no unix socket; name one with --listen".into());
    }
    addresses.into_iter().map(|listen| (listen, None)).collect()
}

/// What is missing before other machines may reach it.
fn complaints(listen: &Listen, section: &Section<'_>, auth: &AuthSettings, network: &NetworkSettings) -> Vec<String> {
    let mut complaints = Vec::new();
    if !address::is_beyond_loopback(listen) {
        return complaints;
    }
    let text = format!("{:?} can be reached from other machines", listen.to_string());
    if auth.tokens.is_none() {
        complaints.push(format!(
            "{text}, which needs tokens: name their file with tokens in [auth]; `gaserad new-token` makes one"
        ));
    }
    let has_tls = section.place_of("tls_cert").or_else(|| section.place_of("tls_key")).is_some();
    if !has_tls && !network.plain_text {
        complaints.push(format!(
            "{text}, which needs TLS: name tls_cert and tls_key in [listen], or say plain_text = true where everybody on \
             the network may see the tokens"
        ));
    }
    complaints
}

fn network(section: &mut Section<'_>) -> NetworkSettings {
    let certificate = section.checked("tls_cert", |text| secret(text, "/etc/gaserad/cert.pem"));
    let key = section.checked("tls_key", |text| secret(text, "/etc/gaserad/key.pem"));
    for (there, missing) in [("tls_cert", "tls_key"), ("tls_key", "tls_cert")] {
        if let (Some(place), None) = (section.place_of(there), section.place_of(missing)) {
            section.wrong(&place, format!("{there} is of no use without {missing}; name both"));
        }
    }
    let plain_text = section.boolean("plain_text", false);
    if let (true, Some(_), Some(place)) = (plain_text, &certificate, section.place_of("plain_text")) {
        section.wrong(&place, "plain_text and tls_cert contradict each other; leave one of them out");
    }
    NetworkSettings {
        tls: certificate.zip(key),
        plain_text,
        hosts: checked_list(section, "hosts", host),
        origins: checked_list(section, "origins", origin),
        max_connections: section.integer("max_connections", 1000, 10..=100_000),
        max_connections_per_peer: section.integer("max_connections_per_peer", 64, 1..=100_000),
        connects_per_second: section.integer("connects_per_second", 20, 1..=100_000),
        orders_per_second: section.integer("orders_per_second", 6, 1..=100_000),
    }
}

fn checked_list(section: &mut Section<'_>, key: &'static str, check: fn(&str) -> Result<(), String>) -> Vec<String> {
    let mut good = Vec::new();
    for (text, place) in section.list(key).unwrap_or_default() {
        match check(text) {
            Ok(()) => good.push(text.to_owned()),
            Err(complaint) => section.wrong(&place, complaint),
        }
    }
    good
}

fn host(text: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let is_ip = text.starts_with('[') && text.ends_with(']');
    if is_ip || (!text.is_empty() && text.chars().all(fits)) {
        return Ok(());
    }
    Err(format!("{text:?} is no host; write its name alone, like \"lab-pc.example.org\"; there are no wildcards"))
}

fn origin(text: &str) -> Result<(), String> {
    let wrong = || {
        format!(
            "{text:?} is no origin; write it like \"https://dashboard.example.org\" or \"http://lab-pc:3000\"; \
                 there are no wildcards"
        )
    };
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or_else(wrong)?;
    let (name, port) = rest.rsplit_once(':').filter(|_| !rest.ends_with(']')).unwrap_or((rest, "1"));
    if host(name).is_ok() && port.parse::<u16>().is_ok() { Ok(()) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_and_hosts_are_named_one_by_one() {
        for good in ["https://a.example", "http://lab-pc:3000", "http://[::1]:80", "http://[::1]"] {
            assert_eq!(origin(good), Ok(()), "{good}");
        }
        for wrong in ["*", "https://*.example", "a.example", "https://a.example/", "https://a:b", "null", "https://"] {
            assert!(origin(wrong).unwrap_err().contains("no wildcards"), "{wrong}");
        }
        assert!(host("lab-pc").is_ok() && host("*").is_err() && host("lab-pc:5001").is_err() && host("").is_err());
    }

    #[test]
    fn a_secret_is_a_file_or_what_systemd_passes() {
        assert_eq!(secret("credential:tokens", ""), Ok(Secret::Credential("tokens".into())));
        assert_eq!(secret("/etc/tokens", ""), Ok(Secret::File("/etc/tokens".into())));
        for wrong in ["credential:", "credential:../x", "tokens"] {
            assert!(secret(wrong, "/x").is_err(), "{wrong}");
        }
    }
}
