//! A world in virtual time around the real engine: an analyzer that iterates, a valve that travels, and somebody who
//! looks at the analyzer now and then. It knows what was really drawn.

use std::collections::BTreeMap;
use std::time::Duration;

use gasera::domain::{
    AnalyzerAnswer, AnalyzerNews, AnalyzerOrder, AnalyzerPhase, AnalyzerState, AnalyzerTime, Cas, Channel, CommandId,
    Denied, DeviceErrors, Done, Event, Fact, Fault, FaultKind, IfMeasuring, Moment, Outcome, Plan, PlanDraft, Position,
    Reading, Record, ResultRead, RunId, Sample, Seen, StartRequest, Sync, Tick, Utc, ValveNews, ValveOrder,
    Verification,
};
use gasera::engine::{self, Beginning, Effect, RequestId, State, What};

pub use super::manners::Manners;

pub const SECOND: Duration = Duration::from_secs(1);

pub fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A plan with the settle time of five seconds.
pub fn plan(channels: &str, repeats: u32, pause_s: u64, measure_s: u64, sync: Sync) -> Plan {
    let draft = PlanDraft {
        channels: channels.into(),
        repeats,
        pause: seconds(pause_s),
        measure: seconds(measure_s),
        sync,
        ..PlanDraft::default()
    };
    Plan::new(draft).expect("the plan is valid")
}

/// One iteration as it really was.
#[derive(Debug, Clone, Copy)]
pub struct Iteration {
    pub number: u32,
    pub began: Tick,
    pub exchanged: Tick,
    pub integrated: Tick,
    pub ended: Tick,
}

pub struct World {
    pub state: State,
    pub now: Tick,
    pub manners: Manners,
    pub effects: Vec<(Tick, Effect)>,
    /// All that was handed to the engine.
    pub journal: Vec<engine::Event>,
    /// How far the host's wall clock was set.
    pub wall_clock_set_by: Duration,
    pub crashes: usize,
    agenda: BTreeMap<(Tick, u64), What>,
    scheduled: u64,
    measuring_since: Option<Tick>,
    cancelling_until: Option<Tick>,
    iterations: Vec<Iteration>,
    /// Those of earlier measurements, each under the beginning of its stamps.
    earlier: Vec<(i64, Vec<Iteration>)>,
    measurements: i64,
    /// Where the valve really was, from when on; 0 is between channels.
    pub valve: Vec<(Tick, u8)>,
    next_poll: Tick,
    last_look: Tick,
    told: Option<(AnalyzerState, AnalyzerPhase, Option<u32>)>,
    result: Option<(i64, u32)>,
    told_stamp: Option<i64>,
    /// Until then the analyzer is not reached by any look.
    pub deaf_until: Option<Tick>,
    random: u64,
}

impl World {
    pub fn new(manners: Manners) -> Self {
        Self::beginning(manners, Beginning::default())
    }

    pub fn beginning(manners: Manners, began: Beginning) -> Self {
        let mut world = Self {
            state: State::default(),
            now: Tick::from_micros(1_000_000),
            next_poll: Tick::ZERO,
            manners,
            effects: Vec::new(),
            journal: Vec::new(),
            wall_clock_set_by: Duration::ZERO,
            crashes: 0,
            agenda: BTreeMap::new(),
            scheduled: 0,
            measuring_since: None,
            cancelling_until: None,
            iterations: Vec::new(),
            earlier: Vec::new(),
            measurements: 0,
            valve: vec![(Tick::ZERO, 7)],
            last_look: Tick::ZERO,
            told: None,
            result: Some((17, 0)),
            told_stamp: Some(17),
            deaf_until: None,
            random: 1,
        };
        world.hand_over(What::Began(Box::new(began)));
        world.hand_over(What::Analyzer(AnalyzerNews::Online { identity: Vec::new() }));
        world
    }

    pub fn with_seed(mut self, seed: u64) -> Self {
        self.random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        self
    }

    pub fn random(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below.max(1)
    }

