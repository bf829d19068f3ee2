//! Which exchange a new result is of. Each exchange gives one result at most.
//!
//! A result shows between the end of its integration and the result lag after its iteration is over, until the next one
//! does. What is known is when it was not there yet, when it was, and the phase at a poll right after. Where that leaves
//! several exchanges open, stamps may decide: the time between two stamps is that between their exchanges. If they do
//! not, the window covers all that are open, and what is credited must hold for each of them.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::lengths::whole_times;
use super::{Anchor, Arrival, ClaimOrigin, Contradiction, Drawn, Exchange, Exchanges};
use crate::domain::{AnalyzerPhase, ResultRead, Tick};

impl Exchanges {
    /// Finds the exchange that a new result is of, and notes that it has come.
    pub fn claim(&mut self, read: &ResultRead) -> ClaimOrigin {
        if self.is_blind() {
            return self.claim_blindly(read);
        }
        self.mind_the_length(read.read);
        if !self.lateness.has_first_result() && self.started > Tick::ZERO {
            // The first result comes when the second exchange has begun.
            self.behind = self.behind.max(self.drawn.len().saturating_sub(2).min(Self::MOST_BEHIND));
        }
        let candidates = self.candidates(read);
        // The analyzer's clock was set back: stamps before and after are not to be compared.
        let stamp = read.sample.stamp;
        if self.newest_stamp.replace(stamp).is_some_and(|newest| stamp <= newest) {
            self.forget_stamps();
            self.stamps_repeat = true;
        }
        let origin = match (candidates.first().copied(), candidates.last().copied()) {
            (Some(first), Some(last)) if self.may_be_stale(last, read) => {
                self.take_result(first..=self.drawn.len() - 1, 0, read)
            }
            (Some(first), Some(last)) => self.claim_among(first, last, read),
            _ => self.claim_out_of_step(read),
        };
        if origin != ClaimOrigin::BeforeTheRun {
            self.lateness.note_result(read.read);
        }
        origin
    }

    /// Whether it may as well be the phases that are stale: the result came so long after the iteration that it would be
    /// of as only results that come late do, and that they do did not show from the start of the measurement.
    fn may_be_stale(&self, last: usize, read: &ResultRead) -> bool {
        let usual = self.lateness.bounds.within(self.cycles.get()).result;
        let late = self.over_by(last).is_some_and(|over| over + usual <= read.after);
        late && !self.lateness.is_late_from_the_start(self.started, self.usual.get())
    }

    /// The analyzer's clock was set.
    pub fn forget_stamps(&mut self) {
        self.anchor = None;
    }

    /// The exchanges that can have given what was read then and not before.
    fn candidates(&self, read: &ResultRead) -> Vec<usize> {
        let lag = self.lags().result;
        let open = |place: &usize| self.drawn[*place].result != Arrival::Come;
        let ready = |place: &usize| self.ready_from(*place, read) < read.read;
        let fresh = |place: &usize| self.over_by(*place).is_none_or(|over| over + lag > read.after);
        let shown = |place: &usize| self.over_by(*place + 1).is_none_or(|over| over + lag > read.asked);
        (0..self.drawn.len()).filter(open).filter(ready).filter(fresh).filter(shown).collect()
    }

    /// The earliest at which the result of an exchange can be there: some way into its analysis, and not before gas was
    /// drawn and integrated for as long as that takes.
    fn ready_from(&self, place: usize, read: &ResultRead) -> Tick {
        let lag = self.lateness.phase_lag_of_a_result(self.cycles.get());
        let drawn = &self.drawn[place];
        let integration = self.least_integration() / 2;
        let drawing = place + 1 == self.drawn.len() && read.phase == AnalyzerPhase::GasExchange && !drawn.widened;
        // Until an analysis was seen, it is not taken to be over before it showed.
        let analysis = self.analysis.get().map_or(lag, |analysis| analysis / 2);
        let rest = if drawing { integration } else { Duration::ZERO } + analysis;
        let sampled = self.sampled_until(place, read).back(lag) + rest;
        sampled.max(drawn.began.0.back(lag) + half(self.exchange.get()) + integration)
    }

    /// The last poll that saw gas drawn or integrated for it.
    fn sampled_until(&self, place: usize, read: &ResultRead) -> Tick {
        let drawn = &self.drawn[place];
        let sampling = matches!(read.phase, AnalyzerPhase::GasExchange | AnalyzerPhase::Integration);
        // What was sampled after a gap may already be another iteration.
        if !sampling || place + 1 < self.drawn.len() || drawn.widened {
            return drawn.sampled;
        }
        match self.last {
            // It is the one that the poll after the reading saw beginning.
            Some(last) if drawn.began.1 > read.read => last.asked,
            _ => read.read,
        }
    }

