//! NetCDF with the CF conventions: one time series for each channel, as an indexed ragged array.
//!
//! Records stand in the order in which they were made, each with the number of its station; what is on no channel is at
//! the station 0.

use std::sync::Arc;

use super::classic::Record;
use super::{Assembler, Block, Broken, Encoder, Job, Row};
use crate::domain::{Attribution, Channel, Flag, Utc, Verification};

mod layout;

/// The largest number of records that all readers take.
const MOST: u64 = 0x7fff_ffff;

/// Rows as records.
pub struct Records {
    stations: [i32; Channel::MAX as usize + 1],
    record: Record,
    rows: u64,
}

impl Records {
    pub fn new(job: &Arc<Job>) -> Self {
        let mut stations = [0; Channel::MAX as usize + 1];
        for (station, channel) in layout::stations(job).into_iter().enumerate() {
            let number = channel.map_or(0, Channel::number);
            stations[usize::from(number)] = i32::try_from(station).unwrap_or(0);
        }
        Self { stations, record: Record::default(), rows: 0 }
    }
}

impl Encoder for Records {
    /// In the order of [`layout::header`].
    fn row(&mut self, row: &Row) {
        let number = row.channel.map_or(0, Channel::number);
        let record = &mut self.record;
        record.double(Some(row.sampled.as_seconds()));
        record.double(Some(row.read.as_seconds()));
        record.int(Some(self.stations[usize::from(number)]));
        record.int(i32::try_from(row.run).ok());
        record.count(Some(row.seq));
        record.count(row.visit.map(|visit| visit.0));
        record.count(row.repeat);
        record.count(row.sample_in_visit);
        record.double(row.elapsed_s);
        record.count(row.iteration);
        record.byte(attribution(row.attribution));
        record.byte(verification(row.verification));
        record.byte(i8::from(row.discard));
        record.byte(i8::try_from(row.qc.code()).unwrap_or(i8::MAX));
        record.int(Some(row.flags.iter().fold(0, |mask, flag| mask | mask_of(*flag))));
        row.gases.iter().for_each(|gas| record.double(gas.usable()));
        self.rows += 1;
    }

    fn block(&mut self) -> Result<Block, Broken> {
        let bytes = std::mem::take(&mut self.record.bytes);
        Ok(Block::Bytes { bytes, rows: std::mem::take(&mut self.rows) })
    }
}

/// In the order in which `layout` names them.
const fn attribution(attribution: Attribution) -> i8 {
    match attribution {
        Attribution::Exact => 0,
        Attribution::Mixed => 1,
        Attribution::Stale => 2,
        Attribution::Unattributed => 3,
    }
}

const fn verification(verification: Verification) -> i8 {
    match verification {
        Verification::Readback => 0,
        Verification::HomedCount => 1,
        Verification::None => 2,
    }
}

/// The bits of the flags in `qc_flags`.
const FLAGS: [Flag; 22] = [
    Flag::Purge,
    Flag::Paused,
    Flag::Interrupted,
    Flag::Carryover,
    Flag::PosUnverified,
    Flag::PosChanged,
    Flag::Stale,
    Flag::Gap,
    Flag::ErrWarning,
    Flag::ErrBlocker,
    Flag::ErrCritical,
    Flag::Range,
    Flag::Negative,
    Flag::ZeroExact,
    Flag::ClockStep,
    Flag::ClockUnsynced,
    Flag::Unreadable,
    Flag::Missing,
    Flag::OverRange,
    Flag::UnderRange,
    Flag::Contradicted,
    Flag::ValveSimulated,
];

fn mask_of(flag: Flag) -> i32 {
    FLAGS.iter().position(|known| *known == flag).map_or(0, |bit| 1 << bit)
}

/// The file as it grows.
pub struct File {
    head: Vec<u8>,
    promised: u64,
    found: u64,
}

impl File {
    pub fn new(job: &Arc<Job>, count: u64) -> Result<Self, Broken> {
        let records = u32::try_from(count).ok().filter(|_| count <= MOST).ok_or(Broken::TooMany(count))?;
        Ok(Self { head: layout::header(job).to_bytes(records), promised: count, found: 0 })
    }
}

impl Assembler for File {
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

/// As attributes have times.
fn iso(utc: Utc) -> String {
    utc.to_seconds_string()
}
