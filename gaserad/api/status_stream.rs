//! `GET /status/stream?ids=`: how chosen subjects stand, and each change of them, as server-sent events.
//!
//! A stream is told a change once, with what it was told before; of changes that it had no time for, only the last counts.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, StatusCode};
use http_body_util::StreamBody;
use hyper::body::Frame;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::{self, Sender};
use tokio::sync::watch;
use tokio::time::interval;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::body::Body;

use super::answer::{self, Answer};
use super::query::Query;
use super::{Services, events};
use crate::domain::Utc;
use crate::stream::subjects::{self, Subjects};
use crate::stream::{Format, Hub, KEEP_ALIVE, Origin, Visit};

/// Answers with the stream.
pub async fn stream(services: &Services, method: &Method, query: &Query, origin: Origin) -> Answer {
    let ids = match subjects::parse(query.get(&["ids", "pipelineIds", "pipeline_ids"]).unwrap_or_default()) {
        Ok(ids) => ids,
        Err(error) => return refuse(&error.to_string()),
    };
    let named = match query.get(&["format"]) {
        None | Some("named") => true,
        Some("envelope") => false,
        Some(other) => {
            return refuse(&format!("there is no format {other:?} here; the formats are named and envelope"));
        }
    };
    if method == Method::HEAD {
        return events::dress(Body::empty(), Format::Named);
    }
    let visit = match services.hub.visit(origin) {
        Ok(visit) => visit,
        Err(refused) => return events::unavailable(&refused),
    };
    let shown = services.hub.subjects();
    // Before anything was shown there is still the status itself.
    let first = subjects::of(&services.control.status().await);
    let follower = Follower::new(visit, shown, ids, named, first);
    events::dress(Body::new(StreamBody::new(follow(follower))), Format::Named)
}

fn refuse(sentence: &str) -> Answer {
    let body = json!({ "success": false, "error": sentence }).to_string();
    answer::with(StatusCode::BAD_REQUEST, answer::JSON, body)
}

fn follow(follower: Follower) -> impl Stream<Item = Result<Frame<Bytes>, Infallible>> + Send {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(follower.run(sender));
    ReceiverStream::new(receiver).map(|bytes| Ok(Frame::data(bytes)))
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
        let settings = self.hub().settings().clone();
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
