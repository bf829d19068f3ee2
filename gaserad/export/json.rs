//! JSON Lines: an object for each record, with the names of the columns of `samples.csv`.

use super::row::Measured;
use super::tables::Layout;
use super::text::{self, Lines};
use super::{Job, Row, csv};
use crate::domain::{Channel, Utc};

pub const LAYOUT: Layout = Layout { header: |_, _| (), row };

fn row(job: &Job, lines: &mut Lines, row: &Row) {
    let sheet = job.sheet(row);
    let (label, kind) = csv::line(row.channel, sheet);
    let mut object = Object { out: Vec::with_capacity(512) };
    object.time("time_utc", row.sampled);
    object.key("time_unix_s");
    text::unix_seconds(&mut object.out, row.sampled);
    object.time("time_read_utc", row.read);
    object.text("run_id", &sheet.run.id.0);
    object.integer("seq", Some(row.seq));
    object.text("run_label", &sheet.run.plan.label);
    object.integer("repeat", row.repeat);
    object.integer("visit_id", row.visit.map(|visit| visit.0));
    object.integer("channel", row.channel.map(Channel::number));
    object.text("channel_label", label);
    object.text("channel_kind", kind);
    object.text("attribution", row.attribution.as_str());
    object.number("elapsed_s", row.elapsed_s);
    object.integer("sample_in_visit", row.sample_in_visit);
    object.flag("discard", row.discard);
    for (gas, measured) in job.gases.iter().zip(&row.gases) {
        object.number(&gas.column, Measured::usable(*measured));
    }
    object.integer("qc", Some(row.qc.code()));
    object.key("qc_flags");
    object.list(row.flags.iter().map(|flag| flag.as_str()));
    object.text("position_verified", row.verification.as_str());
    object.integer("iteration", row.iteration);
    object.out.push(b'}');
    lines.bytes(&object.out);
    lines.end();
}

/// An object in the making.
struct Object {
    out: Vec<u8>,
}

impl Object {
    fn key(&mut self, name: &str) {
        self.out.push(if self.out.is_empty() { b'{' } else { b',' });
        quoted(&mut self.out, name);
        self.out.push(b':');
    }

    fn text(&mut self, name: &str, value: &str) {
        self.key(name);
        if value.is_empty() {
            self.out.extend_from_slice(b"null");
        } else {
            quoted(&mut self.out, value);
        }
    }

    /// To the millisecond, as events have it.
    fn time(&mut self, name: &str, utc: Utc) {
        self.key(name);
        self.out.push(b'"');
        text::seconds(&mut self.out, utc, b'T');
        let millis = utc.as_micros().div_euclid(1000).rem_euclid(1000);
        let digit = |number: i64| b'0' + u8::try_from(number).unwrap_or(0);
        self.out.extend_from_slice(&[b'.', digit(millis / 100), digit(millis / 10 % 10), digit(millis % 10)]);
        self.out.extend_from_slice(b"Z\"");
    }

    fn integer(&mut self, name: &str, value: Option<impl Into<i64>>) {
        self.key(name);
        match value {
            Some(value) => text::integer(&mut self.out, value.into()),
            None => self.out.extend_from_slice(b"null"),
        }
    }

    fn number(&mut self, name: &str, value: Option<f64>) {
        self.key(name);
        match value.filter(|number| number.is_finite()) {
            Some(value) => text::number(&mut self.out, value),
            None => self.out.extend_from_slice(b"null"),
        }
    }

    fn flag(&mut self, name: &str, value: bool) {
        self.key(name);
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }

    fn list<'a>(&mut self, words: impl Iterator<Item = &'a str>) {
        self.out.push(b'[');
        for (place, word) in words.enumerate() {
            if place > 0 {
                self.out.push(b',');
            }
            quoted(&mut self.out, word);
        }
        self.out.push(b']');
    }
}

fn quoted(out: &mut Vec<u8>, text: &str) {
    // A vector takes whatever is written to it.
    let _ = serde_json::to_writer(out, text);
}
