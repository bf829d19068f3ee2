//! Reads one table key by key. Whatever is wrong is noted, a default stands in for it, and reading goes on, so that
//! all mistakes come out at once.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::kind::{self, KeyEntry, ValueKind};
use super::mistake::{Mistake, place};
use super::settings::{Origin, Origins};
use super::words::Choice;

/// A file being read, and what was noted on the way.
pub(super) struct Source<'a> {
    file: &'a str,
    text: &'a str,
    /// How a key without a section is called that is not known.
    outside: &'static str,
    pub(super) mistakes: RefCell<Vec<Mistake>>,
    pub(super) warnings: RefCell<Vec<String>>,
    pub(super) origins: RefCell<Origins>,
}

impl<'a> Source<'a> {
    pub(super) fn new(file: &'a str, text: &'a str) -> Self {
        Self {
            file,
            text,
            outside: "outside a section",
            mistakes: RefCell::default(),
            warnings: RefCell::default(),
            origins: RefCell::default(),
        }
    }

    /// A file whose keys need no section.
    pub(super) fn flat(file: &'a str, text: &'a str, outside: &'static str) -> Self {
        Self { outside, ..Self::new(file, text) }
    }

    fn mistake(&self, at: &Range<usize>, text: impl Into<String>) -> Mistake {
        let (line, column) = place(self.text, at.start);
        Mistake { file: self.file.to_owned(), line, column, text: text.into() }
    }

    pub(super) fn wrong(&self, at: &Range<usize>, text: impl Into<String>) {
        self.mistakes.borrow_mut().push(self.mistake(at, text));
    }

    /// A mistake that is not in the file.
    pub(super) fn wrong_outside(&self, place: &str, text: impl Into<String>) {
        let mistake = Mistake { file: place.to_owned(), line: 0, column: 0, text: text.into() };
        self.mistakes.borrow_mut().push(mistake);
    }

    /// What is allowed but should be known.
    pub(super) fn warn(&self, text: impl Into<String>) {
        self.warnings.borrow_mut().push(text.into());
    }

    fn warn_at(&self, at: &Range<usize>, text: impl Into<String>) {
        self.warn(self.mistake(at, text).to_string());
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

    /// All mistakes, in the order of their lines.
    pub(super) fn mistakes(&self) -> Vec<Mistake> {
        let mut mistakes = self.mistakes.take();
        mistakes.sort();
        mistakes.dedup();
        mistakes
    }
}

/// A value that stands in the file.
pub(super) struct FoundValue<'a> {
    pub key: &'static str,
    pub value: &'a DeValue<'a>,
    pub source: &'a Source<'a>,
    at: Range<usize>,
}

impl FoundValue<'_> {
    pub(super) fn warn(&self, text: &str) {
        self.source.warn_at(&self.at, text);
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
    /// Older names of those.
    older: Vec<&'static str>,
}

type WrittenKey<'a> = (&'a Spanned<Cow<'a, str>>, &'a Spanned<DeValue<'a>>);

impl<'a> Section<'a> {
    pub(super) fn root(source: &'a Source<'a>, table: &'a DeTable<'a>) -> Self {
        Self::new(source, String::new(), Some(table), 0..0)
    }

    fn new(source: &'a Source<'a>, path: String, table: Option<&'a DeTable<'a>>, at: Range<usize>) -> Self {
        Self { source, path, table, at, known: Vec::new(), older: Vec::new() }
    }

