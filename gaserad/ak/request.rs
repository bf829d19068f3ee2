//! Requests as they come over the wire, and commands as people type them, read into [`Command`]s.

use core::net::Ipv4Addr;

use super::command::{Command, Layout, NO_ADDRESS, NO_GATEWAY, NO_NETMASK};
use super::frame::Frame;
use super::words::{read_bit, read_cas};
use crate::domain::Cas;
use crate::domain::instrument::{AkLine, Network};

/// A request as it came over the wire, known or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AkRequest {
    pub code: String,
    /// `K0`.
    pub channel: String,
    pub data: String,
}

impl AkRequest {
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

impl Command {
    /// Reads a request back; `None` if its data are not what its command needs.
    pub fn of(request: &AkRequest) -> Option<Self> {
        Self::from_words(&request.code, &request.data).ok()
    }

    /// Reads what a person typed: the code in any letters. An error is a sentence.
    pub fn read(line: &AkLine) -> Result<Self, String> {
        let code = line.code.trim().to_ascii_uppercase();
        if code.len() != 4 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(format!("{:?} is no AK command: a command has four letters, like ASTS", line.code));
        }
        if line.data.contains(char::is_control) {
            return Err(format!("the data of {code} hold a control character; write them on one line"));
        }
        Self::from_words(&code, line.data.trim())
    }

    fn from_words(code: &str, data: &str) -> Result<Self, String> {
        let bare = |command| if data.is_empty() { Ok(command) } else { Err(wrong(code, "no data", data)) };
        match code {
            "ASTS" => bare(Self::State),
            "AMST" => bare(Self::Phase),
            "AITR" => bare(Self::Iteration),
            "AERR" => bare(Self::Errors),
            "ACON" => bare(Self::Results),
            "STPM" => bare(Self::Stop),
            "ATSK" => bare(Self::Tasks),
            "ACLK" => bare(Self::Clock),
            "ADEV" => bare(Self::Identity),
            "ANAM" => bare(Self::Name),
            "ANET" => bare(Self::Network),
            "ASYP" => bare(Self::SystemParameters),
            "AMPS" => bare(Self::Inlets),
            "STST" => bare(Self::SelfTest),
            "ASTR" => bare(Self::SelfTestResult),
            "RDEV" => bare(Self::Reboot),
            _ => Self::with_data(code, data),
        }
    }

    fn with_data(code: &str, data: &str) -> Result<Self, String> {
        let wrong = |needs| wrong(code, needs, data);
        let text = |needs| if data.is_empty() { Err(wrong(needs)) } else { Ok(data.to_owned()) };
        let number = |needs| read_number(data).ok_or_else(|| wrong(needs));
        match code {
            "SCON" => read_layout(data).map(Self::Layout).ok_or_else(|| wrong(LAYOUT_DATA)),
            "SCOR" => read_gases(data).map(Self::Order).ok_or_else(|| wrong(ORDER_DATA)),
            "STAM" => number(TASK_ID).map(|task| Self::Start { task }),
            "ATSP" => number(TASK_ID).map(|task| Self::TaskParameters { task }),
            "STAT" => text("the name of a task, like DEFAULT").map(Self::StartByName),
            "SONL" => read_bit(data).map(Self::Online).ok_or_else(|| wrong(ONLINE_DATA)),
            "STUN" => number(TUNING_DATA).map(Self::Tuning),
            "APAR" => text("the name of a parameter, like CELLTEMP").map(Self::Parameter),
            "SNET" => read_network(data).map(Self::SetNetwork).ok_or_else(|| wrong(NETWORK_DATA)),
            _ => Ok(Self::Raw(AkLine { code: code.to_owned(), data: data.to_owned() })),
        }
    }
}

const TASK_ID: &str = "the id of a task, like 11";
const LAYOUT_DATA: &str = "a 0 or a 1 each for time, CAS number, concentration and, if wanted, inlet, like 1 1 1";
const ORDER_DATA: &str = "the CAS numbers of gases, like 74-82-8 124-38-9";
const ONLINE_DATA: &str = "1 to keep results off the analyzer's own disk, or 0 to store them there";
const TUNING_DATA: &str = "0 for never, or a number of iterations, like 10";
const NETWORK_DATA: &str = "1 for DHCP or 0, then an IPv4 address, a netmask and a gateway, \
     like 0 192.168.0.100 255.255.255.0 192.168.0.1, with NO_IP, NO_NETMASK or NO_GW where there is none";

fn wrong(code: &str, needs: &str, data: &str) -> String {
    let given = if data.is_empty() { "nothing".to_owned() } else { format!("{data:?}") };
    format!("{code} takes {needs}; {given} was given")
}

fn read_number(data: &str) -> Option<u32> {
    data.parse().ok().filter(|_| data.bytes().all(|byte| byte.is_ascii_digit()))
}

fn read_layout(data: &str) -> Option<Layout> {
    let bits: Vec<bool> = data.split_whitespace().map(read_bit).collect::<Option<_>>()?;
    match *bits.as_slice() {
        [time, cas, concentration] => Some(Layout { time, cas, concentration, inlet: None }),
        [time, cas, concentration, inlet] => Some(Layout { time, cas, concentration, inlet: Some(inlet) }),
        _ => None,
    }
}

fn read_gases(data: &str) -> Option<Vec<Cas>> {
    let parts = data.split(|c: char| c == ',' || c.is_whitespace()).filter(|part| !part.is_empty());
    parts.map(read_cas).collect::<Option<Vec<_>>>().filter(|gases| !gases.is_empty())
}

fn read_network(data: &str) -> Option<Network> {
    let [dhcp, address, netmask, gateway] = data.split_whitespace().collect::<Vec<_>>()[..] else { return None };
    let part = |text: &str, absent: &str| match text {
        text if text == absent => Some(String::new()),
        text => text.parse::<Ipv4Addr>().ok().map(|address| address.to_string()),
    };
    Some(Network {
        dhcp: read_bit(dhcp)?,
        address: part(address, NO_ADDRESS)?,
        netmask: part(netmask, NO_NETMASK)?,
        gateway: part(gateway, NO_GATEWAY)?,
    })
}

#[cfg(test)]
mod tests;
