//! The analyzer: what it does and when; gas exchange, integration and analysis within each iteration of a measurement.
//!
//! It knows what it drew and when; how it is asked is `commands`, and how the gas came to it is `plant`.

mod clock;
mod counter;
mod iteration;
mod memory;
mod quirks;
mod told;

use std::time::Duration;

use clock::OwnClock;
use counter::IterationCounter;
use iteration::Iteration;
use memory::Memory;
use quirks::Quirks;

use super::faults::{Faults, Stamp};
use super::gas::{Composition, Flow};
use super::habits::{AfterExcursion, CounterTick, Excursion};
use super::random::Random;
use crate::domain::instrument::SelfTest;
use crate::domain::{AnalyzerTime, Moment, Tick};

pub use iteration::IterationOutcome;

/// How much a reading varies at most.
const NOISE: f64 = 0.0005;
const SHORTEST_CYCLE: Duration = Duration::from_millis(10);
const LONGEST_CYCLE: Duration = Duration::from_secs(86_400);
/// Between the order to reboot and its effect.
const REBOOT: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub struct PlantAnalyzer {
    start: Tick,
    traits: Traits,
    clock: OwnClock,
    counter: IterationCounter,
    memory: Memory,
    quirks: Quirks,
    random: Random,
    state: PlantState,
    measurements: u32,
    /// The laser is tuned at every iteration of so many; 0 is never.
    tuning: u32,
    self_test: SelfTest,
    reboot_due: Option<Tick>,
    boots: u32,
}