    /// When its iteration was over at the latest, if it is.
    fn over_by(&self, place: usize) -> Option<Tick> {
        let next = self.drawn.get(place + 1).map(|next| next.began.1);
        next.or_else(|| self.left.map(|(_, before)| before).filter(|_| place + 1 == self.drawn.len()))
    }

    fn claim_among(&mut self, first: usize, last: usize, read: &ResultRead) -> ClaimOrigin {
        let waiting = self.waiting().unwrap_or(first).min(first);
        let overdue = (waiting..first).filter(|place| self.is_overdue(*place, read)).count();
        if overdue > 0 {
            self.contradict(Contradiction::ResultMissing);
        }
        self.behind = (self.behind + overdue).min(Self::MOST_BEHIND);
        let behind = self.behind.max(usize::from(self.was_passed_over(first, read)));
        let oldest = first.saturating_sub(behind).max(self.oldest_open(first));
        let (span, certain) = self.narrow(first, oldest..=last, read);
        if certain {
            self.behind = 0;
        }
        let given_up = |drawn: &&Drawn| match drawn.result {
            Arrival::Awaited => true,
            Arrival::Doubtful => !drawn.widened,
            Arrival::Come => false,
        };
        let missed = self.drawn.range(..*span.start()).filter(given_up).count();
        if self.behind > first {
            // Of a measurement before this one, perhaps, as late as results were then: those of this one may still come.
            self.drawn.range_mut(span).for_each(|drawn| drawn.result = Arrival::Doubtful);
            return ClaimOrigin::Contradicted { missed: 0 };
        }
        self.take_result(span, missed.max(overdue), read)
    }

    /// Whether the exchange before may still give its result, an iteration late: the one that came may have been another's.
    fn was_passed_over(&self, first: usize, read: &ResultRead) -> bool {
        let Some((before, usual)) = first.checked_sub(1).zip(self.usual.get()) else { return false };
        let drawn = &self.drawn[before];
        let lately = self.over_by(before).is_some_and(|over| over + usual * 5 / 4 > read.after);
        let late_at_times = self.lateness.is_late_at_times(self.started, Some(usual));
        drawn.result == Arrival::Doubtful && !drawn.widened && lately && late_at_times
    }

    /// Results do not come later than so many iterations.
    const MOST_BEHIND: usize = 2;

    /// A result that was not there at a reading at which it should have been.
    fn is_overdue(&self, place: usize, read: &ResultRead) -> bool {
        self.drawn[place].result == Arrival::Awaited && self.is_late(place, read)
    }

    fn waiting(&self) -> Option<usize> {
        self.drawn.iter().position(|drawn| drawn.result == Arrival::Awaited)
    }

    /// The oldest of the exchanges right before `first` whose results may still come.
    fn oldest_open(&self, first: usize) -> usize {
        self.drawn.iter().take(first).rposition(|drawn| drawn.result == Arrival::Come).map_or(0, |come| come + 1)
    }

    /// What the stamps leave of the exchanges that are open, of which those from `first` on fit by their time; and whether
    /// both agree on one. Stamps alone decide nothing.
    fn narrow(
        &mut self,
        first: usize,
        open: RangeInclusive<usize>,
        read: &ResultRead,
    ) -> (RangeInclusive<usize>, bool) {
        let (oldest, last) = (*open.start(), *open.end());
        let around = oldest.saturating_sub(1)..=(last + 1).min(self.drawn.len() - 1);
        let fitting: Vec<usize> = around.filter(|place| self.fits_stamp(*place, read)).collect();
        match fitting[..] {
            [only] if (first..=last).contains(&only) => (only..=only, true),
            [other] if self.drawn[other].result != Arrival::Come => {
                self.contradict(Contradiction::StampElsewhere);
                (oldest.min(other)..=last.max(other), false)
            }
            _ => (open, false),
        }
    }

    /// Whether so much time passed since the exchange of the last certain result as since its stamp.
    fn fits_stamp(&self, place: usize, read: &ResultRead) -> bool {
        let Some((anchor, usual)) = self.anchor.zip(self.usual.get()).filter(|_| !self.stamps_repeat) else {
            return false;
        };
        let Some(drawn) = self.drawn.get(place).and_then(middle).filter(|drawn| *drawn > anchor.drawn) else {
            return false;
        };
        let stamped = u64::try_from(read.sample.stamp.0.saturating_sub(anchor.stamp.0)).map(Duration::from_secs);
        stamped.is_ok_and(|stamped| stamped.abs_diff(drawn.since(anchor.drawn)) <= usual / 4)
    }

