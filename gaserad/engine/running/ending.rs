//! How a run ends: by an abort, because it cannot go on, or once its plan is carried out (`closing`). There is one way out.

use std::time::Duration;

use super::turn::RunTurn;
use crate::domain::event::PhaseChange;
use crate::domain::{
    Channel, Denied, Done, Event, Fact, Fault, FaultKind, Outcome, Phase, Reason, Severity, ValveOrder, duration,
};
use crate::engine::admit::{self, Device};
use crate::engine::state::{RunOutcome, Stage};

/// How long a run that is over stays open for an analyzer that is away.
const STOP_OFFLINE: Duration = Duration::from_secs(10);

impl RunTurn<'_> {
    /// The run is not to go on. A run that is already stopping goes on doing so.
    pub fn stop(&mut self, outcome: Outcome, reason: String) {
        if self.run.stage.ending().is_none() {
            self.stop_within(self.patience_to_stop(), outcome, reason);
        }
    }

    /// One that is away is stopped when it is back; the run does not wait for that.
    pub fn patience_to_stop(&self) -> Duration {
        if self.station.analyzer.online { self.station.settings.limits.stop } else { STOP_OFFLINE }
    }

    /// Also if it was stopping already: an order of a process that has ended may never have reached the analyzer.
    pub fn stop_within(&mut self, patience: Duration, outcome: Outcome, reason: String) {
        self.answer_starter(Err(Denied::new(Reason::RunAborted, format!("the run was not started: {reason}"))));
        let order = self.order_stop();
        self.enter(Stage::Stopping(order, RunOutcome { outcome, reason, doubt: None }), patience);
    }

    /// The start is refused before anything was started.
    pub fn refuse(&mut self, denied: &Denied) {
        self.turn.start_failed(&self.run, denied);
        self.answer_starter(Err(denied.clone()));
        for request in std::mem::take(&mut self.run.ending.aborters) {
            self.reply(request, Err(denied.clone()));
        }
        self.run_is_over();
    }

    /// The run cannot go on. Whoever waits for its start hears why.
    pub fn fail(&mut self, fault: &Fault, device: Device) {
        self.fail_as(admit::denied(fault, device), fault.text.clone());
    }

    /// Another device is there than the run began with.
    pub fn fail_for_stranger(&mut self, text: String) {
        self.fail_as(Denied::new(Reason::DeviceStranger, text.clone()), text);
    }

    fn fail_as(&mut self, denied: Denied, reason: String) {
        if matches!(self.run.stage, Stage::Preparing(_)) {
            return self.refuse(&denied);
        }
        self.answer_starter(Err(denied));
        self.stop(Outcome::Failed, reason);
    }

    pub fn fail_offline(&mut self) {
        let why = if self.station.analyzer.reason.is_empty() { "no answer" } else { &self.station.analyzer.reason };
        let grace = duration::format(self.station.settings.limits.grace);
        let text = format!("the analyzer was offline for {grace}, longer than [analyzer] grace allows: {why}");
        self.fail(&Fault::new(FaultKind::Offline, text), Device::Analyzer);
    }

    pub fn fail_stopped(&mut self) {
        let text = format!(
            "the analyzer stopped measuring, and not because gaserad told it to: it is {}; somebody at its display or \
             another program may have, or it restarted: look at its display and its errors",
            self.station.analyzer.words()
        );
        self.fail(&Fault::new(FaultKind::Refused, text), Device::Analyzer);
    }

    /// The analyzer is at rest, or there is nothing more to be done about it; now the valve is sent to where it rests.
    pub fn end(&mut self, outcome: Outcome, reason: String, doubt: Option<String>) {
        self.end_last_visit();
        let ending = RunOutcome { outcome, reason, doubt };
        let Some(park) = self.parks_at() else { return self.end_for_good(ending) };
        if !self.station.valve.fault.is_empty() {
            // It has just said why it does not move.
            let text = format!("the valve was not sent to its rest position: {}", self.station.valve.fault);
            self.alarm(Severity::Warning, "valve_not_parked", text);
            return self.end_for_good(ending);
        }
        let order = self.order_valve(if park == Channel::HOME { ValveOrder::Home } else { ValveOrder::Goto(park) });
        self.enter(Stage::Parking(order, ending), self.station.settings.limits.valve);
    }

    /// A visit that was broken off does not count as done.
    fn end_last_visit(&mut self) {
        let done = self.run.visits.done;
        self.end_visit();
        self.run.visits.done = done;
    }

    /// A valve that was not touched stays where it is.
    fn parks_at(&self) -> Option<Channel> {
        let stays = !self.run.is_recorded() || self.run.ending.leaves_valve;
        let park = self.run.asked.plan.park.filter(|_| !stays)?;
        (Some(park) != self.station.valve.position.channel()).then_some(park)
    }

    pub fn not_parked(&mut self, mut ending: RunOutcome, why: &str) {
        let text = format!("the valve was not sent to its rest position: {why}");
        self.alarm(Severity::Warning, "valve_not_parked", text.clone());
        ending.reason = if ending.reason.is_empty() { text } else { format!("{}; {text}", ending.reason) };
        self.end_for_good(ending);
    }

    /// The one way out of a run.
    pub fn end_for_good(&mut self, ending: RunOutcome) {
        let RunOutcome { outcome, mut reason, doubt } = ending;
        if let Some(doubt) = &doubt {
            let separator = if reason.is_empty() { "" } else { "; " };
            reason = format!("{reason}{separator}the analyzer may still be measuring: {doubt}");
            self.alarm(Severity::Critical, "analyzer_not_idle", doubt.clone());
        }
        let reason = self.with_what_was_unreadable(reason);
        let run = self.run.id.clone();
        let answer = match doubt {
            Some(doubt) => Err(Denied::new(
                Reason::AnalyzerOffline,
                format!("the run is over, but the analyzer did not confirm that it is idle: {doubt}"),
            )),
            None => Ok(Done::Run(run.clone())),
        };
        self.rest(outcome, &reason);
        if self.station.owed_stop.is_some() {
            self.keep(Fact::StopOwed { run });
        }
        for request in std::mem::take(&mut self.run.ending.aborters) {
            self.reply(request, answer.clone());
        }
        self.run_is_over();
    }

    /// What is shown and kept of a run that is over.
    fn rest(&mut self, outcome: Outcome, reason: &str) {
        let (at, run) = (self.at, &self.run);
        let phase = match outcome {
            Outcome::Completed | Outcome::Partial => Phase::Idle,
            Outcome::Aborted => Phase::Aborted,
            Outcome::Failed => Phase::Failed,
        };
        let mut progress = run.progress(at.tick, Duration::ZERO);
        (progress.phase, progress.tt_seconds) = (phase, None);
        self.turn.station.rest.progress = progress.clone();
        let Some(mut summary) = run.summary() else { return self.turn.never_begun(&self.run, outcome, reason) };
        (summary.ended, summary.outcome, summary.reason) = (Some(at.utc), Some(outcome), reason.into());
        self.turn.keep(Fact::RunEnded { run: run.id.clone(), ended: at.utc, outcome, reason: reason.into() });
        self.turn.tell(Event::Phase(PhaseChange {
            run_id: run.id.clone(),
            phase,
            previous: run.shown.phase,
            channel: None,
            visit_id: None,
            repeat: run.course.repeat.min(run.asked.plan.repeats - 1) + 1,
            until: None,
            reason: reason.into(),
            progress,
        }));
        self.turn.tell(Event::RunFinished { run: summary.clone() });
        self.turn.station.rest.live_data.clone_from(&run.results.live_data);
        self.turn.station.rest.last_run = Some(summary);
    }
}
