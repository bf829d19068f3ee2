//! How the evidence can contradict itself, and how long one who contradicted himself is not believed.

use std::collections::BTreeMap;

/// What contradicted what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contradiction {
    /// A gas exchange that began sooner after the one before than an iteration lasts.
    TooSoon,
    /// An iteration that took longer than usual, and was not watched for a while.
    TooLong,
    /// A phase that cannot have passed between two polls was not seen.
    PhaseSkipped,
    /// A gas exchange that was over goes on.
    PhaseWentBack,
    /// A gas exchange began, and the counter stood still.
    CounterStill,
    /// The counter moved otherwise than by its step.
    CounterOdd,
    /// The analyzer did not measure for a while, within a measurement.
    LeftMeasuring,
    /// A result came before its iteration was seen to end.
    ResultEarly,
    /// A result came later than results come.
    ResultLate,
    /// A result came, and none was due.
    ResultSurplus,
    /// A result was due, and did not come.
    ResultMissing,
    /// A result's stamp fits another gas exchange.
    StampElsewhere,
}

impl Contradiction {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooSoon => "exchange_too_soon",
            Self::TooLong => "iteration_too_long",
            Self::PhaseSkipped => "phase_skipped",
            Self::PhaseWentBack => "phase_went_back",
            Self::CounterStill => "counter_still",
            Self::CounterOdd => "counter_odd",
            Self::LeftMeasuring => "left_measuring",
            Self::ResultEarly => "result_early",
            Self::ResultLate => "result_late",
            Self::ResultSurplus => "result_surplus",
            Self::ResultMissing => "result_missing",
            Self::StampElsewhere => "stamp_elsewhere",
        }
    }

    /// Whether polls and results are out of step with each other, so that one exchange in doubt is not all.
    const fn is_lasting(self) -> bool {
        matches!(self, Self::ResultEarly | Self::ResultSurplus | Self::ResultLate)
    }
}

/// How far the evidence is believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Trust {
    counts: BTreeMap<Contradiction, u32>,
    /// So many results in step are wanted before one is credited again.
    probation: u32,
    /// How many were wanted the last time.
    wanted: u32,
    in_step: u32,
}

impl Trust {
    const LONGEST: u32 = 32;
    /// After so many results in step, the next contradiction counts half.
    const FORGIVEN: u32 = 16;

    /// For another measurement.
    pub fn anew(self) -> Self {
        Self { counts: self.counts, ..Self::default() }
    }

    pub fn counted(&self) -> impl Iterator<Item = (Contradiction, u32)> + '_ {
        self.counts.iter().map(|(what, count)| (*what, *count))
    }

    pub fn contradict(&mut self, what: Contradiction) {
        *self.counts.entry(what).or_default() += 1;
        if what.is_lasting() {
            self.wanted = (self.wanted * 2).clamp(1, Self::LONGEST);
            self.probation = self.wanted;
            self.in_step = 0;
        } else if what == Contradiction::PhaseSkipped {
            self.probation = self.probation.max(1);
        }
    }

    /// A result is in step with the polls; whether it may be credited.
    pub fn step(&mut self) -> bool {
        self.in_step += 1;
        if self.in_step.is_multiple_of(Self::FORGIVEN) {
            self.wanted /= 2;
        }
        if self.probation == 0 {
            return true;
        }
        self.probation -= 1;
        false
    }
}
