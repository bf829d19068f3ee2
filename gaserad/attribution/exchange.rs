//! When the analyzer drew gas, and which result came of it: an argument from evidence that may contradict itself.
//!
//! Every poll, counter, stamp and reading is a statement that is bounded in time. A poll shows phase and counter at one
//! moment, and what it shows may be older by the phase lag; a result may show later than its iteration by the result lag
//! ([`Lags`]). A gas exchange is believed where the statements agree. What they leave open widens its window until the
//! window is true. Where they contradict each other, what was open is void: its results are nobody's.
//!
//! The rules, with pictures, are in `docs/attribution.md`.

mod blind;
mod claim;
mod contradiction;
mod counter;
mod lags;
mod lateness;
mod lengths;
mod polls;
mod ranks;
mod readings;
mod rhythm;

use std::collections::VecDeque;
use std::time::Duration;

pub use contradiction::Contradiction;
pub use lags::Lags;

use crate::domain::{AnalyzerPhase, AnalyzerState, AnalyzerTime, Seen, Tick};
use contradiction::Trust;
use counter::Counter;
use lateness::LearnedLags;

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
pub enum ClaimOrigin {
    Exchange {
        exchange: Exchange,
        /// So many exchanges between this one and the one before gave no result that was read.
        missed: u32,
    },
    /// No gas exchange of this run can have given it.
    BeforeTheRun,
    /// The evidence contradicts itself: the result may be of another exchange.
    Contradicted {
        missed: u32,
    },
    Unknown,
}

/// One gas exchange as the polls show it, without the lags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Drawn {
    iteration: Option<u32>,
    /// The counter at the first poll that saw the integration.
    counted: Option<u32>,
    began: (Tick, Tick),
    ended: Option<(Tick, Tick)>,
    /// The last poll that saw it drawn or integrated began here.
    sampled: Tick,
    result: Arrival,
    /// The evidence contradicts itself.
    doubt: bool,
    /// Another one may have passed unseen: its window covers both.
    widened: bool,
    /// So many iterations may have passed unseen within its window.
    hidden: u32,
    /// The longest time between two polls since it began.
    unwatched: Duration,
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
    /// Whether it was seen from its beginning on, and only one.
    fn is_whole(&self) -> bool {
        !self.doubt && !self.widened && self.began.0 > Tick::ZERO
    }

    fn exchange(&self, phase_lag: Duration, started: Tick) -> Option<Exchange> {
        let (ended_after, ended_before) = self.ended?;
        Some(Exchange {
            iteration: self.iteration,
            began_after: self.began.0.back(phase_lag).max(started.min(self.began.0)),
            began_before: self.began.1,
            ended_after: ended_after.back(phase_lag).max(started.min(ended_after)),
            ended_before,
        })
    }
}

/// The last result whose exchange is certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Anchor {
    stamp: AnalyzerTime,
    /// The middle of when its gas exchange ended.
    drawn: Tick,
}

/// The gas exchanges since the measurement began, newest last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exchanges {
    drawn: VecDeque<Drawn>,
    last: Option<Seen>,
    /// Nothing is known of the time since the last poll.
    out_of_sight: bool,
    /// Nothing of this measurement was drawn before; zero if it was taken over.
    started: Tick,
    /// When it was first seen to measure.
    measuring_since: Option<Tick>,
    /// The last phase with a place in the iteration, since the measurement began.
    rank: u8,
    /// When it was last seen to leave measuring, while it does not measure.
    left: Option<(Tick, Tick)>,
    counter: Counter,
    lateness: LearnedLags,
    /// Phases of the measurement before are still shown.
    phases_of_before: bool,
    /// When the newest result that was in step was read.
    newest_read: Option<Tick>,
    /// A result of before the measurement came.
    met_before: bool,
    /// So many results were not there when they were due, and may still come.
    behind: usize,
    anchor: Option<Anchor>,
    newest_stamp: Option<AnalyzerTime>,
    /// Its stamps repeat themselves, or go back: they say nothing.
    stamps_repeat: bool,
    trust: Trust,
    /// From one poll to the next.
    polls: rhythm::Mean,
    /// The phase under way, and when it was first seen.
    phase_since: Option<(u8, Tick)>,
    /// How long integration and analysis were seen to last at least, in this measurement.
    exchange: rhythm::Mean,
    integration: rhythm::Mean,
    analysis: rhythm::Mean,
    /// The longest that any of its phases was polled without a gap.
    lasted: Duration,
    /// From one exchange to the next, in this measurement.
    usual: rhythm::Mean,
    /// From the beginning of one exchange to that of the next, as it was last seen.
    cycle: Option<Duration>,
    /// How long iterations and their parts are on the average.
    cycles: rhythm::Mean,
    drawing: rhythm::Mean,
    lead: rhythm::Mean,
    /// Of an analyzer that does not tell its phase: how the results before were read.
    blind: readings::Readings,
}

