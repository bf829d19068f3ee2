//! Plans in files, over gRPC.

use super::*;

#[expect(clippy::unnecessary_wraps, reason = "it stands where there may be none")]
fn file(name: &str, toml: Option<&str>) -> Option<proto::PlanFile> {
    Some(proto::PlanFile { name: name.into(), toml: toml.map(Into::into) })
}

#[tokio::test]
async fn what_is_asked_for_call_by_call_counts_more_than_the_file() {
    let daemon = Daemon::start().await;
    let mut client = daemon.grpc().await;
    let plan = proto::PlanRequest { channels: "3".into(), operator: "ada".into(), ..Default::default() };
    let request = StartMeasurementRequest { plan: Some(plan), file: file("a.toml", Some("5")), ..Default::default() };
    let started = client.start_measurement(request).await.unwrap().into_inner();
    let plan = started.plan.unwrap();
    assert_eq!((plan.channels.as_str(), plan.repeats, plan.operator.as_str()), ("3", Some(5), "bob"));
    let asked = daemon.measuring.asked.lock().unwrap().clone();
    assert!(asked[0].starts_with("start 5 by ada (user "), "{asked:?}");
    let dry = StartMeasurementRequest { file: file("weekly", None), dry_run: true, ..Default::default() };
    let told = client.start_measurement(dry).await.unwrap().into_inner();
    assert_eq!((told.plan.unwrap().repeats, told.timeline.is_empty()), (Some(7), false));
    let forgotten = client.start_measurement(StartMeasurementRequest::default()).await.unwrap_err();
    assert!(forgotten.message().starts_with("no channel is selected"), "{forgotten}");
}

#[tokio::test]
async fn a_file_with_mistakes_starts_nothing_and_they_are_told_line_by_line() {
    let daemon = Daemon::start().await;
    let mut client = daemon.grpc().await;
    let request = StartMeasurementRequest { file: file("a.toml", Some("x")), ..Default::default() };
    let error = client.start_measurement(request).await.unwrap_err();
    assert_eq!(error.message(), "a.toml:2:2: no number\na.toml: nothing else");
    assert_eq!(error.get_details_error_info().unwrap().reason, "PLAN_INVALID");
    let checked = client.check_plan(proto::CheckPlanRequest { file: file("a.toml", Some("x")) }).await.unwrap();
    let checked = checked.into_inner();
    assert_eq!((checked.mistakes.len(), checked.plan, checked.total_ms), (2, None, 0));
    assert_eq!((checked.mistakes[0].line, checked.mistakes[0].text.as_str()), (2, "no number"));
    assert!(daemon.measuring.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn plans_are_found_and_listed_by_name() {
    let daemon = Daemon::start().await;
    let mut client = daemon.grpc().await;
    let checked = client.check_plan(proto::CheckPlanRequest { file: file("weekly", None) }).await.unwrap().into_inner();
    assert_eq!((checked.name.as_str(), checked.mistakes.len()), ("/plans/weekly.toml", 0));
    assert!(checked.total_ms > 0 && !checked.timeline.is_empty() && checked.end_utc > NOW.to_string());
    let listed = client.list_plans(proto::ListPlansRequest {}).await.unwrap().into_inner().plans;
    let told: Vec<_> = listed.iter().map(|plan| (plan.name.as_str(), plan.mistakes, plan.plan.is_some())).collect();
    assert_eq!(told, [("broken", 2, false), ("weekly", 0, true)]);
    let unknown = client.check_plan(proto::CheckPlanRequest { file: file("daily", None) }).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    assert_eq!(unknown.get_details_error_info().unwrap().reason, "PLAN_UNKNOWN");
}
