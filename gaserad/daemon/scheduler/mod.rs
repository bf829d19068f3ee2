//! Starts runs by the clock, as [`crate::schedule`] decides.
//!
//! A time that has come is first kept as decided on, then acted on: whatever ends the process in between, no run is
//! started twice. The start itself is like any other, asked by "schedule NAME", and may take minutes; meanwhile the
//! other schedules are minded.

mod desk;
mod firing;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::api::{Control, Plans};
use crate::domain::event::{ScheduleChange, ScheduleUpdate};
use crate::domain::{Clock, Denied, Event, Fact, Fired, Schedule, Severity, Utc, duration};
use crate::runtime::Handle;
use crate::runtime::clock::HostClock;
use crate::schedule::{Decision, Ruling, Times, decide, reckon_from};
use crate::store::{Audit, Batch};
pub(super) use desk::SchedulerQueue;
use desk::SchedulerRequest;
use firing::{Attempt, Firing};

/// The wall clock may be set while a time is waited for, so it is looked at again so often, in the time of the world.
const LOOK: Duration = Duration::from_secs(10);
/// What begins within this is on time.
const ON_TIME: Duration = Duration::from_secs(60);
/// How late the world may be where time runs faster.
const ON_TIME_OUTSIDE: Duration = Duration::from_secs(2);
/// Schedules at most.
const MOST: usize = 64;
const INTERRUPTED: &str = "gaserad ended while the run was being started; see gaseractl runs";

/// What it needs to start runs.
pub(super) struct SchedulerParts {
    pub handle: Handle,
    pub control: Arc<dyn Control>,
    pub plans: Arc<dyn Plans>,
    pub clock: HostClock,
}

pub(super) struct Scheduler {
    means: Arc<SchedulerParts>,
    schedules: BTreeMap<String, Timed>,
    inbox: mpsc::Receiver<SchedulerRequest>,
    attempts: JoinSet<Attempt>,
}

/// A schedule and its times; none if it was kept by a version that understood it.
struct Timed {
    schedule: Schedule,
    times: Option<Times>,
}

impl Timed {
    fn new(schedule: Schedule) -> Self {
        let times = Times::parse(&schedule.cron, &schedule.zone);
        if let Err(error) = &times {
            tracing::error!("schedule {} starts nothing: {error}", schedule.name);
        }
        Self { schedule, times: times.ok() }
    }

    fn next(&self) -> Option<Utc> {
        let times = self.times.as_ref().filter(|_| self.schedule.enabled)?;
        times.after(self.schedule.decided)
    }
}

impl Scheduler {
    /// Minds these schedules until it is told to stop, or the runtime has ended.
    pub fn start(
        means: SchedulerParts,
        schedules: Vec<Schedule>,
        stop: CancellationToken,
    ) -> (SchedulerQueue, JoinHandle<()>) {
        let (desk, inbox) = SchedulerQueue::new();
        let schedules = schedules.into_iter().map(|schedule| (schedule.name.clone(), Timed::new(schedule))).collect();
        let minding = Self { means: Arc::new(means), schedules, inbox, attempts: JoinSet::new() };
        (desk, tokio::spawn(minding.run(stop)))
    }

