//! What happens in the plant by itself, and when: in the order of time.

use std::collections::VecDeque;
use std::time::Duration;

use super::faults::Faults;
use super::habits::Opening;
use crate::domain::instrument::AkLine;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Happening {
    Reboot,
    Malfunction,
    Errors(Vec<String>),
    /// Another client's.
    Order(AkLine),
    CounterGoesBack(u32),
    /// The analyzer loses its power for so long.
    Blip(Opening),
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
        script.extend(faults.habits.counter.back.iter().map(|it| (it.after, Happening::CounterGoesBack(it.by))));
        script.extend(faults.habits.mains_blip.map(|blip| (blip.after, Happening::Blip(blip))));
        script.sort_by_key(|(after, _)| *after);
        Self(script.into_iter().map(|(after, happening)| (in_micros(after), happening)).collect())
    }

    /// The age of the plant at which something happens next.
    pub fn next(&self) -> Option<Duration> {
        self.0.front().map(|(after, _)| *after)
    }

    pub fn due(&mut self, age: Duration) -> Option<Happening> {
        let (after, happening) = self.next().filter(|after| *after <= age).and_then(|_| self.0.pop_front())?;
        if let Happening::Blip(Opening { every: Some(every), .. }) = &happening {
            let again = in_micros(after.saturating_add(*every));
            let place = self.0.partition_point(|(other, _)| *other <= again);
            self.0.insert(place, (again, happening.clone()));
        }
        Some(happening)
    }
}

/// Ticks are no finer: at the tick of what is next, its age must have come.
fn in_micros(duration: Duration) -> Duration {
    Duration::from_micros(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
}
