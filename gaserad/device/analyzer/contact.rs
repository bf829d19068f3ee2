//! Whether the analyzer is there, who it is, and what it cannot be asked.

use std::collections::BTreeMap;
use std::time::Duration;

use super::AnalyzerOwner;
use super::ask::Feature;
use super::fault::SessionError;
use super::pace::PacePlace;
use crate::ak::Command;
use crate::device::session::TurnedAway;
use crate::domain::{AnalyzerNews, AnalyzerState, DeviceErrors, Fault, FaultKind, Reconnection, Tick};

/// So many failures in a row, or failures for so long, and the analyzer is offline.
const FAILURES: u32 = 3;
const FAILING: Duration = Duration::from_secs(10);
/// A refused connection shows that nothing serves there, and so does one that is closed, but by an analyzer that closes
/// connections and measures on: of that one several in a row do.
const PROGRAM_DOWN: u32 = 3;
const LONGEST_BACK_OFF: Duration = Duration::from_secs(30);
const ERRORS_EVERY: Duration = Duration::from_secs(10);
const IDENTITY_EVERY: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(super) struct SessionContact {
    /// It was asked who it is since the last failure.
    pub(super) greeted: bool,
    online: bool,
    told_offline: bool,
    failures: u32,
    failing_since: Option<Tick>,
    /// How much speaks for it that its machine was there meanwhile, and its program was not.
    turned_away: u32,
    /// It measured on behind a connection that it had closed: that it closes one says nothing of it.
    closes_at_will: bool,
    /// When the last question was begun.
    pub(super) asked: Option<Tick>,
    pub(super) identity: Vec<String>,
    /// On which of the session's contacts it was asked who it is, and when.
    identified: Option<(u64, Tick)>,
    pub(super) features: BTreeMap<String, Feature>,
    errors: Option<DeviceErrors>,
    pub(super) errors_read: Option<Tick>,
}

impl SessionContact {
    /// Until an analyzer that does not answer is tried again.
    pub(super) fn back_off(&self) -> Option<Duration> {
        let doublings = self.failures.checked_sub(1)?.min(5);
        Some(Duration::from_secs(1 << doublings).min(LONGEST_BACK_OFF))
    }

    /// A refusal may have had to do with the state it was in.
    pub(super) fn forget_refusals(&mut self) {
        self.features.retain(|_, feature| *feature != Feature::Refused);
    }

    /// Whether the command was refused, or never answered.
    pub(super) fn lacks(&self, command: &Command) -> bool {
        self.features.get(command.code()).is_some_and(|feature| !feature.works())
    }

    pub(super) fn errors(&self) -> DeviceErrors {
        self.errors.clone().unwrap_or_default()
    }

    pub(super) fn unsupported(&self) -> Vec<String> {
        let lacking = self.features.iter().filter(|(_, feature)| !feature.works());
        lacking.map(|(code, _)| code.clone()).collect()
    }
}

impl AnalyzerOwner {
    /// A look; after a failure the analyzer is greeted first, because it may have been off or be another.
    pub(super) async fn look_in(&mut self) -> Result<PacePlace, SessionError> {
        if !self.contact.greeted {
            return self.greet().await;
        }
        // The connection may break before the look, or in the middle of it.
        if self.is_another().await? {
            return self.greet().await;
        }
        let place = self.look().await?;
        if self.is_another().await? { self.greet().await } else { Ok(place) }
    }

    async fn is_another(&mut self) -> Result<bool, SessionError> {
        if !self.may_be_another() {
            return Ok(false);
        }
        let identity = self.ask_identity().await?;
        Ok(!identity.is_empty() && identity != self.contact.identity)
    }

    /// The same before something is begun on it, which is not done if another analyzer has taken its address just now.
    pub(super) async fn look_in_at_the_same(&mut self) -> Result<PacePlace, SessionError> {
        let known = self.contact.identity.clone();
        let place = self.look_in().await?;
        if known.is_empty() || known == self.contact.identity {
            return Ok(place);
        }
        let (here, found) = (self.session.place(), self.contact.identity.join(" "));
        let text = format!("another analyzer answers at {here} now: {found}, and before it was {}", known.join(" "));
        Err(Fault::new(FaultKind::Refused, text).into())
    }

    /// On a new connection, and now and then where each question has its own, another one may answer under this address.
    fn may_be_another(&self) -> bool {
        let due = |asked: Tick| self.elapsed(asked) >= IDENTITY_EVERY;
        let (contacts, asked) = self.contact.identified.unwrap_or_default();
        contacts != self.session.contacts() || (!self.session.keeps() && due(asked))
    }

