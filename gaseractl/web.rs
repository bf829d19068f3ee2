//! What is asked of the daemon over plain HTTP: one connection per question.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use crate::endpoint::{Endpoint, Endpoints, Io};
use crate::failure::{Exit, Failure, chain};
use crate::tls::Speaks;

const ANSWER_LIMIT: Duration = Duration::from_secs(30);
const REFUSAL_LIMIT: usize = 16 * 1024;
const BODY_LIMIT: usize = 16 * 1024 * 1024;

pub type WebResponse = http::Response<Incoming>;

/// Why there is no answer.
#[derive(Debug)]
pub enum Unanswered {
    /// Nobody is there.
    Unreachable(Failure),
    /// Somebody is, but the connection broke.
    Broken { endpoint: Endpoint, why: String },
}

impl From<Unanswered> for Failure {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Unreachable(failure) => failure,
            Unanswered::Broken { endpoint, why } => Self::unreachable(&format!("{endpoint} ({why})")),
        }
    }
}

/// Asks, and returns with the head of the answer.
pub async fn ask(
    endpoints: &Endpoints,
    method: Method,
    path: &str,
    headers: &[(header::HeaderName, &str)],
) -> Result<(Endpoint, WebResponse), Unanswered> {
    let (endpoint, io) = endpoints.dial(Speaks::Http1).await.map_err(Unanswered::Unreachable)?;
    let request = request(endpoints, &endpoint, method, path, headers);
    let broken = |why: String| Unanswered::Broken { endpoint: endpoint.clone(), why };
    let response = tokio::time::timeout(ANSWER_LIMIT, send(io, request))
        .await
        .map_err(|_| broken(format!("no answer within {} s", ANSWER_LIMIT.as_secs())))?
        .map_err(|error| broken(chain(&error)))?;
    Ok((endpoint, response))
}

async fn send(io: Box<dyn Io>, request: http::Request<Empty<Bytes>>) -> hyper::Result<WebResponse> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(io)).await?;
    // It lives as long as the answer is read.
    tokio::spawn(connection);
    sender.send_request(request).await
}

fn request(
    endpoints: &Endpoints,
    endpoint: &Endpoint,
    method: Method,
    path: &str,
    more: &[(header::HeaderName, &str)],
) -> http::Request<Empty<Bytes>> {
    let mut request = http::Request::new(Empty::new());
    *request.method_mut() = method;
    *request.uri_mut() = path.parse().unwrap_or_else(|_| http::Uri::from_static("/"));
    let headers = request.headers_mut();
    let agent = concat!("gaseractl/", env!("CARGO_PKG_VERSION"));
    let always = [(header::HOST, endpoint.host()), (header::USER_AGENT, agent)];
    for (name, value) in always.iter().chain(more).filter(|(_, value)| !value.is_empty()) {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    if let Some(token) = endpoints.token() {
        headers.insert(header::AUTHORIZATION, token.header());
    }
    request
}

/// Asks for a whole text.
pub async fn text(endpoints: &Endpoints, method: Method, path: &str) -> Result<String, Failure> {
    let asked = format!("{method} {path}");
    let (endpoint, response) = ask(endpoints, method, path, &[(header::ACCEPT, "application/json")]).await?;
    if !response.status().is_success() {
        return Err(refused(response, &endpoint, &asked).await);
    }
    let body = tokio::time::timeout(ANSWER_LIMIT, Limited::new(response.into_body(), BODY_LIMIT).collect()).await;
    match body {
        Ok(Ok(body)) => Ok(String::from_utf8_lossy(&body.to_bytes()).into_owned()),
        Ok(Err(error)) => Err(Failure::unreachable(&format!("{endpoint} ({})", chain(&*error)))),
        Err(_) => Err(Failure::unreachable(&format!("{endpoint} (the answer did not come to its end)"))),
    }
}

/// An answer that is none, in words.
pub async fn refused(response: WebResponse, endpoint: &Endpoint, asked: &str) -> Failure {
    let status = response.status();
    let said = sentence(response.into_body()).await;
    let hint = match status {
        StatusCode::UNAUTHORIZED if said.is_empty() => "; name the file of your token with --token-file",
        StatusCode::NOT_FOUND if said.is_empty() => "; is gaserad what listens there?",
        _ => "",
    };
    Failure::new(exit_of(status), format!("gaserad at {endpoint} answered {status} to {asked}{said}{hint}"))
}

fn exit_of(status: StatusCode) -> Exit {
    match status.as_u16() {
        400 | 422 => Exit::USAGE,
        401 | 403 => Exit::NOT_PERMITTED,
        404 => Exit::NOT_FOUND,
        409 => Exit::REFUSED,
        _ => Exit::FAILURE,
    }
}

/// The sentence in the body of an answer, as the tail of ours.
async fn sentence(body: Incoming) -> String {
    let reading = tokio::time::timeout(ANSWER_LIMIT, Limited::new(body, REFUSAL_LIMIT).collect());
    let Ok(Ok(body)) = reading.await else { return String::new() };
    let text = String::from_utf8_lossy(&body.to_bytes()).trim().to_owned();
    let sentence = serde_json::from_str::<serde_json::Value>(&text)
        .ok()
        .and_then(|value| ["message", "error"].iter().find_map(|key| Some(value.get(key)?.as_str()?.to_owned())))
        .unwrap_or(text);
    if sentence.is_empty() { sentence } else { format!(": {sentence}") }
}

/// Text as a part of a query.
pub fn escape(text: &str) -> String {
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
