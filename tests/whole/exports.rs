//! What a run measured, opened with the tools that each format is for: pandas, polars, pyarrow, DuckDB, netCDF4, xarray, R.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::lab::{Design, Lab, gaserad};
use super::readers::{Reader, Tools};
use super::verdict::{Row, is_good, rows};
use crate::support::processes::Process;

/// For packages of R that work out fluxes.
const FLUXES: [&str; 4] = ["goflux", "fluxible", "fluxfinder", "gasfluxes"];

/// A run of three channels, and a folder with its exports.
fn measured() -> (Lab, tempfile::TempDir) {
    let lab = Lab::new(&Design::default());
    let plan = ["--channels", "1-3", "--purge", "30s", "--measure", "3m", "--wait"];
    assert_eq!(lab.ctl(&[&["start"], &plan[..]].concat()).exit, 0);
    (lab, tempfile::tempdir().unwrap())
}

fn export(lab: &Lab, folder: &Path, name: &str, args: &[&str]) -> String {
    let path = folder.join(name).display().to_string();
    let done = lab.ctl(&[&["runs", "export", "last", "-o", &path], args].concat());
    assert_eq!((done.exit, done.stdout.as_str()), (0, ""), "{done:?}");
    path
}

#[track_caller]
fn said_by<'a>(lines: &'a [Value], tool: &str) -> &'a Value {
    lines.iter().find(|line| line["tool"] == tool).unwrap_or_else(|| panic!("{tool}: {lines:#?}"))
}

fn means(rows: &[Row]) -> BTreeMap<String, f64> {
    let mut sums: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for row in rows.iter().filter(|row| is_good(row)) {
        let sum = sums.entry(row["channel"].clone()).or_default();
        *sum = (sum.0 + row["co2_ppm"].parse::<f64>().unwrap(), sum.1 + 1.0);
    }
    sums.into_iter().map(|(channel, (sum, count))| (channel, sum / count)).collect()
}

#[track_caller]
fn assert_same(told: &Value, means: &BTreeMap<String, f64>) {
    let told: BTreeMap<String, f64> = serde_json::from_value(told["co2"].clone()).unwrap();
    assert!(told.keys().eq(means.keys()), "{told:?} {means:?}");
    let near = told.values().zip(means.values()).all(|(told, mean)| (told - mean).abs() < 1e-9 * mean);
    assert!(near, "{told:?} {means:?}");
}

#[test]
fn every_tool_reads_what_it_is_for_and_sees_the_same() {
    let Some(tools) = Tools::find() else { return };
    let (lab, folder) = measured();
    let folder = folder.path();
    let csv = fs::read_to_string(export(&lab, folder, "run.csv", &[])).unwrap();
    export(&lab, folder, "comma.csv", &["--decimal", ","]);
    export(&lab, folder, "run.tidy.csv", &["--format", "tidy"]);
    export(&lab, folder, "wide.csv", &["--format", "gasera-csv"]);
    for (format, extension) in [("jsonl", "jsonl"), ("parquet", "parquet"), ("netcdf", "nc"), ("meas", "meas")] {
        export(&lab, folder, &format!("run.{extension}"), &["--format", format]);
    }
    let rows = rows(&csv);
    let means = means(&rows);
    assert_eq!(means.len(), 3, "{csv}");
    let (_, lines) = Reader::start(&tools, "python-exports.py", &[folder.to_str().unwrap()]).wait();
    let told = |tool| said_by(&lines, tool);
    for tool in [
        "pandas csv",
        "pandas comma",
        "pandas jsonl",
        "pandas parquet",
        "pandas tidy",
        "polars",
        "duckdb run.csv",
        "duckdb run.parquet",
        "duckdb run.jsonl",
        "xarray",
    ] {
        assert_eq!(told(tool)["records"], rows.len(), "{tool}");
        assert_same(told(tool), &means);
    }
    for tool in ["pandas meas", "pyarrow", "netCDF4"] {
        assert_eq!(told(tool)["records"], rows.len(), "{tool}");
    }
    assert_columns(told("pandas csv"), told("pandas parquet"), told("pyarrow"), &csv);
    assert_attributes(told("netCDF4"));
    let on_a_channel = rows.iter().filter(|row| !row["channel"].is_empty()).count();
    assert_eq!(told("pandas gasera-csv")["records"], on_a_channel);
    assert_eq!(told("pandas meas")["columns"][0], "Timestamp");
}

