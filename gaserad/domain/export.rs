//! What can be asked of an export: which format and table, and which records.

use std::collections::BTreeSet;
use std::str::FromStr;

use super::channel::Channel;
use super::time::Utc;

/// A file format for what a run measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// `samples.csv` to the letter.
    #[default]
    Csv,
    /// A line for each gas of each record.
    Tidy,
    /// An object for each record.
    Jsonl,
    Parquet,
    /// NetCDF classic with CF and ACDD attributes.
    Netcdf,
    /// The wide file of GaseraMux.
    GaseraCsv,
    /// The analyzer's own export.
    Meas,
    Goflux,
    Fluxible,
    Gasfluxes,
    Fluxfinder,
}

impl Format {
    pub const ALL: [(&'static str, Self); 11] = [
        ("csv", Self::Csv),
        ("tidy", Self::Tidy),
        ("jsonl", Self::Jsonl),
        ("parquet", Self::Parquet),
        ("netcdf", Self::Netcdf),
        ("gasera-csv", Self::GaseraCsv),
        ("meas", Self::Meas),
        ("goflux", Self::Goflux),
        ("fluxible", Self::Fluxible),
        ("gasfluxes", Self::Gasfluxes),
        ("fluxfinder", Self::Fluxfinder),
    ];

    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, format)| *format == self).map_or("csv", |(name, _)| name)
    }

    /// What a file of it is called after the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Parquet => "parquet",
            Self::Netcdf => "nc",
            Self::Meas => "meas",
            _ => "csv",
        }
    }

    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jsonl => "application/jsonl; charset=utf-8",
            Self::Parquet => "application/vnd.apache.parquet",
            Self::Netcdf => "application/netcdf",
            Self::GaseraCsv | Self::Meas => "text/tab-separated-values; charset=utf-8",
            _ => "text/csv; charset=utf-8",
        }
    }

    /// The tables that it consists of, each with the name that its tool gives it.
    pub const fn tables(self) -> &'static [(Table, &'static str)] {
        match self {
            Self::Goflux => &[(Table::Samples, "goflux"), (Table::Visits, "auxfile")],
            Self::Fluxible => &[(Table::Samples, "raw_conc"), (Table::Visits, "field_record")],
            Self::Fluxfinder => &[(Table::Samples, "data"), (Table::Visits, "metadata")],
            Self::Gasfluxes => &[(Table::Samples, "gasfluxes")],
            _ => &[(Table::Samples, "samples")],
        }
    }

    /// Whether a delimiter and a decimal mark can be chosen.
    pub const fn is_delimited(self) -> bool {
        matches!(self, Self::Csv | Self::Tidy | Self::Goflux | Self::Fluxible | Self::Gasfluxes | Self::Fluxfinder)
    }

    /// Whether only records are in it that count.
    pub const fn is_good_only(self) -> bool {
        matches!(self, Self::Fluxible | Self::Gasfluxes | Self::Fluxfinder)
    }
}

impl FromStr for Format {
    type Err = ExportError;

    fn from_str(text: &str) -> Result<Self, ExportError> {
        let found = Self::ALL.iter().find(|(name, _)| *name == text);
        found.map(|(_, format)| *format).ok_or_else(|| ExportError::Format(text.to_owned()))
    }
}

/// What the lines of a file are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    #[default]
    Samples,
    /// The stays on the channels, for tools that want these beside the samples.
    Visits,
}

impl Table {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Samples => "samples",
            Self::Visits => "visits",
        }
    }
}

impl FromStr for Table {
    type Err = ExportError;

    fn from_str(text: &str) -> Result<Self, ExportError> {
        match text {
            "samples" => Ok(Self::Samples),
            "visits" => Ok(Self::Visits),
            _ => Err(ExportError::Table(text.to_owned())),
        }
    }
}

/// What the analyzer's numbers are a fraction of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Basis {
    /// The gas as it was drawn, with its water vapor.
    #[default]
    Wet,
    /// The gas without its water vapor: the analyzer's task corrects for it.
    Dry,
}

impl FromStr for Basis {
    type Err = ExportError;

    fn from_str(text: &str) -> Result<Self, ExportError> {
        match text {
            "wet" => Ok(Self::Wet),
            "dry" => Ok(Self::Dry),
            _ => Err(ExportError::Basis(text.to_owned())),
        }
    }
}

/// Which records are wanted; all of them unless it says otherwise.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Selection {
    /// Sampled at or after this.
    pub from: Option<Utc>,
    /// Sampled before this.
    pub until: Option<Utc>,
    /// Only of these channels; empty means of all, and of none.
    pub channels: BTreeSet<Channel>,
    pub good_only: bool,
}

/// How an export is to be.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wanted {
    pub format: Format,
    pub table: Table,
    pub selection: Selection,
    /// Only these gases, by formula, CAS number or column; empty means all.
    pub gases: Vec<String>,
    /// Between the fields; a comma, or a semicolon where the decimal mark is a comma.
    pub delimiter: Option<char>,
    pub decimal_comma: bool,
    pub basis: Basis,
    /// In the chamber; what is not known is left to the tool.
    pub air_temperature_c: Option<f64>,
    pub air_pressure_hpa: Option<f64>,
}

