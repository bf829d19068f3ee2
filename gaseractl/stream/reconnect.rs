//! Keeps a subscription alive: reads, notices silence, waits, connects again and resumes where it broke.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::parser::Parser;
use super::{Notice, Said};
use crate::endpoint::{Endpoint, Endpoints};
use crate::failure::{Exit, Failure, chain};

/// The daemon says something at least every ten seconds; after this it is not there any more.
const DEAD_AFTER: Duration = Duration::from_secs(45);
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
const FIRST_DELAY: Duration = Duration::from_secs(1);
const LONGEST_DELAY: Duration = Duration::from_secs(30);
const REFUSAL_LIMIT: usize = 16 * 1024;
/// What may pile up here before the connection is left to wait.
const PENDING: usize = 1024;

/// What a subscriber gets to hear.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    Notice(Notice),
    State(State),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    Connected,
    Reconnecting {
        wait: Duration,
        why: String,
    },
    /// It will not be tried again.
    Lost(Failure),
}

/// What is asked of the daemon.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Event types as people write them; empty for all.
    pub types: String,
    pub channels: String,
    /// Replay what came after this event.
    pub since: Option<u64>,
    /// How often in a row to try to connect again; `None` for ever.
    pub attempts: Option<u32>,
}

impl Query {
    fn path(&self) -> String {
        let pairs = [("types", &self.types), ("channels", &self.channels)];
        let given: Vec<String> = pairs
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| format!("{key}={}", escape(value)))
            .collect();
        if given.is_empty() { "/events".to_owned() } else { format!("/events?{}", given.join("&")) }
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' | b'!' | b',' => {
                escaped.push(char::from(byte));
            }
            _ => escaped += &format!("%{byte:02X}"),
        }
    }
    escaped
}

/// How long to wait before the next attempt: doubling, with jitter so that not all come back at once.
#[derive(Debug, Default)]
struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// Between half and all of the delay whose turn it is.
    fn next(&mut self, first: Duration) -> Duration {
        let delay = first.saturating_mul(1 << self.attempts.min(10)).min(LONGEST_DELAY);
        self.attempts += 1;
        delay.mul_f64(0.5 + 0.5 * chance())
    }
}

/// 0 to 1. Every `RandomState` has keys of its own.
fn chance() -> f64 {
    f64::from(u16::try_from(RandomState::new().hash_one(0) % 65536).unwrap_or(0)) / 65535.0
}

/// An open stream of events. It is closed by dropping it.
pub struct Subscription {
    /// Where the daemon was found.
    pub endpoint: Endpoint,
    messages: mpsc::Receiver<Message>,
    reader: JoinHandle<()>,
}

impl Subscription {
    /// Connects at once or fails; from then on it keeps itself connected to the same place.
    pub async fn open(endpoints: &Endpoints, query: Query) -> Result<Self, Failure> {
        let parser = Parser::resuming(query.since.map(|seq| seq.to_string()).unwrap_or_default());
        let (endpoint, body) = connect(endpoints, &query, parser.last_id()).await.map_err(|denied| match denied {
            Denied::Now { why, endpoint } => Failure::unreachable(&format!("{endpoint} ({why})")),
            Denied::Unreachable(failure) | Denied::ForGood(failure) => failure,
        })?;
        let (sender, messages) = mpsc::channel(PENDING);
        let endpoints = Endpoints::new(Some(endpoint.clone()));
        let reader = Reader { endpoints, query, parser, sender, backoff: Backoff::default() };
        Ok(Self { endpoint, messages, reader: tokio::spawn(reader.run(body)) })
    }

    pub async fn next(&mut self) -> Message {
        let ended = || Failure::new(Exit::UNREACHABLE, "the event stream has ended");
        self.messages.recv().await.unwrap_or_else(|| Message::State(State::Lost(ended())))
    }

