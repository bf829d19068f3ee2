//! Devices that answer in place of ours, behind the same names. The gas does not come through them.

use std::time::Duration;

use super::faults::Faults;
use super::habits::{SwappedRelays, SwappedValve, is_swapped};
use super::relays::Relays;
use super::valve::PlantValve;
use crate::domain::Tick;

#[derive(Debug)]
pub(super) struct Another {
    valve: Option<(SwappedValve, PlantValve)>,
    relays: Option<(SwappedRelays, Relays)>,
}

impl Another {
    pub fn new(ports: u8, faults: &Faults, start: Tick) -> Self {
        let valve = faults.habits.valve_swapped.clone().map(|swapped| {
            let valve = PlantValve::new(ports, faults, start);
            let valve = valve.made_as(swapped.model.as_deref(), swapped.count, swapped.at);
            (swapped, valve)
        });
        let relays = faults.habits.relays_swapped.map(|swapped| (swapped, Relays::new(swapped.coils, faults)));
        Self { valve, relays }
    }

    /// Who answers in place of our valve at that age of the plant.
    pub fn valve(&mut self, age: Duration, now: Tick) -> Option<&mut PlantValve> {
        let (swapped, valve) = self.valve.as_mut()?;
        valve.change(now);
        is_swapped(swapped.after, swapped.length, age).then_some(valve)
    }

    pub fn relays(&mut self, age: Duration) -> Option<&mut Relays> {
        let (swapped, relays) = self.relays.as_mut()?;
        is_swapped(swapped.after, swapped.length, age).then_some(relays)
    }
}
