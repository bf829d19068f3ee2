//! VICI/Valco rotary valve actuators over a serial line.
//!
//! | | microelectric (EMH, EMT) | universal (EUH, EUD, EUT), modular (UMH, UMD, UMT) |
//! |---|---|---|
//! | `dialect` | `legacy` | `universal` |
//! | `CP` | `Position is  = 3`, `Position is near to = 3` | `CP03` |
//! | `NP` | `NP = 10` | `NP10` |
//! | `AM`, `CNT` | `Bad command` | `AM3` has to be; `CNT123` counts the moves of its life |
//! | a move | no reply | none, one or two lines, as `IFM` says; all are skipped |
//! | id | one digit | one digit or letter; on RS-485 with a slash before it |
//!
//! Orders are absolute (`GOnn`, or `CWnn` and `CCnn` where the way matters: the rotor opens every port that it passes),
//! and an order is done when the valve says that it stands there (`CP`): not when it was sent. Homing is going to port
//! 1 and reading back, since `HM` is not known to all models. Every new connection begins with the question whether
//! this is the valve that it has to be ([`introduce`]). Broadcasts (`*`) are never sent.
//!
//! While it travels, a universal actuator may still name the port that it is leaving. So after an order whose end was
//! not seen, and after one that an earlier process may have given, what it says counts only when it must have arrived.

mod contact;
mod dialect;
mod direction;
mod identity;
mod introduce;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::again::{self, Reopens};
use super::line::LineError;
use super::{BoxFuture, Multiplexer};
use crate::device::Dial;
use crate::domain::{
    Channel, Clock, Fault, FaultKind, KnownMultiplexer, Position, Tick, ValveDescription, Verification,
};

use contact::{Contact, Trouble};
pub use dialect::Dialect;
use dialect::ReportedPosition;
pub use direction::Direction;
use direction::{TRAVEL, TRAVEL_PER_PORT};
use introduce::{Actuator, introduce};

const POLL: Duration = Duration::from_millis(100);
const FASTEST_POLL: Duration = Duration::from_millis(5);

#[derive(Debug, Clone)]
pub struct ViciSettings {
    /// How many channels are to be used; the valve may have more ports.
    pub channels: u8,
    /// What goes before every command where the actuator has an id: `3`, or `/3` on RS-485.
    pub address: Option<String>,
    /// `None`: whichever it speaks.
    pub dialect: Option<Dialect>,
    pub direction: Direction,
    /// How many ports the valve has, where that is to be checked.
    pub ports: Option<u8>,
    /// The actuator's own settings may be corrected.
    pub write_settings: bool,
}

impl ViciSettings {
    pub const fn new(channels: u8) -> Self {
        Self {
            channels,
            address: None,
            dialect: None,
            direction: Direction::Shortest,
            ports: None,
            write_settings: false,
        }
    }
}

pub struct Vici {
    dial: Dial,
    settings: ViciSettings,
    clock: Arc<dyn Clock>,
    /// Open, and with an actuator that is fit.
    contact: Option<(Contact, Actuator)>,
    unrest: Option<Unrest>,
    /// It was seen between two ports while it should have stood still.
    wavered: bool,
    /// How often in a row it did not tell how often it has moved.
    uncounted: u8,
    /// How many contacts there were.
    contacts: u64,
    expected: Option<KnownMultiplexer>,
    /// The actuator of this contact is the one that is expected.
    checked: bool,
}

/// It may be on its way, and name the port that it is leaving.
#[derive(Clone, Copy)]
struct Unrest {
    until: Tick,
    /// It is known that it was set in motion.
    ordered: bool,
}

/// How waiting for a position ended.
enum VerifiedArrival {
    There(ReportedPosition),
    Late(ReportedPosition),
}

/// What one exchange with the actuator is for.
#[derive(Clone, Copy)]
enum Ask<'a> {
    Whereabouts,
    /// After which it is on its way.
    Order(&'a str),
}

