//! Dimensions, variables and attributes by the conventions CF 1.11 and ACDD 1.3.

use super::super::ExportJob;
use super::super::classic::{Attribute, Attributes, Header, NO_DOUBLE, NO_INT, Type, Variable, texts};
use super::super::columns::{self, Column, Kind};
use crate::domain::{Channel, ChannelInfo, Flag, GasInfo, Sheet, Utc};

const OBS: usize = 0;
const STATION: usize = 1;
const RUN: usize = 2;
const ID_LENGTH: usize = 3;
const NAME_LENGTH: usize = 4;
const KIND_LENGTH: usize = 5;
const RUN_LENGTH: usize = 6;
const RUN_LABEL_LENGTH: usize = 7;

const SINCE: &str = "seconds since 1970-01-01T00:00:00Z";

/// The places of the time series: none, and every channel that a run knows.
pub fn stations(job: &ExportJob) -> Vec<Option<Channel>> {
    let known = |channel: &Channel| {
        let planned = |sheet: &Sheet| sheet.run.plan.channels().contains(channel);
        job.sheets.iter().any(|sheet| sheet.channels.contains_key(channel) || planned(sheet))
    };
    let channels = (1..=Channel::MAX).filter_map(Channel::new).filter(known);
    std::iter::once(None).chain(channels.map(Some)).collect()
}

/// All that stands before the records. The variables of records come last, in the order in which records are written.
pub fn header(job: &ExportJob) -> Header {
    let stations = Stations::of(job);
    let runs = texts(job.sheets.iter().map(|sheet| sheet.run.id.0.as_str()));
    let run_labels = texts(job.sheets.iter().map(|sheet| sheet.run.plan.label.as_str()));
    let length = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let dimensions = vec![
        ("obs", 0),
        ("station", length(stations.channels.len())),
        ("run", length(job.sheets.len())),
        ("station_id_length", stations.ids.1),
        ("station_name_length", stations.names.1),
        ("channel_kind_length", stations.kinds.1),
        ("run_id_length", runs.1),
        ("run_label_length", run_labels.1),
    ];
    let mut variables = stations.variables();
    variables.push(fixed("run_id", Type::Char, vec![RUN, RUN_LENGTH], runs.0, &[("long_name", "run".into())]));
    let label = [("long_name", Attribute::from("label of the plan of the run"))];
    variables.push(fixed("run_label", Type::Char, vec![RUN, RUN_LABEL_LENGTH], run_labels.0, &label));
    variables.extend(of_records(job));
    Header { dimensions, attributes: global(job), variables }
}

fn global(job: &ExportJob) -> Attributes {
    let ids: Vec<&str> = job.sheets.iter().map(|sheet| sheet.run.id.0.as_str()).collect();
    let gases: Vec<&str> = job.gases.iter().map(|gas| gas.formula.as_str()).collect();
    let mut attributes: Attributes = vec![
        ("Conventions", "CF-1.11, ACDD-1.3".into()),
        ("featureType", "timeSeries".into()),
        ("cdm_data_type", "Station".into()),
        ("standard_name_vocabulary", "CF Standard Name Table v93".into()),
        ("title", format!("Gas mole fractions by channel, {}", gases.join(", ")).into()),
        (
            "summary",
            "Results of a gas analyzer behind a multiplexer. Each result belongs to the channel that its gas was verifiably \
             drawn from; good ones have discard = 0 and qc = 0."
                .into(),
        ),
        ("keywords", "mole fraction, trace gas, photoacoustic spectroscopy, multiplexer".into()),
        ("id", ids.join(",").into()),
        ("source", "photoacoustic gas analyzer with valve multiplexer".into()),
        ("history", concat!("exported by gaserad ", env!("CARGO_PKG_VERSION")).into()),
        ("time_coverage_resolution", "irregular".into()),
    ];
    let begins = job.sheets.iter().map(|sheet| sheet.run.started).min();
    let ends = job.sheets.iter().map(|sheet| sheet.run.ended).max().flatten();
    let covered = [("time_coverage_start", begins), ("time_coverage_end", ends)];
    attributes.extend(covered.into_iter().filter_map(|(name, at)| Some((name, iso(at?).into()))));
    attributes
}

