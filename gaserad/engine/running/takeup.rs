//! A run that a crash or a power loss interrupted, or an orderly shutdown: how it goes on in the next process.
//!
//! What the state was is known from the journal; where the devices are is not. So the analyzer is stopped and prepared
//! anew, the valve goes home again, and the visit that was interrupted is purged and measured again. Samples that it had
//! are kept, and flagged.

use std::time::Duration;

use super::turn::RunTurn;
use crate::domain::event::RunChange;
use crate::domain::{AnalyzerOrder, Outcome, Position, Severity, duration};
use crate::engine::beginning::{Beginning, Untouched};
use crate::engine::state::{AnalyzerSeen, EngineSettings, Errands, HostClock, Identities, Part, RunOutcome, Stage};

impl RunTurn<'_> {
    /// Another process begins, with the run of the one before.
    pub fn take_up(&mut self, began: Beginning, outage: Duration) {
        let at = self.at.tick;
        let station = &mut self.turn.station;
        station.settings = EngineSettings::of(&began);
        station.shutting_down = false;
        station.exchanges.bound(began.limits.lags);
        station.identities = Identities::new(began.known);
        // Whoever waited for an answer is gone, and the devices have to say anew how they are.
        station.exchanges.lose_sight();
        station.errands = Errands::default();
        station.host_clock = HostClock::default();
        station.analyzer = AnalyzerSeen { offline_since: Some(at), ..AnalyzerSeen::default() };
        (station.valve.ordered, station.valve.lost_since) = (None, None);
        self.valve_is(Position::Unknown);
        self.run.asked.starter = None;
        self.run.ending.aborters.clear();
        match began.ends {
            None => self.take_up_again(outage),
            Some(reason) => {
                self.station.queue = began.waiting.into();
                self.end_what_was_interrupted(reason, began.untouched);
            }
        }
    }

    /// Another process begins, and knows nothing of the run.
    pub fn forget_run(&mut self, began: Beginning) {
        self.run_is_over();
        self.begin(began);
    }

    fn take_up_again(&mut self, outage: Duration) {
        self.run.measurement.readying = None;
        if let Some(ending) = self.run.stage.ending().cloned() {
            return self.end_as_before(ending);
        }
        if let Some(doubt) = self.run.measurement.in_doubt.clone() {
            return self.doubt(doubt);
        }
        match self.run.stage.part() {
            Part::Draining if self.owed_visits().next().is_some() => self.recover(outage),
            Part::Draining | Part::Ending => self.close_again(),
            Part::Preparing if !self.run.is_recorded() => {
                self.stop(Outcome::Failed, "gaserad was restarted while the run was prepared".into());
            }
            Part::Preparing
            | Part::Starting
            | Part::Between
            | Part::GuardedOff
            | Part::Visiting
            | Part::Paused
            | Part::Interrupted => self.recover(outage),
        }
    }

    /// It was being brought to its end. The analyzer may not have been reached yet by this process.
    fn end_as_before(&mut self, ending: RunOutcome) {
        if self.station.owed_stop.is_some() || !matches!(self.run.stage, Stage::Parking(..)) {
            self.stop_within(self.station.settings.limits.order, ending.outcome, ending.reason);
        } else {
            self.end(ending.outcome, ending.reason, ending.doubt);
        }
    }

    /// It ends as any run does: analyzer and valve are brought to rest.
    fn end_what_was_interrupted(&mut self, reason: String, untouched: Untouched) {
        self.run.ending.leaves_valve = untouched.valve;
        if untouched != Untouched::default() {
            self.alarm(Severity::Blocker, "settings_changed", reason.clone());
        }
        let failed = RunOutcome { outcome: Outcome::Failed, reason, doubt: None };
        let ending = self.run.stage.ending().cloned().unwrap_or(failed);
        if untouched.analyzer { self.end_without_the_analyzer(ending) } else { self.end_as_before(ending) }
    }

    /// Where it measured for the run, nobody looks any more; whoever is there now measures for somebody else, if at all.
    fn end_without_the_analyzer(&mut self, ending: RunOutcome) {
        const DOUBT: &str = "it is no longer the one that the settings name, and is not stopped; look at its display";
        self.station.owed_stop = None;
        self.end(ending.outcome, ending.reason, Some(DOUBT.into()));
    }

    /// The plan is carried out; the last result can no longer be told from others.
    fn close_again(&mut self) {
        self.end_visit();
        self.close_within(self.station.settings.limits.grace);
    }

    fn recover(&mut self, outage: Duration) {
        self.break_off_the_visit();
        let text = format!("after an interruption of {}", duration::format(outage));
        self.alarm(Severity::Warning, "run_interrupted", format!("the run goes on {text}"));
        self.updated(RunChange::Resumed, "gaserad".into(), text);
        self.enter(Stage::Recovering(None), self.station.settings.limits.grace);
    }

    /// The process is to end.
    pub fn shut_down(&mut self) {
        self.station.shutting_down = true;
        if self.station.settings.resumable && self.run.can_be_taken_up() {
            self.interrupt();
        } else {
            self.stop(Outcome::Aborted, "gaserad was shut down".into());
        }
    }

    /// The process ends while the run does not: the analyzer is brought to rest, and the rest is up to the next process.
    fn interrupt(&mut self) {
        self.remember_pause();
        let order = self.order_analyzer(AnalyzerOrder::Stop);
        self.enter(Stage::Interrupting(order), self.patience_to_stop());
    }

    pub fn interrupted(&mut self) {
        let at = self.at.tick;
        self.enter_until(Stage::Interrupted, at, at);
    }
}
