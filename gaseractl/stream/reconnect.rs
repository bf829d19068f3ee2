//! Keeps a subscription alive: reads, notices silence, waits, connects again and resumes where it broke.
//!
//! When to try again is decided by [`gasera::sse::StreamLink`]; here its decisions are carried out.

use std::hash::{BuildHasher, RandomState};
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use gasera::sse::{Loss, NextAttempt, Parser, SseFrame, StreamLink};
use http::{Method, header};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::place::StreamPlace;
pub use super::query::SubscriptionQuery;
use super::{Notice, SaidByStream};
use crate::endpoint::{Endpoint, Endpoints};
use crate::failure::{Exit, Failure, chain};
use crate::web::{self, Unanswered};

/// How often the state is asked for while there is no stream.
const POLL: Duration = Duration::from_secs(2);
/// What may pile up here before the connection is left to wait.
const PENDING: usize = 1024;

/// What a subscriber gets to hear.
#[derive(Debug, Clone, PartialEq)]
pub enum Arrived {
    Notice(Notice),
    /// Something came that says nothing but that somebody is there.
    Alive,
    State(ReconnectState),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReconnectState {
    Connected,
    Reconnecting {
        wait: Duration,
        why: String,
    },
    /// The stream cannot be had for now; the state is asked for instead.
    Polling {
        why: String,
    },
    /// It will not be tried again.
    Lost(Failure),
}

/// 0 to 1. Every `RandomState` has keys of its own.
fn chance() -> f64 {
    f64::from(u16::try_from(RandomState::new().hash_one(0) % 65536).unwrap_or(0)) / 65535.0
}

/// An open stream of events. It is closed by dropping it.
pub struct EventSubscription {
    /// Where the daemon was found.
    pub endpoint: Endpoint,
    messages: mpsc::Receiver<Arrived>,
    reader: JoinHandle<()>,
}

impl EventSubscription {
    /// Connects at once or fails; from then on it keeps itself connected to the same place.
    pub async fn open(endpoints: &Endpoints, query: SubscriptionQuery) -> Result<Self, Failure> {
        let mut link = StreamLink::new(query.patience());
        link.open();
        let place = StreamPlace::after(query.since);
        let (endpoint, begun) = match connect(endpoints, &query, &place).await {
            Ok((endpoint, body)) => (endpoint, Ok(body)),
            Err(StreamDenied::Later { endpoint, lost }) if query.queues && lost.answered => (endpoint, Err(lost)),
            Err(StreamDenied::Later { endpoint, lost }) => {
                return Err(Failure::unreachable(&format!("{endpoint} ({})", lost.why)));
            }
            Err(StreamDenied::Unreachable(failure) | StreamDenied::ForGood(failure)) => return Err(failure),
        };
        let (sender, messages) = mpsc::channel(PENDING);
        let endpoints = endpoints.only(endpoint.clone());
        let reader =
            Reader { endpoints, query, place, sender, link, resets: 0, answers: true, shown: None, tried: None };
        Ok(Self { endpoint, messages, reader: tokio::spawn(reader.run(begun)) })
    }

    pub async fn next(&mut self) -> Arrived {
        let ended = || Failure::new(Exit::UNREACHABLE, "the event stream has ended");
        self.messages.recv().await.unwrap_or_else(|| Arrived::State(ReconnectState::Lost(ended())))
    }

