//! The columns of a sample: one table of name, type, unit, meaning, and how each is taken from a row.
//!
//! `samples.csv`, JSON Lines, Parquet, NetCDF, the Table Schema of `datapackage.json` and the reference in `docs/data.md`
//! are made from it. The columns of the gases stand between [`BEFORE_GASES`] and [`AFTER_GASES`].

use crate::domain::{Attribution, Channel, ChannelKind, Flag, GasInfo, Qc, Sheet, Utc, Verification};

use super::row::{Measured, Row};

/// What is in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Whole,
    /// More than four bytes may be needed.
    Long,
    Number,
    Time,
    Words(&'static [&'static str]),
    /// Numbers, each with a word for it.
    Codes(&'static [(u8, &'static str)]),
    /// 1 or 0, with the words for 0 and 1.
    Yes([&'static str; 2]),
    /// Words of [`Flag`], as many as there are.
    Flags,
}

/// What a row has in a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// It is not known.
    Nothing,
    /// Nothing measures it yet.
    Unmeasured,
    Text(&'a str),
    Word(&'static str),
    Whole(i64),
    Number(f64),
    Time(Utc),
    /// As seconds since 1970.
    Epoch(Utc),
    Yes(bool),
    Flags(&'a [Flag]),
}

impl Value<'_> {
    fn whole(value: Option<impl Into<i64>>) -> Self {
        value.map_or(Self::Nothing, |value| Self::Whole(value.into()))
    }

    fn number(value: Option<f64>) -> Self {
        value.filter(|value| value.is_finite()).map_or(Self::Nothing, Self::Number)
    }

    /// What a row says of one gas.
    pub fn of_gas(gas: Measured) -> Self {
        Self::number(gas.usable())
    }
}

/// A column that every file has, whatever its gases.
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
    pub unit: &'static str,
    pub meaning: &'static str,
    /// Whether every row has a value.
    pub always: bool,
    /// What its variable in NetCDF is called, where it has one for each sample: what depends on the run or the channel
    /// alone stands there once.
    pub variable: Option<&'static str>,
    pub value: for<'a> fn(&'a Row, &'a Sheet) -> Value<'a>,
}

impl Column {
    const fn new(
        name: &'static str,
        kind: Kind,
        unit: &'static str,
        meaning: &'static str,
        value: for<'a> fn(&'a Row, &'a Sheet) -> Value<'a>,
    ) -> Self {
        Self { name, kind, unit, meaning, always: true, variable: Some(name), value }
    }

    /// Some rows have no value.
    const fn optional(self) -> Self {
        Self { always: false, ..self }
    }

    const fn variable(self, variable: Option<&'static str>) -> Self {
        Self { variable, ..self }
    }

    /// Nothing measures it yet: the column is there, and empty.
    const fn unmeasured(name: &'static str, unit: &'static str, meaning: &'static str) -> Self {
        Self::new(name, Kind::Number, unit, meaning, |_, _| Value::Unmeasured).optional().variable(None)
    }
}

pub const CHANNEL_KINDS: Kind = Kind::Words(&{
    let mut words = [""; ChannelKind::ALL.len()];
    let mut place = 0;
    while place < words.len() {
        words[place] = ChannelKind::ALL[place].0;
        place += 1;
    }
    words
});

pub const BEFORE_GASES: [Column; 15] = [
    Column::new("time_utc", Kind::Time, "", "when the gas was drawn, by the host's clock", |row, _| {
        Value::Time(row.sampled)
    })
    .variable(Some("time")),
    Column::new("time_unix_s", Kind::Number, "s", "the same, seconds since 1970-01-01T00:00:00Z", |row, _| {
        Value::Epoch(row.sampled)
    })
    .variable(None),
    Column::new("time_read_utc", Kind::Time, "", "when the result was read from the analyzer", |row, _| {
        Value::Time(row.read)
    })
    .variable(Some("time_read")),
    Column::new("run_id", Kind::Text, "", "the run", |_, sheet| Value::Text(&sheet.run.id.0)).variable(None),
    Column::new("seq", Kind::Whole, "1", "counts the samples of the run from 1, without gaps", |row, _| {
        Value::Whole(row.seq.into())
    }),
    Column::new("run_label", Kind::Text, "", "the label of the plan", |_, sheet| Value::Text(&sheet.run.plan.label))
        .variable(None),
    Column::new("repeat", Kind::Whole, "1", "which repeat of the plan, from 1", |row, _| Value::whole(row.repeat))
        .optional(),
    Column::new("visit_id", Kind::Whole, "1", "one stay on one channel; see visits.csv", |row, _| {
        Value::whole(row.visit.map(|visit| visit.0))
    })
    .optional(),
    Column::new(
        "channel",
        Kind::Whole,
        "1",
        "the sample line as it is numbered on the valve, from 1; empty unless the attribution is exact",
        |row, _| Value::whole(row.channel.map(Channel::number)),
    )
    .optional()
    .variable(None),
    Column::new("channel_label", Kind::Text, "", "what the channel was called when the run began", |row, sheet| {
        line(row.channel, sheet).map_or(Value::Nothing, |(label, _)| Value::Text(label))
    })
    .optional()
    .variable(None),
    Column::new("channel_kind", CHANNEL_KINDS, "", "what the channel is for", |row, sheet| {
        line(row.channel, sheet).map_or(Value::Nothing, |(_, kind)| Value::Word(kind))
    })
    .optional()
    .variable(None),
    Column::new(
        "attribution",
        Kind::Words(Attribution::WORDS),
        "",
        "exact: the valve stood on the channel during the whole gas exchange; mixed: it moved; stale: a result from \
         before the run; unattributed: not known well enough",
        |row, _| Value::Word(row.attribution.as_str()),
    ),
    Column::new("elapsed_s", Kind::Number, "s", "from the arrival on the channel to the sampling time", |row, _| {
        Value::number(row.elapsed_s)
    })
    .optional(),
    Column::new(
        "sample_in_visit",
        Kind::Whole,
        "1",
        "counts the samples of the visit from 1, discarded ones too",
        |row, _| Value::whole(row.sample_in_visit),
    )
    .optional(),
    Column::new(
        "discard",
        Kind::Yes(["counts", "discarded"]),
        "1",
        "1: kept, and not to be used (purge, or left out by the plan)",
        |row, _| Value::Yes(row.discard),
    ),
];

pub const AFTER_GASES: [Column; 8] = [
    Column::new("qc", Kind::Codes(&Qc::CODES), "1", "0 good, 1 suspect, 2 bad, 9 not evaluated", |row, _| {
        Value::Whole(row.qc.code().into())
    }),
    Column::new("qc_flags", Kind::Flags, "", "why, as words with ; between them", |row, _| Value::Flags(&row.flags)),
    Column::new(
        "position_verified",
        Kind::Words(Verification::WORDS),
        "",
        "how the valve's position is known",
        |row, _| Value::Word(row.verification.as_str()),
    ),
    Column::new("iteration", Kind::Long, "1", "the analyzer's own count of its iterations", |row, _| {
        Value::whole(row.iteration)
    })
    .optional(),
    Column::unmeasured("cell_temp_c", "degC", "temperature of the analyzer's cell"),
    Column::unmeasured("cell_pressure_hpa", "hPa", "pressure in the analyzer's cell"),
    Column::unmeasured("air_temp_c", "degC", "temperature of the air"),
    Column::unmeasured("air_pressure_hpa", "hPa", "pressure of the air"),
];

/// What the column of a gas means; it is called as the gas says, and has its unit.
pub const OF_GAS: (&str, &str) = ("ppm", "mole fraction as the analyzer reports it");

/// Name, kind and presence of each column of a file with these gases, in order.
pub fn headings(gases: &[GasInfo]) -> impl Iterator<Item = (&str, Kind, bool)> {
    let plain = |column: &'static Column| (column.name, column.kind, column.always);
    let gases = gases.iter().map(|gas| (gas.column.as_str(), Kind::Number, false));
    BEFORE_GASES.iter().map(plain).chain(gases).chain(AFTER_GASES.iter().map(plain))
}

/// What the row has in each column, in order.
pub fn values<'a>(row: &'a Row, sheet: &'a Sheet) -> impl Iterator<Item = Value<'a>> {
    let plain = move |column: &Column| (column.value)(row, sheet);
    let gases = row.gases.iter().map(|gas| Value::of_gas(*gas));
    BEFORE_GASES.iter().map(plain).chain(gases).chain(AFTER_GASES.iter().map(plain))
}

/// Label and kind of a channel.
pub fn line(channel: Option<Channel>, sheet: &Sheet) -> Option<(&str, &'static str)> {
    let info = sheet.channels.get(&channel?);
    let label = info.map_or("", |info| info.label.as_str());
    Some((label, info.map_or(ChannelKind::default(), |info| info.kind).as_str()))
}

/// As one field has several flags.
pub fn joined(flags: &[Flag]) -> String {
    flags.iter().map(|flag| flag.as_str()).collect::<Vec<_>>().join(";")
}
