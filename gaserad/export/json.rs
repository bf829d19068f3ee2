//! JSON Lines: an object for each record, with the names of the columns of `samples.csv`.

use super::columns::{self, Value};
use super::text::{self, TextLines};
use super::{ExportJob, Row, TextLayout};
use crate::domain::Utc;

pub const LAYOUT: TextLayout = TextLayout { header: |_, _| (), row };

/// What nothing measures yet is left out.
fn row(job: &ExportJob, lines: &mut TextLines, row: &Row) {
    let mut out = Vec::with_capacity(512);
    let values = columns::values(row, job.sheet(row));
    for ((name, ..), value) in columns::headings(&job.gases).zip(values) {
        if value != Value::Unmeasured {
            out.push(if out.is_empty() { b'{' } else { b',' });
            quoted(&mut out, name);
            out.push(b':');
            property(&mut out, value);
        }
    }
    out.push(b'}');
    lines.bytes(&out);
    lines.end();
}

fn property(out: &mut Vec<u8>, value: Value<'_>) {
    match value {
        Value::Nothing | Value::Unmeasured | Value::Text("") => out.extend_from_slice(b"null"),
        Value::Text(text) => quoted(out, text),
        Value::Word(word) => quoted(out, word),
        Value::Whole(number) => text::integer(out, number),
        Value::Number(number) => text::number(out, number),
        Value::Time(utc) => time(out, utc),
        Value::Epoch(utc) => text::unix_seconds(out, utc),
        Value::Yes(yes) => out.extend_from_slice(if yes { b"true" } else { b"false" }),
        Value::Flags(flags) => {
            out.push(b'[');
            for (place, flag) in flags.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                quoted(out, flag.as_str());
            }
            out.push(b']');
        }
    }
}

/// To the millisecond, as events have it.
fn time(out: &mut Vec<u8>, utc: Utc) {
    out.push(b'"');
    text::seconds(out, utc, b'T');
    let millis = utc.as_micros().div_euclid(1000).rem_euclid(1000);
    let digit = |number: i64| b'0' + u8::try_from(number).unwrap_or(0);
    out.extend_from_slice(&[b'.', digit(millis / 100), digit(millis / 10 % 10), digit(millis % 10)]);
    out.extend_from_slice(b"Z\"");
}

fn quoted(out: &mut Vec<u8>, text: &str) {
    // A vector takes whatever is written to it.
    let _ = serde_json::to_writer(out, text);
}
