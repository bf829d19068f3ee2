//! The plant behind byte streams: requests in, replies out, truth into its file.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::faults::Faults;
use super::habits::NetworkFailure;
use super::manner::{Delivery, End, Passed, fall_silent};
use super::mishap::Unplugged;
use super::plant::{Plant, PlantDesign};
use super::random::Random;
use crate::ak::AkRequest;
use crate::ak::frame::{Decoder, Frame};
use crate::domain::Clock;

pub(super) const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(100);
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

/// What a request comes to.
enum PlantAnswer {
    Nothing,
    /// The connection is one from before a reboot, or the analyzer is away.
    Gone,
    Reply(Delivery),
}

struct Shop {
    plant: Plant,
    passed: Passed,
    truth: Option<Box<dyn Write + Send>>,
}

impl Simulator {
    pub fn new(settings: PlantSettings, clock: Arc<dyn Clock>) -> Self {
        let PlantSettings { cycle, seed, channels, faults, truth } = settings;
        let shared = Arc::new(faults.clone());
        let plant = Plant::new(PlantDesign { cycle, seed, channels, faults }, clock.now());
        Self {
            clock,
            faults: shared,
            shop: Arc::new(Mutex::new(Shop { plant, passed: Passed::new(Random::new(seed)), truth })),
        }
    }

    /// Lets the plant reach the present, so that the truth of all that is through is written.
    pub fn catch_up(&self) {
        self.ask(|_| ());
    }

    /// Speaks AK on `stream` until one side hangs up.
    pub async fn serve_analyzer(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        if self.converse(&mut stream).await == End::Closes {
            // Whoever hung up already needs no goodbye.
            let _ = stream.shutdown().await;
        }
    }

    /// Tells how the conversation ended; `None` if the other side hung up.
    async fn converse(&self, stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> End {
        let (boots, refused) =
            self.ask(|plant| (plant.analyzer_boots(), plant.network() == Some(NetworkFailure::Refused)));
        if refused {
            return End::Resets;
        }
        let mut decoder = Decoder::default();
        let mut bytes = [0; 1024];
        while let Ok(count @ 1..) = stream.read(&mut bytes).await {
            decoder.push(&bytes[..count]);
            while let Some(frame) = decoder.next_frame() {
                let end = match self.analyzer_answer(&frame, boots) {
                    PlantAnswer::Nothing => continue,
                    PlantAnswer::Gone => End::Closes,
                    PlantAnswer::Reply(delivery) => delivery.send(stream, &self.faults).await.unwrap_or(End::Closes),
                };
                match end {
                    End::None => {}
                    End::Stalls => {
                        fall_silent(stream).await;
                        return End::None;
                    }
                    End::Closes | End::Resets => return end,
                }
            }
        }
        End::None
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

    /// What happens to the plug of the valve's serial port.
    pub(super) fn serial_unplugged(&self) -> Option<Unplugged> {
        self.faults.serial_unplugged.clone()
    }

    /// How long plant time takes in the time of the world.
    pub(super) fn outside(&self, duration: Duration) -> Duration {
        self.clock.outside(duration)
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

    /// `boots` is how often the analyzer had rebooted when the connection was made.
    fn analyzer_answer(&self, frame: &Frame, boots: u32) -> PlantAnswer {
        self.visit(|Shop { plant, passed, .. }| {
            if plant.analyzer_away() || plant.analyzer_boots() != boots {
                return PlantAnswer::Gone;
            }
            let network = plant.network();
            match network {
                Some(NetworkFailure::Refused) => return PlantAnswer::Gone,
                Some(NetworkFailure::Hangs) => return PlantAnswer::Nothing,
                Some(NetworkFailure::RepliesLost) | None => {}
            }
            let request = AkRequest::parse(frame);
            let code = request.as_ref().map_or("????", |request| request.code.as_str());
            if plant.analyzer_silent() || self.faults.silent_to.iter().any(|silent| silent == code) {
                return PlantAnswer::Nothing;
            }
            let text = match &request {
                Some(request) => plant.analyzer_command(code, &request.data),
                None => "???? 1".to_owned(),
            };
            if network.is_some() {
                return PlantAnswer::Nothing;
            }
            PlantAnswer::Reply(Delivery::new(&self.faults, passed, plant.age(), code, &text))
        })
    }

    fn valve_reply(&self, line: &[u8]) -> Option<String> {
        if line.is_empty() {
            return None;
        }
        self.ask(|plant| plant.valve_line(&String::from_utf8_lossy(line)))
    }

    /// Asks something of the plant, in the present.
    pub(super) fn ask<R>(&self, question: impl FnOnce(&mut Plant) -> R) -> R {
        self.visit(|shop| question(&mut shop.plant))
    }

    /// Asks something of the plant and of what is around it, in the present.
    fn visit<R>(&self, question: impl FnOnce(&mut Shop) -> R) -> R {
        // A panic elsewhere leaves the plant as it was: it has no half-done states.
        let mut shop = self.shop.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock, or a later request might come to an earlier time.
        let now = self.clock.now().tick;
        shop.plant.advance(now);
        let answer = question(&mut shop);
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

async fn serve_connection(simulator: Simulator, mut stream: TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("cannot send replies without delay: {error}");
    }
    let parted = match simulator.converse(&mut stream).await {
        End::Resets => stream.set_zero_linger(),
        End::Closes => stream.shutdown().await,
        End::None | End::Stalls => Ok(()),
    };
    if let Err(error) = parted {
        tracing::debug!("a connection ends in another way than it should: {error}");
    }
}
