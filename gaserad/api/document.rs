//! What the interface says of itself: the OpenAPI document and `/help`, both made from the list of operations.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use axum::extract::State;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use utoipa::openapi::path::{HttpMethod, PathItemBuilder, Paths};
use utoipa::openapi::schema::{Ref, Schema};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, RefOr, ServerBuilder};

use super::answer::{self, JSON, PlainText, Raw, Shape, Told};
use super::auth::{COOKIE, Needs};
use super::describe::Sheet;
use super::operation::{Endpoint, Operation, STABLE};
use super::schemas;

const WELCOME: &str = "gaserad runs measurement plans on a gas analyzer and its multiplexer.\n";
const FAREWELL: &str = "\
Each path is also below /v1, where it stays as it is. GET /openapi.json says all of this to programs.
The same can be done with gaseractl, and by gRPC on this address (gasera.v1.GaseraService).
";
const DESCRIPTION: &str = "\
Runs measurement plans on a gas analyzer and its multiplexer. No GET changes anything. Query keys that an operation does \
not know are refused. Ignore properties and event types that you do not know: later versions may add some.";

pub fn endpoints() -> Vec<Endpoint<Arc<Document>>> {
    vec![
        Endpoint::get("/help", "help", "Lists these operations for people", help).needs(Needs::Nothing),
        Endpoint::get("/openapi.json", "openapi", "Returns this interface as OpenAPI 3.1", openapi)
            .needs(Needs::Nothing),
    ]
}

async fn help(State(document): State<Arc<Document>>) -> Raw<PlainText> {
    Raw::text(help_of(document.operations()))
}

/// A document of OpenAPI 3.1.
enum OpenApiTold {}

impl Shape for OpenApiTold {
    fn schema(_: &mut Sheet) -> RefOr<Schema> {
        utoipa::openapi::ObjectBuilder::new().into()
    }
}

async fn openapi(State(document): State<Arc<Document>>) -> Told<OpenApiTold> {
    Told::raw(answer::with(StatusCode::OK, JSON, openapi_of(document.operations()).to_string()))
}

/// Schemas that are kept as documents and not derived from types, by the names that they have here.
fn kept() -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for (prefix, document) in [("", schemas::EVENTS), ("Printed", schemas::PRINTED)] {
        let document: Value = serde_json::from_str(document).unwrap_or_default();
        let entries = |key: &str| document[key].as_object().into_iter().flatten();
        all.extend(entries("$defs").map(|(name, schema)| (kept_name(prefix, name), renamed(schema, prefix))));
        let named = entries("properties").map(|(name, schema)| (name, renamed(schema, prefix)));
        if prefix.is_empty() {
            let events: Vec<Value> = named.map(|(_, event)| event).collect();
            let meaning = "What an event of the stream carries.";
            all.insert("Event".into(), json!({ "description": meaning, "anyOf": events }));
        } else {
            all.extend(named.map(|(name, schema)| (kept_name(prefix, name), schema)));
        }
    }
    all
}

/// `event:run.started` becomes `RunStartedEvent`.
fn kept_name(prefix: &str, name: &str) -> String {
    let (name, suffix) = name.strip_prefix("event:").map_or((name, ""), |name| (name, "Event"));
    let words = name.split(['.', '_', ' ', '-', ':']);
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    };
    format!("{prefix}{}{suffix}", words.map(capital).collect::<String>())
}

/// A schema whose references lead to the components of the OpenAPI document.
fn renamed(schema: &Value, prefix: &str) -> Value {
    match schema {
        Value::Object(object) => {
            object.iter().map(|(key, value)| (key.clone(), reference(key, value, prefix))).collect()
        }
        Value::Array(items) => items.iter().map(|item| renamed(item, prefix)).collect(),
        other => other.clone(),
    }
}

fn reference(key: &str, value: &Value, prefix: &str) -> Value {
    match value.as_str().and_then(|place| place.strip_prefix("#/$defs/")) {
        Some(name) if key == "$ref" => json!(format!("{COMPONENTS}{}", kept_name(prefix, name))),
        _ => renamed(value, prefix),
    }
}

const COMPONENTS: &str = "#/components/schemas/";

