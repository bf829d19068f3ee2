//! What the analyzer is asked and told.

use super::frame::{self, Frame};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// ASTS
    State,
    /// AMST
    Phase,
    /// AITR
    Iteration,
    /// AERR
    Errors,
    /// ACON
    Result,
    /// SCON: time, CAS number and ppm, without the inlet.
    ResultLayout,
    /// ATSK
    Tasks,
    /// ATSP
    TaskParameters(u32),
    /// STAM
    Start(u32),
    /// STPM
    Stop,
    /// SONL: whether results are kept on the analyzer.
    SaveOnDevice(bool),
    /// ACLK
    Clock,
    /// ADEV
    Identity,
}

impl Command {
    pub const fn code(&self) -> &'static str {
        match self {
            Self::State => "ASTS",
            Self::Phase => "AMST",
            Self::Iteration => "AITR",
            Self::Errors => "AERR",
            Self::Result => "ACON",
            Self::ResultLayout => "SCON",
            Self::Tasks => "ATSK",
            Self::TaskParameters(_) => "ATSP",
            Self::Start(_) => "STAM",
            Self::Stop => "STPM",
            Self::SaveOnDevice(_) => "SONL",
            Self::Clock => "ACLK",
            Self::Identity => "ADEV",
        }
    }

    fn data(&self) -> String {
        match self {
            Self::ResultLayout => "1 1 1 ".into(),
            Self::TaskParameters(task) | Self::Start(task) => format!("{task} "),
            // Online mode means that the analyzer does not keep its results.
            Self::SaveOnDevice(save) => if *save { "0 " } else { "1 " }.into(),
            _ => String::new(),
        }
    }

    /// With the blank at the end that some firmware wants.
    pub fn encode(&self) -> Vec<u8> {
        frame::encode(&format!("{} K0 {}", self.code(), self.data()))
    }

    /// Whether asking twice does no harm. A second start could be a second measurement.
    pub const fn is_safe_to_repeat(&self) -> bool {
        !matches!(self, Self::Start(_))
    }
}

/// A question as the other side reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub code: String,
    /// `K0`
    pub channel: String,
    pub data: String,
}

impl Request {
    pub fn parse(frame: &Frame) -> Option<Self> {
        let mut words = frame.text.split_whitespace();
        let code = words.next()?.to_owned();
        let channel = words.next()?.to_owned();
        channel.starts_with('K').then(|| Self { code, channel, data: words.collect::<Vec<_>>().join(" ") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there(command: &Command) -> Request {
        let mut decoder = frame::Decoder::default();
        decoder.push(&command.encode());
        Request::parse(&decoder.next_frame().unwrap()).unwrap()
    }

    #[test]
    fn commands_end_with_a_blank() {
        assert_eq!(Command::State.encode(), b"\x02 ASTS K0 \x03");
        assert_eq!(Command::Start(11).encode(), b"\x02 STAM K0 11 \x03");
        assert_eq!(Command::SaveOnDevice(true).encode(), b"\x02 SONL K0 0 \x03");
    }

    #[test]
    fn the_other_side_reads_what_was_meant() {
        assert_eq!(
            there(&Command::Start(11)),
            Request { code: "STAM".into(), channel: "K0".into(), data: "11".into() }
        );
        assert_eq!(there(&Command::ResultLayout).data, "1 1 1");
        assert_eq!(there(&Command::Stop).data, "");
    }
}
