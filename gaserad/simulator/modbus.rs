//! Modbus around the relay board: frames over TCP, and over a serial line (RTU).

use tokio::io::{self, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::serve::Simulator;

/// The unit that the board is on its line.
pub const UNIT: u8 = 1;
/// The longest request: function code and data.
const LONGEST: usize = 253;
const CRC_BYTES: usize = 2;
const PIPE_BYTES: usize = 1024;

impl Simulator {
    /// Speaks Modbus TCP on `stream` until the other side hangs up, or sends what is none.
    pub async fn serve_modbus_tcp(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        while let Ok(Some((transaction, unit, pdu))) = read_tcp(&mut stream).await {
            let Some(answer) = self.relays_answer(&pdu) else { continue };
            let Ok(length) = u16::try_from(answer.len() + 1) else { return };
            let header = [transaction, [0, 0], length.to_be_bytes()].concat();
            if send(&mut stream, &[&header[..], &[unit], &answer].concat()).await.is_err() {
                return;
            }
        }
    }

    /// Speaks Modbus RTU on `stream` until the other side hangs up. What is damaged or meant for another unit is not
    /// answered.
    pub async fn serve_modbus_rtu(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        let mut received = Vec::new();
        let mut bytes = [0; 256];
        while let Ok(count @ 1..) = stream.read(&mut bytes).await {
            received.extend_from_slice(&bytes[..count]);
            while let Some(frame) = next_rtu(&mut received) {
                let [unit, pdu @ ..] = &frame[..] else { continue };
                if *unit != UNIT {
                    continue;
                }
                let Some(answer) = self.relays_answer(pdu) else { continue };
                let mut reply = [&[UNIT], &answer[..]].concat();
                reply.extend(crc(&reply).to_le_bytes());
                if send(&mut stream, &reply).await.is_err() {
                    return;
                }
            }
        }
    }

    /// A stream to the relays that speaks Modbus TCP, served by a task of its own.
    pub fn connect_relays(&self) -> DuplexStream {
        let (near, far) = io::duplex(PIPE_BYTES);
        let simulator = self.clone();
        tokio::spawn(async move { simulator.serve_modbus_tcp(far).await });
        near
    }

    fn relays_answer(&self, pdu: &[u8]) -> Option<Vec<u8>> {
        self.ask(|plant| plant.relays_request(pdu))
    }
}

async fn send(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

type TcpRequest = ([u8; 2], u8, Vec<u8>);

async fn read_tcp(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<TcpRequest>> {
    let mut header = [0; 7];
    stream.read_exact(&mut header).await?;
    let [t0, t1, 0, 0, l0, l1, unit] = header else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([l0, l1])).saturating_sub(1);
    if !(1..=LONGEST).contains(&length) {
        return Ok(None);
    }
    let mut pdu = vec![0; length];
    stream.read_exact(&mut pdu).await?;
    Ok(Some(([t0, t1], unit, pdu)))
}

/// Takes the next sound frame, without its checksum. A line has no gaps here, so a frame ends where its function says.
fn next_rtu(received: &mut Vec<u8>) -> Option<Vec<u8>> {
    loop {
        let length = match received.get(1)? {
            1..=6 => 6,
            43 => 5,
            15 | 16 => 7 + usize::from(*received.get(6)?),
            _ => {
                received.remove(0);
                continue;
            }
        };
        let whole = length + CRC_BYTES;
        if received.len() < whole {
            return None;
        }
        let (frame, checksum) = received[..whole].split_at(length);
        if crc(frame).to_le_bytes() == checksum {
            let frame = frame.to_vec();
            received.drain(..whole);
            return Some(frame);
        }
        received.remove(0);
    }
}

/// CRC-16 with the reversed polynomial A001, as Modbus has it.
pub(crate) fn crc(bytes: &[u8]) -> u16 {
    let shift = |crc: u16| if crc & 1 == 1 { crc >> 1 ^ 0xA001 } else { crc >> 1 };
    bytes.iter().fold(0xFFFF, |crc, byte| (0..8).fold(crc ^ u16::from(*byte), |crc, _| shift(crc)))
}

/// Serves everyone who connects to `listener` until it is cancelled.
pub async fn listen_modbus(simulator: Simulator, listener: TcpListener, cancel: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let simulator = simulator.clone();
                    connections.spawn(async move { simulator.serve_modbus_tcp(stream).await });
                }
                Err(error) => {
                    tracing::warn!("cannot accept a connection: {error}");
                    tokio::time::sleep(super::serve::AFTER_FAILED_ACCEPT).await;
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of a relay board's manual: coil 0 on, on unit 1.
    const EXAMPLE: [u8; 8] = [0x01, 0x05, 0x00, 0x00, 0xFF, 0x00, 0x8C, 0x3A];

    #[test]
    fn the_checksum_is_that_of_the_manuals() {
        assert_eq!(crc(&EXAMPLE[..6]).to_le_bytes(), EXAMPLE[6..]);
    }

    #[test]
    fn a_frame_is_found_behind_noise_and_in_pieces() {
        let mut received = vec![0x00, 0xFF, 0x01];
        received.extend(&EXAMPLE[..5]);
        assert_eq!(next_rtu(&mut received), None);
        received.extend(&EXAMPLE[5..]);
        assert_eq!(next_rtu(&mut received), Some(EXAMPLE[..6].to_vec()));
        assert!(received.is_empty());
    }
}
