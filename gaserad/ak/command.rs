//! What is asked of the analyzer, typed on both ends: the daemon writes a [`Command`], the simulator reads it.

use super::frame::{self, Frame};

/// A question or an order, with its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    Results,
    /// SCON: which fields each gas of a result has.
    Layout { time: bool, cas: bool, concentration: bool },
    /// STAM
    Start { task: u32 },
    /// STPM
    Stop,
    /// SONL: whether results stay off the analyzer's own disk.
    Online(bool),
    /// ATSK
    Tasks,
    /// ACLK
    Clock,
    /// ADEV
    Identity,
    /// ATSP
    TaskParameters { task: u32 },
}

impl Command {
    /// The layout that [`super::Reply::results`] reads.
    pub const LAYOUT: Self = Self::Layout { time: true, cas: true, concentration: true };

    pub const fn code(self) -> &'static str {
        match self {
            Self::State => "ASTS",
            Self::Phase => "AMST",
            Self::Iteration => "AITR",
            Self::Errors => "AERR",
            Self::Results => "ACON",
            Self::Layout { .. } => "SCON",
            Self::Start { .. } => "STAM",
            Self::Stop => "STPM",
            Self::Online(_) => "SONL",
            Self::Tasks => "ATSK",
            Self::Clock => "ACLK",
            Self::Identity => "ADEV",
            Self::TaskParameters { .. } => "ATSP",
        }
    }

    fn data(self) -> String {
        match self {
            Self::Layout { time, cas, concentration } => format!("{} {} {}", bit(time), bit(cas), bit(concentration)),
            Self::Start { task } | Self::TaskParameters { task } => task.to_string(),
            Self::Online(online) => bit(online).to_string(),
            Self::State
            | Self::Phase
            | Self::Iteration
            | Self::Errors
            | Self::Results
            | Self::Stop
            | Self::Tasks
            | Self::Clock
            | Self::Identity => String::new(),
        }
    }

    /// As it goes over the wire.
    pub fn encode(self) -> Vec<u8> {
        match self.data() {
            data if data.is_empty() => frame::encode(&format!("{} K0 ", self.code())),
            data => frame::encode(&format!("{} K0 {data} ", self.code())),
        }
    }

    /// Whether asking twice does no more than asking once.
    pub const fn is_safe_to_repeat(self) -> bool {
        !matches!(self, Self::Start { .. })
    }

    /// Reads a request back; `None` if it is not one of these commands, or its data are not what it needs.
    pub fn of(request: &Request) -> Option<Self> {
        let numbers: Vec<u32> =
            request.data.split_whitespace().map(|word| word.parse().ok()).collect::<Option<Vec<u32>>>()?;
        Some(match (request.code.as_str(), numbers.as_slice()) {
            ("ASTS", []) => Self::State,
            ("AMST", []) => Self::Phase,
            ("AITR", []) => Self::Iteration,
            ("AERR", []) => Self::Errors,
            ("ACON", []) => Self::Results,
            ("SCON", [time @ 0..=1, cas @ 0..=1, concentration @ 0..=1]) => {
                Self::Layout { time: *time == 1, cas: *cas == 1, concentration: *concentration == 1 }
            }
            ("STAM", [task]) => Self::Start { task: *task },
            ("STPM", []) => Self::Stop,
            ("SONL", [online @ 0..=1]) => Self::Online(*online == 1),
            ("ATSK", []) => Self::Tasks,
            ("ACLK", []) => Self::Clock,
            ("ADEV", []) => Self::Identity,
            ("ATSP", [task]) => Self::TaskParameters { task: *task },
            _ => return None,
        })
    }
}

const fn bit(set: bool) -> u8 {
    set as u8
}

/// A request as it came over the wire, known or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub code: String,
    /// `K0`.
    pub channel: String,
    pub data: String,
}

impl Request {
    /// `None` unless there are a code of four letters and a channel, `K` and digits.
    pub fn parse(frame: &Frame) -> Option<Self> {
        let (code, rest) = frame.split()?;
        let rest = rest.trim();
        let (channel, data) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
        let digits = channel.strip_prefix('K')?;
        let shaped = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        shaped.then(|| Self { code: code.to_owned(), channel: channel.to_owned(), data: data.trim().to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ak::Decoder;

    fn received(bytes: &[u8]) -> Option<Request> {
        let mut decoder = Decoder::default();
        decoder.push(bytes);
        Request::parse(&decoder.next_frame()?)
    }

    fn any_command() -> impl Strategy<Value = Command> {
        prop_oneof![
            prop::sample::select(vec![
                Command::State,
                Command::Phase,
                Command::Iteration,
                Command::Errors,
                Command::Results,
                Command::Stop,
                Command::Tasks,
                Command::Clock,
                Command::Identity,
            ]),
            any::<(bool, bool, bool)>().prop_map(|(time, cas, concentration)| Command::Layout {
                time,
                cas,
                concentration
            }),
            any::<bool>().prop_map(Command::Online),
            any::<u32>().prop_map(|task| Command::Start { task }),
            any::<u32>().prop_map(|task| Command::TaskParameters { task }),
        ]
    }

    #[test]
    fn requests_end_in_a_blank() {
        assert_eq!(Command::State.encode(), b"\x02 ASTS K0 \x03");
        assert_eq!(Command::Start { task: 11 }.encode(), b"\x02 STAM K0 11 \x03");
        assert_eq!(Command::LAYOUT.encode(), b"\x02 SCON K0 1 1 1 \x03");
        assert_eq!(Command::Online(true).encode(), b"\x02 SONL K0 1 \x03");
    }

    #[test]
    fn only_a_start_must_not_be_repeated() {
        assert!(!Command::Start { task: 11 }.is_safe_to_repeat());
        assert!(Command::Stop.is_safe_to_repeat());
    }

    #[test]
    fn a_request_without_a_channel_is_none() {
        for bytes in [b"\x02 ASTS \x03".as_slice(), b"\x02 ASTS X0 \x03", b"\x02 ASTS K \x03", b"\x02 AS K0 \x03"] {
            assert_eq!(received(bytes), None);
        }
        let request = received(b"\x020STAT  K12\r\nSoil 2024 \x03").unwrap();
        assert_eq!(
            (request.code.as_str(), request.channel.as_str(), request.data.as_str()),
            ("STAT", "K12", "Soil 2024")
        );
        assert_eq!(Command::of(&request), None);
    }

    proptest! {
        #[test]
        fn a_command_arrives_as_it_was_sent(command in any_command()) {
            let request = received(&command.encode()).unwrap();
            prop_assert_eq!(request.code.as_str(), command.code());
            prop_assert_eq!(Command::of(&request), Some(command));
        }
    }
}
