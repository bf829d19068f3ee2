//! Numbers as firmware and its locale print them, and what stands where a number should: pure.
//!
//! A text that can mean two numbers is no number. One comma with three digits after it (`500,003`) is a decimal comma,
//! as a machine that prints for itself groups no thousands; but not beside a number with a decimal point.

use crate::domain::Flaw;

/// Units that a number may be glued to, and how many of them are so many ppm: the number is divided by the second and
/// multiplied by the third.
const UNITS: [(&str, f64, f64); 6] =
    [("ppmv", 1.0, 1.0), ("ppm", 1.0, 1.0), ("ppbv", 1e3, 1.0), ("ppb", 1e3, 1.0), ("vol%", 1.0, 1e4), ("%", 1.0, 1e4)];
/// Blanks and apostrophes between groups of three digits. ASCII blanks part fields.
const GROUPING: [char; 7] = ['\u{a0}', '\u{2007}', '\u{2009}', '\u{202f}', '\'', '\u{2019}', '\u{2bc}'];
const OVER: [&str; 14] = [
    "OVER",
    "OVR",
    "OVERRANGE",
    "OVERFLOW",
    "OVERLOAD",
    "OVF",
    "OFL",
    "OL",
    "HIGH",
    "HI",
    "SAT",
    "SATURATED",
    "INF",
    "INFINITY",
];
const UNDER: [&str; 8] = ["UNDER", "UDR", "UNDERRANGE", "UNDERFLOW", "UFL", "LOW", "LO", "BDL"];
/// How `printf` of the Microsoft runtime rounds its `1.#INF` to so many places.
const INFINITIES: [&str; 5] = ["INF", "IN", "I", "J", "IO"];

/// Which mark parts the fraction in the other numbers of a reply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Marks {
    point: bool,
    comma: bool,
}

impl Marks {
    /// What these texts show, as far as each can mean one thing only.
    pub(super) fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        texts.filter_map(|text| Figure::of(bare(text).0)).fold(Self::default(), |marks, (figure, _)| Self {
            point: marks.point || figure.shows_point(),
            comma: marks.comma || figure.shows_comma(),
        })
    }
}

/// The number in ppm and whether it came with a restriction (`#`), or what is there in place of a number.
pub(super) fn read(text: &str, marks: Marks) -> Result<(f64, bool), Flaw> {
    let (text, restricted) = bare(text);
    if let Some((figure, (parts, times))) = Figure::of(text) {
        let value = figure.value(marks).ok_or(Flaw::Unreadable)?;
        let ppm = value / parts * times;
        return match ppm {
            ppm if ppm.is_finite() => Ok((ppm, restricted)),
            ppm if ppm > 0.0 => Err(Flaw::OverRange),
            _ => Err(Flaw::UnderRange),
        };
    }
    Err(flaw_of(text))
}

/// Whether it is a unit that stands apart from its number.
pub(super) fn is_unit(text: &str) -> bool {
    UNITS.iter().any(|(unit, ..)| unit.eq_ignore_ascii_case(text))
}

/// Without quotes, and without the sign of a restriction.
fn bare(text: &str) -> (&str, bool) {
    let text = unquoted(text);
    text.strip_prefix('#').map_or((text, false), |rest| (unquoted(rest), true))
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text).trim()
}

/// A text of digits and marks, taken apart: `-1,234.5E+03`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Figure<'a> {
    negative: bool,
    /// Digits, points, commas and other marks of grouping.
    body: &'a str,
    exponent: Option<&'a str>,
}

