//! Fields and lines as bytes, without memory for each of them.

use std::io::Write;

use crate::domain::{Utc, Wanted};

const DAY_S: i64 = 86_400;
/// 0001-01-01 and the day after 9999-12-31, in seconds since 1970: what is written with four digits of year.
const YEARS: std::ops::Range<i64> = -62_135_596_800..253_402_300_800;

/// Lines of delimited fields in the making.
#[derive(Debug, Clone)]
pub struct TextLines {
    bytes: Vec<u8>,
    delimiter: u8,
    decimal_comma: bool,
    begun: bool,
}

impl Default for TextLines {
    fn default() -> Self {
        Self::new(b',', false)
    }
}

impl TextLines {
    pub const fn new(delimiter: u8, decimal_comma: bool) -> Self {
        Self { bytes: Vec::new(), delimiter, decimal_comma, begun: false }
    }

    pub fn wanted(wanted: &Wanted) -> Self {
        Self::new(u8::try_from(wanted.delimiter()).unwrap_or(b','), wanted.decimal_comma)
    }

    /// What is written so far; it begins anew.
    pub fn take(&mut self) -> Vec<u8> {
        let more = self.bytes.capacity();
        std::mem::replace(&mut self.bytes, Vec::with_capacity(more))
    }

    pub fn end(&mut self) {
        self.bytes.push(b'\n');
        self.begun = false;
    }

    pub fn empty(&mut self) {
        if self.begun {
            self.bytes.push(self.delimiter);
        }
        self.begun = true;
    }

    pub fn text(&mut self, field: &str) {
        self.empty();
        let field = field.as_bytes();
        let special = |byte: &u8| matches!(byte, b'"' | b'\n' | b'\r') || *byte == self.delimiter;
        if !field.iter().any(special) {
            self.bytes.extend_from_slice(field);
            return;
        }
        self.bytes.push(b'"');
        for byte in field {
            if *byte == b'"' {
                self.bytes.push(b'"');
            }
            self.bytes.push(*byte);
        }
        self.bytes.push(b'"');
    }

    pub fn texts(&mut self, fields: &[&str]) {
        for field in fields {
            self.text(field);
        }
    }

    pub fn integer(&mut self, field: impl Into<i64>) {
        self.empty();
        integer(&mut self.bytes, field.into());
    }

    pub fn integer_or_empty(&mut self, field: Option<impl Into<i64>>) {
        match field {
            Some(field) => self.integer(field),
            None => self.empty(),
        }
    }

    /// The shortest decimal that reads back as the same number; empty where there is none.
    pub fn number(&mut self, field: Option<f64>) {
        self.empty();
        if let Some(field) = field.filter(|number| number.is_finite()) {
            let from = self.bytes.len();
            number(&mut self.bytes, field);
            self.decimal(from);
        }
    }

    /// `2026-01-15T08:03:12Z`, to the second.
    pub fn seconds(&mut self, utc: Utc) {
        self.empty();
        seconds(&mut self.bytes, utc, b'T');
        self.bytes.push(b'Z');
    }

    /// `2026-01-15 08:03:12`, as R and most tools read it.
    pub fn plain_seconds(&mut self, utc: Utc) {
        self.empty();
        seconds(&mut self.bytes, utc, b' ');
    }

    /// `2026-01-15`
    pub fn date(&mut self, utc: Utc) {
        self.plain_seconds(utc);
        self.bytes.truncate(self.bytes.len() - " 08:03:12".len());
    }

    /// `08:03:12`
    pub fn time(&mut self, utc: Utc) {
        self.plain_seconds(utc);
        let date = self.bytes.len() - "2026-01-15 08:03:12".len();
        self.bytes.drain(date..date + "2026-01-15 ".len());
    }

    pub fn unix_seconds(&mut self, utc: Utc) {
        self.empty();
        let from = self.bytes.len();
        unix_seconds(&mut self.bytes, utc);
        self.decimal(from);
    }

    pub fn bytes(&mut self, field: &[u8]) {
        self.empty();
        self.bytes.extend_from_slice(field);
    }

    /// Goes on with the field that was begun last.
    pub fn append(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
    }

    fn decimal(&mut self, from: usize) {
        if self.decimal_comma
            && let Some(point) = self.bytes[from..].iter().position(|byte| *byte == b'.')
        {
            self.bytes[from + point] = b',';
        }
    }
}

