//! The rules of `[listen]` and `[auth]`: what other machines can reach needs tokens and TLS.
//!
//! Whether the files that are named can be read is found out when they are.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use super::address::{self, Listen};
use super::keys::{AuthSettings, ListenSettings};
use super::kind::{ValueKind, absolute, parsed, quoted};
use super::section::{Section, Source};
use super::settings::Origin;
use super::table::Keys;
use super::words::Loopback;
use super::{Environment, Overrides};

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

/// The name of a file that is kept from others, or of a credential.
pub(super) fn secret(like: &'static str) -> ValueKind<Secret> {
    parsed(
        "absolute path or \"credential:NAME\"",
        move |text| named_secret(text, like),
        |secret| quoted(&secret.to_string()),
    )
}

fn named_secret(text: &str, like: &str) -> Result<Secret, String> {
    match text.strip_prefix("credential:") {
        Some(name) if name.is_empty() || name.contains('/') || name.starts_with('.') => {
            Err(format!("is {text:?}; a credential has the name that LoadCredential= gives it, without a path"))
        }
        Some(name) => Ok(Secret::Credential(name.to_owned())),
        None => absolute(text, like).map(Secret::File),
    }
}

impl AuthSettings {
    pub(super) fn checked(mut section: Section<'_>) -> Self {
        let settings = Self::read(&mut section);
        if settings.loopback == Loopback::Token && section.place_of("tokens").is_none() {
            let place = section.place_of("loopback").unwrap_or_default();
            section.wrong(&place, "loopback is \"token\", so there must be some: name their file with tokens");
        }
        if let (None, Some(place)) = (section.place_of("operators"), section.place_of("viewers")) {
            section.wrong(&place, "viewers says who may only read, but without operators everybody may do everything");
        }
        section.finish();
        settings
    }
}

/// A listener and where it stands, if in the file.
type Placed = (Listen, Option<Range<usize>>);

impl ListenSettings {
    /// Certificate and key, for what other machines can reach.
    pub fn tls(&self) -> Option<(&Secret, &Secret)> {
        self.tls_cert.as_ref().zip(self.tls_key.as_ref())
    }

    pub(super) fn checked(
        source: &Source<'_>,
        mut section: Section<'_>,
        auth: &AuthSettings,
        overrides: &Overrides,
        environment: &Environment,
    ) -> Self {
        let mut settings = Self::read(&mut section);
        let place = section.place_of("addresses");
        if let Some(place) = place.clone().filter(|_| section.is_empty_list("addresses")) {
            section.wrong(&place, "addresses is empty, so nobody could reach gaserad; leave it out for the default");
        }
        let listeners = match place {
            _ if !overrides.listen.is_empty() => overridden(source, overrides),
            Some(_) => configured(&section),
            None => defaults(source, environment),
        };
        check_tls(&settings, &section);
        for (listen, place) in &listeners {
            for complaint in complaints(listen, &section, auth, &settings) {
                match place {
                    Some(place) => section.wrong(place, complaint),
                    None => source.wrong_outside("--listen", complaint),
                }
            }
        }
        if settings.plain_text && listeners.iter().any(|(listen, _)| address::is_beyond_loopback(listen)) {
            source.warn("plain_text: tokens and data go over the network unencrypted, and whoever sees a token has it");
        }
        section.finish();
        settings.addresses = listeners.into_iter().map(|(listen, _)| listen).collect();
        settings
    }
}

fn overridden(source: &Source<'_>, overrides: &Overrides) -> Vec<Placed> {
    source.origin("listen.addresses", Origin::Flag("--listen"));
    let read =
        |text: &String| address::listen(text).map_err(|complaint| source.wrong_outside("--listen", complaint)).ok();
    overrides.listen.iter().filter_map(read).map(|listen| (listen, None)).collect()
}

/// Those that are written rightly; what is wrong with the others has been said.
fn configured(section: &Section<'_>) -> Vec<Placed> {
    section
        .texts("addresses")
        .into_iter()
        .filter_map(|(text, place)| Some((address::listen(text).ok()?, Some(place))))
        .collect()
}

