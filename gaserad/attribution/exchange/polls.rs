//! What one poll adds to what is known of the gas exchanges.
//!
//! The phases are the primary evidence, in their order: gas exchange, integration, analysis. Whatever breaks that order,
//! or comes sooner than an iteration lasts, puts the exchange in doubt. What polls that were far apart may have missed
//! widens it.

use std::time::Duration;

use super::contradiction::Contradiction;
use super::counter::Tally;
use super::lengths::{fits, whole_times};
use super::ranks::{ANALYSIS, GAS_EXCHANGE, INTEGRATION, rank};
use super::{Arrival, Drawn, Exchanges};
use crate::domain::{AnalyzerPhase, AnalyzerState, Seen, Tick};

/// After an iteration: whatever comes next is of another one.
const OVER: u8 = 4;

impl Exchanges {
    /// Takes in one poll of the analyzer.
    pub fn see(&mut self, mut seen: Seen) {
        if std::mem::take(&mut self.out_of_sight) {
            seen.after = seen.after.min(self.last.map_or(Tick::ZERO, |last| last.before));
        }
        let last = self.last.replace(seen);
        if let Some(drawn) = self.drawn.back_mut() {
            drawn.unwatched = drawn.unwatched.max(seen.before.since(seen.after));
        }
        if last.is_some() {
            self.polls.take(seen.before.since(seen.after));
        }
        self.time_phase_under_way(seen);
        if seen.state != AnalyzerState::Measuring {
            self.leave(last, seen);
        } else if let Some(left) = self.left.take() {
            self.come_back(left, seen);
        } else {
            self.measure(last.filter(|last| last.state == AnalyzerState::Measuring), seen);
        }
        self.label(seen);
        self.time_phase(seen);
    }

    /// Whether it shows phases although it does not measure.
    pub(super) fn shows_old_phases(&self) -> bool {
        self.last.is_some_and(|last| last.state != AnalyzerState::Measuring && rank(last.phase) > 0)
    }

    /// A measurement that others began is under way: when its exchange began is not known.
    pub(super) fn take_over(&mut self) {
        let Some(last) = self.last.filter(|last| last.state == AnalyzerState::Measuring) else { return };
        let now = rank(last.phase);
        if now > 0 {
            self.push(Seen { after: Tick::ZERO, ..last }, now);
            self.rank = now;
        }
    }

    /// It does not measure. What it drew is over; if nobody ordered it, that shows when it comes back.
    fn leave(&mut self, last: Option<Seen>, seen: Seen) {
        if self.drawn.is_empty() || self.left.is_some() {
            return;
        }
        if self.rank <= INTEGRATION {
            self.stop_sampling(seen);
        }
        if self.is_drawing() {
            self.end(seen);
        } else if self.could_wrap(seen) {
            // Before it stopped, a whole iteration may have passed unseen.
            self.widen(last, seen);
        }
        self.left = Some((seen.after, seen.before));
    }

    /// It measures again, and no start was ordered: the iteration that was left goes on, or another one began.
    fn come_back(&mut self, left: (Tick, Tick), seen: Seen) {
        if self.drawn.is_empty() {
            return self.measure(None, seen);
        }
        self.contradict(Contradiction::LeftMeasuring);
        self.doubt_what_is_open();
        let now = rank(seen.phase);
        let since = Seen { after: left.0, ..seen };
        let goes_on = now == GAS_EXCHANGE && self.rank == GAS_EXCHANGE && !self.could_wrap(since);
        if goes_on {
            self.reopen();
        } else if now > 0 {
            self.push(since, now);
            // Beyond the gas exchange it may still be the iteration of before.
            self.doubt_newest(now != GAS_EXCHANGE);
        }
        self.rank = if now > 0 { now } else { OVER };
    }

