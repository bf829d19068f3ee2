//! Two cascaded 16-way units, or one, that are told by pulses: `home` sends a unit to its first input, `next` one
//! further. The second unit leads to the last input of the first, which makes 31 channels of two.
//!
//! Nothing answers a pulse, so the driver counts, from home; inputs confirm what they can see. Whenever it cannot be
//! certain of its count, it knows no position, and the next order begins at home. There is no way back but from home.

mod chip;
mod lines;
mod pulse;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::sleep;

pub use chip::Wiring;
pub use lines::{BITS, Input, Lines, OutputLines, Unit};
use pulse::{Pulser, TaskPulser, ThreadPulser, Train};

use super::{BoxFuture, Multiplexer};
use crate::domain::{Channel, Fault, FaultKind, Position, ValveDescription, Verification};

/// Inputs of a unit.
const INPUTS: u8 = 16;
const LAST: u8 = INPUTS - 1;
/// How often the inputs are looked at while a unit is on its way.
const LOOK: Duration = Duration::from_millis(10);

#[derive(Debug, Clone)]
pub struct GpioSettings {
    /// How many channels are to be used, at most [`GpioSettings::most_channels`].
    pub channels: u8,
    /// One or two.
    pub units: u8,
    pub pulse: Duration,
    /// Between two pulses.
    pub gap: Duration,
    /// How long a unit may take to stand where a pulse sent it.
    pub travel: Duration,
    /// Units with a wire that says that they are at home.
    pub home_sensors: Vec<Unit>,
    /// Units with wires that say where they are.
    pub position_inputs: Vec<Unit>,
}

impl GpioSettings {
    pub const PULSE: Duration = Duration::from_millis(50);
    pub const GAP: Duration = Duration::from_millis(30);
    pub const TRAVEL: Duration = Duration::from_secs(1);

    /// Units without inputs, with the times that they are made for.
    pub fn plain(units: u8) -> Self {
        Self {
            channels: Self::most_channels(units),
            units,
            pulse: Self::PULSE,
            gap: Self::GAP,
            travel: Self::TRAVEL,
            home_sensors: Vec::new(),
            position_inputs: Vec::new(),
        }
    }

    pub const fn most_channels(units: u8) -> u8 {
        if units < 2 { INPUTS } else { 2 * INPUTS - 1 }
    }
}

type Opener = Box<dyn FnMut() -> Result<Box<dyn Pulser>, Fault> + Send>;

pub struct Gpio {
    settings: GpioSettings,
    place: String,
    open: Opener,
    hands: Option<Box<dyn Pulser>>,
    /// The channel that was counted to, from 0. `None` where that is not certain.
    count: Option<u8>,
}

impl Gpio {
    /// Over wires of a GPIO chip, which are taken once and held, with pulses in real time.
    pub fn new(wiring: Wiring, settings: GpioSettings) -> Self {
        let place = wiring.place();
        let open = move || {
            let lines = chip::ChipLines::open(&wiring)?;
            Ok(Box::new(ThreadPulser::start(Box::new(lines))?) as Box<dyn Pulser>)
        };
        Self { settings, place, open: Box::new(open), hands: None, count: None }
    }

    /// Over wires that are there already, with pulses in tokio's time.
    pub fn over(lines: Box<dyn Lines>, settings: GpioSettings) -> Self {
        let lines = Arc::new(Mutex::new(lines));
        let open = move || Ok(Box::new(TaskPulser::new(lines.clone())) as Box<dyn Pulser>);
        Self { settings, place: "the simulator".into(), open: Box::new(open), hands: None, count: None }
    }

    async fn go_home(&mut self) -> Result<Position, Fault> {
        self.count = None;
        self.send(self.units().iter().map(|unit| OutputLines::Home(*unit)).collect()).await?;
        if !self.units().iter().all(|unit| self.senses_home(*unit)) {
            sleep(self.settings.travel).await;
        }
        self.arrive(0, "was sent home").await
    }

    async fn travel(&mut self, to: Channel) -> Result<Position, Fault> {
        let goal = to.index();
        if goal >= self.settings.channels {
            let channels = self.settings.channels;
            return Err(self.refused(&format!("has channels 1 to {channels}; it cannot go to channel {to}")));
        }
        let from = match self.count {
            Some(count) if count <= goal => count,
            _ => self.go_home().await.map(|_| 0)?,
        };
        self.count = None;
        // The second unit is at home as long as the first is not on its last input, and so is what flows meanwhile.
        let step = |index| if index < LAST || self.settings.units < 2 { Unit::First } else { Unit::Second };
        let steps: Vec<OutputLines> = (from..goal).map(|index| OutputLines::Next(step(index))).collect();
        let done = format!("got {} pulses to next", steps.len());
        self.send(steps).await?;
        self.arrive(goal, &done).await
    }

    async fn stand(&mut self) -> Result<Position, Fault> {
        self.hands()?;
        match self.count {
            Some(count) => {
                self.count = None;
                self.arrive(count, "was counted").await
            }
            None if self.units().iter().all(|unit| self.settings.position_inputs.contains(unit)) => self.read().await,
            None => Ok(Position::Unknown),
        }
    }

    /// Sees that all inputs say what they say at `index`, and counts from there.
    async fn arrive(&mut self, index: u8, done: &str) -> Result<Position, Fault> {
        let mut waited = Duration::ZERO;
        loop {
            let objection = self.objection(index).await?;
            let Some(objection) = objection else { break };
            if waited >= self.settings.travel {
                return Err(self.refused(&format!("{done}, and {:.1} s later {objection}", waited.as_secs_f64())));
            }
            sleep(LOOK).await;
            waited += LOOK;
        }
        self.count = Some(index);
        let channel = Channel::new(index + 1).ok_or_else(|| self.refused("has no such channel"))?;
        Ok(Position::At(channel, self.verification(index)))
    }