    pub fn start(&mut self, plan: Plan) -> RequestId {
        self.start_if(plan, IfMeasuring::Refuse)
    }

    pub fn start_if(&mut self, plan: Plan, if_measuring: IfMeasuring) -> RequestId {
        let request = RequestId(1000 + self.scheduled);
        self.scheduled += 1;
        let asked = StartRequest { plan, ignore_errors: false, if_measuring, who: "somebody".into() };
        let run = RunId(format!("RUN{}", request.0));
        self.hand_over(What::Start { request, run, asked: Box::new(asked) });
        request
    }

    pub fn abort(&mut self) -> RequestId {
        let request = RequestId(5000 + self.scheduled);
        self.scheduled += 1;
        self.hand_over(What::Abort { request, who: "somebody".into() });
        request
    }

    pub fn ask(&mut self, what: impl FnOnce(RequestId) -> What) -> RequestId {
        let request = RequestId(7000 + self.scheduled);
        self.scheduled += 1;
        self.hand_over(what(request));
        request
    }

    /// Somebody else makes the analyzer measure.
    pub fn measure_for_somebody_else(&mut self) {
        self.begin_measuring();
    }

    /// Somebody turns the valve by hand, and its owner notices.
    pub fn turn_by_hand(&mut self, channel: u8) {
        self.valve.push((self.now, channel));
        let position = Channel::new(channel).map(|channel| Position::At(channel, Verification::Readback));
        self.hand_over(What::Valve(ValveNews::At(position.expect("a channel"))));
    }

    /// The process ends as if the power had failed, and another one begins. The devices go on meanwhile.
    pub fn crash(&mut self, outage: Duration) {
        self.crashes += 1;
        self.agenda.clear();
        self.state = State::default();
        for event in self.journal.clone() {
            self.state = engine::step(std::mem::take(&mut self.state), event).0;
        }
        self.now = self.now + outage;
        self.iterate();
        (self.told, self.told_stamp, self.last_look) = (None, self.result.map(|(stamp, _)| stamp), self.now);
        let (resumes_after, resumable) = (self.state.is_busy().then_some(outage), true);
        let began = Beginning { resumes_after, resumable, ..Beginning::default() };
        self.hand_over(What::Began(Box::new(began)));
        self.later(SECOND, What::Analyzer(AnalyzerNews::Online { identity: Vec::new() }));
    }

    /// The process is told to end, and does when it may.
    pub fn shut_down(&mut self) {
        self.hand_over(What::Shutdown);
        let patience = self.now + seconds(20);
        while !self.state.is_at_rest() && self.now < patience {
            self.advance(patience);
        }
    }

    pub fn valve_says(&mut self, news: ValveNews) {
        self.hand_over(What::Valve(news));
    }

    pub fn say(&mut self, news: AnalyzerNews) {
        self.hand_over(What::Analyzer(news));
    }

    /// Goes on until nothing is under way, but no longer than `limit`.
    pub fn settle(&mut self, limit: Duration) {
        let end = self.now + limit;
        while self.state.is_busy() && self.now < end {
            self.advance(end);
        }
        assert!(!self.state.is_busy(), "still busy at {:?}: {:?}", self.now, self.state.deadline());
    }

