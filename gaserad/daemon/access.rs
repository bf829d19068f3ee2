//! Reads what the settings name for who may ask: tokens, certificate, users of this machine.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::DaemonFailure;
use crate::api::auth::{
    Cookies, Directory, Key, Names, Rate, RateLimits, Role, Seats, Token, Tokens, Users, hex, is_name,
};
use crate::api::tls::{self, Certificate, TlsError};
use crate::api::{Access, Bound};
use crate::config::{ConfigError, Loopback, Mistake, Origin, Secret, Settings};

/// How long a connection may take to ask for something.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// In the state directory: what cookies are signed with.
const KEY_FILE: &str = "cookie.key";

/// What was read.
#[derive(Default)]
pub struct Material {
    tokens: Tokens,
    operators: Option<Users>,
    viewers: Option<Users>,
    directory: Directory,
    pub certificate: Option<Certificate>,
    /// What is wrong only because of who reads it.
    pub unreadable: Vec<Mistake>,
}

impl Material {
    /// Reads everything; every mistake at once.
    pub fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let mut reading = FileReading { settings, mistakes: Vec::new(), unreadable: Vec::new() };
        let list = |path| fs::read_to_string(path).unwrap_or_default();
        let directory = Directory::parse(&list("/etc/passwd"), &list("/etc/group"));
        let tokens = settings.auth.tokens.as_ref().map_or_else(Tokens::default, |secret| reading.tokens(secret));
        let operators = reading.users("operators", settings.auth.operators.as_deref(), &directory);
        let viewers = reading.users("viewers", settings.auth.viewers.as_deref(), &directory);
        let certificate = settings.listen.tls().and_then(|(certificate, key)| reading.certificate(certificate, key));
        let FileReading { mistakes, unreadable, .. } = reading;
        if !mistakes.is_empty() {
            return Err(ConfigError(mistakes));
        }
        Ok(Self { tokens, operators, viewers, directory, certificate, unreadable })
    }

    /// The same, where it must be readable.
    pub fn need(settings: &Settings) -> Result<Self, ConfigError> {
        let mut material = Self::read(settings)?;
        let unreadable = std::mem::take(&mut material.unreadable);
        if unreadable.is_empty() { Ok(material) } else { Err(ConfigError(unreadable)) }
    }

    /// What a listener must have: TLS beyond the loopback interface, and tokens.
    pub fn secure(&self, bound: Bound, settings: &Settings) -> Result<Bound, DaemonFailure> {
        if !bound.is_beyond_loopback() {
            return Ok(bound);
        }
        let missing = if self.tokens.is_empty() {
            "tokens: name their file with tokens in [auth]"
        } else if self.certificate.is_none() && !settings.listen.plain_text {
            "TLS: name tls_cert and tls_key in [listen], or say plain_text = true"
        } else {
            return Ok(match &self.certificate {
                Some(certificate) => bound.with_tls(certificate.acceptor()),
                None => bound,
            });
        };
        let text = format!("{} can be reached from other machines, which needs {missing}", bound.name());
        let (file, line) = place(settings, "listen.addresses");
        Err(ConfigError(vec![Mistake { file, line, column: usize::from(line > 0), text }]).into())
    }

    pub fn access(self, settings: &Settings, cookies: Arc<Cookies>) -> Access {
        let listen = &settings.listen;
        let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let seated = size(listen.max_connections);
        Access {
            tokens: self.tokens,
            cookies,
            loopback_open: settings.auth.loopback == Loopback::Open,
            operators: self.operators,
            viewers: self.viewers,
            own_uid: rustix::process::geteuid().as_raw(),
            directory: self.directory,
            names: Names { hosts: listen.hosts.clone(), origins: listen.origins.clone() },
            limits: RateLimits {
                connects: Rate::per_second(listen.connects_per_second),
                controls: Rate::per_second(listen.orders_per_second),
                ..RateLimits::default()
            },
            rates: Arc::default(),
            seats: Seats {
                // Readers of streams wait at the door too, before they have asked for one.
                waiting: settings.stream.max_connections.saturating_add(seated),
                seated,
                per_peer: size(listen.max_connections_per_peer),
            },
            head_within: HEAD_WITHIN,
        }
    }
}

/// Where a setting stands: its file and line.
fn place(settings: &Settings, path: &str) -> (String, usize) {
    match settings.origins.get(path) {
        Some(Origin::File { file, line }) => (file.clone(), *line),
        Some(origin) => (origin.to_string(), 0),
        None => ("defaults".into(), 0),
    }
}

struct FileReading<'a> {
    settings: &'a Settings,
    mistakes: Vec<Mistake>,
    unreadable: Vec<Mistake>,
}