    fn measure(&mut self, last: Option<Seen>, seen: Seen) {
        let now = rank(seen.phase);
        self.measuring_since.get_or_insert(seen.before);
        if self.phases_of_before {
            let begins = now == GAS_EXCHANGE && last.is_some_and(|last| last.phase != seen.phase);
            if now > 0 && !begins {
                return;
            }
            // What was shown until now was that much older.
            self.phases_of_before = false;
            self.lateness.note_old_phases(seen.before.since(self.started));
        }
        self.mind_the_counter(last, seen);
        if now == 0 {
            self.rest(last, seen);
            return;
        }
        if self.rank <= INTEGRATION && now != self.rank {
            self.stop_sampling(seen);
        }
        if self.could_hide_one(last, now, seen) {
            self.widen(last, seen);
        }
        if self.drawn.is_empty() || now < self.rank {
            self.begin(last, now, seen);
        } else if now == self.rank {
            if now == GAS_EXCHANGE && !self.is_drawing() {
                self.contradict(Contradiction::PhaseWentBack);
                self.doubt_newest(true);
                self.reopen();
            }
        } else {
            self.go_on(now, seen);
            self.rank = now;
        }
    }

    /// It measures, and is in none of the phases of an iteration.
    fn rest(&mut self, last: Option<Seen>, seen: Seen) {
        if self.drawn.is_empty() && seen.phase == AnalyzerPhase::LaserTuning {
            self.lateness.note_first_phase(self.started, self.measuring_since, seen.before);
        }
        if self.rank <= INTEGRATION {
            self.stop_sampling(seen);
        }
        if self.is_drawing() {
            self.end(seen);
        } else if self.could_hide_one(last, self.rank, seen) {
            self.widen(last, seen);
        }
    }

    /// A phase of a later iteration.
    fn begin(&mut self, last: Option<Seen>, now: u8, seen: Seen) {
        if self.drawn.is_empty() {
            self.lead.take(seen.before.since(self.started));
            self.lateness.note_first_phase(self.started, self.measuring_since, seen.before);
            self.push(seen, now);
            self.rank = now;
            return;
        }
        let skipped = (now > GAS_EXCHANGE && !fits(self.exchange.get(), seen))
            || (self.rank == INTEGRATION && !fits(self.analysis.get(), seen));
        let too_soon = self.is_too_soon(seen);
        if too_soon || skipped {
            self.contradict(if too_soon { Contradiction::TooSoon } else { Contradiction::PhaseSkipped });
            self.refuse_to_begin(now, seen);
            return;
        }
        if self.is_drawing() {
            self.end(seen);
        }
        self.mind_the_length(seen.after);
        self.lateness.note_end(last, seen);
        self.time_cycle(seen);
        self.push(seen, now);
        self.rank = now;
    }

    /// That the next iteration has begun is not believed: it may be the newest exchange still.
    fn refuse_to_begin(&mut self, now: u8, seen: Seen) {
        self.doubt_newest(true);
        if now == GAS_EXCHANGE {
            self.reopen();
            self.rank = now;
        } else if let Some(drawn) = self.drawn.back_mut() {
            drawn.ended = drawn.ended.map(|(after, _)| (after, seen.before)).or(Some((seen.after, seen.before)));
        }
    }

    /// A later phase of the same iteration.
    fn go_on(&mut self, now: u8, seen: Seen) {
        if self.is_drawing() {
            self.end(seen);
        }
        if self.rank == GAS_EXCHANGE && now == ANALYSIS && !fits(self.integration.get(), seen) {
            self.contradict(Contradiction::PhaseSkipped);
            self.doubt_newest(true);
        }
    }

    fn push(&mut self, seen: Seen, now: u8) {
        let bounds = (seen.after.max(self.started), seen.before);
        self.drawn.push_back(Drawn {
            iteration: seen.iteration,
            counted: None,
            began: bounds,
            ended: (now != GAS_EXCHANGE).then_some(bounds),
            sampled: seen.after,
            result: Arrival::Awaited,
            doubt: false,
            widened: false,
            hidden: 0,
            unwatched: Duration::ZERO,
        });
        while self.drawn.len() > Self::REMEMBERED {
            self.drawn.pop_front();
        }
    }

    fn end(&mut self, seen: Seen) {
        if let Some(drawn) = self.drawn.back_mut() {
            drawn.ended = Some((seen.after, seen.before));
            if drawn.is_whole() {
                self.drawing.take(seen.before.since(drawn.began.1));
                self.exchange.take(seen.before.since(drawn.began.1));
            }
        }
    }

    /// The newest exchange goes on.
    fn reopen(&mut self) {
        if let Some(drawn) = self.drawn.back_mut() {
            drawn.ended = None;
        }
    }

    pub(super) fn doubt_newest(&mut self, doubt: bool) {
        if let Some(drawn) = self.drawn.back_mut() {
            drawn.doubt |= doubt;
        }
    }

