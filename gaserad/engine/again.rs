//! An analyzer that restarted within a run is prepared and started anew, and the interrupted visit begins again.
//!
//! Nothing that it was told before a restart still holds: where results are stored, which task it is to measure. So it is
//! prepared as for a new run, as soon as it is idle and reports no errors that would refuse a start, within `grace`. The
//! valve need not go home for that if it says itself that it still stands where the run left it. The line is purged again,
//! since nothing flowed meanwhile; what the visit had of samples is flagged, as after an interruption of gaserad.
//!
//! How a restart is told from a stop is `absence`. Where it cannot be told, the run waits for somebody's word.

use super::Turn;
use super::admit::{self, Device};
use super::state::{Run, Stage};
use crate::domain::event::RunChange;
use crate::domain::{
    AfterRestart, AnalyzerAnswer, AnalyzerOrder, AnalyzerState, Fault, FaultKind, IfMeasuring, Outcome, Phase,
    Position, Severity, Tick, Verification, duration,
};

/// So often a run goes on after restarts with no visit completed between.
const MOST_RESTARTS: u32 = 3;

/// The analyzer is waited for, to be prepared again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Readying {
    since: Tick,
    until: Tick,
    /// A measurement that somebody else has begun meanwhile is stopped.
    if_measuring: IfMeasuring,
}

