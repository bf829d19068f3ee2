//! VICI/Valco rotary valve actuators over a serial line, in both of their dialects.
//!
//! Orders are absolute (`GOnn`), and an order is done when the valve says that it stands there (`CP`): not when it
//! was sent. Homing is going to port 1 and reading back, since `HM` is not known to all models. The direction of
//! rotation is the valve's choice; the driver sets nothing that the valve would remember.

use std::sync::Arc;
use std::time::Duration;

use super::line::{Line, LineError};
use super::{BoxFuture, Multiplexer};
use crate::device::Dial;
use crate::domain::{Channel, Clock, Fault, FaultKind, Position, Verification};

/// How long a connection or a line of a reply may take. A real device's own time, whatever a simulation's clock says.
const REPLY: Duration = Duration::from_millis(500);
const POLL: Duration = Duration::from_millis(100);
const FASTEST_POLL: Duration = Duration::from_millis(5);
const TRAVEL: Duration = Duration::from_secs(2);
const TRAVEL_PER_CHANNEL: Duration = Duration::from_millis(300);
/// Echoes and left-overs before the answer to a question.
const MOST_STRAYS: usize = 4;

#[derive(Debug, Clone)]
pub struct ViciSettings {
    /// How many channels are to be used; the valve may have more ports.
    pub channels: u8,
    /// What goes before every command where several valves share the line: `3`, `/A`.
    pub address: Option<String>,
}

pub struct Vici {
    dial: Dial,
    settings: ViciSettings,
    clock: Arc<dyn Clock>,
    line: Option<Line>,
    /// The valve has shown that it has enough ports.
    checked: bool,
}

/// Where the valve says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whereabouts {
    At(u32),
    /// Between ports.
    Near,
}

/// How waiting for a position ended.
enum Arrival {
    There(Whereabouts),
    /// With the last position, if there was one.
    Late(Option<Whereabouts>),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Line(#[from] LineError),
    #[error("it answers {0:?}, which no VICI valve says to that")]
    Stray(String),
    #[error("it answers {0:?}")]
    BadCommand(String),
}

impl Multiplexer for Vici {
    fn home(&mut self) -> BoxFuture<'_, Result<Position, Fault>> {
        Box::pin(self.travel(Channel::HOME))
    }

    fn go(&mut self, to: Channel) -> BoxFuture<'_, Result<Position, Fault>> {
        Box::pin(self.travel(to))
    }

    fn position(&mut self) -> BoxFuture<'_, Result<Position, Fault>> {
        Box::pin(self.stand())
    }
}

impl Vici {
    pub fn new(dial: Dial, settings: ViciSettings, clock: Arc<dyn Clock>) -> Self {
        Self { dial, settings, clock, line: None, checked: false }
    }

    async fn travel(&mut self, to: Channel) -> Result<Position, Fault> {
        self.check_ports().await?;
        let order = format!("GO{:02}", to.number());
        self.persist(&order, Expect::Nothing).await?;
        let goal = Whereabouts::At(u32::from(to.number()));
        match self.poll_until(|here| here == goal).await? {
            Arrival::There(_) => Ok(Position::At(to, Verification::Readback)),
            Arrival::Late(here) => Err(self.stuck(&order, here)),
        }
    }

    async fn stand(&mut self) -> Result<Position, Fault> {
        self.check_ports().await?;
        let arrival = self.poll_until(|here| here != Whereabouts::Near).await?;
        let Arrival::There(Whereabouts::At(port)) = arrival else {
            return Err(self.refused(
                "stands between two ports; order it to a channel, and check that it turns freely if it stays there",
            ));
        };
        match u8::try_from(port).ok().and_then(Channel::new) {
            Some(channel) => Ok(Position::At(channel, Verification::Readback)),
            None => Err(self.refused(&format!("says that it stands on port {port}, which is no channel here"))),
        }
    }

