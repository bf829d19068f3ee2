//! Reads one table key by key. Whatever is wrong is noted, a default stands in for it, and reading goes on, so that
//! all mistakes come out at once.

use std::cell::RefCell;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistake::{Mistake, place};
use super::settings::{Choice, Origin, Origins};
use crate::domain::duration;

/// A file being read, and what was noted on the way.
pub(super) struct Source<'a> {
    file: &'a str,
    text: &'a str,
    /// How a key without a section is called that is not known.
    outside: &'static str,
    pub(super) mistakes: RefCell<Vec<Mistake>>,
    pub(super) origins: RefCell<Origins>,
}

impl<'a> Source<'a> {
    pub(super) fn new(file: &'a str, text: &'a str) -> Self {
        let outside = "outside a section";
        Self { file, text, outside, mistakes: RefCell::default(), origins: RefCell::default() }
    }

    /// A file whose keys need no section.
    pub(super) fn flat(file: &'a str, text: &'a str, outside: &'static str) -> Self {
        Self { outside, ..Self::new(file, text) }
    }

    pub(super) fn wrong(&self, at: &Range<usize>, text: impl Into<String>) {
        let (line, column) = place(self.text, at.start);
        self.mistakes.borrow_mut().push(Mistake { file: self.file.to_owned(), line, column, text: text.into() });
    }

    /// A mistake that is not in the file.
    pub(super) fn wrong_outside(&self, place: &str, text: impl Into<String>) {
        let mistake = Mistake { file: place.to_owned(), line: 0, column: 0, text: text.into() };
        self.mistakes.borrow_mut().push(mistake);
    }

    /// What is written in one way is known by another.
    pub(super) fn rename(&self, written: &str, path: String) {
        let mut origins = self.origins.borrow_mut();
        if let Some(origin) = origins.remove(written) {
            origins.insert(path, origin);
        }
    }

    pub(super) fn origin(&self, path: impl Into<String>, origin: Origin) {
        self.origins.borrow_mut().insert(path.into(), origin);
    }
}

/// One table, or its absence.
pub(super) struct Section<'a> {
    source: &'a Source<'a>,
    /// `multiplexer.vici`; empty for the whole document.
    path: String,
    table: Option<&'a DeTable<'a>>,
    /// Where its name stands.
    at: Range<usize>,
    known: Vec<&'static str>,
}

type Entry<'a> = (&'a Spanned<std::borrow::Cow<'a, str>>, &'a Spanned<DeValue<'a>>);

impl<'a> Section<'a> {
    pub(super) fn root(source: &'a Source<'a>, table: &'a DeTable<'a>) -> Self {
        Self { source, path: String::new(), table: Some(table), at: 0..0, known: Vec::new() }
    }