    async fn ask_identity(&mut self) -> Result<Vec<String>, SessionError> {
        let identity = self.probe(&Command::Identity).await?.and_then(|reply| reply.identity().ok());
        self.contact.identified = Some((self.session.contacts(), self.now()));
        Ok(identity.unwrap_or_default())
    }

    async fn greet(&mut self) -> Result<PacePlace, SessionError> {
        let state = self.ask(&Command::State).await?.state()?;
        let reconnection = self.reconnection(state).await?;
        let identity = self.ask_identity().await?;
        self.introduce(identity);
        if let Some(reconnection) = reconnection {
            self.news(AnalyzerNews::Reconnected(reconnection));
        }
        self.assert_layout().await?;
        self.read_clock().await?;
        self.read_errors().await?;
        self.track.broken = true;
        let place = self.look().await?;
        self.read_results().await?;
        self.contact.greeted = true;
        self.contact.failures = 0;
        self.contact.failing_since = None;
        self.contact.turned_away = 0;
        Ok(place)
    }

    /// What can be said of an analyzer that measured when it was last seen, and does not any more. Its results are asked
    /// for in whatever layout it has.
    async fn reconnection(&mut self, now: AnalyzerState) -> Result<Option<Reconnection>, SessionError> {
        if now == AnalyzerState::Measuring {
            self.contact.closes_at_will |= self.contact.turned_away > 0 && self.track.is_measuring();
        }
        if now == AnalyzerState::Measuring || !self.track.is_measuring() {
            return Ok(None);
        }
        let held = self.results.any();
        let gone = held && self.ask(&Command::Results).await?.done(&Command::Results).is_err();
        let program_was_down = self.contact.turned_away >= PROGRAM_DOWN;
        Ok(Some(Reconnection { program_was_down, result_is_gone: gone }))
    }

    fn note_turned_away(&mut self) {
        self.contact.turned_away += match self.session.turned_away() {
            Some(TurnedAway::Closed) if self.contact.closes_at_will => 1,
            Some(TurnedAway::Refused | TurnedAway::Closed) => PROGRAM_DOWN,
            None => 0,
        };
    }

    fn introduce(&mut self, identity: Vec<String>) {
        let another = !identity.is_empty() && identity != self.contact.identity;
        if self.contact.online && !another {
            return;
        }
        if self.contact.online {
            // Another instrument has taken its address.
            self.contact.features.clear();
            self.contact.errors = None;
            self.clock_track.forget();
            self.desk.forget();
        }
        self.contact.online = true;
        self.contact.told_offline = false;
        self.contact.identity.clone_from(&identity);
        self.news(AnalyzerNews::Online { identity });
    }

    /// Counts failures; the analyzer is offline when there are too many, or at once if it was never there.
    pub(super) fn note_contact<T>(&mut self, outcome: &Result<T, SessionError>) {
        let Err(trouble @ (SessionError::Ask(_) | SessionError::Reply(_))) = outcome else { return };
        let asked = self.contact.asked.unwrap_or_else(|| self.now());
        let since = *self.contact.failing_since.get_or_insert(asked);
        self.contact.greeted = false;
        self.contact.failures += 1;
        self.note_turned_away();
        tracing::debug!("the analyzer failed {} times: {trouble}", self.contact.failures);
        let lasting = self.contact.failures >= FAILURES || self.elapsed(since) >= FAILING;
        let news = if self.contact.online { lasting } else { !self.contact.told_offline };
        if news {
            let SessionContact { failures, failing_since, turned_away, closes_at_will, .. } = self.contact;
            self.contact = SessionContact {
                told_offline: true,
                failures,
                failing_since,
                turned_away,
                closes_at_will,
                ..SessionContact::default()
            };
            self.track.forget_pace(self.settings.poll);
            self.clock_track.forget();
            self.desk.forget();
            self.news(AnalyzerNews::Offline { reason: trouble.reason(self.session.place()) });
        }
    }

    pub(super) async fn read_errors_if_due(&mut self) -> Result<(), SessionError> {
        if self.contact.errors_read.is_none_or(|read| self.elapsed(read) >= ERRORS_EVERY) {
            self.read_errors().await?;
        }
        Ok(())
    }

    /// An analyzer that does not tell its errors has none.
    pub(super) async fn read_errors(&mut self) -> Result<DeviceErrors, SessionError> {
        let reply = self.probe(&Command::Errors).await?;
        let errors = reply.and_then(|reply| reply.errors().ok()).unwrap_or_default();
        self.contact.errors_read = Some(self.now());
        if self.contact.errors.as_ref() != Some(&errors) {
            self.contact.errors = Some(errors.clone());
            self.news(AnalyzerNews::Errors(errors.clone()));
        }
        Ok(errors)
    }
}
