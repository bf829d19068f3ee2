//! Schedules over gRPC and HTTP: translated, asked for, translated back.

use std::time::Duration;

use axum::extract::State;
use serde_json::{Value, json};
use tonic::{Request, Response, Status};

use super::answer::{Problem, Told};
use super::control::{Listed, NewSchedule};
use super::document::ScheduleList;
use super::operation::Endpoint;
use super::{Services, convert, grpc, plans};
use crate::domain::{Denied, Misfire, Overlap, Reason};
use crate::proto;
use crate::proto::schedule_service_server::ScheduleService;

/// So many times are told of one schedule at most.
const MOST_TIMES: u32 = 100;
/// What is told of a schedule that was just changed.
const FEW_TIMES: u32 = 3;
const GRACE: Duration = Duration::from_secs(10 * 60);
const LONGEST_GRACE: Duration = Duration::from_secs(24 * 60 * 60);
const LONGEST_NAME: usize = 64;

pub struct Scheduling {
    services: Services,
}

impl Scheduling {
    pub fn new(services: Services) -> Self {
        Self { services }
    }

    /// A plan that cannot be run now will not be at night.
    async fn check(&self, plan: &str) -> Result<(), Denied> {
        let file = proto::PlanFile { name: plan.to_owned(), toml: None };
        plans::Planning(&self.services).plan(None, Some(file)).await.map(drop).map_err(Denied::from)
    }
}

type Answered<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl ScheduleService for Scheduling {
    async fn list_schedules(
        &self,
        request: Request<proto::ListSchedulesRequest>,
    ) -> Answered<proto::ListSchedulesResponse> {
        let count = request.into_inner().next.clamp(1, MOST_TIMES);
        let listed = self.services.schedules.list(count).await.map_err(convert::status)?;
        Ok(Response::new(proto::ListSchedulesResponse { schedules: listed.into_iter().map(out).collect() }))
    }

    async fn add_schedule(&self, request: Request<proto::AddScheduleRequest>) -> Answered<proto::AddScheduleResponse> {
        let who = grpc::who(&grpc::peer(&request), &request.get_ref().operator);
        let proto::AddScheduleRequest { schedule, replace, dry_run, .. } = request.into_inner();
        let asked = new(schedule.unwrap_or_default()).map_err(convert::status)?;
        self.check(&asked.plan).await.map_err(convert::status)?;
        let asked = NewSchedule { replace, dry_run, ..asked };
        let added = self.services.schedules.add(asked, who, FEW_TIMES).await.map_err(convert::status)?;
        Ok(Response::new(proto::AddScheduleResponse { schedule: Some(out(added)) }))
    }

    async fn remove_schedule(
        &self,
        request: Request<proto::RemoveScheduleRequest>,
    ) -> Answered<proto::RemoveScheduleResponse> {
        let who = grpc::who(&grpc::peer(&request), &request.get_ref().operator);
        self.services.schedules.remove(request.into_inner().name, who).await.map_err(convert::status)?;
        Ok(Response::new(proto::RemoveScheduleResponse {}))
    }

    async fn set_schedule_enabled(
        &self,
        request: Request<proto::SetScheduleEnabledRequest>,
    ) -> Answered<proto::SetScheduleEnabledResponse> {
        let who = grpc::who(&grpc::peer(&request), &request.get_ref().operator);
        let proto::SetScheduleEnabledRequest { name, enabled, .. } = request.into_inner();
        let schedules = &self.services.schedules;
        let changed = schedules.enable(name, enabled, who, FEW_TIMES).await.map_err(convert::status)?;
        Ok(Response::new(proto::SetScheduleEnabledResponse { schedule: Some(out(changed)) }))
    }
}

pub fn endpoints() -> Vec<Endpoint<Services>> {
    vec![Endpoint::get("/schedules", "list_schedules", "Lists the schedules and their next times", list)]
}

/// As `gaseractl schedule list --json` gives them.
async fn list(State(services): State<Services>) -> Result<Told<ScheduleList>, Problem> {
    let listed = services.schedules.list(1).await?;
    let schedules = listed.into_iter().map(|listed| proto::json::schedule(&out(listed)));
    Ok(Told::documented(&json!({ "schedules": schedules.collect::<Value>() })))
}

