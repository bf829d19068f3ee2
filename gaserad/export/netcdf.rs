//! NetCDF with the CF conventions: one time series for each channel, as an indexed ragged array.
//!
//! Records stand in the order in which they were made, each with the number of its station; what is on no channel is at
//! the station 0.

use std::sync::Arc;

use super::classic::ClassicRecord;
use super::columns::{Kind, Value};
use super::{Assembler, Block, Broken, Encoder, ExportJob, Row};
use crate::domain::Channel;

mod layout;

/// The largest number of records that all readers take.
const MOST: u64 = 0x7fff_ffff;

/// Rows as records.
pub struct NetcdfRecords {
    job: Arc<ExportJob>,
    stations: [i32; Channel::MAX as usize + 1],
    record: ClassicRecord,
    rows: u64,
}

impl NetcdfRecords {
    pub fn new(job: &Arc<ExportJob>) -> Self {
        let mut stations = [0; Channel::MAX as usize + 1];
        for (station, channel) in layout::stations(job).into_iter().enumerate() {
            let number = channel.map_or(0, Channel::number);
            stations[usize::from(number)] = i32::try_from(station).unwrap_or(0);
        }
        Self { job: job.clone(), stations, record: ClassicRecord::default(), rows: 0 }
    }
}

impl Encoder for NetcdfRecords {
    /// In the order of [`layout::header`].
    fn row(&mut self, row: &Row) {
        let number = row.channel.map_or(0, Channel::number);
        let record = &mut self.record;
        record.int(Some(self.stations[usize::from(number)]));
        record.int(i32::try_from(row.run).ok());
        let sheet = &self.job.sheets[row.run];
        for column in layout::columns() {
            variable(record, column.kind, (column.value)(row, sheet));
        }
        row.gases.iter().for_each(|gas| record.double(gas.usable()));
        self.rows += 1;
    }

    fn block(&mut self) -> Result<Block, Broken> {
        let bytes = std::mem::take(&mut self.record.bytes);
        Ok(Block::Bytes { bytes, rows: std::mem::take(&mut self.rows) })
    }
}

/// Words are their places in the list of the column, flags the bits of theirs.
fn variable(record: &mut ClassicRecord, kind: Kind, value: Value<'_>) {
    match (kind, value) {
        (Kind::Words(words), Value::Word(word)) => {
            let place = words.iter().position(|known| *known == word);
            record.byte(place.and_then(|place| i8::try_from(place).ok()).unwrap_or(i8::MAX));
        }
        (Kind::Codes(_), Value::Whole(code)) => record.byte(i8::try_from(code).unwrap_or(i8::MAX)),
        (Kind::Yes(_), Value::Yes(yes)) => record.byte(i8::from(yes)),
        (Kind::Flags, Value::Flags(flags)) => {
            record.int(Some(flags.iter().fold(0, |mask, flag| mask | 1 << *flag as i32)));
        }
        (Kind::Time, Value::Time(utc)) => record.double(Some(utc.as_seconds())),
        (Kind::Number, Value::Number(number)) => record.double(Some(number)),
        (Kind::Number, _) => record.double(None),
        (_, Value::Whole(number)) => record.count(u32::try_from(number).ok()),
        _ => record.count(None),
    }
}

/// The file as it grows.
pub struct NetcdfFile {
    head: Vec<u8>,
    promised: u64,
    found: u64,
}

impl NetcdfFile {
    pub fn new(job: &Arc<ExportJob>, count: u64) -> Result<Self, Broken> {
        let records = u32::try_from(count).ok().filter(|_| count <= MOST).ok_or(Broken::TooMany(count))?;
        Ok(Self { head: layout::header(job).to_bytes(records), promised: count, found: 0 })
    }
}

impl Assembler for NetcdfFile {
    fn begin(&mut self) -> Result<Vec<u8>, Broken> {
        Ok(std::mem::take(&mut self.head))
    }

    fn append(&mut self, block: Block) -> Result<Vec<u8>, Broken> {
        let Block::Bytes { bytes, rows } = block else { return Err(Broken::Foreign("netcdf")) };
        self.found += rows;
        Ok(bytes)
    }

    fn end(&mut self) -> Result<Vec<u8>, Broken> {
        let &mut Self { promised, found, .. } = self;
        if promised == found { Ok(Vec::new()) } else { Err(Broken::Count { promised, found }) }
    }
}
