//! The event stream over HTTP.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::extract::State;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use hyper::body::Frame;
use serde::Deserialize;
use tokio_util::sync::ReusableBoxFuture;
use utoipa::IntoParams;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use super::Services;
use super::answer::{self, Answer, Kind, Problem, Raw};
use super::auth::{self, Caller};
use super::operation::Endpoint;
use super::query::{Asked, event_id};
use super::takeover::Unbegun;
use crate::stream::{Cursor, Filter, Format, Origin, Refused, SubscribeRequest};

/// When a reader that found no place may try again, seconds.
const RETRY_AFTER: &str = "10";
const LAST_EVENT_ID: &str = "last-event-id";

pub fn endpoints() -> Vec<Endpoint<Services>> {
    vec![
        Endpoint::get("/events", "follow_events", "Streams events, as server-sent events or lines of JSON", follow)
            .described(
                "The data of each event is an `Event` of its type. docs/stream.md says what readers may rely on.",
            )
            .also_at(&["/api/events/stream", "/sse/events"])
            .streams(),
        Endpoint::get(
            "/gasera/api/measurement/events",
            "follow_merged_events",
            "Streams merged messages for GaseraMux dashboards",
            follow_merged,
        )
        .also_at(&["/api/measurement/events"])
        .streams(),
    ]
}

/// The stream, in the format that is asked for.
pub struct EventStream;

impl Kind for EventStream {
    const KINDS: &'static [&'static str] = &[SERVER_SENT, LINES];
}

pub const SERVER_SENT: &str = "text/event-stream; charset=utf-8";
const LINES: &str = "application/x-ndjson; charset=utf-8";

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct StreamQuery {
    /// Only these types, like `run.*,live_data`.
    types: Option<String>,
    /// The same as `types`.
    event_types: Option<String>,
    /// Only what is about these channels, like `1-8,12`, or about none.
    channels: Option<String>,
    /// Only what is about this run: its id, a unique prefix of it, or `last`.
    run: Option<String>,
    /// The same as `run`.
    run_id: Option<String>,
    /// The same as `run`.
    project_id: Option<String>,
    /// Go on after the event with this id; the header `Last-Event-ID` goes before it.
    #[param(schema_with = event_id)]
    since: Option<u64>,
    /// The same as `since`.
    #[param(schema_with = event_id)]
    last_event_id: Option<u64>,
    /// `named` unless it is told; the merged stream knows no other.
    #[param(schema_with = formats)]
    format: Option<String>,
    /// Whether it begins with the last event of each type; so it does unless it is told.
    sticky: Option<bool>,
}

fn formats() -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(Format::NAMES.map(|(name, _)| name))).build()
}

async fn follow(
    State(services): State<Services>,
    method: Method,
    headers: HeaderMap,
    caller: Caller,
    Asked(query): Asked<StreamQuery>,
) -> Result<Raw<EventStream>, Problem> {
    let named = query.format.as_deref().and_then(Format::parse);
    let format = named.unwrap_or(if accepts_lines(&headers) { Format::Lines } else { Format::Named });
    stream(&services, &method, &headers, query, format, &caller).await
}

async fn follow_merged(
    State(services): State<Services>,
    method: Method,
    headers: HeaderMap,
    caller: Caller,
    Asked(query): Asked<StreamQuery>,
) -> Result<Raw<EventStream>, Problem> {
    stream(&services, &method, &headers, query, Format::Merged, &caller).await
}

async fn stream(
    services: &Services,
    method: &Method,
    headers: &HeaderMap,
    query: StreamQuery,
    format: Format,
    caller: &Caller,
) -> Result<Raw<EventStream>, Problem> {
    let request =
        SubscribeRequest { format, origin: origin(headers, caller), ..request(services, headers, query).await? };
    if method == Method::HEAD {
        return Ok(dress(answer::untold_body(), format).into());
    }
    let control = services.control.clone();
    let now = Box::pin(async move { control.status().await });
    let cursor = services.hub.subscribe(request, now).map_err(unavailable)?;
    let source = Unbegun::new(cursor);
    let body = EventBody { source: source.clone(), next: None, ready: VecDeque::new() };
    let mut answer = dress(Body::new(body), format);
    answer.extensions_mut().insert(source);
    Ok(answer.into())
}

/// The longest that is kept of what a client calls itself.
const AGENT: usize = 100;

pub fn origin(headers: &HeaderMap, peer: &Caller) -> Origin {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let agent = agent.chars().take(AGENT).collect();
    let session = auth::shown_cookie(headers).filter(|_| !headers.contains_key(header::AUTHORIZATION));
    Origin { peer: peer.to_string(), owner: peer.identity.clone(), agent, session: session.map(str::to_owned) }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
pub fn unavailable(refused: Refused) -> Problem {
    let reason = match refused {
        Refused::Full(_) => "STREAM_FULL",
        Refused::ShuttingDown => "SHUTTING_DOWN",
    };
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, reason, refused.to_string()).retry_after(RETRY_AFTER)
}

async fn request(services: &Services, headers: &HeaderMap, query: StreamQuery) -> Result<SubscribeRequest, Problem> {
    let run = match query.run.or(query.run_id).or(query.project_id) {
        Some(name) => Some(services.archive.find(&name).await?),
        None => None,
    };
    let types = query.types.or(query.event_types);
    let filter = Filter::parse(types.as_deref(), query.channels.as_deref(), run)
        .map_err(|error| Problem::bad_request(error.to_string()))?;
    // The header is newer than the address: a browser connects again with the address it began with.
    let last_event_id = read_last_event_id(headers)?.or(query.last_event_id).or(query.since);
    let without_sticky = query.sticky == Some(false);
    Ok(SubscribeRequest { filter, last_event_id, without_sticky, ..SubscribeRequest::default() })
}

fn accepts_lines(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.split([',', ';']).map(str::trim).any(|kind| matches!(kind, "application/x-ndjson" | "application/jsonl"))
}

fn read_last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let shown = headers.get(LAST_EVENT_ID).map(|value| value.to_str().unwrap_or("?").trim());
    let id = shown.filter(|text| !text.is_empty()).map(|text| (text, text.parse::<u64>()));
    let wrong = |text| {
        let sentence = format!("{text:?} is not an event id; an id is a decimal number, as the stream gives it");
        Problem::bad_request(sentence)
    };
    id.map(|(text, id)| id.map_err(|_| wrong(text))).transpose()
}

pub fn dress(body: Body, format: Format) -> Answer {
    let kind = match format {
        Format::Lines => LINES,
        _ => SERVER_SENT,
    };
    let mut answer = Answer::new(body);
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // A proxy that collects before it passes on would hold events back.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    answer
}

/// A cursor as the body of an answer.
struct EventBody {
    source: Unbegun,
    next: Option<ReusableBoxFuture<'static, (Cursor, Option<Vec<Bytes>>)>>,
    ready: VecDeque<Bytes>,
}

async fn advance(mut cursor: Cursor) -> (Cursor, Option<Vec<Bytes>>) {
    let frames = cursor.next().await;
    (cursor, frames)
}

impl hyper::body::Body for EventBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            if let Some(cursor) = self.source.take() {
                self.next = Some(ReusableBoxFuture::new(advance(cursor)));
            }
            let Some(next) = &mut self.next else { return Poll::Ready(None) };
            match ready!(next.poll(cx)) {
                (cursor, Some(frames)) => {
                    next.set(advance(cursor));
                    self.ready = frames.into();
                }
                (_, None) => self.next = None,
            }
        }
    }
}
