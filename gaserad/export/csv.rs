//! `samples.csv`: the one place that knows its columns, for the live file and for exports.
//!
//! RFC 4180 with LF, a dot in numbers, empty where nothing is known.

use crate::domain::{Channel, ChannelInfo, ChannelKind, Flag, GasInfo, Sheet};

use super::row::{Measured, Row};
use super::text::Lines;

const BEFORE_GASES: [&str; 15] = [
    "time_utc",
    "time_unix_s",
    "time_read_utc",
    "run_id",
    "seq",
    "run_label",
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

/// The columns of a file with these gases.
pub fn columns(gases: &[GasInfo]) -> impl Iterator<Item = &str> {
    let gases = gases.iter().map(|gas| gas.column.as_str());
    BEFORE_GASES.into_iter().chain(gases).chain(AFTER_GASES).chain(UNMEASURED)
}

/// The first line, with a column for each gas.
pub fn header(lines: &mut Lines, gases: &[GasInfo]) {
    columns(gases).for_each(|column| lines.text(column));
    lines.end();
}

/// One record as a line under [`header`], with as many gases.
pub fn row(lines: &mut Lines, row: &Row, sheet: &Sheet) {
    lines.seconds(row.sampled);
    lines.unix_seconds(row.sampled);
    lines.seconds(row.read);
    lines.text(&sheet.run.id.0);
    lines.integer(row.seq);
    lines.text(&sheet.run.plan.label);
    lines.integer_or_empty(row.repeat);
    lines.integer_or_empty(row.visit.map(|visit| visit.0));
    lines.integer_or_empty(row.channel.map(Channel::number));
    let (label, kind) = line(row.channel, sheet);
    lines.text(label);
    lines.text(kind);
    lines.text(row.attribution.as_str());
    lines.number(row.elapsed_s);
    lines.integer_or_empty(row.sample_in_visit);
    lines.integer(u8::from(row.discard));
    for gas in &row.gases {
        lines.number(Measured::usable(*gas));
    }
    lines.integer(row.qc.code());
    flags(lines, &row.flags);
    lines.text(row.verification.as_str());
    lines.integer_or_empty(row.iteration);
    for _ in UNMEASURED {
        lines.empty();
    }
    lines.end();
}

/// Label and kind of a channel; empty without one.
pub fn line(channel: Option<Channel>, sheet: &Sheet) -> (&str, &'static str) {
    let Some(channel) = channel else { return ("", "") };
    let info: Option<&ChannelInfo> = sheet.channels.get(&channel);
    let label = info.map_or("", |info| info.label.as_str());
    (label, info.map_or(ChannelKind::default(), |info| info.kind).as_str())
}

fn flags(lines: &mut Lines, flags: &[Flag]) {
    match flags {
        [] => lines.empty(),
        [flag] => lines.text(flag.as_str()),
        flags => lines.text(&joined(flags)),
    }
}

pub fn joined(flags: &[Flag]) -> String {
    flags.iter().map(|flag| flag.as_str()).collect::<Vec<_>>().join(";")
}
