//! One step under way within a run: how it goes from stage to stage, and what is shown and told of that.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use crate::domain::event::{PhaseChange, RunChange, RunUpdate};
use crate::domain::{Channel, CommandId, Denied, Done, Event, Phase, Tick};
use crate::engine::state::{Activity, Run, Stage};
use crate::engine::turn::Turn;

pub(super) struct RunTurn<'a> {
    pub run: Box<Run>,
    pub turn: &'a mut Turn,
    over: bool,
}

impl Deref for RunTurn<'_> {
    type Target = Turn;

    fn deref(&self) -> &Turn {
        self.turn
    }
}

impl DerefMut for RunTurn<'_> {
    fn deref_mut(&mut self) -> &mut Turn {
        self.turn
    }
}

impl<'a> RunTurn<'a> {
    pub const fn new(turn: &'a mut Turn, run: Box<Run>) -> Self {
        Self { run, turn, over: false }
    }

    /// What is under way after the step.
    pub fn outcome(self) -> Activity {
        if self.over { Activity::Idle } else { Activity::Running(self.run) }
    }

    /// From now on no run is under way. Nothing else happens to it in this step.
    pub fn run_is_over(&mut self) {
        self.over = true;
        self.turn.under_way = None;
    }

    /// The stage that holds from now on, for at most so long.
    pub fn enter(&mut self, stage: Stage, limit: Duration) {
        let at = self.at.tick;
        self.enter_until(stage, at, at + limit);
    }

    pub fn enter_until(&mut self, stage: Stage, since: Tick, until: Tick) {
        self.run.stage = stage;
        (self.run.timing.since, self.run.timing.until) = (since, until);
    }

    /// The stage that waits for the answer with this number, if it is the one under way.
    pub fn awaits(&self, id: CommandId) -> Option<Stage> {
        (self.run.stage.order() == Some(id)).then(|| self.run.stage.clone())
    }

    /// Shows a phase. Nothing is told if nothing changes.
    pub fn show(&mut self, phase: Phase, channel: Option<Channel>) {
        let at = self.at;
        let previous = std::mem::replace(&mut self.run.shown.phase, phase);
        let run = &self.run;
        let change = PhaseChange {
            run_id: run.id.clone(),
            phase,
            previous,
            channel,
            visit_id: run.visits.current.as_ref().map(|visit| visit.id),
            repeat: run.course.repeat + 1,
            until: run.is_timed().then(|| at.utc_at(run.timing.until)),
            reason: run.stage.reason().into(),
            progress: self.station.progress(run, at.tick),
        };
        self.tell(Event::Phase(change));
    }

    pub fn updated(&mut self, change: RunChange, who: String, text: String) {
        let run_id = self.run.id.clone();
        self.tell(Event::RunUpdated(RunUpdate { run_id, change, who, text }));
    }

    /// Whoever waits for the start hears what became of it.
    pub fn answer_starter(&mut self, answer: Result<(), Denied>) {
        if let Some(request) = self.run.asked.starter.take() {
            let id = self.run.id.clone();
            self.reply(request, answer.map(|()| Done::Run(id)));
        }
    }
}
