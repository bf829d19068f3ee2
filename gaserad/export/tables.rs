//! Formats that are lines of text: a header, and a line or some for each row.

use std::sync::Arc;

use super::text::TextLines;
use super::{Assembler, Block, Broken, Encoder, ExportJob, Row, TextLayout, csv, flux, json, legacy, tidy};
use crate::domain::Format;

const CSV: TextLayout = TextLayout {
    header: |job, lines| csv::header(lines, &job.gases),
    row: |job, lines, row| csv::row(lines, row, job.sheet(row)),
};

const fn layout(format: Format) -> TextLayout {
    match format {
        // The last two are no text.
        Format::Csv | Format::Parquet | Format::Netcdf => CSV,
        Format::Tidy => tidy::LAYOUT,
        Format::Jsonl => json::LAYOUT,
        Format::GaseraCsv => legacy::WIDE,
        Format::Meas => legacy::MEAS,
        Format::Goflux => flux::GOFLUX,
        Format::Fluxible => flux::FLUXIBLE,
        Format::Gasfluxes => flux::GASFLUXES,
        Format::Fluxfinder => flux::FLUXFINDER,
    }
}

pub struct Text {
    job: Arc<ExportJob>,
    layout: TextLayout,
    lines: TextLines,
    rows: u64,
}

impl Text {
    pub fn new(job: &Arc<ExportJob>) -> Self {
        let format = job.wanted.format;
        let tabs = matches!(format, Format::GaseraCsv | Format::Meas);
        let lines = if tabs { TextLines::new(b'\t', false) } else { TextLines::wanted(&job.wanted) };
        Self { job: job.clone(), layout: layout(format), lines, rows: 0 }
    }
}

impl Encoder for Text {
    fn row(&mut self, row: &Row) {
        (self.layout.row)(&self.job, &mut self.lines, row);
        self.rows += 1;
    }

    fn block(&mut self) -> Result<Block, Broken> {
        Ok(Block::Bytes { bytes: self.lines.take(), rows: std::mem::take(&mut self.rows) })
    }
}

impl Assembler for Text {
    fn begin(&mut self) -> Result<Vec<u8>, Broken> {
        (self.layout.header)(&self.job, &mut self.lines);
        Ok(self.lines.take())
    }

    fn append(&mut self, block: Block) -> Result<Vec<u8>, Broken> {
        match block {
            Block::Bytes { bytes, .. } => Ok(bytes),
            Block::Columns(_) => Err(Broken::Foreign(self.job.wanted.format.as_str())),
        }
    }

    fn end(&mut self) -> Result<Vec<u8>, Broken> {
        Ok(Vec::new())
    }
}
