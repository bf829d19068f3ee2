//! Runs that are to begin later: when the one under way is over, or at a certain time of the wall clock.

use std::time::Duration;

use super::event::RequestId;
use super::state::{Run, State};
use super::{Effect, Turn, admit};
use crate::domain::event::{RunChange, RunUpdate, outcome_sentence};
use crate::domain::status::QueuedRun;
use crate::domain::{
    Denied, Done, Event, Fact, Moment, Multiple, Outcome, Reason, RunId, Severity, StartRequest, Tick, Utc, Waiting,
};

/// So many runs wait at most.
const MOST: usize = 8;
/// The wall clock may be set while a run waits for it, so it is looked at again so often.
const LOOK: Duration = Duration::from_secs(60);
/// A run that begins so much later than it was to, in microseconds, says so.
const LATE: i64 = 60_000_000;

impl Turn {
    /// Somebody wants a run begun later.
    pub(super) fn queue(&mut self, request: RequestId, run: RunId, asked: StartRequest) {
        let admitted = admit::plan(&asked.plan).and_then(|()| self.has_room(&asked)).and_then(|()| self.begins(&asked));
        let begins = match admitted {
            Ok(begins) => begins,
            Err(denied) => return self.effects.push(Effect::Reply { request, answer: Err(denied) }),
        };
        self.effects.push(Effect::Reply { request, answer: Ok(Done::Queued(run.clone(), begins)) });
        let text = begins.map_or_else(|| "begins next".to_owned(), |begins| format!("begins at {begins}"));
        let update = RunUpdate { run_id: run.clone(), change: RunChange::Queued, who: asked.who.clone(), text };
        let waiting = Waiting { run, asked, begins };
        self.keep(Fact::Queued(Box::new(waiting.clone())));
        self.state.queue.push_back(waiting);
        self.tell(Event::RunUpdated(update));
    }

    fn has_room(&self, asked: &StartRequest) -> Result<(), Denied> {
        if self.state.shutting_down {
            return Err(Denied::new(Reason::ShuttingDown, "gaserad is shutting down; start the run when it is back"));
        }
        if self.state.queue.len() >= MOST {
            let text =
                format!("{MOST} runs wait already; wait until one has begun, or abort one (gaseractl abort RUN)");
            return Err(Denied::new(Reason::RunUnderWay, text));
        }
        match &self.state.run {
            Some(run) if !asked.queue => Err(admit::under_way(&run.id)),
            _ => Ok(()),
        }
    }

    fn begins(&self, asked: &StartRequest) -> Result<Option<Utc>, Denied> {
        let multiple = asked.align.map(Multiple::new).transpose();
        let multiple = multiple.map_err(|error| Denied::new(Reason::RequestInvalid, error.to_string()))?;
        Ok(multiple.map(|multiple| multiple.next(self.at.utc)))
    }

    /// Begins the next run that waits, if it is time and nothing stands against it.
    pub(super) fn begin_the_next(&mut self) {
        self.skip_the_missed();
        if admit::start(&self.state).is_err() {
            return;
        }
        let Some(next) = self.state.queue.iter().position(|next| next.is_due(self.at.utc)) else { return };
        let Some(waiting) = self.state.queue.remove(next) else { return };
        self.say_if_late(&waiting);
        let waited = Some(waiting.shown());
        self.prepare(waiting.run, waiting.asked, None);
        if let Some(run) = &mut self.state.run {
            run.waited = waited;
        }
    }

    fn say_if_late(&mut self, waiting: &Waiting) {
        let Some(begins) = waiting.begins else { return };
        if self.at.utc.as_micros() - begins.as_micros() > LATE {
            let text = format!("run {} was to begin at {begins} and begins only now", waiting.run);
            let run_id = Some(waiting.run.clone());
            self.tell(Event::Alarm { severity: Severity::Warning, code: "start_late".into(), text, run_id });
        }
    }

    /// Their time has come, another run is under way, and they were not to wait for that.
    fn skip_the_missed(&mut self) {
        if self.state.run.is_none() {
            return;
        }
        let now = self.at.utc;
        let is_missed = |waiting: &Waiting| !waiting.asked.queue && waiting.is_due(now);
        let queue = std::mem::take(&mut self.state.queue);
        let (missed, left): (Vec<Waiting>, Vec<Waiting>) = queue.into_iter().partition(is_missed);
        self.state.queue = left.into();
        for waiting in missed {
            let text = format!("run {} was to begin now and was skipped: another one is still under way", waiting.run);
            let (severity, code, run_id) = (Severity::Warning, "start_skipped".into(), Some(waiting.run.clone()));
            self.tell(Event::Alarm { severity, code, text: text.clone(), run_id });
            self.unqueued(waiting.run, waiting.asked.who, text);
        }
    }

