//! Who a Modbus device is: its identification (function 43/14), and how many coils can be read of it.

use super::link::{ModbusConnection, Trouble};
use super::{Framing, Modbus, ModbusSettings};
use crate::domain::{Fault, KnownMultiplexer, Utc, ValveDescription};

/// What one question may be for (function 1).
const MOST_COILS: u16 = 2000;

/// What is known of the device at the other end of the connection.
#[derive(Debug, Default)]
pub(super) struct Identity {
    contacts: u64,
    /// What it told on this contact.
    told: Option<(String, Option<u32>)>,
    /// It did not even refuse the question who it is, which cost a connection: it is not asked again.
    mute: bool,
    /// It did not even refuse to tell coils that it may not have: it is not asked for them again.
    uncountable: bool,
    expected: Option<KnownMultiplexer>,
    checked: bool,
}

impl Identity {
    pub(super) fn contacted(&mut self) {
        self.contacts += 1;
        (self.told, self.checked) = (None, false);
    }

    pub(super) const fn contacts(&self) -> u64 {
        self.contacts
    }

    pub(super) fn expect(&mut self, known: Option<KnownMultiplexer>) {
        (self.expected, self.checked) = (known, false);
    }
}

impl Modbus {
    pub(super) async fn description(&mut self) -> Result<ValveDescription, Fault> {
        // The connection is there, or is made.
        self.read().await?;
        let Some(link) = self.link.take() else { return Ok(self.described(String::new(), None)) };
        match self.identified(link).await {
            Ok((link, identity, coils)) => {
                self.link = Some(link);
                Ok(self.described(identity, coils))
            }
            Err(trouble) => Err(self.troubled(super::ModbusAsk::Read, &trouble)),
        }
    }

    fn described(&self, identity: String, coils: Option<u32>) -> ValveDescription {
        let ModbusSettings { framing, unit, first_coil, channels, .. } = self.settings;
        let kind = if framing == Framing::Tcp { "Modbus TCP" } else { "Modbus RTU" };
        let place = format!("{channels} coils from {first_coil} of {kind} unit {unit} on {}", self.dial.place);
        let model = if identity.is_empty() { place } else { format!("{identity}, {place}") };
        ValveDescription { model, actuations: None, identity, coils }
    }

    /// Another device behind the same address is not switched.
    pub(super) async fn check_identity(&mut self, link: ModbusConnection) -> Result<ModbusConnection, Trouble> {
        let Some(expected) = self.identity.expected.clone().filter(|_| !self.identity.checked) else { return Ok(link) };
        let (link, identity, coils) = self.identified(link).await?;
        let described = self.described(identity, coils);
        if let Some(why) = KnownMultiplexer::of(&described, Utc::default()).and_then(|found| expected.differs(&found)) {
            self.link = Some(link);
            return Err(Trouble::Stranger(why));
        }
        self.identity.checked = true;
        Ok(link)
    }

    /// What it told on this contact, asked once.
    async fn identified(&mut self, link: ModbusConnection) -> Result<(ModbusConnection, String, Option<u32>), Trouble> {
        if let Some((identity, coils)) = self.identity.told.clone() {
            return Ok((link, identity, coils));
        }
        let (link, identity) = self.name(link).await?;
        let (link, coils) = self.coils(link).await?;
        self.identity.told = Some((identity.clone(), coils));
        Ok((link, identity, coils))
    }

    async fn name(&mut self, mut link: ModbusConnection) -> Result<(ModbusConnection, String), Trouble> {
        if self.identity.mute {
            return Ok((link, String::new()));
        }
        match link.identify().await {
            Ok(identity) => Ok((link, identity)),
            Err(Trouble::Exception(_)) => Ok((link, String::new())),
            Err(trouble) => {
                tracing::debug!("the relays do not tell who they are: {trouble}");
                self.identity.mute = true;
                Ok((self.another(link).await?, String::new()))
            }
        }
    }

    async fn coils(&mut self, mut link: ModbusConnection) -> Result<(ModbusConnection, Option<u32>), Trouble> {
        if self.identity.uncountable {
            return Ok((link, None));
        }
        match count_coils(&mut link, self.settings.first_coil).await {
            Ok(coils) => Ok((link, coils)),
            Err(trouble) => {
                tracing::debug!("the relays do not tell how many they are: {trouble}");
                let mut link = self.another(link).await?;
                // The line is well: it was that question.
                link.read_coils(self.settings.first_coil, 1).await?;
                self.identity.uncountable = true;
                Ok((link, None))
            }
        }
    }

    /// What comes late would answer the next question.
    async fn another(&mut self, link: ModbusConnection) -> Result<ModbusConnection, Trouble> {
        drop(link);
        let ModbusSettings { framing, unit, timeout, .. } = self.settings;
        ModbusConnection::open(&self.dial, unit, framing, timeout).await
    }
}

/// The most coils from the first one on that it lets read at once.
async fn count_coils(link: &mut ModbusConnection, first: u16) -> Result<Option<u32>, Trouble> {
    let (mut can, mut cannot) = (0, MOST_COILS.min(u16::MAX - first) + 1);
    while cannot - can > 1 {
        let count = can + (cannot - can) / 2;
        match link.read_coils(first, count).await {
            Ok(_) => can = count,
            Err(trouble) if trouble.is_final() => cannot = count,
            Err(trouble) => return Err(trouble),
        }
    }
    Ok((can > 0).then_some(u32::from(can)))
}
