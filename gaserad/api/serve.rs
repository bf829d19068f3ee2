//! Accepts connections and serves them until it is told to stop, and then in bounded time.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Services;
use super::grpc::Peer;
use super::listen::{Bound, Listener};
use super::patience::Patient;
use super::router::Router;

/// How long answers under way may take to come to their end.
const GRACE: Duration = Duration::from_secs(2);
/// How long a peer may leave unread what is sent to it.
const PATIENCE: Duration = Duration::from_secs(60);
/// After a failure to accept, usually for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// What may wait in this process for one reader.
const WRITE_BUFFER: usize = 64 * 1024;

/// Serves until `cancel`; returns when every connection is closed.
pub async fn serve(listeners: Vec<Bound>, services: Services, cancel: CancellationToken) {
    let router = Arc::new(Router::new(services));
    router.report(true).await;
    let tracker = TaskTracker::new();
    for bound in listeners {
        let server = Server { router: router.clone(), tracker: tracker.clone(), cancel: cancel.clone() };
        tracker.spawn(server.accept(bound));
    }
    tracker.close();
    cancel.cancelled().await;
    router.report(false).await;
    tracker.wait().await;
}

#[derive(Clone)]
struct Server {
    router: Arc<Router>,
    tracker: TaskTracker,
    cancel: CancellationToken,
}

impl Server {
    async fn accept(self, bound: Bound) {
        loop {
            let accepted = tokio::select! {
                accepted = self.accept_one(&bound.listener) => accepted,
                () = self.cancel.cancelled() => break,
            };
            if let Err(error) = accepted {
                tracing::warn!(listener = bound.name(), %error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }

    async fn accept_one(&self, listener: &Listener) -> io::Result<()> {
        match listener {
            Listener::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                // An event is one small write; it must not wait for the next.
                let _ = stream.set_nodelay(true);
                self.tracker.spawn(self.clone().converse(stream, Peer::Network(address.to_string()), true));
            }
            Listener::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                let peer = stream.peer_cred().map_or(Peer::Unknown, |user| Peer::User(user.uid()));
                self.tracker.spawn(self.clone().converse(stream, peer, false));
            }
        }
        Ok(())
    }

    async fn converse<S>(self, stream: S, peer: Peer, guarded: bool)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let router = self.router;
        let service = service_fn(move |mut request: http::Request<hyper::body::Incoming>| {
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
                tokio::time::timeout(GRACE, connection).await.unwrap_or(Ok(()))
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection broke");
        }
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).max_buf_size(WRITE_BUFFER);
    builder.http2().timer(TokioTimer::new()).max_send_buf_size(WRITE_BUFFER);
    builder
}
