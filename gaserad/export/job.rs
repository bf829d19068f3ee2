//! What an export is made of, and of which parts: what every format needs and no format is.

use bytes::Bytes;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;

use super::row::Row;
use super::text::TextLines;
use crate::domain::{Format, GasInfo, Sheet, Wanted};

/// What is written first, and what of each row.
#[derive(Clone, Copy)]
pub struct TextLayout {
    pub header: fn(&ExportJob, &mut TextLines),
    pub row: fn(&ExportJob, &mut TextLines, &Row),
}

/// Some 4 MB of columns of Parquet; larger ones would hardly be smaller files.
const ROW_GROUP: u32 = 32_768;

/// An encoded column of one row group of Parquet.
pub type EncodedColumn = (Bytes, ColumnCloseResult);

/// Water vapor.
pub const WATER: &str = "7732-18-5";

/// What becomes a file: the runs, in order, and the gases that it has columns for.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportJob {
    pub wanted: Wanted,
    pub sheets: Vec<Sheet>,
    pub gases: Vec<GasInfo>,
    /// Where water vapor is among the gases.
    pub(super) water: Option<usize>,
}

impl ExportJob {
    /// How many rows a block is to have.
    pub const fn block(&self) -> u32 {
        match self.wanted.format {
            Format::Parquet => ROW_GROUP,
            _ => 4096,
        }
    }

    /// Whether the number of rows stands at the beginning of the file.
    pub const fn counts_first(&self) -> bool {
        matches!(self.wanted.format, Format::Netcdf)
    }

    pub(super) fn sheet(&self, row: &Row) -> &Sheet {
        &self.sheets[row.run]
    }
}

/// Makes blocks of rows.
pub trait Encoder: Send {
    fn row(&mut self, row: &Row);

    /// The rows since the block before.
    fn block(&mut self) -> Result<Block, Broken>;
}

/// Joins blocks in the order of their rows.
pub trait Assembler: Send {
    fn begin(&mut self) -> Result<Vec<u8>, Broken>;
    fn append(&mut self, block: Block) -> Result<Vec<u8>, Broken>;
    fn end(&mut self) -> Result<Vec<u8>, Broken>;
}

/// Rows, as far as they can be made a file without the others.
pub enum Block {
    Bytes { bytes: Vec<u8>, rows: u64 },
    Columns(Vec<EncodedColumn>),
}

/// Why a file cannot be made of what was read.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    #[error("the Parquet writer refuses: {0}")]
    Parquet(#[from] ParquetError),
    #[error("{promised} samples were counted and {found} found; the run changed meanwhile, export it again")]
    Count { promised: u64, found: u64 },
    #[error("{0} samples are more than a NetCDF file can hold; export a part of them with --from and --until")]
    TooMany(u64),
    #[error("the columns cannot be laid out: {0}")]
    Schema(String),
    #[error("a block of another format was given to the {0} export")]
    Foreign(&'static str),
}
