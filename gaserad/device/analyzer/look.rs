//! Looking at the analyzer, and telling what is new.

use std::time::Duration;

use super::{Owner, View};
use crate::ak::{Command, Reply};
use crate::device::session::AskError;
use crate::domain::{AnalyzerNews, AnalyzerPhase, AnalyzerState, ResultRead, Sample, Seen, Tick};

/// How often errors and clock are asked for, by the time of the world that is measured.
const ERRORS_EVERY: Duration = Duration::from_secs(10);
const CLOCK_EVERY: Duration = Duration::from_secs(600);
/// A result is looked for at least once in so many looks, whatever the phases say.
const LOOKS_PER_RESULT: u32 = 5;
/// An iteration must be seen so often, or it is looked at too rarely.
const LOOKS_PER_ITERATION: u32 = 4;
const FASTEST: Duration = Duration::from_millis(20);

/// `None` if the analyzer answers that it will not: it does not know the command, or has nothing to say.
fn granted<T>(read: Result<T, crate::ak::Error>) -> Result<Option<T>, AskError> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(crate::ak::Error::Refused { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl Owner {
    /// One look. If the analyzer does not answer, that is told in its time.
    pub(super) async fn look_and_tell(&mut self) {
        if let Err(error) = self.look().await {
            self.failed(&error);
        }
    }

    pub(super) async fn look(&mut self) -> Result<View, AskError> {
        let asked = self.now();
        if self.failures > 0 || self.online != Some(true) {
            self.greet().await?;
        }
        let view = self.ask_view().await?;
        self.seen(view, asked);
        if self.result_due || (self.is_busy() && self.looks_since_result >= LOOKS_PER_RESULT) {
            self.read_result().await?;
        }
        self.ask_the_rest().await?;
        self.failures = 0;
        Ok(view)
    }

    fn is_busy(&self) -> bool {
        self.view.is_some_and(|view| view.state != AnalyzerState::Idle)
    }

    /// After each connection: who it is, and how results are to be laid out.
    async fn greet(&mut self) -> Result<(), AskError> {
        let identity = granted(self.ask(&Command::Identity).await?.identity())?.unwrap_or_default();
        // Old firmware has no such command; what it then sends is checked when it is read.
        self.ask(&Command::ResultLayout).await?;
        (self.has_phase, self.has_iteration) = (true, true);
        self.pace = self.settings.poll;
        (self.errors_due, self.clock_due) = (Tick::ZERO, Tick::ZERO);
        if self.online != Some(true) {
            self.online = Some(true);
            self.tell(AnalyzerNews::Online { identity });
        }
        if self.stamps.is_none() {
            let old = granted(self.ask(&Command::Result).await?.samples())?.unwrap_or_default();
            self.stamps = Some(old.iter().map(|sample| sample.stamp).collect());
        }
        self.result_due = true;
        Ok(())
    }

    pub(super) async fn ask(&mut self, command: &Command) -> Result<Reply, AskError> {
        self.session.ask(command).await
    }

    async fn ask_view(&mut self) -> Result<View, AskError> {
        let state = self.ask(&Command::State).await?.state()?;
        let (phase, iteration) = self.ask_iteration(state).await?;
        Ok(View { state, phase, iteration })
    }

    async fn ask_iteration(&mut self, state: AnalyzerState) -> Result<(AnalyzerPhase, Option<u32>), AskError> {
        let mut phase = None;
        if self.has_phase {
            phase = granted(self.ask(&Command::Phase).await?.phase())?;
            self.has_phase = phase.is_some();
        }
        let mut iteration = None;
        if self.has_iteration && state == AnalyzerState::Measuring {
            iteration = granted(self.ask(&Command::Iteration).await?.iteration())?;
            self.has_iteration = iteration.is_some();
        }
        Ok((phase.unwrap_or_default(), iteration))
    }

    /// Tells the view if it is new, and draws conclusions for the next looks.
    fn seen(&mut self, view: View, asked: Tick) {
        let after = std::mem::replace(&mut self.looked, asked);
        self.looks += 1;
        self.looks_since_result = self.looks_since_result.saturating_add(1);
        self.looks_in_iteration = self.looks_in_iteration.saturating_add(1);
        let last = self.view.replace(view);
        if last == Some(view) {
            return;
        }
        let before = self.now();
        if let Some(last) = last {
            self.result_due |= last.phase == AnalyzerPhase::Analysis && view.phase != AnalyzerPhase::Analysis;
            self.result_due |= last.iteration != view.iteration;
            self.result_due |= last.state == AnalyzerState::Measuring && view.state != AnalyzerState::Measuring;
            self.keep_up(last, view);
        }
        let View { state, phase, iteration } = view;
        self.tell(AnalyzerNews::Seen(Seen { state, phase, iteration, after, before }));
    }

    /// An analyzer that iterates faster than it is looked at is looked at more often.
    fn keep_up(&mut self, last: View, view: View) {
        let (Some(before), Some(now)) = (last.iteration, view.iteration) else { return };
        if now == before {
            return;
        }
        let looks = std::mem::take(&mut self.looks_in_iteration);
        let missed = now > before + 1 || looks < LOOKS_PER_ITERATION;
        if missed && now > before && self.pace > FASTEST {
            self.pace = (self.pace / 2).max(FASTEST);
            tracing::info!(pace = ?self.pace, "the analyzer iterates fast; it is looked at more often");
        }
    }

    /// Reads the last result. The view that goes with it is asked for right after it.
    pub(super) async fn read_result(&mut self) -> Result<(), AskError> {
        let samples = granted(self.ask(&Command::Result).await?.samples());
        let samples = match samples {
            Err(AskError::Garbled(error)) => {
                tracing::warn!(%error, "another client may have changed how results are laid out; setting it again");
                self.ask(&Command::ResultLayout).await?;
                granted(self.ask(&Command::Result).await?.samples())?
            }
            samples => samples?,
        };
        (self.result_due, self.looks_since_result) = (false, 0);
        let samples = samples.unwrap_or_default();
        let known = self.stamps.replace(samples.iter().map(|sample| sample.stamp).collect()).unwrap_or_default();
        let new: Vec<Sample> = samples.into_iter().filter(|sample| !known.contains(&sample.stamp)).collect();
        if new.is_empty() {
            return Ok(());
        }
        let read = self.now();
        let asked = read;
        let view = self.ask_view().await?;
        self.seen(view, asked);
        for sample in new {
            let View { phase, iteration, .. } = view;
            self.tell(AnalyzerNews::Result(ResultRead { sample, read, phase, iteration }));
        }
        Ok(())
    }

    /// What changes rarely.
    async fn ask_the_rest(&mut self) -> Result<(), AskError> {
        let now = self.now();
        if now >= self.errors_due {
            self.errors_due = now + ERRORS_EVERY;
            let errors = granted(self.ask(&Command::Errors).await?.errors())?.unwrap_or_default();
            if errors != self.errors {
                self.errors = errors.clone();
                self.tell(AnalyzerNews::Errors(errors));
            }
        }
        if now >= self.clock_due {
            self.clock_due = now + CLOCK_EVERY;
            self.ask_clock().await?;
        }
        Ok(())
    }

    async fn ask_clock(&mut self) -> Result<(), AskError> {
        let before = self.clock.now().utc.as_micros();
        let Some(time) = granted(self.ask(&Command::Clock).await?.clock())? else { return Ok(()) };
        let after = self.clock.now().utc.as_micros();
        // Its clock shows whole seconds: on average it is half a second further.
        let offset_ms = time.0 * 1000 + 500 - (before / 2 + after / 2) / 1000;
        self.tell(AnalyzerNews::Clock { offset_ms });
        Ok(())
    }
}