    async fn run(mut self, stop: CancellationToken) {
        let minded = async {
            self.settle_interrupted().await?;
            loop {
                self.look().await?;
                self.once().await?;
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            ended = minded => {
                // The runtime answers nobody any more.
                let _: Result<(), Denied> = ended;
            }
        }
    }

    /// Waits for what comes next, and does that.
    async fn once(&mut self) -> Result<(), Denied> {
        let now = self.means.clock.now();
        let look = self.means.clock.inside(LOOK);
        let wait =
            self.schedules.values().filter_map(Timed::next).map(|next| until(now.utc, next)).fold(look, Duration::min);
        let clock = self.means.clock.clone();
        tokio::select! {
            biased;
            Some(request) = self.inbox.recv() => self.serve(request).await,
            Some(ended) = self.attempts.join_next() => match ended {
                Ok(attempt) => self.ended(attempt).await,
                Err(error) => {
                    tracing::error!(%error, "an attempt to start a scheduled run broke");
                    Ok(())
                }
            },
            () = clock.sleep_until(now.tick + wait) => Ok(()),
        }
    }

    /// Decides on every time that has come.
    async fn look(&mut self) -> Result<(), Denied> {
        let now = self.means.clock.now().utc;
        let on_time = ON_TIME.max(self.means.clock.inside(ON_TIME_OUTSIDE));
        for name in self.schedules.keys().cloned().collect::<Vec<_>>() {
            let Some(Timed { schedule, times: Some(times) }) = self.schedules.get(&name) else { continue };
            if reckon_from(schedule.decided, now) < schedule.decided {
                self.clock_went_back(&name, now).await?;
            } else if let Some(decision) = decide(schedule, times, now, on_time) {
                self.act(&name, decision).await?;
            }
        }
        Ok(())
    }

    async fn clock_went_back(&mut self, name: &str, now: Utc) -> Result<(), Denied> {
        let Some(timed) = self.schedules.get_mut(name) else { return Ok(()) };
        let text = format!(
            "the clock of this machine went back from {} or later to {now}; the times of schedule {name} are reckoned anew \
             from now, and some may come again",
            timed.schedule.decided
        );
        timed.schedule.decided = now;
        let alarm = alarm(Severity::Warning, "schedule_clock", &text);
        let batch = Batch { facts: vec![kept(&timed.schedule)], events: vec![alarm], ..Batch::default() };
        self.means.handle.keep(batch).await
    }

    async fn act(&mut self, name: &str, decision: Decision) -> Result<(), Denied> {
        let Some(timed) = self.schedules.get_mut(name) else { return Ok(()) };
        let schedule = &mut timed.schedule;
        schedule.decided = decision.due;
        if schedule.last.as_ref().is_some_and(|last| last.result.is_empty()) {
            let text = "skipped: the run of the time before is still being started";
            let mut batch = said(schedule, ScheduleChange::Skipped, Some(decision.due), text);
            batch.events.push(alarm(Severity::Warning, "schedule_skipped", &format!("schedule {name}: {text}")));
            return self.means.handle.keep(batch).await;
        }
        let (change, text) = words(&decision);
        let fires = decision.verdict == Ruling::Fire;
        let result = if fires { String::new() } else { text.clone() };
        schedule.last = Some(Fired { due: decision.due, result });
        let mut batch = said(schedule, change, Some(decision.due), &text);
        if !fires || decision.passed > 0 || decision.late > ON_TIME.max(self.means.clock.inside(ON_TIME_OUTSIDE)) {
            let text = format!("schedule {name}: {text}");
            batch.events.push(alarm(Severity::Warning, "schedule_missed", &text));
        }
        let schedule = schedule.clone();
        self.means.handle.keep(batch).await?;
        if fires {
            let firing = Firing { schedule, due: decision.due };
            self.attempts.spawn(firing.attempt(self.means.clone()));
        }
        Ok(())
    }

    /// Keeps and tells what came of it.
    async fn ended(&mut self, attempt: Attempt) -> Result<(), Denied> {
        let Attempt { schedule, due, change, run, text, code } = attempt;
        // It may have been changed or removed meanwhile.
        let current = self.schedules.get_mut(&schedule.name).map(|timed| &mut timed.schedule);
        let current = current.filter(|current| current.last.as_ref().is_some_and(|last| last.due == due));
        let facts = current.map(|current| {
            current.last = Some(Fired { due, result: text.clone() });
            kept(current)
        });
        let mut batch = said(&schedule, change, Some(due), &text);
        batch.facts = facts.into_iter().collect();
        if let Some(Event::ScheduleUpdated(update)) = batch.events.first_mut() {
            update.run_id = run;
        }
        if let Some((severity, code)) = code {
            let text = format!("schedule {}: {text}", schedule.name);
            batch.events.push(alarm(severity, code, &text));
        }
        self.means.handle.keep(batch).await
    }

    /// The last process ended before it knew what came of a start.
    async fn settle_interrupted(&mut self) -> Result<(), Denied> {
        for timed in self.schedules.values_mut() {
            let schedule = &mut timed.schedule;
            let Some(last) = schedule.last.as_mut().filter(|last| last.result.is_empty()) else { continue };
            last.result = INTERRUPTED.into();
            let due = last.due;
            let mut batch = said(schedule, ScheduleChange::Failed, Some(due), INTERRUPTED);
            let text = format!("schedule {}: {INTERRUPTED}", schedule.name);
            batch.events.push(alarm(Severity::Warning, "schedule_interrupted", &text));
            self.means.handle.keep(batch).await?;
        }
        Ok(())
    }
}

fn kept(schedule: &Schedule) -> Fact {
    Fact::Scheduled(Box::new(schedule.clone()))
}

fn alarm(severity: Severity, code: &str, text: &str) -> Event {
    Event::Alarm { severity, code: code.into(), text: text.into(), run_id: None }
}

/// The schedule as it is now, with what is told of that.
fn said(schedule: &Schedule, change: ScheduleChange, due: Option<Utc>, text: &str) -> Batch {
    let who = schedule.person();
    let audit = Audit { who: who.clone(), what: word(change).to_owned(), result: text.to_owned() };
    let (name, text) = (schedule.name.clone(), text.to_owned());
    let update = ScheduleUpdate { schedule: name, change, who, due, run_id: None, text };
    let events = vec![Event::ScheduleUpdated(update)];
    Batch { facts: vec![kept(schedule)], events, audit: vec![audit], ..Batch::default() }
}

const fn word(change: ScheduleChange) -> &'static str {
    match change {
        ScheduleChange::Added => "schedule add",
        ScheduleChange::Removed => "schedule rm",
        ScheduleChange::Enabled => "schedule enable",
        ScheduleChange::Disabled => "schedule disable",
        ScheduleChange::Fired => "fired",
        ScheduleChange::Started => "started",
        ScheduleChange::Skipped => "skipped",
        ScheduleChange::Missed => "missed",
        ScheduleChange::Failed => "failed",
    }
}

fn words(decision: &Decision) -> (ScheduleChange, String) {
    let Decision { due, passed, late, verdict } = decision;
    let before = match passed {
        0 => String::new(),
        1 => ", and one time before it passed".to_owned(),
        passed => format!(", and {passed} times before it passed"),
    };
    let late_by = duration::format(Duration::from_secs(late.as_secs()));
    match verdict {
        Ruling::Fire if late.as_secs() == 0 => (ScheduleChange::Fired, format!("due at {due}{before}")),
        Ruling::Fire => (ScheduleChange::Fired, format!("due at {due}, begins {late_by} late{before}")),
        Ruling::Missed => {
            (ScheduleChange::Missed, format!("missed: it was due at {due}, and {late_by} later is too late{before}"))
        }
    }
}

fn until(now: Utc, next: Utc) -> Duration {
    Duration::from_micros(u64::try_from(next.as_micros() - now.as_micros()).unwrap_or(0))
}
