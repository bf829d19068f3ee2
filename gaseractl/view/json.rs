//! The JSON of gaseractl where it is not the daemon's own: seconds, UTC, `null` for what is not there.

use gasera::domain::Outcome;
use gasera::proto;
use gasera::proto::{
    ChannelPlan, CheckPlanResponse, Note, PlanRequest, Run, StartMeasurementResponse, TimelineEntry, VerifyRunResponse,
    Visit,
};
use serde_json::{Map, Value, json};

use super::model::Ending;
use super::words;
use crate::stream::Notice;

/// One event of the stream in one line, its number and its name first.
pub fn event(notice: &Notice) -> String {
    let fields = match notice.data.clone() {
        Value::Object(mut fields) => {
            fields.remove("id");
            fields.remove("type");
            fields
        }
        Value::Null => Map::from_iter([("data".to_owned(), Value::String(notice.frame.data.clone()))]),
        other => Map::from_iter([("data".to_owned(), other)]),
    };
    let head = format!("{{\"id\":{},\"type\":{}", json!(notice.seq()), json!(notice.frame.event));
    let rest = Value::Object(fields).to_string();
    if rest == "{}" { head + "}" } else { format!("{head},{}", &rest[1..]) }
}

pub fn started(response: &StartMeasurementResponse) -> Value {
    let mut object = plan(response.plan.as_ref().unwrap_or(&PlanRequest::default()));
    object.insert("run_id".into(), present(&response.run_id));
    object.insert("total_s".into(), seconds(response.total_ms));
    object.insert("queued".into(), json!(response.queued));
    object.insert("begins_utc".into(), present(&response.begins_utc));
    object.insert("end_utc".into(), present(&response.end_utc));
    object.insert("pace".into(), present(&response.pace));
    Value::Object(object)
}

pub fn planned(response: &StartMeasurementResponse) -> Value {
    let mut object = started(response);
    object["timeline"] = response.timeline.iter().map(entry).collect();
    object
}

pub fn checked(checked: &CheckPlanResponse) -> Value {
    let good = checked.mistakes.is_empty();
    json!({
        "file": checked.name,
        "mistakes": checked.mistakes.iter().map(mistake).collect::<Value>(),
        "total_s": good.then(|| seconds(checked.total_ms)),
        "end_utc": present(&checked.end_utc),
        "pace": present(&checked.pace),
    })
}

fn mistake(mistake: &proto::PlanMistake) -> Value {
    let place = |number: u32| (number > 0).then_some(number);
    json!({ "line": place(mistake.line), "column": place(mistake.column), "text": mistake.text })
}

pub fn stored_plan(stored: &proto::StoredPlan) -> Value {
    json!({
        "name": stored.name,
        "file": stored.path,
        "mistakes": stored.mistakes,
        "total_s": stored.plan.as_ref().map(|_| seconds(stored.total_ms)),
        "plan": stored.plan.as_ref().map(plan),
    })
}

fn entry(entry: &TimelineEntry) -> Value {
    json!({
        "offset_s": seconds(entry.offset_ms),
        "duration_s": seconds(entry.duration_ms),
        "phase": entry.phase,
        "channel": (entry.channel > 0).then_some(entry.channel),
        "repeat": entry.repeat,
    })
}