/// What does not change with the records, by station.
struct Stations<'a> {
    channels: Vec<Option<Channel>>,
    infos: Vec<Option<&'a ChannelInfo>>,
    ids: (Vec<u8>, u32),
    names: (Vec<u8>, u32),
    kinds: (Vec<u8>, u32),
}

impl<'a> Stations<'a> {
    fn of(job: &'a ExportJob) -> Self {
        let channels = stations(job);
        let sheet_of = |channel: &Option<Channel>| {
            let channel = (*channel)?;
            job.sheets.iter().find(|sheet| sheet.channels.contains_key(&channel))
        };
        let lines: Vec<(&str, &str)> = channels
            .iter()
            .map(|channel| match sheet_of(channel) {
                Some(sheet) => columns::line(*channel, sheet).unwrap_or_default(),
                None => ("", ""),
            })
            .collect();
        let ids: Vec<String> =
            channels.iter().map(|channel| channel.map_or("none".into(), |id| id.to_string())).collect();
        let infos = channels.iter().map(|channel| sheet_of(channel)?.channels.get(&(*channel)?)).collect();
        Self {
            infos,
            ids: texts(ids.iter().map(String::as_str)),
            names: texts(lines.iter().map(|(label, _)| *label)),
            kinds: texts(lines.iter().map(|(_, kind)| *kind)),
            channels,
        }
    }

