//! Accepts connections and serves them until it is told to stop, and then in bounded time.

use std::convert::Infallible;
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
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Services;
use super::auth::{AccessInEffect, Doors, Link, Pass, Refusal, Time};
use super::fanout::{Fanout, Line, PATIENCE};
use super::listen::{Bound, Listener};
use super::patience::Patient;
use super::router::Router;
use super::stuck::{self, Impatient};
use super::takeover::{self, Taken};
use crate::domain::Clock;

/// How long answers under way may take to come to their end.
pub const GRACE: Duration = Duration::from_secs(2);
/// How many are accepted before others get their turn.
const ACCEPT_TURN: u32 = 512;
/// After a failure to accept, usually for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// What may wait in this process for one reader.
const WRITE_BUFFER: usize = 64 * 1024;
/// The head of a request, over HTTP/2.
const MOST_HEAD: u32 = 16 * 1024;
/// Requests that are answered at the same time on one connection.
const MOST_AT_ONCE: u32 = 128;
/// How often a silent HTTP/2 peer is asked whether it lives, and how long it may take to say so.
const ALIVE: Duration = Duration::from_secs(20);
/// How HTTP/2 begins; no request of HTTP/1.1 begins so.
const PREFACE: &[u8] = b"PRI";

/// Serves until `cancel`; returns when every connection is closed.
pub async fn serve(listeners: Vec<Bound>, services: Services, cancel: CancellationToken) {
    let tracker = TaskTracker::new();
    let fanout = Fanout::start(&services.hub, &tracker, &cancel);
    let (clock, access) = (services.clock.clone(), services.access.clone());
    let router = Arc::new(Router::new(&services));
    router.report(true).await;
    for bound in listeners {
        let (router, fanout, clock) = (router.clone(), fanout.clone(), clock.clone());
        let (access, doors) = (access.clone(), Doors::new(access.get().seats));
        let (tracker, cancel) = (tracker.clone(), cancel.clone());
        let server = Server { router, fanout, clock, access, doors, tracker, cancel };
        // Who comes must not wait for those that came before to be answered: the queue is short.
        server.tracker.clone().spawn(tokio::task::coop::unconstrained(server.accept(bound)));
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
    access: Arc<AccessInEffect>,
    doors: Arc<Doors>,
    tracker: TaskTracker,
    cancel: CancellationToken,
}

impl Server {
    async fn accept(self, bound: Bound) {
        let mut turn = 0;
        loop {
            let accepted = tokio::select! {
                accepted = self.accept_one(&bound) => accepted,
                () = self.cancel.cancelled() => break,
            };
            if let Err(error) = accepted
                && !self.doors.make_room()
            {
                tracing::warn!(listener = bound.name(), %error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
            turn += 1;
            if turn % ACCEPT_TURN == 0 {
                tokio::task::yield_now().await;
            }
        }
    }

    async fn accept_one(&self, bound: &Bound) -> io::Result<()> {
        match &bound.listener {
            Listener::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                let Ok(local) = stream.local_addr() else { return Ok(()) };
                // An event is one small write; it must not wait for the next.
                let _ = stream.set_nodelay(true);
                let link = Link::Tcp { peer, local, secure: bound.tls.is_some() };
                match self.admit(&link) {
                    Ok(pass) => self.attend(&pass, self.clone().welcome(stream, link, pass.clone(), bound.tls.clone())),
                    Err(refusal) if bound.tls.is_none() => turn_away(&stream, &refusal),
                    Err(refusal) => tracing::debug!(%peer, "not let in: {}", refusal.sentence),
                }
            }
            Listener::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                let user = stream.peer_cred();
                let link = user.map_or(Link::Unknown, |user| Link::Socket { uid: user.uid(), gid: user.gid() });
                if let Ok(pass) = self.admit(&link) {
                    self.attend(&pass, self.clone().converse(stream, link, pass.clone()));
                }
            }
        }
        Ok(())
    }

    fn admit(&self, link: &Link) -> Result<Arc<Pass>, Refusal> {
        self.access.get().connect(link, Time::of(self.clock.as_ref()))?;
        let pass = self.doors.enter(link.stranger()).map_err(|full| Refusal::full(full.to_string()))?;
        Ok(Arc::new(pass))
    }

    /// Talks until there is no more to say, or nothing was said for too long.
    fn attend(&self, pass: &Pass, talk: impl Future<Output = ()> + Send + 'static) {
        let hopeless = pass.hopeless(self.access.get().head_within);
        self.tracker.spawn(async move {
            tokio::select! {
                () = talk => {}
                () = hopeless => tracing::debug!("a connection that asked for nothing is closed"),
            }
        });
    }

    /// Waits for the first bytes, so that who says nothing costs next to nothing.
    async fn welcome(self, stream: TcpStream, link: Link, pass: Arc<Pass>, tls: Option<TlsAcceptor>) {
        let mut first = [0; PREFACE.len()];
        let peeked = tokio::select! {
            peeked = stream.peek(&mut first) => peeked,
            () = self.cancel.cancelled() => return,
        };
        let Ok(length @ 1..) = peeked else { return };
        match tls {
            Some(tls) => Box::pin(self.shake_hands(stream, link, pass, tls)).await,
            None if PREFACE.starts_with(&first[..length]) => Box::pin(self.converse(stream, link, pass)).await,
            None => Box::pin(self.converse_or_stream(stream, link, pass)).await,
        }
    }

    async fn shake_hands(self, stream: TcpStream, link: Link, pass: Arc<Pass>, tls: TlsAcceptor) {
        match tls.accept(stream).await {
            Ok(stream) => self.converse(stream, link, pass).await,
            Err(error) => tracing::debug!(%error, "a TLS handshake failed"),
        }
    }

    /// HTTP/1.1, until a request is answered with the event stream.
    async fn converse_or_stream(self, stream: TcpStream, link: Link, pass: Arc<Pass>) {
        let (taken, counted) = (Arc::new(Mutex::new(None)), pass.counted());
        let (server, slot) = (self.clone(), taken.clone());
        // What was answered before might not be written yet.
        let first = AtomicBool::new(true);
        let service = service_fn(move |request: Request<Incoming>| {
            let (server, slot, pass) = (server.clone(), slot.clone(), pass.clone());
            let fits = first.swap(false, Ordering::Relaxed) && request.version() == Version::HTTP_11;
            Box::pin(async move {
                let answer = server.router.answer(request, link, &pass).await;
                let Some(found) = fits.then(|| takeover::of(&answer, server.clock.now().utc)).flatten() else {
                    // It goes on here, if need be without a seat.
                    let _ = pass.sit();
                    return Ok(answer);
                };
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
                Err(Taken)
            })
        });
        let stream = TokioIo::new(Patient::new(stream, PATIENCE));
        let mut connection = first_version(self.access.get().head_within).serve_connection(stream, service);
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
            (Some((cursor, head)), _) => self.fanout.begin(Line::new(stream.into_inner(), counted), cursor, head),
            (None, Ok(())) => drop(stream.shutdown().await),
            (None, Err(error)) => tracing::debug!(%error, "a connection broke"),
        }
    }

    async fn converse<S>(self, stream: S, link: Link, pass: Arc<Pass>)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (cancel, builder) = (self.cancel.clone(), builder(self.access.get().head_within));
        let service = service_fn(move |request: Request<Incoming>| {
            let (server, pass) = (self.clone(), pass.clone());
            // A stream over it holds the connection, so it takes a place as well.
            async move {
                Ok::<_, Infallible>(match pass.sit() {
                    Ok(()) => stuck::watch(server.router.answer(request, link, &pass).await),
                    Err(full) => Refusal::full(full.to_string()).http(),
                })
            }
        });
        let stream = TokioIo::new(Patient::new(stream, PATIENCE));
        let mut connection = pin!(builder.serve_connection(stream, service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = cancel.cancelled() => {
                connection.as_mut().graceful_shutdown();
                timeout(GRACE, connection).await.unwrap_or(Ok(()))
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection broke");
        }
    }
}

/// Says why nobody listens, as far as the socket takes it at once.
fn turn_away(stream: &TcpStream, refusal: &Refusal) {
    // A peer that is gone needs no answer.
    let _ = stream.try_write(&refusal.bytes());
}

fn first_version(head_within: Duration) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(head_within).max_buf_size(WRITE_BUFFER);
    builder
}

fn builder(head_within: Duration) -> Builder<Impatient> {
    let mut builder = Builder::new(Impatient(PATIENCE));
    builder.http1().timer(TokioTimer::new()).header_read_timeout(head_within).max_buf_size(WRITE_BUFFER);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_send_buf_size(WRITE_BUFFER)
        .max_header_list_size(MOST_HEAD)
        .max_concurrent_streams(MOST_AT_ONCE)
        .keep_alive_interval(ALIVE)
        .keep_alive_timeout(ALIVE);
    builder
}
