//! The OpenAPI document: whole, true of what is answered, and the same as docs/http.md.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use super::security::{access, guarded, post};
use super::*;

async fn document(daemon: &Daemon) -> Value {
    let (status, text) = daemon.get("/openapi.json").await;
    assert_eq!(status, StatusCode::OK);
    serde_json::from_str(&text).unwrap()
}

/// Method, path, and what is said of them.
fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (method.as_str(), path.as_str(), operation))
    })
}

fn roles(operation: &Value) -> Vec<&str> {
    let ways = operation["security"].as_array().unwrap().iter();
    ways.filter_map(|way| way["token"][0].as_str()).collect()
}

fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get("$ref").and_then(Value::as_str));
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_document_is_whole() {
    let document = document(&Daemon::start().await).await;
    assert_eq!((&document["openapi"], &document["servers"][0]["url"]), (&json!("3.1.0"), &json!("/v1")));
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "{id} is there twice");
        assert!(!operation["summary"].as_str().unwrap().ends_with('.'), "{id}");
        assert!(operation["responses"]["200"]["content"].is_object(), "{id}");
        let parameters: Vec<&Value> = operation["parameters"].as_array().into_iter().flatten().collect();
        let named = parameters.iter().filter(|parameter| parameter["in"] == "path");
        let named: BTreeSet<_> = named.map(|parameter| parameter["name"].as_str().unwrap()).collect();
        let expected = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        assert_eq!(named, expected, "{path}");
        assert!(method == "get" || roles(operation) != ["viewer"] || ["check_plan", "resubscribe"].contains(&id));
        assert!(method != "get" || !roles(operation).contains(&"operator"), "{path}");
    }
    let mut found = Vec::new();
    references(&document, &mut found);
    for reference in found {
        let place = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(place).is_some(), "{reference} leads nowhere");
    }
}

/// Requests whose answers are held against the document, so that each operation that answers JSON is among them.
const READ: [&str; 22] = [
    "/me",
    "/readyz",
    "/status",
    "/channels",
    "/gases",
    "/tasks",
    "/plans",
    "/schedules",
    "/runs",
    "/runs/last",
    "/runs/last/visits",
    "/runs/last/events?types=run.finished",
    "/runs/last/files",
    "/events/stats",
    "/events/connections",
    "/openapi.json",
    "/runs/unheard",
    "/runs?limit=x",
    "/nothing",
    "/runs/last/files/unheard",
    "/events/schema/unheard",
    "/events?types=unheard",
];