    fn variables(&self) -> Vec<Variable> {
        let words = |name, width, values: &(Vec<u8>, u32), attributes: &[(&'static str, Attribute)]| {
            fixed(name, Type::Char, vec![STATION, width], values.0.clone(), attributes)
        };
        let about = |long_name: &str| [("long_name", Attribute::from(long_name))];
        let id = [("long_name", "number of the channel on the valve".into()), ("cf_role", "timeseries_id".into())];
        vec![
            words("station_id", ID_LENGTH, &self.ids, &id),
            words("station_name", NAME_LENGTH, &self.names, &about("label of the channel")),
            words("channel_kind", KIND_LENGTH, &self.kinds, &about("what the channel is for")),
            self.known("lat", |info| info.lat, [("standard_name", "latitude"), ("units", "degrees_north")]),
            self.known("lon", |info| info.lon, [("standard_name", "longitude"), ("units", "degrees_east")]),
            self.known(
                "chamber_area",
                |info| info.area_m2,
                [("long_name", "ground under the chamber"), ("units", "m2")],
            ),
            self.known(
                "chamber_volume",
                |info| info.volume_m3,
                [("long_name", "volume of the chamber"), ("units", "m3")],
            ),
        ]
    }

    fn known(&self, name: &str, of: fn(&ChannelInfo) -> Option<f64>, about: [(&'static str, &str); 2]) -> Variable {
        let value = |info: Option<&ChannelInfo>| info.and_then(of).unwrap_or(NO_DOUBLE);
        let values = self.infos.iter().flat_map(|info| value(*info).to_be_bytes()).collect();
        let mut attributes: Attributes = about.map(|(key, value)| (key, value.into())).into();
        attributes.push(("_FillValue", Attribute::Double(NO_DOUBLE)));
        fixed(name, Type::Double, vec![STATION], values, &attributes)
    }
}

fn fixed(
    name: &str,
    of: Type,
    dimensions: Vec<usize>,
    values: Vec<u8>,
    attributes: &[(&'static str, Attribute)],
) -> Variable {
    Variable { name: name.to_owned(), of, dimensions, attributes: attributes.to_vec(), values }
}

/// A variable with a value in each record.
fn record(name: &str, of: Type, attributes: Attributes) -> Variable {
    Variable { name: name.to_owned(), of, dimensions: vec![OBS], attributes, values: Vec::new() }
}

fn about(long_name: &str) -> Attributes {
    vec![("long_name", long_name.into())]
}

/// The columns that have a variable with a value for each sample, in the order in which these are written.
pub fn columns() -> impl Iterator<Item = &'static Column> {
    let every = columns::BEFORE_GASES.iter().chain(&columns::AFTER_GASES);
    every.filter(|column| column.variable.is_some())
}

fn of_records(job: &ExportJob) -> Vec<Variable> {
    let what = "which station this observation is of";
    let station = vec![("long_name", what.into()), ("instance_dimension", "station".into())];
    let mut run = about("which run this observation is of");
    run.extend(auxiliary("1", Attribute::Ints(vec![NO_INT])));
    let mut variables = vec![record("station_index", Type::Int, station), record("run_index", Type::Int, run)];
    variables.extend(columns().map(of_column));
    variables.extend(job.gases.iter().map(gas));
    variables
}

fn of_column(column: &Column) -> Variable {
    let mut attributes = about(column.meaning);
    let of = match column.kind {
        Kind::Time => {
            attributes.extend([("units", SINCE.into()), ("calendar", "standard".into())]);
            attributes.push(("units_metadata", "leap_seconds: none".into()));
            Type::Double
        }
        Kind::Number => {
            attributes.extend(auxiliary(column.unit, Attribute::Double(NO_DOUBLE)));
            Type::Double
        }
        Kind::Text | Kind::Whole | Kind::Long => {
            attributes.extend(auxiliary("1", Attribute::Ints(vec![NO_INT])));
            Type::Int
        }
        Kind::Words(words) => choice(&mut attributes, (0..).zip(words.iter().copied())),
        Kind::Yes(words) => choice(&mut attributes, (0..).zip(words)),
        Kind::Codes(codes) => choice(&mut attributes, codes.iter().map(|(code, word)| (code.cast_signed(), *word))),
        Kind::Flags => {
            let masks = Flag::ALL.iter().map(|flag| 1 << *flag as i32).collect();
            attributes
                .extend([("flag_masks", Attribute::Ints(masks)), ("flag_meanings", Flag::WORDS.join(" ").into())]);
            attributes.push(("coverage_content_type", "qualityInformation".into()));
            Type::Int
        }
    };
    let standard = [("time_utc", "time"), ("qc", "quality_flag")].into_iter().find(|(name, _)| *name == column.name);
    attributes.extend(standard.map(|(_, name)| ("standard_name", name.into())));
    if column.name == "time_utc" {
        attributes.push(("axis", "T".into()));
    }
    record(column.variable.unwrap_or(column.name), of, attributes)
}

fn auxiliary(unit: &str, fill: Attribute) -> Attributes {
    vec![("units", unit.into()), ("coverage_content_type", "auxiliaryInformation".into()), ("_FillValue", fill)]
}

fn choice(attributes: &mut Attributes, words: impl Iterator<Item = (i8, &'static str)>) -> Type {
    let (values, meanings): (Vec<i8>, Vec<&str>) = words.unzip();
    attributes.extend([("flag_values", Attribute::Bytes(values)), ("flag_meanings", meanings.join(" ").into())]);
    attributes.push(("coverage_content_type", "qualityInformation".into()));
    Type::Byte
}

/// What a variable of a gas is called: letters, digits and underscores.
fn name(gas: &GasInfo) -> String {
    let column = gas.column.strip_suffix("_ppm").unwrap_or(&gas.column);
    column.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}

/// The substance as standard names have it.
fn substance(formula: &str) -> Option<&'static str> {
    Some(match formula {
        "CO2" => "carbon_dioxide",
        "CH4" => "methane",
        "H2O" => "water_vapor",
        "N2O" => "nitrous_oxide",
        "NH3" => "ammonia",
        "CO" => "carbon_monoxide",
        "SO2" => "sulfur_dioxide",
        "C2H4O" => "acetaldehyde",
        "C2H6O" => "ethanol",
        "CH4O" => "methanol",
        "C2H2" => "ethyne",
        "C2H4" => "ethene",
        "C2H6" => "ethane",
        "SF6" => "sulfur_hexafluoride",
        _ => return None,
    })
}

fn gas(gas: &GasInfo) -> Variable {
    let mut attributes = about(&format!("mole fraction of {} in air, as reported", gas.name.to_lowercase()));
    if let Some(substance) = substance(&gas.formula) {
        attributes.push(("standard_name", format!("mole_fraction_of_{substance}_in_air").into()));
    }
    attributes.extend([
        ("units", "1e-6".into()),
        ("coverage_content_type", "physicalMeasurement".into()),
        ("cas_number", gas.cas.0.as_str().into()),
        ("coordinates", "time lat lon station_name".into()),
        ("ancillary_variables", "qc qc_flags discard attribution".into()),
        ("_FillValue", Attribute::Double(NO_DOUBLE)),
    ]);
    record(&name(gas), Type::Double, attributes)
}

/// As attributes have times.
fn iso(utc: Utc) -> String {
    utc.to_seconds_string()
}
