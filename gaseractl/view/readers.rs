//! The event stream itself in words: its figures and its readers. What a daemon does not tell is left out.

use gasera::domain::duration;
use serde_json::Value;

use super::{table, words};

/// The names of a figure, what it is called, and its unit.
type ReaderFigure = (&'static [&'static str], &'static str, &'static str);

const FIGURES: [ReaderFigure; 17] = [
    (&["active_clients", "sse_connections"], "Readers", ""),
    (&["total_connections"], "Readers ever", ""),
    (&["total_events_broadcast"], "Events", ""),
    (&["events_per_s"], "Events per second", ""),
    (&["errors_per_min"], "Errors per minute", ""),
    (&["recent_events_count"], "Kept for replay", ""),
    (&["replays_total"], "Replays", ""),
    (&["gaps_total"], "Gaps", ""),
    (&["conflated_total"], "Conflated", ""),
    (&["message_queue_size"], "Waiting", ""),
    (&["queue_depth_max"], "Waiting, at most", ""),
    (&["queue_capacity"], "Room to wait", ""),
    (&["publish_latency_ms"], "Delay", " ms"),
    (&["subscription_counts"], "Subscriptions", ""),
    (&["disconnects_total"], "Disconnects", ""),
    (&["rss_bytes"], "Memory", " bytes"),
    (&["uptime_seconds"], "Up for", " s"),
];

/// The figures, one in a line.
pub fn stats(stats: &Value) -> String {
    let lines = FIGURES.iter().filter_map(|(keys, name, unit)| {
        let value = keys.iter().find_map(|key| stats.get(key))?;
        let text = if *unit == " s" { lasting(value) } else { figure(value).map(|text| text + unit) };
        Some(format!("{name:<18} {}\n", text?))
    });
    let text: String = lines.collect();
    if text.is_empty() { "gaserad tells no figures of its stream; --json shows its answer\n".into() } else { text }
}

/// How many readers there are.
pub fn count(stats: &Value) -> String {
    let keys = ["active_clients", "sse_connections"];
    keys.iter().find_map(|key| figure(stats.get(key)?)).unwrap_or_else(|| "-".into())
}

/// A figure, or several with their names: `p50 0.2, p99 0.9`.
fn figure(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Object(parts) => {
            let parts: Vec<String> =
                parts.iter().filter_map(|(name, value)| Some(format!("{name} {}", figure(value)?))).collect();
            (!parts.is_empty()).then(|| parts.join(", "))
        }
        Value::Array(parts) if parts.is_empty() => None,
        Value::Array(parts) => Some(parts.iter().filter_map(figure).collect::<Vec<_>>().join(",")),
        Value::String(text) => (!text.is_empty()).then(|| text.clone()),
        Value::Number(number) => {
            let value = number.as_f64().unwrap_or_default();
            Some(if number.is_f64() { ((value * 1000.0).round() / 1000.0).to_string() } else { number.to_string() })
        }
        Value::Bool(yes) => Some(if *yes { "yes" } else { "no" }.into()),
    }
}

fn lasting(value: &Value) -> Option<String> {
    let whole = std::time::Duration::try_from_secs_f64(value.as_f64()?.round()).ok()?;
    Some(duration::format(whole))
}

const COLUMNS: [ReaderFigure; 11] = [
    (&["connection_id", "id"], "CONNECTION", ""),
    (&["peer"], "PEER", ""),
    (&["format"], "FORMAT", ""),
    (&["subscriptions", "event_types", "types"], "TYPES", ""),
    (&["channel_filter", "channels"], "CHANNELS", ""),
    (&["run_filter", "run"], "RUN", ""),
    (&["connected_at"], "SINCE", ""),
    (&["last_event_id"], "EVENT", ""),
    (&["queue_len"], "WAITING", ""),
    (&["gaps"], "GAPS", ""),
    (&["bytes_sent"], "BYTES", ""),
];

/// A line per reader; only columns that any of them has.
pub fn clients(answer: &Value) -> String {
    let list = answer.as_array().or_else(|| answer.get("connections")?.as_array());
    let rows = list.map(Vec::as_slice).unwrap_or_default();
    if rows.is_empty() {
        return "Nobody reads the stream\n".into();
    }
    let cell = |row: &Value, keys: &[&str]| {
        let value = keys.iter().find_map(|key| row.get(key))?;
        // Moments are told in seconds since the epoch, or are written already.
        let moment = keys[0] == "connected_at" && value.is_number();
        if moment { Some(words::clock(words::moment(value.as_f64()?))) } else { figure(value) }
    };
    let told = |keys: &[&str]| rows.iter().any(|row| cell(row, keys).is_some());
    let columns: Vec<&ReaderFigure> = COLUMNS.iter().filter(|(keys, ..)| told(keys)).collect();
    let heading: Vec<&str> = columns.iter().map(|(_, name, _)| *name).collect();
    let mut table = table::table(&heading, &[]);
    for row in rows {
        table.add_row(columns.iter().map(|(keys, ..)| cell(row, keys).unwrap_or_else(|| "-".into())));
    }
    table::written(&table)
}

/// What became of a test event.
pub fn tested(answer: &Value) -> String {
    let reached =
        ["clients", "delivered", "sent_to", "active_clients"].iter().find_map(|key| answer.get(key)?.as_u64());
    let kind = ["event_type", "type", "event"].iter().find_map(|key| answer.get(key)?.as_str());
    let kind = kind.map(|kind| format!(" of type {kind}")).unwrap_or_default();
    match reached {
        Some(count) => format!("a test event{kind} was sent to {}", words::count(count, "reader")),
        None => format!("a test event{kind} was sent to all readers"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn figures_that_are_not_told_are_left_out() {
        assert_eq!(stats(&json!({})), "gaserad tells no figures of its stream; --json shows its answer\n");
        assert_eq!(
            stats(&json!({
                "sse_connections": 3, "uptime_seconds": 3_725.4, "events_per_s": 2.000_04, "gaps_total": null,
                "publish_latency_ms": {"p50": 0.21, "p99": 1.5}, "disconnects_total": {}, "new": 1,
            })),
            "Readers            3\nEvents per second  2\nDelay              p50 0.21, p99 1.5 ms\nUp for             1h2m5s\n"
        );
        assert_eq!(count(&json!({"active_clients": 12})), "12");
        assert_eq!(count(&json!([])), "-");
    }

    #[test]
    fn readers_are_listed_however_much_is_known_of_them() {
        for none in [json!([]), json!({"connections": []}), json!({}), Value::Null] {
            assert_eq!(clients(&none), "Nobody reads the stream\n");
        }
        let list = json!([
            {"connection_id": "7", "subscriptions": ["run.*", "phase"], "last_event_id": 41},
            {"connection_id": 8, "gaps": 0, "subscriptions": []},
        ]);
        let text = clients(&list);
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[0], ["CONNECTION", "TYPES", "EVENT", "GAPS"]);
        assert_eq!(rows[1], ["7", "run.*,phase", "41", "-"]);
        assert_eq!(rows[2], ["8", "-", "-", "0"]);
        assert_eq!(clients(&json!({ "connections": list })), text);
    }

    #[test]
    fn a_test_tells_whom_it_reached() {
        assert_eq!(tested(&Value::Null), "a test event was sent to all readers");
        let told = json!({"event_type": "alarm", "clients": 1, "test": true});
        assert_eq!(tested(&told), "a test event of type alarm was sent to 1 reader");
    }
}
