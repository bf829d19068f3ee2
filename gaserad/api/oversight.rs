//! What readers of the stream may know of it and do to it: figures, connections, subscriptions, a trial.

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Array, ArrayBuilder, Object, ObjectBuilder, Schema, Type};
use utoipa::{IntoParams, ToSchema};

use super::answer::{Problem, Shape, Told};
use super::auth::{Caller, Needs, Role};
use super::describe::Sheet;
use super::form::Sent;
use super::operation::Endpoint;
use super::query::{Asked, Named};
use super::{Services, memory};
use crate::stream::{ConnectionChange, Filter, Hub};

pub fn endpoints() -> Vec<Endpoint<Services>> {
    vec![
        Endpoint::get("/events/stats", "get_stream_figures", "Returns statistics of the stream", stats)
            .also_at(&["/sse/stats", "/api/events/stats"]),
        Endpoint::get("/events/connections", "list_connections", "Lists the readers of the stream", connections)
            .also_at(&["/sse/connections"]),
        Endpoint::delete("/events/connections/{id}", "close_connection", "Closes the stream of one reader", close),
        Endpoint::post("/events/subscribe", "resubscribe", "Changes the filter of an open stream", subscribe)
            .described(
                "Whoever opened the stream may do it (the same token or user), and operators. What is not named stays as \
                 it is, an empty list or text takes a filter away, and `last_event_id` goes back to what comes after it.",
            )
            .also_at(&["/sse/subscribe"])
            .needs(Needs::Viewer),
        Endpoint::post("/events/test", "send_test_event", "Sends a test event to the readers of the stream", test)
            .also_at(&["/sse/test-event"]),
    ]
}

/// Figures of the stream, by name; later versions may have more.
enum StreamFigures {}

impl Shape for StreamFigures {
    fn schema(_: &mut Sheet) -> RefOr<Schema> {
        any_object().into()
    }
}

async fn stats(State(services): State<Services>) -> Told<StreamFigures> {
    let mut stats = services.hub.stats();
    stats["rss_bytes"] = memory::resident().into();
    Told::documented(&stats)
}

#[derive(Serialize, ToSchema)]
struct ConnectionList {
    count: usize,
    #[schema(schema_with = any_objects)]
    connections: Vec<Value>,
}

fn any_objects() -> Array {
    ArrayBuilder::new().items(any_object()).build()
}

fn any_object() -> Object {
    ObjectBuilder::new().schema_type(Type::Object).build()
}

async fn connections(State(services): State<Services>) -> Told<ConnectionList> {
    let connections = services.hub.list();
    Told::json(&ConnectionList { count: connections.len(), connections })
}

#[derive(Deserialize, IntoParams)]
struct ConnectionNamed {
    /// As the event `connected` and the list of connections give it.
    id: String,
}

#[derive(Serialize, ToSchema)]
struct Closed {
    connection_id: String,
    closed: bool,
}

async fn close(
    State(services): State<Services>,
    caller: Caller,
    Named(ConnectionNamed { id }): Named<ConnectionNamed>,
) -> Result<Told<Closed>, Problem> {
    let reason = format!("{caller} closed this stream");
    let change = ConnectionChange { close: Some(reason), ..ConnectionChange::default() };
    let known = number(&id).is_some_and(|id| services.hub.change(id, change));
    if known { Ok(Told::json(&Closed { connection_id: id, closed: true })) } else { Err(unknown(&id)) }
}

fn number(id: &str) -> Option<u64> {
    id.parse().ok()
}

fn unknown(id: &str) -> Problem {
    let sentence = format!("there is no connection {id:?}; GET /events/connections lists those there are");
    Problem::not_found("CONNECTION_UNKNOWN", sentence)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SubscribeQuery {
    /// The stream, as its event `connected` names it; it may stand in the body too.
    connection_id: Option<String>,
    /// The same as `connection_id`.
    client_id: Option<String>,
}

/// What a reader wants to see from now on. What is not given stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Subscription {
    connection_id: Option<String>,
    #[serde(alias = "types")]
    event_types: Option<Vec<String>>,
    channels: Option<String>,
    #[serde(alias = "project_id", alias = "run_id")]
    run: Option<String>,
    #[schema(value_type = Option<u64>)]
    last_event_id: Option<Value>,
}

