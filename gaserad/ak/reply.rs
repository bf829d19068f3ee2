//! What the analyzer answers: a code, a status digit, data. A reader for each command turns the data into nouns.

use std::collections::BTreeMap;

use super::command::Command;
use super::frame::{self, Frame};
use super::tasks::Tasks;
use super::words::words;
use crate::domain::{AnalyzerPhase, AnalyzerState, AnalyzerTime, Cas, DeviceErrors, Reading, Sample};

/// 9999-12-31T23:59:59Z. A larger number is no time stamp but another field.
const LATEST_STAMP: i64 = 253_402_300_799;

/// What AK instruments say in place of data when they refuse, whatever the status digit is.
const REFUSALS: [(&str, &str); 5] = [
    ("SE", "it does not know the command"),
    ("DF", "the data do not suit it"),
    ("BS", "it is busy"),
    ("OF", "it is not under remote control"),
    ("NA", "not available"),
];

/// A reply that says something else than what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("{line:?} is no AK reply: a code of four letters and a status digit are needed")]
    Malformed { line: String },
    #[error("{line:?} is no reply to {asked}")]
    Stray { asked: &'static str, line: String },
    #[error("the answer to {code} was {line:?}: {meaning}")]
    Refused { code: String, line: String, meaning: &'static str },
    #[error("{line:?} does not hold {wanted}")]
    Unreadable { line: String, wanted: &'static str },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub code: String,
    /// 0 is "no error".
    pub status: u8,
    /// Without the blanks around it.
    pub data: String,
    /// The whole text.
    pub raw: String,
}

impl Reply {
    pub fn parse(frame: &Frame) -> Result<Self, Error> {
        let malformed = || Error::Malformed { line: frame.text.clone() };
        let (code, rest) = frame.split().ok_or_else(malformed)?;
        let rest = rest.trim();
        let (digit, data) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
        let status = match digit.as_bytes() {
            [digit @ b'0'..=b'9'] => digit - b'0',
            _ => return Err(malformed()),
        };
        Ok(Self { code: code.to_owned(), status, data: data.trim().to_owned(), raw: frame.text.clone() })
    }

    /// Whether this is the reply to `command`: it repeats its code, or the code was not even understood.
    pub fn answers(&self, command: Command) -> bool {
        self.code == command.code() || self.code == "????"
    }

    /// That the analyzer did what `command` says.
    pub fn done(&self, command: Command) -> Result<(), Error> {
        self.data_of(command.code()).map(|_| ())
    }

    /// ASTS
    pub fn state(&self) -> Result<AnalyzerState, Error> {
        self.number("ASTS", "a state").map(AnalyzerState::from_code)
    }

    /// AMST
    pub fn phase(&self) -> Result<AnalyzerPhase, Error> {
        self.number("AMST", "a phase").map(AnalyzerPhase::from_code)
    }

    /// AITR
    pub fn iteration(&self) -> Result<u32, Error> {
        self.number("AITR", "an iteration number")
    }

    /// AERR
    pub fn errors(&self) -> Result<DeviceErrors, Error> {
        Ok(DeviceErrors(self.data_of("AERR")?.split_whitespace().map(str::to_owned).collect()))
    }

    /// ACON in the layout [`Command::LAYOUT`]: one sample per time stamp, in the order of time. Another layout is an
    /// error. A concentration that is no finite number, `#` among them, is a reading without a value.
    pub fn results(&self) -> Result<Vec<Sample>, Error> {
        let unreadable = || self.unreadable("a time, a CAS number and a concentration for each gas");
        let fields: Vec<&str> = self.data_of("ACON")?.split_whitespace().collect();
        let mut samples: BTreeMap<AnalyzerTime, Vec<Reading>> = BTreeMap::new();
        for triple in fields.chunks(3) {
            let &[stamp, cas, ppm] = triple else { return Err(unreadable()) };
            let stamp = read_stamp(stamp).ok_or_else(unreadable)?;
            let cas = read_cas(cas).ok_or_else(unreadable)?;
            let ppm = ppm.parse().ok().filter(|ppm: &f64| ppm.is_finite());
            samples.entry(stamp).or_default().push(Reading::new(cas, ppm));
        }
        let raw = &self.raw;
        Ok(samples.into_iter().map(|(stamp, readings)| Sample { stamp, readings, raw: raw.clone() }).collect())
    }

    /// ATSK
    pub fn tasks(&self) -> Result<Tasks, Error> {
        Tasks::read(self.data_of("ATSK")?).ok_or_else(|| self.unreadable("task ids and names"))
    }

    /// ATSP: the gases of the task.
    pub fn gases(&self) -> Result<Vec<Cas>, Error> {
        let parts = self.data_of("ATSP")?.split([',', ' ', '\t', '\r', '\n']).filter(|part| !part.is_empty());
        let gases: Vec<Cas> = parts.map_while(read_cas).collect();
        if gases.is_empty() { Err(self.unreadable("CAS numbers of gases")) } else { Ok(gases) }
    }

    /// ACLK
    pub fn clock(&self) -> Result<AnalyzerTime, Error> {
        let text = self.data_of("ACLK")?.trim_end_matches('Z');
        let time = text.parse::<jiff::civil::DateTime>().and_then(|time| time.to_zoned(jiff::tz::TimeZone::UTC));
        let seconds = time.map_err(|_| self.unreadable("a date and a time"))?.timestamp().as_second();
        Ok(AnalyzerTime(seconds))
    }

    /// ADEV: manufacturer, serial number, name, firmware.
    pub fn identity(&self) -> Result<Vec<String>, Error> {
        Ok(words(self.data_of("ADEV")?).into_iter().map(|word| word.text).collect())
    }

    fn number<T: std::str::FromStr>(&self, code: &'static str, wanted: &'static str) -> Result<T, Error> {
        let data = self.data_of(code)?;
        let digits = data.bytes().all(|byte| byte.is_ascii_digit());
        data.parse().ok().filter(|_| digits).ok_or_else(|| self.unreadable(wanted))
    }

    /// The data, if this is a reply to `asked` that is no refusal.
    fn data_of(&self, asked: &'static str) -> Result<&str, Error> {
        let refusal = REFUSALS.iter().find(|(word, _)| self.data == *word || self.data == format!("K0 {word}"));
        let meaning = match (refusal, self.code.as_str()) {
            (_, "????") => "it does not know the command",
            (_, code) if code != asked => return Err(Error::Stray { asked, line: self.raw.clone() }),
            (Some((_, meaning)), _) => meaning,
            (None, _) if self.status != 0 => "an error, and it does not say which",
            (None, _) => return Ok(&self.data),
        };
        Err(Error::Refused { code: asked.to_owned(), line: self.raw.clone(), meaning })
    }

    fn unreadable(&self, wanted: &'static str) -> Error {
        Error::Unreadable { line: self.raw.clone(), wanted }
    }
}

fn read_stamp(text: &str) -> Option<AnalyzerTime> {
    let stamp = text.parse().ok().filter(|stamp| (0..=LATEST_STAMP).contains(stamp));
    stamp.map(AnalyzerTime)
}

/// Three numbers with hyphens between them.
fn read_cas(text: &str) -> Option<Cas> {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let shaped = text.split('-').count() == 3 && text.split('-').all(number);
    shaped.then(|| Cas(text.to_owned()))
}

/// A reply as it goes over the wire.
pub fn encode(code: &str, status: u8, data: &str) -> Vec<u8> {
    match data.trim() {
        "" => frame::encode(&format!("{code} {status}")),
        data => frame::encode(&format!("{code} {status} {data}")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ak::Decoder;

    fn reply(text: &str) -> Reply {
        Reply::parse(&Frame { text: text.into() }).unwrap()
    }

    #[test]
    fn a_reply_has_a_code_a_status_and_data() {
        let reply = reply("0ASTS 0\r\n 5 ");
        assert_eq!((reply.code.as_str(), reply.status, reply.data.as_str()), ("ASTS", 0, "5"));
        assert_eq!(reply.state(), Ok(AnalyzerState::Measuring));
    }

    #[test]
    fn a_reply_without_a_status_is_malformed() {
        for text in ["ASTS", "????", "ASTS x 2", "ASTS 12", "ASTS -1", "no reply at all"] {
            let error = Reply::parse(&Frame { text: text.into() }).unwrap_err();
            assert_eq!(error, Error::Malformed { line: text.into() });
        }
    }

    #[test]
    fn a_reply_to_another_question_is_not_read() {
        let error = reply("ACON 0 1511865967 74-82-8 0.9").state().unwrap_err();
        assert_eq!(error.to_string(), "\"ACON 0 1511865967 74-82-8 0.9\" is no reply to ASTS");
    }

    #[test]
    fn refusals_are_told_with_their_meaning() {
        for (text, end) in [
            ("STAM 1", "an error, and it does not say which"),
            ("STAM 7 BS", "it is busy"),
            ("STAM 0 BS", "it is busy"),
            ("STAM 0 K0 OF", "it is not under remote control"),
            ("???? 1", "it does not know the command"),
        ] {
            let error = reply(text).done(Command::Start { task: 11 }).unwrap_err().to_string();
            assert_eq!(error, format!("the answer to STAM was {text:?}: {end}"));
        }
        assert_eq!(reply("STAM 0").done(Command::Start { task: 11 }), Ok(()));
    }

    #[test]
    fn codes_that_are_not_numbers_are_unreadable() {
        assert!(matches!(reply("ASTS 0").state(), Err(Error::Unreadable { .. })));
        assert!(matches!(reply("AMST 0 1 2").phase(), Err(Error::Unreadable { .. })));
        assert!(matches!(reply("AITR 0 +1").iteration(), Err(Error::Unreadable { .. })));
        assert!(matches!(reply("ASTS 0 256").state(), Err(Error::Unreadable { .. })));
        assert_eq!(reply("ASTS 0 9").state(), Ok(AnalyzerState::Other(9)));
    }

    #[test]
    fn results_are_grouped_by_stamp() {
        let samples = reply("ACON 0 20 74-82-8 1.5 10 124-38-9 4E2\r\n20 7732-18-5 -0.25").results().unwrap();
        let stamps: Vec<i64> = samples.iter().map(|sample| sample.stamp.0).collect();
        assert_eq!(stamps, [10, 20]);
        assert_eq!(samples[0].readings, [Reading::new(Cas("124-38-9".into()), Some(400.0))]);
        let ppm: Vec<_> = samples[1].readings.iter().map(|reading| reading.ppm).collect();
        assert_eq!(ppm, [Some(1.5), Some(-0.25)]);
        assert_eq!(reply("ACON 0").results(), Ok(Vec::new()));
    }

    #[test]
    fn a_concentration_that_is_no_number_has_no_value() {
        for ppm in ["#", "#12.5", "NaN", "inf", "-inf", "1e999", "NULL"] {
            let samples = reply(&format!("ACON 0 10 74-82-8 {ppm}")).results().unwrap();
            assert_eq!(samples[0].readings[0].ppm, None, "{ppm}");
        }
    }

    #[test]
    fn results_in_another_layout_are_an_error() {
        for data in [
            "74-82-8 0.9 124-38-9 400",
            "10 74-82-8 0.9 1 10 124-38-9 400 1 10 7732-18-5 7000 1",
            "10 0.9 10 400 10 7000",
            "10 74-82-8",
            "0 0 0",
            "99999999999999999999 74-82-8 0.9",
        ] {
            assert!(matches!(reply(&format!("ACON 0 {data}")).results(), Err(Error::Unreadable { .. })), "{data}");
        }
    }

    #[test]
    fn the_clock_is_utc() {
        assert_eq!(reply("ACLK 0 2025-02-26T17:08:51").clock(), Ok(AnalyzerTime(1_740_589_731)));
        assert_eq!(reply("ACLK 0 2025-02-26T17:08:51Z").clock(), Ok(AnalyzerTime(1_740_589_731)));
        assert!(matches!(reply("ACLK 0 yesterday").clock(), Err(Error::Unreadable { .. })));
    }

    #[test]
    fn gases_end_where_the_other_parameters_begin() {
        let gases = reply("ATSP 0 74-82-8, 124-38-9,630-08-0 850 1 1 6").gases().unwrap();
        assert_eq!(gases.iter().map(|cas| cas.0.as_str()).collect::<Vec<_>>(), ["74-82-8", "124-38-9", "630-08-0"]);
        assert!(reply("ATSP 0 850 1 1 6").gases().is_err());
    }

    /// Every reader on the same reply: whatever it says, none of them may panic.
    fn read_all(reply: &Reply) {
        let _ = (reply.state(), reply.phase(), reply.iteration(), reply.errors(), reply.results());
        let _ = (reply.tasks(), reply.gases(), reply.clock(), reply.identity(), reply.done(Command::Stop));
    }

    proptest! {
        #[test]
        fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut decoder = Decoder::default();
            decoder.push(b"\x02");
            decoder.push(&bytes);
            decoder.push(b"\x03");
            while let Some(frame) = decoder.next_frame() {
                if let Ok(reply) = Reply::parse(&frame) {
                    read_all(&reply);
                }
            }
        }

        #[test]
        fn no_data_make_their_reader_panic(
            code in prop::sample::select(vec!["ASTS", "AITR", "AERR", "ACON", "ATSK", "ATSP", "ACLK", "ADEV"]),
            data in "[0-9a-zA-Z#\",:.\\-TZ \r\n]{0,120}",
        ) {
            read_all(&reply(&format!("{code} 0 {data}")));
        }

        #[test]
        fn a_reply_arrives_as_it_was_sent(code in "A[A-Z]{3}", status in 0..=9_u8, data in "([!-~]{1,9}( [!-~]{1,9}){0,5})?") {
            let mut decoder = Decoder::default();
            decoder.push(&encode(&code, status, &data));
            let reply = Reply::parse(&decoder.next_frame().unwrap()).unwrap();
            prop_assert_eq!((reply.code, reply.status, reply.data), (code, status, data));
        }
    }
}
