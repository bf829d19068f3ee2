//! What readers of the stream may know of it and do to it: figures, connections, subscriptions, a trial.

use http::{HeaderMap, StatusCode};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{self, Answer};
use super::auth::{Caller, Role};
use super::query::Query;
use super::{Services, form, memory};
use crate::domain::Denied;
use crate::stream::{Change, Filter, Hub};

/// The largest request that is read.
const MOST: usize = 16 * 1024;

pub fn stats(services: &Services) -> Answer {
    let mut stats = services.hub.stats();
    stats["rss_bytes"] = memory::resident().into();
    answer::json(&stats)
}

pub fn connections(services: &Services) -> Answer {
    let list = services.hub.list();
    answer::json(&json!({ "count": list.len(), "connections": list }))
}

pub fn close(services: &Services, id: &str, who: &str) -> Answer {
    let reason = format!("{who} closed this stream");
    let known = number(id)
        .is_some_and(|id| services.hub.change(id, Change { close: Some(reason.clone()), ..Change::default() }));
    if known { answer::json(&json!({ "connection_id": id, "closed": true })) } else { unknown(id) }
}

fn number(id: &str) -> Option<u64> {
    id.parse().ok()
}

fn unknown(id: &str) -> Answer {
    answer::refuse(StatusCode::NOT_FOUND, "CONNECTION_UNKNOWN", &no_such_connection(id))
}

pub fn no_such_connection(id: &str) -> String {
    format!("there is no connection {id:?}; GET /events/connections lists those there are")
}

/// What a reader wants to see from now on. What is not given stays as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    connection_id: Option<String>,
    #[serde(alias = "types")]
    event_types: Option<Vec<String>>,
    channels: Option<String>,
    #[serde(alias = "project_id", alias = "run_id")]
    run: Option<String>,
    last_event_id: Option<Value>,
}

pub async fn subscribe(
    services: &Services,
    query: &Query,
    headers: &HeaderMap,
    body: Incoming,
    caller: &Caller,
) -> Answer {
    let wish = match read::<Wish>(headers, body).await {
        Ok(wish) => wish.unwrap_or_default(),
        Err(answer) => return answer,
    };
    let id = query.get(&["connection_id", "client_id"]).map(str::to_owned).or_else(|| wish.connection_id.clone());
    let Some(id) = id else {
        let sentence = "no connection is named; the event \"connected\" gives its connection_id, for ?connection_id=";
        return answer::bad_request(sentence);
    };
    match resubscribe(services, &id, wish, caller).await {
        Ok(told) => answer::json(&told),
        Err(Trouble::Wrong(sentence)) => answer::bad_request(&sentence),
        Err(Trouble::NoConnection) => unknown(&id),
        Err(Trouble::Foreign) => {
            let sentence = format!("the connection {id:?} is somebody else's; only they and operators may change it");
            answer::refuse(StatusCode::FORBIDDEN, "NOT_PERMITTED", &sentence)
        }
        Err(Trouble::Denied(denied)) => answer::denied(&denied),
    }
}

/// Why a subscription stays as it is.
enum Trouble {
    Wrong(String),
    NoConnection,
    Foreign,
    Denied(Denied),
}

async fn resubscribe(services: &Services, id: &str, wish: Wish, caller: &Caller) -> Result<Value, Trouble> {
    let connection = number(id).and_then(|id| services.hub.find_connection(id)).ok_or(Trouble::NoConnection)?;
    if caller.role != Some(Role::Operator) && connection.owner() != caller.identity {
        return Err(Trouble::Foreign);
    }
    let before = connection.filter();
    let types = wish.event_types.map(|types| types.join(","));
    let types = types.unwrap_or_else(|| before.types().join(","));
    let channels = wish.channels.or_else(|| before.channels().as_deref().map(list)).filter(|text| !text.is_empty());
    let run = match wish.run.as_deref() {
        None => before.run().cloned(),
        Some("") => None,
        Some(name) => Some(services.archive.find(name).await.map_err(Trouble::Denied)?),
    };
    let types = Some(types.as_str()).filter(|types| !types.is_empty());
    let filter = Filter::parse(types, channels.as_deref(), run).map_err(|error| Trouble::Wrong(error.to_string()))?;
    let last_event_id = wish.last_event_id.as_ref().map(event_id).transpose().map_err(Trouble::Wrong)?;
    let told = json!({
        "connection_id": id,
        "event_types": filter.types(),
        "channels": filter.channels(),
        "run": filter.run(),
        "last_event_id": last_event_id,
    });
    let change = Change { filter: Some(filter), last_event_id, close: None };
    if services.hub.change(connection.id, change) { Ok(told) } else { Err(Trouble::NoConnection) }
}

fn list(channels: &[u8]) -> String {
    channels.iter().map(u8::to_string).collect::<Vec<_>>().join(",")
}

fn event_id(value: &Value) -> Result<u64, String> {
    let given = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    given.ok_or_else(|| format!("{value} is not an event id; an id is a decimal number, as the stream gives it"))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Trial {
    event_type: Option<String>,
    message: Option<String>,
}

pub async fn test(services: &Services, query: &Query, headers: &HeaderMap, body: Incoming, who: &str) -> Answer {
    let trial = match read::<Trial>(headers, body).await {
        Ok(trial) => trial.unwrap_or_default(),
        Err(answer) => return answer,
    };
    let name = query.get(&["event_type", "type"]).map(str::to_owned).or(trial.event_type);
    let message = query.get(&["message"]).map(str::to_owned).or(trial.message).unwrap_or_default();
    match Hub::event_type(name.as_deref().unwrap_or("test")) {
        Some(stands_for) => {
            let data = services.hub.publish_test(stands_for, &message, who);
            answer::json(&json!({ "sent_to": services.hub.clients(), "event": "test", "data": data }))
        }
        None => answer::bad_request(&no_such_type(&name.unwrap_or_default())),
    }
}

pub fn no_such_type(name: &str) -> String {
    let known: Vec<_> = Filter::names().collect();
    format!("there is no event type {name:?}; the types are {}", known.join(", "))
}

/// A request's JSON, if it has any.
async fn read<T: for<'a> Deserialize<'a>>(headers: &HeaderMap, body: Incoming) -> Result<Option<T>, Answer> {
    let body = form::bytes(headers, body, MOST).await?;
    if body.trim_ascii().is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(&body)
        .map(Some)
        .map_err(|error| answer::bad_request(&format!("the request is not the JSON that is meant here: {error}")))
}
