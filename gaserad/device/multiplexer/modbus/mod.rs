//! Relays or solenoid valves, one for each channel, as coils of a Modbus device over TCP or a serial line.
//!
//! Exactly one coil is on. Each change is read back, and only what was read back is a position. A coil is never
//! toggled: every order says what each coil is to be, so that it may be repeated.

mod identify;
mod link;
#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::time::sleep;
use tokio_modbus::ExceptionCode;

use identify::Identity;
pub use link::Framing;
use link::{ModbusConnection, Trouble};

use super::again::{self, Reopens};
use super::{BoxFuture, Multiplexer};
use crate::device::Dial;
use crate::domain::{Channel, Fault, FaultKind, KnownMultiplexer, Position, ValveDescription, Verification};

/// A gateway may show the old state for a moment.
const LOOKS: u32 = 4;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
/// How often a device that says that it is busy is asked again.
const BUSY_RETRIES: u32 = 5;
const WHILE_BUSY: Duration = Duration::from_millis(200);

#[derive(Debug, Clone)]
pub struct ModbusSettings {
    pub framing: Framing,
    pub unit: u8,
    /// Channel 1 is the coil at this address, counted from 0.
    pub first_coil: u16,
    /// Only the coils of these channels are written and read.
    pub channels: u8,
    /// All coils off for this long before one is on; `None` writes the change at once.
    pub break_before_make: Option<Duration>,
    /// How long an answer may take, in real time.
    pub timeout: Duration,
}

impl ModbusSettings {
    pub const GAP: Duration = Duration::from_millis(100);
    pub const TIMEOUT: Duration = Duration::from_secs(1);
}

pub struct Modbus {
    dial: Dial,
    settings: ModbusSettings,
    link: Option<ModbusConnection>,
    /// The device cannot write several coils at once.
    singly: bool,
    identity: Identity,
}

/// One question to the device.
#[derive(Clone, Copy)]
enum ModbusAsk<'a> {
    Read,
    WriteAll(&'a [bool]),
    Write(u16, bool),
}

impl ModbusAsk<'_> {
    const fn words(self) -> &'static str {
        match self {
            Self::Read => "to read its coils",
            Self::WriteAll(_) => "to set its coils",
            Self::Write(..) => "to set a coil",
        }
    }
}

impl<'a> Reopens<ModbusAsk<'a>> for Modbus {
    type Answer = Vec<bool>;
    type Trouble = Trouble;

    /// A device that says that it is busy is waited for.
    async fn ask(&mut self, ask: ModbusAsk<'a>) -> Result<Vec<bool>, Trouble> {
        for _ in 0..BUSY_RETRIES {
            match self.exchange(ask).await {
                Err(Trouble::Exception(ExceptionCode::ServerDeviceBusy | ExceptionCode::Acknowledge)) => {
                    sleep(WHILE_BUSY).await;
                }
                answer => return answer,
            }
        }
        self.exchange(ask).await
    }

    fn hang_up(&mut self) {
        self.link = None;
    }

    fn is_final(trouble: &Trouble) -> bool {
        trouble.is_final()
    }
}

impl Modbus {
    pub fn new(dial: Dial, settings: ModbusSettings) -> Self {
        Self { dial, settings, link: None, singly: false, identity: Identity::default() }
    }

    async fn travel(&mut self, to: Channel) -> Result<Position, Fault> {
        let channels = self.settings.channels;
        if to.number() > channels {
            return Err(self.refused(&format!("has channels 1 to {channels}; it cannot go to channel {to}")));
        }
        let goal: Vec<bool> = (1..=channels).map(|number| number == to.number()).collect();
        let mut coils = self.read().await?;
        if coils != goal {
            if let Some(gap) = self.settings.break_before_make.filter(|_| coils.contains(&true)) {
                let off = vec![false; coils.len()];
                coils = self.write(&coils, &off).await?;
                if coils != off {
                    return Err(self.disobeyed("was ordered to switch all coils off", &coils));
                }
                sleep(gap).await;
            }
            coils = self.write(&coils, &goal).await?;
        }
        if coils == goal {
            return Ok(Position::At(to, Verification::Readback));
        }
        Err(self.disobeyed(&format!("was ordered to switch on the coil of channel {to} alone"), &coils))
    }

    async fn stand(&mut self) -> Result<Position, Fault> {
        let coils = self.read().await?;
        let on: Vec<Channel> = on(&coils);
        match on[..] {
            [] => Ok(Position::Unknown),
            [channel] => Ok(Position::At(channel, Verification::Readback)),
            _ => Err(self.disobeyed("is to have one coil on", &coils)),
        }
    }

    async fn read(&mut self) -> Result<Vec<bool>, Fault> {
        self.persist(ModbusAsk::Read).await
    }

