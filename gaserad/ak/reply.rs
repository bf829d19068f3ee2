//! What the analyzer answers, read tolerantly and checked for what matters: that it is the answer to the question.

use super::command::Command;
use super::frame::{self, Frame};
use super::tasks::Tasks;
use crate::domain::{AnalyzerPhase, AnalyzerState, AnalyzerTime, Cas, DeviceErrors, Reading, Sample};

/// Bytes that are no answer, or not the one that was asked for. Each holds the line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("{0:?} is no AK reply")]
    Malformed(String),
    #[error("{asked} was answered with {line:?}")]
    OtherCode { asked: &'static str, line: String },
    #[error("the analyzer refused {code}: {why} ({line:?})")]
    Refused { code: String, why: &'static str, line: String },
    #[error("the reply {line:?} holds no {what}")]
    Unreadable { what: &'static str, line: String },
}

/// One reply. `raw` is the whole line, kept with every record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub code: String,
    pub status: u8,
    pub data: String,
    pub raw: String,
}

/// The bytes of a reply, for who plays the analyzer.
pub fn encode(code: &str, status: u8, data: &str) -> Vec<u8> {
    let blank = if data.is_empty() { "" } else { " " };
    frame::encode(&format!("{code} {status}{blank}{data}"))
}

impl Reply {
    pub fn parse(frame: &Frame) -> Result<Self, Error> {
        let raw = frame.text.trim().replace(['\r', '\n'], " ");
        let malformed = || Error::Malformed(raw.clone());
        let (code, rest) = raw.split_once(char::is_whitespace).ok_or_else(malformed)?;
        // A byte that means nothing may stand before the code.
        let code: String = code.chars().skip(code.chars().count().saturating_sub(4)).collect();
        let rest = rest.trim_start();
        let (status, data) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let status: u8 =
            Some(status).filter(|status| status.len() == 1).and_then(|s| s.parse().ok()).ok_or_else(malformed)?;
        if code.chars().count() != 4 {
            return Err(malformed());
        }
        let data = data.trim().to_owned();
        Ok(Self { code, status, data, raw })
    }

    /// Whether this answers the command, and not one that was given up.
    pub fn answers(&self, command: &Command) -> Result<(), Error> {
        if self.code == command.code() {
            Ok(())
        } else {
            Err(Error::OtherCode { asked: command.code(), line: self.raw.clone() })
        }
    }

    /// That it was done.
    pub fn done(&self) -> Result<(), Error> {
        let why = match self.data.split_whitespace().next() {
            Some("SE") => "it does not understand the syntax",
            Some("DF") => "the data does not fit",
            Some("BS") => "it is busy",
            Some("OF") => "it is not in remote mode",
            Some("NA") => "it has no such channel",
            _ if self.status == 0 => return Ok(()),
            _ => "request error",
        };
        Err(Error::Refused { code: self.code.clone(), why, line: self.raw.clone() })
    }

    fn unreadable(&self, what: &'static str) -> Error {
        Error::Unreadable { what, line: self.raw.clone() }
    }

    fn number<N: std::str::FromStr>(&self, what: &'static str) -> Result<N, Error> {
        self.done()?;
        let word = self.data.split_whitespace().next();
        word.and_then(|word| word.parse().ok()).ok_or_else(|| self.unreadable(what))
    }

    pub fn state(&self) -> Result<AnalyzerState, Error> {
        self.number("state").map(AnalyzerState::from_code)
    }

    pub fn phase(&self) -> Result<AnalyzerPhase, Error> {
        self.number("phase").map(AnalyzerPhase::from_code)
    }

    pub fn iteration(&self) -> Result<u32, Error> {
        self.number("iteration")
    }

    pub fn errors(&self) -> Result<DeviceErrors, Error> {
        self.done()?;
        Ok(DeviceErrors(self.data.split_whitespace().map(str::to_owned).collect()))
    }

    pub fn tasks(&self) -> Result<Tasks, Error> {
        self.done()?;
        Tasks::parse(&self.data).ok_or_else(|| self.unreadable("list of tasks"))
    }

    /// The gases of a task.
    pub fn task_gases(&self) -> Result<Vec<Cas>, Error> {
        self.done()?;
        let gases = self.data.split_whitespace().next().unwrap_or_default();
        let gases: Vec<Cas> = gases.split(',').filter(|gas| is_cas(gas)).map(|gas| Cas(gas.to_owned())).collect();
        if gases.is_empty() { Err(self.unreadable("gases")) } else { Ok(gases) }
    }

    /// The last result: usually one sample; several if the stamps differ.
    pub fn samples(&self) -> Result<Vec<Sample>, Error> {
        self.done()?;
        let words: Vec<&str> = self.data.split_whitespace().collect();
        let mut samples: Vec<Sample> = Vec::new();
        if !words.len().is_multiple_of(3) {
            return Err(self.unreadable("triples of time, CAS number and ppm"));
        }
        for triple in words.chunks_exact(3) {
            let (stamp, reading) = self.reading(triple[0], triple[1], triple[2])?;
            match samples.iter_mut().find(|sample| sample.stamp == stamp) {
                Some(sample) => sample.readings.push(reading),
                None => samples.push(Sample { stamp, readings: vec![reading], raw: self.raw.clone() }),
            }
        }
        Ok(samples)
    }

    fn reading(&self, stamp: &str, cas: &str, ppm: &str) -> Result<(AnalyzerTime, Reading), Error> {
        let stamp = stamp.parse().map_err(|_| self.unreadable("time stamp"))?;
        if !is_cas(cas) {
            return Err(self.unreadable("CAS number"));
        }
        // What begins with # is not available or not valid.
        let number = if ppm.starts_with('#') { None } else { Some(ppm.parse::<f64>()) };
        let number = number.transpose().map_err(|_| self.unreadable("concentration"))?;
        let ppm = number.filter(|ppm| ppm.is_finite());
        Ok((AnalyzerTime(stamp), Reading { cas: Cas(cas.to_owned()), ppm }))
    }

    /// The analyzer's clock, which runs in UTC.
    pub fn clock(&self) -> Result<AnalyzerTime, Error> {
        self.done()?;
        let civil: jiff::civil::DateTime = self.data.parse().map_err(|_| self.unreadable("time"))?;
        let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| self.unreadable("time"))?;
        Ok(AnalyzerTime(zoned.timestamp().as_second()))
    }

    /// Manufacturer, serial number, name, firmware: what stands in quotes.
    pub fn identity(&self) -> Result<Vec<String>, Error> {
        self.done()?;
        Ok(self.data.split('"').skip(1).step_by(2).map(str::to_owned).collect())
    }
}

