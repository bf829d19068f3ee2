//! The kinds of values: how each is read from TOML, written as TOML, and told in the reference.
//!
//! A complaint goes on after the name of the key.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::DeValue;

use super::section::FoundValue;
use super::words::Choice;
use crate::domain::duration;

type ReadValue<T> = Box<dyn Fn(&FoundValue<'_>) -> Result<T, String>>;
type WriteValue<T> = Box<dyn Fn(&T) -> Option<String>>;

/// What values a key can have.
pub(super) struct ValueKind<T> {
    /// With its bounds, as the reference tells it.
    pub shape: String,
    pub read: ReadValue<T>,
    pub write: fn(&T) -> String,
}

/// A key: its kind, and what holds where the file does not have it.
pub(super) struct KeyEntry<T> {
    pub shape: String,
    pub read: ReadValue<T>,
    pub absent: T,
    /// As TOML; `None` where it is left out.
    pub write: WriteValue<T>,
    /// As the documents tell it, as TOML.
    pub default: Option<String>,
    /// What the shipped file shows in a comment.
    pub example: Option<&'static str>,
    /// The shipped file holds the example: there is no default, and it must be said.
    pub is_needed: bool,
}

impl<T: Clone + PartialEq + 'static> ValueKind<T> {
    fn new(
        shape: impl Into<String>,
        read: impl Fn(&FoundValue<'_>) -> Result<T, String> + 'static,
        write: fn(&T) -> String,
    ) -> Self {
        Self { shape: shape.into(), read: Box::new(read), write }
    }

    pub(super) fn or(self, default: T) -> KeyEntry<T> {
        let Self { shape, read, write } = self;
        let shown = Some(write(&default));
        let write = Box::new(move |value: &T| Some(write(value)));
        KeyEntry { shape, read, absent: default, write, default: shown, example: None, is_needed: false }
    }

    /// Only these of its values.
    pub(super) fn among(self, known: &'static [T], shape: String) -> Self
    where
        T: Display,
    {
        let (read, told) = (self.read, shape.trim_start_matches("one of ").to_owned());
        let read = move |found: &FoundValue<'_>| {
            let value = read(found)?;
            if known.contains(&value) { Ok(value) } else { Err(format!("is {value}; it can be {told}")) }
        };
        Self::new(shape, read, self.write)
    }

    /// A rule decides what holds where it is not said; the documents tell the rule.
    pub(super) fn or_by_rule(self, meanwhile: T, told: &str) -> KeyEntry<T> {
        self.or(meanwhile).told(told)
    }

    pub(super) fn optional(self) -> KeyEntry<Option<T>> {
        let Self { shape, read, write } = self;
        let read: ReadValue<Option<T>> = Box::new(move |found| read(found).map(Some));
        let write = Box::new(move |value: &Option<T>| value.as_ref().map(write));
        KeyEntry { shape, read, absent: None, write, default: None, example: None, is_needed: false }
    }
}

impl<T: Clone + PartialEq + 'static> KeyEntry<T> {
    /// It is left out where it says nothing.
    pub(super) fn quiet(self) -> Self {
        let (write, absent) = (self.write, self.absent.clone());
        let write = Box::new(move |value: &T| write(value).filter(|_| *value != absent));
        Self { write, ..self }
    }

    /// The shipped file shows it with this value in a comment.
    pub(super) fn shown(self, example: &'static str) -> Self {
        Self { example: Some(example), ..self }
    }

    /// Both: it is left out where it says nothing, and shown with this value.
    pub(super) fn like(self, example: &'static str) -> Self {
        self.quiet().shown(example)
    }

    /// As the documents write the default.
    pub(super) fn told(self, default: &str) -> Self {
        Self { default: Some(default.to_owned()), ..self }
    }

    /// There is no default: the shipped file holds the example, to be replaced.
    pub(super) fn needed(self, example: &'static str) -> Self {
        Self { default: None, example: Some(example), is_needed: true, ..self }
    }
}

/// Anything else.
pub(super) fn custom<T: Clone + PartialEq + 'static>(
    shape: &str,
    read: impl Fn(&DeValue<'_>) -> Result<T, String> + 'static,
    write: fn(&T) -> String,
) -> ValueKind<T> {
    ValueKind::new(shape, move |found| read(found.value), write)
}

/// A text in which `read` finds more.
pub(super) fn parsed<T: Clone + PartialEq + 'static>(
    shape: impl Into<String>,
    read: impl Fn(&str) -> Result<T, String> + 'static,
    write: fn(&T) -> String,
) -> ValueKind<T> {
    let read = move |found: &FoundValue<'_>| match found.value {
        DeValue::String(text) => read(text),
        other => Err(format!("is {}; it must be text in quotes", name(other))),
    };
    ValueKind::new(shape, read, write)
}

/// A text that `check` lets pass, as it is.
pub(super) fn text(shape: &str, check: fn(&str) -> Result<String, String>) -> ValueKind<String> {
    parsed(shape, check, |text| quoted(text))
}

/// Any text.
pub(super) fn words() -> ValueKind<String> {
    text("text", |text| Ok(text.to_owned()))
}

/// A short text on one line.
pub(super) fn label() -> ValueKind<String> {
    const MOST: usize = 100;
    text("text, at most 100 characters", |text| {
        if text.chars().any(char::is_control) {
            return Err("contains a line break or another control character".to_owned());
        }
        let length = text.chars().count();
        if length > MOST {
            return Err(format!("has {length} characters; it can have {MOST}"));
        }
        Ok(text.trim().to_owned())
    })
}

