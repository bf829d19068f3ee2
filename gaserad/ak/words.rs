//! Data as words: blanks and line ends part them, double quotes hold them together.

use crate::domain::Cas;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub text: String,
    pub quoted: bool,
}

impl Word {
    /// A quoted number is a name.
    pub(super) fn number(&self) -> Option<u32> {
        let digits = !self.quoted && self.text.bytes().all(|byte| byte.is_ascii_digit());
        self.text.parse().ok().filter(|_| digits)
    }
}

pub(super) fn words(data: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = data.trim_start();
    while !rest.is_empty() {
        let ((text, after), quoted) = match rest.strip_prefix('"') {
            // A quote that is never closed reaches to the end.
            Some(inner) => (inner.split_once('"').unwrap_or((inner, "")), true),
            None => (rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())), false),
        };
        words.push(Word { text: text.to_owned(), quoted });
        rest = after.trim_start();
    }
    words
}

pub(super) fn read_bit(text: &str) -> Option<bool> {
    match text {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

/// Three numbers with hyphens between them.
pub(super) fn read_cas(text: &str) -> Option<Cas> {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let shaped = text.split('-').count() == 3 && text.split('-').all(number);
    shaped.then(|| Cas(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_words_together() {
        let texts: Vec<String> =
            words("7 \"Soil 11\" \"\"\r\nx\"y \"open end").into_iter().map(|word| word.text).collect();
        assert_eq!(texts, ["7", "Soil 11", "", "x\"y", "open end"]);
        assert_eq!(words("7 \"8\" +9").iter().map(Word::number).collect::<Vec<_>>(), [Some(7), None, None]);
    }
}
