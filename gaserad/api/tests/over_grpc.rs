//! gRPC over the unix socket.

use super::*;

fn start_request(channels: &str) -> StartMeasurementRequest {
    let plan = proto::PlanRequest { channels: channels.into(), repeats: Some(3), ..Default::default() };
    StartMeasurementRequest { plan: Some(plan), ..Default::default() }
}

#[tokio::test]
async fn a_run_is_started_and_aborted_by_grpc() {
    let daemon = Daemon::start().await;
    let mut client = daemon.grpc().await;
    let started = client.start_measurement(start_request("1-2")).await.unwrap().into_inner();
    assert_eq!((started.run_id.as_str(), started.timeline.len()), ("01JRUN", 0));
    let plan = started.plan.unwrap();
    assert_eq!((plan.channels.as_str(), plan.purge_ms, plan.task.as_deref()), ("1-2", Some(6000), Some("DEFAULT")));
    let aborted = client.abort_measurement(proto::AbortMeasurementRequest::default()).await.unwrap().into_inner();
    assert_eq!(aborted.run_id, "01JRUN");
    let asked = daemon.measuring.asked.lock().unwrap().clone();
    assert!(asked[0].starts_with("start 3 by user ") && asked[1].starts_with("abort by user "), "{asked:?}");
}

#[tokio::test]
async fn a_run_is_controlled_by_grpc_and_it_is_known_by_whom() {
    let daemon = Daemon::start().await;
    let mut client = daemon.grpc().await;
    let operator = || "ada".to_owned();
    let paused = client.pause_measurement(proto::PauseMeasurementRequest { now: true, operator: operator() }).await;
    assert_eq!(paused.unwrap().into_inner().run_id, "01JRUN");
    client.resume_measurement(proto::ResumeMeasurementRequest { operator: operator() }).await.unwrap();
    client.skip_visit(proto::SkipVisitRequest { operator: operator() }).await.unwrap();
    let after = proto::FinishAfter::Repeat.into();
    client.finish_measurement(proto::FinishMeasurementRequest { after, operator: operator() }).await.unwrap();
    client.finish_measurement(proto::FinishMeasurementRequest { after: 0, operator: operator() }).await.unwrap();
    client.add_note(proto::AddNoteRequest { text: " window open\n".into(), operator: operator() }).await.unwrap();
    let asked = daemon.measuring.asked.lock().unwrap().clone();
    let words: Vec<&str> = asked.iter().map(|asked| asked.split_once(" by ada (user ").unwrap().0).collect();
    let expected =
        ["pause --now", "resume", "skip", "finish --after repeat", "finish --after channel", "note window open"];
    assert_eq!(words, expected);
}

