//! How a run ends: by itself, by an abort, or because it cannot go on.

use std::time::Duration;

use super::admit::{self, Device};
use super::event::RequestId;
use super::state::{Ending, Place, Run, Stage, Stopped};
use super::{Effect, Turn};
use crate::domain::{
    AnalyzerOrder, Channel, CommandId, Denied, Done, Event, Fact, Fault, Outcome, Phase, Plan, Reason, Severity,
    ValveOrder, duration,
};

/// How long a run that is over stays open for an analyzer that is away.
pub(super) const STOP_OFFLINE: Duration = Duration::from_secs(10);

impl Turn {
    pub(super) fn abort(&mut self, request: RequestId, who: &str) {
        if self.unqueue(request, who) {
            return;
        }
        if let Err(denied) = admit::abort(&self.state) {
            self.effects.push(Effect::Reply { request, answer: Err(denied) });
            return;
        }
        let Some(run) = &mut self.state.run else { return };
        run.aborters.push(request);
        self.stop(Outcome::Aborted, format!("by {who}"));
    }

    pub(super) fn shut_down(&mut self) {
        self.state.shutting_down = true;
        if self.state.resumable && self.state.run.as_ref().is_some_and(Run::can_be_taken_up) {
            return self.interrupt();
        }
        self.stop(Outcome::Aborted, "gaserad was shut down".into());
    }

    /// The run is not to go on. A run that is already stopping goes on doing so.
    pub(super) fn stop(&mut self, outcome: Outcome, reason: String) {
        let is_stopping = |run: &Run| matches!(run.stage, Stage::Stopping(..) | Stage::Parking(..));
        if !self.state.run.as_ref().is_some_and(is_stopping) {
            self.stop_anew(outcome, reason);
        }
    }

    fn stop_anew(&mut self, outcome: Outcome, reason: String) {
        // One that is away is stopped when it is back; the run does not wait for that.
        let patience = if self.state.analyzer.online { self.state.limits.stop } else { STOP_OFFLINE };
        self.stop_within(patience, outcome, reason);
    }

    /// Also if it was stopping already: an order of a process that has ended may never have reached the analyzer.
    pub(super) fn stop_within(&mut self, patience: Duration, outcome: Outcome, reason: String) {
        let Some(run) = &mut self.state.run else { return };
        if let Some(request) = run.starter.take() {
            let denied = Denied::new(Reason::RunAborted, format!("the run was not started: {reason}"));
            self.effects.push(Effect::Reply { request, answer: Err(denied) });
        }
        let order = self.order_analyzer(AnalyzerOrder::Stop);
        self.state.owed_stop = Some(order);
        self.enter(Stage::Stopping(order, outcome, reason), patience);
    }

    /// The analyzer is not to be left measuring for a run that is over, whatever it was that kept it from obeying.
    pub(super) fn stop_if_owed(&mut self) {
        if self.give_held_stop() {
            return;
        }
        if self.state.run.is_none() && self.state.owed_stop.is_some() {
            let order = self.order_analyzer(AnalyzerOrder::Stop);
            self.state.owed_stop = Some(order);
        }
    }

    /// The analyzer measures for nobody who is gone.
    pub(super) fn stop_is_not_owed(&mut self) {
        let was_owed = self.state.owed_stop.take().is_some();
        if was_owed && self.state.run.as_ref().is_none_or(|run| run.started.is_none()) {
            self.keep(Fact::StopObeyed);
        }
    }

    /// The start is refused before anything was started.
    pub(super) fn refuse(&mut self, denied: &Denied) {
        let Some(run) = self.state.run.take() else { return };
        if run.waited.is_some() {
            self.start_failed(&run, denied);
        }
        for request in run.starter.into_iter().chain(run.aborters) {
            self.effects.push(Effect::Reply { request, answer: Err(denied.clone()) });
        }
    }

    /// The run cannot go on. Whoever waits for its start hears why.
    pub(super) fn fail(&mut self, fault: &Fault, device: Device) {
        let denied = admit::denied(fault, device);
        let Some(run) = &mut self.state.run else { return };
        if matches!(run.stage, Stage::Preparing(_)) {
            return self.refuse(&denied);
        }
        if let Some(request) = run.starter.take() {
            self.effects.push(Effect::Reply { request, answer: Err(denied) });
        }
        self.stop(Outcome::Failed, fault.text.clone());
    }