/// What does not change.
#[derive(Debug)]
struct Traits {
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
enum PlantState {
    Idle,
    Measuring(Iteration),
    /// It has left measuring for a moment.
    Elsewhere {
        left: Iteration,
        since: Tick,
        excursion: Excursion,
    },
    Cancelling {
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

impl PlantAnalyzer {
    /// `of_gas` says which part of a flow each gas takes.
    pub fn new(start: Moment, cycle: Duration, seed: u64, faults: &Faults, of_gas: [usize; 5]) -> Self {
        let traits = Traits {
            cycle: cycle.clamp(SHORTEST_CYCLE, LONGEST_CYCLE),
            jitter: faults.jitter.clamp(0.0, 0.5),
            stamp: faults.stamp,
            cancel_time: faults.cancel_time,
            boot_time: faults.boot_time,
            self_test_time: faults.self_test_time,
            self_test_fails: faults.self_test_fails,
            of_gas,
        };
        // Of its own, so that a habit changes neither jitter nor noise.
        let mut habits = Random::new(!seed);
        let mut analyzer = Self {
            start: start.tick,
            traits,
            counter: IterationCounter::new(faults.habits.counter.clone(), habits.branch()),
            memory: Memory::new(start, &faults.habits, habits.branch()),
            quirks: Quirks::new(&faults.habits, habits.branch()),
            clock: OwnClock::new(start, faults),
            random: Random::new(seed),
            state: PlantState::Idle,
            measurements: 0,
            tuning: 0,
            self_test: SelfTest::NotAvailable,
            reboot_due: None,
            boots: 0,
        };
        analyzer.note(start.tick);
        analyzer
    }

    pub const fn counter_goes_back(&mut self, by: u32) {
        self.counter.go_back(by);
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
        matches!(self.state, PlantState::Away { .. })
    }

    /// How often it has rebooted: what it was told before a reboot is lost.
    pub const fn boots(&self) -> u32 {
        self.boots
    }

    /// Begins a measurement; `false` unless idle.
    pub fn start(&mut self, now: Tick, valve: Option<u8>) -> bool {
        if !matches!(self.state, PlantState::Idle) {
            return false;
        }
        self.measurements += 1;
        self.tuning = 0;
        self.counter.begin_measurement();
        self.state = PlantState::Measuring(self.iterate(0, now, valve));
        true
    }

    /// The iteration under way gives no result.
    pub fn stop(&mut self, now: Tick) {
        if let PlantState::Measuring(_) | PlantState::Elsewhere { .. } = &self.state {
            self.state = PlantState::Cancelling { until: now + self.traits.cancel_time };
        }
    }

    pub const fn tune(&mut self, every: u32) {
        self.tuning = every;
    }

    /// Begins a self-test; `false` unless idle.
    pub fn test_itself(&mut self, now: Tick) -> bool {
        let idle = matches!(self.state, PlantState::Idle);
        if idle {
            self.state = PlantState::SelfTest { until: now + self.traits.self_test_time };
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

    /// It has no power for so long, and then starts anew.
    pub fn lose_power(&mut self, now: Tick, length: Duration) {
        self.go_away(now, length);
    }

    /// Until it is rebooted.
    pub fn break_down(&mut self) {
        if !self.is_away() {
            self.state = PlantState::Malfunction;
        }
    }

    pub fn next_change(&self) -> Option<Tick> {
        let change = match &self.state {
            PlantState::Idle | PlantState::Malfunction => None,
            PlantState::Cancelling { until, .. }
            | PlantState::SelfTest { until }
            | PlantState::Away { until }
            | PlantState::Initializing { until } => Some(*until),
            PlantState::Measuring(iteration) => Some(iteration.next_change()),
            PlantState::Elsewhere { since, excursion, .. } => Some(*since + excursion.length),
        };
        [change, self.reboot_due].into_iter().flatten().min()
    }

    /// Takes in what flowed, and where the valve stood meanwhile.
    pub fn draw(&mut self, flow: &Flow, valve: Option<u8>) {
        if let PlantState::Measuring(iteration) = &mut self.state {
            iteration.draw(flow, valve);
        }
    }

    /// Does what is due at `now`; gives the result if an iteration ended. The next one begins at once.
    pub fn change(&mut self, now: Tick, valve: Option<u8>) -> Option<IterationOutcome> {
        if self.reboot_due.is_some_and(|due| due <= now) {
            self.go_away(now, self.traits.boot_time);
            return None;
        }
        match &mut self.state {
            PlantState::Measuring(_) => self.go_on_measuring(now, valve),
            PlantState::Elsewhere { since, excursion, .. } => {
                if *since + excursion.length <= now {
                    self.come_back(now, valve);
                }
                None
            }
            PlantState::Cancelling { until, .. }
            | PlantState::SelfTest { until }
            | PlantState::Away { until }
            | PlantState::Initializing { until } => {
                if *until <= now {
                    self.go_on(now);
                }
                None
            }
            PlantState::Idle | PlantState::Malfunction => None,
        }
    }

    fn go_on_measuring(&mut self, now: Tick, valve: Option<u8>) -> Option<IterationOutcome> {
        let age = now.since(self.start);
        let PlantState::Measuring(iteration) = &mut self.state else { return None };
        iteration.change(now, valve);
        if iteration.take_tick(now) {
            self.counter.tick(age);
        }
        if let Some(excursion) = iteration.take_excursion(now) {
            if let PlantState::Measuring(left) = std::mem::replace(&mut self.state, PlantState::Idle) {
                self.state = PlantState::Elsewhere { left, since: now, excursion };
            }
            return None;
        }
        if now < iteration.end {
            return None;
        }
        let next = iteration.number + 1;
        let begun = self.iterate(next, now, valve);
        let ended = std::mem::replace(&mut self.state, PlantState::Measuring(begun));
        let PlantState::Measuring(ended) = ended else { return None };
        let outcome = self.evaluate(&ended, now)?;
        self.memory.add_result(now, outcome.clone());
        Some(outcome)
    }

    /// To what it left for a moment.
    fn come_back(&mut self, now: Tick, valve: Option<u8>) {
        let PlantState::Elsewhere { mut left, since, excursion } = std::mem::replace(&mut self.state, PlantState::Idle)
        else {
            return;
        };
        self.state = PlantState::Measuring(match excursion.then {
            AfterExcursion::GoesOn => {
                left.put_off(since, now.since(since));
                left
            }
            AfterExcursion::Anew => {
                let mut anew = Iteration::new(left.number, now, self.length(), false, valve);
                if left.is_uncounted() {
                    anew.count(self.counter.ticks());
                }
                anew
            }
            AfterExcursion::NoResult => {
                if left.is_uncounted() {
                    self.counter.tick(now.since(self.start));
                }
                self.iterate(left.number + 1, now, valve)
            }
        });
    }

    fn go_away(&mut self, now: Tick, length: Duration) {
        self.reboot_due = None;
        self.boots += 1;
        self.memory.clear();
        self.counter.reset();
        self.tuning = 0;
        self.self_test = SelfTest::NotAvailable;
        self.state = PlantState::Away { until: now + length };
    }

    fn go_on(&mut self, now: Tick) {
        if let PlantState::SelfTest { .. } = self.state {
            self.self_test = if self.traits.self_test_fails { SelfTest::Failed } else { SelfTest::Passed };
        }
        self.state = match self.state {
            PlantState::Away { .. } => PlantState::Initializing { until: now + self.traits.boot_time },
            _ => PlantState::Idle,
        };
    }

    fn iterate(&mut self, number: u32, start: Tick, valve: Option<u8>) -> Iteration {
        let (length, age) = (self.length(), start.since(self.start));
        let tuned = self.tuning > 0 && number.is_multiple_of(self.tuning);
        let mut iteration = Iteration::new(number, start, length, tuned, valve);
        let ticks = self.counter.ticks();
        if ticks == CounterTick::Late || number > 0 {
            iteration.count(ticks);
        }
        if ticks == CounterTick::Start && number > 0 {
            self.counter.tick(age);
        }
        if let Some((excursion, part)) = self.quirks.excursion(age) {
            iteration.interrupt(part, excursion);
        }
        iteration
    }

    fn length(&mut self) -> Duration {
        self.traits.cycle.mul_f64(self.traits.jitter.mul_add(self.random.signed(), 1.0))
    }

    fn evaluate(&mut self, iteration: &Iteration, now: Tick) -> Option<IterationOutcome> {
        let age = now.since(self.start);
        if self.quirks.gives_no_result(age) {
            return None;
        }
        let sample = Composition::of(iteration.drawn(), self.traits.of_gas)?;
        let stamped = match self.traits.stamp {
            Stamp::Sampling => iteration.exchange.1,
            Stamp::Calculated => iteration.end,
        };
        let repeats = self.quirks.repeats_stamp(age);
        let stamp = if repeats { self.clock.repeated_stamp(stamped) } else { self.clock.stamp(stamped) };
        let readings = sample.gases.map(|gas| (gas.cas, print(self.noisy(gas.ppm)))).to_vec();
        Some(IterationOutcome {
            measurement: self.measurements,
            iteration: iteration.number,
            stamp,
            exchange: iteration.exchange,
            sample,
            valve: iteration.valve(),
            readings,
            odd_values: self.quirks.odd_values(age),
            odd_stamp: self.quirks.odd_stamp(age),
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