    fn doubt_what_is_open(&mut self) {
        for drawn in self.drawn.iter_mut().filter(|drawn| drawn.result != Arrival::Come) {
            drawn.doubt = true;
        }
    }

    /// What was sampled last was so before this poll.
    fn stop_sampling(&mut self, seen: Seen) {
        if let Some(drawn) = self.drawn.back_mut().filter(|drawn| !drawn.widened) {
            drawn.sampled = drawn.sampled.max(seen.after);
        }
    }

    /// A counter that fell across a long gap: the measurement may be another one.
    fn mind_the_counter(&mut self, last: Option<Seen>, seen: Seen) {
        let before = last.and_then(|last| last.iteration);
        let fell = before.zip(seen.iteration).is_some_and(|(before, now)| now < before);
        if fell {
            self.counter.distrust();
            self.contradict(Contradiction::CounterOdd);
            if self.could_wrap(seen) || seen.before.since(seen.after) > Self::SHORTEST_INTEGRATION * 2 {
                self.doubt_what_is_open();
            }
        }
    }

    /// Whether an exchange can have begun and ended between two polls without being seen.
    fn could_hide_one(&self, last: Option<Seen>, now: u8, seen: Seen) -> bool {
        let Some(last) = last.filter(|_| !self.drawn.is_empty()) else { return false };
        let passed = seen.before.since(seen.after);
        if self.counter.stood_still(last.iteration, seen.iteration, passed) {
            return false;
        }
        // Further on in the same iteration, it takes a whole one to come out there.
        let whole = self.cycle.filter(|_| now > self.rank);
        whole.map_or_else(|| self.could_wrap(seen), |cycle| passed >= cycle * 3 / 4)
    }

    /// The next result may be of the newest exchange or of one since then that was not seen: its window covers both.
    fn widen(&mut self, last: Option<Seen>, seen: Seen) {
        let passed = seen.before.since(seen.after);
        let counted = self.counter.begun(last.and_then(|last| last.iteration), seen.iteration);
        let Some(drawn) = self.drawn.back_mut() else { return };
        drawn.ended = drawn.ended.map(|(after, _)| (after, seen.before));
        drawn.iteration = None;
        drawn.counted = None;
        let by_time = self.usual.get().map(|usual| whole_times(passed + usual / 4, usual));
        let hidden = counted.map_or(0, |counted| counted.saturating_sub(1)).max(by_time.unwrap_or(1));
        drawn.sampled = drawn.sampled.max(seen.after);
        drawn.widened = true;
        drawn.hidden = drawn.hidden.saturating_add(hidden);
        self.phase_since = None;
    }

    /// Some counters follow the phase a moment later; in the analysis they may already mean the next iteration.
    fn label(&mut self, seen: Seen) {
        let settled = matches!(seen.phase, AnalyzerPhase::GasExchange | AnalyzerPhase::Integration);
        if !settled || seen.state != AnalyzerState::Measuring {
            return;
        }
        let first = seen.phase == AnalyzerPhase::Integration;
        let Some(drawn) = self.drawn.back_mut().filter(|drawn| !drawn.widened) else { return };
        drawn.iteration = seen.iteration.or(drawn.iteration);
        if first && drawn.counted.is_none() {
            drawn.counted = seen.iteration;
            self.compare_counts();
        }
    }

    /// The counter at the same place of the two newest iterations.
    fn compare_counts(&mut self) {
        let mut newest = self.drawn.iter().rev();
        let (Some(now), Some(before)) = (newest.next(), newest.next()) else { return };
        let Some((now_counted, counted)) = now.counted.zip(before.counted).filter(|_| !before.widened) else { return };
        let open = before.result != Arrival::Come;
        match self.counter.compare(counted, now_counted) {
            Tally::Fits => {}
            Tally::Odd => self.contradict(Contradiction::CounterOdd),
            // The one before has given its result: it is the counter that is wrong.
            Tally::Still if !open => self.counter.distrust(),
            Tally::Still => {
                self.contradict(Contradiction::CounterStill);
                let ended = self.drawn.pop_back().and_then(|drawn| drawn.ended);
                self.doubt_newest(true);
                if let Some(drawn) = self.drawn.back_mut() {
                    drawn.ended = drawn.ended.zip(ended).map(|(before, now)| (before.0, now.1));
                }
            }
        }
    }
}
