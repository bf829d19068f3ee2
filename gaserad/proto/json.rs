//! Plans and answers as JSON: seconds, UTC, `null` for what is not there. gaseractl and HTTP write the same.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{
    Background, ChannelPlan, CheckPlanResponse, Misfire, Overlap, PlanMistake, PlanRequest, Schedule, ScheduledTime,
    StartMeasurementResponse, StoredPlan, Sync, TimelineEntry,
};

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

fn mistake(mistake: &PlanMistake) -> Value {
    let place = |number: u32| (number > 0).then_some(number);
    json!({ "line": place(mistake.line), "column": place(mistake.column), "text": mistake.text })
}

pub fn stored_plan(stored: &StoredPlan) -> Value {
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

pub fn plan(plan: &PlanRequest) -> Map<String, Value> {
    let fields = [
        ("channels", json!(plan.channels)),
        ("repeats", json!(plan.repeats)),
        ("purge_s", plan.purge_ms.map_or(Value::Null, seconds)),
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

fn background(background: Background) -> Value {
    json!({ "channel": background.channel, "every": background.every })
}

fn exception(exception: &ChannelPlan) -> Value {
    json!({
        "channel": exception.channel,
        "purge_s": exception.purge_ms.map(seconds),
        "measure_s": exception.measure_ms.map(seconds),
        "iterations": exception.iterations,
        "discard_first": exception.discard_first,
    })
}

pub fn sync(plan: &PlanRequest) -> Option<&'static str> {
    match plan.sync() {
        Sync::Unspecified => None,
        Sync::Analyzer => Some("analyzer"),
        Sync::Dwell => Some("dwell"),
    }
}

pub fn schedule(schedule: &Schedule) -> Value {
    let overlap = match schedule.overlap() {
        Overlap::Unspecified | Overlap::Skip => "skip",
        Overlap::Wait => "wait",
        Overlap::Fail => "fail",
    };
    let misfire = match schedule.misfire() {
        Misfire::Unspecified | Misfire::Run => "run",
        Misfire::Skip => "skip",
    };
    let time = |time: &ScheduledTime| json!({ "utc": time.utc, "local": time.local });
    let last = json!({ "due_utc": schedule.last_due_utc, "result": schedule.last_result });
    json!({
        "name": schedule.name,
        "cron": schedule.cron,
        "zone": schedule.zone,
        "plan": schedule.plan,
        "if_busy": overlap,
        "if_missed": misfire,
        "grace_s": Duration::from_millis(schedule.grace_ms()).as_secs_f64(),
        "enabled": schedule.enabled,
        "who": schedule.who,
        "next": schedule.next.iter().map(time).collect::<Vec<_>>(),
        "last": if schedule.last_due_utc.is_empty() { Value::Null } else { last },
    })
}

pub fn present(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { json!(text) }
}

/// Whole seconds without a decimal point.
pub fn seconds(millis: u64) -> Value {
    if millis.is_multiple_of(1000) {
        return json!(millis / 1000);
    }
    json!(Duration::from_millis(millis).as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_whole_where_they_can_be() {
        assert_eq!(seconds(6000).to_string(), "6");
        assert_eq!(seconds(250).to_string(), "0.25");
    }
}
