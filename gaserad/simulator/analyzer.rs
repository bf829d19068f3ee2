//! The analyzer: idle, measuring or cancelling; gas exchange, integration and analysis within each iteration.
//!
//! It knows what it drew and when; how it is asked is `commands`, and how the gas came to it is `plant`.

use std::time::Duration;

use super::faults::{Faults, Stamp};
use super::gas::Mixture;
use super::random::Random;
use crate::domain::{AnalyzerPhase, AnalyzerState, AnalyzerTime, Moment, Tick, Utc};

/// Of 58 parts of a cycle, gas exchange takes 12, integration 36 and analysis 10.
const PARTS: u32 = 58;
const EXCHANGE: u32 = 12;
const ANALYSIS: u32 = 10;
/// How much an iteration's length and a reading vary at most.
const JITTER: f64 = 0.02;
const NOISE: f64 = 0.0005;
const SHORTEST_CYCLE: Duration = Duration::from_millis(10);
const LONGEST_CYCLE: Duration = Duration::from_secs(86_400);

#[derive(Debug)]
pub struct Analyzer {
    start: Moment,
    cycle: Duration,
    clock_offset_ms: i64,
    stamp: Stamp,
    cancel_time: Duration,
    random: Random,
    state: State,
    measurements: u32,
    result: Option<Outcome>,
}

#[derive(Debug)]
enum State {
    Idle,
    Measuring(Iteration),
    Cancelling { iteration: u32, until: Tick },
}

#[derive(Debug)]
struct Iteration {
    number: u32,
    start: Tick,
    exchange_end: Tick,
    integration_end: Tick,
    end: Tick,
    phase: AnalyzerPhase,
    drawn: Drawn,
}

/// What came in during a gas exchange.
#[derive(Debug)]
struct Drawn {
    /// Seconds of each line.
    integral: Vec<f64>,
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
    pub channel: u8,
    pub fraction: f64,
    pub valve: Option<u8>,
    /// CAS number and concentration as printed.
    pub readings: Vec<(&'static str, String)>,
}

impl Analyzer {
    pub fn new(start: Moment, cycle: Duration, seed: u64, faults: &Faults) -> Self {
        Self {
            start,
            cycle: cycle.clamp(SHORTEST_CYCLE, LONGEST_CYCLE),
            clock_offset_ms: faults.clock_offset_ms,
            stamp: faults.stamp,
            cancel_time: faults.cancel_time,
            random: Random::new(seed),
            state: State::Idle,
            measurements: 0,
            result: None,
        }
    }

    pub const fn state(&self) -> AnalyzerState {
        match self.state {
            State::Idle => AnalyzerState::Idle,
            State::Measuring(_) => AnalyzerState::Measuring,
            State::Cancelling { .. } => AnalyzerState::Cancelling,
        }
    }

    pub const fn phase(&self) -> AnalyzerPhase {
        match &self.state {
            State::Measuring(iteration) => iteration.phase,
            State::Idle | State::Cancelling { .. } => AnalyzerPhase::None,
        }
    }

    /// Zero-based within the measurement, and zero outside of one.
    pub const fn iteration(&self) -> u32 {
        match &self.state {
            State::Idle => 0,
            State::Measuring(iteration) => iteration.number,
            State::Cancelling { iteration, .. } => *iteration,
        }
    }

    /// The newest result, whichever measurement it is of.
    pub const fn result(&self) -> Option<&Outcome> {
        self.result.as_ref()
    }

    /// What its own clock shows.
    pub fn clock(&self, now: Tick) -> AnalyzerTime {
        let offset = self.clock_offset_ms.saturating_mul(1000);
        let micros = self.start.utc_at(now).as_micros().saturating_add(offset);
        AnalyzerTime(micros.div_euclid(1_000_000))
    }

    pub fn utc(&self, tick: Tick) -> Utc {
        self.start.utc_at(tick)
    }

    /// Begins a measurement; `false` unless idle.
    pub fn start(&mut self, now: Tick, valve: Option<u8>) -> bool {
        if !matches!(self.state, State::Idle) {
            return false;
        }
        self.measurements += 1;
        self.state = State::Measuring(self.iterate(0, now, valve));
        true
    }

