//! What the scripted gaserad says over plain HTTP: streams, pages, refusals.

use bytes::Bytes;
use http_body_util::{Full, StreamBody};
use hyper::body::Frame;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;

/// What happens on a stream, in order. After the last action the stream ends.
#[derive(Debug, Clone)]
pub enum Action {
    Send(String),
    /// Wait until StartMeasurement was answered.
    AwaitStart,
    /// Stay open and silent.
    Hang,
    /// As the first: there is no stream, and it may be asked for again after so many seconds.
    Refuse(u16, Option<u64>),
}

pub fn refuse() -> http::Response<Body> {
    page(400, r#"{"error":"nothing of type \"fase\" exists"}"#.into())
}

pub fn page(status: u16, body: String) -> http::Response<Body> {
    http::Response::builder().status(status).body(Body::new(Full::<Bytes>::from(body))).unwrap()
}

/// The refusal of one who does not show the token.
pub fn locked(token: Option<&str>, shown: &str, grpc: bool) -> Option<http::Response<Body>> {
    if token.is_none_or(|token| shown == format!("Bearer {token}")) {
        return None;
    }
    let sentence = if shown.is_empty() { "a token is needed" } else { "this token is not known here" };
    if grpc {
        return Some(tonic::Status::unauthenticated(sentence).into_http());
    }
    let status = if shown.is_empty() { 401 } else { 403 };
    Some(page(status, format!(r#"{{"error":"NOT_PERMITTED","message":"{sentence}"}}"#)))
}

pub fn stream(actions: Vec<Action>, mut started: watch::Receiver<bool>) -> http::Response<Body> {
    if let Some(Action::Refuse(status, after)) = actions.first() {
        let mut refusal = page(*status, r#"{"error":"STREAM_FULL","message":"all places are taken"}"#.into());
        if let Some(after) = after {
            refusal.headers_mut().insert("retry-after", (*after).into());
        }
        return refusal;
    }
    let (sender, receiver) = mpsc::channel(8);
    tokio::spawn(async move {
        for action in actions {
            match action {
                Action::Send(text) => {
                    let _ = sender.send(Ok::<_, std::convert::Infallible>(Frame::data(Bytes::from(text)))).await;
                }
                Action::AwaitStart => {
                    let _ = started.wait_for(|started| *started).await;
                }
                Action::Hang => sender.closed().await,
                Action::Refuse(..) => {}
            }
        }
    });
    let body = Body::new(StreamBody::new(ReceiverStream::new(receiver)));
    http::Response::builder().header("content-type", "text/event-stream").body(body).unwrap()
}
