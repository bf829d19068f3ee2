//! Looks and results: what is reported of them, and when there may be a result.

use std::time::Duration;

use super::Owner;
use super::fault::Trouble;
use super::pace::{Pace, Place};
use crate::ak::{Command, Error, Reply};
use crate::domain::{AnalyzerNews, AnalyzerPhase, AnalyzerState, AnalyzerTime, ResultRead, Sample, Seen, Tick};

/// A result may come a moment after the iteration is over.
const TRIES: u8 = 3;
/// While measuring, results are read at least so often, whatever the looks say.
const FALLBACK: Duration = Duration::from_secs(5);
const FALLBACK_LOOKS: u32 = 20;

/// What the looks showed.
#[derive(Debug)]
pub(super) struct Track {
    /// Where it was at the last look, and when that look began.
    last: Option<(Place, Tick)>,
    /// The next look is reported although nothing may have changed: what happened before it is not known.
    pub(super) broken: bool,
    pace: Pace,
    /// How often results are still looked for.
    tries: u8,
    looks_since_results: u32,
    results_read: Option<Tick>,
}

impl Track {
    pub(super) fn new(poll: Duration) -> Self {
        Self { last: None, broken: false, pace: Pace::new(poll), tries: 0, looks_since_results: 0, results_read: None }
    }

    pub(super) fn forget_pace(&mut self, poll: Duration) {
        self.pace = Pace::new(poll);
    }

    /// Until the next look.
    pub(super) fn interval(&self, idle_poll: Duration) -> Duration {
        let idle = self.last.is_some_and(|(place, _)| place.state == AnalyzerState::Idle);
        if idle && self.tries == 0 { idle_poll } else { self.pace.interval() }
    }

    /// Takes in a look; gives what to report of it.
    fn note(&mut self, place: Place, begun: Tick, ended: Tick, passed: Duration) -> Option<Seen> {
        let last = self.last.replace((place, begun));
        let before = last.map(|(before, _)| before);
        self.pace.note(before.as_ref(), &place, passed);
        self.looks_since_results += 1;
        if before.is_some_and(|before| place.may_have_resulted_since(&before)) {
            self.tries = TRIES;
        }
        let new = before != Some(place) || std::mem::take(&mut self.broken);
        self.broken = false;
        let Place { state, phase, iteration } = place;
        let after = last.map_or(Tick::ZERO, |(_, begun)| begun);
        new.then_some(Seen { state, phase, iteration, after, asked: begun, before: ended })
    }

    fn note_results(&mut self, read: Tick, found: bool) {
        self.tries = if found { 0 } else { self.tries.saturating_sub(1) };
        self.looks_since_results = 0;
        self.results_read = Some(read);
    }
}

impl Owner {
    /// State, phase and iteration counter; what is new is reported.
    pub(super) async fn look(&mut self) -> Result<Place, Trouble> {
        let begun = self.now();
        let state = self.ask(Command::State).await?.state()?;
        let mut phase = self.ask_phase().await?;
        let iteration = self.probe(Command::Iteration).await?.map(|reply| reply.iteration()).transpose()?;
        if self.track.last.is_some_and(|(before, _)| before.iteration != iteration) {
            // The phase was asked before the counter: it may still be that of the iteration before.
            phase = self.ask_phase().await?;
        }
        let place = Place { state, phase, iteration };
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

    async fn ask_phase(&mut self) -> Result<AnalyzerPhase, Trouble> {
        let reply = self.probe(Command::Phase).await?;
        Ok(reply.map(|reply| reply.phase()).transpose()?.unwrap_or_default())
    }

    pub(super) async fn read_results_if_due(&mut self) -> Result<(), Trouble> {
        let measuring = self.track.last.is_some_and(|(place, _)| place.is_measuring());
        let long_ago = self.track.looks_since_results >= FALLBACK_LOOKS
            || self.track.results_read.is_none_or(|read| self.elapsed(read) >= FALLBACK);
        if self.track.tries > 0 || (measuring && long_ago) {
            self.read_results().await?;
        }
        Ok(())
    }

    /// Reads the results and reports what is new; gives the newest stamp.
    pub(super) async fn read_results(&mut self) -> Result<Option<AnalyzerTime>, Trouble> {
        let (samples, read) = self.ask_results().await?;
        let newest = samples.iter().map(|sample| sample.stamp).max();
        let fresh = self.results.fresh(samples);
        self.track.note_results(read, !fresh.is_empty());
        if !fresh.is_empty() {
            self.report_results(fresh, read).await?;
        }
        Ok(newest)
    }

    /// Which iteration a result is of can be told only if the analyzer is seen right after it was read.
    async fn report_results(&mut self, fresh: Vec<Sample>, read: Tick) -> Result<(), Trouble> {
        let unstoppable = std::mem::replace(&mut self.unstoppable, true);
        let looked = self.look().await;
        self.unstoppable = unstoppable;
        let (phase, iteration) =
            looked.as_ref().map_or((AnalyzerPhase::None, None), |place| (place.phase, place.iteration));
        for sample in fresh {
            self.news(AnalyzerNews::Result(ResultRead {
                sample,
                after: Tick::ZERO,
                asked: read,
                read,
                phase,
                iteration,
            }));
        }
        looked.map(|_| ())
    }

    /// The results, and when they were read.
    async fn ask_results(&mut self) -> Result<(Vec<Sample>, Tick), Trouble> {
        let reply = self.ask(Command::Results).await?;
        let read = self.now();
        match results_in(&reply) {
            Ok(samples) => return Ok((samples, read)),
            Err(error) => tracing::warn!("results are set back to time, CAS number and concentration: {error}"),
        }
        // Another program has changed the layout.
        self.ask(Command::LAYOUT).await?;
        let reply = self.ask(Command::Results).await?;
        let read = self.now();
        let samples = results_in(&reply).unwrap_or_else(|error| {
            tracing::warn!("a result cannot be read: {error}");
            Vec::new()
        });
        Ok((samples, read))
    }
}

/// A refusal means that there is no result yet.
fn results_in(reply: &Reply) -> Result<Vec<Sample>, Error> {
    match reply.results() {
        Err(Error::Refused { .. }) => Ok(Vec::new()),
        results => results,
    }
}