fn defaults(source: &Source<'_>, environment: &Environment) -> Vec<Placed> {
    let (addresses, origin) = environment.listen();
    source.origin("listen.addresses", origin);
    if !addresses.iter().any(|address| matches!(address, Listen::Unix(_))) {
        source.warn("$XDG_RUNTIME_DIR is not set, so there is no unix socket; name one with --listen");
    }
    addresses.into_iter().map(|listen| (listen, None)).collect()
}

/// What is missing before other machines may reach it.
fn complaints(listen: &Listen, section: &Section<'_>, auth: &AuthSettings, own: &ListenSettings) -> Vec<String> {
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
    if !has_tls && !own.plain_text {
        complaints.push(format!(
            "{text}, which needs TLS: name tls_cert and tls_key in [listen], or say plain_text = true where everybody on \
             the network may see the tokens"
        ));
    }
    complaints
}

fn check_tls(settings: &ListenSettings, section: &Section<'_>) {
    for (there, missing) in [("tls_cert", "tls_key"), ("tls_key", "tls_cert")] {
        if let (Some(place), None) = (section.place_of(there), section.place_of(missing)) {
            section.wrong(&place, format!("{there} is of no use without {missing}; name both"));
        }
    }
    if let (true, Some(_), Some(place)) = (settings.plain_text, &settings.tls_cert, section.place_of("plain_text")) {
        section.wrong(&place, "plain_text and tls_cert contradict each other; leave one of them out");
    }
}

/// `ada`, `1000` or `group:lab`.
pub(super) fn user(name: &str) -> Result<String, String> {
    let bare = name.strip_prefix("group:").unwrap_or(name);
    if bare.is_empty() || bare.chars().any(|c| c.is_whitespace() || c.is_control() || ":/".contains(c)) {
        return Err(format!("{name:?} is no user or group; write \"ada\", \"1000\" or \"group:lab\""));
    }
    Ok(name.to_owned())
}

pub(super) fn host(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let is_ip = text.starts_with('[') && text.ends_with(']');
    if is_ip || (!text.is_empty() && text.chars().all(fits)) {
        return Ok(text.to_owned());
    }
    Err(format!("{text:?} is no host; write its name alone, like \"lab-pc.example.org\"; there are no wildcards"))
}

pub(super) fn origin(text: &str) -> Result<String, String> {
    let wrong = || {
        format!(
            "{text:?} is no origin; write it like \"https://dashboard.example.org\" or \"http://lab-pc:3000\"; \
                 there are no wildcards"
        )
    };
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or_else(wrong)?;
    let (name, port) = rest.rsplit_once(':').filter(|_| !rest.ends_with(']')).unwrap_or((rest, "1"));
    if host(name).is_ok() && port.parse::<u16>().is_ok() { Ok(text.to_owned()) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_and_hosts_are_named_one_by_one() {
        for good in ["https://a.example", "http://lab-pc:3000", "http://[::1]:80", "http://[::1]"] {
            assert_eq!(origin(good), Ok(good.into()), "{good}");
        }
        for wrong in ["*", "https://*.example", "a.example", "https://a.example/", "https://a:b", "null", "https://"] {
            assert!(origin(wrong).unwrap_err().contains("no wildcards"), "{wrong}");
        }
        assert!(host("lab-pc").is_ok() && host("*").is_err() && host("lab-pc:5001").is_err() && host("").is_err());
    }

    #[test]
    fn a_secret_is_a_file_or_what_systemd_passes() {
        assert_eq!(named_secret("credential:tokens", ""), Ok(Secret::Credential("tokens".into())));
        assert_eq!(named_secret("/etc/tokens", ""), Ok(Secret::File("/etc/tokens".into())));
        for wrong in ["credential:", "credential:../x", "tokens"] {
            assert!(named_secret(wrong, "/x").is_err(), "{wrong}");
        }
    }
}
