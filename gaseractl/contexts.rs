//! Daemons by name, in a file of the user's.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::args::Global;
use crate::endpoint::{Endpoint, Endpoints};
use crate::failure::{Exit, Failure};
use crate::suggest;

/// What the file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contexts {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
    #[serde(default)]
    pub contexts: BTreeMap<String, Context>,
}

/// A daemon, and what it takes to talk to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    pub endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
}

/// Where they are kept; `None` for a user without a home.
pub fn file() -> Option<PathBuf> {
    let set = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let directory = set.or_else(|| Some(directories::BaseDirs::new()?.config_dir().to_owned()))?;
    Some(directory.join("gaseractl/config.toml"))
}

impl Contexts {
    /// None if there is no such file.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let wrong =
            |why: String| Failure::new(Exit::USAGE, format!("cannot read the contexts in {}: {why}", path.display()));
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(wrong(error.to_string())),
        };
        toml::from_str(&text).map_err(|error| wrong(error.to_string().trim_end().to_owned()))
    }

    /// Replaces the file as a whole, so that there is none that is half written.
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        let text = toml::to_string_pretty(self).map_err(|error| cannot_write(path, &error.to_string()))?;
        let partial = path.with_extension(format!("toml.{}.part", std::process::id()));
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&partial, text));
        written.and_then(|()| fs::rename(&partial, path)).map_err(|error| {
            // It may never have been there.
            let _ = fs::remove_file(&partial);
            cannot_write(path, &error.to_string())
        })
    }

    pub fn find(&self, name: &str) -> Result<&Context, Failure> {
        self.contexts.get(name).ok_or_else(|| self.unknown(name))
    }

    pub fn unknown(&self, name: &str) -> Failure {
        let known = self.contexts.keys().map(String::as_str);
        let hint = match suggest::nearest(name, known.clone()) {
            Some(near) => format!("did you mean {near}?"),
            None if self.contexts.is_empty() => "add one with `gaseractl context add`".to_owned(),
            None => format!("there are {}", known.collect::<Vec<_>>().join(", ")),
        };
        Failure::new(Exit::NOT_FOUND, format!("there is no context {name:?}; {hint}"))
    }
}

fn cannot_write(path: &Path, why: &str) -> Failure {
    Failure::new(Exit::FAILURE, format!("cannot write the contexts to {}: {why}; nothing was changed", path.display()))
}

impl Context {
    /// The place, with the context's files where `global` names none.
    pub fn endpoints(&self, name: &str, global: &Global) -> Result<Endpoints, Failure> {
        let endpoint: Endpoint =
            self.endpoint.parse().map_err(|error| Failure::new(Exit::USAGE, format!("context {name}: {error}")))?;
        let token = global.token_file.as_deref().or(self.token_file.as_deref());
        let certificates = global.ca_file.as_deref().or(self.ca_file.as_deref());
        Endpoints::new(Some(endpoint), token, certificates)
    }
}

/// Where to look for the daemon: an endpoint that is named, a context that is named, the current one, the usual places.
pub fn endpoints(global: &Global) -> Result<Endpoints, Failure> {
    let plain = || Endpoints::new(global.endpoint.clone(), global.token_file.as_deref(), global.ca_file.as_deref());
    if global.endpoint.is_some() {
        return plain();
    }
    let contexts = file().map(|path| Contexts::read(&path)).transpose()?.unwrap_or_default();
    match global.context.as_ref().filter(|name| !name.is_empty()).or(contexts.current.as_ref()) {
        None => plain(),
        Some(name) => contexts.find(name)?.endpoints(name, global),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_are_kept_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gaseractl/config.toml");
        assert_eq!(Contexts::read(&path).unwrap(), Contexts::default());
        let context = Context {
            endpoint: "https://barn-pc:5001".into(),
            token_file: Some("/home/ada/barn.token".into()),
            ca_file: None,
        };
        let contexts = Contexts { current: Some("barn".into()), contexts: BTreeMap::from([("barn".into(), context)]) };
        contexts.write(&path).unwrap();
        assert_eq!(Contexts::read(&path).unwrap(), contexts);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_with_a_mistake_is_shown_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, "current = \"a\"\n[contexts.a]\nendpoit = \"unix:/x\"\n").unwrap();
        let failure = Contexts::read(&path).unwrap_err();
        assert_eq!(failure.exit, Exit::USAGE);
        assert!(failure.text.contains("line 3") && failure.text.contains("endpoit"), "{failure}");
    }

    #[test]
    fn a_name_that_is_nearly_one_is_suggested() {
        let context = Context { endpoint: "unix:/x".into(), token_file: None, ca_file: None };
        let contexts = Contexts { current: None, contexts: BTreeMap::from([("barn".into(), context)]) };
        assert_eq!(contexts.unknown("bran").text, "there is no context \"bran\"; did you mean barn?");
        assert_eq!(contexts.unknown("roof").text, "there is no context \"roof\"; there are barn");
        assert!(Contexts::default().unknown("roof").text.ends_with("gaseractl context add`"));
    }
}
