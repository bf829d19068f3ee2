//! A run that a crash or a power loss interrupted, or an orderly shutdown: how it goes on in the next process.
//!
//! What the state was is known from the journal; where the devices are is not. So the analyzer is stopped and prepared
//! anew, the valve goes home again, and the visit that was interrupted is purged and measured again. Samples that it had
//! are kept, and flagged.

use std::time::Duration;

use super::beginning::Beginning;
use super::control::PauseAsked;
use super::ending::STOP_OFFLINE;
use super::identity::Untouched;
use super::state::{Ending, Run, Stage, State, Stopped};
use super::{Turn, admit};
use crate::domain::event::RunChange;
use crate::domain::{
    AnalyzerAnswer, AnalyzerOrder, Fact, Fault, FaultKind, IfMeasuring, Outcome, Position, Severity, VisitId, duration,
};

impl Turn {
    pub(super) fn begin(&mut self, began: Beginning) {
        let resumes = began.resumes_after;
        if resumes.is_none() || self.state.run.is_none() {
            let queue = std::mem::take(&mut self.state.queue);
            let owes_stop = began.owes_stop;
            self.state = State::new(began);
            if owes_stop {
                self.state.owed_stop = Some(self.order_analyzer(AnalyzerOrder::Stop));
            }
            if resumes.is_some() && self.state.queue.is_empty() {
                self.state.queue = queue;
            }
            return;
        }
        (self.state.limits, self.state.shutting_down) = (began.limits, false);
        self.state.exchanges.bound(began.limits.lags);
        (self.state.resumable, self.state.after_restart) = (began.resumable, began.after_restart);
        (self.state.reactions, self.state.guard) = (began.reactions, began.guard);
        self.state.valve_simulated = began.valve_simulated;
        self.state.identities = super::identity::Identities::new(began.known);
        self.forget_devices();
        match began.ends {
            None => self.take_up_again(resumes.unwrap_or_default()),
            Some(reason) => {
                self.state.queue = began.waiting.into();
                self.end_what_was_interrupted(reason, began.untouched);
            }
        }
    }

    /// Whoever waited for an answer is gone, and the devices have to say anew how they are.
    fn forget_devices(&mut self) {
        let at = self.at.tick;
        self.state.exchanges.lose_sight();
        self.state.errands = super::state::Errands::default();
        self.state.host_clock = super::time::HostClock::default();
        self.state.analyzer = super::state::Analyzer { offline_since: Some(at), ..Default::default() };
        self.state.valve.ordered = None;
        self.state.valve.lost_since = None;
        self.valve_is(Position::Unknown);
        if let Some(run) = &mut self.state.run {
            run.starter = None;
            run.aborters.clear();
        }
    }

    fn take_up_again(&mut self, outage: Duration) {
        let Some(run) = &mut self.state.run else { return };
        run.readying = None;
        let doubt = run.in_doubt.clone();
        match run.stage.clone() {
            Stage::Stopping(_, outcome, reason) => self.stop_again(outcome, reason),
            Stage::Parking(_, ending) => self.end_again(ending),
            _ if doubt.is_some() => self.doubt(doubt.unwrap_or_default()),
            Stage::Draining if self.owed_visits().next().is_some() => self.recover(outage),
            Stage::Draining | Stage::Closing(..) => self.close_again(),
            Stage::Preparing(_) => {
                self.stop(Outcome::Failed, "gaserad was restarted while the run was prepared".into());
            }
            _ => self.recover(outage),
        }
    }

    /// The analyzer may not have been reached yet by this process.
    fn stop_again(&mut self, outcome: Outcome, reason: String) {
        self.stop_within(self.state.limits.order, outcome, reason);
    }

    fn end_again(&mut self, ending: Ending) {
        if self.state.owed_stop.is_some() {
            return self.stop_again(ending.outcome, ending.reason);
        }
        self.end(ending.outcome, ending.reason, ending.doubt);
    }

    /// It ends as any run does: analyzer and valve are brought to rest.
    fn end_what_was_interrupted(&mut self, reason: String, untouched: Untouched) {
        let Some(run) = &mut self.state.run else { return };
        run.leaves_valve = untouched.valve;
        let stage = run.stage.clone();
        if untouched != Untouched::default() {
            self.alarm(Severity::Blocker, "settings_changed", reason.clone());
        }
        if untouched.analyzer {
            return self.end_without_the_analyzer(stage, reason);
        }
        match stage {
            Stage::Stopping(_, outcome, reason) => self.stop_again(outcome, reason),
            Stage::Parking(_, ending) => self.end_again(ending),
            _ => self.stop_again(Outcome::Failed, reason),
        }
    }

