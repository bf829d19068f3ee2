//! Who the actuator is, how often it has moved, and whether it is the one that may be moved.

use super::contact::Trouble;
use super::{Vici, dialect};
use crate::domain::{Fault, KnownMultiplexer, ValveDescription};

/// An actuator that did not answer `CNT` so many times in a row is not asked any more.
const MOST_UNCOUNTED: u8 = 3;

impl Vici {
    pub(super) async fn description(&mut self) -> Result<ValveDescription, Fault> {
        let told = self.tell().await;
        told.map_err(|trouble| {
            self.contact = None;
            self.troubled("CNT", &trouble)
        })
    }

    async fn tell(&mut self) -> Result<ValveDescription, Trouble> {
        let model = self.contact().await?.1.model.clone();
        Ok(ValveDescription { identity: model.clone(), model, actuations: self.count().await, coils: None })
    }

    /// A legacy actuator counts nothing. One that does not answer to this is not lost: it answers otherwise.
    pub(super) async fn count(&mut self) -> Option<u64> {
        if self.uncounted >= MOST_UNCOUNTED {
            return None;
        }
        let (contact, _) = self.contact().await.ok()?;
        match contact.ask("CNT", dialect::actuations).await {
            Ok(count) => {
                self.uncounted = 0;
                return Some(count.into());
            }
            Err(Trouble::BadCommand(_)) => self.uncounted = MOST_UNCOUNTED,
            Err(trouble) => {
                tracing::debug!("the valve was asked CNT: {trouble}");
                self.uncounted += 1;
                // What comes late would answer the next question.
                self.contact = None;
            }
        }
        None
    }

    /// Another actuator behind the same name is not moved.
    pub(super) async fn check_identity(&mut self) -> Result<(), Trouble> {
        loop {
            self.contact().await?;
            let Some(expected) = self.expected.clone().filter(|_| !self.checked) else { return Ok(()) };
            let found = KnownMultiplexer::of(&self.tell().await?, self.clock.now().utc);
            if let Some(why) = found.and_then(|found| expected.differs(&found)) {
                return Err(Trouble::Unfit(format!("is another one than before, and is not moved: {why}")));
            }
            // An unanswered CNT cost the contact: behind the next one may be another actuator.
            self.checked = self.contact.is_some();
        }
    }
}