    fn take_result(&mut self, span: RangeInclusive<usize>, missed: usize, read: &ResultRead) -> ClaimOrigin {
        let (first, last) = (*span.start(), *span.end());
        let doubt = self.drawn.range(span.clone()).any(|drawn| drawn.doubt);
        let hidden: u32 = self.drawn.range(span).map(|drawn| drawn.hidden).sum();
        let (oldest, newest) = (self.exchange(&self.drawn[first]), self.exchange(&self.drawn[last]));
        for (place, drawn) in self.drawn.iter_mut().enumerate().take(last + 1) {
            // Another one that passed unseen may give one more.
            let more = place > first || (place == first && drawn.widened);
            drawn.result = if more { Arrival::Doubtful } else { Arrival::Come };
        }
        let in_step = self.trust.step();
        let missed = u32::try_from(missed).unwrap_or(u32::MAX).saturating_add(hidden);
        let before = self.newest_read.replace(read.read);
        let missed = if first == last { missed } else { missed.max(self.passed_since(before, read)) };
        let Some((oldest, newest)) = oldest.zip(newest).filter(|_| !doubt && in_step) else {
            return ClaimOrigin::Contradicted { missed };
        };
        let certain = first == last && !self.drawn[first].widened;
        self.lateness.note_certain_result(read.read, certain && self.over_by(last).is_none());
        let anchor = Anchor { stamp: read.sample.stamp, drawn: between(newest.ended_after, newest.ended_before) };
        self.anchor = Some(anchor).filter(|_| certain).or(self.anchor);
        let exchange =
            Exchange { iteration: newest.iteration.filter(|_| certain), began_after: oldest.began_after, ..newest };
        ClaimOrigin::Exchange { exchange, missed }
    }

    /// How many iterations more than one passed since the result before.
    fn passed_since(&self, before: Option<Tick>, read: &ResultRead) -> u32 {
        let Some((before, usual)) = before.zip(self.usual.get()) else { return 0 };
        whole_times(read.read.since(before) + usual / 2, usual).saturating_sub(1)
    }

    /// No exchange can have given it when it came.
    fn claim_out_of_step(&mut self, read: &ResultRead) -> ClaimOrigin {
        let first = self.drawn.iter().all(|drawn| drawn.result == Arrival::Awaited);
        let known = |place: &usize| !self.drawn[*place].doubt && self.is_late(*place, read);
        let late: Vec<usize> = (0..self.drawn.len()).filter(known).collect();
        let mut missed = 0;
        if let Some(oldest) = late.first() {
            self.contradict(Contradiction::ResultLate);
            // It is of one of those, and the others may have given none.
            missed = u32::try_from(late.len() - 1).unwrap_or(u32::MAX);
            let over = self.drawn.get(oldest + 1).map_or(read.read, |next| next.began.0);
            self.learn_late(over, read);
        } else if first && self.is_of_before(read) {
            return ClaimOrigin::BeforeTheRun;
        } else if (self.waiting().is_some() || first) && self.open_are_believed() {
            self.contradict(Contradiction::ResultEarly);
            let over = self.drawn.back().map_or(read.read, |newest| newest.began.0);
            if self.lateness.note_early_result(read.after) {
                self.learn_late(over, read);
            }
        } else {
            self.contradict(Contradiction::ResultSurplus);
        }
        self.lose_count();
        ClaimOrigin::Contradicted { missed }
    }

    /// A result came late, of an iteration that was over then. If results did not come so from the start, the next one may
    /// as well be another one's.
    fn learn_late(&mut self, over: Tick, read: &ResultRead) {
        self.lateness.note_late_result(read.read.since(over));
        if self.lateness.has_first_result() && self.lateness.is_late_at_times(self.started, self.usual.get()) {
            self.behind = self.behind.max(1);
        }
    }

    /// Whether no exchange in doubt may still give its result.
    fn open_are_believed(&self) -> bool {
        let mut open = self.drawn.iter().rev().take_while(|drawn| drawn.result != Arrival::Come);
        open.all(|drawn| !drawn.doubt && !drawn.widened)
    }

    /// Whether it would be the result of this exchange, if results came later than they do.
    fn is_late(&self, place: usize, read: &ResultRead) -> bool {
        let lag = self.lags().result;
        self.drawn[place].result != Arrival::Come && self.over_by(place).is_some_and(|over| over + lag <= read.after)
    }

    /// Results and exchanges are out of step: which of them has given its result is not known any more.
    fn lose_count(&mut self) {
        for drawn in &mut self.drawn {
            (drawn.result, drawn.doubt) = (Arrival::Doubtful, true);
        }
        self.forget_stamps();
    }

    /// Whether it came so early that it can only be of before the measurement; there is one such at most.
    fn is_of_before(&mut self, read: &ResultRead) -> bool {
        let young = self.cycles.get().is_some_and(|cycle| read.read.since(self.started) < cycle / 2);
        (read.after <= self.started || young) && !std::mem::replace(&mut self.met_before, true)
    }
}

fn half(usual: Option<Duration>) -> Duration {
    usual.unwrap_or_default() / 2
}

fn between(from: Tick, to: Tick) -> Tick {
    from + to.since(from) / 2
}

fn middle(drawn: &Drawn) -> Option<Tick> {
    drawn.ended.map(|(after, before)| between(after, before))
}