    /// Where it measured for the run, nobody looks any more; whoever is there now measures for somebody else, if at all.
    fn end_without_the_analyzer(&mut self, stage: Stage, reason: String) {
        const DOUBT: &str = "it is no longer the one that the settings name, and is not stopped; look at its display";
        let (outcome, reason) = match stage {
            Stage::Stopping(_, outcome, reason) => (outcome, reason),
            Stage::Parking(_, ending) => (ending.outcome, ending.reason),
            _ => (Outcome::Failed, reason),
        };
        self.state.owed_stop = None;
        self.end(outcome, reason, Some(DOUBT.into()));
    }

    /// The plan is carried out; the last result can no longer be told from others.
    fn close_again(&mut self) {
        self.left();
        let order = self.order_analyzer(AnalyzerOrder::Stop);
        self.state.owed_stop = Some(order);
        self.enter(Stage::Closing(order, Stopped::NotYet), self.state.limits.grace);
    }

    fn recover(&mut self, outage: Duration) {
        self.break_off_the_visit();
        let text = format!("after an interruption of {}", duration::format(outage));
        self.alarm(Severity::Warning, "run_interrupted", format!("the run goes on {text}"));
        self.updated(RunChange::Resumed, "gaserad".into(), text);
        self.enter(Stage::Recovering(None), self.state.limits.grace);
    }

    /// Whatever the analyzer did for the visit is lost, and it has to be started again.
    pub(super) fn break_off_the_visit(&mut self) {
        self.remember_pause();
        let Some(run) = &mut self.state.run else { return };
        run.ordered_start = false;
        if let Some(visit) = run.visit.as_ref().map(|visit| visit.id) {
            self.begin_visit_anew(visit);
        }
        self.go_back();
    }

    /// What it had of samples no longer counts.
    pub(super) fn begin_visit_anew(&mut self, id: VisitId) {
        let Some(run) = &mut self.state.run else { return };
        if let Some(samples) = run.samples.get_mut(&id) {
            samples.clean = 0;
        }
        let fact = Fact::VisitInterrupted { run: run.id.clone(), visit: id };
        self.keep(fact);
    }

    /// A run that was paused is paused again once it is back where it was.
    fn remember_pause(&mut self) {
        if let Some(run) = &mut self.state.run {
            run.between_visits |= matches!(run.stage, Stage::Guarding(_) | Stage::GuardedOff);
        }
        if let Some(run) = self.state.run.as_mut().filter(|run| matches!(run.stage, Stage::Paused(_))) {
            run.pause_asked
                .get_or_insert(PauseAsked { who: "gaserad".into(), reason: "paused before the interruption".into() });
        }
    }

    /// The analyzer is back: it is brought to rest and prepared, as for a new run.
    pub(super) fn prepare_again(&mut self) {
        let Some(run) = self.state.run.as_ref().filter(|run| run.stage == Stage::Recovering(None)) else { return };
        let (task, save_on_device) = (run.plan.task.clone(), run.plan.save_on_device);
        let order = AnalyzerOrder::Prepare { task, save_on_device, if_measuring: IfMeasuring::Stop };
        let order = self.order_analyzer(order);
        self.enter(Stage::Recovering(Some(order)), self.state.limits.stop);
    }

    pub(super) fn prepared_again(&mut self, answer: Result<AnalyzerAnswer, Fault>) {
        if self.readied(&answer) {
            return;
        }
        match answer {
            Ok(AnalyzerAnswer::Prepared { task_id, baseline, held, gases, .. }) => {
                let Some(run) = &mut self.state.run else { return };
                if run.task_id != task_id {
                    let text = format!(
                        "the analyzer's task {:?} was number {} when the run began, and is number {task_id} now: it may \
                         measure other gases",
                        run.plan.task, run.task_id
                    );
                    return self.fail(&Fault::new(FaultKind::Refused, text), admit::Device::Analyzer);
                }
                run.lacks.expect(&gases);
                (run.baseline, run.held) = (baseline, held);
                self.reckon_from_now();
                self.home();
            }
            Ok(_) => {}
            Err(fault) => self.fail(&fault, admit::Device::Analyzer),
        }
    }

    /// The process ends while the run does not: the analyzer is brought to rest, and the rest is up to the next process.
    pub(super) fn interrupt(&mut self) {
        self.remember_pause();
        let patience = if self.state.analyzer.online { self.state.limits.stop } else { STOP_OFFLINE };
        let order = self.order_analyzer(AnalyzerOrder::Stop);
        self.enter(Stage::Interrupting(order), patience);
    }

    pub(super) fn interrupted(&mut self) {
        let at = self.at.tick;
        self.enter_until(Stage::Interrupted, at, at);
    }
}

impl Run {
    /// Whether the next process can take it up.
    pub(super) fn can_be_taken_up(&self) -> bool {
        let begun = self.started.is_some() && self.starter.is_none();
        begun && self.aborters.is_empty() && (self.is_measured() || self.is_getting_ready())
    }
}
