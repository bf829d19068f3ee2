//! Enums whose variants are words: the variants and what files, events and the database call them are one list.

/// Declares an enum of variants without fields, each with its word.
macro_rules! worded {
    (
        $(#[$about:meta])*
        pub enum $name:ident { $( $(#[$meaning:meta])* $variant:ident = $word:literal, )+ }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $( $(#[$meaning])* #[serde(rename = $word)] $variant, )+
        }

        impl $name {
            /// In the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The words of [`Self::ALL`].
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            pub const fn as_str(self) -> &'static str {
                Self::WORDS[self as usize]
            }

            pub fn named(word: &[u8]) -> Option<Self> {
                Self::WORDS.iter().position(|known| known.as_bytes() == word).map(|place| Self::ALL[place])
            }
        }
    };
}

pub(super) use worded;
