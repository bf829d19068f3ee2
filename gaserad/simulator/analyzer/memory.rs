//! What the analyzer tells now: what was so a moment ago, where its replies come from a cache or come late.

use std::collections::VecDeque;
use std::time::Duration;

use super::iteration::IterationOutcome;
use crate::domain::{AnalyzerPhase, AnalyzerState, Moment, Tick};
use crate::simulator::faults::remainder;
use crate::simulator::habits::{Habits, Opening, Staleness};
use crate::simulator::random::Random;

/// What ASTS, AMST and AITR ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    pub state: AnalyzerState,
    pub phase: AnalyzerPhase,
    pub iteration: u32,
}

#[derive(Debug)]
pub struct Memory {
    start: Tick,
    cached: Staleness,
    late: Staleness,
    late_up_to: Option<Duration>,
    held: Option<Opening>,
    /// Each with the tick from which it was so.
    past: VecDeque<(Tick, Snapshot)>,
    /// Each with the tick from which it can be had.
    results: VecDeque<(Tick, IterationOutcome)>,
    random: Random,
}

impl Memory {
    pub fn new(start: Moment, habits: &Habits, random: Random) -> Self {
        Self {
            start: start.tick,
            cached: habits.cached,
            late: habits.late,
            late_up_to: habits.acon_late_up_to,
            held: habits.acon_held,
            past: VecDeque::new(),
            results: VecDeque::new(),
            random,
        }
    }

    /// Takes in what is so from `now` on.
    pub fn note(&mut self, now: Tick, snapshot: Snapshot) {
        if self.past.back().is_some_and(|(_, last)| *last == snapshot) {
            return;
        }
        self.past.push_back((now, snapshot));
        let (cached, late) = (self.cached, self.late);
        let oldest = [
            self.seen_at(now, cached.state, late.state),
            self.seen_at(now, cached.phase, late.phase),
            self.seen_at(now, cached.iteration, late.iteration),
        ];
        forget(&mut self.past, oldest.into_iter().min().unwrap_or(now));
    }

    pub fn state(&self, now: Tick) -> AnalyzerState {
        let seen = self.past_at(self.seen_at(now, self.cached.state, self.late.state));
        seen.map_or(AnalyzerState::Idle, |seen| seen.state)
    }

    pub fn phase(&self, now: Tick) -> AnalyzerPhase {
        let seen = self.past_at(self.seen_at(now, self.cached.phase, self.late.phase));
        seen.map_or(AnalyzerPhase::None, |seen| seen.phase)
    }

    pub fn iteration(&self, now: Tick) -> u32 {
        let seen = self.past_at(self.seen_at(now, self.cached.iteration, self.late.iteration));
        seen.map_or(0, |seen| seen.iteration)
    }

    /// The newest result that can be had, whichever measurement it is of.
    pub fn result(&self, now: Tick) -> Option<&IterationOutcome> {
        let seen = self.result_seen_at(now);
        self.results.iter().rev().find(|(from, _)| *from <= seen).map(|(_, outcome)| outcome)
    }

    /// Takes in the result of an iteration that ended now.
    pub fn add_result(&mut self, now: Tick, outcome: IterationOutcome) {
        let later = self.late_up_to.map_or(Duration::ZERO, |most| most.mul_f64(self.random.part().clamp(0.0, 1.0)));
        let before = self.results.back().map(|(from, _)| *from);
        let from = before.map_or(now + later, |before| before.max(now + later));
        self.results.push_back((from, outcome));
        let oldest = self.result_seen_at(now);
        forget(&mut self.results, oldest);
    }

    /// It was switched off.
    pub fn clear(&mut self) {
        self.past.clear();
        self.results.clear();
    }

    fn result_seen_at(&self, now: Tick) -> Tick {
        let held = self.held.and_then(|held| held.since(now.since(self.start)));
        self.seen_at(held.map_or(now, |since| self.start + since), self.cached.result, self.late.result)
    }

    /// When it was as a reply tells it now.
    fn seen_at(&self, now: Tick, cached: Duration, late: Duration) -> Tick {
        let age = now.since(self.start);
        let age = if cached.is_zero() { age } else { age.saturating_sub(remainder(age, cached)) };
        self.start + age.saturating_sub(late)
    }

    /// What is not remembered any more, or was before it was switched on, is as what is known of it first.
    fn past_at(&self, at: Tick) -> Option<Snapshot> {
        let known = self.past.iter().rev().find(|(since, _)| *since <= at).or(self.past.front());
        known.map(|(_, snapshot)| *snapshot)
    }
}

/// Keeps what was so at `oldest`, and all since.
fn forget<T>(kept: &mut VecDeque<(Tick, T)>, oldest: Tick) {
    while kept.get(1).is_some_and(|(since, _)| *since <= oldest) {
        kept.pop_front();
    }
}
