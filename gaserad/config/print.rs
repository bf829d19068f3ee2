//! The settings in effect as a file that reads back to the same, each line with its origin.

use std::fmt::Write;

use super::kind::KeyEntry;
use super::settings::{Origin, Settings};
use super::table::Keys;

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

fn page(settings: &Settings) -> SettingsPage<'_> {
    let mut page = SettingsPage { settings, text: String::new(), section: String::new(), printed: Vec::new() };
    if settings.simulate {
        page.text.push_str("# analyzer and multiplexer are simulated (--simulate)\n");
    }
    settings.write(&mut page);
    page
}

pub(super) struct SettingsPage<'a> {
    settings: &'a Settings,
    text: String,
    section: String,
    printed: Vec<Printed>,
}

impl SettingsPage<'_> {
    pub(super) fn section(&mut self, name: &str, keys: &impl Keys) {
        let gap = if self.text.is_empty() { "" } else { "\n" };
        name.clone_into(&mut self.section);
        self.line(&format!("{gap}[{name}]"));
        keys.write(self);
    }

    pub(super) fn optional(&mut self, name: &str, keys: Option<&impl Keys>) {
        if let Some(keys) = keys {
            self.section(name, keys);
        }
    }

    pub(super) fn key<T>(&mut self, key: &str, entry: &KeyEntry<T>, value: &T) {
        let Some(value) = (entry.write)(value) else { return };
        let path = format!("{}.{key}", self.section);
        let origin = self.settings.origins.get(&path).unwrap_or(&Origin::Default);
        // The name of a file may contain a line break.
        let origin = origin.to_string().replace(char::is_control, " ");
        self.line(&format!("{:<56} # {origin}", format!("{key} = {value}")));
        self.printed.push(Printed { key: path, value, origin });
    }

    fn line(&mut self, line: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{line}");
    }
}