impl Ask<'_> {
    const fn command(&self) -> &str {
        match self {
            Self::Whereabouts => "CP",
            Self::Order(command) => command,
        }
    }
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

    fn moves(&mut self) -> BoxFuture<'_, Option<u64>> {
        Box::pin(self.count())
    }

    fn wavered(&self) -> bool {
        self.wavered
    }

    fn describe(&mut self) -> BoxFuture<'_, Result<ValveDescription, Fault>> {
        Box::pin(self.description())
    }

    fn contacts(&self) -> u64 {
        self.contacts
    }

    fn suspect(&mut self) {
        self.contact = None;
    }

    fn expect(&mut self, known: Option<KnownMultiplexer>) {
        (self.expected, self.checked) = (known, false);
    }

    fn hung_up(&mut self) -> BoxFuture<'_, ()> {
        match &mut self.contact {
            Some((contact, _)) => Box::pin(contact.hung_up()),
            None => Box::pin(std::future::pending()),
        }
    }
}

impl<'a> Reopens<Ask<'a>> for Vici {
    type Answer = (ReportedPosition, u32);
    type Trouble = Trouble;

    async fn ask(&mut self, ask: Ask<'a>) -> Result<(ReportedPosition, u32), Trouble> {
        let poll = self.clock.outside(POLL).max(FASTEST_POLL);
        if matches!(ask, Ask::Order(_)) {
            self.check_identity().await?;
        }
        let (contact, actuator) = self.contact().await?;
        let ports = actuator.ports;
        match ask {
            Ask::Whereabouts => Ok((contact.ask("CP", dialect::position).await?.whereabouts, ports)),
            Ask::Order(command) => contact.order(command, poll).await.map(|()| (ReportedPosition::Near, ports)),
        }
    }

    fn hang_up(&mut self) {
        self.contact = None;
    }

    /// An actuator that is unfit was found so on a new line, which is closed again.
    fn is_final(trouble: &Trouble) -> bool {
        matches!(trouble, Trouble::Unfit(_))
    }
}

impl Vici {
    pub fn new(dial: Dial, settings: ViciSettings, clock: Arc<dyn Clock>) -> Self {
        let way = settings.direction.longest_way(u32::from(settings.channels));
        let unrest = Some(Unrest { until: clock.now().tick + way, ordered: false });
        Self {
            dial,
            settings,
            clock,
            contact: None,
            unrest,
            wavered: false,
            uncounted: 0,
            contacts: 0,
            expected: None,
            checked: false,
        }
    }

    async fn travel(&mut self, to: Channel) -> Result<Position, Fault> {
        let port = u32::from(to.number());
        let goal = ReportedPosition::At(port);
        let (mut from, ports) = self.whereabouts().await?;
        if from == goal {
            self.rest().await;
            (from, _) = self.whereabouts().await?;
        }
        if from == goal {
            return Ok(Position::At(to, Verification::Readback));
        }
        let direction = self.settings.direction;
        let steps = match from {
            ReportedPosition::At(from) => direction.steps(from, port, ports),
            ReportedPosition::Near => ports,
            ReportedPosition::TwoPosition => return Err(self.two_positions()),
        };
        let order = format!("{}{port:02}", direction.code());
        let until = self.clock.now().tick + direction.longest_way(ports);
        self.unrest = Some(Unrest { until, ordered: true });
        self.persist(Ask::Order(&order)).await?;
        let patience = TRAVEL + TRAVEL_PER_PORT * steps;
        match self.poll_until(patience, |here| here == goal).await? {
            VerifiedArrival::There(_) => {
                self.unrest = None;
                Ok(Position::At(to, Verification::Readback))
            }
            VerifiedArrival::Late(here) => Err(self.stuck(&order, patience, here)),
        }
    }

    async fn stand(&mut self) -> Result<Position, Fault> {
        if self.unrest.is_some_and(|unrest| unrest.ordered) {
            // That it is gone is not to wait.
            self.whereabouts().await?;
            self.rest().await;
        }
        let now = self.clock.now().tick;
        let rests = self.unrest.is_none_or(|unrest| unrest.until <= now);
        let (here, _) = self.whereabouts().await?;
        self.wavered = rests && here == ReportedPosition::Near;
        let here = match here {
            ReportedPosition::Near => self.poll_until(TRAVEL, |here| here != ReportedPosition::Near).await?,
            here => VerifiedArrival::There(here),
        };
        let port = match here {
            VerifiedArrival::There(ReportedPosition::At(port)) => port,
            VerifiedArrival::There(ReportedPosition::TwoPosition) => {
                return Err(self.two_positions());
            }
            VerifiedArrival::There(ReportedPosition::Near) | VerifiedArrival::Late(_) => {
                return Err(self.refused(
                    "stands between two ports; order it to a channel, and check that it turns freely if it stays there",
                ));
            }
        };
        match u8::try_from(port).ok().and_then(Channel::new) {
            Some(channel) => Ok(Position::At(channel, Verification::Readback)),
            None => Err(self.refused(&format!("says that it stands on port {port}, which is no channel here"))),
        }
    }

