//! Takes a connection away from hyper when its answer is the event stream.
//!
//! hyper reads the request, and the router answers it as any other. If the answer is a stream, and the request is the
//! first on a plain connection with HTTP/1.1, the exchange is broken off before anything is written: the connection comes
//! back, and the [`Fanout`](super::fanout::Fanout) goes on with it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, header};

use super::answer::Answer;
use crate::domain::Utc;
use crate::stream::{Connection, Cursor};

/// A stream that has not begun: whoever takes the cursor first writes it. The body of the answer takes it when it is
/// asked for its first frame.
#[derive(Clone)]
pub struct Unbegun(Arc<Mutex<Option<Cursor>>>);

impl Unbegun {
    pub fn new(cursor: Cursor) -> Self {
        Self(Arc::new(Mutex::new(Some(cursor))))
    }

    /// Whose it is, while nobody has begun it.
    pub fn connection(&self) -> Option<Arc<Connection>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(Cursor::connection)
    }

    pub fn take(&self) -> Option<Cursor> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The stream of an answer, with the answer's head as bytes.
pub fn of(answer: &Answer, now: Utc) -> Option<(Cursor, Bytes)> {
    let cursor = answer.extensions().get::<Unbegun>()?.take()?;
    Some((cursor, head(answer.headers(), now)))
}

fn head(headers: &HeaderMap, now: Utc) -> Bytes {
    let mut text = BytesMut::with_capacity(512);
    text.put_slice(b"HTTP/1.1 200 OK\r\n");
    for (name, value) in headers {
        put(&mut text, name.as_str(), value.as_bytes());
    }
    put(&mut text, header::TRANSFER_ENCODING.as_str(), b"chunked");
    put(&mut text, header::CONNECTION.as_str(), b"close");
    put(&mut text, header::DATE.as_str(), now.to_http_string().as_bytes());
    text.put_slice(b"\r\n");
    text.freeze()
}

fn put(text: &mut BytesMut, name: &str, value: &[u8]) {
    text.put_slice(name.as_bytes());
    text.put_slice(b": ");
    text.put_slice(value);
    text.put_slice(b"\r\n");
}

/// What breaks off the exchange.
#[derive(Debug)]
pub struct Taken;

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stream goes on without HTTP")
    }
}

impl std::error::Error for Taken {}
