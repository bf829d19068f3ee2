//! Looks and results: what is reported of them, and when there may be a result.

use std::time::Duration;

use super::AnalyzerOwner;
use super::ask::Yielding;
use super::fault::SessionError;
use super::layout::Readout;
use super::pace::{PacePlace, PollPace};
use crate::ak::Command;
use crate::domain::{AnalyzerNews, AnalyzerPhase, AnalyzerState, ResultRead, Sample, Seen, Tick};

/// A result may come a moment after the iteration is over.
const TRIES: u8 = 10;
/// While measuring, results are read at least so often, whatever the looks say.
const FALLBACK: Duration = Duration::from_secs(5);
const FALLBACK_LOOKS: u32 = 20;

/// What the looks showed.
#[derive(Debug)]
pub(super) struct Track {
    /// Where it was at the last look, and when that look began.
    last: Option<(PacePlace, Tick)>,
    /// The next look is reported although nothing may have changed: what happened before it is not known.
    pub(super) broken: bool,
    /// The analyzer may have lost the layout of its results, as it does when it is started anew.
    pub(super) layout_in_doubt: bool,
    pace: PollPace,
    /// How often results are still looked for.
    tries: u8,
    looks_since_results: u32,
    /// When the last reading that could be read was asked for, and when the last of all was there.
    results_asked: Option<Tick>,
    results_read: Option<Tick>,
}

impl Track {
    pub(super) fn new(poll: Duration) -> Self {
        Self {
            last: None,
            broken: false,
            layout_in_doubt: false,
            pace: PollPace::new(poll),
            tries: 0,
            looks_since_results: 0,
            results_asked: None,
            results_read: None,
        }
    }

    pub(super) fn place(&self) -> Option<PacePlace> {
        self.last.map(|(place, _)| place)
    }

    pub(super) fn is_measuring(&self) -> bool {
        self.place().is_some_and(|place| place.is_measuring())
    }

    /// An iteration has just ended.
    pub(super) const fn expects_a_result(&self) -> bool {
        self.tries == TRIES
    }

    pub(super) fn forget_pace(&mut self, poll: Duration) {
        self.pace = PollPace::new(poll);
    }

    /// Until the next look. What ends next is an iteration, or may be: then a little sooner, so that its result is there
    /// within a look and the questions that it takes.
    pub(super) fn interval(&self, idle_poll: Duration) -> Duration {
        let interval = self.pace.interval();
        match self.place() {
            Some(place) if place.state == AnalyzerState::Idle && self.tries == 0 => idle_poll,
            Some(place) if place.is_measuring() && place.may_end_an_iteration() => interval * 4 / 5,
            _ => interval,
        }
    }

    /// Takes in a look; gives what to report of it.
    fn note(&mut self, place: PacePlace, begun: Tick, ended: Tick, passed: Duration) -> Option<Seen> {
        let last = self.last.replace((place, begun));
        let before = last.map(|(before, _)| before);
        self.pace.note(before.as_ref(), &place, passed);
        self.looks_since_results += 1;
        if before.is_some_and(|before| place.may_have_resulted_since(&before)) {
            self.tries = TRIES;
        }
        self.layout_in_doubt |= before.is_some_and(|before| place.may_have_restarted_since(&before));
        let new = before != Some(place) || self.broken || self.pace.could_miss(passed);
        self.broken = false;
        let PacePlace { state, phase, iteration } = place;
        let after = last.map_or(Tick::ZERO, |(_, begun)| begun);
        new.then_some(Seen { state, phase, iteration, after, asked: begun, before: ended })
    }

    /// Takes in a reading; gives when the one before it was asked for.
    fn note_results(&mut self, readout: &Readout, found: bool) -> Option<Tick> {
        self.note_reading(readout.read, found);
        self.results_asked.replace(readout.asked)
    }

    fn note_reading(&mut self, read: Tick, found: bool) {
        self.tries = if found { 0 } else { self.tries.saturating_sub(1) };
        self.looks_since_results = 0;
        self.results_read = Some(read);
    }
}

