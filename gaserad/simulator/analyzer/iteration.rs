//! One iteration: laser tuning if it is its turn, gas exchange, integration, analysis.

use std::time::Duration;

use crate::domain::{AnalyzerPhase, AnalyzerTime, Tick};
use crate::simulator::gas::{Composition, Flow};
use crate::simulator::habits::{CounterTick, Excursion, OddForm, StampForm};

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
    drawn: DrawnGas,
    /// When the counter comes to its number, if that is still to come.
    ticks: Option<Tick>,
    /// When it is left for a moment, and how.
    excursion: Option<(Tick, Excursion)>,
}

/// What came in during a gas exchange.
#[derive(Debug)]
struct DrawnGas {
    flow: Flow,
    /// Where the valve stands; `None` once it has moved.
    valve: Option<u8>,
}

/// An iteration that is through.
#[derive(Debug, Clone, PartialEq)]
pub struct IterationOutcome {
    /// Counted from 1 since the start of the plant.
    pub measurement: u32,
    pub iteration: u32,
    pub stamp: AnalyzerTime,
    pub exchange: (Tick, Tick),
    pub sample: Composition,
    pub valve: Option<u8>,
    /// CAS number and concentration as printed, where it is not odd.
    pub readings: Vec<(&'static str, String)>,
    pub odd_values: Vec<(&'static str, OddForm)>,
    pub odd_stamp: Option<StampForm>,
}

impl IterationOutcome {
    /// The readings as ACON has them: some otherwise than as plain numbers, some not at all.
    pub fn written(&self) -> Vec<(&'static str, String)> {
        let odd = |cas: &str| self.odd_values.iter().find(|(odd, _)| *odd == cas).map(|(_, form)| *form);
        let written = |(cas, printed): &(&'static str, String)| match odd(cas) {
            Some(form) => form.write(printed).map(|written| (*cas, written)),
            None => Some((*cas, printed.clone())),
        };
        self.readings.iter().filter_map(written).collect()
    }

    pub fn written_stamp(&self) -> String {
        self.odd_stamp.map_or_else(|| self.stamp.0.to_string(), |form| form.write(self.stamp.0))
    }
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
            drawn: DrawnGas { flow: Vec::new(), valve },
            ticks: None,
            excursion: None,
        }
    }

    /// The counter comes to its number there.
    pub fn count(&mut self, ticks: CounterTick) {
        let half = |from: Tick, to: Tick| from + to.since(from) / 2;
        self.ticks = match ticks {
            CounterTick::ExchangeEnd => Some(self.exchange.1),
            CounterTick::Mid => Some(half(self.exchange.1, self.integration_end)),
            CounterTick::Late => Some(half(self.integration_end, self.end)),
            CounterTick::Start | CounterTick::Constant => None,
        };
    }

    /// Whether the counter is still to come to its number.
    pub const fn is_uncounted(&self) -> bool {
        self.ticks.is_some()
    }

    /// Whether the counter ticks now, which it then did.
    pub fn take_tick(&mut self, now: Tick) -> bool {
        self.ticks.take_if(|at| *at <= now).is_some()
    }

    /// It is left for a moment after such a part of it.
    pub fn interrupt(&mut self, part: f64, excursion: Excursion) {
        let length = self.end.since(self.exchange.0);
        self.excursion = Some((self.exchange.0 + length.mul_f64(part.clamp(0.0, 1.0)), excursion));
    }

    /// How it is left now, which it then was.
    pub fn take_excursion(&mut self, now: Tick) -> Option<Excursion> {
        self.excursion.take_if(|(at, _)| *at <= now).map(|(_, excursion)| excursion)
    }

    /// All that is still to come is so much later.
    pub fn put_off(&mut self, now: Tick, by: Duration) {
        let exchange = (&mut self.exchange.0, &mut self.exchange.1);
        for at in [exchange.0, exchange.1, &mut self.integration_end, &mut self.end] {
            if *at > now {
                *at = *at + by;
            }
        }
        self.ticks = self.ticks.map(|at| at + by);
    }

    pub fn next_change(&self) -> Tick {
        let phase = match self.phase {
            AnalyzerPhase::LaserTuning => self.exchange.0,
            AnalyzerPhase::GasExchange => self.exchange.1,
            AnalyzerPhase::Integration => self.integration_end,
            _ => self.end,
        };
        let excursion = self.excursion.map(|(at, _)| at);
        [self.ticks, excursion].into_iter().flatten().fold(phase, Tick::min)
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
