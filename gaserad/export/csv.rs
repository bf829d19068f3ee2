//! `samples.csv`, for the live file and for exports.
//!
//! RFC 4180 with LF, a dot in numbers, empty where nothing is known.

use crate::domain::{GasInfo, Sheet};

use super::columns::{self, Value};
use super::row::Row;
use super::text::TextLines;

/// The first line, with a column for each gas.
pub fn header(lines: &mut TextLines, gases: &[GasInfo]) {
    columns::headings(gases).for_each(|(name, ..)| lines.text(name));
    lines.end();
}

/// One sample as a line under [`header`], with as many gases.
pub fn row(lines: &mut TextLines, row: &Row, sheet: &Sheet) {
    columns::values(row, sheet).for_each(|value| field(lines, value));
    lines.end();
}

fn field(lines: &mut TextLines, value: Value<'_>) {
    match value {
        Value::Nothing | Value::Unmeasured | Value::Flags([]) => lines.empty(),
        Value::Text(text) => lines.text(text),
        Value::Word(word) => lines.text(word),
        Value::Whole(number) => lines.integer(number),
        Value::Number(number) => lines.number(Some(number)),
        Value::Time(utc) => lines.seconds(utc),
        Value::Epoch(utc) => lines.unix_seconds(utc),
        Value::Yes(yes) => lines.integer(i64::from(yes)),
        Value::Flags([flag]) => lines.text(flag.as_str()),
        Value::Flags(flags) => lines.text(&columns::joined(flags)),
    }
}
