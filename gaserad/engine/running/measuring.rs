//! Within a visit: the end of the purge, measuring, and when the valve may move on.

use super::turn::RunTurn;
use super::visit::counts;
use crate::attribution::{ClaimOrigin, Credit, attribute};
use crate::domain::{AnalyzerOrder, Phase, Sync};
use crate::engine::state::Stage;

impl RunTurn<'_> {
    /// The purge time is over; what the analyzer draws already was drawn too early.
    pub fn purge_over(&mut self) {
        let until = self.run.timing.until;
        let order = self.order_analyzer(AnalyzerOrder::Look);
        self.enter_until(Stage::PurgeOver(order), until, self.at.tick + self.station.settings.limits.order);
    }

    pub fn measure(&mut self) {
        let Some(stop) = self.run.target() else { return };
        let (at, iteration) = (self.at.tick, self.station.settings.limits.iteration);
        self.station.timeline.measure_from(at);
        // The time runs from when the purge was meant to be over, so that plans last as long as they say.
        let since = self.run.timing.since;
        let wanted = |count: u32| iteration.saturating_mul(count.saturating_add(stop.discard_first));
        self.enter_until(Stage::Measuring, since, since + stop.iterations.map_or(stop.measure, wanted));
        self.due_at(since + stop.measure);
        self.show(Phase::Measuring, Some(stop.channel));
    }

    /// The measuring time is over, or there are iterations enough; one more look before the valve may move.
    pub fn measure_over(&mut self) {
        let until = self.run.timing.until.min(self.at.tick);
        let order = self.order_analyzer(AnalyzerOrder::Look);
        self.enter_until(Stage::MeasureOver(order), until, self.at.tick + self.station.settings.limits.order);
    }

    /// In step with the analyzer, the valve moves between gas exchanges and not before there was one; without overlap,
    /// not before its result is there.
    pub fn leave_or_linger(&mut self) {
        let plan = &self.run.asked.plan;
        let unwanted = self.run.target().map_or(0, |stop| stop.discard_first);
        let clean = self.run.visits.current.as_ref().is_some_and(|visit| visit.clean_exchanges > unwanted);
        let between = if plan.overlap { !self.station.exchanges.is_drawing() } else { !self.awaits_results() };
        if plan.sync == Sync::Dwell || (clean && between) {
            self.leave();
        } else if self.run.stage != Stage::Lingering {
            let until = self.at.tick + self.station.settings.limits.iteration;
            self.enter_until(Stage::Lingering, self.at.tick, until);
        }
    }

    /// The visit is over. After the last one its results still have to come.
    pub fn leave(&mut self) {
        if self.run.is_in_its_last_visit() && self.awaits_results() {
            return self.wait_for_results();
        }
        self.leave_at_once();
    }

    /// No result is waited for.
    pub fn leave_at_once(&mut self) {
        let last = self.run.is_in_its_last_visit();
        self.end_visit();
        if last { self.close() } else { self.go_on_if_guarded() }
    }

    /// A gas exchange is over: it may be what the visit waited for.
    pub fn exchange_ended(&mut self) {
        let Some(exchange) = self.station.exchanges.newest_ended() else { return };
        let credit = attribute(ClaimOrigin::Exchange { exchange, missed: 0 }, &self.station.timeline);
        self.sample_over();
        self.drawn(&credit);
    }

    /// The visit has one more sample that the plan wants, or will have once its result comes.
    pub fn drawn(&mut self, credit: &Credit) {
        let Some(stop) = self.run.target().filter(|_| counts(credit)) else { return };
        let drawn_for = credit.stay.map(|stay| stay.visit);
        let visit = self.run.visits.current.as_mut().filter(|visit| Some(visit.id) == drawn_for);
        let Some(visit) = visit else { return };
        visit.clean_exchanges += 1;
        let wanted = stop.iterations.map(|wanted| wanted.saturating_add(stop.discard_first));
        let enough = wanted.is_some_and(|wanted| visit.clean_exchanges >= wanted);
        if self.run.stage == Stage::Measuring && enough {
            self.measure_over();
        }
    }

    /// So many gas exchanges of the visit are in doubt by what was just seen: it needs others.
    pub fn take_back(&mut self, doubted: u32) {
        if let Some(visit) = &mut self.run.visits.current {
            visit.clean_exchanges = visit.clean_exchanges.saturating_sub(doubted);
        }
    }
}