fn assert_columns(csv: &Value, parquet: &Value, pyarrow: &Value, text: &str) {
    let names: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    assert_eq!((&csv["columns"], &parquet["columns"]), (&names.clone().into(), &names.into()));
    let types = &pyarrow["types"];
    for (column, of) in [
        ("time_utc", "timestamp[us, tz=UTC]"),
        ("seq", "int32"),
        ("channel", "int32"),
        ("channel_label", "string"),
        ("discard", "bool"),
        ("co2_ppm", "double"),
    ] {
        assert_eq!(types[column], of, "{column}");
    }
    let gases = pyarrow["gasera.gases"].as_array().unwrap();
    let co2 = gases.iter().find(|gas| gas["column"] == "co2_ppm").unwrap();
    assert_eq!((&co2["unit"], &co2["cas"]), (&"ppm".into(), &"124-38-9".into()));
}

/// As the conventions CF 1.11 and ACDD 1.3 want them.
fn assert_attributes(told: &Value) {
    assert_eq!(told["model"], "NETCDF3_64BIT_OFFSET");
    assert_eq!((&told["conventions"], &told["feature"]), (&"CF-1.11, ACDD-1.3".into(), &"timeSeries".into()));
    assert_eq!(told["time"]["units"], "seconds since 1970-01-01T00:00:00Z");
    assert_eq!((&told["time"]["standard_name"], &told["time"]["calendar"]), (&"time".into(), &"standard".into()));
    let co2 = &told["co2_attributes"];
    assert_eq!(co2["standard_name"], "mole_fraction_of_carbon_dioxide_in_air");
    assert_eq!((&co2["units"], &co2["coordinates"]), (&"1e-6".into(), &"time lat lon station_name".into()));
    assert_eq!((&told["instance"], &told["role"]), (&"station".into(), &"timeseries_id".into()));
}

#[test]
fn r_reads_the_records_and_the_tables_of_its_packages() {
    let Some(tools) = Tools::find() else { return };
    let (lab, folder) = measured();
    let folder = folder.path();
    let csv = fs::read_to_string(export(&lab, folder, "run.csv", &[])).unwrap();
    export(&lab, folder, "comma.csv", &["--decimal", ","]);
    let into = format!("{}/", folder.display());
    for format in FLUXES {
        assert_eq!(lab.ctl(&["runs", "export", "last", "--format", format, "-o", &into]).exit, 0);
    }
    let rows = rows(&csv);
    let (_, lines) = Reader::start(&tools, "r-exports.R", &[folder.to_str().unwrap()]).wait();
    let told = |tool| said_by(&lines, tool);
    for tool in ["R", "R comma"] {
        assert_eq!(told(tool)["records"], rows.len(), "{tool}");
        assert_same(told(tool), &means(&rows));
    }
    let good = rows.iter().filter(|row| is_good(row)).count();
    for tool in ["goFlux", "fluxible", "fluxfinder"] {
        assert_eq!(told(tool)["records"], good, "{tool}");
    }
    let gases = rows[0].keys().filter(|column| column.ends_with("_ppm")).count();
    assert_eq!(told("gasfluxes")["records"], good * gases);
    // Three stays, each with results enough for a slope.
    assert_eq!((&told("goFlux")["slopes"], &told("fluxfinder")["slopes"]), (&3.into(), &3.into()));
    assert_eq!((&told("fluxible")["stays"], &told("gasfluxes")["slopes"]), (&3.into(), &(3 * gases).into()));
}