impl FileReading<'_> {
    /// A mistake of the setting at `path`.
    fn wrong(&mut self, path: &str, text: String) {
        let (file, line) = place(self.settings, path);
        self.mistakes.push(Mistake { file, line, column: usize::from(line > 0), text });
    }

    fn path(&mut self, key: &str, secret: &Secret) -> Option<PathBuf> {
        let name = match secret {
            Secret::File(path) => return Some(path.clone()),
            Secret::Credential(name) => name,
        };
        if let Some(directory) = std::env::var_os("CREDENTIALS_DIRECTORY") {
            return Some(Path::new(&directory).join(name));
        }
        let (file, line) = place(self.settings, key);
        let text = format!(
            "{key} is the credential {name}, and systemd passed none; put LoadCredential={name}:/path into the unit"
        );
        self.unreadable.push(Mistake { file, line, column: usize::from(line > 0), text });
        None
    }

    fn tokens(&mut self, secret: &Secret) -> Tokens {
        let Some(path) = self.path("auth.tokens", secret) else { return Tokens::default() };
        let file = path.display().to_string();
        let mistake = |line, text: String| Mistake { file: file.clone(), line, column: usize::from(line > 0), text };
        let text = match read_secret(&path) {
            Ok(text) => text,
            Err(error) => {
                let told = mistake(0, format!("the tokens cannot be read: {error}"));
                let to = if error.kind() == ErrorKind::PermissionDenied && !error.to_string().contains("mode") {
                    &mut self.unreadable
                } else {
                    &mut self.mistakes
                };
                to.push(told);
                return Tokens::default();
            }
        };
        match Tokens::parse(&text) {
            Ok(tokens) if tokens.is_empty() => {
                self.mistakes.push(mistake(0, "there is no token in it; `gaserad new-token` makes one".into()));
                tokens
            }
            Ok(tokens) => tokens,
            Err(wrong) => {
                self.mistakes.extend(wrong.into_iter().map(|wrong| mistake(wrong.line, wrong.text)));
                Tokens::default()
            }
        }
    }

    fn users(&mut self, key: &str, names: Option<&[String]>, directory: &Directory) -> Option<Users> {
        match directory.find(names?) {
            Ok(users) => Some(users),
            Err(complaint) => {
                self.wrong(&format!("auth.{key}"), format!("{key}: {complaint}"));
                None
            }
        }
    }

    fn certificate(&mut self, certificate: &Secret, key: &Secret) -> Option<Certificate> {
        let (certificate, key) = (self.path("listen.tls_cert", certificate)?, self.path("listen.tls_key", key)?);
        match tls::load(&certificate, &key) {
            Ok(certificate) => Some(certificate),
            Err(error) => {
                self.refuse_tls(&error);
                None
            }
        }
    }

    fn refuse_tls(&mut self, error: &TlsError) {
        let (file, line) = place(self.settings, "listen.tls_cert");
        let mistake = Mistake { file, line, column: usize::from(line > 0), text: error.to_string() };
        let to = if error.is_permission() { &mut self.unreadable } else { &mut self.mistakes };
        to.push(mistake);
    }
}

/// The text of a file that others may not read.
fn read_secret(path: &Path) -> io::Result<String> {
    let about = fs::metadata(path)?;
    match tls::others_may(&about) {
        Some(mode) => {
            let text = format!("others can get at it (its mode is {mode:03o}); run `chmod 640 {}`", path.display());
            Err(io::Error::other(text))
        }
        None => fs::read_to_string(path),
    }
}

/// What cookies are signed with: made once, and kept, so that browsers stay logged in when the daemon restarts.
pub fn cookie_key(state: &Path) -> Result<Key, DaemonFailure> {
    let path = state.join(KEY_FILE);
    let failed =
        |error: io::Error| anyhow::Error::new(error).context(format!("cannot keep a key in {}", path.display()));
    if let Ok(bytes) = fs::read(&path)
        && let Ok(key) = Key::try_from(bytes.as_slice())
    {
        return Ok(key);
    }
    let mut key = Key::default();
    getrandom::fill(&mut key).map_err(|error| failed(io::Error::other(error.to_string())))?;
    let aside = state.join("cookie.key.new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside).map_err(failed)?;
    file.write_all(&key).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&aside, &path)).map_err(failed)?;
    Ok(key)
}

