//! One Modbus connection: a request, its answer, and nothing that answers another request.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{sleep, timeout};
use tokio_modbus::client::{Client, Context as AnalyzerConnection, rtu, tcp};
use tokio_modbus::prelude::ReadCode;
use tokio_modbus::{ExceptionCode, Request, Response, Slave};

use crate::device::{Dial, Stream};

/// How requests are framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    Tcp,
    Rtu {
        /// Silence on the line that makes what follows a new frame.
        quiet: Duration,
    },
}

impl Framing {
    /// A serial line of so many bits a second. Three and a half characters of 11 bits are a frame's end.
    pub fn rtu(baud: u32) -> Self {
        let quiet = Duration::from_secs(1) * 39 / baud.max(1);
        Self::Rtu { quiet: quiet.max(Duration::from_millis(2)) }
    }
}

/// Why there is no answer, or not the one that was wanted.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error("it cannot be opened: {0}")]
    NotOpened(io::Error),
    #[error("the connection failed: {0}")]
    Failed(io::Error),
    #[error("no sound answer within {0:?}")]
    Silent(Duration),
    #[error("what came is no answer to it: {0}")]
    Stray(String),
    #[error("it answers with exception {code} ({0})", code = u8::from(*.0))]
    Exception(ExceptionCode),
    /// It answers well, and is not the one that is known.
    #[error("it is another one: {0}")]
    Stranger(String),
}

impl Trouble {
    /// The device itself answered, and will answer the same again.
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Stranger(_)) || (matches!(self, Self::Exception(_)) && !self.is_from_gateway())
    }

    /// A gateway answered for a device that did not.
    pub const fn is_from_gateway(&self) -> bool {
        use ExceptionCode::{GatewayPathUnavailable, GatewayTargetDevice};
        matches!(self, Self::Exception(GatewayPathUnavailable | GatewayTargetDevice))
    }
}

/// An open connection. It is to be dropped after trouble: what comes late would answer the wrong request.
pub struct ModbusConnection {
    connection: AnalyzerConnection,
    framing: Framing,
    limit: Duration,
}

impl ModbusConnection {
    pub async fn open(dial: &Dial, unit: u8, framing: Framing, limit: Duration) -> Result<Self, Trouble> {
        let opened = timeout(limit, dial.open()).await.map_err(|_| Trouble::Silent(limit))?;
        let wire = ModbusWire(opened.map_err(Trouble::NotOpened)?);
        let connection = match framing {
            Framing::Tcp => tcp::attach_slave(wire, Slave(unit)),
            Framing::Rtu { .. } => rtu::attach_slave(wire, Slave(unit)),
        };
        Ok(Self { connection, framing, limit })
    }

    pub async fn read_coils(&mut self, first: u16, count: u16) -> Result<Vec<bool>, Trouble> {
        let response = self.ask(Request::ReadCoils(first, count)).await?;
        match response {
            // Whole bytes come, with the last one filled up.
            Response::ReadCoils(mut coils) if coils.len() == usize::from(count).next_multiple_of(8) => {
                coils.truncate(usize::from(count));
                Ok(coils)
            }
            other => Err(Trouble::Stray(format!("{other:?} to a question for {count} coils"))),
        }
    }

    /// Vendor, product and revision, as it writes them.
    pub async fn identify(&mut self) -> Result<String, Trouble> {
        match self.ask(Request::ReadDeviceIdentification(ReadCode::Basic, 0)).await? {
            Response::ReadDeviceIdentification(told) => {
                let texts = told.device_id_objects.iter().map(|object| String::from_utf8_lossy(&object.value));
                let texts: Vec<String> = texts.map(|text| text.trim().replace(char::is_control, " ")).collect();
                Ok(texts.join(" ").trim().to_owned())
            }
            other => Err(Trouble::Stray(format!("{other:?} to the question who it is"))),
        }
    }

    pub async fn write_coils(&mut self, first: u16, levels: &[bool]) -> Result<(), Trouble> {
        match self.ask(Request::WriteMultipleCoils(first, levels.into())).await? {
            Response::WriteMultipleCoils(address, count) if address == first && usize::from(count) == levels.len() => {
                Ok(())
            }
            other => Err(Trouble::Stray(format!("{other:?}"))),
        }
    }

    pub async fn write_coil(&mut self, address: u16, level: bool) -> Result<(), Trouble> {
        match self.ask(Request::WriteSingleCoil(address, level)).await? {
            Response::WriteSingleCoil(same, written) if same == address && written == level => Ok(()),
            other => Err(Trouble::Stray(format!("{other:?}"))),
        }
    }

    async fn ask(&mut self, request: Request<'_>) -> Result<Response, Trouble> {
        if let Framing::Rtu { quiet } = self.framing {
            sleep(quiet).await;
        }
        let answer = timeout(self.limit, self.connection.call(request)).await;
        match answer {
            Err(_) => Err(Trouble::Silent(self.limit)),
            Ok(Ok(answer)) => answer.map_err(Trouble::Exception),
            Ok(Err(tokio_modbus::Error::Transport(error))) => Err(Trouble::Failed(error)),
            Ok(Err(tokio_modbus::Error::Protocol(error))) => Err(Trouble::Stray(error.to_string())),
        }
    }
}

/// Bytes to a device that can be printed, as the protocol's library wants it.
struct ModbusWire(Box<dyn Stream>);

impl fmt::Debug for ModbusWire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl AsyncRead for ModbusWire {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, to)
    }
}

impl AsyncWrite for ModbusWire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
