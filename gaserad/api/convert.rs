//! Where the gRPC contract and the domain meet: the only place.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::control::StoredRun;
use crate::domain::channel::{Channel, ChannelError, format_list};
use crate::domain::{
    BackgroundRequest, Cas, ChannelPlan, Control, Denied, FinishAfter, IfMeasuring, Multiple, Note, Outcome,
    ParkRequest, Plan, PlanRequest, Reason, Sync, TimelineEntry, Utc, VisitSummary,
};
use crate::proto;

pub const DOMAIN: &str = "gasera";
/// The most characters of a note.
const NOTE_MAX: usize = 10_000;

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
        | Reason::NotNow
        | Reason::DiskLow
        | Reason::AnalyzerBusy
        | Reason::AnalyzerErrors
        | Reason::AnalyzerRefused
        | Reason::DeviceStranger
        | Reason::MultiplexerFault => Code::FailedPrecondition,
        Reason::AnalyzerOffline | Reason::ShuttingDown => Code::Unavailable,
        Reason::TaskUnknown
        | Reason::RunUnknown
        | Reason::PlanUnknown
        | Reason::ScheduleUnknown
        | Reason::FileUnknown => Code::NotFound,
        Reason::RunAborted => Code::Aborted,
        Reason::Internal => Code::Internal,
    }
}

/// What is asked of a plan for a multiplexer with `count` channels. What is empty is not asked.
pub fn plan(request: proto::PlanRequest, count: u8) -> Result<PlanRequest, Denied> {
    let sync = match request.sync() {
        proto::Sync::Unspecified => None,
        proto::Sync::Analyzer => Some(Sync::Analyzer),
        proto::Sync::Dwell => Some(Sync::Dwell),
    };
    let park = match request.park {
        None => None,
        Some(0) => Some(ParkRequest::Stay),
        Some(number) => Some(ParkRequest::At(channel(number, count)?)),
    };
    let exceptions = request.exceptions.into_iter().map(|asked| exception(asked, count));
    Ok(PlanRequest {
        channels: said(request.channels),
        repeats: request.repeats,
        purge: request.purge_ms.map(Duration::from_millis),
        measure: request.measure_ms.map(Duration::from_millis),
        iterations: request.iterations,
        task: request.task,
        sync,
        save_on_device: Some(true).filter(|_| request.save_on_device),
        label: said(request.label),
        note: said(request.note),
        operator: said(request.operator),
        discard_first: request.discard_first,
        background: request.background.map(|asked| background(asked, count)).transpose()?,
        overlap: request.overlap,
        park,
        exceptions: exceptions.collect::<Result<_, _>>()?,
        gas_discards: request.gas_discards.into_iter().map(|gas| (Cas(gas.cas), gas.discard_first)).collect(),
    })
}

