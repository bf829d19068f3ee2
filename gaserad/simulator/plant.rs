//! The plant as a whole: valve, gas line and analyzer under one time. Pure: time comes in, truth comes out.

use std::time::Duration;

use super::analyzer::Analyzer;
use super::faults::Faults;
use super::gas::{GasLine, LAG};
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

#[derive(Debug)]
pub struct Plant {
    pub(super) faults: Faults,
    start: Tick,
    now: Tick,
    valve: Valve,
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
            let outcome = self.analyzer.change(at, self.valve.standing());
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
        self.valve.obey(line, self.now)
    }

    /// Whether the analyzer neither obeys nor answers.
    pub fn analyzer_silent(&self) -> bool {
        let Some(after) = self.faults.analyzer_silent_after else { return false };
        let age = self.now.since(self.start);
        age >= after && self.faults.analyzer_silent_for.is_none_or(|length| age < after.saturating_add(length))
    }

    pub(super) fn start_measuring(&mut self) -> bool {
        self.analyzer.start(self.now, self.valve.standing())
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
        let integral = self.line.flow(self.valve.inlet(), time);
        self.analyzer.draw(&integral, self.valve.standing());
        self.now = to;
    }
}
