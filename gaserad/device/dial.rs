//! How a byte stream to a device comes to be: over TCP, over a serial line, or from within this process.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::domain::{Way, Wire};

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

    /// The same device; `wire` hears every byte to and from it.
    pub fn tapped(self, wire: Arc<dyn Wire>) -> Self {
        let open = self.open.clone();
        Self::new(self.place, move || {
            let (opening, wire) = (open(), wire.clone());
            async move { Ok(Box::new(Tapped { stream: opening.await?, wire }) as Box<dyn Stream>) }
        })
    }

    pub async fn open(&self) -> io::Result<Box<dyn Stream>> {
        (self.open)().await
    }
}

/// A stream that is listened to.
struct Tapped {
    stream: Box<dyn Stream>,
    wire: Arc<dyn Wire>,
}

impl AsyncRead for Tapped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let came = &buffer.filled()[before..];
        if !came.is_empty() {
            self.wire.passed(Way::In, came);
        }
        read
    }
}

impl AsyncWrite for Tapped {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if let Poll::Ready(Ok(count)) = written {
            self.wire.passed(Way::Out, &bytes[..count]);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
