//! One visit: arrival, purge, measuring, and when the valve may move on.

use std::time::Duration;

use super::Turn;
use super::state::{Place, Stage, Stopped, Visit};
use crate::attribution::{Origin, Stay, attribute};
use crate::domain::{AnalyzerOrder, Attribution, Fact, Phase, Plan, Severity, Sync, VisitId, VisitSummary, duration};

impl Turn {
    /// The valve confirmed the stop that it was sent to: if that is measured, a visit begins.
    pub(super) fn arrive(&mut self) {
        let at = self.at;
        let Some(run) = &mut self.state.run else { return };
        let position = self.state.valve.position.channel();
        let Some(stop) = run.target().filter(|stop| stop.measured && Some(stop.channel) == position) else { return };
        if run.between_visits {
            return;
        }
        if run.visit.is_some() {
            return self.renew_visit();
        }
        run.visits_begun += 1;
        let (id, repeat) = (VisitId(run.visits_begun), run.repeat + 1);
        run.visit = Some(Visit { id, channel: stop.channel, arrived: at.tick, clean_exchanges: 0 });
        let place = Place { channel: stop.channel, repeat, stop: run.stop, arrived: at.tick, skipped: false };
        run.barren.insert(id, place);
        self.state.timeline.arrive(Stay::new(id, stop.channel, repeat, at.tick));
        let visit = VisitSummary {
            id,
            channel: stop.channel,
            repeat,
            arrived: at.utc,
            left: None,
            records: 0,
            good_records: 0,
        };
        let fact = Fact::VisitStarted { run: run.id.clone(), visit };
        self.keep(fact);
    }

    /// Back on the channel of the visit under way, which goes on from here.
    pub(super) fn renew_visit(&mut self) {
        let at = self.at.tick;
        let Some(run) = &self.state.run else { return };
        let Some(visit) = &run.visit else { return };
        let stay = Stay::new(visit.id, visit.channel, run.repeat + 1, visit.arrived);
        let measures = matches!(run.stage, Stage::Measuring | Stage::MeasureOver(_) | Stage::Lingering);
        let paused = matches!(run.stage, Stage::Paused(_));
        let (measured_from, paused_from) = (measures.then_some(at), paused.then_some(at));
        self.state.timeline.renew(at, Stay { measured_from, paused_from, ..stay });
    }

    /// The purge time is over; what the analyzer draws already was drawn too early.
    pub(super) fn purge_over(&mut self) {
        let until = self.state.run.as_ref().map_or(self.at.tick, |run| run.until);
        let order = self.order_analyzer(AnalyzerOrder::Look);
        self.enter_until(Stage::PurgeOver(order), until, self.at.tick + self.state.limits.order);
    }

    pub(super) fn measure(&mut self) {
        let limits = self.state.limits;
        let Some(run) = &self.state.run else { return };
        let Some(stop) = run.target() else { return };
        self.state.timeline.measure_from(self.at.tick);
        // The time runs from when the purge was meant to be over, so that plans last as long as they say.
        let since = run.since;
        let due = since + stop.measure;
        let wanted = |count: u32| limits.iteration.saturating_mul(count.saturating_add(stop.discard_first));
        self.enter_until(Stage::Measuring, since, since + stop.iterations.map_or(stop.measure, wanted));
        self.due_at(due);
        self.show(Phase::Measuring, Some(stop.channel));
    }

    /// The measuring time is over, or there are iterations enough; one more look before the valve may move.
    pub(super) fn measure_over(&mut self) {
        let until = self.state.run.as_ref().map_or(self.at.tick, |run| run.until.min(self.at.tick));
        let order = self.order_analyzer(AnalyzerOrder::Look);
        self.enter_until(Stage::MeasureOver(order), until, self.at.tick + self.state.limits.order);
    }

