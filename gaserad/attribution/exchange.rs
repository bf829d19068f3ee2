//! When the analyzer drew gas, as far as looks at its phase tell, and which result came of it.
//!
//! A look sees phase and iteration counter at one moment; what happened between two looks is bounded, not known.
//! The phases are the primary evidence. The counter tells of iterations that passed unseen, but only between looks
//! far enough apart for a whole integration: devices differ in when exactly they count.

mod claim;
mod rhythm;

use std::collections::VecDeque;
use std::time::Duration;

use crate::domain::{AnalyzerPhase, AnalyzerState, Seen, Tick};

/// One gas exchange: it began within (`began_after`, `began_before`] and ended within (`ended_after`, `ended_before`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    pub iteration: Option<u32>,
    pub began_after: Tick,
    pub began_before: Tick,
    pub ended_after: Tick,
    pub ended_before: Tick,
}

/// Which gas exchange a result is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Exchange {
        exchange: Exchange,
        /// So many exchanges between this one and the one before gave no result that was read.
        missed: u32,
    },
    /// No gas exchange of this run can have given it.
    BeforeTheRun,
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Drawn {
    iteration: Option<u32>,
    began: (Tick, Tick),
    ended: Option<(Tick, Tick)>,
    result: Arrival,
}

/// Whether an exchange's result has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrival {
    Awaited,
    /// A result came that was this one's or that of an exchange before: this one's may still come.
    Doubtful,
    Come,
}

impl Drawn {
    fn exchange(&self) -> Option<Exchange> {
        self.ended.map(|(ended_after, ended_before)| Exchange {
            iteration: self.iteration,
            began_after: self.began.0,
            began_before: self.began.1,
            ended_after,
            ended_before,
        })
    }
}

/// The gas exchanges since the measurement began, newest last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exchanges {
    drawn: VecDeque<Drawn>,
    last: Option<Seen>,
    /// The look before the last one that showed something new.
    previous: Option<Seen>,
    /// Nothing of this measurement was drawn before.
    started: Tick,
    /// The last phase with a place in the iteration, since the measurement began.
    rank: u8,
    /// The counter has not followed the newest exchange yet.
    lags: bool,
    /// The counter has already moved on, the phase has not.
    leads: bool,
    integrating_since: Option<Tick>,
    /// The most that an integration was seen to last at least.
    integration: Option<Duration>,
    /// From the beginning of one exchange to that of the next, as it was last seen.
    cycle: Option<Duration>,
    /// How long iterations and their exchanges are on the average.
    cycles: rhythm::Mean,
    drawing: rhythm::Mean,
    lead: rhythm::Mean,
    /// Of an analyzer that does not tell its phase: how the result before was read.
    blind: Option<claim::Glimpse>,
}

impl Exchanges {
    const REMEMBERED: usize = 64;
    /// What an integration takes at least, until one was seen.
    const INTEGRATION: Duration = Duration::from_millis(1500);

    /// A measurement is about to begin: whatever was drawn before is none of its business.
    pub fn restart(&mut self, at: Tick) {
        let (integration, cycle) = (self.integration, self.cycle);
        let (cycles, drawing, lead) = (self.cycles, self.drawing, self.lead);
        let blind = Some(claim::Glimpse::start(at));
        *self =
            Self { last: self.last, started: at, integration, cycle, cycles, drawing, lead, blind, ..Self::default() };
    }

    /// Whether gas is being drawn, as far as is known.
    pub fn is_drawing(&self) -> bool {
        self.drawn.back().is_some_and(|drawn| drawn.ended.is_none())
    }

    /// The newest exchange that has ended.
    pub fn newest_ended(&self) -> Option<Exchange> {
        self.drawn.iter().rev().find_map(Drawn::exchange)
    }

