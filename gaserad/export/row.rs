//! A record as files need it. One is filled again and again, so that millions of them cost no memory.

use crate::domain::{AnalyzerTime, Attribution, Channel, Flag, GasInfo, Qc, Record, Utc, Verification, VisitId};

/// What a record says of one gas.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Measured {
    pub ppm: Option<f64>,
    /// The gas may still cling to the tubes: there is a number, but none to use.
    pub discard: bool,
    pub restricted: bool,
}

impl Measured {
    /// The number, if it is one to use.
    pub fn usable(self) -> Option<f64> {
        self.finite().filter(|_| !self.discard)
    }

    /// The number, whether it is one to use or not.
    pub fn finite(self) -> Option<f64> {
        self.ppm.filter(|ppm| ppm.is_finite())
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Which of the exported runs it is of.
    pub run: usize,
    pub seq: u32,
    pub stamp: AnalyzerTime,
    /// In the order of the columns.
    pub gases: Vec<Measured>,
    pub attribution: Attribution,
    pub channel: Option<Channel>,
    pub visit: Option<VisitId>,
    pub repeat: Option<u32>,
    pub verification: Verification,
    pub elapsed_s: Option<f64>,
    pub sample_in_visit: Option<u32>,
    pub discard: bool,
    pub qc: Qc,
    pub flags: Vec<Flag>,
    pub iteration: Option<u32>,
    pub sampled: Utc,
    pub read: Utc,
}

impl Row {
    /// A row of nothing, to be filled.
    pub fn new(gases: usize) -> Self {
        Self {
            run: 0,
            seq: 0,
            stamp: AnalyzerTime::default(),
            gases: vec![Measured::default(); gases],
            attribution: Attribution::Unattributed,
            channel: None,
            visit: None,
            repeat: None,
            verification: Verification::None,
            elapsed_s: None,
            sample_in_visit: None,
            discard: true,
            qc: Qc::Bad,
            flags: Vec::new(),
            iteration: None,
            sampled: Utc::default(),
            read: Utc::default(),
        }
    }

    /// The row of a record in a file with these gases.
    pub fn of(record: &Record, gases: &[GasInfo]) -> Self {
        let measured = |gas: &GasInfo| {
            let reading = record.sample.readings.iter().find(|reading| reading.cas == gas.cas);
            reading.map_or_else(Measured::default, |reading| Measured {
                ppm: reading.ppm,
                discard: reading.discard,
                restricted: reading.restricted,
            })
        };
        Self {
            run: 0,
            seq: record.seq,
            stamp: record.sample.stamp,
            gases: gases.iter().map(measured).collect(),
            attribution: record.attribution,
            channel: record.channel,
            visit: record.visit,
            repeat: record.repeat,
            verification: record.verification,
            elapsed_s: record.elapsed_s,
            sample_in_visit: record.sample_in_visit,
            discard: record.discard,
            qc: record.qc,
            flags: record.flags.clone(),
            iteration: record.iteration,
            sampled: record.sampled,
            read: record.read,
        }
    }

    pub fn is_good(&self) -> bool {
        !self.discard && self.qc == Qc::Good
    }
}
