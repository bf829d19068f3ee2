//! What the columns of a run's files mean: type, unit and description of each.

use crate::domain::{GasInfo, Sheet};
pub(super) use crate::export::columns::Kind;
use crate::export::columns::{self as of_a_sample, CHANNEL_KINDS};

use super::{channels, visits};

pub(super) struct TableColumn {
    pub name: String,
    pub kind: Kind,
    pub unit: &'static str,
    pub meaning: String,
    /// Of a column of one gas.
    pub gas: Option<GasInfo>,
}

type Described = (&'static str, Kind, &'static str, &'static str);

const EVENTS: [Described; 9] = [
    ("seq", Kind::Whole, "1", "the number of the event, as the event stream has it"),
    ("time_utc", Kind::Time, "", "when it was published, by the host's clock"),
    ("time_unix_s", Kind::Number, "s", "the same, seconds since 1970-01-01T00:00:00Z"),
    ("run_id", Kind::Text, "", "the run"),
    ("event", Kind::Text, "", "what kind of event it is"),
    ("channel", Kind::Whole, "1", "the channel it is about"),
    ("severity", Kind::Text, "", "of an alarm"),
    ("text", Kind::Text, "", "what happened, in words"),
    ("data", Kind::Text, "", "all of it, as JSON"),
];

const VISITS: [Described; 14] = [
    ("run_id", Kind::Text, "", "the run"),
    ("visit_id", Kind::Whole, "1", "one stay on one channel, counted from 1"),
    ("repeat", Kind::Whole, "1", "which repeat of the plan, from 1"),
    ("channel", Kind::Whole, "1", "the sample line as it is numbered on the valve, from 1"),
    ("channel_label", Kind::Text, "", "what the channel was called when the run began"),
    ("channel_kind", CHANNEL_KINDS, "", "what the channel is for"),
    ("start_utc", Kind::Time, "", "when the valve arrived"),
    ("end_utc", Kind::Time, "", "when it left, or the run ended"),
    ("start_unix_s", Kind::Number, "s", "the start, seconds since 1970-01-01T00:00:00Z"),
    ("end_unix_s", Kind::Number, "s", "the end, seconds since 1970-01-01T00:00:00Z"),
    ("duration_s", Kind::Number, "s", "from start to end"),
    ("records", Kind::Whole, "1", "results of the visit"),
    ("n", Kind::Whole, "1", "good ones among them: discard = 0 and qc = 0"),
    ("discards", Kind::Whole, "1", "the others"),
];

const CHANNELS: [Described; 13] = [
    ("channel", Kind::Whole, "1", "the sample line as it is numbered on the valve, from 1"),
    ("label", Kind::Text, "", "what it is called"),
    ("kind", CHANNEL_KINDS, "", "what it is for"),
    ("area_m2", Kind::Number, "m2", "the ground that a chamber covers"),
    ("volume_m3", Kind::Number, "m3", "what a chamber encloses, without its collar"),
    ("collar_offset_m", Kind::Number, "m", "how far the collar stands out of the ground"),
    ("tube_length_m", Kind::Number, "m", "length of the tube"),
    ("tube_id_mm", Kind::Number, "mm", "inner diameter of the tube"),
    ("treatment", Kind::Text, "", "how the ground is treated"),
    ("plot", Kind::Text, "", "the plot"),
    ("lat", Kind::Number, "degrees_north", "latitude, WGS 84"),
    ("lon", Kind::Number, "degrees_east", "longitude, WGS 84"),
    ("note", Kind::Text, "", "whatever else is to be known"),
];

pub(super) fn samples(sheet: &Sheet) -> Vec<TableColumn> {
    let column = |column: &of_a_sample::Column| plain(&(column.name, column.kind, column.unit, column.meaning));
    let (unit, meaning) = of_a_sample::OF_GAS;
    let gas = |gas: &GasInfo| of_gas(gas.column.clone(), unit, meaning, gas);
    let before = of_a_sample::BEFORE_GASES.iter().map(column);
    before.chain(sheet.gases.iter().map(gas)).chain(of_a_sample::AFTER_GASES.iter().map(column)).collect()
}

pub(super) fn events(_: &Sheet) -> Vec<TableColumn> {
    EVENTS.iter().map(plain).collect()
}

pub(super) fn visits(sheet: &Sheet) -> Vec<TableColumn> {
    let of = |gas: &GasInfo| {
        let meanings =
            [("1", "good samples with a number"), ("ppm", "their mean"), ("ppm", "their standard deviation")];
        let columns = visits::OF_GAS.iter().zip(meanings).map(|((what, suffix), (unit, meaning))| {
            let name = visits::column(&gas.column, what, suffix);
            TableColumn {
                kind: if unit == "1" { Kind::Whole } else { Kind::Number },
                ..of_gas(name, unit, meaning, gas)
            }
        });
        columns.collect::<Vec<_>>()
    };
    VISITS.iter().map(plain).chain(sheet.gases.iter().flat_map(of)).collect()
}

pub(super) fn channels(sheet: &Sheet) -> Vec<TableColumn> {
    let references = channels::references(sheet);
    let reference = |gas: &GasInfo| of_gas(channels::column(gas), "ppm", "what the gas on this line contains", gas);
    CHANNELS.iter().map(plain).chain(references.iter().map(reference)).collect()
}

fn plain(&(name, kind, unit, meaning): &Described) -> TableColumn {
    TableColumn { name: name.to_owned(), kind, unit, meaning: meaning.to_owned(), gas: None }
}

fn of_gas(name: String, unit: &'static str, meaning: &str, gas: &GasInfo) -> TableColumn {
    TableColumn { name, kind: Kind::Number, unit, meaning: format!("{}: {meaning}", gas.name), gas: Some(gas.clone()) }
}

#[cfg(test)]
mod tests {
    use super::super::events;
    use super::*;

    #[test]
    fn every_column_of_the_tables_is_described_in_its_place() {
        let names = |described: &[Described]| described.iter().map(|(name, ..)| *name).collect::<Vec<_>>();
        assert_eq!(names(&EVENTS), events::COLUMNS);
        assert_eq!(names(&VISITS), visits::BEFORE_GASES);
        assert_eq!(names(&CHANNELS), channels::BEFORE_REFERENCES);
    }
}
