//! The iteration counter as AITR tells it. What it counts is `analyzer`'s business; this is how.

use std::time::Duration;

use crate::simulator::habits::{CounterHabit, CounterTick, Struck};
use crate::simulator::random::Random;

#[derive(Debug)]
pub struct IterationCounter {
    habit: CounterHabit,
    jumps: Option<Struck>,
    shown: u32,
}

impl IterationCounter {
    pub fn new(habit: CounterHabit, random: Random) -> Self {
        let jumps = habit.jumps.map(|jump| Struck::new(jump.when, random));
        Self { shown: habit.starts_at, habit, jumps }
    }

    pub const fn shown(&self) -> u32 {
        self.shown
    }

    pub const fn ticks(&self) -> CounterTick {
        self.habit.ticks
    }

    pub const fn is_global(&self) -> bool {
        self.habit.global
    }

    pub const fn begin_measurement(&mut self) {
        if !self.habit.global {
            self.reset();
        }
    }

    /// It was switched off.
    pub const fn reset(&mut self) {
        self.shown = self.habit.starts_at;
    }

    pub fn tick(&mut self, age: Duration) {
        let jump = self.habit.jumps.map_or(0, |jump| jump.by);
        let jump = if self.jumps.as_mut().is_some_and(|jumps| jumps.strikes(age)) { jump } else { 0 };
        self.shown = self.wrapped(self.shown.wrapping_add(self.habit.by).wrapping_add(jump));
    }

    pub const fn go_back(&mut self, by: u32) {
        self.shown = self.shown.saturating_sub(by);
    }

    fn wrapped(&self, number: u32) -> u32 {
        self.habit.wraps_at.map_or(number, |end| number % end)
    }
}
