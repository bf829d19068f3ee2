//! What the analyzer is, and what it tells of that: not always the same.

use super::iteration::IterationOutcome;
use super::memory::Snapshot;
use super::{PlantAnalyzer, PlantState};
use crate::domain::{AnalyzerPhase, AnalyzerState, Tick};

impl PlantAnalyzer {
    /// What it is.
    pub fn state(&self) -> AnalyzerState {
        match &self.state {
            PlantState::Idle => AnalyzerState::Idle,
            PlantState::Measuring(_) => AnalyzerState::Measuring,
            PlantState::Elsewhere { excursion, .. } => AnalyzerState::from_code(excursion.state),
            PlantState::Cancelling { .. } => AnalyzerState::Cancelling,
            PlantState::SelfTest { .. } => AnalyzerState::SelfTest,
            PlantState::Malfunction => AnalyzerState::Malfunction,
            PlantState::Away { .. } | PlantState::Initializing { .. } => AnalyzerState::Initializing,
        }
    }

    /// What ASTS says of that.
    pub fn told_state(&self, now: Tick) -> AnalyzerState {
        self.memory.state(now)
    }

    /// What AMST says. Each reply may be false by itself.
    pub fn told_phase(&mut self, now: Tick) -> AnalyzerPhase {
        let phase = self.memory.phase(now);
        self.quirks.false_phase(now.since(self.start), phase).unwrap_or(phase)
    }

    /// What AITR says: zero-based within the measurement, and zero outside of one, unless it has other habits.
    pub fn told_iteration(&self, now: Tick) -> u32 {
        self.memory.iteration(now)
    }

    /// The result that ACON gives.
    pub fn told_result(&self, now: Tick) -> Option<&IterationOutcome> {
        self.memory.result(now)
    }

    fn snapshot(&self) -> Snapshot {
        let phase = match &self.state {
            PlantState::Measuring(iteration) => iteration.phase,
            PlantState::Elsewhere { excursion, .. } => AnalyzerPhase::from_code(excursion.phase),
            _ => AnalyzerPhase::None,
        };
        let counts = matches!(
            self.state,
            PlantState::Measuring(_) | PlantState::Elsewhere { .. } | PlantState::Cancelling { .. }
        );
        let iteration = if counts || self.counter.is_global() { self.counter.shown() } else { 0 };
        Snapshot { state: self.state(), phase, iteration }
    }

    /// Remembers what is so from now on.
    pub fn note(&mut self, now: Tick) {
        let snapshot = self.snapshot();
        self.memory.note(now, snapshot);
    }
}
