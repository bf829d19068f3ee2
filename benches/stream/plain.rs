//! What is usually written: axum's `Sse` over a broadcast channel.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::get;
use axum::serve::ListenerExt;
use tokio::net::TcpSocket;
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::{Stream, StreamExt};

use crate::event;
use crate::server::Serving;

/// An event, rendered as JSON once for all.
type News = broadcast::Sender<(u64, Arc<str>)>;

pub struct Plain {
    sender: News,
    address: SocketAddr,
}

impl Plain {
    /// On the runtime that is entered.
    pub fn start() -> std::io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let listener = socket.listen(4096)?;
        let address = listener.local_addr()?;
        let (sender, _) = broadcast::channel(1000);
        let router = Router::new().route("/events", get(events)).with_state(sender.clone());
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { sender, address })
    }
}

async fn events(State(sender): State<News>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = BroadcastStream::new(sender.subscribe()).filter_map(|event| {
        let (seq, data) = event.ok()?;
        Some(Ok(Event::default().id(seq.to_string()).event("phase").data(&*data)))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

impl Serving for Plain {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn publish(&self, seq: u64) {
        let _ = self.sender.send((seq, event::payload(seq).into()));
    }

    fn readers(&self) -> usize {
        self.sender.receiver_count()
    }
}
