//! What can be done to the run under way: pause and resume, skip, finish, note.
//!
//! A paused run stays where it is, valve and analyzer as they are; what is drawn meanwhile is kept and not used. It
//! goes on with the visit it was in, which is purged again.

use super::event::RequestId;
use super::state::{Place, Run, Stage};
use super::{Effect, Turn, admit};
use crate::domain::event::{RunChange, RunUpdate};
use crate::domain::{Control, Done, Event, Fact, FinishAfter, Phase, VisitId};

/// A pause that was asked for and has not begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PauseAsked {
    pub who: String,
    pub reason: String,
}

/// Until when a run goes on that is to finish early, and who wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FinishAsked {
    pub after: FinishAfter,
    pub who: String,
}

impl Turn {
    pub(super) fn control(&mut self, request: RequestId, who: String, control: Control) {
        let admitted = admit::control(&self.state, &control);
        let run = self.state.run.as_ref().map(|run| run.id.clone());
        let answer = admitted.and_then(|()| run.map(Done::Run).ok_or_else(|| admit::no_run(control.verb())));
        let granted = answer.is_ok();
        self.effects.push(Effect::Reply { request, answer });
        if !granted {
            return;
        }
        match control {
            Control::Pause { now } => self.ask_to_pause(who, now),
            Control::Resume => self.resume(who),
            Control::Skip => self.skip(who),
            Control::Finish { after } => self.ask_to_finish(who, after),
            Control::Note { text } => self.note(who, text),
        }
    }

    fn ask_to_pause(&mut self, who: String, now: bool) {
        let Some(run) = &mut self.state.run else { return };
        run.pause_asked = Some(PauseAsked { who: who.clone(), reason: "paused".into() });
        run.paused_by_hand = true;
        let text = if now { "at once" } else { "after the sample under way" };
        self.updated(RunChange::PauseAsked, who, text.into());
        let sampling = self.state.run.as_ref().is_some_and(Run::is_sampling);
        let may_begin = self.state.run.as_ref().is_some_and(Run::may_be_paused);
        if may_begin && (now || !sampling) {
            self.pause_if_asked();
        }
    }

    /// Begins the pause that was asked for, if one was.
    pub(super) fn pause_if_asked(&mut self) -> bool {
        let Some(asked) = self.state.run.as_mut().and_then(|run| run.pause_asked.take()) else { return false };
        self.pause(asked.who, asked.reason);
        true
    }

    /// A sample that was waited for is drawn, or has come.
    pub(super) fn sample_over(&mut self) {
        if self.state.run.as_ref().is_some_and(|run| run.may_be_paused() && run.is_sampling()) {
            self.pause_if_asked();
        }
    }

    fn pause(&mut self, who: String, reason: String) {
        let at = self.at.tick;
        self.state.timeline.pause(at);
        self.enter_until(Stage::Paused(reason.clone()), at, at);
        let channel = self.state.run.as_ref().and_then(Run::target).map(|stop| stop.channel);
        self.updated(RunChange::Paused, who, reason);
        self.show(Phase::Paused, channel);
    }

    fn resume(&mut self, who: String) {
        let Some(run) = &mut self.state.run else { return };
        let pending = run.pause_asked.take().is_some();
        run.paused_by_hand = false;
        run.causes.clear();
        self.resumed(who, if pending { "before it had paused" } else { "" }.into());
    }

    pub(super) fn resumed(&mut self, who: String, text: String) {
        let Some(stage) = self.state.run.as_ref().map(|run| run.stage.clone()) else { return };
        self.updated(RunChange::Resumed, who, text);
        match stage {
            Stage::Paused(_) if self.doubted_no_more() => {}
            Stage::Paused(_) => self.go_on(self.at.tick),
            Stage::GuardedOff => {
                self.reckon_from_now();
                self.next_stop();
            }
            _ => {}
        }
    }

    /// The visit is purged again.
    fn go_on(&mut self, at: crate::domain::Tick) {
        self.enter_until(Stage::Settling, at, at);
        self.reckon_from_now();
        self.renew_visit();
        self.settled();
    }

    fn skip(&mut self, who: String) {
        let Some(run) = &mut self.state.run else { return };
        let between_visits = matches!(run.stage, Stage::Guarding(_) | Stage::GuardedOff);
        if between_visits {
            run.advance();
        }
        run.pause_asked = None;
        run.spare_the_visit();
        run.pass_over();
        let channel = run.target().map_or_else(String::new, |stop| format!("channel {}", stop.channel));
        self.updated(RunChange::Skipped, who, channel);
        self.reckon_from_now();
        if !between_visits {
            return self.leave();
        }
        self.left();
        let Some(run) = &self.state.run else { return };
        if run.is_in_its_last_visit() { self.close() } else { self.go_on_if_guarded() }
    }

    fn ask_to_finish(&mut self, who: String, after: FinishAfter) {
        let Some(run) = &mut self.state.run else { return };
        run.finish_asked = Some(FinishAsked { after, who: who.clone() });
        let visiting = run.visit.is_some();
        let paused = matches!(run.stage, Stage::Paused(_));
        let text = match after {
            FinishAfter::Channel => "after the channel under way",
            FinishAfter::Repeat => "after the repeat under way",
        };
        self.updated(RunChange::FinishAsked, who, text.into());
        if after == FinishAfter::Channel && (paused || !visiting) {
            self.leave();
        }
    }

    fn note(&mut self, who: String, text: String) {
        let Some(run) = &self.state.run else { return };
        let fact = Fact::Noted { run: run.id.clone(), at: self.at.utc, who: who.clone(), text: text.clone() };
        self.keep(fact);
        self.updated(RunChange::Noted, who, text);
    }

    pub(super) fn updated(&mut self, change: RunChange, who: String, text: String) {
        let Some(run) = &self.state.run else { return };
        let run_id = run.id.clone();
        self.tell(Event::RunUpdated(RunUpdate { run_id, change, who, text }));
    }
}

impl Run {
    /// Whether a sample that the plan wants is being drawn or may be.
    fn is_sampling(&self) -> bool {
        matches!(self.stage, Stage::Measuring | Stage::MeasureOver(_) | Stage::Lingering | Stage::PurgeOver(_))
    }

    /// Nobody wants to come back to the visit under way.
    fn spare_the_visit(&mut self) {
        if let Some(place) = self.visit.as_ref().and_then(|visit| self.barren.get_mut(&visit.id)) {
            place.skipped = true;
        }
    }

    /// The stop that the valve is on its way to is not visited.
    fn pass_over(&mut self) {
        let Some(stop) = self.target().filter(|stop| stop.measured && self.visit.is_none()) else { return };
        self.visits_done += 1;
        self.visits_begun += 1;
        let (channel, repeat, stop, arrived) = (stop.channel, self.repeat + 1, self.stop, self.until);
        let place = Place { channel, repeat, stop, arrived, skipped: true };
        self.barren.insert(VisitId(self.visits_begun), place);
    }

    /// Whether the visit under way is the last one, by the plan or because somebody wants to finish.
    pub(super) fn is_in_its_last_visit(&self) -> bool {
        let last_stop = self.stop + 1 >= self.stops.len() && self.left_off.is_empty();
        let planned = last_stop && self.repeat + 1 >= self.plan.repeats;
        let asked = self.finish_asked.as_ref().is_some_and(|asked| match asked.after {
            FinishAfter::Channel => true,
            FinishAfter::Repeat => last_stop,
        });
        planned || asked
    }
}
