//! A serial port as a [`Dial`]: raw, 8 data bits, no parity, one stop bit, for one program at a time.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use rustix::fs::{FlockOperation, Mode, OFlags};
use serial2_tokio::SerialPort;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::dial::{Dial, Stream};

/// The device on serial port `port`, at `baud` bits a second.
pub fn dial(port: &str, baud: u32) -> Dial {
    let path = port.to_owned();
    Dial::new(port, move || {
        let opened = Serial::open(Path::new(&path), baud).map(|port| Box::new(port) as Box<dyn Stream>);
        async move { opened }
    })
}

struct Serial {
    port: SerialPort,
    /// Two programs on one line would read each other's replies. The lock goes with the descriptor.
    _lock: OwnedFd,
}

impl Serial {
    fn open(path: &Path, baud: u32) -> io::Result<Self> {
        let lock = lock(path)?;
        let port = SerialPort::open(path, baud)?;
        // What an earlier program did not read is no answer to this one.
        port.discard_buffers()?;
        Ok(Self { port, _lock: lock })
    }
}

fn lock(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty())?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Err(rustix::io::Errno::WOULDBLOCK) => {
            Err(io::Error::new(io::ErrorKind::ResourceBusy, "another program has the port open; end that one first"))
        }
        locked => Ok(locked.map(|()| file)?),
    }
}

impl AsyncRead for Serial {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.port).poll_read(context, buffer)
    }
}

impl AsyncWrite for Serial {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.port).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.port).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.port).poll_shutdown(context)
    }
}
