//! Plans over gRPC and HTTP: as they are asked for call by call, and in files.

use std::time::Duration;

use super::auth::Caller;
use super::control::{PlanMistake, PlanText};
use super::{Services, convert};
use crate::domain::{
    Begins, Denied, Multiple, Pace, Plan, PlanDraft, PlanError, PlanRequest, Reason, RunId, StartRequest, Started,
    Sync, TimelineEntry, duration,
};
use crate::proto;

/// The most phases that a timeline tells; a longer plan is told by its first repeats.
const TIMELINE_LIMIT: usize = 5000;

pub struct Planning<'a>(pub &'a Services);

/// Why nothing is started.
pub enum Wrong {
    /// The file of the plan, as mistakes call it, and what is wrong in it.
    File(String, Vec<PlanMistake>),
    Plan(PlanError),
    Denied(Denied),
}

impl From<PlanError> for Wrong {
    fn from(error: PlanError) -> Self {
        Self::Plan(error)
    }
}

impl From<Denied> for Wrong {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl From<Wrong> for Denied {
    fn from(wrong: Wrong) -> Self {
        match wrong {
            Wrong::File(path, mistakes) => invalid(&path, &mistakes),
            Wrong::Plan(error) => error.into(),
            Wrong::Denied(denied) => denied,
        }
    }
}

impl Planning<'_> {
    /// Starts what is asked for, or only tells what would come of it.
    pub async fn start(
        &self,
        request: proto::StartMeasurementRequest,
        caller: &Caller,
    ) -> Result<proto::StartMeasurementResponse, Wrong> {
        if request.dry_run {
            return self.dry_run_of(request).await;
        }
        let (if_measuring, if_busy) = (convert::if_measuring(request.if_measuring()), request.if_busy());
        let who = caller.named(request.plan.as_ref().map_or("", |plan| plan.operator.as_str()));
        let align = convert::align(request.align_ms)?.map(Multiple::length);
        let plan = self.plan(request.plan, request.file).await?;
        let (ignore_errors, queue) = (request.ignore_errors, if_busy == proto::IfBusy::Wait);
        let start = StartRequest { ignore_errors, if_measuring, align, queue, ..StartRequest::new(plan.clone(), who) };
        let started = self.0.control.start(start).await?;
        Ok(self.started(&plan, started).await)
    }

    /// What would come of a start.
    pub async fn dry_run_of(
        &self,
        request: proto::StartMeasurementRequest,
    ) -> Result<proto::StartMeasurementResponse, Wrong> {
        let multiple = convert::align(request.align_ms)?;
        let plan = self.plan(request.plan, request.file).await?;
        Ok(self.dry_run(&plan, multiple).await)
    }

    /// The plan that is asked for, be it over a file.
    pub async fn plan(&self, asked: Option<proto::PlanRequest>, file: Option<proto::PlanFile>) -> Result<Plan, Wrong> {
        let defaults = self.0.control.plan_draft();
        let asked = convert::plan(asked.unwrap_or_default(), defaults.channel_count)?;
        let Some(file) = file else {
            // Whoever names neither channels nor a plan has forgotten something.
            let channels = Some(asked.channels.clone().unwrap_or_default());
            return Ok(PlanRequest { channels, ..asked }.plan(defaults)?);
        };
        let file = self.text(file).await?;
        let held_against = PlanDraft { sync: asked.sync.unwrap_or(defaults.sync), ..defaults.clone() };
        let written = self.0.plans.read(&file.text, &held_against);
        let written = written.map_err(|mistakes| Wrong::File(file.path, mistakes))?;
        let operator = written.operator.clone().or(asked.operator.clone());
        Ok(PlanRequest { operator, ..asked.over(written) }.plan(defaults)?)
    }

    pub async fn check(&self, file: proto::PlanFile) -> Result<proto::CheckPlanResponse, Denied> {
        let file = self.text(file).await?;
        let pace = self.pace().await;
        Ok(match self.of_file(&file) {
            Ok(plan) => proto::CheckPlanResponse {
                mistakes: Vec::new(),
                plan: Some(convert::plan_out(&plan)),
                total_ms: convert::millis(plan.total(reckoned(pace))),
                timeline: timeline(&plan, reckoned(pace)).iter().map(convert::timeline_entry).collect(),
                end_utc: self.end(&plan, reckoned(pace)),
                name: file.path,
                pace: assumption(&plan, pace),
            },
            Err(mistakes) => {
                let mistakes = mistakes.into_iter().map(mistake_out).collect();
                proto::CheckPlanResponse { mistakes, name: file.path, ..Default::default() }
            }
        })
    }

    pub async fn list(&self) -> Result<proto::ListPlansResponse, Denied> {
        let kept = self.0.plans.list().await?;
        let pace = reckoned(self.pace().await);
        Ok(proto::ListPlansResponse { plans: kept.into_iter().map(|file| self.stored(file, pace)).collect() })
    }

