//! What the payloads of the stream look like, as JSON Schema.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::Services;
use super::answer::{self, Kind, Problem, Raw};
use super::operation::Endpoint;
use super::oversight::no_such_type;
use super::query::Named;

/// Of the events.
pub const EVENTS: &str = include_str!("../../docs/events/schema.json");
/// Of what gaseractl prints as JSON, some of which HTTP answers too.
pub const PRINTED: &str = include_str!("../../docs/json/schema.json");
const KIND: &str = "application/schema+json";

pub fn endpoints() -> Vec<Endpoint<Services>> {
    vec![
        Endpoint::get("/events/schema", "get_event_schemas", "Returns the JSON Schema of all events", all),
        Endpoint::get("/events/schema/{type}", "get_event_schema", "Returns the JSON Schema of one type of event", one),
    ]
}

struct JsonSchema;

impl Kind for JsonSchema {
    const KINDS: &'static [&'static str] = &[KIND];
}

async fn all(State(_): State<Services>) -> Raw<JsonSchema> {
    answer::with(StatusCode::OK, KIND, EVENTS).into()
}

#[derive(Deserialize, IntoParams)]
struct EventType {
    /// A type of event.
    #[param(example = "phase")]
    r#type: String,
}

/// The schema of one type, complete in itself.
async fn one(Named(EventType { r#type: name }): Named<EventType>) -> Result<Raw<JsonSchema>, Problem> {
    let all: Value = serde_json::from_str(EVENTS).unwrap_or_default();
    let Some(reference) = all["properties"].get(&name) else {
        return Err(Problem::not_found("NOT_FOUND", no_such_type(&name)));
    };
    let schema = json!({
        "$schema": all["$schema"],
        "$id": format!("{}:{name}", all["$id"].as_str().unwrap_or_default()),
        "title": name,
        "$ref": reference["$ref"],
        "$defs": all["$defs"],
    });
    Ok(answer::with(StatusCode::OK, KIND, schema.to_string()).into())
}