pub fn integer(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// The shortest decimal without an exponent that reads back as the same number.
pub fn number(out: &mut Vec<u8>, value: f64) {
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    // Of two decimals as short and as near, which only numbers with sixteen digits have, Rust takes the other one.
    if text.contains('e') || text.len() >= 16 {
        display(out, value);
    } else {
        out.extend_from_slice(text.strip_suffix(".0").unwrap_or(text).as_bytes());
    }
}

/// As Rust writes it.
fn display(out: &mut Vec<u8>, value: f64) {
    // A vector takes whatever is written to it.
    let _ = write!(out, "{value}");
}

/// Two digits of each part of a date and a time; `between` stands between these.
pub fn seconds(out: &mut Vec<u8>, utc: Utc, between: u8) {
    let whole = utc.as_micros().div_euclid(1_000_000);
    if !YEARS.contains(&whole) {
        let text = utc.to_seconds_string();
        out.extend(text.trim_end_matches('Z').bytes().map(|byte| if byte == b'T' { between } else { byte }));
        return;
    }
    let (year, month, day) = date(whole.div_euclid(DAY_S));
    let second = whole.rem_euclid(DAY_S);
    let mut text = *b"0000-00-00 00:00:00";
    put(&mut text, 0, year / 100);
    put(&mut text, 2, year % 100);
    put(&mut text, 5, month);
    put(&mut text, 8, day);
    text[10] = between;
    put(&mut text, 11, second / 3600);
    put(&mut text, 14, second / 60 % 60);
    put(&mut text, 17, second % 60);
    out.extend_from_slice(&text);
}

fn put(text: &mut [u8; 19], at: usize, number: i64) {
    let digit = |number: i64| b'0' + u8::try_from(number).unwrap_or(0);
    text[at] = digit(number / 10);
    text[at + 1] = digit(number % 10);
}

/// Year, month and day of a day counted from 1970-01-01. A year begins in March here, so that its last day is the one
/// that leap years add.
fn date(day: i64) -> (i64, i64, i64) {
    let since_era = day + 719_468;
    let (era, of_era) = (since_era.div_euclid(146_097), since_era.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year_of_era, month + 3) } else { (year_of_era + 1, month - 9) };
    (era * 400 + year, month, day)
}

/// Seconds since the epoch with up to three decimals.
pub fn unix_seconds(out: &mut Vec<u8>, utc: Utc) {
    let millis = utc.as_micros().div_euclid(1000);
    let (seconds, rest) = (millis.div_euclid(1000), millis.rem_euclid(1000));
    integer(out, seconds);
    if rest > 0 {
        let digits = [rest / 100, rest / 10 % 10, rest % 10].map(|digit| b'0' + u8::try_from(digit).unwrap_or(0));
        let last = digits.iter().rposition(|digit| *digit != b'0').unwrap_or(0);
        out.push(b'.');
        out.extend_from_slice(&digits[..=last]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    proptest! {
        #[test]
        fn numbers_are_those_that_rust_writes(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            prop_assert_eq!(written(|out| number(out, value)), value.to_string());
        }

        #[test]
        fn numbers_of_gases_are_those_that_rust_writes(value in -1e5f64..1e6) {
            prop_assert_eq!(written(|out| number(out, value)), value.to_string());
        }

        #[test]
        fn times_are_those_that_the_library_writes(micros in -62_135_596_800_000_000i64..253_402_300_799_000_000) {
            let utc = Utc::from_micros(micros);
            let text = written(|out| seconds(out, utc, b'T')) + "Z";
            prop_assert_eq!(text, utc.to_seconds_string());
        }
    }

    #[test]
    fn numbers_at_the_edges_are_written_without_an_exponent() {
        for value in [
            0.0,
            -0.0,
            1e-7,
            1e21,
            f64::MAX,
            f64::MIN_POSITIVE,
            415.0,
            0.004_456_1,
            123_456_789_012_345_680.0,
            185_109_167_557_825.63,
        ] {
            assert_eq!(written(|out| number(out, value)), value.to_string());
        }
    }

    #[test]
    fn seconds_since_the_epoch_have_as_many_decimals_as_they_need() {
        for (micros, text) in [
            (1_768_464_192_345_678, "1768464192.345"),
            (1_768_464_192_300_000, "1768464192.3"),
            (1_768_464_192_000_999, "1768464192"),
            (1_768_464_192_040_000, "1768464192.04"),
        ] {
            assert_eq!(written(|out| unix_seconds(out, Utc::from_micros(micros))), text);
        }
    }

    #[test]
    fn fields_are_quoted_where_they_must_be_and_decimals_set_off_as_asked() {
        let mut lines = TextLines::new(b';', true);
        lines.text("a;b");
        lines.text("c,\"d\"");
        lines.number(Some(1.5));
        lines.number(None);
        lines.unix_seconds(Utc::from_micros(1_500_000));
        lines.end();
        assert_eq!(String::from_utf8(lines.take()).unwrap(), "\"a;b\";\"c,\"\"d\"\"\";1,5;;1,5\n");
    }
}
