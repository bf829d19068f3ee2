//! What happens in the plant by itself, and when: in the order of time.

use std::collections::VecDeque;
use std::time::Duration;

use super::faults::Faults;
use crate::domain::instrument::AkLine;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Happening {
    Reboot,
    Malfunction,
    Errors(Vec<String>),
    /// Another client's.
    Order(AkLine),
}

#[derive(Debug)]
pub(super) struct Script(VecDeque<(Duration, Happening)>);

impl Script {
    pub fn new(faults: &Faults) -> Self {
        let mut script = Vec::new();
        script.extend(faults.malfunction_after.map(|after| (after, Happening::Malfunction)));
        script.extend(faults.errors_after.iter().map(|it| (it.after, Happening::Errors(it.codes.clone()))));
        script.extend(faults.other_client.iter().map(|it| (it.after, Happening::Order(it.what.clone()))));
        script.extend(faults.reboot_after.map(|after| (after, Happening::Reboot)));
        script.sort_by_key(|(after, _)| *after);
        Self(script.into_iter().map(|(after, happening)| (in_micros(after), happening)).collect())
    }

    /// The age of the plant at which something happens next.
    pub fn next(&self) -> Option<Duration> {
        self.0.front().map(|(after, _)| *after)
    }

    pub fn due(&mut self, age: Duration) -> Option<Happening> {
        self.next().filter(|after| *after <= age).and_then(|_| self.0.pop_front()).map(|(_, happening)| happening)
    }
}

/// Ticks are no finer: at the tick of what is next, its age must have come.
fn in_micros(duration: Duration) -> Duration {
    Duration::from_micros(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
}
