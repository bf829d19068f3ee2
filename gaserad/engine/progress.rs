//! How far a run is, as the dashboards of GaseraMux count it, and when to say so again.

use std::time::Duration;

use super::state::{Run, State, Station, seconds};
use crate::domain::status::{AnalyzerStatus, Evidence, MultiplexerStatus};
use crate::domain::{AnalyzerState, Channel, Moment, Phase, Progress, Status, Tick};

/// Waits shorter than this are ticked twice a second, longer ones once.
const LONG_WAIT: Duration = Duration::from_secs(10);

/// The share in percent; ties go to the even number, as dashboards expect it.
fn percent(done: u32, of: u32) -> u32 {
    if of == 0 {
        return 0;
    }
    let (whole, rest) = ((u64::from(done) * 100) / u64::from(of), (u64::from(done) * 100) % u64::from(of));
    let twice = rest * 2;
    let up = twice > u64::from(of) || (twice == u64::from(of) && whole % 2 == 1);
    u32::try_from(whole + u64::from(up)).unwrap_or(100)
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 100.0).round() / 100.0
}

impl Run {
    /// How far it is, if it takes so long as a whole.
    pub fn progress(&self, at: Tick, total: Duration) -> Progress {
        let enabled = self.asked.plan.visits_per_repeat();
        // After the last repeat its own share is still the one to show.
        let repeat = self.course.repeat.min(self.asked.plan.repeats - 1);
        let done_in_repeat = self.visits.done.saturating_sub(repeat * enabled).min(enabled);
        let shown = Channel::new(self.shown.channel + 1);
        let homing = matches!(self.shown.phase, Phase::Homing | Phase::Idle);
        let target = self.target().map(|stop| stop.channel);
        let ahead = self.course.stop + usize::from(!homing && target == shown);
        let next_enabled =
            self.asked.stops.iter().skip(ahead).find(|stop| stop.measured).map(|stop| stop.channel.index());
        Progress {
            phase: self.shown.phase,
            current_channel: self.shown.channel,
            next_channel: shown.and_then(Channel::next).filter(|_| !homing).map(Channel::index),
            next_enabled_channel: next_enabled,
            percent: percent(done_in_repeat, enabled),
            overall_percent: percent(self.visits.done, self.asked.plan.visits()),
            repeat_index: self.course.repeat,
            repeat_total: self.asked.plan.repeats,
            enabled_count: enabled,
            step_index: self.visits.done,
            total_steps: self.asked.plan.visits(),
            elapsed_seconds: self.timing.started.map_or(0.0, |started| rounded(at.since(started.tick).as_secs_f64())),
            tt_seconds: Some(rounded(total.as_secs_f64())),
        }
    }
}

impl Station {
    /// How far the run under way is, in step with what happened so far.
    pub fn progress(&self, run: &Run, at: Tick) -> Progress {
        run.progress(at, self.estimate(run, at))
    }

    fn evidence(&self) -> Option<Evidence> {
        self.exchanges.newest_began()?;
        let lags = self.exchanges.lags();
        let contradictions = self.exchanges.contradictions().map(|(what, count)| (what.as_str().to_owned(), count));
        Some(Evidence {
            phase_lag_s: rounded(lags.phase.as_secs_f64()),
            result_lag_s: rounded(lags.result.as_secs_f64()),
            contradictions: contradictions.collect(),
        })
    }
}

impl State {
    pub fn progress(&self, at: Tick) -> Progress {
        self.run().map_or_else(|| self.station.rest.progress.clone(), |run| self.station.progress(run, at))
    }

    /// When progress is to be told next, if a run is under way.
    pub fn next_tick(&self, at: Tick) -> Option<Tick> {
        let run = self.run()?;
        let short = run.timing.until.since(run.timing.since) < LONG_WAIT;
        let cadence = if short { Duration::from_millis(500) } else { Duration::from_secs(1) };
        let beat = u64::try_from(cadence.as_micros()).unwrap_or(1);
        let beats = at.as_micros().saturating_sub(run.timing.since.as_micros()) / beat + 1;
        Some(run.timing.since + Duration::from_micros(beats * beat))
    }

    /// The state of everything, as far as the engine knows it.
    pub fn status(&self, at: Moment) -> Status {
        let (run, station) = (self.run(), &self.station);
        let progress = self.progress(at.tick);
        let (until, waiting_for) = match self.deadline().filter(|_| run.is_some()) {
            Some((until, reason)) => (run.filter(|run| run.is_timed()).map(|_| at.utc_at(until)), reason.to_owned()),
            None => (None, String::new()),
        };
        Status {
            timestamp: at.utc.as_seconds(),
            phase: progress.phase,
            waiting_for,
            until,
            progress,
            run: run.and_then(Run::summary),
            last_run: station.rest.last_run.clone(),
            queued: self.queued(at),
            analyzer: station.analyzer_status(),
            multiplexer: station.multiplexer_status(),
            live_data: run.map_or(&station.rest.live_data, |run| &run.results.live_data).clone(),
            seq: 0,
            version: String::new(),
            simulated: false,
            clock_synchronized: station.host_clock.synchronized(),
            mirror: None,
        }
    }
}

impl Station {
    fn analyzer_status(&self) -> AnalyzerStatus {
        let analyzer = &self.analyzer;
        AnalyzerStatus {
            address: String::new(),
            online: analyzer.online,
            reason: analyzer.reason.clone(),
            status_code: analyzer.state.map(AnalyzerState::code),
            status: analyzer.state,
            phase: analyzer.phase,
            iteration: analyzer.iteration,
            errors: analyzer.errors.0.clone(),
            clock_offset_s: analyzer.clock_offset_ms.map(seconds),
            identity: analyzer.identity.clone(),
            stranger_to: self.identities.analyzer_stranger_to(),
            stamp_meaning: self.stamps.meaning(),
            pace: self.pace(),
            evidence: self.evidence(),
            unreadable: analyzer.unreadable.clone(),
        }
    }

    fn multiplexer_status(&self) -> MultiplexerStatus {
        MultiplexerStatus {
            position: self.valve.position,
            channel: self.valve.position.channel(),
            fault: self.valve.fault.clone(),
            model: self.valve.description.model.clone(),
            actuations: self.valve.description.actuations,
            stranger_to: self.identities.valve_stranger_to(),
            simulated: self.settings.valve_simulated,
            ..Default::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_go_to_the_even_percent() {
        assert_eq!(percent(1, 8), 12);
        assert_eq!(percent(5, 8), 62);
        assert_eq!(percent(1, 3), 33);
        assert_eq!(percent(2, 3), 67);
        assert_eq!(percent(3, 3), 100);
        assert_eq!(percent(0, 0), 0);
    }
}
