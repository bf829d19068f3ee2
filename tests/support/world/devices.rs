//! What the devices of a world do.

use std::time::Duration;

use gasera::domain::{
    AnalyzerAnswer, AnalyzerNews, AnalyzerOrder, AnalyzerPhase, AnalyzerState, AnalyzerTime, Cas, Channel, CommandId,
    DeviceErrors, Fault, FaultKind, IfMeasuring, Position, Reading, ResultRead, Sample, Seen, Tick, ValveOrder,
    Verification,
};
use gasera::engine::What;

use super::{Iteration, SECOND, World, seconds};

impl World {
    pub(super) fn obey(&mut self, id: CommandId, order: &AnalyzerOrder) {
        if self.manners.deaf_to_orders && self.deaf_until.is_some_and(|until| self.now < until) {
            let fault = Fault::new(FaultKind::Offline, "no answer");
            return self.later(seconds(120), What::AnalyzerDid { id, answer: Err(fault) });
        }
        let answer = match order {
            AnalyzerOrder::Prepare { if_measuring: IfMeasuring::Stop, .. } if self.measuring_since.is_some() => {
                self.measuring_since = None;
                self.later(self.manners.cancelling, What::AnalyzerDid { id, answer: Ok(self.prepared(false)) });
                return;
            }
            AnalyzerOrder::Prepare { if_measuring: IfMeasuring::Refuse, .. } if self.measuring_since.is_some() => {
                Err(Fault::new(FaultKind::Busy, "it is measuring already"))
            }
            AnalyzerOrder::Prepare { if_measuring, .. } => {
                let adopted = *if_measuring == IfMeasuring::Adopt && self.measuring_since.is_some();
                self.manners.prepare.clone().map_or_else(|| Ok(self.prepared(adopted)), Err)
            }
            AnalyzerOrder::Start { .. } => {
                if let Some(fault) = self.manners.start.clone() {
                    Err(fault)
                } else {
                    self.begin_measuring();
                    // A look of the analyzer's owner may still find the old result after the start.
                    self.told_stamp = None;
                    Ok(AnalyzerAnswer::Started)
                }
            }
            AnalyzerOrder::Look => Ok(AnalyzerAnswer::Looked),
            AnalyzerOrder::Serve(_) => Ok(AnalyzerAnswer::Served(String::new())),
            AnalyzerOrder::Stop => {
                let busy = self.measuring_since.is_some();
                self.stop_measuring();
                let delay = if busy { self.manners.cancelling } else { Duration::ZERO };
                self.cancelling_until = Some(self.now + delay);
                self.later(delay, What::AnalyzerDid { id, answer: Ok(AnalyzerAnswer::Stopped) });
                return;
            }
        };
        let delay = if *order == AnalyzerOrder::Look { self.manners.looking } else { Duration::ZERO };
        self.later(delay, What::AnalyzerDid { id, answer });
        if matches!(order, AnalyzerOrder::Start { .. } | AnalyzerOrder::Look) {
            self.look();
        }
    }

    pub(super) fn begin_measuring(&mut self) {
        self.measuring_since = Some(self.now);
        self.instead = None;
        let done = std::mem::take(&mut self.iterations);
        self.earlier.push((self.measurements, done));
        self.measurements += 1;
    }

    /// It does not measure any more, and is so.
    pub fn rest_as(&mut self, state: AnalyzerState, iteration: Option<u32>) {
        self.stop_measuring();
        self.instead = Some((state, iteration, None));
        self.look();
    }

    pub fn stop_measuring(&mut self) {
        self.iterate();
        self.measuring_since = None;
        self.iterations.retain(|iteration| iteration.ended <= self.now);
    }

    /// It measures on after it was something else for a while.
    pub fn excursion(&mut self, state: AnalyzerState, time: Duration) {
        let number = self.iterations.last().map(|iteration| iteration.number);
        self.instead = Some((state, number, Some(self.now + time)));
        self.look();
    }

    fn prepared(&self, adopted: bool) -> AnalyzerAnswer {
        AnalyzerAnswer::Prepared {
            task_id: 11,
            gases: vec![Cas("124-38-9".into())],
            baseline: self.result.map(|(stamp, _)| AnalyzerTime(stamp)),
            held: None,
            errors: DeviceErrors::default(),
            adopted,
        }
    }