    /// What an input says against standing at `index`.
    async fn objection(&mut self, index: u8) -> Result<Option<String>, Fault> {
        for (unit, input) in self.places(index) {
            if self.settings.home_sensors.contains(&unit) {
                let home = self.look(Input::Home(unit)).await?;
                let says = if home { "active" } else { "inactive" };
                if home != (input == 0) {
                    let where_to = if input == 0 { "at home".into() } else { format!("{input} further") };
                    return Ok(Some(format!(
                        "the home sensor of {unit} is {says} where it should be {where_to}; check the sensor, the \
                         supply of the unit, and that it moves"
                    )));
                }
            }
            if self.settings.position_inputs.contains(&unit) {
                let says = self.position_of(unit).await?;
                if says != input {
                    return Ok(Some(format!(
                        "the position inputs of {unit} say {says} where it should be {input}, counted from 0; check \
                         the supply of the unit, and that it moves with each pulse"
                    )));
                }
            }
        }
        Ok(None)
    }

    /// The position as the units themselves say it.
    async fn read(&mut self) -> Result<Position, Fault> {
        let first = self.position_of(Unit::First).await?;
        let second = if self.settings.units < 2 { 0 } else { self.position_of(Unit::Second).await? };
        let index = if first < LAST { first } else { first + second };
        // With the second unit elsewhere there is no counting from here.
        self.count = (first == LAST || second == 0).then_some(index);
        let channel = Channel::new(index + 1).filter(|_| index < self.settings.channels);
        match channel {
            Some(channel) => Ok(Position::At(channel, Verification::Readback)),
            None => Err(self.refused(&format!("says that it stands on channel {}, which is none here", index + 1))),
        }
    }

    async fn position_of(&mut self, unit: Unit) -> Result<u8, Fault> {
        let mut position = 0;
        for bit in 0..BITS {
            position |= u8::from(self.look(Input::Bit(unit, bit)).await?) << bit;
        }
        Ok(position)
    }

    /// A position is read back if every unit on the way to its line has said so.
    fn verification(&self, index: u8) -> Verification {
        let seen = |(unit, input): &(Unit, u8)| {
            self.settings.position_inputs.contains(unit) || (*input == 0 && self.settings.home_sensors.contains(unit))
        };
        let on_the_way = if index < LAST { 1 } else { self.units().len() };
        if self.places(index).iter().take(on_the_way).all(seen) {
            Verification::Readback
        } else {
            Verification::HomedCount
        }
    }

    /// Where each unit stands at `index`.
    fn places(&self, index: u8) -> Vec<(Unit, u8)> {
        let place = |unit: &Unit| match unit {
            Unit::First => (*unit, index.min(LAST)),
            Unit::Second => (*unit, index.saturating_sub(LAST)),
        };
        self.units().iter().map(place).collect()
    }

    fn units(&self) -> &'static [Unit] {
        Unit::of(self.settings.units)
    }

    fn senses_home(&self, unit: Unit) -> bool {
        self.settings.home_sensors.contains(&unit) || self.settings.position_inputs.contains(&unit)
    }

    async fn send(&mut self, outputs: Vec<OutputLines>) -> Result<(), Fault> {
        let train = Train { outputs, pulse: self.settings.pulse, gap: self.settings.gap };
        let sent = self.hands()?.send(train).await;
        self.keep(sent)
    }

    async fn look(&mut self, input: Input) -> Result<bool, Fault> {
        let read = self.hands()?.read(input).await;
        self.keep(read)
    }

    fn hands(&mut self) -> Result<&mut (dyn Pulser + 'static), Fault> {
        let hands = match self.hands.take() {
            Some(hands) => hands,
            None => (self.open)()?,
        };
        Ok(self.hands.insert(hands).as_mut())
    }

    /// Wires that failed are given back, and taken anew for the next order.
    fn keep<T>(&mut self, result: Result<T, Fault>) -> Result<T, Fault> {
        if result.is_err() {
            self.hands = None;
        }
        result
    }

    fn refused(&self, what: &str) -> Fault {
        Fault::new(FaultKind::Refused, format!("the multiplexer on {} {what}", self.place))
    }
}

impl Multiplexer for Gpio {
    fn home(&mut self) -> BoxFuture<'_, Result<Position, Fault>> {
        Box::pin(self.go_home())
    }

    fn go(&mut self, to: Channel) -> BoxFuture<'_, Result<Position, Fault>> {
        Box::pin(self.travel(to))
    }

    fn position(&mut self) -> BoxFuture<'_, Result<Position, Fault>> {
        Box::pin(self.stand())
    }

    fn describe(&mut self) -> BoxFuture<'_, Result<ValveDescription, Fault>> {
        let units = if self.settings.units < 2 { "a 16-way unit" } else { "two cascaded 16-way units" };
        let seen = match (self.settings.home_sensors.len(), self.settings.position_inputs.len()) {
            (0, 0) => "counted from home",
            (_, 0) => "with home sensors",
            (_, _) => "with position inputs",
        };
        let model = format!("{units} on {}, {seen}", self.place);
        Box::pin(async { Ok(ValveDescription { model, ..ValveDescription::default() }) })
    }
}