    /// Nothing is under way, but something waits: that is what an abort means then.
    pub(super) fn unqueue(&mut self, request: RequestId, who: &str) -> bool {
        if self.state.run.is_some() {
            return false;
        }
        let Some(run_id) = self.state.queued(self.at).into_iter().next().map(|next| next.run_id) else { return false };
        self.call_off(request, who, run_id);
        true
    }

    /// Of one run that is named, be it under way or not.
    pub(super) fn abort_run(&mut self, request: RequestId, who: &str, name: &str) {
        match self.named(name) {
            Ok(run) if self.state.run.as_ref().is_some_and(|under_way| under_way.id == run) => self.abort(request, who),
            Ok(run) => self.call_off(request, who, run),
            Err(denied) => self.effects.push(Effect::Reply { request, answer: Err(denied) }),
        }
    }

    fn named(&self, name: &str) -> Result<RunId, Denied> {
        let under_way = self.state.run.iter().map(|run| &run.id);
        let all: Vec<&RunId> = under_way.chain(self.state.queue.iter().map(|waiting| &waiting.run)).collect();
        let wanted = name.trim().to_ascii_uppercase();
        // The last one that began, as everywhere; one that waits is named by its id.
        if let Some(run) = self.state.run.as_ref().filter(|_| wanted == "LAST") {
            return Ok(run.id.clone());
        }
        let exactly = all.iter().copied().find(|run| run.0 == wanted);
        let begins_so: Vec<&RunId> = all.iter().copied().filter(|run| run.0.starts_with(&wanted)).collect();
        match (exactly, &begins_so[..]) {
            (Some(run), _) | (None, &[run]) => Ok(run.clone()),
            (None, []) => {
                let text = format!("no run {name} is under way or waits to begin; see gaseractl status");
                Err(Denied::new(Reason::RunUnknown, text))
            }
            (None, [one, other, ..]) => {
                let text = format!("the ids of several runs begin with {name}: {one}, {other}; write more of it");
                Err(Denied::new(Reason::RequestInvalid, text))
            }
        }
    }

    fn call_off(&mut self, request: RequestId, who: &str, run: RunId) {
        self.state.queue.retain(|waiting| waiting.run != run);
        self.effects.push(Effect::Reply { request, answer: Ok(Done::Unqueued(run.clone())) });
        self.unqueued(run, who.to_owned(), format!("aborted by {who}"));
    }

    /// It does not begin, and whoever waits for it hears why.
    fn unqueued(&mut self, run: RunId, who: String, text: String) {
        self.keep(Fact::Unqueued { run: run.clone() });
        self.tell(Event::RunUpdated(RunUpdate { run_id: run, change: RunChange::Unqueued, who, text }));
    }

    /// Its time had come, and the analyzer or the plan was against it.
    pub(super) fn start_failed(&mut self, run: &Run, denied: &Denied) {
        let Some(waited) = &run.waited else { return };
        let text = format!("run {} could not be started: {denied}", run.id);
        let (severity, code, run_id) = (Severity::Blocker, "start_failed".into(), Some(run.id.clone()));
        self.tell(Event::Alarm { severity, code, text: text.clone(), run_id });
        self.unqueued(run.id.clone(), waited.who.clone(), text);
    }

    /// It was stopped before it had begun.
    pub(super) fn never_begun(&mut self, run: &Run, outcome: Outcome, reason: &str) {
        // At a shutdown it goes on waiting, for the next process.
        if let Some(waited) = run.waited.as_ref().filter(|_| !self.state.shutting_down) {
            self.unqueued(run.id.clone(), waited.who.clone(), outcome_sentence(outcome, reason));
        }
    }
}

impl State {
    /// When the next run that waits is due, if nothing is under way.
    pub(super) fn next_begins(&self) -> Option<Tick> {
        let may = admit::start(self).is_ok();
        let begins = self.queue.iter().filter(|_| may).map(|waiting| waiting.begins.map(|begins| self.tick_at(begins)));
        begins.map(Option::unwrap_or_default).min().map(|begins| begins.min(self.tick_of_last_look() + LOOK))
    }

    /// The next one first.
    pub(super) fn queued(&self, at: Moment) -> Vec<QueuedRun> {
        let being_prepared = self.run.iter().filter(|run| run.started.is_none()).filter_map(|run| run.waited.clone());
        let mut waiting: Vec<&Waiting> = self.queue.iter().collect();
        waiting.sort_by_key(|waiting| waiting.begins.filter(|begins| *begins > at.utc));
        being_prepared.chain(waiting.into_iter().map(Waiting::shown)).collect()
    }
}

impl Waiting {
    fn is_due(&self, now: Utc) -> bool {
        self.begins.is_none_or(|begins| begins <= now)
    }

    fn shown(&self) -> QueuedRun {
        let Self { run, asked, begins } = self;
        QueuedRun { run_id: run.clone(), label: asked.plan.label.clone(), who: asked.who.clone(), begins: *begins }
    }
}
