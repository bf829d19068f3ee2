//! The plant as a whole: valve, gas line and analyzer under one time. Pure: time comes in, truth comes out.

use std::time::Duration;

use super::analyzer::Analyzer;
use super::cascade::{Cascade, Wire};
use super::faults::Faults;
use super::gas::{GasLine, Inlets, LAG};
use super::relays::Relays;
use super::truth::Truth;
use super::valve::Valve;
use crate::domain::{Channel, Moment, Tick};

/// What the plant is like.
#[derive(Debug, Clone)]
pub struct PlantDesign {
    /// How long an iteration of the analyzer takes, give or take two percent.
    pub cycle: Duration,
    /// Of jitter and noise.
    pub seed: u64,
    /// How many ports the valve has, each with a line.
    pub channels: u8,
    pub faults: Faults,
}

/// Which of the multiplexers the gas comes through: the one that was ordered last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selector {
    Valve,
    Cascade,
    Relays,
}

/// Where the units of the cascade stand before anybody sends a pulse: not at home.
const LEFT_AT: [u8; 2] = [7, 3];

#[derive(Debug)]
pub struct Plant {
    pub(super) faults: Faults,
    start: Tick,
    now: Tick,
    valve: Valve,
    cascade: Cascade,
    relays: Relays,
    in_charge: Selector,
    line: GasLine,
    pub(super) analyzer: Analyzer,
    pub(super) layout: super::layout::Layout,
    truth: Vec<Truth>,
}

impl Plant {
    /// The plant switched on at `start`, the valve on its first port.
    pub fn new(design: PlantDesign, start: Moment) -> Self {
        let PlantDesign { cycle, seed, channels, faults } = design;
        let channels = channels.clamp(1, Channel::MAX);
        let valve = Valve::new(channels, &faults, start.tick);
        Self {
            start: start.tick,
            now: start.tick,
            line: GasLine::new(channels, valve.inlet(), LAG),
            valve,
            cascade: Cascade::new(&LEFT_AT, &faults),
            relays: Relays::new(channels, &faults),
            in_charge: Selector::Valve,
            analyzer: Analyzer::new(start, cycle, seed, &faults),
            layout: super::layout::Layout::default(),
            truth: Vec::new(),
            faults,
        }
    }

    pub const fn now(&self) -> Tick {
        self.now
    }

    /// Lets everything happen up to `to`.
    pub fn advance(&mut self, to: Tick) {
        while let Some(at) = self.next_change().filter(|at| *at <= to) {
            self.flow(at);
            self.valve.change(at);
            let standing = self.standing();
            let outcome = self.analyzer.change(at, standing);
            self.truth.extend(outcome.map(|outcome| Truth::of(&outcome, &self.analyzer)));
        }
        self.flow(to);
    }

    /// The iterations that ended since this was last asked.
    pub fn take_truth(&mut self) -> Vec<Truth> {
        std::mem::take(&mut self.truth)
    }

    /// One line to the valve, after [`Plant::advance`].
    pub fn valve_line(&mut self, line: &str) -> Option<String> {
        let upper = line.to_ascii_uppercase();
        if ["GO", "CW", "CC", "HM"].iter().any(|order| upper.contains(order)) {
            self.in_charge = Selector::Valve;
        }
        self.valve.obey(line, self.now)
    }

    /// The gas comes through so many units that count pulses.
    pub fn install_units(&mut self, units: u8) {
        self.in_charge = Selector::Cascade;
        self.cascade.keep(units);
    }

    /// A level on a wire of the cascade, after [`Plant::advance`].
    pub fn cascade_wire(&mut self, unit: usize, wire: Wire, active: bool) {
        self.in_charge = Selector::Cascade;
        self.cascade.set(unit, wire, active);
    }

    pub const fn cascade(&self) -> &Cascade {
        &self.cascade
    }

    /// One Modbus request, after [`Plant::advance`].
    pub fn relays_request(&mut self, pdu: &[u8]) -> Option<Vec<u8>> {
        if Relays::is_order(pdu) {
            self.in_charge = Selector::Relays;
        }
        self.relays.obey(pdu)
    }

    /// The gas comes through this multiplexer until another one is ordered.
    pub const fn put_in_charge(&mut self, selector: Selector) {
        self.in_charge = selector;
    }

    fn inlets(&self) -> Inlets {
        match self.in_charge {
            Selector::Valve => self.valve.inlet().into(),
            Selector::Cascade => self.cascade.inlet().into(),
            Selector::Relays => self.relays.inlets(),
        }
    }

    fn standing(&self) -> Option<u8> {
        match self.in_charge {
            Selector::Valve => self.valve.standing(),
            Selector::Cascade => Some(self.cascade.inlet()),
            Selector::Relays => self.relays.standing(),
        }
    }

    /// Whether the analyzer neither obeys nor answers.
    pub fn analyzer_silent(&self) -> bool {
        let Some(after) = self.faults.analyzer_silent_after else { return false };
        let age = self.now.since(self.start);
        age >= after && self.faults.analyzer_silent_for.is_none_or(|length| age < after.saturating_add(length))
    }

    pub(super) fn start_measuring(&mut self) -> bool {
        let standing = self.standing();
        self.analyzer.start(self.now, standing)
    }

    pub(super) fn stop_measuring(&mut self) {
        self.analyzer.stop(self.now);
    }

    fn next_change(&self) -> Option<Tick> {
        [self.valve.next_change(), self.analyzer.next_change()].into_iter().flatten().min()
    }

    fn flow(&mut self, to: Tick) {
        let time = to.since(self.now);
        if time.is_zero() {
            return;
        }
        let integral = self.line.flow(self.inlets(), time);
        let standing = self.standing();
        self.analyzer.draw(&integral, standing);
        self.now = to;
    }
}
