//! A run as the files that people's tools open: bytes from sheets and rows, without a clock, a disk or a network.
//!
//! An export is made block by block. Several [`Encoder`]s make blocks of rows at the same time, each of its own rows;
//! one [`Assembler`] joins them in order. What is in memory is a few blocks, however long a run is.
//!
//! Which columns a format has, and in which units, is in `docs/exports.md`; it reads no records and chooses none.

mod classic;
pub mod columns;
pub mod csv;
mod flux;
mod job;
mod json;
mod legacy;
mod netcdf;
mod parquet;
mod row;
mod tables;
mod text;
mod tidy;
mod visits;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use job::{Assembler, Block, Broken, Encoder, ExportJob, TextLayout};
pub use row::{Measured, Row};
pub use text::TextLines;
pub use visits::{ExportedVisit, ExportedVisits};

use crate::domain::{Cas, ExportError, Format, GasInfo, Sheet, Wanted};
use job::WATER;

impl ExportJob {
    pub fn new(wanted: Wanted, sheets: Vec<Sheet>) -> Result<Arc<Self>, ExportError> {
        wanted.check()?;
        let measured = united(&sheets);
        let gases = chosen(&wanted, &measured)?;
        let water = gases.iter().position(|gas| gas.cas.0 == WATER);
        if flux::needs_water(&wanted, &gases) && water.is_none() {
            return Err(ExportError::Water);
        }
        Ok(Arc::new(Self { wanted, sheets, gases, water }))
    }

    /// What makes blocks of rows; any number of them may be at work.
    pub fn encoder(self: &Arc<Self>) -> Box<dyn Encoder> {
        match self.wanted.format {
            Format::Parquet => Box::new(parquet::Columns::new(self)),
            Format::Netcdf => Box::new(netcdf::NetcdfRecords::new(self)),
            _ => Box::new(tables::Text::new(self)),
        }
    }

    /// What joins the blocks; `count` rows will be in them, where that is [asked for](Self::counts_first).
    pub fn assembler(self: &Arc<Self>, count: u64) -> Result<Box<dyn Assembler>, Broken> {
        Ok(match self.wanted.format {
            Format::Parquet => Box::new(parquet::ParquetFile::new(self)?),
            Format::Netcdf => Box::new(netcdf::NetcdfFile::new(self, count)?),
            _ => Box::new(tables::Text::new(self)),
        })
    }
}

/// The gases of all runs, in the order in which they come.
fn united(sheets: &[Sheet]) -> Vec<GasInfo> {
    let mut gases: Vec<GasInfo> = Vec::new();
    for gas in sheets.iter().flat_map(|sheet| &sheet.gases) {
        if !gases.iter().any(|known| known.cas == gas.cas) {
            gases.push(gas.clone());
        }
    }
    gases
}

/// The gases that are asked for, and water vapor where it is needed to work out the others.
fn chosen(wanted: &Wanted, measured: &[GasInfo]) -> Result<Vec<GasInfo>, ExportError> {
    if wanted.gases.is_empty() {
        return Ok(measured.to_vec());
    }
    let is = |gas: &GasInfo, name: &str| {
        name.eq_ignore_ascii_case(&gas.formula) || name == gas.cas.0 || name.eq_ignore_ascii_case(&gas.column)
    };
    if let Some(stranger) = wanted.gases.iter().find(|name| !measured.iter().any(|gas| is(gas, name))) {
        let known: Vec<&str> = measured.iter().map(|gas| gas.formula.as_str()).collect();
        return Err(ExportError::Gas { gas: stranger.clone(), known: known.join(", ") });
    }
    let water = flux::needs_water(wanted, measured);
    let asked =
        |gas: &&GasInfo| wanted.gases.iter().any(|name| is(gas, name)) || (water && gas.cas == Cas(WATER.to_owned()));
    Ok(measured.iter().filter(asked).cloned().collect())
}
