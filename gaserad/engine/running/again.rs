//! An analyzer that restarted within a run is prepared and started anew, and the interrupted visit begins again.
//!
//! Nothing that it was told before a restart still holds: where results are stored, which task it is to measure. So it is
//! prepared as for a new run, as soon as it is idle and reports no errors that would refuse a start, within `grace`. The
//! valve need not go home for that if it says itself that it still stands where the run left it. The line is purged again,
//! since nothing flowed meanwhile; what the visit had of samples is flagged, as after an interruption of gaserad.
//!
//! How a restart is told from a stop is `absence`. Where it cannot be told, the run waits for somebody's word.

use std::time::Duration;

use super::turn::RunTurn;
use crate::domain::event::RunChange;
use crate::domain::{
    AfterRestart, AnalyzerAnswer, AnalyzerState, Fault, FaultKind, IfMeasuring, Outcome, Phase, Position, Severity,
    Verification, duration,
};
use crate::engine::admit::{self, Device};
use crate::engine::state::{Absence, Readying, Stage};

/// So often a run goes on after restarts with no visit completed between.
const MOST_RESTARTS: u32 = 3;

impl RunTurn<'_> {
    pub fn analyzer_restarted(&mut self, sign: &str) {
        let text = format!("the analyzer restarted: {sign}");
        if !self.resumes_after_restarts() || self.run.asked.starter.is_some() {
            self.alarm(Severity::Blocker, "analyzer_restarted", text.clone());
            return self
                .fail_restarted(&format!("{text}; look at its display and its errors, then start the run again"));
        }
        self.run.measurement.restarts += 1;
        let restarts = self.run.measurement.restarts;
        if restarts > MOST_RESTARTS {
            let text = format!(
                "{text}, {restarts} times with no visit completed between; look at its power supply and its errors"
            );
            self.alarm(Severity::Blocker, "analyzer_restarted", text.clone());
            return self.fail_restarted(&text);
        }
        let grace = duration::format(self.station.settings.limits.grace);
        let told = format!(
            "{text}; it is prepared and started anew as soon as it is idle, within {grace} ([analyzer] grace), and the \
             visit under way is measured again"
        );
        self.alarm(Severity::Warning, "analyzer_restarted", told);
        if self.is_through() {
            return self.drained();
        }
        self.break_off_the_visit();
        self.updated(RunChange::Paused, "gaserad".into(), text);
        self.get_ready(IfMeasuring::Refuse);
    }

    fn resumes_after_restarts(&self) -> bool {
        self.station.settings.after_restart == Some(AfterRestart::Resume)
    }

    fn fail_restarted(&mut self, text: &str) {
        self.fail(&Fault::new(FaultKind::Refused, text), Device::Analyzer);
    }

    /// Whether the plan is carried out, and no visit would have to be measured again for the results that are lost.
    fn is_through(&self) -> bool {
        self.run.stage == Stage::Draining && self.owed_visits().next().is_none()
    }

    /// A start that got lost, with nobody who waits for it: as if the analyzer had restarted, and it may have.
    pub fn starting_failed(&mut self, fault: &Fault) {
        let alone = self.run.asked.starter.is_none() && self.resumes_after_restarts();
        if alone && fault.kind == FaultKind::Offline {
            self.analyzer_restarted("it was lost while it was started");
        } else {
            self.fail(fault, Device::Analyzer);
        }
    }

    /// From now on it has as long as `grace`.
    pub fn get_ready(&mut self, if_measuring: IfMeasuring) {
        let (since, until) = (self.at.tick, self.at.tick + self.station.settings.limits.grace);
        self.run.measurement.readying = Some(Readying { since, until, if_measuring });
        self.enter_until(Stage::Recovering(None), since, until);
        self.show(Phase::Paused, self.run.target_channel());
        self.prepare_when_ready();
    }

    /// Nothing is ordered of an analyzer that would refuse a start.
    pub fn prepare_when_ready(&mut self) {
        let Some(Readying { if_measuring, .. }) = self.run.measurement.readying else { return };
        let analyzer = &self.station.analyzer;
        let comes = !matches!(analyzer.state, Some(AnalyzerState::Idle | AnalyzerState::Measuring));
        let refuses = comes || admit::errors(&analyzer.errors, self.run.asked.ignore_errors).is_err();
        if self.run.stage != Stage::Recovering(None) || !analyzer.online || refuses {
            return;
        }
        let limits = self.station.settings.limits;
        let limit = if if_measuring == IfMeasuring::Stop { limits.stop } else { limits.order };
        self.prepare_anew(if_measuring, limit);
    }

    /// The analyzer is back after an interruption: it is brought to rest and prepared, as for a new run. How one that
    /// restarted is shows at the next look.
    pub fn prepare_after_contact(&mut self) {
        if self.run.stage == Stage::Recovering(None) && !self.run.is_getting_ready() {
            self.prepare_anew(IfMeasuring::Stop, self.station.settings.limits.stop);
        }
    }

    fn prepare_anew(&mut self, if_measuring: IfMeasuring, limit: Duration) {
        let order = self.turn.order_prepare(&self.run.asked.plan, if_measuring);
        self.enter(Stage::Recovering(Some(order)), limit);
    }

    /// The analyzer answered the order to prepare.
    pub fn prepared_again(&mut self, answer: Result<AnalyzerAnswer, Fault>) {
        if let Some(readying) = self.run.measurement.readying {
            return self.readied(readying, answer);
        }
        match answer {
            Ok(AnalyzerAnswer::Prepared { task_id, baseline, held, gases, .. }) => {
                let measurement = &mut self.run.measurement;
                if measurement.task_id != task_id {
                    let text = format!(
                        "the analyzer's task {:?} was number {} when the run began, and is number {task_id} now: it may \
                         measure other gases",
                        self.run.asked.plan.task, measurement.task_id
                    );
                    return self.fail(&Fault::new(FaultKind::Refused, text), Device::Analyzer);
                }
                (measurement.baseline, measurement.held) = (baseline, held);
                self.run.results.lacks.expect(&gases);
                self.reckon_from_now();
                self.home();
            }
            Ok(_) => {}
            Err(fault) => self.fail(&fault, Device::Analyzer),
        }
    }

    /// The same for a run whose analyzer restarted.
    fn readied(&mut self, Readying { since, until, .. }: Readying, answer: Result<AnalyzerAnswer, Fault>) {
        let measures = self.station.analyzer.state == Some(AnalyzerState::Measuring);
        let waits = match &answer {
            Ok(AnalyzerAnswer::Prepared { errors, .. }) => admit::errors(errors, self.run.asked.ignore_errors).is_err(),
            Ok(_) => false,
            Err(fault) => fault.kind == FaultKind::Offline || (fault.kind == FaultKind::Busy && !measures),
        };
        match answer {
            // It is tried again when something about the analyzer has changed.
            _ if waits => self.enter_until(Stage::Recovering(None), since, until),
            Ok(AnalyzerAnswer::Prepared { task_id, baseline, .. }) => {
                (self.run.measurement.task_id, self.run.measurement.baseline) = (task_id, baseline);
                self.go_on_where_it_stands();
            }
            Ok(_) => {}
            // What somebody else has begun is not stopped.
            Err(fault) if fault.kind == FaultKind::Busy => self.end(Outcome::Failed, fault.text, None),
            Err(fault) => self.fail(&fault, Device::Analyzer),
        }
    }

    pub fn never_got_ready(&mut self) {
        let analyzer = &self.station.analyzer;
        let now = if !analyzer.online {
            format!("it is offline: {}", analyzer.reason)
        } else if analyzer.errors.worst().is_some_and(|worst| worst >= Severity::Blocker) {
            format!("it is {}, and reports {}", analyzer.words(), analyzer.errors.sentence())
        } else {
            format!("it is {}", analyzer.words())
        };
        let grace = duration::format(self.station.settings.limits.grace);
        self.fail_restarted(&format!(
            "the analyzer was to be started anew, and was not ready for that within {grace} ([analyzer] grace): {now}; \
             look at its display and its errors"
        ));
    }

    /// The analyzer is prepared: on from where the run is.
    fn go_on_where_it_stands(&mut self) {
        self.run.measurement.readying = None;
        self.station.analyzer.absence = Absence::default();
        self.updated(RunChange::Resumed, "gaserad".into(), "the analyzer is ready again".into());
        if self.stands_where_it_was() {
            self.go_on_from_here();
            self.arrive();
            self.settled();
        } else {
            self.reckon_from_now();
            self.home();
        }
    }

    /// Whether the valve says itself that it stands where it was left. What was only counted may be wrong after a failure
    /// of the mains.
    fn stands_where_it_was(&self) -> bool {
        let valve = &self.station.valve;
        let left = self.run.course.stands_at;
        let told = matches!(valve.position, Position::At(_, Verification::Readback));
        let at_rest = valve.ordered.is_none() && valve.fault.is_empty();
        told && at_rest && left.is_some() && left == valve.position.channel()
    }

    /// Whether it restarted or was stopped cannot be told: nothing is ordered of it, and nothing given up.
    pub fn ask_what_to_do(&mut self) {
        if self.run.asked.starter.is_some() {
            return self.fail_stopped();
        }
        if self.is_through() {
            return self.drained();
        }
        let text = format!(
            "the analyzer could not be asked for a while, and is {} now: whether it restarted or somebody stopped it \
             meanwhile cannot be told, so it is left alone; look at it, then let the run go on (gaseractl resume) or end \
             it (gaseractl abort)",
            self.station.analyzer.words()
        );
        self.alarm(Severity::Blocker, "analyzer_restart_doubtful", text.clone());
        self.break_off_the_visit();
        self.doubt(text);
    }

    /// The run waits for somebody who knows, also in the next process.
    pub fn doubt(&mut self, text: String) {
        self.run.measurement.in_doubt = Some(text.clone());
        // What else was in its way does not decide when it goes on.
        self.run.pausing.by_hand = true;
        self.pause("gaserad".into(), text);
    }

    /// Somebody wants it to go on.
    pub fn doubted_no_more(&mut self) -> bool {
        let doubted = self.run.measurement.in_doubt.take().is_some();
        if doubted {
            self.get_ready(IfMeasuring::Stop);
        }
        doubted
    }
}
