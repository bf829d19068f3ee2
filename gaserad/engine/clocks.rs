//! When one of the clocks was set, and how far they are apart.
//!
//! Ticks decide what happened when. The host's wall clock and the analyzer's are only noted down; either may be set while
//! a run is under way, by hours, and the records then say so.

use std::time::Duration;

use super::turn::Turn;
use crate::attribution::{Credit, Dating};
use crate::domain::{Flag, ResultRead, Severity, duration};

/// The analyzer tells whole seconds, on two occasions.
const ANALYZER_STEP_MS: u64 = 5000;

impl Turn {
    /// The wall clock may have been set since the last event; the sentence that says so.
    pub fn read_host_clock(&mut self) -> Option<String> {
        let step = self.station.host_clock.read(self.at)?;
        self.station.host_clock.stepped = Some(self.at.tick);
        self.station.analyzer.clock_offset_ms = self.station.analyzer.clock_offset_ms.map(|offset| offset - step);
        let text = format!("this machine's clock was set {}; samples drawn meanwhile are flagged", by(step));
        self.alarm(Severity::Warning, "host_clock_step", text.clone());
        Some(text)
    }

    /// The analyzer's clock was compared with the host's.
    pub fn hear_clock(&mut self, offset_ms: i64) {
        let known = self.station.analyzer.clock_offset_ms.replace(offset_ms);
        if let Some(step) = known.map(|known| offset_ms - known).filter(|step| step.unsigned_abs() >= ANALYZER_STEP_MS)
        {
            self.analyzer_clock_stepped(step);
        }
        if known != Some(offset_ms) {
            self.tell_metrics();
        }
    }

    fn analyzer_clock_stepped(&mut self, step: i64) {
        self.station.host_clock.stepped = Some(self.at.tick);
        self.station.stamps.forget_dating();
        self.station.exchanges.forget_stamps();
        let text = format!("the analyzer's clock was set {}; samples drawn meanwhile are flagged", by(step));
        self.alarm(Severity::Warning, "analyzer_clock_step", text);
    }

    /// What is to be said of the clocks while a result was measured.
    pub fn clock_flags(&mut self, read: &ResultRead, credit: &Credit) -> Vec<Flag> {
        let since = credit.exchange.map_or(read.read, |exchange| exchange.began_after);
        let step = self.date(read, credit);
        step.into_iter().chain(self.station.host_clock.was_unsynced(since)).collect()
    }

    /// What the stamp of a result tells of the analyzer's clock; whether a clock was set while it was measured.
    fn date(&mut self, read: &ResultRead, credit: &Credit) -> Option<Flag> {
        let exchange = credit.exchange?;
        let known = self.station.stamps.meaning();
        let offset = self.station.analyzer.clock_offset_ms;
        let dating = Dating { stamp: read.sample.stamp, exchange, read, at: self.at, offset_ms: offset };
        if let Some(step) = self.station.stamps.weigh(&dating) {
            self.station.analyzer.clock_offset_ms = offset.map(|offset| offset + step);
            self.analyzer_clock_stepped(step);
            self.tell_metrics();
        } else if self.station.stamps.meaning() != known {
            self.tell_metrics();
        }
        let stepped = self.station.host_clock.stepped?;
        (stepped >= exchange.began_after).then_some(Flag::ClockStep)
    }
}

fn by(step_ms: i64) -> String {
    let seconds = Duration::from_secs(step_ms.unsigned_abs().div_ceil(1000));
    format!("{} by {}", if step_ms < 0 { "back" } else { "forward" }, duration::format(seconds))
}