    /// In step with the analyzer, the valve moves between gas exchanges and not before there was one; without overlap,
    /// not before its result is there.
    pub(super) fn leave_or_linger(&mut self) {
        let Some(run) = &self.state.run else { return };
        let unwanted = run.target().map_or(0, |stop| stop.discard_first);
        let clean = run.visit.as_ref().is_some_and(|visit| visit.clean_exchanges > unwanted);
        let between = if run.plan.overlap { !self.state.exchanges.is_drawing() } else { !self.awaits_results() };
        if run.plan.sync == Sync::Dwell || (clean && between) {
            self.leave();
        } else if run.stage != Stage::Lingering {
            let until = self.at.tick + self.state.limits.iteration;
            self.enter_until(Stage::Lingering, self.at.tick, until);
        }
    }

    /// The visit is over. After the last one its results still have to come.
    pub(super) fn leave(&mut self) {
        let Some(run) = &self.state.run else { return };
        let last = run.is_in_its_last_visit();
        if last && self.awaits_results() {
            self.enter(Stage::Draining, self.patience_for_results());
            return;
        }
        self.left();
        if last { self.close() } else { self.go_on_if_guarded() }
    }

    /// A result is there soon after its iteration is over, if it comes at all.
    fn patience_for_results(&self) -> Duration {
        const SLACK: Duration = Duration::from_secs(30);
        let most = self.state.limits.iteration;
        self.state.exchanges.cycle().map_or(most, |cycle| (cycle * 3 + SLACK).min(most))
    }

    pub(super) fn left(&mut self) {
        let utc = self.at.utc;
        let Some(run) = &mut self.state.run else { return };
        let Some(visit) = run.visit.take() else { return };
        run.visits_done += 1;
        run.restarts = 0;
        let fact = Fact::VisitEnded { run: run.id.clone(), visit: visit.id, left: utc };
        self.keep(fact);
        self.learn();
    }

    pub(super) fn next_stop(&mut self) {
        let Some(run) = &mut self.state.run else { return };
        let new_repeat = run.advance();
        match run.target() {
            _ if new_repeat => self.home(),
            Some(stop) => self.go(stop.channel),
            None => {}
        }
    }

    /// The plan is through: the analyzer stops, and whoever watches the phases sees one more.
    pub(super) fn close(&mut self) {
        if let Some(late) = self.state.exchanges.late_and_blind() {
            let text = format!(
                "results of this analyzer come up to {} late, and it does not tell its phases: those of the last iterations \
                 are not waited for and may be missing",
                duration::format(late)
            );
            self.alarm(Severity::Warning, "results_missing", text);
        }
        let order = self.order_analyzer(AnalyzerOrder::Stop);
        self.state.owed_stop = Some(order);
        self.enter(Stage::Closing(order, Stopped::NotYet), Plan::CLOSING);
        self.show(Phase::Switching, None);
    }

    /// Whether a good sample of this run may still come.
    pub(super) fn awaits_results(&self) -> bool {
        self.awaited().next().is_some()
    }

    /// The visits of which a good sample may still come.
    pub(super) fn awaited(&self) -> impl Iterator<Item = Option<VisitId>> + '_ {
        self.state.exchanges.awaited().filter_map(|exchange| {
            let credit = attribute(Origin::Exchange { exchange, missed: 0 }, &self.state.timeline);
            let good = credit.attribution == Attribution::Exact && !credit.discard;
            good.then(|| credit.stay.map(|stay| stay.visit))
        })
    }

    /// No more results are waited for: those that are still missing are told, and would be of nobody if they came.
    pub(super) fn drained(&mut self) {
        let missing = self.awaited().count();
        if missing > 0 {
            let text = format!(
                "{missing} of the analyzer's iterations in the last visits gave no result within the time for it; \
                 what comes now is not credited to them"
            );
            self.alarm(Severity::Warning, "results_missing", text);
            self.state.exchanges.give_up();
        }
        self.left();
        self.close();
    }
}
