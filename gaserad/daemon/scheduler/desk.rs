//! What people ask of the schedules, and who asks.

use tokio::sync::{mpsc, oneshot};

use super::{MOST, Scheduler, Timed, kept, said, word};
use crate::api::{Listed, NewSchedule, Schedules};
use crate::domain::event::ScheduleChange;
use crate::domain::{Clock, Denied, Event, Fact, Reason, Schedule, Utc};
use crate::schedule::{Times, reckon_from};
use crate::store::Batch;
use crate::stream::BoxFuture;

/// Whoever asks more than this many things at a time waits before asking.
const INBOX: usize = 16;

type Answer<T> = oneshot::Sender<Result<T, Denied>>;

pub(super) enum SchedulerRequest {
    List(u32, Answer<Vec<Listed>>),
    Add(Box<NewSchedule>, String, u32, Answer<Listed>),
    Remove(String, String, Answer<()>),
    Enable(String, bool, String, u32, Answer<Listed>),
}

/// Clones ask the same scheduler.
#[derive(Clone)]
pub struct SchedulerQueue(mpsc::Sender<SchedulerRequest>);

impl SchedulerQueue {
    pub(super) fn new() -> (Self, mpsc::Receiver<SchedulerRequest>) {
        let (requests, inbox) = mpsc::channel(INBOX);
        (Self(requests), inbox)
    }

    async fn ask<T>(&self, request: impl FnOnce(Answer<T>) -> SchedulerRequest) -> Result<T, Denied> {
        let gone = || Denied::new(Reason::ShuttingDown, "gaserad is shutting down; ask again when it is back");
        let (answer, answered) = oneshot::channel();
        self.0.send(request(answer)).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

impl Schedules for SchedulerQueue {
    fn list(&self, count: u32) -> BoxFuture<'_, Result<Vec<Listed>, Denied>> {
        Box::pin(self.ask(move |answer| SchedulerRequest::List(count, answer)))
    }

    fn add(&self, new: NewSchedule, who: String, count: u32) -> BoxFuture<'_, Result<Listed, Denied>> {
        Box::pin(self.ask(move |answer| SchedulerRequest::Add(Box::new(new), who, count, answer)))
    }

    fn remove(&self, name: String, who: String) -> BoxFuture<'_, Result<(), Denied>> {
        Box::pin(self.ask(move |answer| SchedulerRequest::Remove(name, who, answer)))
    }

    fn enable(&self, name: String, enabled: bool, who: String, count: u32) -> BoxFuture<'_, Result<Listed, Denied>> {
        Box::pin(self.ask(move |answer| SchedulerRequest::Enable(name, enabled, who, count, answer)))
    }
}

impl Scheduler {
    /// An error only if nothing can be kept any more. Whoever asked may have gone before the answer.
    pub(super) async fn serve(&mut self, request: SchedulerRequest) -> Result<(), Denied> {
        match request {
            SchedulerRequest::List(count, answer) => {
                let _ = answer.send(Ok(self.list(count)));
            }
            SchedulerRequest::Add(new, who, count, answer) => {
                let added = self.add(*new, who, count).await;
                let _ = answer.send(added);
            }
            SchedulerRequest::Remove(name, who, answer) => {
                let removed = self.remove(&name, &who).await;
                let _ = answer.send(removed);
            }
            SchedulerRequest::Enable(name, enabled, who, count, answer) => {
                let enabled = self.enable(&name, enabled, &who, count).await;
                let _ = answer.send(enabled);
            }
        }
        Ok(())
    }

    fn list(&self, count: u32) -> Vec<Listed> {
        let now = self.means.clock.now().utc;
        self.schedules.values().map(|timed| listed(timed, now, count)).collect()
    }