    /// The ended exchanges whose results have not come yet, as far as is known.
    pub fn awaited(&self) -> impl Iterator<Item = Exchange> + '_ {
        self.drawn.iter().filter(|drawn| drawn.result != Arrival::Come).filter_map(Drawn::exchange)
    }

    /// How long an iteration takes, if two were seen to begin.
    pub fn cycle(&self) -> Option<Duration> {
        self.cycle
    }

    /// On the average, if that was seen: how long an iteration takes, how long gas is drawn in it, and from the start of
    /// a measurement to its first exchange.
    pub fn rhythm(&self) -> Option<(Duration, Duration, Duration)> {
        Some((self.cycles.get()?, self.drawing.get()?, self.lead.get()?))
    }

    /// By how much one iteration differs from the next.
    pub fn spread(&self) -> Duration {
        self.cycles.spread()
    }

    /// When the newest exchange was first seen.
    pub fn newest_began(&self) -> Option<Tick> {
        self.drawn.back().map(|drawn| drawn.began.1)
    }

    /// Whether the analyzer measures without telling its phase, so that only its results tell of its iterations.
    pub fn is_blind(&self) -> bool {
        let phaseless = |seen: Seen| seen.state == AnalyzerState::Measuring && seen.phase == AnalyzerPhase::None;
        self.drawn.is_empty() && self.last.is_some_and(phaseless)
    }

    /// Takes in one look at the analyzer.
    pub fn see(&mut self, seen: Seen) {
        self.previous = self.last;
        let last = self.last.replace(seen).filter(|last| last.state == AnalyzerState::Measuring);
        let begun = if seen.state == AnalyzerState::Measuring { self.begun(last, seen) } else { 0 };
        if self.is_drawing() && (seen.phase != AnalyzerPhase::GasExchange || begun > 0) {
            self.end(seen);
        }
        if last.is_some() && seen.state != AnalyzerState::Measuring && self.could_wrap(seen) {
            // Before it stopped, a whole iteration may have passed unseen.
            self.widen(seen);
        }
        self.begin(seen, begun);
        self.label(seen);
        self.time_integration(last, seen);
        if rank(seen.phase) > 0 {
            self.rank = rank(seen.phase);
        }
    }

    /// How many exchanges began between two looks.
    fn begun(&mut self, last: Option<Seen>, seen: Seen) -> u32 {
        let now = rank(seen.phase);
        let visible = u32::from(now > 0 && (self.drawn.is_empty() || now < self.rank));
        let (Some(before), Some(after)) = (last.and_then(|last| last.iteration), seen.iteration) else {
            if seen.iteration.is_none() && self.could_hide_one(now, seen) {
                self.widen(seen);
            }
            return visible;
        };
        if self.drawn.is_empty() {
            return visible;
        }
        let counted = after.saturating_sub(before);
        let new = counted.saturating_sub(u32::from(self.lags && counted > 0));
        if counted > 0 {
            self.lags = false;
        }
        if visible == 0 && new == 1 && !(1..=2).contains(&now) {
            // The counter moved on in the analysis: early, or because a whole iteration passed unseen.
            self.leads = true;
            if self.could_wrap(seen) {
                self.widen(seen);
            }
            return 0;
        }
        if visible == 1 && counted == 0 {
            self.lags = !self.leads;
        }
        if visible == 1 {
            self.leads = false;
        }
        visible.max(new)
    }

    /// Whether a whole integration, and with it an exchange, fits between two looks.
    fn could_wrap(&self, seen: Seen) -> bool {
        // Integrations of one task hardly differ; what was seen of them is a little less than they last.
        seen.before.since(seen.after) >= self.integration.map_or(Self::INTEGRATION, |integration| integration * 3 / 4)
    }

    /// Whether an exchange can have begun and ended between two looks without being seen, if nothing counts it.
    fn could_hide_one(&self, now: u8, seen: Seen) -> bool {
        // Further on in the same iteration, it takes a whole one to come out there.
        let whole = self.cycle.filter(|_| now > self.rank);
        let passed = seen.before.since(seen.after);
        whole.map_or_else(|| self.could_wrap(seen), |cycle| passed >= cycle * 3 / 4)
    }

    /// The next result may be of the newest exchange or of one since then that was not seen: its window covers both.
    fn widen(&mut self, seen: Seen) {
        if let Some(drawn) = self.drawn.back_mut() {
            drawn.ended = drawn.ended.map(|(after, _)| (after, seen.before));
            drawn.iteration = None;
        }
    }

    fn begin(&mut self, seen: Seen, begun: u32) {
        let bounds = (seen.after.max(self.started), seen.before);
        if self.drawn.is_empty() && begun > 0 {
            self.lead.take(bounds.1.since(self.started));
        }
        // More than can be remembered is as good as forgotten at once.
        let before = self.drawn.back().map(|drawn| drawn.began.1);
        if let Some(before) = before.filter(|_| begun == 1) {
            self.cycle = Some(bounds.1.since(before));
            self.cycles.take(bounds.1.since(before));
        }
        for unseen in (0..begun).rev().take(Self::REMEMBERED) {
            let drawing = unseen == 0 && seen.phase == AnalyzerPhase::GasExchange;
            self.drawn.push_back(Drawn {
                iteration: seen.iteration.and_then(|iteration| iteration.checked_sub(unseen)),
                began: bounds,
                ended: (!drawing).then_some(bounds),
                result: Arrival::Awaited,
            });
        }
        while self.drawn.len() > Self::REMEMBERED {
            self.drawn.pop_front();
        }
    }

    fn end(&mut self, seen: Seen) {
        if let Some(drawn) = self.drawn.back_mut() {
            drawn.ended = Some((seen.after, seen.before));
            self.drawing.take(seen.before.since(drawn.began.1));
        }
    }

    /// Some counters follow the phase a moment later; in the analysis they may already mean the next iteration.
    fn label(&mut self, seen: Seen) {
        let settled = matches!(seen.phase, AnalyzerPhase::GasExchange | AnalyzerPhase::Integration);
        if let Some(drawn) = self.drawn.back_mut().filter(|_| settled && seen.state == AnalyzerState::Measuring) {
            drawn.iteration = seen.iteration.or(drawn.iteration);
        }
    }

    fn time_integration(&mut self, last: Option<Seen>, seen: Seen) {
        let integrating = seen.phase == AnalyzerPhase::Integration;
        match self.integrating_since {
            None if integrating && last.is_some_and(|last| last.phase == AnalyzerPhase::GasExchange) => {
                self.integrating_since = Some(seen.before);
            }
            Some(since) if !integrating => {
                let lasted = seen.after.since(since);
                self.integrating_since = None;
                if seen.phase == AnalyzerPhase::Analysis && !lasted.is_zero() {
                    self.integration = self.integration.max(Some(lasted));
                }
            }
            _ => {}
        }
    }
}

/// The order of the phases within an iteration; 0 is outside of it.
const fn rank(phase: AnalyzerPhase) -> u8 {
    match phase {
        AnalyzerPhase::GasExchange => 1,
        AnalyzerPhase::Integration => 2,
        AnalyzerPhase::Analysis => 3,
        AnalyzerPhase::None | AnalyzerPhase::LaserTuning | AnalyzerPhase::Other(_) => 0,
    }
}

#[cfg(test)]
mod tests;
