//! What a running daemon takes of a configuration that was changed, and what needs a restart.

use std::collections::{BTreeMap, BTreeSet};

use super::print::list_config;
use super::settings::Settings;

/// A setting that is another one than before. A secret is a file: its name is shown, never what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingChange {
    /// Like `analyzer.poll`.
    pub key: String,
    /// As TOML; `None` where it was not set.
    pub was: Option<String>,
    pub is: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Reloaded {
    /// What is in effect now.
    pub settings: Settings,
    pub changed: Vec<SettingChange>,
    /// What differs in the file, and has no effect before a restart.
    pub needs_restart: Vec<SettingChange>,
}

/// The settings `now`, with all that a running daemon can take of those that were `read`.
pub fn reloaded(now: &Settings, read: &Settings) -> Reloaded {
    let mut settings = now.clone();
    settings.reload(read);
    let (changed, needs_restart) = (changes(now, &settings), changes(&settings, read));
    Reloaded { settings, changed, needs_restart }
}

fn changes(before: &Settings, after: &Settings) -> Vec<SettingChange> {
    let values = |settings| list_config(settings).into_iter().map(|printed| (printed.key, printed.value)).collect();
    let (mut before, mut after): (BTreeMap<String, String>, BTreeMap<String, String>) = (values(before), values(after));
    let keys: BTreeSet<String> = before.keys().chain(after.keys()).cloned().collect();
    let change = |key: String| {
        let (was, is) = (before.remove(&key), after.remove(&key));
        (was != is).then_some(SettingChange { key, was, is })
    };
    keys.into_iter().filter_map(change).collect()
}
