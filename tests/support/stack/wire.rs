//! What lies between a device and its owner, and what can happen to it.

use std::io;

use gasera::device::{Dial, dial::Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::watch;
use tokio::time::{Duration, sleep};

/// How the line is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Line {
    #[default]
    Sound,
    /// Connections are there, and nothing comes back on them.
    Dumb,
    /// Connections break, and new ones are refused.
    Down,
    /// Half of the next reply comes, and then nothing on that connection. It mends by itself.
    HalfAReply,
    /// The next reply breaks off with the connection. It mends by itself.
    Reset,
    /// Noise comes before every reply.
    Noisy,
    /// Every byte comes by itself.
    Dripping,
}

/// Looks like the start and the end of frames of nothing, and like replies to other questions.
const NOISE: &[u8] = b"\x03\0~\xff ASTS 0 2\r\n\x02 ASTS";
const BETWEEN_BYTES: Duration = Duration::from_millis(3);
const PIPE_BYTES: usize = 4096;

/// Clones are the same line.
#[derive(Clone)]
pub struct Wire {
    device: Dial,
    line: watch::Sender<Line>,
}

impl Wire {
    pub fn new(device: Dial) -> Self {
        Self { device, line: watch::Sender::new(Line::Sound) }
    }

    pub fn be(&self, line: Line) {
        self.line.send_replace(line);
    }

    pub fn is(&self) -> Line {
        *self.line.borrow()
    }

    pub fn dial(&self) -> Dial {
        let wire = self.clone();
        Dial::new(self.device.place.clone(), move || {
            let wire = wire.clone();
            async move { wire.connect().await }
        })
    }

    async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        if self.is() == Line::Down {
            return Err(io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused"));
        }
        let device = self.device.open().await?;
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        let wire = self.clone();
        tokio::spawn(async move { wire.carry(far, device).await });
        Ok(Box::new(near))
    }

    /// Until one side hangs up, or the line does.
    async fn carry(self, owner: DuplexStream, device: Box<dyn Stream>) {
        let (mut from_owner, mut to_owner) = tokio::io::split(owner);
        let (mut from_device, mut to_device) = tokio::io::split(device);
        let mut line = self.line.subscribe();
        let down = async { drop(line.wait_for(|line| *line == Line::Down).await) };
        let asking = tokio::io::copy(&mut from_owner, &mut to_device);
        let replying = async {
            let mut bytes = [0; PIPE_BYTES];
            while let Ok(count @ 1..) = from_device.read(&mut bytes).await {
                if self.reply(&bytes[..count], &mut to_owner).await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            biased;
            () = down => {}
            _ = asking => {}
            () = replying => {}
        }
    }

    async fn reply(&self, bytes: &[u8], to: &mut (impl AsyncWriteExt + Unpin)) -> io::Result<()> {
        match self.is() {
            Line::Sound | Line::Down => to.write_all(bytes).await,
            Line::Dumb => Ok(()),
            Line::HalfAReply => {
                self.be(Line::Sound);
                to.write_all(&bytes[..bytes.len() / 2]).await?;
                std::future::pending().await
            }
            Line::Reset => {
                self.be(Line::Sound);
                to.write_all(&bytes[..bytes.len() / 2]).await?;
                Err(io::ErrorKind::ConnectionReset.into())
            }
            Line::Noisy => {
                to.write_all(NOISE).await?;
                to.write_all(bytes).await
            }
            Line::Dripping => {
                for byte in bytes {
                    to.write_all(&[*byte]).await?;
                    sleep(BETWEEN_BYTES).await;
                }
                Ok(())
            }
        }
    }
}