    pub(super) fn fail_offline(&mut self) {
        let why = if self.state.analyzer.reason.is_empty() { "no answer" } else { &self.state.analyzer.reason };
        let grace = duration::format(self.state.limits.grace);
        let text = format!("the analyzer was offline for {grace}, longer than [analyzer] grace allows: {why}");
        self.fail(&Fault::new(crate::domain::FaultKind::Offline, text), Device::Analyzer);
    }

    /// The analyzer answered the order to stop.
    pub(super) fn stopped(&mut self, stage: Stage, answer: Result<(), Fault>) {
        match stage {
            Stage::Closing(order, _) => {
                let stopped = answer.map_or_else(|fault| Stopped::Doubtful(fault.text), |()| Stopped::Yes);
                self.closing(order, stopped);
            }
            Stage::Stopping(_, outcome, reason) => {
                self.end(outcome, reason, answer.err().map(|fault| fault.text));
            }
            _ => {}
        }
    }

    fn closing(&mut self, order: CommandId, stopped: Stopped) {
        let over = self.state.run.as_ref().is_some_and(|run| self.at.tick >= run.since + Plan::CLOSING);
        if over {
            return self.finish(stopped);
        }
        if let Some(run) = &mut self.state.run {
            run.stage = Stage::Closing(order, stopped);
        }
    }

    /// An answer did not come in time.
    pub(super) fn out_of_time(&mut self, stage: Stage) {
        let limits = self.state.limits;
        let silent = |what: &str, limit| {
            let text = format!("{what} did not answer within {}; see the daemon's log", duration::format(limit));
            Fault::new(crate::domain::FaultKind::Offline, text)
        };
        match stage {
            Stage::Preparing(_) | Stage::Starting(..) => {
                self.fail(&silent("the analyzer", limits.order), Device::Analyzer);
            }
            Stage::Recovering(None) if self.state.run.as_ref().is_some_and(Run::is_getting_ready) => {
                self.never_got_ready();
            }
            Stage::Recovering(None) => self.fail_offline(),
            Stage::Recovering(Some(_)) => self.fail(&silent("the analyzer", limits.stop), Device::Analyzer),
            Stage::Interrupting(_) => self.interrupted(),
            Stage::Homing(_) | Stage::Moving(_) => self.fail(&silent("the multiplexer", limits.valve), Device::Valve),
            Stage::Closing(order, Stopped::NotYet) => self.closing_overdue(order),
            Stage::Closing(_, stopped) => self.finish(stopped),
            Stage::Stopping(_, outcome, reason) => {
                let patience = self.state.run.as_ref().map_or(limits.stop, |run| run.until.since(run.since));
                let doubt = format!("{}; it is stopped when it is back", silent("the analyzer", patience).text);
                self.end(outcome, reason, Some(doubt));
            }
            Stage::Parking(_, ending) => {
                let text = silent("the multiplexer", limits.valve).text;
                self.not_parked(ending, &text);
            }
            _ => {}
        }
    }

    fn closing_overdue(&mut self, order: CommandId) {
        let limit = self.state.limits.stop;
        let Some(run) = &self.state.run else { return };
        let (since, extended) = (run.since, run.since + limit);
        if self.at.tick >= extended {
            let doubt = format!("the analyzer did not become idle within {}", duration::format(limit));
            return self.finish(Stopped::Doubtful(doubt));
        }
        self.enter_until(Stage::Closing(order, Stopped::NotYet), since, extended);
    }

    /// The plan was carried out.
    fn finish(&mut self, stopped: Stopped) {
        let Some(run) = &mut self.state.run else { return };
        run.forget_what_it_left_off();
        let planned = run.visits_begun >= run.plan.visits();
        if planned {
            run.repeat = run.plan.repeats;
        }
        let (outcome, mut reason) = run.verdict();
        if let Some(asked) = run.finish_asked.as_ref().filter(|_| !planned) {
            let early =
                format!("finished early by {}, after {} of {} visits", asked.who, run.visits_begun, run.plan.visits());
            reason = if reason.is_empty() { early } else { format!("{early}; {reason}") };
        }
        let doubt = match stopped {
            Stopped::Doubtful(doubt) => Some(doubt),
            Stopped::NotYet | Stopped::Yes => None,
        };
        self.end(outcome, reason, doubt);
    }

