//! Tables for R packages that work out fluxes from chambers, with their columns and units.
//!
//! A chamber closes when the valve arrives: `Etime` is what `samples.csv` calls `elapsed_s`. Where area or volume of a
//! chamber is not configured, its field is empty.

use super::job::WATER;
use super::row::Row;
use super::text::TextLines;
use super::{ExportJob, TextLayout};
use crate::domain::{Basis, Channel, ChannelInfo, Flag, Format, GasInfo, RunId, Sheet, VisitId, Wanted};

/// J/(mol K)
const GAS_CONSTANT: f64 = 8.314_462_618;
const ZERO_CELSIUS_K: f64 = 273.15;
/// What goFlux assumes of the air in a chamber.
const TEMPERATURE_C: f64 = 15.0;
const PRESSURE_HPA: f64 = 1013.25;

pub const GOFLUX: TextLayout = TextLayout { header: goflux_header, row: goflux_row };
pub const FLUXIBLE: TextLayout = TextLayout { header: fluxible_header, row: fluxible_row };
pub const GASFLUXES: TextLayout = TextLayout { header: gasfluxes_header, row: gasfluxes_row };
pub const FLUXFINDER: TextLayout = TextLayout { header: fluxfinder_header, row: fluxfinder_row };

/// Whether dry mole fractions are to be worked out of wet ones.
pub fn needs_water(wanted: &Wanted, gases: &[GasInfo]) -> bool {
    let others = gases.iter().any(|gas| gas.cas.0 != WATER);
    wanted.format == Format::Goflux && wanted.basis == Basis::Wet && others
}

/// What tells one stay from all others.
pub fn unique_id(run: &RunId, visit: VisitId) -> String {
    format!("{run}_{}", visit.0)
}

/// What a chamber is called: its plot, its label, or its channel.
pub fn plot(sheet: &Sheet, channel: Channel) -> String {
    let info = sheet.channels.get(&channel);
    let named = info.into_iter().flat_map(|info| [&info.plot, &info.label]).find(|name| !name.is_empty());
    named.cloned().unwrap_or_else(|| format!("channel {channel}"))
}

/// What a chamber encloses, its collar included.
pub fn volume_m3(info: &ChannelInfo) -> Option<f64> {
    let collar = info.collar_offset_m.map_or(Some(0.0), |offset| info.area_m2.map(|area| area * offset));
    Some(info.volume_m3? + collar?)
}

pub fn geometry(sheet: &Sheet, channel: Channel) -> (Option<f64>, Option<f64>) {
    let info = sheet.channels.get(&channel);
    (info.and_then(|info| info.area_m2), info.and_then(volume_m3))
}

/// A row that belongs to a stay on a channel, and what that is called.
fn stay<'a>(job: &'a ExportJob, row: &Row) -> Option<(&'a Sheet, Channel, String)> {
    let sheet = job.sheet(row);
    Some((sheet, row.channel?, unique_id(&sheet.run.id, row.visit?)))
}

/// What a stay that was broken off and begun anew gave before has times of a closure that was none.
fn counts(row: &Row) -> bool {
    row.is_good() && !row.flags.contains(&Flag::Interrupted)
}

/// The column of a gas in goFlux, and what a ppm is in its unit.
fn goflux_gas(gas: &GasInfo) -> (String, f64) {
    match gas.formula.as_str() {
        "H2O" => ("H2O_ppm".into(), 1.0),
        "CO2" => ("CO2dry_ppm".into(), 1.0),
        formula => (format!("{formula}dry_ppb"), 1000.0),
    }
}

fn goflux_header(job: &ExportJob, lines: &mut TextLines) {
    lines.texts(&["UniqueID", "chamID", "DATE", "POSIX.time", "Etime", "flag", "Area", "Vtot"]);
    // A column without values is no better than none: goFlux has defaults for what is not there.
    if job.wanted.air_pressure_hpa.is_some() {
        lines.text("Pcham");
    }
    if job.wanted.air_temperature_c.is_some() {
        lines.text("Tcham");
    }
    job.gases.iter().for_each(|gas| lines.text(&goflux_gas(gas).0));
    lines.texts(&["channel", "run_id", "visit_id", "seq"]);
    lines.end();
}

