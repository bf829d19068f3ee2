//! Whether the analyzer is there, who it is, and what it can be asked.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Owner;
use super::fault::Trouble;
use super::pace::Place;
use crate::ak::{Command, Reply};
use crate::device::session::AskError;
use crate::domain::{AnalyzerNews, DeviceErrors, Tick};

/// So many failures in a row, or failures for so long, and the analyzer is offline.
const FAILURES: u32 = 3;
const FAILING: Duration = Duration::from_secs(10);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(30);
const ERRORS_EVERY: Duration = Duration::from_secs(10);
const CLOCK_EVERY: Duration = Duration::from_secs(600);
/// The analyzer tells whole seconds; a smaller change is none.
const CLOCK_STEP_MS: u64 = 1000;
const HALF_A_SECOND_MS: i64 = 500;

#[derive(Debug, Default)]
pub(super) struct Contact {
    /// It was asked who it is since the last failure.
    greeted: bool,
    online: bool,
    told_offline: bool,
    failures: u32,
    failing_since: Option<Tick>,
    features: BTreeMap<String, Feature>,
    errors: Option<DeviceErrors>,
    errors_read: Option<Tick>,
    offset_ms: Option<i64>,
    clock_read: Option<Tick>,
}

/// What is known of a command that not every firmware has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Feature {
    Works,
    Refused,
    /// It is not even answered.
    Silent,
}

impl Contact {
    /// Until an analyzer that does not answer is tried again.
    pub(super) fn back_off(&self) -> Option<Duration> {
        let doublings = self.failures.checked_sub(1)?.min(5);
        Some(Duration::from_secs(1 << doublings).min(LONGEST_BACK_OFF))
    }

    /// A refusal may have had to do with the state it was in.
    pub(super) fn forget_refusals(&mut self) {
        self.features.retain(|_, feature| *feature != Feature::Refused);
    }
}

impl Owner {
    pub(super) async fn ask(&mut self, command: Command) -> Result<Reply, Trouble> {
        if !self.unstoppable && self.inbox.stop_waits() {
            return Err(Trouble::Overtaken);
        }
        Ok(self.session.ask(command).await?)
    }

    /// Asks what not every firmware knows; `None` if it was refused, or was never answered though other questions are.
    pub(super) async fn probe(&mut self, command: Command) -> Result<Option<Reply>, Trouble> {
        let code = command.code().to_owned();
        let asked_often = matches!(command, Command::Phase | Command::Iteration | Command::Clock);
        let known = self.contact.features.get(&code).copied();
        if matches!(known, Some(Feature::Refused | Feature::Silent)) {
            return Ok(None);
        }
        match self.ask(command.clone()).await {
            Ok(reply) if reply.done(&command).is_ok() => {
                self.contact.features.insert(code, Feature::Works);
                Ok(Some(reply))
            }
            Ok(_) => {
                if asked_often && known.is_none() {
                    self.contact.features.insert(code, Feature::Refused);
                }
                Ok(None)
            }
            Err(Trouble::Ask(AskError::NoReply { .. } | AskError::Malformed { .. })) if known.is_none() => {
                self.ask(Command::State).await?.state()?;
                self.contact.features.insert(code, Feature::Silent);
                Ok(None)
            }
            Err(trouble) => Err(trouble),
        }
    }

    /// A look; after a failure the analyzer is greeted first, because it may have been off or be another.
    pub(super) async fn look_in(&mut self) -> Result<Place, Trouble> {
        if self.contact.greeted { self.look().await } else { self.greet().await }
    }

    async fn greet(&mut self) -> Result<Place, Trouble> {
        self.ask(Command::State).await?.state()?;
        let identity = self.probe(Command::Identity).await?.and_then(|reply| reply.identity().ok());
        self.probe(Command::LAYOUT).await?;
        if !self.contact.online {
            self.contact.online = true;
            self.contact.told_offline = false;
            self.news(AnalyzerNews::Online { identity: identity.unwrap_or_default() });
        }
        self.read_clock().await?;
        self.read_errors().await?;
        self.track.broken = true;
        let place = self.look().await?;
        self.read_results().await?;
        self.contact.greeted = true;
        self.contact.failures = 0;
        self.contact.failing_since = None;
        Ok(place)
    }

    /// Counts failures; the analyzer is offline when there are too many, or at once if it was never there.
    pub(super) fn note_contact<T>(&mut self, outcome: &Result<T, Trouble>) {
        let Err(trouble @ (Trouble::Ask(_) | Trouble::Reply(_))) = outcome else { return };
        let since = *self.contact.failing_since.get_or_insert(self.clock.now().tick);
        self.contact.greeted = false;
        self.contact.failures += 1;
        tracing::debug!("the analyzer failed {} times: {trouble}", self.contact.failures);
        let lasting = self.contact.failures >= FAILURES || self.elapsed(since) >= FAILING;
        let news = if self.contact.online { lasting } else { !self.contact.told_offline };
        if news {
            let (failures, failing_since) = (self.contact.failures, self.contact.failing_since);
            self.contact = Contact { told_offline: true, failures, failing_since, ..Contact::default() };
            self.track.forget_pace(self.settings.poll);
            self.news(AnalyzerNews::Offline { reason: trouble.reason(self.session.place()) });
        }
    }

    pub(super) async fn read_errors_if_due(&mut self) -> Result<(), Trouble> {
        if self.contact.errors_read.is_none_or(|read| self.elapsed(read) >= ERRORS_EVERY) {
            self.read_errors().await?;
        }
        Ok(())
    }

    /// An analyzer that does not tell its errors has none.
    pub(super) async fn read_errors(&mut self) -> Result<DeviceErrors, Trouble> {
        let errors = self.ask(Command::Errors).await?.errors().unwrap_or_default();
        self.contact.errors_read = Some(self.now());
        if self.contact.errors.as_ref() != Some(&errors) {
            self.contact.errors = Some(errors.clone());
            self.news(AnalyzerNews::Errors(errors.clone()));
        }
        Ok(errors)
    }

    pub(super) async fn read_clock_if_due(&mut self) -> Result<(), Trouble> {
        if self.contact.clock_read.is_none_or(|read| self.elapsed(read) >= CLOCK_EVERY) {
            self.read_clock().await?;
        }
        Ok(())
    }

    async fn read_clock(&mut self) -> Result<(), Trouble> {
        let asked = self.clock.now();
        let reply = self.probe(Command::Clock).await?;
        let answered = self.clock.now();
        self.contact.clock_read = Some(answered.tick);
        let Some(time) = reply.and_then(|reply| reply.clock().ok()) else { return Ok(()) };
        let host_ms = i64::midpoint(asked.utc.as_micros(), answered.utc.as_micros()).div_euclid(1000);
        // It shows the second that has begun: on average, half of it is over.
        let offset_ms = time.0.saturating_mul(1000).saturating_add(HALF_A_SECOND_MS).saturating_sub(host_ms);
        if self.contact.offset_ms.is_none_or(|known| known.abs_diff(offset_ms) >= CLOCK_STEP_MS) {
            self.contact.offset_ms = Some(offset_ms);
            self.news(AnalyzerNews::Clock { offset_ms });
        }
        Ok(())
    }
}