    fn entry(&mut self, key: &'static str) -> Option<Entry<'a>> {
        self.known.push(key);
        self.table?.iter().find(|(name, _)| name.get_ref().as_ref() == key)
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(super) fn wrong(&self, at: &Range<usize>, text: impl Into<String>) {
        self.source.wrong(at, text);
    }

    /// A mistake of the section as a whole.
    pub(super) fn wrong_here(&self, text: impl Into<String>) {
        self.source.wrong(&self.at, text);
    }

    /// Something that has to be said is not said.
    pub(super) fn missing(&self, text: impl Into<String>) {
        if self.is_there() { self.wrong_here(text) } else { self.source.wrong_outside(self.source.file, text) }
    }

    /// As if it were not there.
    pub(super) fn ignored(self) -> Self {
        Self { table: None, ..self }
    }

    pub(super) const fn is_there(&self) -> bool {
        self.table.is_some()
    }

    /// Where the value of `key` stands, if it does.
    pub(super) fn place_of(&self, key: &str) -> Option<Range<usize>> {
        self.table?.iter().find(|(name, _)| name.get_ref().as_ref() == key).map(|(_, value)| value.span())
    }

    /// The table under `key`.
    pub(super) fn section(&mut self, key: &'static str) -> Section<'a> {
        let path = self.path_of(key);
        let entry = self.entry(key);
        let table = entry.and_then(|(_, value)| self.table_of(&path, value));
        let at = entry.map_or(0..0, |(name, _)| name.span());
        Section { source: self.source, path, table, at, known: Vec::new() }
    }

    fn table_of(&self, path: &str, value: &'a Spanned<DeValue<'a>>) -> Option<&'a DeTable<'a>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            let found = kind(value.get_ref());
            self.wrong(&value.span(), format!("{path} is {found}; it must be a table, like [{path}]"));
        }
        table
    }

    /// Every table in this one, with its name.
    pub(super) fn sections(self) -> Vec<(&'a str, Section<'a>)> {
        let entries = self.table.into_iter().flat_map(DeTable::iter);
        entries
            .filter_map(|(name, value)| {
                let path = self.path_of(name.get_ref());
                let table = self.table_of(&path, value)?;
                let (table, at) = (Some(table), name.span());
                let section = Section { source: self.source, path, table, at, known: Vec::new() };
                Some((name.get_ref().as_ref(), section))
            })
            .collect()
    }

    /// The value of `key` as `read` understands it; the complaint of `read` goes on after the key's name.
    pub(super) fn read<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&'a DeValue<'a>) -> Result<T, String>,
    ) -> Option<T> {
        let path = self.path_of(key);
        let Some((_, value)) = self.entry(key) else {
            self.source.origin(path, Origin::Default);
            return None;
        };
        let (line, _) = place(self.source.text, value.span().start);
        self.source.origin(path, Origin::File { file: self.source.file.to_owned(), line });
        match read(value.get_ref()) {
            Ok(value) => Some(value),
            Err(complaint) => {
                self.wrong(&value.span(), format!("{key} {complaint}"));
                None
            }
        }
    }

    pub(super) fn string(&mut self, key: &'static str) -> Option<String> {
        self.checked(key, |text| Ok(text.to_owned()))
    }

    /// A string that `check` understands; its complaint goes on after the key's name.
    pub(super) fn checked<T>(
        &mut self,
        key: &'static str,
        check: impl FnOnce(&'a str) -> Result<T, String>,
    ) -> Option<T> {
        self.read(key, |value| match value {
            DeValue::String(text) => check(text),
            other => Err(format!("is {}; it must be text in quotes", kind(other))),
        })
    }

    pub(super) fn choice<T: Choice>(&mut self, key: &'static str, default: T) -> T {
        self.optional_choice(key).unwrap_or(default)
    }

    pub(super) fn optional_choice<T: Choice>(&mut self, key: &'static str) -> Option<T> {
        self.checked(key, |text| {
            let found = T::ALL.iter().find(|(word, _)| *word == text);
            found.map(|(_, value)| *value).ok_or_else(|| {
                let words: Vec<String> = T::ALL.iter().map(|(word, _)| format!("{word:?}")).collect();
                format!("is {text:?}; it can be {}", words.join(", "))
            })
        })
    }

    pub(super) fn duration(
        &mut self,
        key: &'static str,
        default: Duration,
        range: RangeInclusive<Duration>,
    ) -> Duration {
        self.optional_duration(key, range).unwrap_or(default)
    }

    pub(super) fn optional_duration(&mut self, key: &'static str, range: RangeInclusive<Duration>) -> Option<Duration> {
        self.read(key, |value| {
            let DeValue::String(text) = value else {
                return Err(format!("is {}; write a duration as text, like \"30s\" or \"5m\"", kind(value)));
            };
            let duration = duration::parse(text).map_err(|error| format!("is not a duration: {error}"))?;
            let duration = to_milliseconds(duration);
            let shown = duration::format;
            let refused = || format!("is {text}; it can be {} to {}", shown(*range.start()), shown(*range.end()));
            if range.contains(&duration) { Ok(duration) } else { Err(refused()) }
        })
    }

    pub(super) fn boolean(&mut self, key: &'static str, default: bool) -> bool {
        self.optional_boolean(key).unwrap_or(default)
    }

    pub(super) fn optional_boolean(&mut self, key: &'static str) -> Option<bool> {
        self.read(key, |value| match value {
            DeValue::Boolean(value) => Ok(*value),
            other => Err(format!("is {}; it must be true or false", kind(other))),
        })
    }

    pub(super) fn integer(&mut self, key: &'static str, default: u32, range: RangeInclusive<u32>) -> u32 {
        self.optional_integer(key, range).unwrap_or(default)
    }

    pub(super) fn optional_integer(&mut self, key: &'static str, range: RangeInclusive<u32>) -> Option<u32> {
        self.read(key, |value| {
            let DeValue::Integer(integer) = value else {
                return Err(format!("is {}; it must be a whole number", kind(value)));
            };
            let number = i128::from_str_radix(integer.as_str(), integer.radix()).ok();
            let number = number.and_then(|number| u32::try_from(number).ok()).filter(|number| range.contains(number));
            number.ok_or_else(|| format!("is {integer}; it can be {} to {}", range.start(), range.end()))
        })
    }

    pub(super) fn number(&mut self, key: &'static str, range: RangeInclusive<f64>) -> Option<f64> {
        self.read(key, |value| {
            if !matches!(value, DeValue::Float(_) | DeValue::Integer(_)) {
                return Err(format!("is {}; it must be a number", kind(value)));
            }
            let refused = || format!("is out of range; it can be {} to {}", range.start(), range.end());
            number(value).filter(|number| range.contains(number)).ok_or_else(refused)
        })
    }

    /// A list of strings, each with its place.
    pub(super) fn list(&mut self, key: &'static str) -> Option<Vec<(&'a str, Range<usize>)>> {
        let source = self.source;
        self.read(key, |value| {
            let items = value.as_array().ok_or_else(|| format!("is {}; it must be a list", kind(value)))?;
            let strings = items.iter().filter_map(|item| {
                let text = item.get_ref().as_str();
                if text.is_none() {
                    let found = kind(item.get_ref());
                    source.wrong(&item.span(), format!("{key} holds {found}; each must be text in quotes"));
                }
                Some((text?, item.span()))
            });
            Ok(strings.collect())
        })
    }

    /// A key that is known, and means nothing here.
    pub(super) fn nothing(&mut self, key: &'static str) {
        self.known.push(key);
    }

    /// Notes every key that nobody asked for.
    pub(super) fn finish(self) {
        for (name, value) in self.table.into_iter().flat_map(DeTable::iter) {
            let key = name.get_ref().as_ref();
            if !self.known.contains(&key) {
                let what = match (value.get_ref().is_table(), self.path.as_str()) {
                    (true, _) => format!("[{}] is not a section", self.path_of(key)),
                    (false, "") => format!("{key} is not a key {}", self.source.outside),
                    (false, path) => format!("{key} is not a key of [{path}]"),
                };
                self.wrong(&name.span(), format!("{what}; {}", suggestion(key, &self.known)));
            }
        }
    }
}

/// Nothing here is timed more finely, and it can be written out exactly.
fn to_milliseconds(duration: Duration) -> Duration {
    let rounded = duration.saturating_add(Duration::from_micros(500));
    Duration::new(rounded.as_secs(), rounded.subsec_millis() * 1_000_000)
}

/// Further away than this, a similar key is no help.
const SIMILAR: f64 = 0.75;

pub(super) fn suggestion(key: &str, known: &[&str]) -> String {
    let alike = |other: &str| strsim::jaro_winkler(&key.to_lowercase(), &other.to_lowercase());
    let nearest = known.iter().max_by(|a, b| alike(a).total_cmp(&alike(b)));
    match nearest {
        Some(nearest) if alike(nearest) >= SIMILAR => format!("did you mean {nearest}?"),
        _ => format!("known are {}", known.join(", ")),
    }
}

pub(super) fn number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Float(float) => float.as_str().parse().ok(),
        DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().parse().ok(),
        _ => None,
    }
}

pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