/// What the R packages refuse, column by column, as docs/exports.md has it.
#[test]
fn flux_tables_hold_to_what_their_packages_refuse() {
    let (lab, folder) = measured();
    let into = format!("{}/", folder.path().display());
    for format in FLUXES {
        let done = lab.ctl(&["runs", "export", "last", "--format", format, "-o", &into]);
        assert_eq!(done.exit, 0, "{done:?}");
    }
    let table = |name: &str| rows(&fs::read_to_string(folder.path().join(name)).unwrap());
    let numeric = |row: &Row, columns: &[&str]| columns.iter().all(|column| row[*column].parse::<f64>().is_ok());
    let goflux = table("goflux.csv");
    assert!(goflux.iter().all(|row| numeric(row, &["Etime", "flag", "CO2dry_ppm", "CH4dry_ppb", "H2O_ppm"])));
    assert!(goflux.iter().any(|row| row["flag"] == "1") && goflux.iter().all(|row| !row["UniqueID"].is_empty()));
    let stays = table("auxfile.csv");
    assert!(stays.iter().all(|row| numeric(row, &["obs.length"]) && row["start.time"].len() == 19), "{stays:#?}");
    assert!(goflux.iter().all(|row| stays.iter().any(|stay| stay["UniqueID"] == row["UniqueID"])));
    let fluxes = table("gasfluxes.csv");
    assert!(fluxes.iter().all(|row| numeric(row, &["time", "C"]) && row["C"].parse::<f64>().unwrap() > 0.0));
    let mut last: BTreeMap<&str, f64> = BTreeMap::new();
    for row in &fluxes {
        let hours: f64 = row["time"].parse().unwrap();
        assert!(last.insert(&row["ID"], hours).is_none_or(|before| before < hours), "{row:#?}");
    }
    assert_windows(&table("field_record.csv"), &table("raw_conc.csv"));
    assert_eq!(table("metadata.csv").len(), stays.len());
    assert!(table("data.csv").iter().all(|row| row["TZ"] == "UTC" && numeric(row, &["Etime_s", "CO2_ppm"])));
}

/// No window touches the next, and every result lies in one.
fn assert_windows(stays: &[Row], results: &[Row]) {
    assert!(stays.windows(2).all(|pair| pair[0]["end"] < pair[1]["start"]), "{stays:#?}");
    assert!(!results.is_empty());
    for result in results {
        let time = &result["datetime"];
        assert!(stays.iter().any(|stay| stay["start"] <= *time && *time <= stay["end"]), "{time} {stays:#?}");
    }
}

/// The commands of a section of the README.
fn commands(heading: &str) -> Vec<String> {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let section = readme.split_once(heading).unwrap_or_else(|| panic!("no {heading:?} in the README")).1;
    let block = section.split_once("```console\n").unwrap().1.split_once("```").unwrap().0;
    block.lines().filter_map(|line| line.strip_prefix("$ ")).map(str::to_owned).collect()
}

/// A stranger's walk, as the README has it: only who installs, and where it listens, is another.
#[test]
fn five_commands_lead_from_nothing_to_a_plot() {
    let Some(tools) = Tools::find() else { return };
    let commands = commands("## From nothing to a plot\n");
    let [install, serve, start, export, plot] = commands.as_slice() else { panic!("{commands:#?}") };
    assert_eq!(install, "cargo install --locked --path .");
    let folder = tempfile::tempdir().unwrap();
    let words: Vec<&str> = serve.split(' ').collect();
    assert!(words.first() == Some(&"gaserad") && words.last() == Some(&"&"), "{serve}");
    let args = [&words[1..words.len() - 1], &["--listen", "127.0.0.1:0"]].concat();
    let mut daemon = Process::start(gaserad(&args).current_dir(folder.path()));
    let endpoint = daemon.line_after("listening on ");
    let (_, draw) = plot.rsplit_once(" && ").unwrap();
    let draw = draw.replacen("py/bin/python ", "python3 ", 1);
    for command in [start.as_str(), export, &draw] {
        let mut shell = tools.shell(command);
        let done = Process::start(shell.current_dir(folder.path()).env("GASERACTL_ENDPOINT", &endpoint)).wait();
        assert_eq!(done.exit, 0, "{command}: {done:?}");
    }
    let png = fs::read(folder.path().join("co2.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG") && png.len() > 5000, "{} bytes", png.len());
}
