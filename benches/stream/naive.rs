//! What is usually written: a broadcast channel of values; every connection has a queue and serialises for itself.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::StreamBody;
use hyper::body::{Bytes, Frame};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

use crate::{Way, payload};

pub struct Naive {
    sender: broadcast::Sender<(u64, Arc<Value>)>,
    address: SocketAddr,
    cancel: CancellationToken,
}

impl Naive {
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (sender, _) = broadcast::channel(1000);
        let (cancel, source) = (CancellationToken::new(), sender.clone());
        tokio::spawn(cancel.clone().run_until_cancelled_owned(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                tokio::spawn(converse(stream, source.clone()));
            }
        }));
        Ok(Self { sender, address, cancel })
    }
}

async fn converse(stream: TcpStream, source: broadcast::Sender<(u64, Arc<Value>)>) {
    let service = hyper::service::service_fn(move |_: hyper::Request<hyper::body::Incoming>| {
        let (queue, body) = mpsc::channel::<Result<Frame<Bytes>, Infallible>>(16);
        tokio::spawn(feed(source.subscribe(), queue));
        async { Ok::<_, Infallible>(hyper::Response::new(StreamBody::new(ReceiverStream::new(body)))) }
    });
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn feed(
    mut events: broadcast::Receiver<(u64, Arc<Value>)>,
    queue: mpsc::Sender<Result<Frame<Bytes>, Infallible>>,
) {
    loop {
        let (seq, value) = match events.recv().await {
            Ok(event) => event,
            Err(broadcast::error::RecvError::Lagged(_)) => continue,
            Err(broadcast::error::RecvError::Closed) => break,
        };
        let frame = format!("id: {seq}\nevent: phase\ndata: {value}\n\n");
        if queue.send(Ok(Frame::data(frame.into()))).await.is_err() {
            break;
        }
    }
}

impl Way for Naive {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn publish(&self, seq: u64) {
        let _ = self.sender.send((seq, Arc::new(payload(seq))));
    }

    fn readers(&self) -> usize {
        self.sender.receiver_count()
    }

    fn stop(self) {
        self.cancel.cancel();
    }
}
