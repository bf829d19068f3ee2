//! What is asked of the analyzer, typed. How a command is read from a request, or from what a person typed, is `request`.

use super::frame;
use crate::domain::Cas;
use crate::domain::instrument::{AkLine, Network};

/// A question or an order, with its data.
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
    Results,
    /// SCON
    Layout(Layout),
    /// SCOR: in which order ACON gives the gases.
    Order(Vec<Cas>),
    /// STAM
    Start { task: u32 },
    /// STAT
    StartByName(String),
    /// STPM
    Stop,
    /// SONL: whether results stay off the analyzer's own disk.
    Online(bool),
    /// STUN: 0 never tunes the laser, `n` does at every n-th iteration.
    Tuning(u32),
    /// ATSK
    Tasks,
    /// ATSP
    TaskParameters { task: u32 },
    /// ACLK
    Clock,
    /// ADEV
    Identity,
    /// ANAM
    Name,
    /// ANET
    Network,
    /// SNET: takes effect when the analyzer is started again.
    SetNetwork(Network),
    /// APAR: one parameter, by its name.
    Parameter(String),
    /// ASYP: all parameters of the system.
    SystemParameters,
    /// AMPS: the inlets of the analyzer's own sampler.
    Inlets,
    /// STST
    SelfTest,
    /// ASTR
    SelfTestResult,
    /// RDEV
    Reboot,
    /// A code that is not known here.
    Raw(AkLine),
}

/// Which fields each gas of a result has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    pub time: bool,
    pub cas: bool,
    pub concentration: bool,
    /// Firmware before 1.8.2 takes three bits only: `None` leaves this one away.
    pub inlet: Option<bool>,
}

impl Layout {
    pub const PLAIN: Self = Self { time: true, cas: true, concentration: true, inlet: None };
    pub const WITH_INLET: Self = Self { inlet: Some(true), ..Self::PLAIN };

    pub(super) const fn fields(self) -> usize {
        self.time as usize + self.cas as usize + self.concentration as usize + matches!(self.inlet, Some(true)) as usize
    }
}

impl Command {
    /// The layout that [`super::Reply::results`] reads.
    pub const LAYOUT: Self = Self::Layout(Layout::PLAIN);

    pub fn code(&self) -> &str {
        match self {
            Self::State => "ASTS",
            Self::Phase => "AMST",
            Self::Iteration => "AITR",
            Self::Errors => "AERR",
            Self::Results => "ACON",
            Self::Layout(_) => "SCON",
            Self::Order(_) => "SCOR",
            Self::Start { .. } => "STAM",
            Self::StartByName(_) => "STAT",
            Self::Stop => "STPM",
            Self::Online(_) => "SONL",
            Self::Tuning(_) => "STUN",
            Self::Tasks => "ATSK",
            Self::TaskParameters { .. } => "ATSP",
            Self::Clock => "ACLK",
            Self::Identity => "ADEV",
            Self::Name => "ANAM",
            Self::Network => "ANET",
            Self::SetNetwork(_) => "SNET",
            Self::Parameter(_) => "APAR",
            Self::SystemParameters => "ASYP",
            Self::Inlets => "AMPS",
            Self::SelfTest => "STST",
            Self::SelfTestResult => "ASTR",
            Self::Reboot => "RDEV",
            Self::Raw(line) => &line.code,
        }
    }

    fn data(&self) -> String {
        match self {
            Self::Layout(layout) => write_layout(*layout),
            Self::Order(gases) => gases.iter().map(|cas| cas.0.as_str()).collect::<Vec<_>>().join(" "),
            Self::Start { task: number } | Self::TaskParameters { task: number } | Self::Tuning(number) => {
                number.to_string()
            }
            Self::StartByName(name) | Self::Parameter(name) => name.clone(),
            Self::Online(online) => bit(*online).to_string(),
            Self::SetNetwork(network) => write_network(network),
            Self::Raw(line) => line.data.clone(),
            _ => String::new(),
        }
    }

    /// As it goes over the wire.
    pub fn encode(&self) -> Vec<u8> {
        match self.data() {
            data if data.is_empty() => frame::encode(&format!("{} K0 ", self.code())),
            data => frame::encode(&format!("{} K0 {data} ", self.code())),
        }
    }