    /// Waits until the daemon has said how things stand: from then on nothing that happens is missed.
    pub async fn snapshot(&mut self) -> Result<Notice, Failure> {
        loop {
            match self.next().await {
                Message::Notice(notice) if matches!(notice.said, Said::Snapshot(_)) => return Ok(notice),
                Message::State(State::Lost(failure)) => return Err(failure),
                Message::Notice(_) | Message::State(_) => {}
            }
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

struct Reader {
    endpoints: Endpoints,
    query: Query,
    parser: Parser,
    sender: mpsc::Sender<Message>,
    backoff: Backoff,
}

/// Nobody listens any more.
struct Unheard;

impl Reader {
    async fn run(mut self, mut body: Incoming) {
        while let Ok(why) = self.read(&mut body).await {
            match self.reconnect(why).await {
                Ok(again) => body = again,
                Err(Unheard) => return,
            }
        }
    }

    /// Passes on what comes until nothing comes any more; says why.
    async fn read<B>(&mut self, body: &mut B) -> Result<String, Unheard>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: std::error::Error + 'static,
    {
        loop {
            let data = match tokio::time::timeout(DEAD_AFTER, body.frame()).await {
                Err(_) => return Ok(format!("not a byte came for {} s", DEAD_AFTER.as_secs())),
                Ok(None) => return Ok("the daemon closed the stream".into()),
                Ok(Some(Err(error))) => return Ok(chain(&error)),
                Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
            };
            for frame in self.parser.feed(&data) {
                let notice = Notice::new(frame);
                // A daemon that greets and then drops us is not well yet.
                if !matches!(notice.frame.event.as_str(), "connected" | "snapshot") {
                    self.backoff = Backoff::default();
                }
                self.tell(Message::Notice(notice)).await?;
            }
        }
    }

    async fn reconnect(&mut self, mut why: String) -> Result<Incoming, Unheard> {
        let last_id = self.parser.last_id().to_owned();
        let first = self.parser.retry().unwrap_or(FIRST_DELAY).max(FIRST_DELAY);
        loop {
            if self.query.attempts.is_some_and(|attempts| self.backoff.attempts >= attempts) {
                let text = format!("gaserad did not come back after {} attempts: {why}", self.backoff.attempts);
                self.tell(Message::State(State::Lost(Failure::new(Exit::UNREACHABLE, text)))).await?;
                return Err(Unheard);
            }
            let wait = self.backoff.next(first);
            self.tell(Message::State(State::Reconnecting { wait, why })).await?;
            tokio::time::sleep(wait).await;
            match connect(&self.endpoints, &self.query, &last_id).await {
                Ok((_, body)) => {
                    self.parser = Parser::resuming(last_id);
                    self.tell(Message::State(State::Connected)).await?;
                    return Ok(body);
                }
                Err(Denied::Now { why: again, .. }) => why = again,
                Err(Denied::Unreachable(failure)) => why = failure.text,
                Err(Denied::ForGood(failure)) => {
                    self.tell(Message::State(State::Lost(failure))).await?;
                    return Err(Unheard);
                }
            }
        }
    }

    async fn tell(&self, message: Message) -> Result<(), Unheard> {
        self.sender.send(message).await.map_err(|_| Unheard)
    }
}

/// Why there is no stream.
enum Denied {
    Unreachable(Failure),
    /// It may be different later.
    Now {
        why: String,
        endpoint: Endpoint,
    },
    ForGood(Failure),
}

async fn connect(endpoints: &Endpoints, query: &Query, last_id: &str) -> Result<(Endpoint, Incoming), Denied> {
    let (endpoint, io) = endpoints.dial().await.map_err(Denied::Unreachable)?;
    let later = |why: String| Denied::Now { why, endpoint: endpoint.clone() };
    let ask = async {
        let (mut sender, connection) = http1::handshake(TokioIo::new(io)).await?;
        tokio::spawn(connection);
        sender.send_request(request(&endpoint, query, last_id)).await
    };
    let response = tokio::time::timeout(ANSWER_LIMIT, ask)
        .await
        .map_err(|_| later(format!("no answer within {} s", ANSWER_LIMIT.as_secs())))?
        .map_err(|error| later(chain(&error)))?;
    let status = response.status();
    if status == http::StatusCode::OK {
        return Ok((endpoint, response.into_body()));
    }
    let said = refusal(response.into_body()).await;
    let text = format!("gaserad at {endpoint} answered {status} to the subscription{said}");
    match status.as_u16() {
        429 | 500..=599 => Err(later(format!("{status}{said}"))),
        400 | 422 => Err(Denied::ForGood(Failure::new(Exit::USAGE, text))),
        401 | 403 => Err(Denied::ForGood(Failure::new(Exit::NOT_PERMITTED, text))),
        _ => Err(Denied::ForGood(Failure::new(Exit::FAILURE, format!("{text}; is gaserad what listens there?")))),
    }
}

fn request(endpoint: &Endpoint, query: &Query, last_id: &str) -> http::Request<Empty<Bytes>> {
    let mut request = http::Request::new(Empty::new());
    *request.uri_mut() = query.path().parse().unwrap_or_else(|_| http::Uri::from_static("/events"));
    let agent = concat!("gaseractl/", env!("CARGO_PKG_VERSION"));
    let headers = [
        (http::header::HOST, endpoint.host()),
        (http::header::ACCEPT, "text/event-stream"),
        (http::header::CACHE_CONTROL, "no-cache"),
        (http::header::USER_AGENT, agent),
        (http::HeaderName::from_static("last-event-id"), last_id),
    ];
    for (name, value) in headers.into_iter().filter(|(_, value)| !value.is_empty()) {
        if let Ok(value) = value.parse() {
            request.headers_mut().insert(name, value);
        }
    }
    request
}

/// The sentence in the body of an answer that is no stream, as the tail of ours.
async fn refusal(body: Incoming) -> String {
    let Ok(body) = Limited::new(body, REFUSAL_LIMIT).collect().await else { return String::new() };
    let text = String::from_utf8_lossy(&body.to_bytes()).trim().to_owned();
    let sentence = serde_json::from_str::<serde_json::Value>(&text)
        .ok()
        .and_then(|value| ["message", "error"].iter().find_map(|key| Some(value.get(key)?.as_str()?.to_owned())))
        .unwrap_or(text);
    if sentence.is_empty() { sentence } else { format!(": {sentence}") }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use http_body_util::Full;
    use hyper::body::Frame;

    use super::*;

    /// Says something once, then nothing more.
    struct Silent(Option<Bytes>);

    impl Body for Silent {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            self.0.take().map_or(Poll::Pending, |bytes| Poll::Ready(Some(Ok(Frame::data(bytes)))))
        }
    }

    fn reader() -> (Reader, mpsc::Receiver<Message>) {
        let (sender, receiver) = mpsc::channel(16);
        let endpoints = Endpoints::new(Some(Endpoint::Tcp("127.0.0.1:9".into())));
        let backoff = Backoff { attempts: 3 };
        (Reader { endpoints, query: Query::default(), parser: Parser::default(), sender, backoff }, receiver)
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_without_a_byte_for_45_seconds_is_dead() {
        let (mut reader, _messages) = reader();
        let why = reader.read(&mut Silent(Some("data: a\n\n".into()))).await.ok();
        assert_eq!(why.as_deref(), Some("not a byte came for 45 s"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_greeting_alone_does_not_make_the_next_delay_short() {
        let (mut reader, _messages) = reader();
        let greeting = "event: connected\ndata: {}\n\nevent: snapshot\ndata: {}\n\n";
        assert!(reader.read(&mut Full::<Bytes>::from(greeting)).await.is_ok());
        assert_eq!(reader.backoff.attempts, 3);
        assert!(reader.read(&mut Full::<Bytes>::from("event: heartbeat\ndata: {}\n\n")).await.is_ok());
        assert_eq!(reader.backoff.attempts, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_hears_is_not_read() {
        let (mut reader, messages) = reader();
        drop(messages);
        assert!(reader.read(&mut Full::<Bytes>::from("data: a\n\n")).await.is_err());
    }

    #[test]
    fn delays_double_from_one_second_to_thirty() {
        let mut backoff = Backoff::default();
        for longest in [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0] {
            let delay = backoff.next(FIRST_DELAY).as_secs_f64();
            assert!((longest / 2.0..=longest).contains(&delay), "{delay} of {longest}");
        }
        for _ in 0..100 {
            assert!(backoff.next(FIRST_DELAY) <= LONGEST_DELAY);
        }
    }

    #[test]
    fn filters_go_into_the_query() {
        let query = |types: &str, channels: &str| {
            Query { types: types.into(), channels: channels.into(), ..Query::default() }.path()
        };
        assert_eq!(query("", ""), "/events");
        assert_eq!(query("run.*,live_data", "1-8,!5"), "/events?types=run.*,live_data&channels=1-8,!5");
        assert_eq!(query("", "1 & 2"), "/events?channels=1%20%26%202");
    }
}