    pub fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.advance(end);
        }
    }

    /// To the next thing that happens, or to `end`.
    fn advance(&mut self, end: Tick) {
        let deadline = self.state.deadline().map(|(tick, _)| tick.max(self.now));
        let answer = self.agenda.keys().next().map(|(tick, _)| *tick);
        let next = [deadline, answer, Some(self.next_poll), Some(end)].into_iter().flatten().min().unwrap_or(end);
        self.now = next.max(self.now);
        if self.now >= self.next_poll {
            self.next_poll = self.now + self.manners.poll;
            self.look();
        } else if answer == Some(next) {
            let Some((_, what)) = self.agenda.pop_first() else { return };
            self.hand_over(what);
        } else if deadline == Some(next) {
            self.hand_over(What::DeadlineReached);
        }
    }

    pub fn hand_over(&mut self, what: What) {
        let utc = Utc::from_micros(1_700_000_000_000_000) + self.now.since(Tick::ZERO) + self.wall_clock_set_by;
        let at = Moment { tick: self.now, utc };
        let line = serde_json::to_string(&engine::Event { at, what }).expect("an event can be written");
        let event: engine::Event = serde_json::from_str(&line).expect("what was written reads back");
        self.journal.push(event.clone());
        let (state, effects) = engine::step(std::mem::take(&mut self.state), event);
        self.state = state;
        for effect in effects {
            self.effects.push((self.now, effect.clone()));
            self.perform(effect);
        }
    }

    fn later(&mut self, delay: Duration, what: What) {
        self.scheduled += 1;
        self.agenda.insert((self.now + delay, self.scheduled), what);
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Analyzer { id, order } => self.obey(id, &order),
            Effect::Valve { id, order } => self.turn_valve(id, order),
            Effect::Keep(_) | Effect::Tell(_) | Effect::Reply { .. } => {}
        }
    }

    fn obey(&mut self, id: CommandId, order: &AnalyzerOrder) {
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
                let busy = self.measuring_since.take().is_some();
                let delay = if busy { self.manners.cancelling } else { Duration::ZERO };
                self.cancelling_until = Some(self.now + delay);
                self.later(delay, What::AnalyzerDid { id, answer: Ok(AnalyzerAnswer::Stopped) });
                return;
            }
        };
        self.later(Duration::ZERO, What::AnalyzerDid { id, answer });
        if matches!(order, AnalyzerOrder::Start { .. } | AnalyzerOrder::Look) {
            self.look();
        }
    }

    fn begin_measuring(&mut self) {
        self.measuring_since = Some(self.now);
        let done = std::mem::take(&mut self.iterations);
        self.earlier.push((self.measurements, done));
        self.measurements += 1;
    }

    /// The iteration that gave a record.
    pub fn iteration_of(&self, record: &Record) -> Iteration {
        let measurement = record.sample.stamp.0 / 1_000_000;
        let earlier = self.earlier.iter().find(|(number, _)| *number == measurement).map(|(_, iterations)| iterations);
        let number: usize = record.sample.raw.parse().expect("a number");
        if measurement == self.measurements { self.iterations[number] } else { earlier.expect("a measurement")[number] }
    }

    fn prepared(&self, adopted: bool) -> AnalyzerAnswer {
        AnalyzerAnswer::Prepared {
            task_id: 11,
            gases: vec![Cas("124-38-9".into())],
            baseline: self.result.map(|(stamp, _)| AnalyzerTime(stamp)),
            errors: DeviceErrors::default(),
            adopted,
        }
    }

    fn turn_valve(&mut self, id: CommandId, order: ValveOrder) {
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
        let at = self.valve.last().and_then(|(_, at)| Channel::new(*at)).unwrap_or(Channel::HOME);
        let back = ValveNews::At(Position::At(at, Verification::Readback));
        self.later(until.since(self.now) + SECOND * 2, What::Valve(back));
    }

    /// Makes the iterations up to now, and tells what is new.
    fn look(&mut self) {
        self.iterate();
        match self.deaf_until {
            Some(until) if self.now < until => return,
            Some(_) => {
                self.deaf_until = None;
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

    fn iterate(&mut self) {
        let (Some(since), Some(cycle)) = (self.measuring_since, self.manners.cycle) else { return };
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
        if let Some(done) = self.iterations.iter().rev().find(|iteration| iteration.ended <= self.now) {
            self.result = Some((1_000_000 * self.measurements + i64::from(done.number), done.number));
        }
    }

    fn analyzer(&self) -> (AnalyzerState, AnalyzerPhase, Option<u32>) {
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

    pub fn replies(&self, wanted: RequestId) -> Vec<(Tick, Result<Done, Denied>)> {
        let replied = |(at, effect): &(Tick, Effect)| match effect {
            Effect::Reply { request, answer } if *request == wanted => Some((*at, answer.clone())),
            _ => None,
        };
        self.effects.iter().filter_map(replied).collect()
    }
}
