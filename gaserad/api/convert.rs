//! Where the gRPC contract and the domain meet: the only place.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::control::StoredRun;
use crate::domain::{
    Denied, Outcome, Plan, PlanDraft, Reason, Sync, TimelineEntry, Utc, VisitSummary, channel::format_list,
};
use crate::proto;

const DOMAIN: &str = "gasera";

/// An error with its reason for programs.
pub fn status(denied: Denied) -> Status {
    let metadata: [(String, String); 0] = [];
    let details = ErrorDetails::with_error_info(denied.reason.as_str(), DOMAIN, metadata);
    Status::with_error_details(code(denied.reason), denied.text, details)
}

const fn code(reason: Reason) -> Code {
    match reason {
        Reason::PlanInvalid | Reason::RequestInvalid => Code::InvalidArgument,
        Reason::RunUnderWay
        | Reason::NoRun
        | Reason::AnalyzerBusy
        | Reason::AnalyzerErrors
        | Reason::AnalyzerRefused
        | Reason::MultiplexerFault => Code::FailedPrecondition,
        Reason::AnalyzerOffline | Reason::ShuttingDown => Code::Unavailable,
        Reason::TaskUnknown | Reason::RunUnknown => Code::NotFound,
        Reason::RunAborted => Code::Aborted,
        Reason::Internal => Code::Internal,
    }
}

/// Puts what was asked over the defaults.
pub fn plan(request: proto::PlanRequest, defaults: PlanDraft) -> Result<Plan, Denied> {
    let sync = match request.sync() {
        proto::Sync::Unspecified => defaults.sync,
        proto::Sync::Analyzer => Sync::Analyzer,
        proto::Sync::Dwell => Sync::Dwell,
    };
    let draft = PlanDraft {
        channels: request.channels,
        repeats: request.repeats.unwrap_or(defaults.repeats),
        pause: request.pause_ms.map_or(defaults.pause, Duration::from_millis),
        measure: request.measure_ms.map_or(defaults.measure, Duration::from_millis),
        iterations: request.iterations.or(defaults.iterations),
        task: request.task.unwrap_or(defaults.task),
        sync,
        save_on_device: request.save_on_device || defaults.save_on_device,
        label: request.label,
        note: request.note,
        operator: request.operator,
        ..defaults
    };
    Ok(Plan::new(draft)?)
}

pub fn plan_out(plan: &Plan) -> proto::PlanRequest {
    let sync = match plan.sync {
        Sync::Analyzer => proto::Sync::Analyzer,
        Sync::Dwell => proto::Sync::Dwell,
    };
    proto::PlanRequest {
        channels: format_list(plan.channels()),
        repeats: Some(plan.repeats),
        pause_ms: Some(millis(plan.pause)),
        measure_ms: Some(millis(plan.measure)),
        iterations: plan.iterations,
        task: Some(plan.task.clone()),
        sync: sync.into(),
        save_on_device: plan.save_on_device,
        label: plan.label.clone(),
        note: plan.note.clone(),
        operator: plan.operator.clone(),
    }
}

pub fn timeline_entry(entry: &TimelineEntry) -> proto::TimelineEntry {
    proto::TimelineEntry {
        offset_ms: millis(entry.offset),
        duration_ms: millis(entry.duration),
        phase: entry.phase.as_str().into(),
        channel: entry.channel.map_or(0, |channel| channel.number().into()),
        repeat: entry.repeat,
    }
}

pub fn run(stored: StoredRun) -> proto::Run {
    let StoredRun { run, folder } = stored;
    proto::Run {
        id: run.id.0,
        plan: Some(plan_out(&run.plan)),
        started_utc: run.started.to_string(),
        ended_utc: optional(run.ended),
        outcome: outcome(run.outcome).into(),
        reason: run.reason,
        records: run.records,
        good_records: run.good_records,
        folder: folder.display().to_string(),
    }
}

pub fn visit(visit: &VisitSummary) -> proto::Visit {
    proto::Visit {
        id: visit.id.0,
        channel: visit.channel.number().into(),
        repeat: visit.repeat,
        arrived_utc: visit.arrived.to_string(),
        left_utc: optional(visit.left),
        records: visit.records,
        good_records: visit.good_records,
    }
}

const fn outcome(outcome: Option<Outcome>) -> proto::Outcome {
    match outcome {
        None => proto::Outcome::Unspecified,
        Some(Outcome::Completed) => proto::Outcome::Completed,
        Some(Outcome::Partial) => proto::Outcome::Partial,
        Some(Outcome::Aborted) => proto::Outcome::Aborted,
        Some(Outcome::Failed) => proto::Outcome::Failed,
    }
}

fn optional(utc: Option<Utc>) -> String {
    utc.map_or_else(String::new, |utc| utc.to_string())
}

pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
