//! What people ask for while a run is under way: pause and resume, skip, finish, note, abort, and what has to wait.

use super::turn::RunTurn;
use crate::domain::event::RunChange;
use crate::domain::{Control, DeviceKind, Done, Fact, FinishAfter, Outcome, RunId, StartRequest, ValveOrder};
use crate::engine::admit;
use crate::engine::event::RequestId;
use crate::engine::state::FinishAsked;

impl RunTurn<'_> {
    /// It may wait until this run is over, or for its time.
    pub fn start_another(&mut self, request: RequestId, id: RunId, asked: StartRequest) {
        if asked.align.is_some() || asked.queue {
            return self.queue(request, id, asked);
        }
        let denied = admit::second_start(&self.station, &self.run.id);
        self.reply(request, Err(denied));
    }

    pub fn abort(&mut self, request: RequestId, who: &str) {
        self.run.ending.aborters.push(request);
        self.stop(Outcome::Aborted, format!("by {who}"));
    }

    /// Of one run that is named, be it under way or waiting.
    pub fn abort_run(&mut self, request: RequestId, who: &str, name: &str) {
        match self.named(name) {
            Ok(run) if run == self.run.id => self.abort(request, who),
            Ok(run) => self.call_off(request, who, run),
            Err(denied) => self.reply(request, Err(denied)),
        }
    }

    pub fn control(&mut self, request: RequestId, who: String, control: Control) {
        let answer = admit::control(&self.run, &control).map(|()| Done::Run(self.run.id.clone()));
        let granted = answer.is_ok();
        self.reply(request, answer);
        if !granted {
            return;
        }
        match control {
            Control::Pause { now } => self.ask_to_pause(who, now),
            Control::Resume => self.resume(who),
            Control::Skip => self.skip_visit(who),
            Control::Finish { after } => self.ask_to_finish(who, after),
            Control::Note { text } => self.note(who, text),
        }
    }

    /// The valve is not asked where it stands either: what is known of it is verified all the time.
    pub fn ask_valve(&mut self, request: RequestId, order: ValveOrder) {
        if order == ValveOrder::Where {
            let position = self.station.valve.position;
            return self.reply(request, Ok(Done::Valve(position)));
        }
        self.move_valve(request, order);
    }

    /// Somebody means the device that is there now.
    pub fn accept(&mut self, request: RequestId, device: DeviceKind) {
        let answer = self.turn.accept_stranger(device, self.run.is_recorded());
        match device {
            _ if answer.is_err() => {}
            DeviceKind::Analyzer => {
                let identity = self.station.analyzer.identity.clone();
                self.online(&identity);
            }
            DeviceKind::Multiplexer => self.trust_valve_again(),
        }
        self.reply(request, answer.map(Done::Accepted));
    }

    fn skip_visit(&mut self, who: String) {
        let between_visits = self.run.stage.is_guarded();
        if between_visits {
            self.run.advance();
        }
        self.run.pausing.asked = None;
        self.run.spare_the_visit();
        self.run.pass_over();
        let channel = self.run.target().map_or_else(String::new, |stop| format!("channel {}", stop.channel));
        self.updated(RunChange::Skipped, who, channel);
        self.reckon_from_now();
        if between_visits { self.leave_at_once() } else { self.leave() }
    }

    fn ask_to_finish(&mut self, who: String, after: FinishAfter) {
        self.run.ending.finish_asked = Some(FinishAsked { after, who: who.clone() });
        let at_once = self.run.visits.current.is_none() || self.run.stage.is_paused();
        let text = match after {
            FinishAfter::Channel => "after the channel under way",
            FinishAfter::Repeat => "after the repeat under way",
        };
        self.updated(RunChange::FinishAsked, who, text.into());
        if after == FinishAfter::Channel && at_once {
            self.leave();
        }
    }

    fn note(&mut self, who: String, text: String) {
        let (run, at) = (self.run.id.clone(), self.at.utc);
        self.keep(Fact::Noted { run, at, who: who.clone(), text: text.clone() });
        self.updated(RunChange::Noted, who, text);
    }
}
