//! The plant as a whole: valve, gas line and analyzer under one time. Pure: time comes in, truth comes out.

use std::time::Duration;

use super::analyzer::PlantAnalyzer;
use super::another::Another;
use super::cascade::{Cascade, CascadeWire};
use super::faults::Faults;
use super::gas::{Inlets, Tubing};
use super::habits::NetworkFailure;
use super::relays::Relays;
use super::script::{Happening, Script};
use super::setup::Setup;
use super::truth::Truth;
use super::valve::PlantValve;
use crate::domain::{AnalyzerState, Channel, Moment, Tick};

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
    start: Moment,
    now: Tick,
    script: Script,
    valve: PlantValve,
    cascade: Cascade,
    relays: Relays,
    another: Another,
    in_charge: Selector,
    tubing: Tubing,
    pub(super) analyzer: PlantAnalyzer,
    pub(super) setup: Setup,
    /// As AERR reports them.
    pub(super) errors: Vec<String>,
    truth: Vec<Truth>,
}

impl Plant {
    /// The plant switched on at `start`, the valve on its first port.
    pub fn new(design: PlantDesign, start: Moment) -> Self {
        let PlantDesign { cycle, seed, channels, faults } = design;
        let channels = channels.clamp(1, Channel::MAX);
        let valve = PlantValve::new(channels, &faults, start.tick);
        // All lines there may be: the cascade can have more inputs than the valve has ports.
        let tubing = Tubing::new(Channel::MAX, valve.inlet(), &faults.lag);
        Self {
            start,
            now: start.tick,
            script: Script::new(&faults),
            valve,
            cascade: Cascade::new(&LEFT_AT, &faults),
            relays: Relays::new(channels, &faults),
            another: Another::new(channels, &faults, start.tick),
            in_charge: Selector::Valve,
            analyzer: PlantAnalyzer::new(start, cycle, seed, &faults, tubing.of_gas()),
            tubing,
            setup: Setup::default(),
            errors: faults.errors.clone(),
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
            self.change_analyzer(at);
            while let Some(happening) = self.script.due(self.age()) {
                self.happen(happening);
            }
            self.analyzer.note(at);
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
        let (now, age) = (self.now, self.age());
        match self.another.valve(age, now) {
            Some(other) => other.obey(line, now),
            None => self.valve.obey(line, now),
        }
    }

    /// The gas comes through so many units that count pulses.
    pub fn install_units(&mut self, units: u8) {
        self.in_charge = Selector::Cascade;
        self.cascade.keep(units);
    }

    /// A level on a wire of the cascade, after [`Plant::advance`].
    pub fn cascade_wire(&mut self, unit: usize, wire: CascadeWire, active: bool) {
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
        let age = self.age();
        self.another.relays(age).unwrap_or(&mut self.relays).obey(pdu)
    }

    /// The gas comes through this multiplexer until another one is ordered.
    pub const fn put_in_charge(&mut self, selector: Selector) {
        self.in_charge = selector;
    }

    fn open_lines(&self) -> Inlets {
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

    /// Since it was switched on.
    pub fn age(&self) -> Duration {
        self.now.since(self.start.tick)
    }

    /// Whether the analyzer neither obeys nor answers.
    pub fn analyzer_silent(&self) -> bool {
        self.faults.analyzer_is_silent(self.age())
    }

    /// How the analyzer's network fails.
    pub fn network(&self) -> Option<NetworkFailure> {
        self.faults.habits.network_down.and_then(|down| down.at(self.age()))
    }

    /// Whether the analyzer cannot be reached, because it reboots.
    pub const fn analyzer_away(&self) -> bool {
        self.analyzer.is_away()
    }

    /// How often the analyzer has rebooted: its connections of before are gone.
    pub const fn analyzer_boots(&self) -> u32 {
        self.analyzer.boots()
    }

    fn change_analyzer(&mut self, at: Tick) {
        let boots = self.analyzer.boots();
        let outcome = self.analyzer.change(at, self.standing());
        if self.analyzer.boots() != boots {
            self.setup.reboot();
        }
        self.truth.extend(outcome.map(|outcome| Truth::of(&outcome, self.start)));
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Reboot => self.analyzer.reboot(self.now),
            Happening::Malfunction => self.analyzer.break_down(),
            Happening::Errors(codes) => self.errors.extend(codes),
            Happening::Order(line) if !self.analyzer.is_away() => {
                self.analyzer_command(&line.code, &line.data);
            }
            Happening::Order(_) => {}
            Happening::CounterGoesBack(by) => self.analyzer.counter_goes_back(by),
            Happening::Blip(blip) => {
                self.analyzer.lose_power(self.now, blip.length);
                self.setup.reboot();
            }
        }
    }

    pub(super) fn measures(&self) -> bool {
        self.analyzer.state() == AnalyzerState::Measuring
    }

    pub(super) fn test_analyzer(&mut self) -> bool {
        let begun = self.analyzer.test_itself(self.now);
        self.analyzer.note(self.now);
        begun
    }

    pub(super) fn reboot_analyzer(&mut self) {
        self.analyzer.reboot(self.now);
    }

    pub(super) fn start_measuring(&mut self) -> bool {
        let standing = self.standing();
        let started = self.analyzer.start(self.now, standing);
        self.analyzer.note(self.now);
        started
    }

    pub(super) fn stop_measuring(&mut self) {
        self.analyzer.stop(self.now);
        self.analyzer.note(self.now);
    }

    fn next_change(&self) -> Option<Tick> {
        let script = self.script.next().map(|after| self.start.tick + after);
        [self.valve.next_change(), self.analyzer.next_change(), script].into_iter().flatten().min()
    }

    fn flow(&mut self, to: Tick) {
        let time = to.since(self.now);
        if time.is_zero() {
            return;
        }
        let flow = self.tubing.flow(self.open_lines(), time);
        let standing = self.standing();
        self.analyzer.draw(&flow, standing);
        self.now = to;
    }
}