impl Wanted {
    pub fn of(format: Format) -> Self {
        Self { format, ..Self::default() }
    }

    pub fn delimiter(&self) -> char {
        self.delimiter.unwrap_or(if self.decimal_comma { ';' } else { ',' })
    }

    /// Whether all of this can be had together.
    pub fn check(&self) -> Result<(), ExportError> {
        let Self { format, table, delimiter, .. } = self;
        if !format.tables().iter().any(|(known, _)| known == table) {
            return Err(ExportError::NoTable { format: *format, table: *table });
        }
        if (delimiter.is_some() || self.decimal_comma) && !format.is_delimited() {
            return Err(ExportError::NotDelimited(*format));
        }
        match self.delimiter() {
            ',' if self.decimal_comma => Err(ExportError::Ambiguous),
            ',' | ';' | '\t' | '|' => Ok(()),
            other => Err(ExportError::Delimiter(other)),
        }?;
        let physical = |value: Option<f64>, least: f64| value.is_none_or(|value| value.is_finite() && value > least);
        if !physical(self.air_temperature_c, -273.15) || !physical(self.air_pressure_hpa, 0.0) {
            return Err(ExportError::Air);
        }
        Ok(())
    }
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ExportError {
    #[error("there is no export format {0:?}; the formats are {names}", names = format_names())]
    Format(String),
    #[error("{0:?} is not a table; the tables are samples and visits")]
    Table(String),
    #[error("{0:?} is not a basis; it is wet or dry")]
    Basis(String),
    #[error("{} has no table of {}; leave out the table, or take goflux, fluxible or fluxfinder", .format.as_str(), .table.as_str())]
    NoTable { format: Format, table: Table },
    #[error("{} has neither a delimiter nor a decimal mark to choose; leave both out", .0.as_str())]
    NotDelimited(Format),
    #[error("fields and decimals cannot both be set off with a comma; choose another delimiter, like ;")]
    Ambiguous,
    #[error("{0:?} cannot stand between fields; take a comma, a semicolon, a tab or |")]
    Delimiter(char),
    #[error("the air in the chamber cannot be that cold or that thin; give degrees Celsius and hectopascals")]
    Air,
    #[error("{text:?} is not a time; write it like 2026-01-15, 2026-01-15T08:00 or 2026-01-15T08:00:00Z, in UTC")]
    Time { text: String },
    #[error(
        "dry mole fractions need water vapor, which was not measured; if the analyzer's numbers are dry already, \
         say --basis dry"
    )]
    Water,
    #[error("no run to export measures {gas:?}; they measure {known}")]
    Gas { gas: String, known: String },
}

fn format_names() -> String {
    Format::ALL.map(|(name, _)| name).join(", ")
}

/// Reads a time like `2026-01-15`, `2026-01-15T08:00` or one with a zone; without a zone it is in UTC.
pub fn parse_time(text: &str) -> Result<Utc, ExportError> {
    let text = text.trim();
    let civil = || {
        let civil = text.trim_end_matches('Z').parse::<jiff::civil::DateTime>().ok()?;
        let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some(Utc::from_micros(zoned.timestamp().as_microsecond()))
    };
    let time = text.parse::<Utc>().ok().or_else(civil);
    time.ok_or_else(|| ExportError::Time { text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_read_as_they_are_written() {
        for (name, format) in Format::ALL {
            assert_eq!(name.parse::<Format>().unwrap(), format);
            assert_eq!(format.as_str(), name);
        }
        let sentence = "xls".parse::<Format>().unwrap_err().to_string();
        assert!(sentence.contains("\"xls\"") && sentence.contains("csv, tidy, jsonl"), "{sentence}");
    }

    #[test]
    fn times_are_read_with_and_without_a_zone() {
        let eight = Utc::from_micros(1_768_464_000_000_000);
        for text in ["2026-01-15T08:00", "2026-01-15 08:00:00", "2026-01-15T08:00:00Z", "2026-01-15T10:00:00+02:00"] {
            assert_eq!(parse_time(text).unwrap(), eight, "{text}");
        }
        assert_eq!(parse_time("2026-01-15").unwrap(), Utc::from_micros(1_768_435_200_000_000));
        assert!(parse_time("yesterday").unwrap_err().to_string().contains("yesterday"));
    }

    #[test]
    fn what_cannot_be_had_together_is_refused() {
        let csv = Wanted::of(Format::Csv);
        assert_eq!(csv.check(), Ok(()));
        assert_eq!(Wanted { decimal_comma: true, ..csv.clone() }.delimiter(), ';');
        let ambiguous = Wanted { decimal_comma: true, delimiter: Some(','), ..csv.clone() };
        assert_eq!(ambiguous.check(), Err(ExportError::Ambiguous));
        assert_eq!(Wanted { delimiter: Some('1'), ..csv.clone() }.check(), Err(ExportError::Delimiter('1')));
        let visits = Wanted { table: Table::Visits, ..csv };
        assert!(matches!(visits.check(), Err(ExportError::NoTable { .. })));
        let parquet = Wanted { decimal_comma: true, ..Wanted::of(Format::Parquet) };
        assert_eq!(parquet.check(), Err(ExportError::NotDelimited(Format::Parquet)));
    }
}
