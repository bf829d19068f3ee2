//! `samples.csv`: the one place that knows its columns, for the live file and for exports.
//!
//! RFC 4180 with LF, a dot in numbers, empty where nothing is known.

use crate::domain::{Cas, Flag, GasInfo, Record, Sheet, Utc};

const BEFORE_GASES: [&str; 15] = [
    "time_utc",
    "time_unix_s",
    "time_read_utc",
    "run_id",
    "seq",
    "programme",
    "repeat",
    "visit_id",
    "channel",
    "channel_label",
    "channel_kind",
    "attribution",
    "elapsed_s",
    "sample_in_visit",
    "discard",
];

const AFTER_GASES: [&str; 4] = ["qc", "qc_flags", "position_verified", "iteration"];

/// Nothing measures these yet: their columns are there, and empty.
const UNMEASURED: [&str; 4] = ["cell_temp_c", "cell_pressure_hpa", "air_temp_c", "air_pressure_hpa"];

/// The first line, with a column for each gas as the built-in table calls it.
pub fn header(gases: &[Cas]) -> String {
    header_of(&gases.iter().map(GasInfo::of).collect::<Vec<_>>())
}

/// The first line, with a column for each gas.
pub fn header_of(gases: &[GasInfo]) -> String {
    let mut line = Line::default();
    let before = BEFORE_GASES.into_iter().chain(gases.iter().map(|gas| gas.column.as_str()));
    for column in before.chain(AFTER_GASES).chain(UNMEASURED) {
        line.text(column);
    }
    line.end()
}

/// One record as a line under [`header_of`] the gases of the same sheet.
pub fn row(record: &Record, sheet: &Sheet) -> String {
    let mut line = Line::default();
    line.text(&record.sampled.to_seconds_string());
    line.text(&unix_seconds(record.sampled));
    line.text(&record.read.to_seconds_string());
    line.text(&record.run.0);
    line.value(Some(record.seq));
    line.text(&sheet.run.plan.label);
    line.value(record.repeat);
    line.value(record.visit.map(|visit| visit.0));
    line.value(record.channel);
    let channel = record.channel.map(|channel| sheet.channels.get(&channel));
    line.text(channel.flatten().map_or("", |known| &known.label));
    line.text(channel.map_or("", |known| known.map(|known| known.kind).unwrap_or_default().as_str()));
    line.text(record.attribution.as_str());
    line.number(record.elapsed_s);
    line.value(record.sample_in_visit);
    line.value(Some(u8::from(record.discard)));
    for gas in &sheet.gases {
        let reading = record.sample.readings.iter().find(|reading| reading.cas == gas.cas);
        // A gas that still clings to the tubes has a number, but none to use.
        line.number(reading.filter(|reading| !reading.discard).and_then(|reading| reading.ppm));
    }
    line.value(Some(record.qc.code()));
    line.text(&record.flags.iter().map(|flag| Flag::as_str(*flag)).collect::<Vec<_>>().join(";"));
    line.text(record.verification.as_str());
    line.value(record.iteration);
    for _ in UNMEASURED {
        line.text("");
    }
    line.end()
}

/// Seconds since the epoch with up to three decimals.
pub(super) fn unix_seconds(utc: Utc) -> String {
    let millis = utc.as_micros().div_euclid(1000);
    let (seconds, rest) = (millis.div_euclid(1000), millis.rem_euclid(1000));
    if rest == 0 { seconds.to_string() } else { format!("{seconds}.{rest:03}").trim_end_matches('0').to_owned() }
}

/// A line in the making.
#[derive(Default)]
pub(super) struct Line {
    text: String,
    begun: bool,
}

impl Line {
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