fn goflux_row(job: &ExportJob, lines: &mut TextLines, row: &Row) {
    let Some((sheet, channel, id)) = stay(job, row) else { return };
    let (area, volume) = geometry(sheet, channel);
    lines.text(&id);
    lines.text(&plot(sheet, channel));
    lines.date(row.sampled);
    lines.plain_seconds(row.sampled);
    lines.number(row.elapsed_s);
    lines.integer(u8::from(counts(row)));
    lines.number(area.map(|area| area * 1e4));
    lines.number(volume.map(|volume| volume * 1e3));
    if let Some(pressure) = job.wanted.air_pressure_hpa {
        lines.number(Some(pressure / 10.0));
    }
    if let Some(temperature) = job.wanted.air_temperature_c {
        lines.number(Some(temperature));
    }
    for (gas, measured) in job.gases.iter().zip(&row.gases) {
        let ppm = if gas.cas.0 == WATER { measured.usable() } else { dry(job, row, measured.usable()) };
        let factor = if matches!(gas.formula.as_str(), "CO2" | "H2O") { 1.0 } else { 1000.0 };
        lines.number(ppm.map(|ppm| ppm * factor));
    }
    lines.integer(channel.number());
    lines.text(&sheet.run.id.0);
    lines.integer_or_empty(row.visit.map(|visit| visit.0));
    lines.integer(row.seq);
    lines.end();
}

/// Per mole of air without its water vapor.
fn dry(job: &ExportJob, row: &Row, ppm: Option<f64>) -> Option<f64> {
    match job.wanted.basis {
        Basis::Dry => ppm,
        Basis::Wet => {
            let water = row.gases.get(job.water?)?.usable()?;
            Some(ppm? / (1.0 - water / 1e6)).filter(|dry| dry.is_finite())
        }
    }
}

fn fluxible_header(job: &ExportJob, lines: &mut TextLines) {
    lines.text("datetime");
    match job.gases.as_slice() {
        [_] => lines.text("conc"),
        gases => gases.iter().for_each(|gas| lines.text(&gas.column)),
    }
    if job.wanted.air_temperature_c.is_some() {
        lines.text("temp_air");
    }
    lines.end();
}

/// It shares no column with the field record but times, since the two are joined.
fn fluxible_row(job: &ExportJob, lines: &mut TextLines, row: &Row) {
    if stay(job, row).is_none() || !counts(row) {
        return;
    }
    lines.plain_seconds(row.sampled);
    row.gases.iter().for_each(|measured| lines.number(measured.usable()));
    if let Some(temperature) = job.wanted.air_temperature_c {
        lines.number(Some(temperature));
    }
    lines.end();
}

fn gasfluxes_header(_: &ExportJob, lines: &mut TextLines) {
    lines.texts(&["ID", "V", "A", "time", "C", "gas", "ppm", "plot", "UniqueID"]);
    lines.end();
}

/// A line for each gas, since `ID` is one flux. What it refuses is left out: numbers of nothing or less, and times
/// before the closure.
fn gasfluxes_row(job: &ExportJob, lines: &mut TextLines, row: &Row) {
    let Some((sheet, channel, id)) = stay(job, row).filter(|_| counts(row)) else { return };
    let Some(elapsed) = row.elapsed_s.filter(|elapsed| *elapsed >= 0.0) else { return };
    let (area, volume) = geometry(sheet, channel);
    let density = air_mol_m3(&job.wanted);
    for (gas, measured) in job.gases.iter().zip(&row.gases) {
        let Some(ppm) = measured.usable().filter(|ppm| *ppm > 0.0) else { continue };
        lines.text(&format!("{id}_{}", gas.formula));
        lines.number(volume);
        lines.number(area);
        lines.number(Some(elapsed / 3600.0));
        lines.number(Some(ppm * density * 1e-3));
        lines.text(&gas.formula);
        lines.number(Some(ppm));
        lines.text(&plot(sheet, channel));
        lines.text(&id);
        lines.end();
    }
}

/// Moles of air in a cubic meter of it.
fn air_mol_m3(wanted: &Wanted) -> f64 {
    let pressure_pa = wanted.air_pressure_hpa.unwrap_or(PRESSURE_HPA) * 100.0;
    let temperature_k = wanted.air_temperature_c.unwrap_or(TEMPERATURE_C) + ZERO_CELSIUS_K;
    pressure_pa / (GAS_CONSTANT * temperature_k)
}

fn fluxfinder_header(job: &ExportJob, lines: &mut TextLines) {
    lines.texts(&["TIMESTAMP", "TZ", "UniqueID", "Plot", "Etime_s", "Area_cm2", "Volume_cm3"]);
    job.gases.iter().for_each(|gas| lines.text(&format!("{}_ppm", gas.formula)));
    lines.end();
}

fn fluxfinder_row(job: &ExportJob, lines: &mut TextLines, row: &Row) {
    let Some((sheet, channel, id)) = stay(job, row).filter(|_| counts(row)) else { return };
    let (area, volume) = geometry(sheet, channel);
    lines.plain_seconds(row.sampled);
    lines.text("UTC");
    lines.text(&id);
    lines.text(&plot(sheet, channel));
    lines.number(row.elapsed_s);
    lines.number(area.map(|area| area * 1e4));
    lines.number(volume.map(|volume| volume * 1e6));
    row.gases.iter().for_each(|measured| lines.number(measured.usable()));
    lines.end();
}
