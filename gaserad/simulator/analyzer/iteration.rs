//! One iteration: laser tuning if it is its turn, gas exchange, integration, analysis.

use std::time::Duration;

use crate::domain::{AnalyzerPhase, AnalyzerTime, Tick};
use crate::simulator::gas::{Composition, Flow};

/// Of 58 parts of a cycle, gas exchange takes 12, integration 36 and analysis 10; laser tuning is extra.
const PARTS: u32 = 58;
const EXCHANGE: u32 = 12;
const ANALYSIS: u32 = 10;
const TUNING: u32 = 5;

#[derive(Debug)]
pub struct Iteration {
    pub number: u32,
    pub exchange: (Tick, Tick),
    integration_end: Tick,
    pub end: Tick,
    pub phase: AnalyzerPhase,
    drawn: Drawn,
}

/// What came in during a gas exchange.
#[derive(Debug)]
struct Drawn {
    flow: Flow,
    /// Where the valve stands; `None` once it has moved.
    valve: Option<u8>,
}

/// An iteration that is through.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Counted from 1 since the start of the plant.
    pub measurement: u32,
    pub iteration: u32,
    pub stamp: AnalyzerTime,
    pub exchange: (Tick, Tick),
    pub sample: Composition,
    pub valve: Option<u8>,
    /// CAS number and concentration as printed.
    pub readings: Vec<(&'static str, String)>,
}

impl Iteration {
    pub fn new(number: u32, start: Tick, length: Duration, tuned: bool, valve: Option<u8>) -> Self {
        let drawn_from = if tuned { start + length * TUNING / PARTS } else { start };
        Self {
            number,
            exchange: (drawn_from, drawn_from + length * EXCHANGE / PARTS),
            integration_end: drawn_from + length * (PARTS - ANALYSIS) / PARTS,
            end: drawn_from + length,
            phase: if tuned { AnalyzerPhase::LaserTuning } else { AnalyzerPhase::GasExchange },
            drawn: Drawn { flow: Vec::new(), valve },
        }
    }

    pub const fn next_change(&self) -> Tick {
        match self.phase {
            AnalyzerPhase::LaserTuning => self.exchange.0,
            AnalyzerPhase::GasExchange => self.exchange.1,
            AnalyzerPhase::Integration => self.integration_end,
            _ => self.end,
        }
    }

    /// Enters the phase of that time. What is drawn begins with the gas exchange.
    pub fn change(&mut self, now: Tick, valve: Option<u8>) {
        let tuned = self.phase == AnalyzerPhase::LaserTuning;
        self.phase = self.phase_at(now);
        if tuned && self.phase != AnalyzerPhase::LaserTuning {
            self.drawn.valve = valve;
        }
    }

    fn phase_at(&self, now: Tick) -> AnalyzerPhase {
        if now < self.exchange.0 {
            AnalyzerPhase::LaserTuning
        } else if now < self.exchange.1 {
            AnalyzerPhase::GasExchange
        } else if now < self.integration_end {
            AnalyzerPhase::Integration
        } else {
            AnalyzerPhase::Analysis
        }
    }

    /// Takes in what flowed, and where the valve stood meanwhile.
    pub fn draw(&mut self, flow: &Flow, valve: Option<u8>) {
        if self.phase != AnalyzerPhase::GasExchange {
            return;
        }
        if self.drawn.flow.is_empty() {
            self.drawn.flow.clone_from(flow);
        } else {
            let parts = self.drawn.flow.iter_mut().flatten().zip(flow.iter().flatten());
            parts.for_each(|(total, part)| *total += part);
        }
        if self.drawn.valve != valve {
            self.drawn.valve = None;
        }
    }

    /// Where the valve stood during the gas exchange, if it stood still.
    pub const fn valve(&self) -> Option<u8> {
        self.drawn.valve
    }

    pub const fn drawn(&self) -> &Flow {
        &self.drawn.flow
    }
}