pub(super) fn path(like: &'static str) -> ValueKind<PathBuf> {
    parsed("absolute path", |text| absolute(text, like), |path| quoted(&path.to_string_lossy()))
}

pub(super) fn absolute(text: &str, like: &str) -> Result<PathBuf, String> {
    if text.contains('\0') {
        return Err(format!("is {text:?}; no path contains a zero byte"));
    }
    let refused = || format!("is {text:?}; it must be an absolute path, like \"{like}\"");
    if Path::new(text).is_absolute() { Ok(PathBuf::from(text)) } else { Err(refused()) }
}

/// One of a few words.
pub(super) fn choice<T: Choice>() -> ValueKind<T> {
    let words: Vec<String> = T::ALL.iter().map(|(word, _)| format!("{word:?}")).collect();
    let listed = words.join(", ");
    let read = move |found: &FoundValue<'_>| {
        let DeValue::String(text) = found.value else {
            return Err(format!("is {}; it must be text in quotes", name(found.value)));
        };
        let renamed = T::RENAMED.iter().find(|(old, _)| old == text).map(|(_, new)| *new);
        if let Some(new) = renamed {
            found.warn(&format!("{} = {text:?} is written {new:?} now; the old word is still read", found.key));
        }
        let word = renamed.unwrap_or(text);
        let value = T::ALL.iter().find(|(known, _)| *known == word).map(|(_, value)| *value);
        value.ok_or_else(|| format!("is {text:?}; it can be {listed}"))
    };
    ValueKind::new(words.join(" or "), read, |value| quoted(value.word()))
}

pub(super) fn span(range: RangeInclusive<Duration>) -> ValueKind<Duration> {
    let bounds = format!("{} to {}", duration::format(*range.start()), duration::format(*range.end()));
    let shape = format!("duration, {bounds}");
    let read = move |found: &FoundValue<'_>| {
        let DeValue::String(text) = found.value else {
            let found = name(found.value);
            return Err(format!("is {found}; write a duration as text, like \"30s\" or \"5m\""));
        };
        let duration = duration::parse(text).map_err(|error| format!("is not a duration: {error}"))?;
        let duration = to_milliseconds(duration);
        if range.contains(&duration) { Ok(duration) } else { Err(format!("is {text}; it can be {bounds}")) }
    };
    ValueKind::new(shape, read, |value| quoted(&duration::format(*value)))
}

/// Nothing here is timed more finely, and it can be written out exactly.
fn to_milliseconds(duration: Duration) -> Duration {
    let rounded = duration.saturating_add(Duration::from_micros(500));
    Duration::new(rounded.as_secs(), rounded.subsec_millis() * 1_000_000)
}

/// A whole number.
pub(super) fn whole<T>(range: RangeInclusive<T>) -> ValueKind<T>
where
    T: TryFrom<u32> + PartialOrd + Display + Clone + 'static,
{
    let bounds = format!("{} to {}", range.start(), range.end());
    let shape = format!("whole number, {bounds}");
    let read = move |found: &FoundValue<'_>| {
        let DeValue::Integer(integer) = found.value else {
            return Err(format!("is {}; it must be a whole number", name(found.value)));
        };
        let number = i128::from_str_radix(integer.as_str(), integer.radix()).ok();
        let number = number.and_then(|number| T::try_from(u32::try_from(number).ok()?).ok());
        number.filter(|number| range.contains(number)).ok_or_else(|| format!("is {integer}; it can be {bounds}"))
    };
    ValueKind::new(shape, read, ToString::to_string)
}

pub(super) fn real(range: RangeInclusive<f64>) -> ValueKind<f64> {
    let bounds = format!("{} to {}", range.start(), range.end());
    let shape = format!("number, {bounds}");
    let read = move |found: &FoundValue<'_>| {
        if !matches!(found.value, DeValue::Float(_) | DeValue::Integer(_)) {
            return Err(format!("is {}; it must be a number", name(found.value)));
        }
        let number = number(found.value).filter(|number| range.contains(number));
        number.ok_or_else(|| format!("is out of range; it can be {bounds}"))
    };
    ValueKind::new(shape, read, |value| toml::Value::Float(*value).to_string())
}

pub(super) fn flag() -> ValueKind<bool> {
    let read = |value: &DeValue<'_>| match value {
        DeValue::Boolean(value) => Ok(*value),
        other => Err(format!("is {}; it must be true or false", name(other))),
    };
    custom("true or false", read, ToString::to_string)
}

/// Texts of which each that `read` refuses is a mistake of its own; its complaint is the whole sentence.
pub(super) fn list<T: Clone + PartialEq + Display + 'static>(
    shape: &str,
    read: fn(&str) -> Result<T, String>,
) -> ValueKind<Vec<T>> {
    let read = move |found: &FoundValue<'_>| {
        let items = found.value.as_array().ok_or_else(|| format!("is {}; it must be a list", name(found.value)))?;
        let read = |item: &toml::Spanned<DeValue<'_>>| {
            let text = item
                .get_ref()
                .as_str()
                .ok_or_else(|| format!("{} holds {}; each must be text in quotes", found.key, name(item.get_ref())));
            text.and_then(read).map_err(|complaint| found.source.wrong(&item.span(), complaint)).ok()
        };
        Ok(items.iter().filter_map(read).collect())
    };
    ValueKind::new(shape, read, |items: &Vec<T>| {
        let items: Vec<String> = items.iter().map(|item| quoted(&item.to_string())).collect();
        format!("[{}]", items.join(", "))
    })
}

pub(super) fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

pub(super) fn number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Float(float) => float.as_str().parse().ok(),
        DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().parse().ok(),
        _ => None,
    }
}

/// What a value is, for who wrote another.
pub(super) fn name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