fn new(asked: proto::Schedule) -> Result<NewSchedule, Denied> {
    let invalid = |text: &str| Denied::new(Reason::RequestInvalid, text);
    let fine = |c: char| c.is_alphanumeric() || "._-".contains(c);
    if asked.name.is_empty() || asked.name.chars().count() > LONGEST_NAME || !asked.name.chars().all(fine) {
        let text = "a schedule needs a name of at most 64 letters, digits, dots, dashes and underscores";
        return Err(invalid(text));
    }
    if asked.plan.is_empty() {
        return Err(invalid("a schedule needs the name of a plan that the daemon keeps; see gaseractl plan list"));
    }
    let grace = asked.grace_ms.map_or(GRACE, Duration::from_millis);
    if grace > LONGEST_GRACE {
        return Err(invalid("a run can begin late by at most a day"));
    }
    let (overlap, misfire) = (overlap(asked.overlap()), misfire(asked.misfire()));
    let zone = if asked.zone.is_empty() { "UTC".to_owned() } else { asked.zone };
    let (replace, dry_run) = (false, false);
    let (name, cron, plan, enabled) = (asked.name, asked.cron, asked.plan, asked.enabled);
    Ok(NewSchedule { name, cron, zone, plan, overlap, misfire, grace, enabled, replace, dry_run })
}

const fn overlap(asked: proto::Overlap) -> Overlap {
    match asked {
        proto::Overlap::Unspecified | proto::Overlap::Skip => Overlap::Skip,
        proto::Overlap::Wait => Overlap::Wait,
        proto::Overlap::Fail => Overlap::Fail,
    }
}

const fn misfire(asked: proto::Misfire) -> Misfire {
    match asked {
        proto::Misfire::Unspecified | proto::Misfire::Run => Misfire::Run,
        proto::Misfire::Skip => Misfire::Skip,
    }
}

fn out(listed: Listed) -> proto::Schedule {
    let Listed { schedule, next } = listed;
    let overlap = match schedule.overlap {
        Overlap::Skip => proto::Overlap::Skip,
        Overlap::Wait => proto::Overlap::Wait,
        Overlap::Fail => proto::Overlap::Fail,
    };
    let misfire = match schedule.misfire {
        Misfire::Run => proto::Misfire::Run,
        Misfire::Skip => proto::Misfire::Skip,
    };
    let next = next.into_iter().map(|(utc, local)| proto::ScheduledTime { utc: utc.to_string(), local });
    let (last_due_utc, last_result) =
        schedule.last.map_or_else(Default::default, |last| (last.due.to_string(), last.result));
    proto::Schedule {
        name: schedule.name,
        cron: schedule.cron,
        zone: schedule.zone,
        plan: schedule.plan,
        overlap: overlap.into(),
        misfire: misfire.into(),
        grace_ms: Some(convert::millis(schedule.grace)),
        enabled: schedule.enabled,
        who: schedule.who,
        next: next.collect(),
        last_due_utc,
        last_result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_of_a_schedule_has_its_defaults() {
        let asked = proto::Schedule { name: "night".into(), plan: "weekly".into(), ..Default::default() };
        let asked = new(asked).unwrap();
        assert_eq!((asked.zone.as_str(), asked.overlap, asked.misfire), ("UTC", Overlap::Skip, Misfire::Run));
        assert_eq!((asked.grace, asked.enabled), (GRACE, false));
    }

    #[test]
    fn a_schedule_without_a_name_or_a_plan_is_refused() {
        for (name, plan) in [("", "weekly"), ("a b", "weekly"), ("../x", "weekly"), ("night", "")] {
            let asked = proto::Schedule { name: name.into(), plan: plan.into(), ..Default::default() };
            assert_eq!(new(asked).unwrap_err().reason, Reason::RequestInvalid, "{name:?} {plan:?}");
        }
        let late =
            proto::Schedule { name: "a".into(), plan: "b".into(), grace_ms: Some(90_000_000), ..Default::default() };
        assert!(new(late).is_err());
    }
}
