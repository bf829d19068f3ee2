//! `samples.csv` line by line, with the columns of [`crate::export::csv`]; and the lines of the other tables of a run folder.
//!
//! RFC 4180 with LF, a dot in numbers, empty where nothing is known.

use crate::domain::{Cas, GasInfo, Record, Sheet, Utc};
use crate::export::{self, Row, TextLines};

/// The first line, with a column for each gas as the built-in table calls it.
pub fn header(gases: &[Cas]) -> String {
    header_of(&gases.iter().map(GasInfo::of).collect::<Vec<_>>())
}

/// The first line, with a column for each gas.
pub fn header_of(gases: &[GasInfo]) -> String {
    let mut lines = TextLines::default();
    export::csv::header(&mut lines, gases);
    written(&mut lines)
}

/// One record as a line under [`header_of`] the gases of the same sheet.
pub fn row(record: &Record, sheet: &Sheet) -> String {
    let mut lines = TextLines::default();
    export::csv::row(&mut lines, &Row::of(record, &sheet.gases), sheet);
    written(&mut lines)
}

fn written(lines: &mut TextLines) -> String {
    String::from_utf8_lossy(&lines.take()).into_owned()
}

/// Seconds since the epoch with up to three decimals.
pub(super) fn unix_seconds(utc: Utc) -> String {
    let millis = utc.as_micros().div_euclid(1000);
    let (seconds, rest) = (millis.div_euclid(1000), millis.rem_euclid(1000));
    if rest == 0 { seconds.to_string() } else { format!("{seconds}.{rest:03}").trim_end_matches('0').to_owned() }
}

/// A line in the making.
#[derive(Default)]
pub(super) struct CsvLine {
    text: String,
    begun: bool,
}

impl CsvLine {
    pub(super) fn text(&mut self, field: &str) {
        if self.begun {
            self.text.push(',');
        }
        self.begun = true;
        if field.contains([',', '"', '\n', '\r']) {
            self.text.push('"');
            self.text.push_str(&field.replace('"', "\"\""));
            self.text.push('"');
        } else {
            self.text.push_str(field);
        }
    }

    pub(super) fn texts(&mut self, fields: &[&str]) {
        for field in fields {
            self.text(field);
        }
    }

    pub(super) fn value(&mut self, field: Option<impl ToString>) {
        self.text(&field.map_or_else(String::new, |field| field.to_string()));
    }

    /// The shortest decimal that reads back as the same number.
    pub(super) fn number(&mut self, field: Option<f64>) {
        self.value(field.filter(|number| number.is_finite()));
    }

    pub(super) fn end(mut self) -> String {
        self.text.push('\n');
        self.text
    }
}
