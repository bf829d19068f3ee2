//! The analyzer: what it does and when; gas exchange, integration and analysis within each iteration of a measurement.
//!
//! It knows what it drew and when; how it is asked is `commands`, and how the gas came to it is `plant`.

mod clock;
mod iteration;

use std::time::Duration;

use clock::OwnClock;
use iteration::Iteration;

use super::faults::{Faults, Stamp};
use super::gas::{Composition, Flow};
use super::random::Random;
use crate::domain::instrument::SelfTest;
use crate::domain::{AnalyzerPhase, AnalyzerState, AnalyzerTime, Moment, Tick};

pub use iteration::Outcome;

/// How much a reading varies at most.
const NOISE: f64 = 0.0005;
const SHORTEST_CYCLE: Duration = Duration::from_millis(10);
const LONGEST_CYCLE: Duration = Duration::from_secs(86_400);
/// Between the order to reboot and its effect.
const REBOOT: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub struct Analyzer {
    habits: Habits,
    clock: OwnClock,
    random: Random,
    state: State,
    measurements: u32,
    result: Option<Outcome>,
    /// The laser is tuned at every iteration of so many; 0 is never.
    tuning: u32,
    self_test: SelfTest,
    reboot_due: Option<Tick>,
    boots: u32,
}

/// What does not change.
#[derive(Debug)]
struct Habits {
    cycle: Duration,
    jitter: f64,
    stamp: Stamp,
    cancel_time: Duration,
    boot_time: Duration,
    self_test_time: Duration,
    self_test_fails: bool,
    of_gas: [usize; 5],
}

#[derive(Debug)]
enum State {
    Idle,
    Measuring(Iteration),
    Cancelling {
        iteration: u32,
        until: Tick,
    },
    SelfTest {
        until: Tick,
    },
    Malfunction,
    /// It reboots, and cannot be reached.
    Away {
        until: Tick,
    },
    Initializing {
        until: Tick,
    },
}

impl Analyzer {
    /// `of_gas` says which part of a flow each gas takes.
    pub fn new(start: Moment, cycle: Duration, seed: u64, faults: &Faults, of_gas: [usize; 5]) -> Self {
        let habits = Habits {
            cycle: cycle.clamp(SHORTEST_CYCLE, LONGEST_CYCLE),
            jitter: faults.jitter.clamp(0.0, 0.5),
            stamp: faults.stamp,
            cancel_time: faults.cancel_time,
            boot_time: faults.boot_time,
            self_test_time: faults.self_test_time,
            self_test_fails: faults.self_test_fails,
            of_gas,
        };
        Self {
            habits,
            clock: OwnClock::new(start, faults),
            random: Random::new(seed),
            state: State::Idle,
            measurements: 0,
            result: None,
            tuning: 0,
            self_test: SelfTest::NotAvailable,
            reboot_due: None,
            boots: 0,
        }
    }

    pub const fn state(&self) -> AnalyzerState {
        match self.state {
            State::Idle => AnalyzerState::Idle,
            State::Measuring(_) => AnalyzerState::Measuring,
            State::Cancelling { .. } => AnalyzerState::Cancelling,
            State::SelfTest { .. } => AnalyzerState::SelfTest,
            State::Malfunction => AnalyzerState::Malfunction,
            State::Away { .. } | State::Initializing { .. } => AnalyzerState::Initializing,
        }
    }

    pub const fn phase(&self) -> AnalyzerPhase {
        match &self.state {
            State::Measuring(iteration) => iteration.phase,
            _ => AnalyzerPhase::None,
        }
    }

    /// Zero-based within the measurement, and zero outside of one.
    pub const fn iteration(&self) -> u32 {
        match &self.state {
            State::Measuring(iteration) => iteration.number,
            State::Cancelling { iteration, .. } => *iteration,
            _ => 0,
        }
    }

    /// The newest result, whichever measurement it is of.
    pub const fn result(&self) -> Option<&Outcome> {
        self.result.as_ref()
    }

    /// What its own clock shows.
    pub fn clock(&self, now: Tick) -> AnalyzerTime {
        self.clock.at(now)
    }

    pub const fn self_test(&self) -> SelfTest {
        self.self_test
    }

    /// Whether it cannot be reached, because it reboots.
    pub const fn is_away(&self) -> bool {
        matches!(self.state, State::Away { .. })
    }

    /// How often it has rebooted: what it was told before a reboot is lost.
    pub const fn boots(&self) -> u32 {
        self.boots
    }

