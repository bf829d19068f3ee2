//! What is known of an analyzer that does not measure although a run needs it to. What it means is for `running::absence`.

use std::time::Duration;

use crate::domain::{AnalyzerState, Seen, Tick, VisitId};

/// A state in which an analyzer stays holds so long before it is believed. Any restart takes longer.
const CONFIRMED: Duration = Duration::from_secs(3);
/// So long an analyzer may do something else before that is told.
const LASTING: Duration = Duration::from_secs(30);

/// What happened since the analyzer was last seen measuring for the run.
#[derive(Debug, Clone, Default)]
pub struct Absence {
    /// When it was first seen not to measure.
    pub since: Option<Tick>,
    /// When it was first seen in a state in which it stays.
    pub resting: Option<Tick>,
    /// Somebody was told that it lasts.
    pub told: bool,
    /// It could not be asked for a while.
    pub unreachable: bool,
    /// What shows that it restarted.
    pub sign: Option<&'static str>,
    /// Its counter when it was last seen measuring.
    pub counter: Option<u32>,
    /// The visits whose only good sample it still worked on then.
    pub owed: Option<Vec<VisitId>>,
}

impl Absence {
    pub fn ended(seen: Seen) -> Self {
        Self { counter: seen.iteration, ..Self::default() }
    }

    /// The first sign is enough.
    pub fn shows(&mut self, sign: &'static str) {
        self.sign.get_or_insert(sign);
    }

    fn shown_by(&mut self, seen: Seen) {
        if matches!(seen.state, AnalyzerState::Initializing | AnalyzerState::InitializationError) {
            self.shows("it was initializing");
        }
        // A stop leaves a counter as it is, or sets it to zero.
        if seen.iteration > Some(0) && began_anew(self.counter, seen.iteration) && self.unreachable {
            self.shows("its counter of iterations began anew");
        }
    }

    /// It was seen not to measure. Where it is not `needed` to, only one that restarted matters.
    pub fn note(&mut self, seen: Seen, at: Tick, needed: bool) {
        self.shown_by(seen);
        if !needed && self.sign.is_none() {
            return;
        }
        self.since.get_or_insert(at);
        if stays(seen.state) {
            self.resting.get_or_insert(at);
        } else {
            self.resting = None;
        }
    }

    /// Since when it has been away or at rest, whichever is to be judged next, and for how long at most.
    pub fn deadline(&self, grace: Duration) -> Option<(Tick, &'static str)> {
        if let Some(resting) = self.resting {
            return Some((resting + CONFIRMED, "the analyzer to measure again, or to stay as it is"));
        }
        let limit = if self.told { grace.max(CONFIRMED) } else { LASTING.min(grace).max(CONFIRMED) };
        Some((self.since? + limit, "the analyzer to measure again"))
    }
}

/// Whether a counter fell, as it does where a measurement begins.
pub fn began_anew(before: Option<u32>, now: Option<u32>) -> bool {
    before.zip(now).is_some_and(|(before, now)| now < before)
}

/// Whether an analyzer does not measure on by itself from there.
pub const fn stays(analyzer: AnalyzerState) -> bool {
    matches!(
        analyzer,
        AnalyzerState::Initializing
            | AnalyzerState::InitializationError
            | AnalyzerState::Idle
            | AnalyzerState::SelfTest
            | AnalyzerState::Malfunction
    )
}