#[tokio::test]
async fn a_note_says_something_and_is_refused_where_it_does_not() {
    let daemon = Daemon::start().await;
    let mut client = daemon.grpc().await;
    for text in [String::new(), " \n".into(), "x".repeat(10_001)] {
        let error = client.add_note(proto::AddNoteRequest { text, ..Default::default() }).await.unwrap_err();
        assert_eq!(error.get_details_error_info().unwrap().reason, "REQUEST_INVALID", "{error}");
    }
    assert!(daemon.measuring.asked.lock().unwrap().is_empty());
    daemon.deny(Reason::NotNow, "cannot skip: the run is ending already");
    let error = client.skip_visit(proto::SkipVisitRequest::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    assert_eq!(error.get_details_error_info().unwrap().reason, "NOT_NOW");
}

#[tokio::test]
async fn a_dry_run_tells_the_timeline_and_starts_nothing() {
    let daemon = Daemon::start().await;
    let request = StartMeasurementRequest { dry_run: true, ..start_request("1") };
    let answer = daemon.grpc().await.start_measurement(request).await.unwrap().into_inner();
    let phases: Vec<_> = answer.timeline.iter().map(|entry| entry.phase.as_str()).collect();
    assert_eq!(phases[..4], ["HOMING", "PURGING", "MEASURING", "HOMING"]);
    assert_eq!((answer.total_ms, answer.run_id.as_str()), (94_000, ""));
    assert_eq!(answer.end_utc, (NOW + Duration::from_secs(94)).to_string());
    assert!(daemon.measuring.asked.lock().unwrap().is_empty());
    let mut endless = start_request("all");
    endless.dry_run = true;
    endless.plan.as_mut().unwrap().repeats = Some(100_000);
    let answer = daemon.grpc().await.start_measurement(endless).await.unwrap().into_inner();
    assert!(answer.timeline.len() > 1000 && answer.timeline.len() <= 5000);
}

#[tokio::test]
async fn an_error_has_a_code_a_sentence_and_a_reason() {
    let daemon = Daemon::start().await;
    let mut client = daemon.grpc().await;
    for (reason, code) in [
        (Reason::RunUnderWay, Code::FailedPrecondition),
        (Reason::AnalyzerOffline, Code::Unavailable),
        (Reason::MultiplexerFault, Code::FailedPrecondition),
        (Reason::TaskUnknown, Code::NotFound),
        (Reason::RunAborted, Code::Aborted),
    ] {
        daemon.deny(reason, "it cannot be");
        let error = client.start_measurement(start_request("1")).await.unwrap_err();
        assert_eq!((error.code(), error.message()), (code, "it cannot be"));
        let info = error.get_details_error_info().unwrap();
        assert_eq!((info.reason.as_str(), info.domain.as_str()), (reason.as_str(), "gasera"));
    }
    let error = client.start_measurement(start_request("40")).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert_eq!(error.get_details_error_info().unwrap().reason, "PLAN_INVALID");
    let error = client.get_run(proto::GetRunRequest { run: "xyz".into() }).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
}

#[tokio::test]
async fn status_runs_and_samples_are_there_by_grpc_too() {
    let daemon = Daemon::start().await;
    let mut client = daemon.grpc().await;
    let json = client.get_status(proto::GetStatusRequest {}).await.unwrap().into_inner().status_json;
    assert_eq!(serde_json::from_str::<Status>(&json).unwrap(), status(0));
    let runs = client.list_runs(proto::ListRunsRequest::default()).await.unwrap().into_inner().runs;
    assert_eq!((runs.len(), runs[0].folder.as_str(), runs[0].ended_utc.as_str()), (3, "/data/01JRUN", ""));
    let one = client.get_run(proto::GetRunRequest { run: "last".into() }).await.unwrap().into_inner();
    assert_eq!((one.run.unwrap().id.as_str(), one.visits[0].channel), ("01JRUN", 1));
    assert_eq!((one.notes[0].who.as_str(), one.notes[0].at_utc.as_str()), ("ada", NOW.to_string().as_str()));
    let export = |run: &str, format: &str| proto::ExportRunRequest {
        run: run.into(),
        format: format.into(),
        ..proto::ExportRunRequest::default()
    };
    let mut chunks = client.export_run(export("last", "csv")).await.unwrap().into_inner();
    let mut csv = Vec::new();
    while let Some(chunk) = chunks.next().await {
        csv.extend(chunk.unwrap().chunk);
    }
    assert_eq!(csv, b"a,b\n1,2\n");
    assert_eq!(client.export_run(export("last", "xls")).await.unwrap_err().code(), Code::InvalidArgument);
    let chosen = proto::ExportRunRequest {
        more_runs: vec!["01J".into(), "last".into()],
        from_utc: "2026-01-15".into(),
        channels: "1-2".into(),
        decimal: ",".into(),
        ..export("last", "tidy")
    };
    let piece = client.export_run(chosen).await.unwrap().into_inner().next().await.unwrap().unwrap();
    assert_eq!((piece.records, piece.of_records), (2, 2));
    let asked = String::from_utf8(piece.chunk).unwrap();
    assert!(asked.starts_with("[RunId(\"01JRUN\")] ") && asked.contains("format: Tidy"), "each run once: {asked}");
    assert!(asked.contains("decimal_comma: true") && asked.contains("from: Some(Utc(1768435200000000))"), "{asked}");
    assert_eq!(client.export_run(export("A", "csv")).await.unwrap_err().code(), Code::Internal);
}

#[tokio::test]
async fn health_and_reflection_answer() {
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::{
        ServerReflectionRequest, server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let daemon = Daemon::start().await;
    let mut health = HealthClient::new(daemon.channel().await);
    let check = HealthCheckRequest { service: "gasera.v1.GaseraService".into() };
    assert_eq!(health.check(check).await.unwrap().into_inner().status, 1);

    let mut reflection = ServerReflectionClient::new(daemon.channel().await);
    let list = MessageRequest::ListServices(String::new());
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(list) };
    let mut answers = reflection.server_reflection_info(tokio_stream::once(request)).await.unwrap().into_inner();
    let answer = answers.next().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(list) = answer else { panic!("not a list: {answer:?}") };
    let names: Vec<String> = list.service.into_iter().map(|service| service.name).collect();
    for name in ["gasera.v1.GaseraService", "grpc.health.v1.Health"] {
        assert!(names.iter().any(|found| found == name), "{names:?}");
    }
}

#[tokio::test]
async fn a_start_that_waits_says_when_it_begins_and_is_called_off_by_its_name() {
    let daemon = Daemon::start().await;
    let mut client = daemon.grpc().await;
    let wait = proto::IfBusy::Wait.into();
    let next = StartMeasurementRequest { if_busy: wait, ..start_request("1-2") };
    let next = client.start_measurement(next).await.unwrap().into_inner();
    assert_eq!((next.queued, next.begins_utc.as_str(), next.end_utc.as_str()), (true, "", ""));
    let aligned = StartMeasurementRequest { align_ms: 1_800_000, ..start_request("1-2") };
    let told = client.start_measurement(aligned.clone()).await.unwrap().into_inner();
    assert_eq!((told.queued, told.begins_utc), (true, (NOW + Duration::from_secs(1800)).to_string()));
    let tried = StartMeasurementRequest { dry_run: true, ..aligned.clone() };
    let tried = client.start_measurement(tried).await.unwrap().into_inner();
    let begins: Utc = tried.begins_utc.parse().unwrap();
    assert_eq!((tried.queued, begins.as_micros() % 1_800_000_000), (false, 0));
    for align_ms in [1, 90_000_000, u64::MAX] {
        let error =
            client.start_measurement(StartMeasurementRequest { align_ms, ..aligned.clone() }).await.unwrap_err();
        assert_eq!(error.get_details_error_info().unwrap().reason, "REQUEST_INVALID", "{error}");
    }
    let asked = proto::AbortMeasurementRequest { run: "01JRUN".into(), ..Default::default() };
    assert!(client.abort_measurement(asked).await.unwrap().into_inner().waited);
    let asked = daemon.measuring.asked.lock().unwrap().clone();
    assert!(asked.len() == 3 && asked[2].starts_with("abort 01JRUN by user "), "{asked:?}");
}