    /// The analyzer is at rest, or there is nothing more to be done about it; now the valve is sent to where it rests.
    pub(super) fn end(&mut self, outcome: Outcome, reason: String, doubt: Option<String>) {
        self.left_for_good();
        let ending = Ending { outcome, reason, doubt };
        let Some(run) = &self.state.run else { return };
        // A valve that was not touched stays where it is.
        let resting = |park: &Channel| run.started.is_none() || Some(*park) == self.state.valve.position.channel();
        let Some(park) = run.plan.park.filter(|park| !run.leaves_valve && !resting(park)) else {
            return self.end_for_good(ending);
        };
        if !self.state.valve.fault.is_empty() {
            // It has just said why it does not move.
            let text = format!("the valve was not sent to its rest position: {}", self.state.valve.fault);
            self.alarm(Severity::Warning, "valve_not_parked", text);
            return self.end_for_good(ending);
        }
        let order = self.order_valve(if park == Channel::HOME { ValveOrder::Home } else { ValveOrder::Goto(park) });
        self.enter(Stage::Parking(order, ending), self.state.limits.valve);
    }

    pub(super) fn not_parked(&mut self, mut ending: Ending, why: &str) {
        let text = format!("the valve was not sent to its rest position: {why}");
        self.alarm(Severity::Warning, "valve_not_parked", text.clone());
        ending.reason = if ending.reason.is_empty() { text } else { format!("{}; {text}", ending.reason) };
        self.end_for_good(ending);
    }

    /// The one way out of a run.
    pub(super) fn end_for_good(&mut self, ending: Ending) {
        let Ending { outcome, mut reason, doubt } = ending;
        if let Some(doubt) = &doubt {
            let separator = if reason.is_empty() { "" } else { "; " };
            reason = format!("{reason}{separator}the analyzer may still be measuring: {doubt}");
            self.alarm(Severity::Critical, "analyzer_not_idle", doubt.clone());
        }
        let reason = self.with_what_was_unreadable(reason);
        let Some(run) = self.state.run.take() else { return };
        let answer = match doubt {
            Some(doubt) => Err(Denied::new(
                Reason::AnalyzerOffline,
                format!("the run is over, but the analyzer did not confirm that it is idle: {doubt}"),
            )),
            None => Ok(Done::Run(run.id.clone())),
        };
        self.rest(&run, outcome, &reason);
        if self.state.owed_stop.is_some() {
            self.keep(Fact::StopOwed { run: run.id.clone() });
        }
        for request in run.aborters {
            self.effects.push(Effect::Reply { request, answer: answer.clone() });
        }
    }

    fn left_for_good(&mut self) {
        let done = self.state.run.as_ref().map(|run| run.visits_done);
        self.left();
        // A visit that was broken off does not count as done.
        if let (Some(run), Some(done)) = (&mut self.state.run, done) {
            run.visits_done = done;
        }
    }

    /// What is shown and kept of a run that is over.
    fn rest(&mut self, run: &Run, outcome: Outcome, reason: &str) {
        let phase = match outcome {
            Outcome::Completed | Outcome::Partial => Phase::Idle,
            Outcome::Aborted => Phase::Aborted,
            Outcome::Failed => Phase::Failed,
        };
        let mut progress = run.progress(self.at.tick, Duration::ZERO);
        (progress.phase, progress.tt_seconds) = (phase, None);
        self.state.rest.progress = progress.clone();
        let Some(mut summary) = run.summary() else { return self.never_begun(run, outcome, reason) };
        (summary.ended, summary.outcome, summary.reason) = (Some(self.at.utc), Some(outcome), reason.into());
        self.keep(Fact::RunEnded { run: run.id.clone(), ended: self.at.utc, outcome, reason: reason.into() });
        self.tell(Event::Phase(crate::domain::event::PhaseChange {
            run_id: run.id.clone(),
            phase,
            previous: run.phase,
            channel: None,
            visit_id: None,
            repeat: run.repeat.min(run.plan.repeats - 1) + 1,
            until: None,
            reason: reason.into(),
            progress,
        }));
        self.tell(Event::RunFinished { run: summary.clone() });
        self.state.rest.live_data.clone_from(&run.live_data);
        self.state.rest.last_run = Some(summary);
    }
}

impl Run {
    fn verdict(&self) -> (Outcome, String) {
        const NAMED: usize = 5;
        if self.barren.is_empty() {
            return (Outcome::Completed, String::new());
        }
        let names: Vec<String> = self
            .barren
            .values()
            .take(NAMED)
            .map(|Place { channel, repeat, .. }| format!("channel {channel} in repeat {repeat}"))
            .collect();
        let more = if self.barren.len() > NAMED { ", …" } else { "" };
        let text = format!(
            "visits without a good sample: {} of {}: {}{more}",
            self.barren.len(),
            self.plan.visits(),
            names.join(", ")
        );
        (Outcome::Partial, text)
    }
}