    fn find(&self, key: &str) -> Option<WrittenKey<'a>> {
        self.table?.iter().find(|(name, _)| name.get_ref().as_ref() == key)
    }

    /// What stands under `key`, or under its older name.
    fn written(&mut self, key: &'static str, old: Option<&'static str>) -> Option<WrittenKey<'a>> {
        self.known.push(key);
        self.older.extend(old);
        let (new, old) = (self.find(key), old.and_then(|old| self.find(old)));
        let (Some((name, value)), source) = (old, self.source) else { return new };
        let was = if value.get_ref().is_table() { format!("[{}]", name.get_ref()) } else { name.get_ref().to_string() };
        let is = if value.get_ref().is_table() { format!("[{}]", self.path_of(key)) } else { key.to_owned() };
        if let Some((there, _)) = new {
            let (line, column) = place(source.text, there.span().start);
            let text = format!("{was} is the older name of {is}, which stands at {line}:{column}; leave one out");
            source.wrong(&name.span(), text);
            return new;
        }
        source.warn_at(&name.span(), format!("{was} is called {is} now; the old name is still read"));
        Some((name, value))
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

    /// What is allowed but should be known.
    pub(super) fn warn(&self, text: impl Into<String>) {
        self.source.warn(text);
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
        self.find(key).map(|(_, value)| value.span())
    }

    /// The texts in the list under `key`, each with its place.
    pub(super) fn texts(&self, key: &str) -> Vec<(&'a str, Range<usize>)> {
        let items = self.find(key).and_then(|(_, value)| value.get_ref().as_array());
        items.into_iter().flatten().filter_map(|item| Some((item.get_ref().as_str()?, item.span()))).collect()
    }

    pub(super) fn is_empty_list(&self, key: &str) -> bool {
        self.find(key).and_then(|(_, value)| value.get_ref().as_array()).is_some_and(|items| items.is_empty())
    }

    /// Which of its words stands under `key`.
    pub(super) fn word<T: Choice>(&self, key: &str) -> Option<T> {
        let text = self.find(key)?.1.get_ref().as_str()?;
        T::ALL.iter().find(|(word, _)| *word == text).map(|(_, value)| *value)
    }

    /// The table under `key`.
    pub(super) fn section(&mut self, key: &'static str) -> Self {
        self.renamed_section(key, None)
    }

    /// The table under `key`, or under its older name.
    pub(super) fn renamed_section(&mut self, key: &'static str, old: Option<&'static str>) -> Self {
        let path = self.path_of(key);
        let written = self.written(key, old);
        let table = written.and_then(|(_, value)| self.table_of(&path, value));
        Self::new(self.source, path, table, written.map_or(0..0, |(name, _)| name.span()))
    }

    fn table_of(&self, path: &str, value: &'a Spanned<DeValue<'a>>) -> Option<&'a DeTable<'a>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            let found = kind::name(value.get_ref());
            self.wrong(&value.span(), format!("{path} is {found}; it must be a table, like [{path}]"));
        }
        table
    }

    /// Every table in this one, with its name.
    pub(super) fn sections(self) -> Vec<(&'a str, Self)> {
        let entries = self.table.into_iter().flat_map(DeTable::iter);
        entries
            .filter_map(|(name, value)| {
                let path = self.path_of(name.get_ref());
                let table = self.table_of(&path, value)?;
                Some((name.get_ref().as_ref(), Self::new(self.source, path, Some(table), name.span())))
            })
            .collect()
    }

    /// The value of a key of the table of keys.
    pub(super) fn key<T>(&mut self, key: &'static str, old: Option<&'static str>, entry: KeyEntry<T>) -> T {
        let value = self.read(key, old, &entry.read);
        value.unwrap_or(entry.absent)
    }

    /// The value of `key`, if it stands there and is right.
    pub(super) fn take<T>(&mut self, key: &'static str, kind: ValueKind<T>) -> Option<T> {
        self.read(key, None, kind.read)
    }

    /// The same for a key that was called `old`.
    pub(super) fn take_renamed<T>(&mut self, key: &'static str, old: &'static str, kind: ValueKind<T>) -> Option<T> {
        self.read(key, Some(old), kind.read)
    }

    fn read<T>(
        &mut self,
        key: &'static str,
        old: Option<&'static str>,
        read: impl Fn(&FoundValue<'_>) -> Result<T, String>,
    ) -> Option<T> {
        let path = self.path_of(key);
        let Some((name, value)) = self.written(key, old) else {
            self.source.origin(path, Origin::Default);
            return None;
        };
        let (line, _) = place(self.source.text, value.span().start);
        self.source.origin(path, Origin::File { file: self.source.file.to_owned(), line });
        let found = FoundValue { key, value: value.get_ref(), source: self.source, at: value.span() };
        match read(&found) {
            Ok(value) => Some(value),
            Err(complaint) => {
                self.wrong(&value.span(), format!("{} {complaint}", name.get_ref()));
                None
            }
        }
    }

    /// Notes every key that nobody asked for.
    pub(super) fn finish(self) {
        for (name, value) in self.table.into_iter().flat_map(DeTable::iter) {
            let key = name.get_ref().as_ref();
            if !self.known.contains(&key) && !self.older.contains(&key) {
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