    /// Asks for the position until it is as wanted, or the time for the longest way is over.
    async fn poll_until(&mut self, wanted: impl Fn(Whereabouts) -> bool + Send) -> Result<Arrival, Fault> {
        let mut last = None;
        let poll = self.poll_interval();
        let limit = self.longest_way();
        let polling = async {
            loop {
                let here = self.whereabouts().await?;
                last = Some(here);
                if wanted(here) {
                    return Ok(Arrival::There(here));
                }
                tokio::time::sleep(poll).await;
            }
        };
        if let Ok(arrived) = tokio::time::timeout(limit, polling).await {
            return arrived;
        }
        // The last question may have been cut off before its answer.
        self.line = None;
        Ok(Arrival::Late(last))
    }

    async fn whereabouts(&mut self) -> Result<Whereabouts, Fault> {
        let reply = self.persist("CP", Expect::Reply(|line| parse_position(line).is_some())).await?;
        parse_position(&reply).ok_or_else(|| self.refused(&format!("answers {reply:?} to CP")))
    }

    async fn check_ports(&mut self) -> Result<(), Fault> {
        if self.checked {
            return Ok(());
        }
        let reply = self.persist("NP", Expect::Reply(|line| parse_ports(line).is_some())).await?;
        let ports = parse_ports(&reply).unwrap_or_default();
        let channels = self.settings.channels;
        if ports < u32::from(channels) {
            return Err(self.refused(&format!(
                "has {ports} ports, but {channels} channels are configured; set channels to {ports} or less"
            )));
        }
        self.checked = true;
        Ok(())
    }

    /// Asks, and if the line fails asks once more on a new one: every command may be repeated.
    async fn persist(&mut self, command: &str, expect: Expect) -> Result<String, Fault> {
        match self.ask(command, expect).await {
            Ok(reply) => return Ok(reply),
            Err(refusal @ Trouble::BadCommand(_)) => return Err(self.troubled(command, &refusal)),
            Err(_) => self.line = None,
        }
        let again = self.ask(command, expect).await;
        again.map_err(|trouble| {
            self.line = None;
            self.checked = false;
            self.troubled(command, &trouble)
        })
    }

    async fn ask(&mut self, command: &str, expect: Expect) -> Result<String, Trouble> {
        let poll = self.poll_interval();
        let line = match &mut self.line {
            Some(line) => line,
            None => self.line.insert(Line::open(&self.dial, REPLY).await?),
        };
        let address = self.settings.address.as_deref().unwrap_or_default();
        line.send(&format!("{address}{command}"), REPLY).await?;
        match expect {
            Expect::Nothing => listen(line, poll, address).await,
            Expect::Reply(fits) => answer(line, fits, address).await,
        }
    }

    fn poll_interval(&self) -> Duration {
        self.clock.outside(POLL).max(FASTEST_POLL)
    }

    fn longest_way(&self) -> Duration {
        let travel = TRAVEL + TRAVEL_PER_CHANNEL * u32::from(self.settings.channels);
        // However fast a simulation runs, its answers come through the same operating system.
        self.clock.outside(travel).max(TRAVEL)
    }

    fn stuck(&self, order: &str, here: Option<Whereabouts>) -> Fault {
        let says = match here {
            Some(Whereabouts::At(port)) => format!("CP says port {port}"),
            Some(Whereabouts::Near) => "CP says between two ports".to_owned(),
            None => "CP says nothing".to_owned(),
        };
        let seconds = self.longest_way().as_secs_f64();
        self.refused(&format!(
            "was ordered {order}, and {seconds:.1} s later {says}; check its supply, that it turns freely, and that \
             nobody else commands it"
        ))
    }

    fn troubled(&self, command: &str, trouble: &Trouble) -> Fault {
        let place = &self.dial.place;
        match trouble {
            Trouble::BadCommand(_) | Trouble::Stray(_) => self.refused(&format!(
                "was asked {command}, and {trouble}; check that it is a VICI multiposition valve and its address"
            )),
            Trouble::Line(_) => Fault::new(
                FaultKind::Offline,
                format!(
                    "the valve on {place} was asked {command} twice: {trouble}; check its power, the cable, the port \
                     and the baud rate"
                ),
            ),
        }
    }

