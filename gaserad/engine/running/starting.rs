//! How a run begins, and how each visit does: the analyzer is prepared and started, the valve arrives, the line settles and
//! is purged.

use super::turn::RunTurn;
use crate::domain::{AnalyzerAnswer, AnalyzerOrder, Event, Fact, Phase, Sync, Tick};
use crate::engine::admit;
use crate::engine::state::{Absence, Stage};

impl RunTurn<'_> {
    /// The analyzer knows the task: the run begins.
    pub fn prepared(&mut self, answer: AnalyzerAnswer) {
        let AnalyzerAnswer::Prepared { task_id, gases, baseline, held, errors, adopted } = answer else { return };
        if let Err(denied) = admit::errors(&errors, self.run.asked.ignore_errors) {
            return self.refuse(&denied);
        }
        self.stop_is_not_owed(false);
        self.run.timing.started = Some(self.at);
        let measurement = &mut self.run.measurement;
        (measurement.task_id, measurement.baseline, measurement.held) = (task_id, baseline, held);
        measurement.ordered_start = adopted;
        self.run.results.lacks.expect(&gases);
        if adopted {
            self.station.exchanges.adopt();
        }
        if let Some(summary) = self.run.summary() {
            self.keep(Fact::RunStarted(summary.clone()));
            let run = self.run.id.clone();
            self.keep(Fact::RunGases { run, gases });
            self.tell(Event::RunStarted { run: summary });
        }
        self.station.analyzer.absence = Absence::default();
        self.begin_with_the_clock();
        self.begin_with_the_disk();
        self.reckon_from_now();
        self.home();
    }

    /// The valve is home. With fixed timings the analyzer starts while the line settles, else afterwards.
    pub fn homed(&mut self) {
        let start_at_once = !self.run.measurement.ordered_start && self.run.asked.plan.sync == Sync::Dwell;
        let settled = self.settles_until();
        self.arrive();
        if start_at_once {
            self.start_measuring(settled);
        } else {
            self.settle_until(settled);
        }
    }

    pub fn moved(&mut self) {
        let settled = self.settles_until();
        self.arrive();
        self.settle_until(settled);
    }

    fn settle_until(&mut self, settled: Tick) {
        let at = self.at.tick;
        self.enter_until(Stage::Settling, at, settled);
        if settled < at {
            self.settled();
        }
    }

    /// The line has settled already where the valve stands.
    pub fn go_on_from_here(&mut self) {
        let at = self.at.tick;
        self.enter_until(Stage::Settling, at, at);
        self.reckon_from_now();
    }

    fn start_measuring(&mut self, settled: Tick) {
        let at = self.at.tick;
        self.run.measurement.ordered_start = true;
        if let Some(visit) = &mut self.run.visits.current {
            // What was drawn for it before an interruption no longer counts.
            visit.clean_exchanges = 0;
        }
        self.station.analyzer.absence = Absence::default();
        self.station.exchanges.restart(at);
        let task_id = self.run.measurement.task_id;
        let order = self.order_analyzer(AnalyzerOrder::Start { task_id });
        self.enter(Stage::Starting(order, settled), self.station.settings.limits.order);
    }

    /// The analyzer measures. Before that there is nothing to be late for.
    pub fn measuring_began(&mut self, settled: Tick) {
        let at = self.at.tick;
        self.due_at(settled.max(at));
        self.answer_starter(Ok(()));
        self.enter_until(Stage::Settling, self.run.timing.since, settled.max(at));
        if settled <= at {
            self.settled();
        }
    }

    /// The line has settled where the valve stands: home, or a stop.
    pub fn settled(&mut self) {
        if !self.run.measurement.ordered_start {
            return self.start_measuring(self.at.tick);
        }
        let Some(stop) = self.run.target() else { return };
        // The measurement of somebody else may have been taken over.
        self.answer_starter(Ok(()));
        if std::mem::take(&mut self.run.course.between_visits) {
            return self.go_on_if_guarded();
        }
        if Some(stop.channel) != self.station.valve.position.channel() {
            return self.go(stop.channel);
        }
        self.run.shown.channel = stop.channel.index();
        if self.pause_if_asked() {
            return;
        }
        if !stop.measured {
            self.run.course.stop += 1;
            return self.settled();
        }
        let since = self.purge_from(&stop);
        self.due_at(since + stop.purge);
        self.enter_until(Stage::Purging, since, since + stop.purge);
        self.show(Phase::Purging, Some(stop.channel));
        if stop.purge.is_zero() {
            self.purge_over();
        }
    }
}