    /// Waits until it must have arrived, wherever. A legacy actuator says itself that it is on its way.
    async fn rest(&mut self) {
        let tells = self.contact.as_ref().is_some_and(|(_, actuator)| actuator.dialect == Dialect::Legacy);
        if let Some(Unrest { until, .. }) = self.unrest.filter(|_| !tells) {
            let left = until.since(self.clock.now().tick);
            tokio::time::sleep(self.clock.outside(left)).await;
            self.unrest = None;
        }
    }

    /// Asks for the position until it is as wanted, or `patience` is over.
    async fn poll_until(
        &mut self,
        patience: Duration,
        wanted: impl Fn(ReportedPosition) -> bool + Send,
    ) -> Result<VerifiedArrival, Fault> {
        let poll = self.clock.outside(POLL).max(FASTEST_POLL);
        // However fast a simulation runs, its answers come through the same operating system.
        let limit = self.clock.outside(patience).max(TRAVEL);
        let mut late = pin!(tokio::time::sleep(limit));
        loop {
            let (here, _) = self.whereabouts().await?;
            if wanted(here) {
                return Ok(VerifiedArrival::There(here));
            }
            tokio::select! {
                biased;
                () = &mut late => return Ok(VerifiedArrival::Late(here)),
                () = tokio::time::sleep(poll) => {}
            }
        }
    }

    /// Where it is, and how many ports it has.
    async fn whereabouts(&mut self) -> Result<(ReportedPosition, u32), Fault> {
        self.persist(Ask::Whereabouts).await
    }

    /// Every command may be repeated.
    async fn persist(&mut self, ask: Ask<'_>) -> Result<(ReportedPosition, u32), Fault> {
        again::persist(self, ask).await.map_err(|trouble| self.troubled(ask.command(), &trouble))
    }

    async fn contact(&mut self) -> Result<&mut (Contact, Actuator), Trouble> {
        let contact = if let Some(contact) = self.contact.take() {
            contact
        } else {
            let address = self.settings.address.as_deref().unwrap_or_default();
            let mut contact = Contact::open(&self.dial, address).await?;
            let actuator = introduce(&mut contact, &self.settings).await?;
            self.contacts += 1;
            self.checked = false;
            (contact, actuator)
        };
        Ok(self.contact.insert(contact))
    }

    fn two_positions(&self) -> Fault {
        self.refused(
            "stands on A or B (CP), so its actuator is set up for two positions, and is not moved; if the valve has many, \
             send it AM3",
        )
    }

    fn stuck(&self, order: &str, patience: Duration, here: ReportedPosition) -> Fault {
        self.refused(&format!(
            "was ordered {order}, and {:.1} s later CP says {}; check its supply, that it turns freely, and that nobody \
             else commands it",
            self.clock.outside(patience).max(TRAVEL).as_secs_f64(),
            here.words()
        ))
    }

    fn troubled(&self, command: &str, trouble: &Trouble) -> Fault {
        match trouble {
            Trouble::Unfit(what) | Trouble::Unclear(what) => self.refused(what),
            Trouble::BadCommand(_) => self.refused(&format!(
                "was asked {command} twice, and {trouble}; check that it is a VICI multiposition valve and its address"
            )),
            Trouble::Line(LineError::NotOpened(error)) => {
                let text = format!("the valve's port {} cannot be opened: {error}", self.dial.place);
                Fault::new(FaultKind::Offline, text)
            }
            Trouble::Line(_) | Trouble::Stray(_) => Fault::new(
                FaultKind::Offline,
                format!(
                    "the valve on {} was asked {command} twice: {trouble}; check its power, the cable, the port, the \
                     baud rate and the address",
                    self.dial.place
                ),
            ),
        }
    }

    fn refused(&self, what: &str) -> Fault {
        Fault::new(FaultKind::Refused, format!("the valve on {} {what}", self.dial.place))
    }
}