    /// Begins a measurement; `false` unless idle.
    pub fn start(&mut self, now: Tick, valve: Option<u8>) -> bool {
        if !matches!(self.state, State::Idle) {
            return false;
        }
        self.measurements += 1;
        self.tuning = 0;
        self.state = State::Measuring(self.iterate(0, now, valve));
        true
    }

    /// The iteration under way gives no result.
    pub fn stop(&mut self, now: Tick) {
        if let State::Measuring(iteration) = &self.state {
            self.state = State::Cancelling { iteration: iteration.number, until: now + self.habits.cancel_time };
        }
    }

    pub const fn tune(&mut self, every: u32) {
        self.tuning = every;
    }

    /// Begins a self-test; `false` unless idle.
    pub fn test_itself(&mut self, now: Tick) -> bool {
        let idle = matches!(self.state, State::Idle);
        if idle {
            self.state = State::SelfTest { until: now + self.habits.self_test_time };
            self.self_test = SelfTest::Running;
        }
        idle
    }

    /// It goes away in a moment, whatever it does.
    pub fn reboot(&mut self, now: Tick) {
        if !self.is_away() {
            self.reboot_due.get_or_insert(now + REBOOT);
        }
    }

    /// Until it is rebooted.
    pub fn break_down(&mut self) {
        if !self.is_away() {
            self.state = State::Malfunction;
        }
    }

    pub fn next_change(&self) -> Option<Tick> {
        let change = match &self.state {
            State::Idle | State::Malfunction => None,
            State::Cancelling { until, .. }
            | State::SelfTest { until }
            | State::Away { until }
            | State::Initializing { until } => Some(*until),
            State::Measuring(iteration) => Some(iteration.next_change()),
        };
        [change, self.reboot_due].into_iter().flatten().min()
    }

    /// Takes in what flowed, and where the valve stood meanwhile.
    pub fn draw(&mut self, flow: &Flow, valve: Option<u8>) {
        if let State::Measuring(iteration) = &mut self.state {
            iteration.draw(flow, valve);
        }
    }

    /// Does what is due at `now`; gives the result if an iteration ended. The next one begins at once.
    pub fn change(&mut self, now: Tick, valve: Option<u8>) -> Option<Outcome> {
        if self.reboot_due.is_some_and(|due| due <= now) {
            self.go_away(now);
            return None;
        }
        match &mut self.state {
            State::Measuring(iteration) => {
                iteration.change(now, valve);
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
            State::Cancelling { until, .. }
            | State::SelfTest { until }
            | State::Away { until }
            | State::Initializing { until } => {
                if *until <= now {
                    self.go_on(now);
                }
                None
            }
            State::Idle | State::Malfunction => None,
        }
    }

    fn go_away(&mut self, now: Tick) {
        self.reboot_due = None;
        self.boots += 1;
        self.result = None;
        self.tuning = 0;
        self.self_test = SelfTest::NotAvailable;
        self.state = State::Away { until: now + self.habits.boot_time };
    }

    fn go_on(&mut self, now: Tick) {
        if let State::SelfTest { .. } = self.state {
            self.self_test = if self.habits.self_test_fails { SelfTest::Failed } else { SelfTest::Passed };
        }
        self.state = match self.state {
            State::Away { .. } => State::Initializing { until: now + self.habits.boot_time },
            _ => State::Idle,
        };
    }

    fn iterate(&mut self, number: u32, start: Tick, valve: Option<u8>) -> Iteration {
        let length = self.habits.cycle.mul_f64(self.habits.jitter.mul_add(self.random.signed(), 1.0));
        let tuned = self.tuning > 0 && number.is_multiple_of(self.tuning);
        Iteration::new(number, start, length, tuned, valve)
    }

    fn evaluate(&mut self, iteration: &Iteration) -> Option<Outcome> {
        let sample = Composition::of(iteration.drawn(), self.habits.of_gas)?;
        let stamp = self.clock.stamp(match self.habits.stamp {
            Stamp::Sampling => iteration.exchange.1,
            Stamp::Calculated => iteration.end,
        });
        let readings = sample.gases.map(|gas| (gas.cas, print(self.noisy(gas.ppm)))).to_vec();
        Some(Outcome {
            measurement: self.measurements,
            iteration: iteration.number,
            stamp,
            exchange: iteration.exchange,
            sample,
            valve: iteration.valve(),
            readings,
        })
    }

    fn noisy(&mut self, ppm: f64) -> f64 {
        ppm * NOISE.mul_add(self.random.signed(), 1.0)
    }
}

/// With so many decimals that the noise keeps readings apart.
fn print(ppm: f64) -> String {
    if ppm < 1.0 { format!("{ppm:.9}") } else { format!("{ppm:.6}") }
}