const POSTED: [(&str, &str); 13] = [
    ("/control/start", r#"{"channels": "1-2"}"#),
    ("/control/start", r#"{"channels": "1-2", "dry_run": true}"#),
    ("/control/start", r#"{"chanels": "1"}"#),
    ("/control/abort", "{}"),
    ("/control/pause", r#"{"now": true}"#),
    ("/control/resume", "{}"),
    ("/control/skip", "{}"),
    ("/control/finish", "{}"),
    ("/control/note", r#"{"text": "window open"}"#),
    ("/plan/check", r#"{"channels": "1-2"}"#),
    ("/plan/check", r#"{"plan": "broken"}"#),
    ("/events/test", r#"{"message": "hello"}"#),
    ("/events/subscribe?connection_id=1", r#"{"channels": "1"}"#),
];

fn is_at(template: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap();
    let fits = |(wanted, part): (&str, &str)| wanted == part || (wanted.starts_with('{') && !part.is_empty());
    template.split('/').count() == path.split('/').count() && template.split('/').zip(path.split('/')).all(fits)
}

/// Holds a JSON answer against what the document says of it, and gives the operation.
fn hold<'a>(document: &'a Value, method: &str, path: &str, status: StatusCode, text: &str) -> Option<&'a str> {
    let answer: Value = serde_json::from_str(text).unwrap();
    let all: Vec<_> = operations(document).filter(|(known, at, _)| *known == method && is_at(at, path)).collect();
    // One without names in its path comes first.
    let found = all.iter().min_by_key(|(_, at, _)| at.matches('{').count());
    let told = if status == StatusCode::OK { "200" } else { "default" };
    let problem = json!({ "$ref": "#/components/schemas/Problem" });
    let schema = found
        .map_or(&problem, |(.., operation)| &operation["responses"][told]["content"]["application/json"]["schema"]);
    assert!(schema.is_object(), "{method} {path} {status} is not described");
    let mut whole = schema.clone();
    whole["components"] = document["components"].clone();
    let validator = jsonschema::draft202012::new(&whole).unwrap();
    let errors: Vec<_> = validator.iter_errors(&answer).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{method} {path}: {errors:#?}\n{answer:#}");
    found.filter(|_| status == StatusCode::OK).and_then(|(.., operation)| operation["operationId"].as_str())
}

#[tokio::test]
async fn answers_are_what_the_document_says() {
    let daemon = Daemon::start().await;
    let document = document(&daemon).await;
    let _reader = Reader::open(&daemon, "/events", &[]).await;
    let mut seen = BTreeSet::new();
    for path in READ {
        let (status, text) = daemon.get(path).await;
        seen.extend(hold(&document, "get", path, status, &text));
    }
    for (path, form) in POSTED {
        let (status, _, text) = post(&daemon, path, &[("content-type", "application/json")], form).await;
        seen.extend(hold(&document, "post", path, status, &text));
    }
    let (status, text) = whole(daemon.ask(Method::DELETE, "/events/connections/1", &[]).await).await;
    seen.extend(hold(&document, "delete", "/events/connections/1", status, &text));
    let guarded = guarded(access()).await;
    let (status, _, text) = post(&guarded, "/login", &[], "wall").await;
    seen.extend(hold(&document, "post", "/login", status, &text));

    let answers_json = |operation: &Value| operation["responses"]["200"]["content"]["application/json"].is_object();
    let known = operations(&document).filter(|(.., operation)| answers_json(operation));
    let known: BTreeSet<_> = known.map(|(.., operation)| operation["operationId"].as_str().unwrap()).collect();
    // A file of a run may be JSON of any kind.
    assert_eq!(&known - &BTreeSet::from(["get_run_file"]), seen);
}

#[tokio::test]
async fn a_role_is_asked_for_as_the_document_says() {
    let daemon = guarded(access()).await;
    let document = document(&daemon).await;
    for (method, path, operation) in operations(&document) {
        let path = path.replace("{id}", "last").replace("{name}", "x").replace("{file}", "x").replace("{type}", "x");
        let method: Method = method.to_uppercase().parse().unwrap();
        for (token, role) in [("", ""), ("wall", "viewer")] {
            let shown = format!("Bearer {token}");
            let head = [("authorization", shown.as_str()), ("content-type", "application/json")];
            let answer = daemon.ask(method.clone(), &path, if token.is_empty() { &head[1..] } else { &head }).await;
            let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&answer.status());
            let asked = roles(operation);
            // Without a stream or a token of one's own, these are refused for another reason.
            if !["/login", "/events/subscribe"].contains(&path.as_str()) {
                assert_eq!(refused, !asked.is_empty() && !asked.contains(&role), "{method} {path} {role}");
            }
        }
    }
}

/// Below it stands what this test makes.
const REFERENCE: &str = "## Reference\n";

#[tokio::test]
async fn the_reference_is_what_the_document_says() {
    let made = reference(&document(&Daemon::start().await).await);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/http.md");
    let kept = std::fs::read_to_string(&file).unwrap();
    let (prose, _) = kept.split_once(REFERENCE).unwrap();
    let whole = format!("{prose}{REFERENCE}\n{made}");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, &whole).unwrap();
    }
    assert!(kept == whole || std::env::var_os("BLESS").is_some(), "docs/http.md is not what is served; see BLESS");
}

fn reference(document: &Value) -> String {
    let mut text = String::from("| operation | role | what |\n|---|---|---|\n");
    for (method, path, operation) in operations(document) {
        let role = roles(operation).first().copied().unwrap_or("none");
        let _ = writeln!(text, "| `{} {path}` | {role} | {} |", method.to_uppercase(), said(&operation["summary"]));
    }
    for (method, path, operation) in operations(document) {
        let fields = fields(document, operation);
        let description = said(&operation["description"]);
        if fields.is_empty() && description.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n### {} {path}\n", method.to_uppercase());
        if !description.is_empty() {
            let _ = writeln!(text, "{description}");
        }
        if !fields.is_empty() {
            let lead = if description.is_empty() { "" } else { "\n" };
            let _ = write!(text, "{lead}| name | value | what |\n|---|---|---|\n{fields}");
        }
    }
    text
}

/// A line for each name in the path and each key of the query or the body.
fn fields(document: &Value, operation: &Value) -> String {
    let mut text = String::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let (name, place) = (said(&parameter["name"]), said(&parameter["in"]));
        let name = if place == "path" { format!("{{{name}}}") } else { format!("?{name}=") };
        let _ = writeln!(text, "| `{name}` | {} | {} |", value(&parameter["schema"]), said(&parameter["description"]));
    }
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    let body = body["$ref"].as_str().map_or(body, |place| document.pointer(&place[1..]).unwrap());
    for (name, field) in body["properties"].as_object().into_iter().flatten() {
        let _ = writeln!(text, "| `{name}` | {} | {} |", value(field), said(&field["description"]));
    }
    text
}

fn said(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// What may stand there.
fn value(schema: &Value) -> String {
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().map(|word| format!("`{}`", said(word))).collect::<Vec<_>>().join(", ");
    }
    if let Some(ways) = schema["oneOf"].as_array() {
        return ways.iter().map(value).collect::<Vec<_>>().join(" or ");
    }
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().map(said).filter(|kind| *kind != "null").collect::<Vec<_>>().join(" or "),
        kind => said(kind).to_owned(),
    };
    let range = match (schema["minimum"].as_u64(), schema["maximum"].as_u64()) {
        (least, Some(most)) => format!(" from {} to {most}", least.unwrap_or_default()),
        (Some(least @ 1..), None) => format!(" from {least} on"),
        _ => String::new(),
    };
    kinds + &range
}
