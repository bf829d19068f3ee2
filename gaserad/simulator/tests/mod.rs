//! The plant by itself, and the plant as bytes.

mod bytes;
mod habits;
mod instrument;
mod multiplexers;
mod plant;
mod process;
mod replies;
mod scripted;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Faults, PlantSettings, Simulator, Truth};
use crate::domain::{Clock, Moment, Tick, Utc};

/// 2026-01-15T08:03:12Z.
pub(crate) const START_S: i64 = 1_768_464_192;

/// Follows tokio's clock, which tests may pause.
struct TestClock {
    start: tokio::time::Instant,
    scale: u32,
}

#[expect(clippy::disallowed_methods, reason = "it is the clock")]
pub(crate) fn test_clock(scale: u32) -> Arc<dyn Clock> {
    Arc::new(TestClock { start: tokio::time::Instant::now(), scale })
}

impl Clock for TestClock {
    fn now(&self) -> Moment {
        let elapsed = self.start.elapsed() * self.scale;
        Moment { tick: Tick::ZERO + elapsed, utc: Utc::from_micros(START_S * 1_000_000) + elapsed }
    }

    fn outside(&self, duration: Duration) -> Duration {
        duration / self.scale
    }
}

/// A file that can be read while it is written.
#[derive(Clone, Default)]
pub(crate) struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    pub(crate) fn truth(&self) -> Vec<Truth> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A plant with a cycle of 58 s, at the speed of tokio's clock.
pub(crate) fn simulator(faults: Faults) -> (Simulator, Sink) {
    let sink = Sink::default();
    let truth = Some(Box::new(sink.clone()) as Box<dyn Write + Send>);
    let settings = PlantSettings { cycle: Duration::from_secs(58), seed: 1, channels: 31, faults, truth };
    (Simulator::new(settings, test_clock(1)), sink)
}