impl Exchanges {
    const REMEMBERED: usize = 64;

    pub fn new(bounds: Lags) -> Self {
        Self { lateness: LearnedLags::new(bounds), ..Self::default() }
    }

    /// A measurement is about to begin: whatever was drawn before is none of its business.
    pub fn restart(&mut self, at: Tick) {
        self.begin_anew(at);
        self.phases_of_before = self.shows_old_phases();
        self.blind = readings::Readings::start(at);
    }

    /// A measurement that others began is taken over: what is under way began nobody knows when.
    pub fn adopt(&mut self) {
        self.begin_anew(Tick::ZERO);
        self.take_over();
    }

    fn begin_anew(&mut self, started: Tick) {
        let before = std::mem::take(self);
        *self = Self {
            lateness: before.lateness.anew(started),
            behind: before.behind,
            last: before.last,
            started,
            trust: before.trust.anew(),
            counter: before.counter,
            polls: before.polls,
            cycles: before.cycles,
            drawing: before.drawing,
            lead: before.lead,
            ..Self::default()
        };
    }

    /// How stale polls and results may be, as the configuration says.
    pub fn bound(&mut self, bounds: Lags) {
        self.lateness.bounds = bounds;
    }

    /// The results that were not there yet are not waited for any more.
    pub fn give_up(&mut self) {
        for drawn in &mut self.drawn {
            drawn.doubt |= drawn.result != Arrival::Come;
        }
    }

    /// The process was interrupted: what comes next was polled after a gap.
    pub fn lose_sight(&mut self) {
        self.out_of_sight = true;
    }

    /// Whether gas is being drawn, as far as is known.
    pub fn is_drawing(&self) -> bool {
        self.drawn.back().is_some_and(|drawn| drawn.ended.is_none())
    }

    /// The newest exchange that has ended.
    pub fn newest_ended(&self) -> Option<Exchange> {
        self.drawn.iter().rev().find_map(|drawn| self.exchange(drawn))
    }

    /// The ended exchanges whose results have not come yet, as far as is known.
    pub fn awaited(&self) -> impl Iterator<Item = Exchange> + '_ {
        let awaited = self.drawn.iter().filter(|drawn| drawn.result != Arrival::Come && !drawn.doubt);
        // Whether one that passed unseen gives another result is not to be waited for.
        let awaited = awaited.filter(|drawn| !(drawn.widened && drawn.result == Arrival::Doubtful));
        awaited.filter_map(|drawn| self.exchange(drawn))
    }

    fn exchange(&self, drawn: &Drawn) -> Option<Exchange> {
        drawn.exchange(self.lags().phase, self.started)
    }

    /// How stale polls and results are taken to be: as configured, but no more than an iteration can bear; and what this
    /// measurement has shown.
    pub fn lags(&self) -> Lags {
        self.lateness.lags(self.cycles.get())
    }

    /// How often the evidence contradicted itself, by kind.
    pub fn contradictions(&self) -> impl Iterator<Item = (Contradiction, u32)> + '_ {
        self.trust.counted()
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

    /// By how much results come late, of an analyzer that tells no phases, if that is more than usual.
    pub fn late_and_blind(&self) -> Option<Duration> {
        let late = self.lags().result;
        (self.is_blind() && late > self.lateness.bounds.result).then_some(late)
    }

    /// Whether the analyzer measures without telling its phase, so that only its results tell of its iterations. One that
    /// told its phases before may take as long as an iteration to its first gas exchange.
    pub fn is_blind(&self) -> bool {
        let phaseless = |seen: &Seen| seen.state == AnalyzerState::Measuring && seen.phase == AnalyzerPhase::None;
        let Some((last, since)) = self.last.filter(phaseless).zip(self.measuring_since) else { return false };
        self.drawn.is_empty() && self.cycles.get().is_none_or(|cycle| last.before.since(since) > cycle)
    }

    fn contradict(&mut self, what: Contradiction) {
        self.trust.contradict(what);
    }
}

#[cfg(test)]
mod tests;
