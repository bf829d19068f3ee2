//! The plant behind byte streams: requests in, replies out, truth into its file.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::faults::Faults;
use super::plant::{Plant, PlantDesign};
use crate::ak::Request;
use crate::ak::frame::{Decoder, Frame, encode};
use crate::domain::Clock;

/// What the junk fault puts before a reply: no start and no end of a frame in it.
const NOISE: &[u8] = b"\0~#\x7f ASTS 9\r\n";
const PIECES: usize = 3;
const BETWEEN_PIECES: Duration = Duration::from_millis(2);
const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(100);
const PIPE_BYTES: usize = 4096;
/// A longer line is no command of any valve.
const LONGEST_LINE: usize = 256;

pub struct PlantSettings {
    /// How long an iteration of the analyzer takes, give or take two percent.
    pub cycle: Duration,
    /// Of jitter and noise.
    pub seed: u64,
    /// How many ports the valve has, each with a line.
    pub channels: u8,
    pub faults: Faults,
    /// Where the truth goes, one line of JSON per iteration.
    pub truth: Option<Box<dyn Write + Send>>,
}

/// One plant, shared by all who are connected to it.
#[derive(Clone)]
pub struct Simulator {
    clock: Arc<dyn Clock>,
    faults: Arc<Faults>,
    shop: Arc<Mutex<Shop>>,
}

struct Shop {
    plant: Plant,
    truth: Option<Box<dyn Write + Send>>,
}

impl Simulator {
    pub fn new(settings: PlantSettings, clock: Arc<dyn Clock>) -> Self {
        let PlantSettings { cycle, seed, channels, faults, truth } = settings;
        let shared = Arc::new(faults.clone());
        let plant = Plant::new(PlantDesign { cycle, seed, channels, faults }, clock.now());
        Self { clock, faults: shared, shop: Arc::new(Mutex::new(Shop { plant, truth })) }
    }

    /// Lets the plant reach the present, so that the truth of all that is through is written.
    pub fn catch_up(&self) {
        self.ask(|_| ());
    }

    /// Speaks AK on `stream` until the other side hangs up.
    pub async fn serve_analyzer(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        let mut decoder = Decoder::default();
        let mut bytes = [0; 1024];
        while let Ok(count @ 1..) = stream.read(&mut bytes).await {
            decoder.push(&bytes[..count]);
            while let Some(frame) = decoder.next_frame() {
                let Some(reply) = self.analyzer_reply(&frame) else { continue };
                let sent = self.send_reply(&mut stream, &reply).await;
                if sent.is_err() || self.faults.close_after_reply {
                    // Whoever hung up already needs no goodbye.
                    let _ = stream.shutdown().await;
                    return;
                }
            }
        }
    }

    /// Speaks VICI on `stream` until the other side hangs up.
    pub async fn serve_valve(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        let mut line = Vec::new();
        let mut bytes = [0; 256];
        while let Ok(count @ 1..) = stream.read(&mut bytes).await {
            for byte in &bytes[..count] {
                if !matches!(byte, b'\r' | b'\n') {
                    line.push(*byte);
                    line.truncate(LONGEST_LINE);
                    continue;
                }
                let Some(mut reply) = self.valve_reply(&std::mem::take(&mut line)) else { continue };
                reply.push('\r');
                if stream.write_all(reply.as_bytes()).await.is_err() || stream.flush().await.is_err() {
                    return;
                }
            }
        }
    }

    /// A stream to the analyzer, served by a task of its own.
    pub fn connect_analyzer(&self) -> DuplexStream {
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        let simulator = self.clone();
        tokio::spawn(async move { simulator.serve_analyzer(far).await });
        near
    }

    /// A stream to the valve, served by a task of its own.
    pub fn connect_valve(&self) -> DuplexStream {
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        let simulator = self.clone();
        tokio::spawn(async move { simulator.serve_valve(far).await });
        near
    }

    fn analyzer_reply(&self, frame: &Frame) -> Option<Vec<u8>> {
        let text = self.ask(|plant| {
            if plant.analyzer_silent() {
                return None;
            }
            let reply = Request::parse(frame).map(|request| plant.analyzer_command(&request.code, &request.data));
            Some(reply.unwrap_or_else(|| "???? 1".to_owned()))
        })?;
        Some(encode(&text))
    }

    fn valve_reply(&self, line: &[u8]) -> Option<String> {
        if line.is_empty() {
            return None;
        }
        self.ask(|plant| plant.valve_line(&String::from_utf8_lossy(line)))
    }

    async fn send_reply(&self, stream: &mut (impl AsyncWrite + Unpin), reply: &[u8]) -> io::Result<()> {
        if !self.faults.slow_reply.is_zero() {
            tokio::time::sleep(self.faults.slow_reply).await;
        }
        if !self.faults.junk {
            stream.write_all(reply).await?;
            return stream.flush().await;
        }
        stream.write_all(NOISE).await?;
        for piece in reply.chunks(reply.len().div_ceil(PIECES)) {
            stream.write_all(piece).await?;
            stream.flush().await?;
            tokio::time::sleep(BETWEEN_PIECES).await;
        }
        Ok(())
    }

    /// Asks the plant something, in the present.
    fn ask<R>(&self, question: impl FnOnce(&mut Plant) -> R) -> R {
        // A panic elsewhere leaves the plant as it was: it has no half-done states.
        let mut shop = self.shop.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock, or a later request might come to an earlier time.
        let now = self.clock.now().tick;
        shop.plant.advance(now);
        let answer = question(&mut shop.plant);
        shop.write_truth();
        answer
    }
}

impl Shop {
    fn write_truth(&mut self) {
        let through = self.plant.take_truth();
        let Some(file) = &mut self.truth else { return };
        let written = through.iter().try_for_each(|truth| {
            let line = serde_json::to_string(truth)?;
            writeln!(file, "{line}")?;
            file.flush()
        });
        if let Err(error) = written {
            tracing::error!("cannot write the truth file, and give it up: {error}");
            self.truth = None;
        }
    }
}

/// Serves everyone who connects to `listener` until it is cancelled.
pub async fn listen_analyzer(simulator: Simulator, listener: TcpListener, cancel: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(serve_connection(simulator.clone(), stream))),
                Err(error) => {
                    tracing::warn!("cannot accept a connection: {error}");
                    tokio::time::sleep(AFTER_FAILED_ACCEPT).await;
                }
            },
        }
    }
}

async fn serve_connection(simulator: Simulator, stream: TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("cannot send replies without delay: {error}");
    }
    simulator.serve_analyzer(stream).await;
}
