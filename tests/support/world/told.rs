//! What a world tells afterwards: what really was, and what came out of the engine.

use gasera::domain::{Denied, Done, Event, Fact, Outcome, Record, Tick};
use gasera::engine::{Effect, RequestId};

use super::{Iteration, World};

impl World {
    /// The iteration that gave a record.
    pub fn iteration_of(&self, record: &Record) -> Iteration {
        let measurement = record.sample.stamp.0 / 1_000_000;
        let earlier = self.earlier.iter().find(|(number, _)| *number == measurement).map(|(_, iterations)| iterations);
        let number: usize = record.sample.raw.parse().expect("a number");
        if measurement == self.measurements { self.iterations[number] } else { earlier.expect("a measurement")[number] }
    }

    pub fn is_measuring(&self) -> bool {
        self.measuring_since.is_some()
    }

    /// The iterations of the measurement, those that are not over left out.
    pub fn iterations(&self) -> Vec<Iteration> {
        self.iterations.iter().copied().filter(|iteration| iteration.ended <= self.now).collect()
    }

    /// The channel at which the valve really stood all the time, if it did.
    pub fn really_at(&self, from: Tick, to: Tick) -> Option<u8> {
        let first = self.valve.iter().rposition(|(since, _)| *since <= from)?;
        let channel = self.valve[first].1;
        // A move at the very end of the span comes after it.
        let steady = self.valve[first..]
            .iter()
            .take_while(|(since, _)| *since < to || *since <= from)
            .all(|(_, at)| *at == channel);
        (steady && channel != 0).then_some(channel)
    }

    pub fn records(&self) -> Vec<Record> {
        let kept = |effect: &Effect| match effect {
            Effect::Keep(Fact::Recorded(record)) => Some(record.clone()),
            _ => None,
        };
        self.effects.iter().filter_map(|(_, effect)| kept(effect)).collect()
    }

    pub fn phases(&self) -> Vec<(Tick, gasera::domain::event::PhaseChange)> {
        let told = |(at, effect): &(Tick, Effect)| match effect {
            Effect::Tell(Event::Phase(change)) => Some((*at, change.clone())),
            _ => None,
        };
        self.effects.iter().filter_map(told).collect()
    }

    pub fn endings(&self) -> Vec<(Outcome, String)> {
        let ended = |effect: &Effect| match effect {
            Effect::Keep(Fact::RunEnded { outcome, reason, .. }) => Some((*outcome, reason.clone())),
            _ => None,
        };
        self.effects.iter().filter_map(|(_, effect)| ended(effect)).collect()
    }

    pub fn runs_begun(&self) -> usize {
        self.effects.iter().filter(|(_, effect)| matches!(effect, Effect::Keep(Fact::RunStarted(_)))).count()
    }

    pub fn replies(&self, wanted: RequestId) -> Vec<(Tick, Result<Done, Denied>)> {
        let replied = |(at, effect): &(Tick, Effect)| match effect {
            Effect::Reply { request, answer } if *request == wanted => Some((*at, answer.clone())),
            _ => None,
        };
        self.effects.iter().filter_map(replied).collect()
    }
}
