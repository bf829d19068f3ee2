//! What `gaseractl runs export` can be told.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use gasera::domain::export::parse_time;
use gasera::domain::{ExportError, Format};

const EXPORT_EXAMPLES: &str = "\
Formats:
  csv         samples.csv to the letter: a line for each sample
  tidy        a line for each gas of each sample
  jsonl       an object for each sample
  parquet     the columns of csv with types, compressed
  netcdf      time series by channel, with the attributes of CF and ACDD
  gasera-csv  the wide file of GaseraMux: local time, four decimals
  meas        the analyzer's own export: its own time, the channel as inlet
  goflux, fluxible, gasfluxes, fluxfinder
              for the R packages of these names, with their columns and units

Examples:
  gaseractl runs export last -o samples.csv
  gaseractl runs export last --format parquet -o run.parquet
  gaseractl runs export last --decimal , -o for-excel.csv
  gaseractl runs export 01KF 01KG --format netcdf -o winter.nc
  gaseractl runs export last --from 2026-01-15 --until 2026-01-16 --channels 1-4 --gases CO2,CH4 --good-only
  gaseractl runs export last --format fluxible --gases co2 -o flux/     its two tables, in a folder";

#[derive(Debug, clap::Args)]
#[command(after_help = EXPORT_EXAMPLES)]
pub struct ExportArgs {
    /// Run ids, unique prefixes of some, or "last"; several become one file, one after the other
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<String>,
    /// The file format
    #[arg(long, value_name = "F", default_value = "csv", value_parser = formats())]
    pub format: Format,
    /// Write to this file instead of stdout; it appears only when it is complete. In a folder every table of the format
    /// gets a file with the name that its tool gives it
    #[arg(short, long, value_name = "FILE|FOLDER/")]
    pub output: Option<PathBuf>,
    /// Which table of goflux, fluxible or fluxfinder
    #[arg(long, value_name = "T", default_value = "samples", value_parser = ["samples", "visits"])]
    pub table: String,
    #[command(flatten)]
    pub records: RecordChoice,
    #[command(flatten)]
    pub writing: Writing,
}

/// Which samples.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Only some samples")]
pub struct RecordChoice {
    /// Sampled at this time or later, in UTC unless it has a zone: 2026-01-15, 2026-01-15T08:00, 2026-01-15T09:00+01:00
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub from: Option<String>,
    /// Sampled before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub until: Option<String>,
    /// Of these channels, like 1-8,12
    #[arg(long, value_name = "LIST")]
    pub channels: Option<String>,
    /// Only these gases, by formula or CAS number
    #[arg(long, value_name = "GAS,…", value_delimiter = ',')]
    pub gases: Vec<String>,
    /// Only samples with discard = 0 and qc = 0
    #[arg(long)]
    pub good_only: bool,
}

/// How they are written.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "How it is written")]
pub struct Writing {
    /// What stands between fields: , ; | or tab [default: a comma; with --decimal , a semicolon]
    #[arg(long, value_name = "C")]
    pub delimiter: Option<String>,
    /// What sets off decimals: . or ,
    #[arg(long, value_name = "C", value_parser = [".", ","])]
    pub decimal: Option<String>,
    /// What the analyzer's numbers are a fraction of, for goflux: the gas as it was drawn, or without its water vapor
    #[arg(long, value_name = "B", default_value = "wet", value_parser = ["wet", "dry"])]
    pub basis: String,
    /// Temperature of the air in the chambers, °C, for goflux, fluxible and gasfluxes
    #[arg(long, value_name = "C", allow_negative_numbers = true)]
    pub air_temperature: Option<f64>,
    /// Pressure of the air in the chambers, hPa, for goflux and gasfluxes
    #[arg(long, value_name = "HPA")]
    pub air_pressure: Option<f64>,
}

fn formats() -> impl TypedValueParser<Value = Format> {
    let names = Format::ALL.map(|(name, _)| name);
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Format>())
}

fn time(text: &str) -> Result<String, ExportError> {
    parse_time(text).map(|_| text.to_owned())
}