/// The filter that a stream has now.
#[derive(Serialize, ToSchema)]
struct Subscribed {
    connection_id: String,
    event_types: Vec<String>,
    channels: Option<Vec<u8>>,
    run: Option<String>,
    last_event_id: Option<u64>,
}

async fn subscribe(
    State(services): State<Services>,
    caller: Caller,
    Asked(query): Asked<SubscribeQuery>,
    Sent(subscription): Sent<Subscription>,
) -> Result<Told<Subscribed>, Problem> {
    let subscription = subscription.unwrap_or_default();
    let named = query.connection_id.or(query.client_id).or_else(|| subscription.connection_id.clone());
    let id = named.ok_or_else(|| {
        let sentence = "no connection is named; the event \"connected\" gives its connection_id, for ?connection_id=";
        Problem::bad_request(sentence)
    })?;
    Ok(Told::json(&resubscribe(&services, id, subscription, &caller).await?))
}

async fn resubscribe(
    services: &Services,
    id: String,
    wanted: Subscription,
    caller: &Caller,
) -> Result<Subscribed, Problem> {
    let found = number(&id).and_then(|id| services.hub.find_connection(id));
    let connection = found.ok_or_else(|| unknown(&id))?;
    if caller.role != Some(Role::Operator) && connection.owner() != caller.identity {
        let sentence = format!("the connection {id:?} is somebody else's; only they and operators may change it");
        return Err(Problem::new(StatusCode::FORBIDDEN, "NOT_PERMITTED", sentence));
    }
    let before = connection.filter();
    let types = wanted.event_types.map(|types| types.join(","));
    let types = types.unwrap_or_else(|| before.types().join(","));
    let channels = wanted.channels.or_else(|| before.channels().as_deref().map(list)).filter(|text| !text.is_empty());
    let run = match wanted.run.as_deref() {
        None => before.run().cloned(),
        Some("") => None,
        Some(name) => Some(services.archive.find(name).await?),
    };
    let types = Some(types.as_str()).filter(|types| !types.is_empty());
    let filter = Filter::parse(types, channels.as_deref(), run);
    let filter = filter.map_err(|error| Problem::bad_request(error.to_string()))?;
    let last_event_id = wanted.last_event_id.as_ref().map(event_id).transpose().map_err(Problem::bad_request)?;
    let told = Subscribed {
        connection_id: id.clone(),
        event_types: filter.types().iter().map(ToString::to_string).collect(),
        channels: filter.channels(),
        run: filter.run().map(ToString::to_string),
        last_event_id,
    };
    let change = ConnectionChange { filter: Some(filter), last_event_id, close: None };
    if services.hub.change(connection.id, change) { Ok(told) } else { Err(unknown(&id)) }
}

fn list(channels: &[u8]) -> String {
    channels.iter().map(u8::to_string).collect::<Vec<_>>().join(",")
}

fn event_id(value: &Value) -> Result<u64, String> {
    let given = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    given.ok_or_else(|| format!("{value} is not an event id; an id is a decimal number, as the stream gives it"))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TrialQuery {
    /// The type of event that the trial stands for; `test` unless it is told.
    event_type: Option<String>,
    /// The same as `event_type`.
    r#type: Option<String>,
    message: Option<String>,
}

/// What the query may say too.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Trial {
    event_type: Option<String>,
    message: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct TrialSent {
    /// How many readers there are.
    sent_to: usize,
    event: &'static str,
    #[schema(schema_with = any_object)]
    data: Value,
}

async fn test(
    State(services): State<Services>,
    caller: Caller,
    Asked(query): Asked<TrialQuery>,
    Sent(trial): Sent<Trial>,
) -> Result<Told<TrialSent>, Problem> {
    let trial = trial.unwrap_or_default();
    let name = query.event_type.or(query.r#type).or(trial.event_type);
    let message = query.message.or(trial.message).unwrap_or_default();
    let name = name.as_deref().unwrap_or("test");
    let stands_for = Hub::event_type(name).ok_or_else(|| Problem::bad_request(no_such_type(name)))?;
    let data = services.hub.publish_test(stands_for, &message, &caller.to_string());
    Ok(Told::json(&TrialSent { sent_to: services.hub.clients(), event: "test", data }))
}

pub fn no_such_type(name: &str) -> String {
    let known: Vec<_> = Filter::names().collect();
    format!("there is no event type {name:?}; the types are {}", known.join(", "))
}