fn said(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn background(asked: proto::Background, count: u8) -> Result<BackgroundRequest, Denied> {
    if asked.channel == 0 {
        return Ok(BackgroundRequest::None);
    }
    let every = Some(asked.every).filter(|every| *every > 0);
    Ok(BackgroundRequest::Channel { channel: channel(asked.channel, count)?, every })
}

fn exception(asked: proto::ChannelPlan, count: u8) -> Result<ChannelPlan, Denied> {
    Ok(ChannelPlan {
        channel: channel(asked.channel, count)?,
        purge: asked.purge_ms.map(Duration::from_millis),
        measure: asked.measure_ms.map(Duration::from_millis),
        iterations: asked.iterations,
        discard_first: asked.discard_first,
    })
}

/// A channel of this multiplexer.
pub fn channel(number: u32, count: u8) -> Result<Channel, Denied> {
    let channel = u8::try_from(number).ok().filter(|number| *number <= count).and_then(Channel::new);
    channel.ok_or_else(|| Denied::new(Reason::RequestInvalid, ChannelError::OutOfRange { number, count }.to_string()))
}

pub const fn if_measuring(asked: proto::IfMeasuring) -> IfMeasuring {
    match asked {
        proto::IfMeasuring::Unspecified | proto::IfMeasuring::Refuse => IfMeasuring::Refuse,
        proto::IfMeasuring::Stop => IfMeasuring::Stop,
        proto::IfMeasuring::Adopt => IfMeasuring::Adopt,
    }
}

/// The multiple of the wall clock that a start waits for.
pub fn align(millis: u64) -> Result<Option<Multiple>, Denied> {
    let asked = Some(Duration::from_millis(millis)).filter(|asked| !asked.is_zero());
    let multiple = asked.map(Multiple::new).transpose();
    multiple.map_err(|error| Denied::new(Reason::RequestInvalid, error.to_string()))
}

/// A note that says something.
pub fn note(text: &str) -> Result<Control, Denied> {
    let text = text.trim();
    let length = text.chars().count();
    let refused = |why: String| Err(Denied::new(Reason::RequestInvalid, why));
    match length {
        0 => refused("the note is empty; write what is to be remembered of the run".into()),
        1..=NOTE_MAX => Ok(Control::Note { text: text.to_owned() }),
        _ => refused(format!("the note has {length} characters; it can have {NOTE_MAX}")),
    }
}

pub const fn finish_after(asked: proto::FinishAfter) -> FinishAfter {
    match asked {
        proto::FinishAfter::Unspecified | proto::FinishAfter::Channel => FinishAfter::Channel,
        proto::FinishAfter::Repeat => FinishAfter::Repeat,
    }
}

pub fn plan_out(plan: &Plan) -> proto::PlanRequest {
    let sync = match plan.sync {
        Sync::Analyzer => proto::Sync::Analyzer,
        Sync::Dwell => proto::Sync::Dwell,
    };
    let background = plan
        .background
        .map(|background| proto::Background { channel: background.channel.number().into(), every: background.every });
    let discards = plan.gas_discards.iter();
    proto::PlanRequest {
        channels: format_list(plan.channels()),
        repeats: Some(plan.repeats),
        purge_ms: Some(millis(plan.purge)),
        measure_ms: Some(millis(plan.measure)),
        iterations: plan.iterations,
        task: Some(plan.task.clone()),
        sync: sync.into(),
        save_on_device: plan.save_on_device,
        label: plan.label.clone(),
        note: plan.note.clone(),
        operator: plan.operator.clone(),
        discard_first: Some(plan.discard_first),
        background,
        overlap: Some(plan.overlap),
        park: Some(plan.park.map_or(0, |channel| channel.number().into())),
        exceptions: plan.exceptions.iter().map(exception_out).collect(),
        gas_discards: discards
            .map(|(cas, discard)| proto::GasDiscard { cas: cas.0.clone(), discard_first: *discard })
            .collect(),
    }
}

fn exception_out(exception: &ChannelPlan) -> proto::ChannelPlan {
    proto::ChannelPlan {
        channel: exception.channel.number().into(),
        purge_ms: exception.purge.map(millis),
        measure_ms: exception.measure.map(millis),
        iterations: exception.iterations,
        discard_first: exception.discard_first,
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
        without_channel: (run.without_channel.samples > 0).then_some(proto::WithoutChannel {
            samples: run.without_channel.samples,
            why: run.without_channel.why.into_iter().collect(),
        }),
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

pub fn note_out(note: Note) -> proto::Note {
    proto::Note { at_utc: note.at.to_string(), who: note.who, text: note.text }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::{Background, PlanDraft};

    fn numbered(number: u8) -> Channel {
        Channel::new(number).unwrap()
    }

    fn defaults() -> PlanDraft {
        let own = |number| ChannelPlan { iterations: Some(2), ..ChannelPlan::new(numbered(number)) };
        PlanDraft {
            channel_count: 8,
            discard_first: 1,
            background: Some(Background { channel: numbered(8), every: 2 }),
            park: Some(Channel::HOME),
            exceptions: vec![own(2), own(7), own(8)],
            gas_discards: BTreeMap::from([(Cas("7664-41-7".into()), 3)]),
            ..PlanDraft::default()
        }
    }

    fn made(request: proto::PlanRequest, defaults: PlanDraft) -> Result<Plan, Denied> {
        Ok(plan(request, defaults.channel_count)?.plan(defaults)?)
    }

    fn asked() -> proto::PlanRequest {
        proto::PlanRequest { channels: "1-3".into(), ..proto::PlanRequest::default() }
    }

    #[test]
    fn what_is_not_asked_is_as_configured_and_only_what_concerns_the_plan() {
        let plan = made(asked(), defaults()).unwrap();
        assert_eq!((plan.discard_first, plan.background, plan.park), (1, defaults().background, Some(Channel::HOME)));
        let own: Vec<u8> = plan.exceptions.iter().map(|exception| exception.channel.number()).collect();
        assert_eq!(own, [2, 8]);
        assert_eq!(plan.gas_discards, defaults().gas_discards);
        assert_eq!(made(plan_out(&plan), PlanDraft { channel_count: 8, ..PlanDraft::default() }).unwrap(), plan);
    }

    #[test]
    fn what_is_asked_counts_more() {
        let request = proto::PlanRequest {
            discard_first: Some(0),
            background: Some(proto::Background { channel: 4, every: 0 }),
            overlap: Some(false),
            park: Some(0),
            ..asked()
        };
        let plan = made(request, defaults()).unwrap();
        assert_eq!((plan.discard_first, plan.overlap, plan.park), (0, false, None));
        assert_eq!(plan.background, Some(Background { channel: numbered(4), every: 2 }));
        let none = proto::PlanRequest { background: Some(proto::Background::default()), ..asked() };
        assert_eq!(made(none, defaults()).unwrap().background, None);
    }

    #[test]
    fn what_is_configured_for_another_timing_does_not_stand_in_the_way() {
        let dwell = proto::PlanRequest { sync: proto::Sync::Dwell.into(), ..asked() };
        let plan = made(dwell.clone(), defaults()).unwrap();
        assert_eq!((plan.background, plan.exceptions[0].iterations), (None, None));
        let with = proto::PlanRequest { background: Some(proto::Background { channel: 8, every: 1 }), ..dwell };
        assert_eq!(made(with, defaults()).unwrap_err().reason, Reason::PlanInvalid);
    }

    #[test]
    fn channels_that_do_not_exist_are_refused() {
        let background = proto::PlanRequest { background: Some(proto::Background { channel: 9, every: 1 }), ..asked() };
        let park = proto::PlanRequest { park: Some(300), ..asked() };
        let exceptions = vec![proto::ChannelPlan { channel: 0, ..proto::ChannelPlan::default() }];
        for request in [background, park, proto::PlanRequest { exceptions, ..asked() }] {
            let denied = made(request, defaults()).unwrap_err();
            assert_eq!(denied.reason, Reason::RequestInvalid, "{denied}");
        }
    }
}
