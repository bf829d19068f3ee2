//! Schedules over gRPC.

use super::*;
use crate::api::{Listed, NewSchedule, Schedules};
use crate::domain::{Schedule, Utc};
use crate::proto::schedule_service_client::ScheduleServiceClient;

/// There are none but the one that is asked for.
impl Schedules for Shelf {
    fn list(&self, _: u32) -> BoxFuture<'_, Result<Vec<Listed>, Denied>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn add(&self, new: NewSchedule, who: String, count: u32) -> BoxFuture<'_, Result<Listed, Denied>> {
        let NewSchedule { name, cron, zone, plan, overlap, misfire, grace, enabled, .. } = new;
        let (decided, last) = (Utc::default(), None);
        let schedule = Schedule { name, cron, zone, plan, overlap, misfire, grace, enabled, who, decided, last };
        let next = (0..count).map(|_| (Utc::from_micros(0), "local".to_owned())).collect();
        Box::pin(async { Ok(Listed { schedule, next }) })
    }

    fn remove(&self, name: String, _: String) -> BoxFuture<'_, Result<(), Denied>> {
        Box::pin(async move { Err(Denied::new(Reason::ScheduleUnknown, format!("there is no schedule {name}"))) })
    }

    fn enable(&self, name: String, _: bool, _: String, _: u32) -> BoxFuture<'_, Result<Listed, Denied>> {
        Box::pin(async move { Err(Denied::new(Reason::ScheduleUnknown, format!("there is no schedule {name}"))) })
    }
}

#[tokio::test]
async fn a_schedule_is_added_with_its_defaults_if_its_plan_can_be_run() {
    let daemon = Daemon::start().await;
    let mut client = ScheduleServiceClient::new(daemon.channel().await);
    assert!(
        client.list_schedules(proto::ListSchedulesRequest::default()).await.unwrap().into_inner().schedules.is_empty()
    );
    let asked =
        proto::Schedule { name: "night".into(), cron: "0 2 * * *".into(), plan: "weekly".into(), ..Default::default() };
    let request =
        proto::AddScheduleRequest { schedule: Some(asked.clone()), operator: "ada".into(), ..Default::default() };
    let added = client.add_schedule(request).await.unwrap().into_inner().schedule.unwrap();
    assert_eq!(
        (added.zone.as_str(), added.overlap(), added.misfire()),
        ("UTC", proto::Overlap::Skip, proto::Misfire::Run)
    );
    assert_eq!((added.grace_ms, added.next.len(), added.next[0].local.as_str()), (Some(600_000), 3, "local"));
    assert!(added.who.starts_with("ada (user "), "{}", added.who);
    let unknown = proto::Schedule { plan: "monthly".into(), ..asked };
    let request = proto::AddScheduleRequest { schedule: Some(unknown), ..Default::default() };
    let refused = client.add_schedule(request).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.get_details_error_info().unwrap().reason.as_str()),
        (Code::NotFound, "PLAN_UNKNOWN")
    );
}

#[tokio::test]
async fn a_schedule_that_is_not_there_is_not_found() {
    let daemon = Daemon::start().await;
    let request = proto::RemoveScheduleRequest { name: "night".into(), ..Default::default() };
    let refused = ScheduleServiceClient::new(daemon.channel().await).remove_schedule(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    assert_eq!(refused.get_details_error_info().unwrap().reason, "SCHEDULE_UNKNOWN");
    let request = proto::SetScheduleEnabledRequest { name: "night".into(), ..Default::default() };
    assert_eq!(
        ScheduleServiceClient::new(daemon.channel().await).set_schedule_enabled(request).await.unwrap_err().code(),
        Code::NotFound
    );
}