impl<'a> Figure<'a> {
    /// With the unit's factors. `None` if there is anything in it that is part of no number.
    fn of(text: &'a str) -> Option<(Self, (f64, f64))> {
        let (text, factors) = without_unit(text);
        let (negative, text) = match text.chars().next()? {
            sign @ ('-' | '\u{2212}') => (true, &text[sign.len_utf8()..]),
            '+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (body, exponent) = match text.find(['e', 'E', 'd', 'D']) {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_body = body.contains(|digit: char| digit.is_ascii_digit())
            && body.chars().all(|part| part.is_ascii_digit() || matches!(part, '.' | ',') || GROUPING.contains(&part));
        let is_exponent = exponent.is_none_or(|text| digits(text.strip_prefix(['+', '-']).unwrap_or(text)));
        (is_body && is_exponent).then_some((Self { negative, body, exponent }, factors))
    }

    fn count(&self, mark: char) -> usize {
        self.body.matches(mark).count()
    }

    fn shows_point(&self) -> bool {
        match (self.count('.'), self.count(',')) {
            (1, 0) | (0, 2..) => true,
            (1, 1..) => self.body.rfind('.') > self.body.rfind(','),
            _ => false,
        }
    }

    fn shows_comma(&self) -> bool {
        match (self.count('.'), self.count(',')) {
            (0, 1) => self.exponent.is_some() || !groups(self.body, ','),
            (1.., 1) => self.body.rfind(',') > self.body.rfind('.'),
            (2.., 0) => true,
            _ => false,
        }
    }

    /// `None` if it can mean two numbers, or none.
    fn value(&self, marks: Marks) -> Option<f64> {
        let plain = match (self.count('.'), self.count(',')) {
            (0, 0) => self.ungrouped(None)?,
            (1, 0) if marks.comma && self.exponent.is_none() && groups(self.body, '.') => return None,
            (1, 0) => self.ungrouped(Some('.'))?,
            (0, 1) if marks.point && self.exponent.is_none() && groups(self.body, ',') => return None,
            (0, 1) => self.ungrouped(Some(','))?,
            (0, _) => grouped(self.body, ',')?,
            (_, 0) => grouped(self.body, '.')?,
            (points, commas) => {
                let by_point = self.body.rfind('.') > self.body.rfind(',');
                let (decimal, group, once) = if by_point { ('.', ',', points) } else { (',', '.', commas) };
                let (whole, fraction) = self.body.rsplit_once(decimal).filter(|_| once == 1)?;
                format!("{}.{}", grouped(whole, group)?, all_digits(fraction)?)
            }
        };
        let sign = if self.negative { "-" } else { "" };
        format!("{sign}{plain}e{}", self.exponent.unwrap_or("0")).parse().ok()
    }

    /// The whole part may have its thousands apart, by one kind of mark.
    fn ungrouped(&self, decimal: Option<char>) -> Option<String> {
        let (whole, fraction) = match decimal {
            Some(mark) => self.body.split_once(mark)?,
            None => (self.body, ""),
        };
        let whole = match whole.chars().find(|mark| GROUPING.contains(mark)) {
            Some(mark) => grouped(whole, mark)?,
            None => whole.to_owned(),
        };
        let fraction = if fraction.is_empty() { "0" } else { all_digits(fraction)? };
        Some(format!("{}.{fraction}", if whole.is_empty() { "0" } else { all_digits(&whole)? }))
    }
}

fn without_unit(text: &str) -> (&str, (f64, f64)) {
    for (unit, parts, times) in UNITS {
        let at = text.len().saturating_sub(unit.len());
        if let Some((number, end)) = text.split_at_checked(at)
            && end.eq_ignore_ascii_case(unit)
        {
            return (number.trim_end(), (parts, times));
        }
    }
    (text, (1.0, 1.0))
}

fn all_digits(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

/// Whether the marks may part thousands: `1,234` but not `0,234` and not `12,34`.
fn groups(text: &str, mark: char) -> bool {
    !text.starts_with('0') && grouped(text, mark).is_some()
}

/// Without the marks, if there are three digits after each and one to three before the first.
fn grouped(text: &str, mark: char) -> Option<String> {
    let mut parts = text.split(mark);
    let first = parts.next().and_then(all_digits).filter(|first| first.len() <= 3)?;
    parts.try_fold(first.to_owned(), |whole, part| Some(whole + all_digits(part).filter(|part| part.len() == 3)?))
}

/// What a text that is no number says.
fn flaw_of(text: &str) -> Flaw {
    let (sign, rest) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (Flaw::UnderRange, rest),
        None => (Flaw::OverRange, text.strip_prefix('+').unwrap_or(text)),
    };
    if let Some(flaw) = bound(text) {
        return flaw;
    }
    let rest = rest.to_ascii_uppercase();
    if let Some(name) = rest.strip_prefix("1.#").or_else(|| rest.strip_prefix("1,#")) {
        let name = name.trim_end_matches('0');
        // Rounded, what is not determined (-1.#IND) looks the same.
        let certain = INFINITIES.contains(&name) && (sign == Flaw::OverRange || name == "INF");
        return if certain { sign } else { Flaw::Unreadable };
    }
    let word: String = rest.chars().filter(|letter| !matches!(letter, '-' | '_' | '.' | ' ' | '!')).collect();
    if OVER.contains(&word.as_str()) {
        return sign;
    }
    if UNDER.contains(&word.as_str()) && sign == Flaw::OverRange { Flaw::UnderRange } else { Flaw::Unreadable }
}

/// `>5000`, `<0.1`, `<LOD`, or the sign alone.
fn bound(text: &str) -> Option<Flaw> {
    let (flaw, rest) = match text.chars().next()? {
        sign @ ('>' | '\u{2265}') => (Flaw::OverRange, &text[sign.len_utf8()..]),
        sign @ ('<' | '\u{2264}') => (Flaw::UnderRange, &text[sign.len_utf8()..]),
        _ => return None,
    };
    let rest = rest.strip_prefix('=').unwrap_or(rest).trim();
    let limit = ["", "LOD", "LOQ", "DL", "MAX", "MIN"].iter().any(|word| word.eq_ignore_ascii_case(rest));
    Some(if limit || Figure::of(rest).is_some() { flaw } else { Flaw::Unreadable })
}

#[cfg(test)]
mod tests;
