//! What the engine makes of the clocks: when one of them was set, and how far they are apart.
//!
//! Ticks decide what happened when. The host's wall clock and the analyzer's are only noted down; either may be set while
//! a run is under way, by hours, and the records then say so.

use std::time::Duration;

use super::Turn;
use super::state::State;
use crate::attribution::{Credit, Dating};
use crate::domain::{Cause, Flag, Moment, ResultRead, Severity, Tick, Utc, duration};

/// A smaller difference is no step: clocks are adjusted all the time.
const STEP_MS: u64 = 2000;
/// The analyzer tells whole seconds, on two occasions.
const ANALYZER_STEP_MS: u64 = 5000;

/// What is known of the host's wall clock.
#[derive(Debug, Clone, Default)]
pub(super) struct HostClock {
    last: Option<Moment>,
    /// When one of the clocks was last set.
    stepped: Option<Tick>,
    /// Whether a time service keeps it right, where that is known.
    synchronized: Option<bool>,
    /// Until when none did.
    unsynced_until: Option<Tick>,
}

impl HostClock {
    /// By how many milliseconds the wall clock was set since it was last read.
    fn read(&mut self, at: Moment) -> Option<i64> {
        let last = self.last.replace(at)?;
        let off = (at.utc.as_micros() - last.utc_at(at.tick).as_micros()) / 1000;
        (off.unsigned_abs() >= STEP_MS).then_some(off)
    }

    pub(super) const fn synchronized(&self) -> Option<bool> {
        self.synchronized
    }

    pub(super) fn is_unsynced(&self) -> bool {
        self.synchronized == Some(false)
    }

    /// Whether it was not synchronized at some time since `tick`.
    pub(super) fn was_unsynced(&self, since: Tick) -> Option<Flag> {
        let unsynced = self.is_unsynced() || self.unsynced_until.is_some_and(|until| until >= since);
        unsynced.then_some(Flag::ClockUnsynced)
    }

    /// It is, or is not, from `tick` on; whether that is news.
    pub(super) fn is_synchronized(&mut self, synchronized: bool, tick: Tick) -> bool {
        let before = self.synchronized.replace(synchronized);
        if before == Some(false) {
            self.unsynced_until = Some(tick);
        }
        before != Some(synchronized)
    }
}

impl State {
    /// The tick at which the wall clock shows that, as far as is known.
    pub(super) fn tick_at(&self, utc: Utc) -> Tick {
        let Some(last) = self.host_clock.last else { return Tick::ZERO };
        let left = utc.as_micros().saturating_sub(last.utc.as_micros());
        last.tick + Duration::from_micros(u64::try_from(left).unwrap_or(0))
    }

    /// When the clocks were last looked at.
    pub(super) fn tick_of_last_look(&self) -> Tick {
        self.host_clock.last.map_or(Tick::ZERO, |last| last.tick)
    }
}

impl Turn {
    /// Whether the wall clock was set since the last event.
    pub(super) fn mind_the_clock(&mut self) {
        let Some(step) = self.state.host_clock.read(self.at) else { return };
        self.state.host_clock.stepped = Some(self.at.tick);
        self.state.analyzer.clock_offset_ms = self.state.analyzer.clock_offset_ms.map(|offset| offset - step);
        let text = format!("this machine's clock was set {}; samples drawn meanwhile are flagged", by(step));
        self.alarm(Severity::Warning, "host_clock_step", text.clone());
        self.in_the_way(Cause::Clock, &text);
        self.tell_metrics();
    }

    /// The analyzer's clock was compared with the host's.
    pub(super) fn hear_clock(&mut self, offset_ms: i64) {
        let known = self.state.analyzer.clock_offset_ms.replace(offset_ms);
        if let Some(step) = known.map(|known| offset_ms - known).filter(|step| step.unsigned_abs() >= ANALYZER_STEP_MS)
        {
            self.analyzer_clock_stepped(step);
        }
        if known != Some(offset_ms) {
            self.tell_metrics();
        }
    }

    fn analyzer_clock_stepped(&mut self, step: i64) {
        self.state.host_clock.stepped = Some(self.at.tick);
        self.state.stamps.forget_dating();
        self.state.exchanges.forget_stamps();
        let text = format!("the analyzer's clock was set {}; samples drawn meanwhile are flagged", by(step));
        self.alarm(Severity::Warning, "analyzer_clock_step", text);
    }

    /// What is to be said of the clocks while a result was measured.
    pub(super) fn clock_flags(&mut self, read: &ResultRead, credit: &Credit) -> Vec<Flag> {
        let since = credit.exchange.map_or(read.read, |exchange| exchange.began_after);
        let step = self.date(read, credit);
        step.into_iter().chain(self.state.host_clock.was_unsynced(since)).collect()
    }

    /// What the stamp of a result tells of the analyzer's clock; whether a clock was set while it was measured.
    fn date(&mut self, read: &ResultRead, credit: &Credit) -> Option<Flag> {
        let exchange = credit.exchange?;
        let known = self.state.stamps.meaning();
        let offset = self.state.analyzer.clock_offset_ms;
        let dating = Dating { stamp: read.sample.stamp, exchange, read, at: self.at, offset_ms: offset };
        if let Some(step) = self.state.stamps.weigh(&dating) {
            self.state.analyzer.clock_offset_ms = offset.map(|offset| offset + step);
            self.analyzer_clock_stepped(step);
            self.tell_metrics();
        } else if self.state.stamps.meaning() != known {
            self.tell_metrics();
        }
        let stepped = self.state.host_clock.stepped?;
        (stepped >= exchange.began_after).then_some(Flag::ClockStep)
    }
}

fn by(step_ms: i64) -> String {
    let seconds = Duration::from_secs(step_ms.unsigned_abs().div_ceil(1000));
    format!("{} by {}", if step_ms < 0 { "back" } else { "forward" }, duration::format(seconds))
}