impl AnalyzerOwner {
    /// State, phase and iteration counter; what is new is reported.
    pub(super) async fn look(&mut self) -> Result<PacePlace, SessionError> {
        let begun = self.now();
        let state = self.ask(&Command::State).await?.state()?;
        let mut phase = self.ask_phase().await?;
        let iteration = self.probe(&Command::Iteration).await?.map(|reply| reply.iteration()).transpose()?;
        if self.track.last.is_some_and(|(before, _)| before.iteration != iteration) {
            // The phase was asked before the counter: it may still be that of the iteration before.
            phase = self.ask_phase().await?;
        }
        let place = PacePlace { state: named(state, phase), phase, iteration };
        self.desk.note_look();
        let passed = self.track.last.map_or(Duration::ZERO, |(_, before)| self.clock.outside(begun.since(before)));
        let seen = self.track.note(place, begun, self.now(), passed);
        if place.is_measuring() {
            self.start_outstanding = false;
        }
        if let Some(seen) = seen {
            self.news(AnalyzerNews::Seen(seen));
        }
        Ok(place)
    }

    async fn ask_phase(&mut self) -> Result<AnalyzerPhase, SessionError> {
        let reply = self.probe(&Command::Phase).await?;
        Ok(reply.map(|reply| reply.phase()).transpose()?.unwrap_or_default())
    }

    pub(super) async fn read_results_if_due(&mut self) -> Result<(), SessionError> {
        let long_ago = self.track.looks_since_results >= FALLBACK_LOOKS
            || self.track.results_read.is_none_or(|read| self.elapsed(read) >= FALLBACK);
        // Nothing else tells when there is a result.
        let blind = self.contact.lacks(&Command::Phase) && self.contact.lacks(&Command::Iteration);
        if self.track.tries > 0 || (self.track.is_measuring() && (long_ago || blind)) {
            self.read_results().await?;
        }
        Ok(())
    }

    /// Reads the results and reports what is new; gives the newest.
    pub(super) async fn read_results(&mut self) -> Result<Option<Sample>, SessionError> {
        let Some(mut readout) = self.ask_results().await? else {
            self.track.note_reading(self.now(), false);
            return Ok(None);
        };
        let newest = readout.samples.iter().max_by_key(|sample| sample.stamp).cloned();
        readout.samples = self.results.fresh(readout.samples);
        let after = self.track.note_results(&readout, !readout.samples.is_empty());
        if !readout.samples.is_empty() {
            self.report_results(readout, after.unwrap_or(Tick::ZERO)).await?;
        }
        Ok(newest)
    }

    /// Which iteration a result is of can be told only if the analyzer is seen right after it was read.
    async fn report_results(&mut self, readout: Readout, after: Tick) -> Result<(), SessionError> {
        let yielding = self.yielding;
        if yielding == Yielding::AtOnce {
            self.yielding = Yielding::WhenStalled;
        }
        let looked = self.look().await;
        self.yielding = yielding;
        let (phase, iteration) =
            looked.as_ref().map_or((AnalyzerPhase::None, None), |place| (place.phase, place.iteration));
        let Readout { samples, asked, read } = readout;
        for sample in samples {
            let after = if self.results.is_stale(&sample) { Tick::ZERO } else { after };
            self.news(AnalyzerNews::Result(ResultRead { sample, after, asked, read, phase, iteration }));
        }
        looked.map(|_| ())
    }
}

/// Older firmware has one code for cancelling and for a laser scan. The laser tells them apart.
fn named(state: AnalyzerState, phase: AnalyzerPhase) -> AnalyzerState {
    match (state, phase) {
        (AnalyzerState::Cancelling, AnalyzerPhase::LaserTuning) => AnalyzerState::LaserScan,
        (state, _) => state,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_laser_that_is_tuned_tells_a_laser_scan_from_cancelling() {
        assert_eq!(named(AnalyzerState::Cancelling, AnalyzerPhase::LaserTuning), AnalyzerState::LaserScan);
        assert_eq!(named(AnalyzerState::Cancelling, AnalyzerPhase::None), AnalyzerState::Cancelling);
        assert_eq!(named(AnalyzerState::Measuring, AnalyzerPhase::LaserTuning), AnalyzerState::Measuring);
    }
}