/// Makes a token, and its line for the file of tokens, which is appended to `file` if there is one.
pub fn new_token(role: Role, name: &str, file: Option<&Path>) -> Result<(String, Option<String>), DaemonFailure> {
    if !is_name(name) {
        let text = format!("{name:?} is no name for a token; it has up to 64 letters, digits and -_.@");
        return Err(DaemonFailure::usage(text));
    }
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string())).map_err(anyhow::Error::new)?;
    let token = hex(&random);
    let line = Token::line(role, name, &token);
    let Some(file) = file else { return Ok((token, Some(line))) };
    let failed = |error: io::Error| anyhow::Error::new(error).context(format!("cannot add to {}", file.display()));
    let old = match fs::read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        old => old.map_err(failed)?,
    };
    let gap = if old.is_empty() || old.ends_with('\n') { "" } else { "\n" };
    if let Err(mistakes) = Tokens::parse(&format!("{old}{gap}{line}\n")) {
        let mistakes: Vec<String> =
            mistakes.iter().map(|wrong| format!("{}:{}:1: {}", file.display(), wrong.line, wrong.text)).collect();
        return Err(DaemonFailure::usage(mistakes.join("\n")));
    }
    let mut opened = OpenOptions::new().append(true).create(true).mode(0o640).open(file).map_err(failed)?;
    opened.write_all(format!("{gap}{line}\n").as_bytes()).and_then(|()| opened.sync_all()).map_err(failed)?;
    Ok((token, None))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::config::{self, Environment, Overrides};

    fn settings(text: &str) -> Settings {
        let environment = Environment { system: true, ..Environment::default() };
        let simulated = Overrides { simulate: true, ..Overrides::default() };
        config::parse(text, "gaserad.toml", &simulated, &environment).unwrap()
    }

    fn with_tokens(path: &Path, text: &str, mode: u32) -> Result<Material, ConfigError> {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        Material::need(&settings(&format!("[auth]\ntokens = \"{}\"\n", path.display())))
    }

    #[test]
    fn tokens_are_read_from_a_file_that_others_cannot_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        let line = Token::line(Role::Viewer, "screen", "x");
        assert!(with_tokens(&path, &line, 0o640).unwrap().tokens.find("x").is_some());
        let told = |text: &str, mode| with_tokens(&path, text, mode).err().unwrap().to_string();
        assert!(told(&line, 0o644).contains("(its mode is 644); run `chmod 640 "), "{}", told(&line, 0o644));
        assert!(told("\nviewer x y\n", 0o600).contains("tokens:2:1: the third word"), "{}", told("\nx", 0o600));
        assert!(told("# none\n", 0o600).contains("there is no token in it"));
        let gone = Material::need(&settings("[auth]\ntokens = \"/nonexistent/tokens\"\n")).err().unwrap();
        assert!(gone.to_string().starts_with("/nonexistent/tokens: the tokens cannot be read: No such file"), "{gone}");
    }

    #[test]
    fn a_new_token_is_known_by_the_line_that_was_added() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        let (ada, line) = new_token(Role::Operator, "ada", Some(&path)).unwrap();
        assert_eq!(line, None);
        let (screen, _) = new_token(Role::Viewer, "screen", Some(&path)).unwrap();
        let tokens = Tokens::parse(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(
            (tokens.find(&ada).unwrap().name.as_str(), tokens.find(&screen).unwrap().role),
            ("ada", Role::Viewer)
        );
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o027, 0);
        assert!(
            new_token(Role::Viewer, "ada", Some(&path)).unwrap_err().sentence().contains("tokens:3:1: the name ada")
        );
        assert!(new_token(Role::Viewer, "a b", None).unwrap_err().sentence().contains("no name"));
        let (token, line) = new_token(Role::Viewer, "x", None).unwrap();
        assert!(Tokens::parse(&line.unwrap()).unwrap().find(&token).is_some());
    }

    #[test]
    fn what_is_named_wrongly_is_told_with_its_line() {
        let text = "[listen]\ntls_cert = \"/nonexistent/c\"\ntls_key = \"credential:key\"\n[auth]\noperators = \
                    [\"no-such-user\"]\n";
        let told = Material::read(&settings(text)).err().unwrap().to_string();
        assert!(told.contains("gaserad.toml:5:1: operators: there is no user no-such-user"), "{told}");
        let need = Material::need(&settings("[auth]\ntokens = \"credential:tokens\"\n")).err().unwrap().to_string();
        assert!(need.contains("gaserad.toml:2:1: auth.tokens is the credential tokens"), "{need}");
    }

    #[test]
    fn the_key_is_made_once_and_kept_from_others() {
        let folder = tempfile::tempdir().unwrap();
        let key = cookie_key(folder.path()).unwrap();
        assert_eq!(cookie_key(folder.path()).unwrap(), key);
        let mode = fs::metadata(folder.path().join(KEY_FILE)).unwrap().permissions().mode();
        assert_eq!((mode & 0o777, key == Key::default()), (0o600, false));
        fs::write(folder.path().join(KEY_FILE), "short").unwrap();
        assert_ne!(cookie_key(folder.path()).unwrap(), key);
    }
}