    fn stored(&self, file: PlanText, pace: Pace) -> proto::StoredPlan {
        let (plan, mistakes) = match self.of_file(&file) {
            Ok(plan) => (Some(plan), 0),
            Err(mistakes) => (None, u32::try_from(mistakes.len()).unwrap_or(u32::MAX)),
        };
        proto::StoredPlan {
            name: file.name,
            path: file.path,
            mistakes,
            total_ms: plan.as_ref().map_or(0, |plan| convert::millis(plan.total(pace))),
            plan: plan.as_ref().map(convert::plan_out),
        }
    }

    fn of_file(&self, file: &PlanText) -> Result<Plan, Vec<PlanMistake>> {
        let defaults = self.0.control.plan_draft();
        let request = self.0.plans.read(&file.text, &defaults)?;
        let as_a_whole = |text: String| vec![PlanMistake { line: 0, column: 0, text }];
        request.plan(defaults).map_err(|error| as_a_whole(error.to_string()))
    }

    /// The text that was sent, or that is kept under the name.
    async fn text(&self, file: proto::PlanFile) -> Result<PlanText, Denied> {
        match file.toml {
            Some(text) => Ok(PlanText { path: file.name.clone(), name: file.name, text }),
            None => self.0.plans.find(file.name).await,
        }
    }

    /// How fast the analyzer measures, if that was seen.
    async fn pace(&self) -> Option<Pace> {
        self.0.control.status().await.analyzer.pace
    }

    /// What is answered to a start.
    async fn started(&self, plan: &Plan, started: Started) -> proto::StartMeasurementResponse {
        let seen = self.pace().await;
        let pace = reckoned(seen);
        let (begins_utc, end_utc) = match started.when {
            Begins::Now => (String::new(), self.end(plan, pace)),
            Begins::Next => Default::default(),
            Begins::At(begins) => (begins.to_string(), (begins + plan.total(pace)).to_string()),
        };
        proto::StartMeasurementResponse {
            run_id: started.run.0,
            plan: Some(convert::plan_out(plan)),
            total_ms: convert::millis(plan.total(pace)),
            timeline: Vec::new(),
            end_utc,
            queued: started.when != Begins::Now,
            begins_utc,
            pace: assumption(plan, seen),
        }
    }

    /// What would come of a start now, phase by phase.
    async fn dry_run(&self, plan: &Plan, align: Option<Multiple>) -> proto::StartMeasurementResponse {
        let now = self.0.clock.now().utc;
        let when = align.map_or(Begins::Now, |multiple| Begins::At(multiple.next(now)));
        let nothing = self.started(plan, Started { run: RunId(String::new()), when }).await;
        let told = timeline(plan, reckoned(self.pace().await));
        let timeline = told.iter().map(convert::timeline_entry).collect();
        proto::StartMeasurementResponse { timeline, queued: false, ..nothing }
    }

    /// When the plan would be through if it began now.
    fn end(&self, plan: &Plan, pace: Pace) -> String {
        (self.0.clock.now().utc + plan.total(pace)).to_string()
    }
}

fn reckoned(seen: Option<Pace>) -> Pace {
    seen.unwrap_or(Pace::ASSUMED)
}

/// What the estimate rests on; with fixed timings, on the plan alone.
fn assumption(plan: &Plan, seen: Option<Pace>) -> String {
    let tenth = |pace: Pace| Duration::from_millis(u64::try_from(pace.iteration.as_millis() / 100 * 100).unwrap_or(0));
    match (plan.sync, seen) {
        (Sync::Dwell, _) => String::new(),
        (Sync::Analyzer, Some(pace)) => {
            format!("reckoned with iterations of {}, as the analyzer made them last", duration::format(tenth(pace)))
        }
        (Sync::Analyzer, None) => {
            format!("iterations of {} are assumed: none was seen yet", duration::format(Pace::ASSUMED.iteration))
        }
    }
}

fn mistake_out(mistake: PlanMistake) -> proto::PlanMistake {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    proto::PlanMistake { line: number(mistake.line), column: number(mistake.column), text: mistake.text }
}

/// A line for each mistake, with its place where it has one.
fn invalid(path: &str, mistakes: &[PlanMistake]) -> Denied {
    let lines = mistakes.iter().map(|PlanMistake { line, column, text }| match line {
        0 => format!("{path}: {text}"),
        line => format!("{path}:{line}:{column}: {text}"),
    });
    Denied::new(Reason::PlanInvalid, lines.collect::<Vec<_>>().join("\n"))
}

/// The phases of a plan, of as many whole repeats as can be told.
fn timeline(plan: &Plan, pace: Pace) -> Vec<TimelineEntry> {
    let mut told = plan.clone();
    let per_repeat = plan.stops().len() * 3 + 1;
    let repeats = u32::try_from(TIMELINE_LIMIT / per_repeat).unwrap_or(u32::MAX).max(1);
    told.repeats = plan.repeats.min(repeats);
    let mut entries = told.timeline(pace);
    if told.repeats < plan.repeats {
        // What closes the last repeat told does not close the plan.
        entries.pop();
    }
    entries
}
