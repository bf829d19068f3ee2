//! `channels.csv`: a row for each channel that was described or measured when the run began.

use std::collections::BTreeSet;

use crate::domain::{Cas, Channel, GasInfo, Sheet};
use crate::store::csv::CsvLine;

pub(super) const NAME: &str = "channels.csv";

pub(in crate::store) const BEFORE_REFERENCES: [&str; 13] = [
    "channel",
    "label",
    "kind",
    "area_m2",
    "volume_m3",
    "collar_offset_m",
    "tube_length_m",
    "tube_id_mm",
    "treatment",
    "plot",
    "lat",
    "lon",
    "note",
];

pub(super) fn text(sheet: &Sheet) -> String {
    let references = references(sheet);
    let mut header = CsvLine::default();
    header.texts(&BEFORE_REFERENCES);
    for gas in &references {
        header.text(&column(gas));
    }
    let channels: BTreeSet<Channel> =
        sheet.channels.keys().copied().chain(sheet.run.plan.channels().iter().copied()).collect();
    let rows = channels.into_iter().chain(sheet.run.plan.background.map(|background| background.channel));
    let rows: BTreeSet<Channel> = rows.collect();
    rows.into_iter().fold(header.end(), |text, channel| text + &row(sheet, channel, &references))
}

/// The gases of which a channel is known to have so much.
pub(super) fn references(sheet: &Sheet) -> Vec<GasInfo> {
    let known: BTreeSet<&Cas> = sheet.channels.values().flat_map(|line| line.reference.keys()).collect();
    let described = |cas: &&Cas| sheet.gases.iter().find(|gas| gas.cas == **cas).cloned();
    known.into_iter().map(|cas| described(&cas).unwrap_or_else(|| GasInfo::of(cas))).collect()
}

/// `co2_reference_ppm`.
pub(super) fn column(gas: &GasInfo) -> String {
    format!("{}_reference_ppm", gas.column.trim_end_matches("_ppm"))
}

fn row(sheet: &Sheet, channel: Channel, references: &[GasInfo]) -> String {
    let known = sheet.channel(channel);
    let mut line = CsvLine::default();
    line.value(Some(channel));
    line.text(&known.label);
    line.text(known.kind.as_str());
    for number in [known.area_m2, known.volume_m3, known.collar_offset_m, known.tube_length_m, known.tube_id_mm] {
        line.number(number);
    }
    line.text(&known.treatment);
    line.text(&known.plot);
    line.number(known.lat);
    line.number(known.lon);
    line.text(&known.note);
    for gas in references {
        line.number(known.reference.get(&gas.cas).copied());
    }
    line.end()
}
