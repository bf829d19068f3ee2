//! What the analyzer answers: a code, a status digit, data. A reader for each command turns the data into nouns; those for
//! results and for the instrument itself are in `results` and `instrument`.

use super::command::Command;
use super::frame::{self, Frame};
use super::tasks::Tasks;
use crate::domain::{AnalyzerPhase, AnalyzerState, AnalyzerTime, DeviceErrors};

/// The status digit of a refusal. Those above it count changes of an error status, and refuse nothing.
const REFUSED: u8 = 1;

/// What AK instruments say in place of data when they refuse, whatever the status digit is.
const REJECTIONS: [(&str, &str); 5] = [
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
    Stray { asked: String, line: String },
    #[error("the answer to {code} was {line:?}: {meaning}")]
    Refused { code: String, line: String, meaning: &'static str },
    #[error("{line:?} does not hold {wanted}")]
    Unreadable { line: String, wanted: &'static str },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub code: String,
    /// 0 is "no error", 1 a refusal; any other digit tells that there is some error, not that the answer is none.
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
    pub fn answers(&self, command: &Command) -> bool {
        self.code == command.code() || self.code == "????"
    }

    /// That the analyzer did what `command` says, or at least did not refuse to.
    pub fn done(&self, command: &Command) -> Result<(), Error> {
        self.data_of(command.code()).map(|_| ())
    }

    /// The data as they came, without the code and the status, if this is a reply to `command` that is no refusal.
    pub fn told(&self, command: &Command) -> Result<&str, Error> {
        self.data_of(command.code())
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
        let codes = self.data_of("AERR")?.split([' ', '\t', '\r', '\n', ',', '"']).filter(|code| !code.is_empty());
        Ok(DeviceErrors(codes.map(str::to_owned).collect()))
    }

    /// ATSK
    pub fn tasks(&self) -> Result<Tasks, Error> {
        Tasks::read(self.data_of("ATSK")?).ok_or_else(|| self.unreadable("task ids and names"))
    }

    /// ACLK
    pub fn clock(&self) -> Result<AnalyzerTime, Error> {
        let text = self.data_of("ACLK")?.trim_end_matches('Z');
        let time = text.parse::<jiff::civil::DateTime>().and_then(|time| time.to_zoned(jiff::tz::TimeZone::UTC));
        let seconds = time.map_err(|_| self.unreadable("a date and a time"))?.timestamp().as_second();
        Ok(AnalyzerTime(seconds))
    }

    fn number<T: std::str::FromStr>(&self, code: &str, wanted: &'static str) -> Result<T, Error> {
        let data = self.data_of(code)?;
        let digits = data.bytes().all(|byte| byte.is_ascii_digit());
        data.parse().ok().filter(|_| digits).ok_or_else(|| self.unreadable(wanted))
    }

    /// The data, if this is a reply to `asked` that is no refusal.
    pub(super) fn data_of(&self, asked: &str) -> Result<&str, Error> {
        let meaning = match (self.rejection(), self.code.as_str()) {
            (_, "????") => "it does not know the command",
            (_, code) if code != asked => return Err(Error::Stray { asked: asked.to_owned(), line: self.raw.clone() }),
            (Some(meaning), _) => meaning,
            (None, _) if self.status == REFUSED => "an error, and it does not say which",
            (None, _) => return Ok(&self.data),
        };
        Err(Error::Refused { code: asked.to_owned(), line: self.raw.clone(), meaning })
    }

    /// What the word of refusal means, if the data are one, with or without the channel before it.
    fn rejection(&self) -> Option<&'static str> {
        let word = match self.data.split_once(char::is_whitespace) {
            None => self.data.as_str(),
            Some((channel, word)) => {
                let digits = channel.strip_prefix('K')?;
                let shaped = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
                shaped.then_some(word.trim())?
            }
        };
        REJECTIONS.iter().find(|(known, _)| *known == word).map(|(_, meaning)| *meaning)
    }

    pub(super) fn unreadable(&self, wanted: &'static str) -> Error {
        Error::Unreadable { line: self.raw.clone(), wanted }
    }
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
            ("STAM 3 K12\r\nDF", "the data do not suit it"),
            ("STAM 1 SE", "it does not know the command"),
            ("STAM 1 0", "an error, and it does not say which"),
            ("???? 1", "it does not know the command"),
        ] {
            let error = reply(text).done(&Command::Start { task: 11 }).unwrap_err().to_string();
            assert_eq!(error, format!("the answer to STAM was {text:?}: {end}"));
        }
        assert_eq!(reply("STAM 0").done(&Command::Start { task: 11 }), Ok(()));
    }

    #[test]
    fn a_status_that_counts_errors_is_no_refusal() {
        assert_eq!(reply("ASTS 2 5").state(), Ok(AnalyzerState::Measuring));
        assert_eq!(reply("STPM 9").done(&Command::Stop), Ok(()));
        assert!(matches!(reply("ASTS 3").state(), Err(Error::Unreadable { .. })));
        assert!(matches!(reply("ASTS 1 5").state(), Err(Error::Refused { .. })));
    }

    #[test]
    fn error_codes_are_words() {
        let codes = |text| reply(text).errors().unwrap().0;
        assert_eq!(codes("AERR 0 8002\r\nE001, \"8004\""), ["8002", "E001", "8004"]);
        assert_eq!(codes("AERR 0"), [""; 0]);
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
    fn the_clock_is_utc() {
        assert_eq!(reply("ACLK 0 2025-02-26T17:08:51").clock(), Ok(AnalyzerTime(1_740_589_731)));
        assert_eq!(reply("ACLK 0 2025-02-26T17:08:51Z").clock(), Ok(AnalyzerTime(1_740_589_731)));
        assert!(matches!(reply("ACLK 0 yesterday").clock(), Err(Error::Unreadable { .. })));
    }

    proptest! {
        #[test]
        fn a_reply_arrives_as_it_was_sent(code in "A[A-Z]{3}", status in 0..=9_u8, data in "([!-~]{1,9}( [!-~]{1,9}){0,5})?") {
            let mut decoder = Decoder::default();
            decoder.push(&encode(&code, status, &data));
            let reply = Reply::parse(&decoder.next_frame().unwrap()).unwrap();
            prop_assert_eq!((reply.code, reply.status, reply.data), (code, status, data));
        }
    }
}