    fn refused(&self, what: &str) -> Fault {
        Fault::new(FaultKind::Refused, format!("the valve on {} {what}", self.dial.place))
    }
}

/// What is to come after a command.
#[derive(Clone, Copy)]
enum Expect {
    /// Perhaps an echo.
    Nothing,
    /// A line of this kind.
    Reply(fn(&str) -> bool),
}

/// Waits for an objection; echoes are no objection, and neither is silence.
async fn listen(line: &mut Line, limit: Duration, address: &str) -> Result<String, Trouble> {
    for _ in 0..MOST_STRAYS {
        match line.receive(limit).await {
            Ok(reply) if is_refusal(bare(&reply, address)) => return Err(Trouble::BadCommand(reply)),
            Ok(_) => {}
            Err(LineError::Silent(_)) => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(String::new())
}

/// Waits for a line that fits, past echoes and left-overs.
async fn answer(line: &mut Line, fits: fn(&str) -> bool, address: &str) -> Result<String, Trouble> {
    let mut stray = None;
    for _ in 0..MOST_STRAYS {
        let received = line.receive(REPLY).await;
        if let (Err(LineError::Silent(_)), Some(stray)) = (&received, stray.take()) {
            return Err(Trouble::Stray(stray));
        }
        let reply = bare(&received?, address).to_owned();
        if is_refusal(&reply) {
            return Err(Trouble::BadCommand(reply));
        }
        if fits(&reply) {
            return Ok(reply);
        }
        stray = Some(reply);
    }
    Err(Trouble::Stray(stray.unwrap_or_default()))
}

/// A reply without the address that some models put before it.
fn bare<'a>(reply: &'a str, address: &str) -> &'a str {
    reply.strip_prefix(address).unwrap_or(reply).trim_start()
}

fn is_refusal(reply: &str) -> bool {
    reply.to_ascii_lowercase().contains("bad command")
}

/// `CP03`, `CP3`, `CP = 3`, `Position is  = 3`, `Position is near to = 3`.
fn parse_position(reply: &str) -> Option<Whereabouts> {
    let reply = reply.to_ascii_lowercase();
    if let Some(number) = reply.strip_prefix("cp") {
        return parse_number(number).map(Whereabouts::At);
    }
    let rest = reply.strip_prefix("position is")?.trim_start();
    match rest.strip_prefix("near to") {
        Some(number) => parse_number(number).map(|_| Whereabouts::Near),
        None => parse_number(rest).map(Whereabouts::At),
    }
}

/// `NP31`, `NP = 31`.
fn parse_ports(reply: &str) -> Option<u32> {
    parse_number(reply.to_ascii_lowercase().strip_prefix("np")?)
}

fn parse_number(text: &str) -> Option<u32> {
    let text = text.trim();
    let digits = text.strip_prefix('=').unwrap_or(text).trim_start();
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_position_in_every_dialect() {
        for reply in ["Position is  = 3", "Position is = 3", "CP03", "CP3", "CP = 3", "cp=3", "Position is  =  03"] {
            assert_eq!(parse_position(reply), Some(Whereabouts::At(3)), "{reply}");
        }
        assert_eq!(parse_position("Position is near to = 3"), Some(Whereabouts::Near));
        for reply in ["", "CP", "CPX", "CP+3", "GO03", "NP31", "Position", "Position is", "CP03A", "CP 99999999999"] {
            assert_eq!(parse_position(reply), None, "{reply}");
        }
    }

    #[test]
    fn reads_the_number_of_ports_in_every_dialect() {
        for reply in ["NP31", "NP = 31", "np=31", "NP 31"] {
            assert_eq!(parse_ports(reply), Some(31), "{reply}");
        }
        assert_eq!(parse_ports("CP03"), None);
    }
}
