//! Holds payloads against the published schema of their type, and what gaseractl prints against that of the command.
//!
//! It knows the keywords that the schema uses, and refuses those that it does not know. It is stricter than a client has
//! to be: a property that is not described is a mistake, since nobody could know of it.

use std::sync::LazyLock;

use serde_json::Value;

static SCHEMA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../docs/events/schema.json")).unwrap());

/// Of what `gaseractl` prints.
static COMMANDS: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../docs/json/schema.json")).unwrap());

/// All that is wrong with the payload of an event, or with what a command prints, as `gaseractl runs show`.
pub fn mistakes(name: &str, data: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let (file, key): (&'static Value, _) =
        name.strip_prefix("gaseractl ").map_or((&*SCHEMA, name), |command| (&*COMMANDS, command));
    match file["properties"].get(key) {
        Some(schema) => check(file, schema, data, name, &mut found),
        None => found.push(format!("{name} is not described")),
    }
    found
}

const ANNOTATIONS: [&str; 2] = ["description", "title"];

fn check(file: &'static Value, schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    for (keyword, wanted) in schema.as_object().expect("a schema is an object") {
        let fits = match keyword.as_str() {
            "$ref" => {
                let (file, schema) = follow(file, wanted.as_str().unwrap());
                check(file, schema, value, place, found);
                true
            }
            "anyOf" => wanted.as_array().unwrap().iter().any(|one| is_valid(file, one, value)),
            "type" => has_type(wanted, value),
            "enum" => wanted.as_array().unwrap().contains(value),
            "const" => wanted == value,
            "minimum" => value.as_f64() >= wanted.as_f64(),
            "maximum" => value.as_f64() <= wanted.as_f64(),
            "minLength" => value.as_str().map(|text| text.chars().count() as u64) >= wanted.as_u64(),
            "minItems" => value.as_array().map(|items| items.len() as u64) >= wanted.as_u64(),
            "pattern" => value.as_str().is_none_or(|text| matches_pattern(wanted.as_str().unwrap(), text)),
            "items" => {
                let items = value.as_array().into_iter().flatten().enumerate();
                items.for_each(|(index, item)| check(file, wanted, item, &format!("{place}[{index}]"), found));
                true
            }
            "required" => {
                let missing =
                    wanted.as_array().unwrap().iter().filter(|name| value.get(name.as_str().unwrap()).is_none());
                found.extend(missing.map(|name| format!("{place} has no {name}")));
                true
            }
            "properties" => {
                properties(file, schema, value, place, found);
                true
            }
            "additionalProperties" => {
                let described = schema.get("properties");
                let others = value.as_object().into_iter().flatten();
                let others = others.filter(|(name, _)| described.is_none_or(|known| known.get(name).is_none()));
                others.for_each(|(name, value)| check(file, wanted, value, &format!("{place}.{name}"), found));
                true
            }
            other => {
                assert!(ANNOTATIONS.contains(&other), "the schema uses {other}, which is not checked");
                true
            }
        };
        if !fits {
            found.push(format!("{place} is {value}, and {keyword} is {wanted}"));
        }
    }
}

fn properties(file: &'static Value, schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    for (name, value) in value.as_object().into_iter().flatten() {
        let place = format!("{place}.{name}");
        match schema["properties"].get(name) {
            Some(schema) => check(file, schema, value, &place, found),
            None if schema.get("additionalProperties").is_some() => {}
            None => found.push(format!("{place} is not described")),
        }
    }
}

fn is_valid(file: &'static Value, schema: &Value, value: &Value) -> bool {
    let mut found = Vec::new();
    check(file, schema, value, "", &mut found);
    found.is_empty()
}

/// What is referred to, and the file that it stands in.
fn follow(file: &'static Value, reference: &str) -> (&'static Value, &'static Value) {
    let (file, place) = match reference.strip_prefix("../events/schema.json") {
        Some(place) => (&*SCHEMA, place),
        None => (file, reference),
    };
    let name = place.strip_prefix("#/$defs/").expect("references lead to definitions");
    (file, file["$defs"].get(name).unwrap_or_else(|| panic!("there is no {reference}")))
}

fn has_type(wanted: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("there is no type {other}"),
    };
    wanted.as_array().map_or_else(|| is(wanted), |names| names.iter().any(is))
}

/// The few patterns that there are.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    match pattern {
        "^[0-9]+$" => !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()),
        "^#[0-9a-f]{6}$" => {
            let digits = text.strip_prefix('#').unwrap_or_default();
            digits.len() == 6 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        }
        "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$" => {
            let shape = |byte: u8| if byte.is_ascii_digit() { b'0' } else { byte };
            let rest = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b':' | b'.');
            let text = text.as_bytes();
            text.len() > 12
                && text[..11].iter().copied().map(shape).eq(*b"0000-00-00T")
                && text[11..text.len() - 1].iter().all(rest)
                && text.ends_with(b"Z")
        }
        other => panic!("the pattern {other} is not checked"),
    }
}
