//! `GET /status/stream?ids=`: how chosen subjects stand, and each change of them, as server-sent events.
//!
//! A stream is told a change once, with what it was told before; of changes that it had no time for, only the last counts.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::IntoResponse;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::{self, Sender};
use tokio::sync::watch;
use tokio::time::interval;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use utoipa::{IntoParams, ToSchema};

use super::answer::{self, Answer, Kind, Problem, Raw};
use super::auth::Caller;
use super::describe::{Describe, Sheet};
use super::operation::Endpoint;
use super::query::Asked;
use super::{Services, events};
use crate::domain::Utc;
use crate::stream::subjects::{self, Subjects};
use crate::stream::{Format, Hub, KEEP_ALIVE, Visit};

pub fn endpoints() -> Vec<Endpoint<Services>> {
    vec![
        Endpoint::get(
            "/status/stream",
            "follow_status",
            "Streams the state of chosen subjects and its changes",
            stream,
        )
        .streams(),
    ]
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SubjectsQuery {
    /// The subjects, like `instrument,engine,ch:1-8`.
    ids: Option<String>,
    /// The same as `ids`.
    #[serde(rename = "pipelineIds")]
    #[param(rename = "pipelineIds")]
    pipeline_ids_camel: Option<String>,
    /// The same as `ids`.
    pipeline_ids: Option<String>,
    /// `named` unless it is told.
    #[param(inline)]
    format: Option<StatusFormat>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum StatusFormat {
    Named,
    Envelope,
}

struct ServerSent;

impl Kind for ServerSent {
    const KINDS: &'static [&'static str] = &[events::SERVER_SENT];
}

/// No stream, as readers of this one are used to be told.
struct Unfollowed(Answer);

impl IntoResponse for Unfollowed {
    fn into_response(self) -> Answer {
        self.0
    }
}

impl Describe for Unfollowed {
    fn describe(sheet: &mut Sheet) {
        Problem::describe(sheet);
    }
}

/// Answers with the stream.
async fn stream(
    State(services): State<Services>,
    method: Method,
    headers: HeaderMap,
    caller: Caller,
    Asked(query): Asked<SubjectsQuery>,
) -> Result<Raw<ServerSent>, Unfollowed> {
    let ids = query.ids.or(query.pipeline_ids_camel).or(query.pipeline_ids).unwrap_or_default();
    let ids = subjects::parse(&ids).map_err(|error| refuse(&error.to_string()))?;
    let named = query.format != Some(StatusFormat::Envelope);
    if method == Method::HEAD {
        return Ok(events::dress(answer::untold_body(), Format::Named).into());
    }
    let visit = services.hub.visit(events::origin(&headers, &caller));
    let visit = visit.map_err(|refused| Unfollowed(events::unavailable(refused).into_response()))?;
    let mut shown = services.hub.subjects();
    // What changes are told against, so that each is told once; before anything was shown there is the status itself.
    let mut first = Subjects::clone(&shown.borrow_and_update());
    if first.is_empty() {
        first = subjects::of(&services.control.status().await);
    }
    let follower = Follower::new(visit, shown, ids, named, first);
    Ok(events::dress(Body::from_stream(follow(follower)), Format::Named).into())
}

fn refuse(sentence: &str) -> Unfollowed {
    let body = json!({ "success": false, "error": sentence }).to_string();
    Unfollowed(answer::with(StatusCode::BAD_REQUEST, answer::JSON, body))
}

fn follow(follower: Follower) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(follower.run(sender));
    ReceiverStream::new(receiver).map(Ok)
}

struct Follower {
    visit: Visit,
    shown: watch::Receiver<Arc<Subjects>>,
    ids: BTreeSet<String>,
    named: bool,
    /// What this stream was told.
    told: Subjects,
}

impl Follower {
    fn new(
        visit: Visit,
        shown: watch::Receiver<Arc<Subjects>>,
        ids: BTreeSet<String>,
        named: bool,
        mut told: Subjects,
    ) -> Self {
        told.retain(|id, _| ids.contains(id));
        Self { visit, shown, ids, named, told }
    }

    fn hub(&self) -> &Hub {
        self.visit.hub()
    }

    async fn run(mut self, sender: Sender<Bytes>) {
        let settings = self.hub().settings();
        let mut frames = self.batch();
        let (mut beat, mut silence) = (interval(settings.heartbeat), interval(settings.keepalive));
        beat.reset();
        loop {
            if !frames.is_empty() {
                silence.reset();
                self.visit.count(frames.len());
                if sender.send(frames).await.is_err() {
                    return;
                }
            }
            frames = tokio::select! {
                changed = self.shown.changed() => if changed.is_ok() { self.changes() } else { return },
                _ = beat.tick() => self.frame("heartbeat", &self.stamped("heartbeat", Map::new())),
                _ = silence.tick() => KEEP_ALIVE,
                () = sender.closed() => return,
                () = self.visit.over() => break,
            };
        }
        if let Some(frames) = self.visit.farewell() {
            // If nobody listens any more, it is over all the same.
            let _ = sender.send(frames).await;
        }
    }

    fn batch(&self) -> Bytes {
        let updates: Vec<Value> =
            self.told.iter().map(|(id, status)| json!({ "id": id, "pipelineId": id, "status": status })).collect();
        let data = Map::from_iter([("updates".to_owned(), updates.into())]);
        let first = self.frame("batch_update", &self.stamped("batch_update", data));
        [&b"retry: 2000\n"[..], &first].concat().into()
    }

    /// A frame for each subject that stands differently than it was told.
    fn changes(&mut self) -> Bytes {
        let now = self.shown.borrow_and_update().clone();
        let mut frames = Vec::new();
        for id in &self.ids {
            let (Some(status), Some(previous)) = (now.get(id), self.told.get(id)) else { continue };
            if status == previous {
                continue;
            }
            let data = json!({
                "id": id, "pipelineId": id, "status": status, "previous_status": previous, "previousStatus": previous,
            });
            let Value::Object(data) = data else { continue };
            frames.extend_from_slice(&self.frame("status_update", &self.stamped("status_update", data)));
            self.told.insert(id.clone(), status.clone());
        }
        frames.into()
    }

    fn stamped(&self, kind: &str, mut data: Map<String, Value>) -> Value {
        let now: Utc = self.hub().utc();
        data.insert("type".into(), kind.into());
        data.insert("timestamp".into(), now.as_seconds().into());
        data.insert("timestamp_ms".into(), now.as_micros().div_euclid(1000).into());
        data.into()
    }

    fn frame(&self, name: &str, data: &Value) -> Bytes {
        let mut text = String::new();
        if self.named {
            let _ = writeln!(text, "event: {name}");
        }
        let _ = write!(text, "data: {data}\n\n");
        text.into()
    }
}