    /// Waits until the daemon has said how things stand: from then on nothing that happens is missed.
    pub async fn snapshot(&mut self) -> Result<Notice, Failure> {
        loop {
            match self.next().await {
                Arrived::Notice(notice) if matches!(notice.said, SaidByStream::Snapshot(_)) => return Ok(notice),
                Arrived::State(ReconnectState::Lost(failure)) => return Err(failure),
                Arrived::Notice(_) | Arrived::Alive | Arrived::State(_) => {}
            }
        }
    }
}

impl Drop for EventSubscription {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// How a stream ended, or did not begin.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LostStream {
    how: Loss,
    why: String,
    /// The daemon itself said so.
    answered: bool,
}

impl LostStream {
    fn broken(why: impl Into<String>) -> Self {
        Self { how: Loss::Broken, why: why.into(), answered: false }
    }
}

struct Reader {
    endpoints: Endpoints,
    query: SubscriptionQuery,
    place: StreamPlace,
    sender: mpsc::Sender<Arrived>,
    link: StreamLink,
    /// Connections that were given up because of what came over them.
    resets: u32,
    /// Somebody was there when it was asked last.
    answers: bool,
    /// The state that was shown last while there was no stream, without its time.
    shown: Option<Value>,
    /// The run of the state for which the stream was tried last.
    tried: Option<Value>,
}

/// Nobody listens any more.
struct Unheard;

impl Reader {
    async fn run(mut self, mut begun: Result<Incoming, LostStream>) {
        loop {
            let lost = match begun {
                Ok(mut body) => {
                    self.link.opened();
                    match self.read(&mut body).await {
                        Ok(lost) => lost,
                        Err(Unheard) => return self.link.close(),
                    }
                }
                Err(lost) => lost,
            };
            begun = match self.reconnect(lost).await {
                Ok(body) => Ok(body),
                Err(Unheard) => return self.link.close(),
            };
        }
    }

    /// Passes on what comes until nothing comes any more; says why.
    async fn read<B>(&mut self, body: &mut B) -> Result<LostStream, Unheard>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: std::error::Error + 'static,
    {
        let opened = sleep(Duration::ZERO).deadline();
        let mut parser = Parser::default();
        let mut restart = None;
        loop {
            let lost = |why: String| {
                let how = restart.map_or(Loss::Broken, Loss::Restart);
                Ok(LostStream { how, why, answered: restart.is_some() })
            };
            let data = match tokio::time::timeout(self.query.dead_after, body.frame()).await {
                Err(_) => return lost(format!("not a byte came for {} s", self.query.dead_after.as_secs_f64())),
                Ok(None) if restart.is_some() => return lost("gaserad is restarting".into()),
                Ok(None) => return lost("the daemon closed the stream".into()),
                Ok(Some(Err(error))) => return lost(chain(&error)),
                Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
            };
            self.link.heard(opened.elapsed(), false);
            let mut frames = Vec::new();
            let fed = parser.feed(&data, &mut frames);
            if let Some(retry) = parser.retry() {
                self.link.asked_to_retry_after(retry);
            }
            if frames.is_empty() {
                self.tell(Arrived::Alive).await?;
            }
            for frame in frames {
                match Notice::read(frame) {
                    Ok(notice) => {
                        restart = restart.or(notice.restart());
                        self.pass_on(notice).await?;
                    }
                    Err(malformed) => return Ok(self.reset(&malformed)),
                }
            }
            if let Err(too_large) = fed {
                return Ok(self.reset(&too_large.to_string()));
            }
        }
    }

    async fn pass_on(&mut self, notice: Notice) -> Result<(), Unheard> {
        if !self.place.passes(&notice) {
            return Ok(());
        }
        // A daemon that greets and then drops us is not well yet.
        if !matches!(notice.frame.event.as_str(), "connected" | "snapshot" | "gap") {
            self.link.heard(Duration::ZERO, true);
        }
        self.tell(Arrived::Notice(notice)).await
    }

    /// What came cannot be trusted any more: it is asked for once again over a new connection.
    fn reset(&mut self, why: &str) -> LostStream {
        self.resets += 1;
        let count = if self.resets > 1 { format!(" (the {}. time)", self.resets) } else { String::new() };
        LostStream::broken(format!("{why}{count}"))
    }

    async fn reconnect(&mut self, mut lost: LostStream) -> Result<Incoming, Unheard> {
        loop {
            let was_polling = self.link.is_polling();
            match self.link.lost(lost.how, chance()) {
                NextAttempt::Wait(wait) => {
                    self.tell(Arrived::State(ReconnectState::Reconnecting { wait, why: lost.why })).await?;
                    sleep(wait).await;
                }
                NextAttempt::Poll(probe) => {
                    if !was_polling {
                        self.tell(Arrived::State(ReconnectState::Polling { why: lost.why })).await?;
                    }
                    self.poll(probe).await?;
                }
                NextAttempt::GiveUp => return self.give_up(&lost.why).await,
            }
            lost = match connect(&self.endpoints, &self.query, &self.place).await {
                Ok((_, body)) => {
                    (self.answers, self.shown) = (true, None);
                    self.tell(Arrived::State(ReconnectState::Connected)).await?;
                    return Ok(body);
                }
                Err(StreamDenied::Later { lost, .. }) => lost,
                Err(StreamDenied::Unreachable(failure)) => {
                    self.answers = false;
                    LostStream::broken(failure.text)
                }
                Err(StreamDenied::ForGood(failure)) => {
                    self.link.refused();
                    return self.tell(Arrived::State(ReconnectState::Lost(failure))).await.and(Err(Unheard));
                }
            };
        }
    }

