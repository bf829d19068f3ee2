//! A serial port as a [`Dial`]: raw, 8 data bits, no parity, one stop bit, for one program at a time.
//!
//! A port that fails is to be dropped at once: as long as a descriptor of a device that is gone stays open, the device
//! gets another name when it is back.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::termios::{ioctl_tiocexcl, ioctl_tiocnxcl};
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
    lock: OwnedFd,
}

impl Serial {
    fn open(path: &Path, baud: u32) -> io::Result<Self> {
        // A stable name is a link, and may lead elsewhere in the next moment.
        let device = std::fs::canonicalize(path).map_err(explain)?;
        let lock = lock(&device).map_err(explain)?;
        let port = SerialPort::open(&device, baud).map_err(explain)?;
        // The lock is respected by those who lock, this by everybody but root.
        ioctl_tiocexcl(&lock)?;
        // What an earlier program did not read is no answer to this one.
        port.discard_buffers()?;
        tracing::info!("opened {} ({}) at {baud} baud", path.display(), device.display());
        Ok(Self { port, lock })
    }
}

impl Drop for Serial {
    fn drop(&mut self) {
        // A port that is gone needs no release.
        let _ = ioctl_tiocnxcl(&self.lock);
    }
}

fn lock(device: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::open(device, flags, Mode::empty())?;
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    Ok(file)
}

/// The errors that people can do something about, in words.
fn explain(error: io::Error) -> io::Error {
    let why = match error.kind() {
        io::ErrorKind::NotFound => "there is no such port now; see that it is plugged in and that the name is right",
        io::ErrorKind::PermissionDenied => {
            "this user may not open it; make it a member of the port's group, which mostly is dialout"
        }
        io::ErrorKind::ResourceBusy | io::ErrorKind::WouldBlock => {
            let why = "another program has the port open; end that one first";
            return io::Error::new(io::ErrorKind::ResourceBusy, why);
        }
        _ => return error,
    };
    io::Error::new(error.kind(), why)
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