/// Digits, digits, digit, as in `74-82-8`.
fn is_cas(word: &str) -> bool {
    word.contains('-') && word.split('-').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reply(text: &str) -> Reply {
        Reply::parse(&Frame { text: text.into() }).unwrap()
    }

    #[test]
    fn replies_as_instruments_gave_them() {
        assert_eq!(reply(" ASTS 0 2").state().unwrap(), AnalyzerState::Idle);
        assert_eq!(reply(" AMST 0 0").phase().unwrap(), AnalyzerPhase::None);
        assert_eq!(reply(" AITR 0 0").iteration().unwrap(), 0);
        assert_eq!(reply(" AERR 0 8002 8004").errors().unwrap().0, ["8002", "8004"]);
        assert_eq!(reply(" AERR 0").errors().unwrap().0, Vec::<String>::new());
        assert_eq!(reply(" ACLK 0 2025-02-26T17:02:51").clock().unwrap(), AnalyzerTime(1_740_589_371));
        let identity = reply(r#" ADEV 0 "Gasera Ltd" "030109" "MINTS-GASERA-ONE" "010304""#).identity().unwrap();
        assert_eq!(identity, ["Gasera Ltd", "030109", "MINTS-GASERA-ONE", "010304"]);
        let gases = reply(" ATSP 0 74-82-8,124-38-9,7732-18-5 850 1 1 6").task_gases().unwrap();
        assert_eq!(gases.len(), 3);
    }

    #[test]
    fn a_result_as_an_instrument_gave_it() {
        let text = " ACON 0 1706785295 74-82-8 2.13337 1706785295 7732-18-5 11571.8 1706785295 10024-97-2 0.353235";
        let samples = reply(text).samples().unwrap();
        assert_eq!(samples.len(), 1);
        assert_eq!(samples[0].stamp, AnalyzerTime(1_706_785_295));
        assert_eq!(samples[0].readings[2].ppm, Some(0.353_235));
        assert_eq!(samples[0].raw, text.trim());
    }

    #[test]
    fn readings_of_different_times_are_different_samples() {
        let samples = reply(" ACON 0 10 74-82-8 1 11 124-38-9 2 10 630-08-0 3").samples().unwrap();
        assert_eq!(samples.iter().map(|sample| sample.readings.len()).collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    fn a_value_that_is_none_is_missing_and_not_zero() {
        let samples = reply(" ACON 0 10 74-82-8 # 10 124-38-9 NaN 10 630-08-0 #5").samples().unwrap();
        assert!(samples[0].readings.iter().all(|reading| reading.ppm.is_none()));
    }

    #[test]
    fn a_layout_that_somebody_else_set_is_noticed() {
        for text in [" ACON 0 10 74-82-8 1 1 10 124-38-9 2 1", " ACON 0 74-82-8 1", " ACON 0 1 2 3"] {
            assert!(matches!(reply(text).samples(), Err(Error::Unreadable { .. })), "{text}");
        }
    }

    #[test]
    fn a_refusal_is_no_success() {
        assert!(matches!(reply(" STAM 1").done(), Err(Error::Refused { .. })));
        let busy = reply(" STAM 0 BS").done().unwrap_err();
        assert!(busy.to_string().contains("busy"), "{busy}");
        assert!(reply(" ASTS 1").state().is_err());
        assert!(reply(" ASTS 0").state().is_err());
    }

    #[test]
    fn blanks_line_ends_and_a_byte_before_the_code_do_not_matter() {
        assert_eq!(reply("\r\n ASTS   0\r\n 2 ").state().unwrap(), AnalyzerState::Idle);
        assert_eq!(reply("0ASTS 0 5 ").state().unwrap(), AnalyzerState::Measuring);
    }

    #[test]
    fn an_answer_to_something_else_is_no_answer() {
        assert!(reply(" ACON 0 1511865967 74-82-8 1").answers(&Command::State).is_err());
        for text in ["", "ASTS", "ASTS x 2", "AS 0 2", "ASTS 10 2"] {
            assert!(Reply::parse(&Frame { text: text.into() }).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in any::<String>()) {
            if let Ok(reply) = Reply::parse(&Frame { text }) {
                let _ = (reply.state(), reply.phase(), reply.iteration(), reply.errors(), reply.tasks());
                let _ = (reply.samples(), reply.clock(), reply.identity(), reply.task_gases(), reply.done());
            }
        }

        #[test]
        fn what_is_encoded_reads_back(status in 0_u8..10, data in "[!-~]{0,20}") {
            let mut decoder = frame::Decoder::default();
            decoder.push(&encode("ACON", status, &data));
            let reply = Reply::parse(&decoder.next_frame().unwrap()).unwrap();
            prop_assert_eq!((reply.code.as_str(), reply.status, reply.data), ("ACON", status, data));
        }
    }
}