    async fn give_up<T>(&mut self, why: &str) -> Result<T, Unheard> {
        let attempts = self.query.attempts.unwrap_or_default();
        let text = format!("gaserad did not come back after {attempts} attempts: {why}");
        self.tell(Arrived::State(ReconnectState::Lost(Failure::new(Exit::UNREACHABLE, text)))).await?;
        Err(Unheard)
    }

    /// Shows how things stand, as if the daemon had said so, until it is time to try the stream again: after `probe`, or
    /// at once when somebody is there again, or a run has begun or ended: what happened is better told by the stream, event
    /// by event.
    async fn poll(&mut self, probe: Duration) -> Result<(), Unheard> {
        let mut over = pin!(sleep(probe));
        loop {
            let asked = tokio::select! {
                asked = web::text(&self.endpoints, Method::GET, "/status") => asked,
                () = &mut over => return Ok(()),
            };
            let was_there = std::mem::replace(&mut self.answers, asked.is_ok());
            if let Ok(text) = asked {
                let notice = Notice::new(SseFrame { event: "snapshot".into(), data: text.trim().to_owned(), id: None });
                let run = notice.data.pointer("/run/id").cloned().unwrap_or_default();
                if self.tried.replace(run.clone()) != Some(run) || !was_there {
                    return Ok(());
                }
                self.show(notice).await?;
            }
            tokio::select! {
                () = sleep(POLL) => {}
                () = &mut over => return Ok(()),
            }
        }
    }

    /// Passes the state on if anything but its time has changed.
    async fn show(&mut self, notice: Notice) -> Result<(), Unheard> {
        let mut state = notice.data.clone();
        let Some(fields) = state.as_object_mut() else { return Ok(()) };
        fields.remove("timestamp");
        if self.shown.as_ref() == Some(&state) {
            return Ok(());
        }
        self.shown = Some(state);
        self.tell(Arrived::Notice(notice)).await
    }

    async fn tell(&self, message: Arrived) -> Result<(), Unheard> {
        self.sender.send(message).await.map_err(|_| Unheard)
    }
}

/// Why there is no stream.
enum StreamDenied {
    Unreachable(Failure),
    /// It may be different later.
    Later {
        endpoint: Endpoint,
        lost: LostStream,
    },
    ForGood(Failure),
}

async fn connect(
    endpoints: &Endpoints,
    query: &SubscriptionQuery,
    place: &StreamPlace,
) -> Result<(Endpoint, Incoming), StreamDenied> {
    let last_id = place.last_id();
    let headers = [
        (header::ACCEPT, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::HeaderName::from_static("last-event-id"), last_id.as_str()),
    ];
    let (endpoint, response) = match web::ask(endpoints, Method::GET, &query.path(), &headers).await {
        Ok(answer) => answer,
        Err(Unanswered::Unreachable(failure)) => return Err(StreamDenied::Unreachable(failure)),
        Err(Unanswered::Broken { endpoint, why }) => {
            return Err(StreamDenied::Later { endpoint, lost: LostStream::broken(why) });
        }
    };
    let status = response.status();
    if status == http::StatusCode::OK {
        return Ok((endpoint, response.into_body()));
    }
    let seconds = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let how = seconds.map_or(Loss::Broken, |seconds| Loss::Asked(Duration::from_secs(seconds)));
    let failure = web::refused(response, &endpoint, "the subscription").await;
    match status.as_u16() {
        429 | 500..=599 => {
            Err(StreamDenied::Later { endpoint, lost: LostStream { how, why: failure.text, answered: true } })
        }
        _ => Err(StreamDenied::ForGood(failure)),
    }
}

#[cfg(test)]
mod tests;
