//! What the table of keys is made of: a row is a key, and a section's rows are a struct.
//!
//! A row says all that is known of its key: name, type, bounds, default, meaning, an older name, and whether a running
//! daemon takes a change of it. Reading, writing, reloading and the documents go through the rows; there is no other
//! list.

use super::kind::KeyEntry;
use super::print::SettingsPage;
use super::section::Section;

/// A key as documents show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    pub key: &'static str,
    pub renamed_from: Option<&'static str>,
    /// Line by line.
    pub meaning: &'static [&'static str],
    /// Its type and bounds.
    pub shape: String,
    /// As TOML.
    pub default: Option<String>,
    /// As TOML, for a key that is not set unless somebody wants it.
    pub example: Option<&'static str>,
    /// There is no default, and the example stands in the shipped file.
    pub is_needed: bool,
    /// A running daemon takes a change.
    pub reloads: bool,
}

/// A struct whose fields are keys.
pub(super) trait Keys {
    fn read(section: &mut Section<'_>) -> Self;
    fn write(&self, page: &mut SettingsPage<'_>);
    /// Takes from `new` what a running daemon can take.
    fn reload(&mut self, new: &Self);
    fn rows() -> Vec<KeyRow>;
}

/// What holds where a key is not set.
pub(super) fn absent<T>(entry: KeyEntry<T>) -> T {
    entry.absent
}

impl KeyRow {
    pub(super) fn of<T>(
        key: &'static str,
        renamed_from: Option<&'static str>,
        meaning: &'static [&'static str],
        reloads: bool,
        entry: KeyEntry<T>,
    ) -> Self {
        let KeyEntry { shape, default, example, is_needed, .. } = entry;
        Self { key, renamed_from, meaning, shape, default, example, is_needed, reloads }
    }
}

/// Declares a section: `keys! { struct Name { rows } }`, or `keys! { for Name { rows } }` for a struct of `domain`.
///
/// A row: its meaning as a doc comment; `reload` or `restart`; the field, which is the key unless `as "key"` says
/// otherwise; `was "old"` if it had another name; the type; the entry.
macro_rules! keys {
    ($(#[$about:meta])* struct $name:ident { $(
        $(#[doc = $meaning:literal])+
        $effect:ident $field:ident $(as $key:literal)? $(was $old:literal)? : $type:ty = $entry:expr;
    )+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name { $($(#[doc = $meaning])+ pub $field: $type,)+ }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $crate::config::table::absent::<$type>($entry),)+ }
            }
        }

        keys! { for $name { $($(#[doc = $meaning])+ $effect $field $(as $key)? $(was $old)? : $type = $entry;)+ } }
    };
    (for $name:ident { $(
        $(#[doc = $meaning:literal])+
        $effect:ident $field:ident $(as $key:literal)? $(was $old:literal)? : $type:ty = $entry:expr;
    )+ }) => {
        impl $crate::config::table::Keys for $name {
            fn read(section: &mut $crate::config::section::Section<'_>) -> Self {
                Self { $($field: section.key(keys!(@key $field $($key)?), keys!(@old $($old)?), $entry),)+ }
            }

            fn write(&self, page: &mut $crate::config::print::SettingsPage<'_>) {
                $(page.key(keys!(@key $field $($key)?), &$entry, &self.$field);)+
            }

            fn reload(&mut self, new: &Self) {
                $(if keys!(@reloads $effect) {
                    self.$field.clone_from(&new.$field);
                })+
            }

            fn rows() -> Vec<$crate::config::table::KeyRow> {
                vec![$($crate::config::table::KeyRow::of::<$type>(
                    keys!(@key $field $($key)?),
                    keys!(@old $($old)?),
                    &[$($meaning),+],
                    keys!(@reloads $effect),
                    $entry,
                ),)+]
            }
        }
    };
    (@key $field:ident) => { stringify!($field) };
    (@key $field:ident $key:literal) => { $key };
    (@old) => { None };
    (@old $old:literal) => { Some($old) };
    (@reloads reload) => { true };
    (@reloads restart) => { false };
}

/// `join! { Name { first, second } }`: the keys of two structs stand in one section.
macro_rules! join {
    ($name:ident { $first:ident: $one:ident, $second:ident: $other:ident }) => {
        impl $crate::config::table::Keys for $name {
            fn read(section: &mut $crate::config::section::Section<'_>) -> Self {
                Self { $first: $one::read(section), $second: $other::read(section) }
            }

            fn write(&self, page: &mut $crate::config::print::SettingsPage<'_>) {
                self.$first.write(page);
                self.$second.write(page);
            }

            fn reload(&mut self, new: &Self) {
                self.$first.reload(&new.$first);
                self.$second.reload(&new.$second);
            }

            fn rows() -> Vec<$crate::config::table::KeyRow> {
                [$one::rows(), $other::rows()].concat()
            }
        }
    };
}

pub(super) use {join, keys};
