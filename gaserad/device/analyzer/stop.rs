//! The stop: ordered, repeated if need be, then watched until the analyzer is at rest.

use std::time::Duration;

use super::AnalyzerOwner;
use super::fault::SessionError;
use super::pace::PacePlace;
use crate::ak::Command;
use crate::domain::{AnalyzerAnswer, AnalyzerState, Fault, FaultKind, Tick, duration};

const NEXT_LOOK: Duration = Duration::from_millis(100);
const REPEAT: Duration = Duration::from_secs(1);
/// A start that was accepted may take effect only after the stop; idle must last so long to be believed.
const SETTLED: Duration = Duration::from_millis(500);

/// The orders to stop so far.
#[derive(Default)]
struct StopOrdered {
    first: Option<Tick>,
    /// The last one: when, what the analyzer was doing, and whether it agreed.
    last: Option<(Tick, AnalyzerState, bool)>,
}

impl AnalyzerOwner {
    pub(super) async fn stop(&mut self) -> Result<AnalyzerAnswer, SessionError> {
        let begun = self.now();
        let mut ordered = StopOrdered::default();
        loop {
            let stopped = self.try_to_stop(&mut ordered).await;
            if let Err(overtaken @ SessionError::Overtaken { .. }) = stopped {
                return Err(overtaken);
            }
            self.note_contact(&stopped);
            if stopped == Ok(None) {
                self.start_outstanding = false;
                return Ok(AnalyzerAnswer::Stopped);
            }
            if self.elapsed(begun) >= self.settings.stop_patience {
                return Err(self.not_stopped(stopped).into());
            }
            self.inbox.wait_for_stop(if stopped.is_ok() { NEXT_LOOK } else { REPEAT }).await;
        }
    }

    /// `None` once the analyzer has stopped, else its state.
    async fn try_to_stop(&mut self, ordered: &mut StopOrdered) -> Result<Option<AnalyzerState>, SessionError> {
        if ordered.last.is_none() {
            self.stop_at_once(ordered).await?;
        }
        let outstanding = self.start_outstanding;
        let PacePlace { state, .. } = self.look_in().await?;
        let settled = ordered.first.is_some_and(|first| self.elapsed(first) >= SETTLED);
        if is_at_rest(state) && (!outstanding || settled) {
            return Ok(None);
        }
        if self.must_order(ordered, state) {
            self.order_to_stop(ordered, state).await?;
        }
        Ok(Some(state))
    }

    /// What is known to measure, or may be, is told to stop before anything else is asked.
    async fn stop_at_once(&mut self, ordered: &mut StopOrdered) -> Result<(), SessionError> {
        let known = self.track.place().map(|place| place.state);
        let state = match known {
            Some(state) if self.contact.greeted || state == AnalyzerState::Measuring => state,
            _ => self.ask(&Command::State).await?.state()?,
        };
        if state == AnalyzerState::Measuring || self.start_outstanding {
            self.order_to_stop(ordered, state).await?;
        }
        Ok(())
    }

    async fn order_to_stop(&mut self, ordered: &mut StopOrdered, state: AnalyzerState) -> Result<(), SessionError> {
        let at = self.now();
        let reply = self.ask(&Command::Stop).await?;
        ordered.first.get_or_insert(at);
        ordered.last = Some((at, state, reply.done(&Command::Stop).is_ok()));
        Ok(())
    }

    fn must_order(&self, ordered: &StopOrdered, state: AnalyzerState) -> bool {
        let Some((at, then, agreed)) = ordered.last else { return true };
        let measuring = state == AnalyzerState::Measuring;
        let began_since = measuring && then != AnalyzerState::Measuring;
        let insist = measuring || (!agreed && !is_at_rest(state));
        began_since || (insist && self.elapsed(at) >= REPEAT)
    }

    fn not_stopped(&self, last: Result<Option<AnalyzerState>, SessionError>) -> Fault {
        let place = self.session.place();
        let patience = duration::format(self.settings.stop_patience);
        match last {
            Ok(state) => {
                let words = state.map_or("idle", AnalyzerState::words);
                let text = format!(
                    "the analyzer at {place} was told to stop, and after {patience} it is {words}; stop it on its display"
                );
                Fault::new(FaultKind::Refused, text)
            }
            Err(trouble) => {
                let text = format!(
                    "cannot stop the analyzer for {patience}: {trouble}; it may still be measuring: stop it on its display"
                );
                Fault::new(FaultKind::Offline, text)
            }
        }
    }
}

/// Nothing is measured, and nothing will be by itself.
const fn is_at_rest(state: AnalyzerState) -> bool {
    matches!(state, AnalyzerState::Idle | AnalyzerState::InitializationError | AnalyzerState::Malfunction)
}
