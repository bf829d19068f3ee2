//! Runs that are to begin later: when the one under way is over, or at a certain time of the wall clock.

use std::time::Duration;

use super::admit;
use super::event::RequestId;
use super::state::{Run, State, Station};
use super::turn::Turn;
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
    pub fn queue(&mut self, request: RequestId, run: RunId, asked: StartRequest) {
        let admitted = admit::plan(&asked.plan).and_then(|()| self.has_room(&asked)).and_then(|()| self.begins(&asked));
        let begins = match admitted {
            Ok(begins) => begins,
            Err(denied) => return self.reply(request, Err(denied)),
        };
        self.reply(request, Ok(Done::Queued(run.clone(), begins)));
        let text = begins.map_or_else(|| "begins next".to_owned(), |begins| format!("begins at {begins}"));
        let update = RunUpdate { run_id: run.clone(), change: RunChange::Queued, who: asked.who.clone(), text };
        let waiting = Waiting { run, asked, begins };
        self.keep(Fact::Queued(Box::new(waiting.clone())));
        self.station.queue.push_back(waiting);
        self.tell(Event::RunUpdated(update));
    }

    fn has_room(&self, asked: &StartRequest) -> Result<(), Denied> {
        if self.station.shutting_down {
            return Err(admit::shutting_down());
        }
        if self.station.queue.len() >= MOST {
            let text =
                format!("{MOST} runs wait already; wait until one has begun, or abort one (gaseractl abort RUN)");
            return Err(Denied::new(Reason::RunUnderWay, text));
        }
        match &self.under_way {
            Some(run) if !asked.queue => Err(admit::under_way(run)),
            _ => Ok(()),
        }
    }

    fn begins(&self, asked: &StartRequest) -> Result<Option<Utc>, Denied> {
        let multiple = asked.align.map(Multiple::new).transpose();
        let multiple = multiple.map_err(|error| Denied::new(Reason::RequestInvalid, error.to_string()))?;
        Ok(multiple.map(|multiple| multiple.next(self.at.utc)))
    }

    /// The next run that waits, if it is time and nothing stands against it.
    pub fn take_the_next(&mut self) -> Option<Waiting> {
        admit::start(&self.station).ok()?;
        let next = self.station.queue.iter().position(|next| next.is_due(self.at.utc))?;
        let waiting = self.station.queue.remove(next)?;
        self.say_if_late(&waiting);
        Some(waiting)
    }

    fn say_if_late(&mut self, waiting: &Waiting) {
        let Some(begins) = waiting.begins else { return };
        if self.at.utc.as_micros() - begins.as_micros() > LATE {
            let text = format!("run {} was to begin at {begins} and begins only now", waiting.run);
            self.alarm_of(Some(waiting.run.clone()), Severity::Warning, "start_late", text);
        }
    }

    /// Their time has come, another run is under way, and they were not to wait for that.
    pub fn skip_the_missed(&mut self) {
        let now = self.at.utc;
        let is_missed = |waiting: &Waiting| !waiting.asked.queue && waiting.is_due(now);
        let queue = std::mem::take(&mut self.station.queue);
        let (missed, left): (Vec<Waiting>, Vec<Waiting>) = queue.into_iter().partition(is_missed);
        self.station.queue = left.into();
        for waiting in missed {
            let text = format!("run {} was to begin now and was skipped: another one is still under way", waiting.run);
            self.alarm_of(Some(waiting.run.clone()), Severity::Warning, "start_skipped", text.clone());
            self.unqueued(waiting.run, waiting.asked.who, text);
        }
    }

    /// The run under way or waiting that somebody means.
    pub fn named(&self, name: &str) -> Result<RunId, Denied> {
        let waiting = self.station.queue.iter().map(|waiting| &waiting.run);
        let all: Vec<&RunId> = self.under_way.iter().chain(waiting).collect();
        let wanted = name.trim().to_ascii_uppercase();
        // The last one that began, as everywhere; one that waits is named by its id.
        if let Some(run) = self.under_way.as_ref().filter(|_| wanted == "LAST") {
            return Ok(run.clone());
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

    /// A run that waits is not to begin.
    pub fn call_off(&mut self, request: RequestId, who: &str, run: RunId) {
        self.station.queue.retain(|waiting| waiting.run != run);
        self.reply(request, Ok(Done::Unqueued(run.clone())));
        self.unqueued(run, who.to_owned(), format!("aborted by {who}"));
    }

    /// It does not begin, and whoever waits for it hears why.
    fn unqueued(&mut self, run: RunId, who: String, text: String) {
        self.keep(Fact::Unqueued { run: run.clone() });
        self.tell(Event::RunUpdated(RunUpdate { run_id: run, change: RunChange::Unqueued, who, text }));
    }

    /// Its time had come, and the analyzer or the plan was against it.
    pub fn start_failed(&mut self, run: &Run, denied: &Denied) {
        let Some(waited) = &run.asked.waited else { return };
        let text = format!("run {} could not be started: {denied}", run.id);
        self.alarm_of(Some(run.id.clone()), Severity::Blocker, "start_failed", text.clone());
        self.unqueued(run.id.clone(), waited.who.clone(), text);
    }

    /// It was stopped before it had begun.
    pub fn never_begun(&mut self, run: &Run, outcome: Outcome, reason: &str) {
        // At a shutdown it goes on waiting, for the next process.
        if let Some(waited) = run.asked.waited.as_ref().filter(|_| !self.station.shutting_down) {
            self.unqueued(run.id.clone(), waited.who.clone(), outcome_sentence(outcome, reason));
        }
    }
}

impl Station {
    /// When the next run that waits is due, if nothing is under way.
    pub fn next_begins(&self) -> Option<Tick> {
        let may = admit::start(self).is_ok();
        let tick_of = |waiting: &Waiting| waiting.begins.map(|begins| self.host_clock.tick_at(begins));
        let begins = self.queue.iter().filter(|_| may).map(tick_of);
        begins.map(Option::unwrap_or_default).min().map(|begins| begins.min(self.host_clock.last_read() + LOOK))
    }

    /// Those that wait, the next one first.
    pub fn queued(&self, at: Moment) -> Vec<QueuedRun> {
        let mut waiting: Vec<&Waiting> = self.queue.iter().collect();
        waiting.sort_by_key(|waiting| waiting.begins.filter(|begins| *begins > at.utc));
        waiting.into_iter().map(Waiting::shown).collect()
    }
}

impl State {
    /// The next one first.
    pub(super) fn queued(&self, at: Moment) -> Vec<QueuedRun> {
        let being_prepared = self.run().filter(|run| !run.is_recorded()).and_then(|run| run.asked.waited.clone());
        being_prepared.into_iter().chain(self.station.queued(at)).collect()
    }
}

impl Waiting {
    fn is_due(&self, now: Utc) -> bool {
        self.begins.is_none_or(|begins| begins <= now)
    }

    pub(super) fn shown(&self) -> QueuedRun {
        let Self { run, asked, begins } = self;
        QueuedRun { run_id: run.clone(), label: asked.plan.label.clone(), who: asked.who.clone(), begins: *begins }
    }
}
