//! Accepts connections and serves them until it is told to stop, and then in bounded time.

use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Services;
use super::auth::{Access, Doors, Link, Pass, Refusal, Time};
use super::listen::{Bound, Listener};
use super::patience::Patient;
use super::router::Router;
use crate::domain::Clock;

/// How long answers under way may take to come to their end.
const GRACE: Duration = Duration::from_secs(2);
/// How long a peer may leave unread what is sent to it.
const PATIENCE: Duration = Duration::from_secs(60);
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

/// Serves until `cancel`; returns when every connection is closed.
pub async fn serve(listeners: Vec<Bound>, services: Services, cancel: CancellationToken) {
    let (access, clock) = (services.access.clone(), services.clock.clone());
    let router = Arc::new(Router::new(services));
    router.report(true).await;
    let tracker = TaskTracker::new();
    for bound in listeners {
        let doors = Doors::new(access.seats);
        let (router, tracker, cancel) = (router.clone(), tracker.clone(), cancel.clone());
        let server = Server { router, access: access.clone(), clock: clock.clone(), doors, tracker, cancel };
        server.tracker.clone().spawn(server.accept(bound));
    }
    tracker.close();
    cancel.cancelled().await;
    router.report(false).await;
    tracker.wait().await;
}

#[derive(Clone)]
struct Server {
    router: Arc<Router>,
    access: Arc<Access>,
    clock: Arc<dyn Clock>,
    doors: Arc<Doors>,
    tracker: TaskTracker,
    cancel: CancellationToken,
}

impl Server {
    async fn accept(self, bound: Bound) {
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
                    Ok(pass) => self.welcome(stream, link, pass, bound.tls.clone()),
                    Err(refusal) if bound.tls.is_none() => turn_away(&stream, &refusal),
                    Err(_) => {}
                }
            }
            Listener::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                let link =
                    stream.peer_cred().map_or(Link::Unknown, |user| Link::Socket { uid: user.uid(), gid: user.gid() });
                if let Ok(pass) = self.admit(&link) {
                    self.welcome(stream, link, pass, None);
                }
            }
        }
        Ok(())
    }

    fn admit(&self, link: &Link) -> Result<Pass, Refusal> {
        self.access.connect(link, Time::of(self.clock.as_ref()))?;
        self.doors.enter(link.stranger()).map_err(|full| Refusal::full(full.to_string()))
    }

    fn welcome<S>(&self, stream: S, link: Link, pass: Pass, tls: Option<TlsAcceptor>)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let server = self.clone();
        self.tracker.spawn(async move {
            let hopeless = pass.hopeless(server.access.head_within);
            let talk = async {
                match tls {
                    // Who cannot shake hands is told so by TLS.
                    Some(tls) => match tls.accept(stream).await {
                        Ok(stream) => server.converse(stream, link, pass).await,
                        Err(error) => tracing::debug!(%error, "a TLS handshake failed"),
                    },
                    None => server.converse(stream, link, pass).await,
                }
            };
            tokio::select! {
                () = talk => {}
                () = hopeless => tracing::debug!("a connection that asked for nothing is closed"),
            }
        });
    }

    async fn converse<S>(self, stream: S, link: Link, pass: Pass)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (router, head_within) = (self.router, self.access.head_within);
        let pass = Arc::new(Mutex::new(pass));
        let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
            let (router, pass) = (router.clone(), pass.clone());
            async move {
                let seat = pass.lock().unwrap_or_else(PoisonError::into_inner).sit();
                match seat {
                    Ok(()) => router.route(request, &link).await,
                    Err(full) => Ok(Refusal::full(full.to_string()).http()),
                }
            }
        });
        let builder = builder(head_within);
        let stream = TokioIo::new(Patient::new(stream, PATIENCE));
        let mut connection = pin!(builder.serve_connection(stream, service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.cancel.cancelled() => {
                connection.as_mut().graceful_shutdown();
                tokio::time::timeout(GRACE, connection).await.unwrap_or(Ok(()))
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

fn builder(head_within: Duration) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
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