    /// The iteration under way gives no result.
    pub fn stop(&mut self, now: Tick) {
        if let State::Measuring(iteration) = &self.state {
            self.state = State::Cancelling { iteration: iteration.number, until: now + self.cancel_time };
        }
    }

    pub const fn next_change(&self) -> Option<Tick> {
        match &self.state {
            State::Idle => None,
            State::Cancelling { until, .. } => Some(*until),
            State::Measuring(iteration) => Some(match iteration.phase {
                AnalyzerPhase::GasExchange => iteration.exchange_end,
                AnalyzerPhase::Integration => iteration.integration_end,
                _ => iteration.end,
            }),
        }
    }

    /// Takes in what flowed: seconds of each line, and where the valve stood meanwhile.
    pub fn draw(&mut self, integral: &[f64], valve: Option<u8>) {
        let State::Measuring(iteration) = &mut self.state else { return };
        if iteration.phase != AnalyzerPhase::GasExchange {
            return;
        }
        iteration.drawn.integral.resize(integral.len(), 0.0);
        for (total, part) in iteration.drawn.integral.iter_mut().zip(integral) {
            *total += part;
        }
        if iteration.drawn.valve != valve {
            iteration.drawn.valve = None;
        }
    }

    /// Does what is due at `now`; gives the result if an iteration ended. The next one begins at once.
    pub fn change(&mut self, now: Tick, valve: Option<u8>) -> Option<Outcome> {
        match &mut self.state {
            State::Idle => None,
            State::Cancelling { until, .. } => {
                if *until <= now {
                    self.state = State::Idle;
                }
                None
            }
            State::Measuring(iteration) => {
                iteration.phase = iteration.phase_at(now);
                if now < iteration.end {
                    return None;
                }
                let next = iteration.number + 1;
                let begun = self.iterate(next, now, valve);
                let ended = std::mem::replace(&mut self.state, State::Measuring(begun));
                let State::Measuring(ended) = ended else { return None };
                let outcome = self.evaluate(&ended)?;
                self.result = Some(outcome.clone());
                Some(outcome)
            }
        }
    }

    fn iterate(&mut self, number: u32, start: Tick, valve: Option<u8>) -> Iteration {
        let length = self.cycle.mul_f64(JITTER.mul_add(self.random.signed(), 1.0));
        let end = start + length;
        Iteration {
            number,
            start,
            exchange_end: start + length * EXCHANGE / PARTS,
            integration_end: start + length * (PARTS - ANALYSIS) / PARTS,
            end,
            phase: AnalyzerPhase::GasExchange,
            drawn: Drawn { integral: Vec::new(), valve },
        }
    }

    fn evaluate(&mut self, iteration: &Iteration) -> Option<Outcome> {
        let mixture = Mixture::of(&iteration.drawn.integral)?;
        let (channel, fraction) = mixture.dominant();
        Some(Outcome {
            measurement: self.measurements,
            iteration: iteration.number,
            stamp: self.stamp(iteration),
            exchange: (iteration.start, iteration.exchange_end),
            channel,
            fraction,
            valve: iteration.drawn.valve,
            readings: mixture.gas().map(|(cas, ppm)| (cas, print(self.noisy(ppm)))).to_vec(),
        })
    }

    /// No two results share a stamp, however short the cycle is.
    fn stamp(&self, iteration: &Iteration) -> AnalyzerTime {
        let stamp = self.clock(match self.stamp {
            Stamp::Sampling => iteration.exchange_end,
            Stamp::Calculated => iteration.end,
        });
        self.result.as_ref().map_or(stamp, |last| stamp.max(AnalyzerTime(last.stamp.0 + 1)))
    }

    fn noisy(&mut self, ppm: f64) -> f64 {
        ppm * NOISE.mul_add(self.random.signed(), 1.0)
    }
}

impl Iteration {
    fn phase_at(&self, now: Tick) -> AnalyzerPhase {
        if now < self.exchange_end {
            AnalyzerPhase::GasExchange
        } else if now < self.integration_end {
            AnalyzerPhase::Integration
        } else {
            AnalyzerPhase::Analysis
        }
    }
}

/// With so many decimals that the noise keeps readings apart.
fn print(ppm: f64) -> String {
    if ppm < 1.0 { format!("{ppm:.9}") } else { format!("{ppm:.6}") }
}
