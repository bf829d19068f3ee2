//! One attempt to start a scheduled run, and what came of it.

use std::sync::Arc;
use std::time::Duration;

use super::SchedulerParts;
use crate::domain::event::ScheduleChange;
use crate::domain::{
    Begins, Clock, Denied, Misfire, Overlap, Plan, PlanRequest, Reason, RunId, Schedule, Severity, StartRequest,
    Started, Utc,
};

pub(super) struct Firing {
    pub schedule: Schedule,
    pub due: Utc,
}

pub(super) struct Attempt {
    pub schedule: Schedule,
    pub due: Utc,
    pub change: ScheduleChange,
    pub run: Option<RunId>,
    pub text: String,
    /// Of the alarm, if there is to be one.
    pub code: Option<(Severity, &'static str)>,
}

impl Firing {
    pub async fn attempt(self, means: Arc<SchedulerParts>) -> Attempt {
        let Self { schedule, due } = self;
        let started = start(&schedule, due, &means).await;
        let (change, run, text, code) = match started {
            Ok(Started { run, when }) => {
                let text = match when {
                    Begins::Now => format!("started run {run}"),
                    Begins::Next | Begins::At(_) => format!("run {run} waits until the one under way is over"),
                };
                (ScheduleChange::Started, Some(run), text, None)
            }
            Err(denied) if schedule.overlap != Overlap::Fail && is_busy(&denied) => {
                let code = (Severity::Warning, "schedule_skipped");
                (ScheduleChange::Skipped, None, format!("skipped: {denied}"), Some(code))
            }
            Err(denied) => {
                let code = (Severity::Blocker, "schedule_failed");
                (ScheduleChange::Failed, None, format!("could not start the run: {denied}"), Some(code))
            }
        };
        Attempt { schedule, due, change, run, text, code }
    }
}

fn is_busy(denied: &Denied) -> bool {
    matches!(denied.reason, Reason::RunUnderWay | Reason::AnalyzerBusy)
}

/// How often it is looked whether the analyzer is there.
const LOOK: Duration = Duration::from_secs(10);

async fn start(schedule: &Schedule, due: Utc, means: &SchedulerParts) -> Result<Started, Denied> {
    let who = schedule.person();
    let plan = plan(schedule, means, &who).await?;
    if schedule.misfire == Misfire::Run {
        until_online(means, due + schedule.grace).await?;
    }
    let queue = schedule.overlap == Overlap::Wait;
    if queue {
        one_waits(means, &who).await?;
    }
    means.control.start(StartRequest { queue, ..StartRequest::new(plan, who) }).await
}

/// An analyzer that is away, as each is when gaserad has just begun, is waited for as long as a run may be late.
async fn until_online(means: &SchedulerParts, latest: Utc) -> Result<(), Denied> {
    loop {
        let now = means.clock.now();
        if now.utc + LOOK > latest || means.handle.status().await?.analyzer.online {
            return Ok(());
        }
        means.clock.sleep_until(now.tick + LOOK).await;
    }
}

/// Runs that take longer than from one time to the next must not pile up.
async fn one_waits(means: &SchedulerParts, who: &str) -> Result<(), Denied> {
    let status = means.handle.status().await?;
    match status.queued.iter().find(|queued| queued.who == who) {
        None => Ok(()),
        Some(queued) => {
            let text = format!("run {} of the time before still waits", queued.run_id);
            Err(Denied::new(Reason::RunUnderWay, text))
        }
    }
}

/// As it is now: whoever changes the file changes what is started next.
async fn plan(schedule: &Schedule, means: &SchedulerParts, who: &str) -> Result<Plan, Denied> {
    let file = means.plans.find(schedule.plan.clone()).await?;
    let defaults = means.control.plan_draft();
    let invalid = |text: String| Denied::new(Reason::PlanInvalid, format!("{}: {text}", file.path));
    let mistakes = |mistakes: Vec<crate::api::PlanMistake>| {
        let first = mistakes.into_iter().next();
        invalid(first.map_or_else(String::new, |mistake| format!("line {}: {}", mistake.line, mistake.text)))
    };
    let written = means.plans.read(&file.text, &defaults).map_err(mistakes)?;
    let operator = written.operator.clone().or_else(|| Some(who.to_owned()));
    PlanRequest { operator, ..written }.plan(defaults).map_err(|error| invalid(error.to_string()))
}