    /// Writes all coils, and gives them as they are then.
    async fn write(&mut self, from: &[bool], to: &[bool]) -> Result<Vec<bool>, Fault> {
        if !self.singly {
            self.persist(ModbusAsk::WriteAll(to)).await?;
        }
        if self.singly {
            self.write_singly(from, to).await?;
        }
        for _ in 1..LOOKS {
            let coils = self.read().await?;
            if coils == to {
                return Ok(coils);
            }
            sleep(BETWEEN_LOOKS).await;
        }
        self.read().await
    }

    /// Off first, then on: at no time are two on.
    async fn write_singly(&mut self, from: &[bool], to: &[bool]) -> Result<(), Fault> {
        for level in [false, true] {
            for (address, (is, be)) in (self.settings.first_coil..).zip(from.iter().zip(to)) {
                if is != be && *be == level {
                    self.persist(ModbusAsk::Write(address, level)).await?;
                }
            }
        }
        Ok(())
    }

    /// Every request may be repeated.
    async fn persist(&mut self, ask: ModbusAsk<'_>) -> Result<Vec<bool>, Fault> {
        match again::persist(self, ask).await {
            Err(Trouble::Exception(ExceptionCode::IllegalFunction)) if matches!(ask, ModbusAsk::WriteAll(_)) => {
                self.singly = true;
                Ok(Vec::new())
            }
            answer => answer.map_err(|trouble| self.troubled(ask, &trouble)),
        }
    }

    async fn exchange(&mut self, ask: ModbusAsk<'_>) -> Result<Vec<bool>, Trouble> {
        let ModbusSettings { framing, unit, first_coil, channels, timeout, .. } = self.settings;
        // Taken out: a request that was given up half way leaves no connection behind.
        let mut link = match self.link.take() {
            Some(link) => link,
            None => ModbusConnection::open(&self.dial, unit, framing, timeout)
                .await
                .inspect(|_| self.identity.contacted())?,
        };
        if !matches!(ask, ModbusAsk::Read) {
            link = self.check_identity(link).await?;
        }
        let answer = match ask {
            ModbusAsk::Read => link.read_coils(first_coil, channels.into()).await,
            ModbusAsk::WriteAll(levels) => link.write_coils(first_coil, levels).await.map(|()| Vec::new()),
            ModbusAsk::Write(address, level) => link.write_coil(address, level).await.map(|()| Vec::new()),
        };
        self.link = Some(link);
        answer
    }

    fn troubled(&self, ask: ModbusAsk<'_>, trouble: &Trouble) -> Fault {
        let (place, unit, what) = (&self.dial.place, self.settings.unit, ask.words());
        match trouble {
            _ if trouble.is_from_gateway() => Fault::new(
                FaultKind::Offline,
                format!(
                    "the gateway at {place} was asked for unit {unit} {what}, and {trouble}; check the unit's \
                         power, its line, and unit"
                ),
            ),
            Trouble::Stranger(why) => self.refused(&format!("is another one than before, and is not switched: {why}")),
            Trouble::Exception(_) => self.refused(&format!(
                "was asked {what}, and {trouble}; check [multiplexer.modbus] unit and first_coil, and that it has \
                 {} coils from {}",
                self.settings.channels, self.settings.first_coil
            )),
            _ => Fault::new(
                FaultKind::Offline,
                format!(
                    "the relays on {place} (unit {unit}) were asked {what} twice: {trouble}; check their power, the \
                     cable or network, and [multiplexer.modbus]"
                ),
            ),
        }
    }

    fn disobeyed(&self, order: &str, coils: &[bool]) -> Fault {
        let on: Vec<String> = on(coils).iter().map(ToString::to_string).collect();
        let says = match &on[..] {
            [] => "no coil is on".to_owned(),
            [one] => format!("the coil of channel {one} is on"),
            _ => format!("the coils of channels {} are on", on.join(", ")),
        };
        self.refused(&format!("{order}, and {says}; check the relays, and that nobody else switches them"))
    }

    fn refused(&self, what: &str) -> Fault {
        let (place, unit) = (&self.dial.place, self.settings.unit);
        Fault::new(FaultKind::Refused, format!("the relay board on {place} (unit {unit}) {what}"))
    }
}

fn on(coils: &[bool]) -> Vec<Channel> {
    (1..).zip(coils).filter_map(|(number, on)| Channel::new(number).filter(|_| *on)).collect()
}

impl Multiplexer for Modbus {
    fn home(&mut self) -> BoxFuture<'_, Result<Position, Fault>> {
        Box::pin(self.travel(Channel::HOME))
    }

    fn go(&mut self, to: Channel) -> BoxFuture<'_, Result<Position, Fault>> {
        Box::pin(self.travel(to))
    }

    fn position(&mut self) -> BoxFuture<'_, Result<Position, Fault>> {
        Box::pin(self.stand())
    }

    fn describe(&mut self) -> BoxFuture<'_, Result<ValveDescription, Fault>> {
        Box::pin(self.description())
    }

    fn contacts(&self) -> u64 {
        self.identity.contacts()
    }

    fn suspect(&mut self) {
        self.identity.contacted();
    }

    fn expect(&mut self, known: Option<KnownMultiplexer>) {
        self.identity.expect(known);
    }
}