    async fn add(&mut self, new: NewSchedule, who: String, count: u32) -> Result<Listed, Denied> {
        let now = self.means.clock.now().utc;
        let old = self.schedules.get(&new.name).map(|timed| &timed.schedule);
        self.admit(&new, now)?;
        let schedule = Schedule {
            // What has fired does not fire again because its schedule was written anew.
            decided: old.map_or(now, |old| reckon_from(old.decided, now)),
            last: old.and_then(|old| old.last.clone()),
            name: new.name,
            cron: new.cron,
            zone: new.zone,
            plan: new.plan,
            overlap: new.overlap,
            misfire: new.misfire,
            grace: new.grace,
            enabled: new.enabled,
            who: who.clone(),
        };
        let timed = Timed::new(schedule);
        let told = listed(&timed, now, count);
        if !new.dry_run {
            let Schedule { name, cron, zone, plan, .. } = &timed.schedule;
            let text = format!("starts plan {plan} at \"{cron}\" in {zone}");
            self.keep_of(&timed.schedule, ScheduleChange::Added, &who, &text, kept(&timed.schedule)).await?;
            self.schedules.insert(name.clone(), timed);
        }
        Ok(told)
    }

    fn admit(&self, new: &NewSchedule, now: Utc) -> Result<(), Denied> {
        let refused = |text: String| Err(Denied::new(Reason::RequestInvalid, text));
        let times = Times::parse(&new.cron, &new.zone);
        let times = times.map_err(|error| Denied::new(Reason::RequestInvalid, error.to_string()))?;
        let is_there = self.schedules.contains_key(&new.name);
        if is_there && !new.replace {
            return refused(format!("there is a schedule {} already; --replace puts this one in its place", new.name));
        }
        if !is_there && self.schedules.len() >= MOST {
            return refused(format!("there are {MOST} schedules already; remove one (gaseractl schedule rm NAME)"));
        }
        match times.after(now) {
            Some(_) => Ok(()),
            None => refused(format!("\"{}\" never comes", new.cron)),
        }
    }

    async fn remove(&mut self, name: &str, who: &str) -> Result<(), Denied> {
        let schedule = self.find(name)?.schedule.clone();
        let gone = Fact::Unscheduled { name: name.to_owned() };
        self.keep_of(&schedule, ScheduleChange::Removed, who, "removed", gone).await?;
        self.schedules.remove(name);
        Ok(())
    }

    async fn enable(&mut self, name: &str, enabled: bool, who: &str, count: u32) -> Result<Listed, Denied> {
        let now = self.means.clock.now().utc;
        let mut schedule = self.find(name)?.schedule.clone();
        if schedule.enabled != enabled {
            schedule.enabled = enabled;
            // What would have been due meanwhile is not made up for.
            schedule.decided = reckon_from(schedule.decided, now);
            let (change, text) =
                if enabled { (ScheduleChange::Enabled, "enabled") } else { (ScheduleChange::Disabled, "disabled") };
            self.keep_of(&schedule, change, who, text, kept(&schedule)).await?;
        }
        let timed = Timed::new(schedule);
        let told = listed(&timed, now, count);
        self.schedules.insert(name.to_owned(), timed);
        Ok(told)
    }

    fn find(&self, name: &str) -> Result<&Timed, Denied> {
        let unknown = || {
            let text = format!("there is no schedule {name}; see gaseractl schedule list");
            Denied::new(Reason::ScheduleUnknown, text)
        };
        self.schedules.get(name).ok_or_else(unknown)
    }

    /// What somebody did to a schedule, told and kept with their name.
    async fn keep_of(
        &self,
        schedule: &Schedule,
        change: ScheduleChange,
        who: &str,
        text: &str,
        fact: Fact,
    ) -> Result<(), Denied> {
        let Batch { mut events, mut audit, .. } = said(schedule, change, None, text);
        if let Some(Event::ScheduleUpdated(update)) = events.first_mut() {
            who.clone_into(&mut update.who);
        }
        if let Some(entry) = audit.first_mut() {
            who.clone_into(&mut entry.who);
            entry.what = format!("{} {}", word(change), schedule.name);
        }
        self.means.handle.keep(Batch { facts: vec![fact], events, audit, ..Batch::default() }).await
    }
}

fn listed(timed: &Timed, now: Utc, count: u32) -> Listed {
    let schedule = timed.schedule.clone();
    let Some(cron) = timed.times.as_ref().filter(|_| schedule.enabled) else {
        return Listed { schedule, next: Vec::new() };
    };
    let mut from = schedule.decided.max(now);
    let next = std::iter::from_fn(|| {
        from = cron.after(from)?;
        Some((from, cron.local(from)))
    });
    let next = next.take(usize::try_from(count).unwrap_or(usize::MAX)).collect();
    Listed { schedule, next }
}
