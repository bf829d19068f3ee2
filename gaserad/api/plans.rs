//! Plans over gRPC: as they are asked for call by call, and in files.

use super::control::{PlanMistake, PlanText};
use super::{Services, convert};
use crate::domain::{Begins, Denied, Multiple, Plan, PlanDraft, PlanRequest, Reason, RunId, Started, TimelineEntry};
use crate::proto;

/// The most phases that a timeline tells; a longer plan is told by its first repeats.
const TIMELINE_LIMIT: usize = 5000;

pub struct Planning<'a>(pub &'a Services);

impl Planning<'_> {
    /// The plan that is asked for, be it over a file.
    pub async fn plan(&self, asked: Option<proto::PlanRequest>, file: Option<proto::PlanFile>) -> Result<Plan, Denied> {
        let defaults = self.0.control.plan_draft();
        let asked = convert::plan(asked.unwrap_or_default(), defaults.channel_count)?;
        let Some(file) = file else {
            // Whoever names neither channels nor a plan has forgotten something.
            let channels = Some(asked.channels.clone().unwrap_or_default());
            return Ok(PlanRequest { channels, ..asked }.plan(defaults)?);
        };
        let file = self.text(file).await?;
        let held_against = PlanDraft { sync: asked.sync.unwrap_or(defaults.sync), ..defaults.clone() };
        let written = self.0.plans.read(&file.text, &held_against).map_err(|mistakes| invalid(&file, &mistakes))?;
        let operator = written.operator.clone().or(asked.operator.clone());
        Ok(PlanRequest { operator, ..asked.over(written) }.plan(defaults)?)
    }

    pub async fn check(&self, file: proto::PlanFile) -> Result<proto::CheckPlanResponse, Denied> {
        let file = self.text(file).await?;
        Ok(match self.of_file(&file) {
            Ok(plan) => proto::CheckPlanResponse {
                mistakes: Vec::new(),
                plan: Some(convert::plan_out(&plan)),
                total_ms: convert::millis(plan.total()),
                timeline: timeline(&plan).iter().map(convert::timeline_entry).collect(),
                end_utc: self.end(&plan),
                name: file.path,
            },
            Err(mistakes) => {
                let mistakes = mistakes.into_iter().map(mistake_out).collect();
                proto::CheckPlanResponse { mistakes, name: file.path, ..Default::default() }
            }
        })
    }

    pub async fn list(&self) -> Result<proto::ListPlansResponse, Denied> {
        let kept = self.0.plans.list().await?;
        Ok(proto::ListPlansResponse { plans: kept.into_iter().map(|file| self.stored(file)).collect() })
    }

    fn stored(&self, file: PlanText) -> proto::StoredPlan {
        let (plan, mistakes) = match self.of_file(&file) {
            Ok(plan) => (Some(plan), 0),
            Err(mistakes) => (None, u32::try_from(mistakes.len()).unwrap_or(u32::MAX)),
        };
        proto::StoredPlan {
            name: file.name,
            path: file.path,
            mistakes,
            total_ms: plan.as_ref().map_or(0, |plan| convert::millis(plan.total())),
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

    pub fn started(&self, plan: &Plan, started: Started) -> proto::StartMeasurementResponse {
        let (begins_utc, end_utc) = match started.when {
            Begins::Now => (String::new(), self.end(plan)),
            Begins::Next => Default::default(),
            Begins::At(begins) => (begins.to_string(), (begins + plan.total()).to_string()),
        };
        proto::StartMeasurementResponse {
            run_id: started.run.0,
            plan: Some(convert::plan_out(plan)),
            total_ms: convert::millis(plan.total()),
            timeline: Vec::new(),
            end_utc,
            queued: started.when != Begins::Now,
            begins_utc,
        }
    }

    /// What would come of a start now.
    pub fn dry_run(&self, plan: &Plan, align: Option<Multiple>) -> proto::StartMeasurementResponse {
        let now = self.0.clock.now().utc;
        let when = align.map_or(Begins::Now, |multiple| Begins::At(multiple.next(now)));
        let nothing = self.started(plan, Started { run: RunId(String::new()), when });
        let timeline = timeline(plan).iter().map(convert::timeline_entry).collect();
        proto::StartMeasurementResponse { timeline, queued: false, ..nothing }
    }

    /// When the plan would be through if it began now.
    fn end(&self, plan: &Plan) -> String {
        (self.0.clock.now().utc + self.0.clock.outside(plan.total())).to_string()
    }
}

fn mistake_out(mistake: PlanMistake) -> proto::PlanMistake {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    proto::PlanMistake { line: number(mistake.line), column: number(mistake.column), text: mistake.text }
}

/// A line for each mistake, with its place where it has one.
fn invalid(file: &PlanText, mistakes: &[PlanMistake]) -> Denied {
    let lines = mistakes.iter().map(|PlanMistake { line, column, text }| match line {
        0 => format!("{}: {text}", file.path),
        line => format!("{}:{line}:{column}: {text}", file.path),
    });
    Denied::new(Reason::PlanInvalid, lines.collect::<Vec<_>>().join("\n"))
}

/// The phases of a plan, of as many whole repeats as can be told.
pub fn timeline(plan: &Plan) -> Vec<TimelineEntry> {
    let mut told = plan.clone();
    let per_repeat = plan.stops().len() * 3 + 1;
    let repeats = u32::try_from(TIMELINE_LIMIT / per_repeat).unwrap_or(u32::MAX).max(1);
    told.repeats = plan.repeats.min(repeats);
    let mut entries = told.timeline();
    if told.repeats < plan.repeats {
        // What closes the last repeat told does not close the plan.
        entries.pop();
    }
    entries
}
