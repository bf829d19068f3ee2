//! Two cascaded 16-way units that count pulses: the plant behind GPIO lines.
//!
//! A pulse on `home` sends a unit to its first input, a pulse on `next` one further; after the last input comes the
//! first. The last input of the first unit is the outlet of the second one. What a pulse must look like is the
//! units' electronics' business, and not modelled: a rising edge counts.

use super::faults::Faults;

/// Inputs of a unit.
const INPUTS: u8 = 16;
const LAST: u8 = INPUTS - 1;

/// A wire to one of the units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CascadeWire {
    Home,
    Next,
}

/// What a home sensor that no longer senses says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StuckSensor {
    Active,
    Inactive,
}

#[derive(Debug)]
pub struct Cascade {
    units: Vec<CountingUnit>,
    lost_every: u32,
    sensor: Option<StuckSensor>,
    pulses: u32,
}

#[derive(Debug, Default)]
struct CountingUnit {
    input: u8,
    home: bool,
    next: bool,
}

impl Cascade {
    /// `inputs` is where the units stand before anybody sends a pulse.
    pub fn new(inputs: &[u8], faults: &Faults) -> Self {
        let unit = |input: &u8| CountingUnit { input: input % INPUTS, ..CountingUnit::default() };
        Self {
            units: inputs.iter().map(unit).collect(),
            lost_every: faults.pulse_lost_every,
            sensor: faults.home_sensor_stuck,
            pulses: 0,
        }
    }

    pub fn keep(&mut self, units: u8) {
        self.units.truncate(usize::from(units));
    }

    /// The line that the gas comes from.
    pub fn inlet(&self) -> u8 {
        match self.units.as_slice() {
            [first, second, ..] if first.input == LAST => INPUTS + second.input,
            [first, ..] => first.input + 1,
            [] => 0,
        }
    }

    /// Puts a level on a wire; `unit` counts from 0.
    pub fn set(&mut self, unit: usize, wire: CascadeWire, active: bool) {
        let Some(unit) = self.units.get_mut(unit) else { return };
        let level = match wire {
            CascadeWire::Home => &mut unit.home,
            CascadeWire::Next => &mut unit.next,
        };
        let rising = active && !*level;
        *level = active;
        if !rising {
            return;
        }
        self.pulses += 1;
        if self.lost_every > 0 && self.pulses.is_multiple_of(self.lost_every) {
            return;
        }
        unit.input = match wire {
            CascadeWire::Home => 0,
            CascadeWire::Next => (unit.input + 1) % INPUTS,
        };
    }

    /// What the home sensor of a unit says.
    pub fn at_home(&self, unit: usize) -> bool {
        match self.sensor {
            Some(stuck) => stuck == StuckSensor::Active,
            None => self.input(unit) == 0,
        }
    }

    /// Where a unit stands, 0 to 15.
    pub fn input(&self, unit: usize) -> u8 {
        self.units.get(unit).map_or(0, |unit| unit.input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pulse(cascade: &mut Cascade, unit: usize, wire: CascadeWire) {
        cascade.set(unit, wire, true);
        cascade.set(unit, wire, false);
    }

    #[test]
    fn the_last_input_of_the_first_unit_is_the_second_unit() {
        let mut cascade = Cascade::new(&[7, 3], &Faults::default());
        assert_eq!(cascade.inlet(), 8);
        pulse(&mut cascade, 0, CascadeWire::Home);
        pulse(&mut cascade, 1, CascadeWire::Home);
        for (unit, channels) in [(0, 2..=16), (1, 17..=31)] {
            for channel in channels {
                pulse(&mut cascade, unit, CascadeWire::Next);
                assert_eq!(cascade.inlet(), channel);
            }
        }
        pulse(&mut cascade, 1, CascadeWire::Next);
        assert_eq!((cascade.inlet(), cascade.at_home(1)), (16, true));
    }

    #[test]
    fn a_level_that_is_held_is_one_pulse() {
        let mut cascade = Cascade::new(&[0], &Faults::default());
        for _ in 0..3 {
            cascade.set(0, CascadeWire::Next, true);
        }
        assert_eq!(cascade.inlet(), 2);
    }

    #[test]
    fn lost_pulses_and_stuck_sensors_are_what_the_faults_say() {
        let faults = Faults { pulse_lost_every: 3, home_sensor_stuck: Some(StuckSensor::Active), ..Faults::default() };
        let mut cascade = Cascade::new(&[0], &faults);
        (0..7).for_each(|_| pulse(&mut cascade, 0, CascadeWire::Next));
        assert_eq!((cascade.input(0), cascade.at_home(0)), (5, true));
    }
}
