//! What the payloads of the stream look like, as JSON Schema.

use http::StatusCode;
use serde_json::{Value, json};

use super::answer::{self, Answer};
use super::oversight::no_such_type;

const SCHEMA: &str = include_str!("../../docs/events/schema.json");
const KIND: &str = "application/schema+json";

/// All types in one schema.
pub fn all() -> Answer {
    answer::with(StatusCode::OK, KIND, SCHEMA)
}

/// The schema of one type, complete in itself.
pub fn of(name: &str) -> Answer {
    let all: Value = serde_json::from_str(SCHEMA).unwrap_or_default();
    let Some(reference) = all["properties"].get(name) else {
        return answer::refuse(StatusCode::NOT_FOUND, "NOT_FOUND", &no_such_type(name));
    };
    let schema = json!({
        "$schema": all["$schema"],
        "$id": format!("{}:{name}", all["$id"].as_str().unwrap_or_default()),
        "title": name,
        "$ref": reference["$ref"],
        "$defs": all["$defs"],
    });
    answer::with(StatusCode::OK, KIND, schema.to_string())
}