macro_rules! kept_schemas {
    ($($(#[$doc:meta])* $name:ident: $schema:literal;)+) => {$(
        $(#[$doc])*
        pub enum $name {}

        impl Shape for $name {
            fn schema(_: &mut Sheet) -> RefOr<Schema> {
                Ref::from_schema_name($schema).into()
            }
        }
    )+};
}

kept_schemas! {
    /// The state of everything.
    StatusTold: "SnapshotEvent";
    /// What `gaseractl start --json` prints.
    Started: "PrintedStarted";
    /// What `gaseractl start --dry-run --json` prints.
    Planned: "PrintedPlanned";
    PlanList: "PrintedPlanList";
    ScheduleList: "PrintedScheduleList";
}

/// What the interface says of itself. It is put together when somebody asks, which is seldom.
#[derive(Default)]
pub struct Document(OnceLock<Vec<Operation>>);

impl Document {
    /// What it is made of; the handlers that answer with it are among these operations.
    pub fn describe(&self, operations: Vec<Operation>) {
        let _ = self.0.set(operations);
    }

    fn operations(&self) -> &[Operation] {
        self.0.get().map_or(&[], Vec::as_slice)
    }
}

fn openapi_of(operations: &[Operation]) -> Value {
    let mut document = serde_json::to_value(described(operations)).unwrap_or_default();
    let mut missing = vec!["Event".to_owned()];
    collect(&document, &mut missing);
    let Value::Object(mut known) = document["components"]["schemas"].take() else { return document };
    let kept = kept();
    while let Some(name) = missing.pop() {
        if let (false, Some(schema)) = (known.contains_key(&name), kept.get(&name)) {
            collect(schema, &mut missing);
            known.insert(name, schema.clone());
        }
    }
    document["components"]["schemas"] = known.into();
    document
}

/// The components that are referred to.
fn collect(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            let reference = object.get("$ref").and_then(Value::as_str);
            names.extend(reference.and_then(|place| place.strip_prefix(COMPONENTS)).map(str::to_owned));
            object.values().for_each(|value| collect(value, names));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        _ => {}
    }
}

fn described(operations: &[Operation]) -> OpenApi {
    let mut paths = Paths::new();
    let mut components = ComponentsBuilder::new()
        .security_scheme("token", SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()))
        .security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE))));
    for operation in operations {
        let method = match operation.method {
            Method::GET => HttpMethod::Get,
            Method::DELETE => HttpMethod::Delete,
            _ => HttpMethod::Post,
        };
        let mut described = operation.sheet.operation.clone();
        described.security = Some(security(operation.needs));
        let item = PathItemBuilder::new().operation(method, described).build();
        paths.paths.entry(operation.path.to_owned()).or_default().merge_operations(item);
        components = components.schemas_from_iter(operation.sheet.schemas.iter().cloned());
    }
    let info = InfoBuilder::new()
        .title("gaserad")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(LicenseBuilder::new().name("MIT").identifier(Some("MIT")).build()));
    let server = ServerBuilder::new().url(STABLE).description(Some("the interface that stays as it is")).build();
    OpenApiBuilder::new()
        .info(info.build())
        .servers(Some([server]))
        .paths(paths)
        .components(Some(components.build()))
        .build()
}

/// The ways to be let in, with the role that it takes. Over the unix socket, and as the settings say on this machine,
/// nothing has to be shown.
fn security(needs: Needs) -> Vec<SecurityRequirement> {
    match needs.role() {
        None => Vec::new(),
        Some(role) => {
            let shown = |scheme: &str| SecurityRequirement::new(scheme, [role.word()]);
            vec![shown("token"), shown("cookie"), SecurityRequirement::default()]
        }
    }
}

fn help_of(operations: &[Operation]) -> String {
    let mut text = WELCOME.to_owned();
    let mut about = None;
    for operation in operations {
        if about != Some(operation.about()) {
            text.push('\n');
            about = Some(operation.about());
        }
        let keys: Vec<String> = operation.query_keys().map(|key| format!("{key}=")).collect();
        let keys = if keys.is_empty() { String::new() } else { format!(" (?{})", keys.join(" &")) };
        let place = format!("{} {}", operation.method, operation.path);
        let _ = writeln!(text, "{place:<32} {}{keys}", operation.summary());
    }
    text.push('\n');
    text + FAREWELL
}