fn plan(plan: &PlanRequest) -> Map<String, Value> {
    let fields = [
        ("channels", json!(plan.channels)),
        ("repeats", json!(plan.repeats)),
        ("pause_s", plan.pause_ms.map_or(Value::Null, seconds)),
        ("measure_s", plan.measure_ms.map_or(Value::Null, seconds)),
        ("iterations", json!(plan.iterations)),
        ("discard_first", json!(plan.discard_first)),
        ("background", plan.background.filter(|own| own.channel > 0).map_or(Value::Null, background)),
        ("overlap", json!(plan.overlap)),
        ("park", json!(plan.park.filter(|channel| *channel > 0))),
        ("exceptions", plan.exceptions.iter().map(exception).collect()),
        ("gas_discards", plan.gas_discards.iter().map(|gas| (gas.cas.clone(), json!(gas.discard_first))).collect()),
        ("task", json!(plan.task)),
        ("sync", json!(sync(plan))),
        ("save_on_device", json!(plan.save_on_device)),
        ("label", json!(plan.label)),
        ("note", json!(plan.note)),
        ("operator", json!(plan.operator)),
    ];
    fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn background(background: proto::Background) -> Value {
    json!({ "channel": background.channel, "every": background.every })
}

fn exception(exception: &ChannelPlan) -> Value {
    json!({
        "channel": exception.channel,
        "pause_s": exception.pause_ms.map(seconds),
        "measure_s": exception.measure_ms.map(seconds),
        "iterations": exception.iterations,
        "discard_first": exception.discard_first,
    })
}

pub fn sync(plan: &PlanRequest) -> Option<&'static str> {
    match plan.sync() {
        proto::Sync::Unspecified => None,
        proto::Sync::Analyzer => Some("analyzer"),
        proto::Sync::Dwell => Some("dwell"),
    }
}

pub fn ended(ending: &Ending) -> Value {
    json!({
        "run_id": ending.run_id.0,
        "outcome": ending.outcome.map(Outcome::as_str),
        "reason": ending.reason,
        "records": ending.records,
        "good_records": ending.good_records,
        "exit": ending.exit.code(),
    })
}

pub fn run(run: &Run) -> Value {
    json!({
        "id": run.id,
        "plan": run.plan.as_ref().map(plan),
        "started_utc": present(&run.started_utc),
        "ended_utc": present(&run.ended_utc),
        "outcome": words::outcome(run).map(Outcome::as_str),
        "reason": run.reason,
        "records": run.records,
        "good_records": run.good_records,
        "folder": run.folder,
    })
}

pub fn visit(visit: &Visit) -> Value {
    json!({
        "id": visit.id,
        "channel": visit.channel,
        "repeat": visit.repeat,
        "arrived_utc": present(&visit.arrived_utc),
        "left_utc": present(&visit.left_utc),
        "records": visit.records,
        "good_records": visit.good_records,
    })
}

pub fn note(note: &Note) -> Value {
    json!({ "at_utc": note.at_utc, "who": note.who, "text": note.text })
}

pub fn verdict(verdict: &VerifyRunResponse) -> Value {
    json!({
        "run_id": verdict.run_id,
        "records": verdict.records,
        "csv_rows": verdict.csv_rows,
        "attributed_again": verdict.attributed_again,
        "differences": verdict.differences,
    })
}

fn present(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { json!(text) }
}

/// Whole seconds without a decimal point.
fn seconds(millis: u64) -> Value {
    if millis.is_multiple_of(1000) {
        return json!(millis / 1000);
    }
    json!(std::time::Duration::from_millis(millis).as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::Frame;

    fn line(name: &str, data: &str, id: Option<&str>) -> String {
        event(&Notice::new(Frame { event: name.into(), data: data.into(), id: id.map(Into::into) }))
    }

    #[test]
    fn an_event_is_one_object_with_its_number_and_name_first() {
        assert_eq!(line("phase", r#"{"phase":"IDLE"}"#, Some("7")), r#"{"id":7,"type":"phase","phase":"IDLE"}"#);
        assert_eq!(line("heartbeat", "{}", None), r#"{"id":null,"type":"heartbeat"}"#);
        assert_eq!(line("test", r#"{"id":1,"type":2,"a":3}"#, None), r#"{"id":null,"type":"test","a":3}"#);
    }

    #[test]
    fn data_that_is_no_object_is_kept_too() {
        assert_eq!(line("test", "[1]", None), r#"{"id":null,"type":"test","data":[1]}"#);
        assert_eq!(line("test", "a \"b\"", None), r#"{"id":null,"type":"test","data":"a \"b\""}"#);
    }

    #[test]
    fn seconds_are_whole_where_they_can_be() {
        assert_eq!(seconds(6000).to_string(), "6");
        assert_eq!(seconds(250).to_string(), "0.25");
    }
}
