//! How a byte stream to a device comes to be: over TCP, over a serial line, or from within this process.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};

/// Bytes to and from a device.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

type Dialing = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send>>;

/// Opens a new stream to one device, as often as it is asked to.
#[derive(Clone)]
pub struct Dial {
    /// The device as people know it: `192.168.0.100:8888`, `/dev/serial/by-id/…`.
    pub place: String,
    open: Arc<dyn Fn() -> Dialing + Send + Sync>,
}

impl Dial {
    pub fn new<F, O>(place: impl Into<String>, open: F) -> Self
    where
        F: Fn() -> O + Send + Sync + 'static,
        O: Future<Output = io::Result<Box<dyn Stream>>> + Send + 'static,
    {
        Self { place: place.into(), open: Arc::new(move || Box::pin(open())) }
    }

    /// A TCP connection to `host:port`.
    pub fn tcp(address: &str) -> Self {
        let target = address.to_owned();
        Self::new(address, move || {
            let target = target.clone();
            async move {
                let stream = tokio::net::TcpStream::connect(&target).await?;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream) as Box<dyn Stream>)
            }
        })
    }

    pub async fn open(&self) -> io::Result<Box<dyn Stream>> {
        (self.open)().await
    }
}