    /// Whether asking twice does no more than asking once.
    pub fn is_safe_to_repeat(&self) -> bool {
        match self {
            Self::Start { .. } | Self::StartByName(_) | Self::SelfTest | Self::SetNetwork(_) | Self::Reboot => false,
            Self::Raw(line) => line.code.starts_with('A'),
            _ => true,
        }
    }

    /// Whether the analyzer may be another after it. Codes that ask begin with A.
    pub fn changes_the_instrument(&self) -> bool {
        !self.code().starts_with('A')
    }
}

/// The words that stand for what a network does not have.
pub(super) const NO_ADDRESS: &str = "NO_IP";
pub(super) const NO_NETMASK: &str = "NO_NETMASK";
pub(super) const NO_GATEWAY: &str = "NO_GW";

/// As ANET tells it and as SNET takes it.
pub fn write_network(network: &Network) -> String {
    let or = |text: &str, absent: &str| if text.is_empty() { absent.to_owned() } else { text.to_owned() };
    let Network { dhcp, address, netmask, gateway } = network;
    let dhcp = bit(*dhcp);
    format!("{dhcp} {} {} {}", or(address, NO_ADDRESS), or(netmask, NO_NETMASK), or(gateway, NO_GATEWAY))
}

fn write_layout(layout: Layout) -> String {
    let Layout { time, cas, concentration, inlet } = layout;
    let three = format!("{} {} {}", bit(time), bit(cas), bit(concentration));
    inlet.map_or(three.clone(), |inlet| format!("{three} {}", bit(inlet)))
}

const fn bit(set: bool) -> u8 {
    set as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(code: &str) -> Command {
        Command::Raw(AkLine { code: code.into(), data: String::new() })
    }

    #[test]
    fn requests_end_in_a_blank() {
        assert_eq!(Command::State.encode(), b"\x02 ASTS K0 \x03");
        assert_eq!(Command::Start { task: 11 }.encode(), b"\x02 STAM K0 11 \x03");
        assert_eq!(Command::LAYOUT.encode(), b"\x02 SCON K0 1 1 1 \x03");
        assert_eq!(Command::Layout(Layout::WITH_INLET).encode(), b"\x02 SCON K0 1 1 1 1 \x03");
        assert_eq!(Command::Online(true).encode(), b"\x02 SONL K0 1 \x03");
        assert_eq!(Command::StartByName("Soil 2024".into()).encode(), b"\x02 STAT K0 Soil 2024 \x03");
        let order = Command::Order(vec![Cas("124-38-9".into()), Cas("74-82-8".into())]);
        assert_eq!(order.encode(), b"\x02 SCOR K0 124-38-9 74-82-8 \x03");
    }

    #[test]
    fn a_network_says_what_it_does_not_have() {
        let network = Network { dhcp: true, address: String::new(), netmask: String::new(), gateway: String::new() };
        assert_eq!(Command::SetNetwork(network).encode(), b"\x02 SNET K0 1 NO_IP NO_NETMASK NO_GW \x03");
    }

    #[test]
    fn what_starts_something_must_not_be_repeated() {
        let network = Network { dhcp: true, address: String::new(), netmask: String::new(), gateway: String::new() };
        for command in [
            Command::Start { task: 11 },
            Command::StartByName("DEFAULT".into()),
            Command::SelfTest,
            Command::Reboot,
            Command::SetNetwork(network),
            raw("SXYZ"),
        ] {
            assert!(!command.is_safe_to_repeat(), "{command:?}");
            assert!(command.changes_the_instrument(), "{command:?}");
        }
        for command in [Command::Stop, Command::LAYOUT, Command::Online(true), Command::Tuning(1)] {
            assert!(command.is_safe_to_repeat() && command.changes_the_instrument(), "{command:?}");
        }
        for command in [Command::State, Command::Parameter("CELLTEMP".into()), Command::SelfTestResult, raw("AXYZ")] {
            assert!(command.is_safe_to_repeat() && !command.changes_the_instrument(), "{command:?}");
        }
    }
}
