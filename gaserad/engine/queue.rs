//! Runs that are to begin later: when the one under way is over, or at a certain time of the wall clock.

use std::time::Duration;

use super::event::RequestId;
use super::state::State;
use super::{Effect, Turn, admit};
use crate::domain::event::{RunChange, RunUpdate};
use crate::domain::status::QueuedRun;
use crate::domain::{Denied, Done, Event, Moment, Reason, RunId, StartRequest, Tick};

/// So many runs wait at most.
const MOST: usize = 8;

/// A run that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Queued {
    pub id: RunId,
    pub asked: StartRequest,
    pub not_before: Tick,
}

impl Turn {
    /// Somebody wants a run begun later.
    pub(super) fn queue(&mut self, request: RequestId, id: RunId, asked: StartRequest) {
        let admitted = admit::plan(&asked.plan).and_then(|()| self.has_room(&asked));
        let answer = admitted.map(|()| Done::Run(id.clone()));
        let granted = answer.is_ok();
        self.effects.push(Effect::Reply { request, answer });
        if !granted {
            return;
        }
        let wait = asked.align.map_or(Duration::ZERO, |align| until_next(self.at, align));
        let begins = self.at.utc + wait;
        let text = if asked.align.is_some() { format!("begins at {begins}") } else { "begins next".to_owned() };
        let (who, run_id) = (asked.who.clone(), id.clone());
        self.state.queue.push_back(Queued { id, asked, not_before: self.at.tick + wait });
        self.tell(Event::RunUpdated(RunUpdate { run_id, change: RunChange::Queued, who, text }));
    }

    fn has_room(&self, asked: &StartRequest) -> Result<(), Denied> {
        if self.state.shutting_down {
            return Err(Denied::new(Reason::ShuttingDown, "gaserad is shutting down; start the run when it is back"));
        }
        if self.state.queue.len() >= MOST {
            let text = format!("{MOST} runs wait already; wait until one has begun, or abort one");
            return Err(Denied::new(Reason::RunUnderWay, text));
        }
        match &self.state.run {
            Some(run) if !asked.queue => Err(admit::under_way(&run.id)),
            _ => Ok(()),
        }
    }

    /// Begins the next run that waits, if it is time and nothing stands against it.
    pub(super) fn begin_the_next(&mut self) {
        let at = self.at.tick;
        let Some(next) = self.state.queue.front().filter(|next| next.not_before <= at) else { return };
        if self.state.run.is_some() && !next.asked.queue {
            return self.skip_the_next();
        }
        if admit::start(&self.state).is_err() {
            return;
        }
        if let Some(Queued { id, asked, .. }) = self.state.queue.pop_front() {
            self.prepare(id, asked, None);
        }
    }

    fn skip_the_next(&mut self) {
        let Some(Queued { id, asked, .. }) = self.state.queue.pop_front() else { return };
        let text = format!("run {id} was to begin now and was skipped: another one is still under way");
        self.alarm(crate::domain::Severity::Warning, "start_skipped", text.clone());
        let update = RunUpdate { run_id: id, change: RunChange::Unqueued, who: asked.who, text };
        self.tell(Event::RunUpdated(update));
    }

    /// Nothing is under way, but something waits: that is what an abort means then.
    pub(super) fn unqueue(&mut self, request: RequestId, who: &str) -> bool {
        if self.state.run.is_some() {
            return false;
        }
        let Some(Queued { id, .. }) = self.state.queue.pop_front() else { return false };
        self.effects.push(Effect::Reply { request, answer: Ok(Done::Run(id.clone())) });
        let update = RunUpdate { run_id: id, change: RunChange::Unqueued, who: who.to_owned(), text: "aborted".into() };
        self.tell(Event::RunUpdated(update));
        true
    }
}

impl State {
    /// When the next run that waits is due, if nothing is under way.
    pub(super) fn next_begins(&self) -> Option<Tick> {
        let may = self.run.is_none() && admit::start(self).is_ok();
        self.queue.front().filter(|_| may).map(|queued| queued.not_before)
    }

    pub(super) fn queued(&self, at: Moment) -> Vec<QueuedRun> {
        let shown = |queued: &Queued| QueuedRun {
            run_id: queued.id.clone(),
            label: queued.asked.plan.label.clone(),
            who: queued.asked.who.clone(),
            begins: queued.asked.align.map(|_| at.utc_at(queued.not_before)),
        };
        self.queue.iter().map(shown).collect()
    }
}

/// Until the wall clock is a multiple of `align`, counted from midnight UTC.
fn until_next(at: Moment, align: Duration) -> Duration {
    let align = i64::try_from(align.as_micros()).unwrap_or(i64::MAX).max(1);
    let rest = at.utc.as_micros().rem_euclid(align);
    Duration::from_micros(u64::try_from((align - rest) % align).unwrap_or(0))
}
