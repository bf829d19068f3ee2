//! The event stream over HTTP.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use hyper::body::Frame;
use tokio_util::sync::ReusableBoxFuture;
use tonic::body::Body;

use super::Services;
use super::answer::{self, Answer};
use super::auth::{self, Caller};
use super::query::Query;
use super::takeover::Unbegun;
use crate::domain::RunId;
use crate::stream::{Cursor, Filter, Format, Origin, Refused, SubscribeRequest};

/// When a reader that found no place may try again, seconds.
const RETRY_AFTER: &str = "10";
const LAST_EVENT_ID: &str = "last-event-id";

/// Answers with the stream; `format` is what the path promises, if it does.
pub async fn stream(
    services: &Services,
    method: &Method,
    headers: &HeaderMap,
    query: &Query,
    format: Option<Format>,
    peer: &Caller,
) -> Answer {
    let request = match request(services, headers, query, format).await {
        Ok(request) => SubscribeRequest { origin: origin(headers, peer), ..request },
        Err(answer) => return answer,
    };
    let format = request.format;
    if method == Method::HEAD {
        return dress(Body::empty(), format);
    }
    let control = services.control.clone();
    let now = Box::pin(async move { control.status().await });
    match services.hub.subscribe(request, now) {
        Ok(cursor) => {
            let source = Unbegun::new(cursor);
            let body = EventBody { source: source.clone(), next: None, ready: VecDeque::new() };
            let mut answer = dress(Body::new(body), format);
            answer.extensions_mut().insert(source);
            answer
        }
        Err(refused) => unavailable(&refused),
    }
}

/// The longest that is kept of what a client calls itself.
const AGENT: usize = 100;

pub fn origin(headers: &HeaderMap, peer: &Caller) -> Origin {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let agent = agent.chars().take(AGENT).collect();
    let session = auth::shown_cookie(headers).filter(|_| !headers.contains_key(header::AUTHORIZATION));
    Origin { peer: peer.to_string(), owner: peer.identity.clone(), agent, session: session.map(str::to_owned) }
}

pub fn unavailable(refused: &Refused) -> Answer {
    let reason = match refused {
        Refused::Full(_) => "STREAM_FULL",
        Refused::ShuttingDown => "SHUTTING_DOWN",
    };
    let mut answer = answer::refuse(StatusCode::SERVICE_UNAVAILABLE, reason, &refused.to_string());
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
    answer
}

async fn request(
    services: &Services,
    headers: &HeaderMap,
    query: &Query,
    format: Option<Format>,
) -> Result<SubscribeRequest, Answer> {
    let format = match format {
        Some(format) => format,
        None => read_format(headers, query).map_err(|sentence| answer::bad_request(&sentence))?,
    };
    let run = match query.get(&["run", "run_id", "project_id"]) {
        Some(name) => Some(find(services, name).await?),
        None => None,
    };
    let filter = Filter::parse(query.get(&["types", "event_types"]), query.get(&["channels"]), run)
        .map_err(|error| answer::bad_request(&error.to_string()))?;
    let last_event_id = read_last_event_id(headers, query).map_err(|sentence| answer::bad_request(&sentence))?;
    let without_sticky = query.get(&["sticky"]) == Some("false");
    Ok(SubscribeRequest { format, filter, last_event_id, without_sticky, ..SubscribeRequest::default() })
}

async fn find(services: &Services, name: &str) -> Result<RunId, Answer> {
    services.archive.find(name).await.map_err(|denied| answer::denied(&denied))
}

fn read_format(headers: &HeaderMap, query: &Query) -> Result<Format, String> {
    match query.get(&["format"]) {
        Some(name) => Format::parse(name).ok_or_else(|| {
            let known: Vec<_> = Format::NAMES.iter().map(|(name, _)| *name).collect();
            format!("there is no stream format {name:?}; the formats are {}", known.join(", "))
        }),
        None if accepts_lines(headers) => Ok(Format::Lines),
        None => Ok(Format::Named),
    }
}

fn accepts_lines(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.split([',', ';']).map(str::trim).any(|kind| matches!(kind, "application/x-ndjson" | "application/jsonl"))
}

/// The header is newer than the address: a browser connects again with the address it began with.
fn read_last_event_id(headers: &HeaderMap, query: &Query) -> Result<Option<u64>, String> {
    let header = headers.get(LAST_EVENT_ID).map(|value| value.to_str().unwrap_or("?").trim());
    let given = header.filter(|text| !text.is_empty()).or_else(|| query.get(&["last_event_id", "since"]));
    let wrong = |text: &str| format!("{text:?} is not an event id; an id is a decimal number, as the stream gives it");
    given.map(|text| text.parse().map_err(|_| wrong(text))).transpose()
}

pub fn dress(body: Body, format: Format) -> Answer {
    let kind = match format {
        Format::Lines => "application/x-ndjson; charset=utf-8",
        _ => "text/event-stream; charset=utf-8",
    };
    let mut answer = Response::new(body);
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
