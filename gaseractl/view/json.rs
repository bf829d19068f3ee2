//! The JSON of gaseractl where it is not the daemon's own: seconds, UTC, `null` for what is not there.

use std::collections::BTreeMap;

use gasera::domain::Outcome;
use gasera::proto::json::{plan, present};
use gasera::proto::{Note, Run, VerifyRunResponse, Visit};
use serde_json::{Map, Value, json};

use super::model::RunEnding;
use super::words;
use crate::stream::Notice;

pub use gasera::proto::json::{checked, planned, started, stored_plan, sync};

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

pub fn ended(ending: &RunEnding) -> Value {
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
        "without_channel": without_channel(run),
        "folder": run.folder,
    })
}

fn without_channel(run: &Run) -> Value {
    let told = run.without_channel.clone().unwrap_or_default();
    let why: BTreeMap<String, u64> = told.why.into_iter().collect();
    json!({ "samples": told.samples, "why": why })
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
        "files": verdict.files,
        "attributed_again": verdict.attributed_again,
        "differences": verdict.differences,
        "doubts": verdict.doubts,
        "changes": verdict
            .changes
            .iter()
            .map(|change| json!({ "seq": change.seq, "was": change.was, "now": change.now }))
            .collect::<Value>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::SseFrame;

    fn line(name: &str, data: &str, id: Option<&str>) -> String {
        event(&Notice::new(SseFrame { event: name.into(), data: data.into(), id: id.map(Into::into) }))
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
}