impl Turn {
    pub(super) fn analyzer_restarted(&mut self, sign: &str) {
        let Some(run) = &mut self.state.run else { return };
        let text = format!("the analyzer restarted: {sign}");
        if self.state.after_restart != Some(AfterRestart::Resume) || run.starter.is_some() {
            self.alarm(Severity::Blocker, "analyzer_restarted", text.clone());
            return self
                .fail_restarted(&format!("{text}; look at its display and its errors, then start the run again"));
        }
        run.restarts += 1;
        if run.restarts > MOST_RESTARTS {
            let text = format!(
                "{text}, {} times with no visit completed between; look at its power supply and its errors",
                run.restarts
            );
            self.alarm(Severity::Blocker, "analyzer_restarted", text.clone());
            return self.fail_restarted(&text);
        }
        let grace = duration::format(self.state.limits.grace);
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

    fn fail_restarted(&mut self, text: &str) {
        self.fail(&Fault::new(FaultKind::Refused, text), Device::Analyzer);
    }

    /// Whether the plan is carried out, and no visit would have to be measured again for the results that are lost.
    fn is_through(&self) -> bool {
        let draining = self.state.run.as_ref().is_some_and(|run| run.stage == Stage::Draining);
        draining && self.owed_visits().next().is_none()
    }

    /// A start that got lost, with nobody who waits for it: as if the analyzer had restarted, and it may have.
    pub(super) fn start_again(&mut self, fault: &Fault) -> bool {
        let Some(run) = &self.state.run else { return false };
        let alone = run.starter.is_none() && self.state.after_restart == Some(AfterRestart::Resume);
        if !alone || fault.kind != FaultKind::Offline {
            return false;
        }
        self.analyzer_restarted("it was lost while it was started");
        true
    }

    /// From now on it has as long as `grace`.
    fn get_ready(&mut self, if_measuring: IfMeasuring) {
        let (since, until) = (self.at.tick, self.at.tick + self.state.limits.grace);
        let Some(run) = &mut self.state.run else { return };
        run.readying = Some(Readying { since, until, if_measuring });
        let channel = run.target().map(|stop| stop.channel);
        self.enter_until(Stage::Recovering(None), since, until);
        self.show(Phase::Paused, channel);
        self.prepare_when_ready();
    }

    /// Nothing is ordered of an analyzer that would refuse a start.
    pub(super) fn prepare_when_ready(&mut self) {
        let Some(run) = self.state.run.as_ref().filter(|run| run.stage == Stage::Recovering(None)) else { return };
        let Some(Readying { if_measuring, .. }) = run.readying else { return };
        let analyzer = &self.state.analyzer;
        let comes = !matches!(analyzer.state, Some(AnalyzerState::Idle | AnalyzerState::Measuring));
        if !analyzer.online || comes || admit::errors(&analyzer.errors, run.ignore_errors).is_err() {
            return;
        }
        let (task, save_on_device) = (run.plan.task.clone(), run.plan.save_on_device);
        let order = self.order_analyzer(AnalyzerOrder::Prepare { task, save_on_device, if_measuring });
        let limits = self.state.limits;
        let limit = if if_measuring == IfMeasuring::Stop { limits.stop } else { limits.order };
        self.enter(Stage::Recovering(Some(order)), limit);
    }

    /// The analyzer answered the order to prepare. Whether that was for a run whose analyzer restarted.
    pub(super) fn readied(&mut self, answer: &Result<AnalyzerAnswer, Fault>) -> bool {
        let Some(run) = &mut self.state.run else { return false };
        let Some(Readying { since, until, .. }) = run.readying else { return false };
        let waits = match answer {
            Ok(AnalyzerAnswer::Prepared { errors, .. }) => admit::errors(errors, run.ignore_errors).is_err(),
            Ok(_) => false,
            Err(fault) if fault.kind == FaultKind::Busy => self.state.analyzer.state != Some(AnalyzerState::Measuring),
            Err(fault) => fault.kind == FaultKind::Offline,
        };
        match answer {
            // It is tried again when something about the analyzer has changed.
            _ if waits => self.enter_until(Stage::Recovering(None), since, until),
            Ok(AnalyzerAnswer::Prepared { task_id, baseline, .. }) => {
                (run.task_id, run.baseline) = (*task_id, *baseline);
                self.go_on_where_it_stands();
            }
            Ok(_) => {}
            // What somebody else has begun is not stopped.
            Err(fault) if fault.kind == FaultKind::Busy => self.end(Outcome::Failed, fault.text.clone(), None),
            Err(fault) => self.fail(fault, Device::Analyzer),
        }
        true
    }

    pub(super) fn never_got_ready(&mut self) {
        let analyzer = &self.state.analyzer;
        let now = if !analyzer.online {
            format!("it is offline: {}", analyzer.reason)
        } else if analyzer.errors.worst().is_some_and(|worst| worst >= Severity::Blocker) {
            format!("it is {}, and reports {}", self.analyzer_words(), analyzer.errors.sentence())
        } else {
            format!("it is {}", self.analyzer_words())
        };
        let grace = duration::format(self.state.limits.grace);
        self.fail_restarted(&format!(
            "the analyzer was to be started anew, and was not ready for that within {grace} ([analyzer] grace): {now}; \
             look at its display and its errors"
        ));
    }

    /// The analyzer is prepared: on from where the run is.
    fn go_on_where_it_stands(&mut self) {
        let at = self.at.tick;
        let Some(run) = &mut self.state.run else { return };
        run.readying = None;
        self.state.analyzer.absence = super::absence::Absence::default();
        self.updated(RunChange::Resumed, "gaserad".into(), "the analyzer is ready again".into());
        self.reckon_from_now();
        if !self.stands_where_it_was() {
            return self.home();
        }
        self.enter_until(Stage::Settling, at, at);
        self.arrive();
        self.settled();
    }

    /// Whether the valve says itself that it stands where it was left. What was only counted may be wrong after a failure
    /// of the mains.
    fn stands_where_it_was(&self) -> bool {
        let valve = &self.state.valve;
        let left = self.state.run.as_ref().and_then(|run| run.stands_at);
        let told = matches!(valve.position, Position::At(_, Verification::Readback));
        let at_rest = valve.ordered.is_none() && valve.fault.is_empty();
        told && at_rest && left.is_some() && left == valve.position.channel()
    }

    /// Whether it restarted or was stopped cannot be told: nothing is ordered of it, and nothing given up.
    pub(super) fn ask_what_to_do(&mut self) {
        if self.state.run.as_ref().is_some_and(|run| run.starter.is_some()) {
            return self.fail_stopped();
        }
        if self.is_through() {
            return self.drained();
        }
        let text = format!(
            "the analyzer could not be asked for a while, and is {} now: whether it restarted or somebody stopped it \
             meanwhile cannot be told, so it is left alone; look at it, then let the run go on (gaseractl resume) or end \
             it (gaseractl abort)",
            self.analyzer_words()
        );
        self.alarm(Severity::Blocker, "analyzer_restart_doubtful", text.clone());
        self.break_off_the_visit();
        self.doubt(text);
    }

    /// The run waits for somebody who knows, also in the next process.
    pub(super) fn doubt(&mut self, text: String) {
        let at = self.at.tick;
        let Some(run) = &mut self.state.run else { return };
        run.in_doubt = Some(text.clone());
        // What else was in its way does not decide when it goes on.
        run.paused_by_hand = true;
        let channel = run.target().map(|stop| stop.channel);
        self.enter_until(Stage::Paused(text.clone()), at, at);
        self.updated(RunChange::Paused, "gaserad".into(), text);
        self.show(Phase::Paused, channel);
    }

    /// Somebody wants it to go on.
    pub(super) fn doubted_no_more(&mut self) -> bool {
        let doubted = self.state.run.as_mut().is_some_and(|run| run.in_doubt.take().is_some());
        if doubted {
            self.get_ready(IfMeasuring::Stop);
        }
        doubted
    }
}

impl Run {
    /// Whether the analyzer is waited for because it restarted.
    pub(super) fn is_getting_ready(&self) -> bool {
        self.readying.is_some() && matches!(self.stage, Stage::Recovering(_))
    }
}
