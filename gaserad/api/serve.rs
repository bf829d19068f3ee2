//! Accepts connections and serves them until it is told to stop, and then in bounded time.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{Request, Version};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Services;
use super::fanout::{Fanout, PATIENCE};
use super::grpc::Peer;
use super::listen::{Bound, Listener};
use super::patience::Patient;
use super::router::Router;
use super::takeover::{self, Taken};
use crate::domain::Clock;

/// How long answers under way may take to come to their end.
pub const GRACE: Duration = Duration::from_secs(2);
/// How long a peer may take to begin its first request.
const FIRST_BYTE: Duration = Duration::from_secs(30);
/// How many are accepted before others get their turn.
const ACCEPT_TURN: u32 = 512;
/// After a failure to accept, usually for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// What may wait in this process for one reader.
const WRITE_BUFFER: usize = 64 * 1024;
/// How HTTP/2 begins; no request of HTTP/1.1 begins so.
const PREFACE: &[u8] = b"PRI";

/// Serves until `cancel`; returns when every connection is closed.
pub async fn serve(listeners: Vec<Bound>, services: Services, cancel: CancellationToken) {
    let tracker = TaskTracker::new();
    let fanout = Fanout::start(&services.hub, &tracker, &cancel);
    let clock = services.clock.clone();
    let router = Arc::new(Router::new(services));
    router.report(true).await;
    for bound in listeners {
        let (router, fanout, clock) = (router.clone(), fanout.clone(), clock.clone());
        let server = Server { router, fanout, clock, tracker: tracker.clone(), cancel: cancel.clone() };
        // Who comes must not wait for those that came before to be answered: the queue is short.
        tracker.spawn(tokio::task::coop::unconstrained(server.accept(bound)));
    }
    tracker.close();
    cancel.cancelled().await;
    router.report(false).await;
    tracker.wait().await;
}

#[derive(Clone)]
struct Server {
    router: Arc<Router>,
    fanout: Fanout,
    clock: Arc<dyn Clock>,
    tracker: TaskTracker,
    cancel: CancellationToken,
}

impl Server {
    async fn accept(self, bound: Bound) {
        let mut turn = 0;
        loop {
            let accepted = tokio::select! {
                accepted = self.accept_one(&bound.listener) => accepted,
                () = self.cancel.cancelled() => break,
            };
            if let Err(error) = accepted {
                tracing::warn!(listener = bound.name(), %error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
            turn += 1;
            if turn % ACCEPT_TURN == 0 {
                tokio::task::yield_now().await;
            }
        }
    }

    async fn accept_one(&self, listener: &Listener) -> io::Result<()> {
        match listener {
            Listener::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                // An event is one small write; it must not wait for the next.
                let _ = stream.set_nodelay(true);
                self.tracker.spawn(self.clone().welcome(stream, Peer::Network(address.to_string())));
            }
            Listener::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                let peer = stream.peer_cred().map_or(Peer::Unknown, |user| Peer::User(user.uid()));
                self.tracker.spawn(self.clone().converse(stream, peer, false));
            }
        }
        Ok(())
    }

    /// Waits for the first bytes, so that who says nothing costs next to nothing.
    async fn welcome(self, stream: TcpStream, peer: Peer) {
        let mut first = [0; PREFACE.len()];
        let peeked = tokio::select! {
            peeked = timeout(FIRST_BYTE, stream.peek(&mut first)) => peeked,
            () = self.cancel.cancelled() => return,
        };
        match peeked {
            Ok(Ok(length)) if length > 0 && !PREFACE.starts_with(&first[..length]) => {
                Box::pin(self.converse_or_stream(stream, peer)).await;
            }
            Ok(Ok(length)) if length > 0 => Box::pin(self.converse(stream, peer, true)).await,
            _ => {}
        }
    }

    /// HTTP/1.1, until a request is answered with the event stream.
    async fn converse_or_stream(self, stream: TcpStream, peer: Peer) {
        let taken = Arc::new(Mutex::new(None));
        let (router, clock, slot) = (self.router.clone(), self.clock.clone(), taken.clone());
        // What was answered before might not be written yet.
        let first = AtomicBool::new(true);
        let service = service_fn(move |mut request: Request<Incoming>| {
            let (router, clock, slot) = (router.clone(), clock.clone(), slot.clone());
            request.extensions_mut().insert(peer.clone());
            let fits = first.swap(false, Ordering::Relaxed) && request.version() == Version::HTTP_11;
            Box::pin(async move {
                let Ok(answer) = router.route(request, true).await;
                let Some(found) = fits.then(|| takeover::of(&answer, clock.now().utc)).flatten() else {
                    return Ok(answer);
                };
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
                Err(Taken)
            })
        });
        let stream = TokioIo::new(Patient::new(stream, PATIENCE));
        let mut connection = first_version().serve_connection(stream, service);
        let ended = tokio::select! {
            ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => Some(ended),
            () = self.cancel.cancelled() => None,
        };
        let ended = if let Some(ended) = ended {
            ended
        } else {
            Pin::new(&mut connection).graceful_shutdown();
            timeout(GRACE, poll_fn(|cx| connection.poll_without_shutdown(cx))).await.unwrap_or(Ok(()))
        };
        let mut stream = connection.into_parts().io.into_inner();
        let taken = taken.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (taken, ended) {
            (Some((cursor, head)), _) => self.fanout.begin(stream.into_inner(), cursor, head),
            (None, Ok(())) => drop(stream.shutdown().await),
            (None, Err(error)) => tracing::debug!(%error, "a connection broke"),
        }
    }

    async fn converse<S>(self, stream: S, peer: Peer, guarded: bool)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let router = self.router;
        let service = service_fn(move |mut request: Request<Incoming>| {
            let router = router.clone();
            request.extensions_mut().insert(peer.clone());
            async move { router.route(request, guarded).await }
        });
        let builder = builder();
        let stream = TokioIo::new(Patient::new(stream, PATIENCE));
        let mut connection = pin!(builder.serve_connection(stream, service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.cancel.cancelled() => {
                connection.as_mut().graceful_shutdown();
                timeout(GRACE, connection).await.unwrap_or(Ok(()))
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection broke");
        }
    }
}

fn first_version() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).max_buf_size(WRITE_BUFFER);
    builder
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).max_buf_size(WRITE_BUFFER);
    builder.http2().timer(TokioTimer::new()).max_send_buf_size(WRITE_BUFFER);
    builder
}