    pub(super) fn turn_valve(&mut self, id: CommandId, order: ValveOrder) {
        let target = match order {
            ValveOrder::Home => Some(Channel::HOME),
            ValveOrder::Goto(channel) => Some(channel),
            ValveOrder::Where => self.valve.last().and_then(|(_, at)| Channel::new(*at)),
        };
        let target = target.expect("the valve stands somewhere");
        if let Some((_, until)) = self.manners.valve_away.filter(|(from, until)| (*from..*until).contains(&self.now)) {
            return self.lose_valve_order(id, until);
        }
        if self.manners.valve_silent_from.is_some_and(|from| self.now >= from) {
            return;
        }
        if self.manners.valve_refuses_from.is_some_and(|from| self.now >= from) {
            let fault = Fault::new(FaultKind::Refused, "the valve stays at 7");
            self.later(seconds(2), What::ValveDid { id, answer: Err(fault) });
            return;
        }
        let travel = self.manners.travel;
        if !travel.is_zero() {
            self.valve.push((self.now, 0));
        }
        self.valve.push((self.now + travel, target.number()));
        let answer = Ok(Position::At(target, Verification::Readback));
        self.later(travel, What::ValveDid { id, answer });
    }

    fn lose_valve_order(&mut self, id: CommandId, until: Tick) {
        let fault = Fault::new(FaultKind::Offline, "the port is gone");
        self.later(SECOND, What::ValveDid { id, answer: Err(fault) });
        self.find_the_valve_after(until.since(self.now) + SECOND * 2);
    }

    /// Makes the iterations up to now, and tells what is new.
    pub(super) fn look(&mut self) {
        self.iterate();
        match self.deaf_until {
            Some(until) if self.now < until => return,
            Some(_) => {
                // What happened meanwhile is not known: the next look is told in any case.
                (self.deaf_until, self.told) = (None, None);
                self.hand_over(What::Analyzer(AnalyzerNews::Online { identity: Vec::new() }));
            }
            None => {}
        }
        let asked = self.last_look;
        self.last_look = self.now;
        let seen = self.analyzer();
        let new_result = self.result.filter(|(stamp, _)| Some(*stamp) != self.told_stamp);
        if self.told != Some(seen) {
            self.told = Some(seen);
            let (state, phase, iteration) = seen;
            let before = self.now;
            self.hand_over(What::Analyzer(AnalyzerNews::Seen(Seen {
                state,
                phase,
                iteration,
                after: asked,
                asked: before,
                before,
            })));
        }
        if let Some((stamp, number)) = new_result {
            self.told_stamp = Some(stamp);
            let (_, phase, iteration) = seen;
            let reading = Reading::new(Cas("124-38-9".into()), Some(f64::from(number) + 0.5));
            let sample = Sample { stamp: AnalyzerTime(stamp), readings: vec![reading], raw: number.to_string() };
            let read = ResultRead { sample, after: asked, asked: self.now, read: self.now, phase, iteration };
            self.hand_over(What::Analyzer(AnalyzerNews::Result(read)));
        }
    }

    pub(super) fn iterate(&mut self) {
        if let (Some(since), Some(cycle)) = (self.measuring_since, self.manners.cycle) {
            self.measure(since, cycle);
        }
        let lag = self.manners.result_lag;
        if let Some(done) = self.iterations.iter().rev().find(|iteration| iteration.ended + lag <= self.now) {
            self.result = Some((1_000_000 * self.measurements + i64::from(done.number), done.number));
        }
    }

    fn measure(&mut self, since: Tick, cycle: Duration) {
        loop {
            let began = self.iterations.last().map_or(since + SECOND, |last| last.ended);
            if began > self.now {
                break;
            }
            let spread = self.manners.jitter;
            let permille = 1000 - spread + self.random(2 * spread + 1);
            let length = cycle * u32::try_from(permille).unwrap_or(1000) / 1000;
            let number = u32::try_from(self.iterations.len()).unwrap_or(u32::MAX);
            self.iterations.push(Iteration {
                number,
                began,
                exchanged: began + length * 12 / 58,
                integrated: began + length * 48 / 58,
                ended: began + length,
            });
        }
    }

    fn analyzer(&self) -> (AnalyzerState, AnalyzerPhase, Option<u32>) {
        let instead = self.instead.filter(|(.., until)| until.is_none_or(|until| self.now < until));
        if let Some((state, iteration, _)) = instead {
            return (state, AnalyzerPhase::None, iteration);
        }
        if self.measuring_since.is_none() {
            let cancelling = self.cancelling_until.is_some_and(|until| self.now < until);
            let state = if cancelling { AnalyzerState::Cancelling } else { AnalyzerState::Idle };
            return (state, AnalyzerPhase::None, self.manners.has_counter.then_some(0));
        }
        let hidden = AnalyzerPhase::None;
        let (phase, number) = match self.iterations.last() {
            Some(iteration) if self.manners.hides_phase => (hidden, iteration.number),
            None => (AnalyzerPhase::None, 0),
            Some(iteration) if self.now < iteration.exchanged => (AnalyzerPhase::GasExchange, iteration.number),
            Some(iteration) if self.now < iteration.integrated => (AnalyzerPhase::Integration, iteration.number),
            Some(iteration) => (AnalyzerPhase::Analysis, iteration.number),
        };
        (AnalyzerState::Measuring, phase, self.manners.has_counter.then_some(number))
    }
}
