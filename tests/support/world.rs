//! A world in virtual time around the real engine: an analyzer that iterates, a valve that travels, and somebody who
//! looks at the analyzer now and then. It knows what was really drawn.

use std::collections::BTreeMap;
use std::time::Duration;

use gasera::domain::{
    AfterRestart, AnalyzerNews, AnalyzerPhase, AnalyzerState, Channel, Event, Fact, IfMeasuring, Moment, Plan,
    PlanDraft, Position, RunId, StartRequest, Sync, Tick, Utc, ValveNews, Verification,
};
use gasera::engine::{self, Beginning, Effect, RequestId, State, Untouched, What};

use super::schema;

mod devices;
mod told;

pub use super::manners::Manners;

pub const SECOND: Duration = Duration::from_secs(1);

pub fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A plan with the settle time of five seconds.
pub fn plan(channels: &str, repeats: u32, purge_s: u64, measure_s: u64, sync: Sync) -> Plan {
    let draft = PlanDraft {
        channels: channels.into(),
        repeats,
        purge: seconds(purge_s),
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
    /// How each process begins.
    beginning: Beginning,
    pub effects: Vec<(Tick, Effect)>,
    /// All that was handed to the engine.
    pub journal: Vec<engine::Event>,
    /// How far the host's wall clock was set.
    pub wall_clock_set_by: Duration,
    pub crashes: usize,
    /// The runs at whose end the analyzer measured.
    pub left_measuring: Vec<RunId>,
    /// So much goes wrong that results may come which nobody saw being drawn.
    pub disturbed: bool,
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
    /// What it is instead of measuring, what its counter shows then, and until when.
    instead: Option<(AnalyzerState, Option<u32>, Option<Tick>)>,
    /// Until then the analyzer is not reached by any look.
    pub deaf_until: Option<Tick>,
    random: u64,
}

impl World {
    pub fn new(manners: Manners) -> Self {
        Self::beginning(manners, Beginning::default())
    }

    pub fn beginning(manners: Manners, began: Beginning) -> Self {
        let after_restart = began.after_restart.or(Some(AfterRestart::Resume));
        Self::as_it_was(manners, Beginning { after_restart, ..began })
    }

    /// As the journal of an older version says it began.
    pub fn as_it_was(manners: Manners, began: Beginning) -> Self {
        let mut world = Self {
            state: State::default(),
            now: Tick::from_micros(1_000_000),
            next_poll: Tick::ZERO,
            manners,
            beginning: began.clone(),
            effects: Vec::new(),
            left_measuring: Vec::new(),
            journal: Vec::new(),
            wall_clock_set_by: Duration::ZERO,
            crashes: 0,
            disturbed: false,
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
            instead: None,
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
        let asked = StartRequest { if_measuring, ..StartRequest::new(plan, "somebody") };
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
        if self.valve.last().is_some_and(|(arrives, _)| *arrives > self.now) {
            // While it turns by itself, nobody can.
            return;
        }
        self.valve.push((self.now, channel));
        let position = Channel::new(channel).map(|channel| Position::At(channel, Verification::Readback));
        self.hand_over(What::Valve(ValveNews::At(position.expect("a channel"))));
    }

    /// The process ends as if the power had failed, and another one begins. The devices go on meanwhile.
    pub fn crash(&mut self, outage: Duration) {
        self.crash_and(outage, None, Untouched::default());
    }

    /// The next process is not to go on with the run, for this reason.
    pub fn crash_to_end(&mut self, outage: Duration, reason: &str) {
        self.crash_and(outage, Some(reason.to_owned()), Untouched::default());
    }

    /// The same, because these devices are no longer those of the run.
    pub fn crash_to_another(&mut self, outage: Duration, reason: &str, untouched: Untouched) {
        self.crash_and(outage, Some(reason.to_owned()), untouched);
    }

    fn crash_and(&mut self, outage: Duration, ends: Option<String>, untouched: Untouched) {
        self.crashes += 1;
        self.agenda.clear();
        self.state = State::default();
        for event in self.journal.clone() {
            self.state = engine::step(std::mem::take(&mut self.state), event).0;
        }
        self.now = self.now + outage;
        self.iterate();
        (self.told, self.told_stamp, self.last_look) = (None, self.result.map(|(stamp, _)| stamp), self.now);
        let (resumes_after, resumable) = (Some(outage), true);
        let began = Beginning { resumes_after, ends, resumable, untouched, ..self.beginning.clone() };
        self.hand_over(What::Began(Box::new(began)));
        self.later(SECOND, What::Analyzer(AnalyzerNews::Online { identity: Vec::new() }));
        self.find_the_valve_after(SECOND);
    }

    /// The process is told to end, and does when it may.
    pub fn shut_down(&mut self) {
        self.hand_over(What::Shutdown);
        let patience = self.now + seconds(20);
        while !self.state.is_at_rest() && self.now < patience {
            self.advance(patience);
        }
    }

    /// The owner of the valve finds it where it stands.
    pub fn find_the_valve_after(&mut self, away: Duration) {
        self.later(away, What::Valve(ValveNews::At(Position::Unknown)));
    }

    fn valve_stands(&self) -> Position {
        let at = self.valve.iter().rev().find(|(since, _)| *since <= self.now).and_then(|(_, at)| Channel::new(*at));
        at.map_or(Position::Unknown, |at| Position::At(at, Verification::Readback))
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

    /// Goes on, event by event, until the engine waits for this.
    pub fn until_waiting_for(&mut self, reason: &str) {
        let end = self.now + seconds(20_000);
        while self.state.deadline().is_none_or(|(_, waits)| waits != reason) {
            assert!(self.now < end, "it never waits for {reason}");
            self.advance(end);
        }
    }

    /// To the next thing that happens, or to `end`.
    fn advance(&mut self, end: Tick) {
        let deadline = self.state.deadline().map(|(tick, _)| (tick + self.manners.lateness).max(self.now));
        let answer = self.agenda.keys().next().map(|(tick, _)| *tick);
        let next = [deadline, answer, Some(self.next_poll), Some(end)].into_iter().flatten().min().unwrap_or(end);
        self.now = next.max(self.now);
        if self.now >= self.next_poll {
            self.next_poll = self.now + self.manners.poll;
            self.look();
        } else if answer == Some(next) {
            let Some((_, what)) = self.agenda.pop_first() else { return };
            // Where the valve is found is where it stands then.
            let found = matches!(what, What::Valve(ValveNews::At(_)));
            let what = if found { What::Valve(ValveNews::At(self.valve_stands())) } else { what };
            self.hand_over(what);
        } else if deadline == Some(next) {
            self.hand_over(What::DeadlineReached);
        }
    }

    pub fn moment(&self) -> Moment {
        let utc = Utc::from_micros(1_700_000_000_000_000) + self.now.since(Tick::ZERO) + self.wall_clock_set_by;
        Moment { tick: self.now, utc }
    }

    pub fn hand_over(&mut self, what: What) {
        let at = self.moment();
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
            Effect::Guard { id } => {
                let verdict = self.manners.guard.clone().map_or(Ok(()), Err);
                self.later(SECOND, What::GuardDid { id, verdict });
            }
            Effect::Tell(event) => check(&event),
            Effect::Keep(Fact::RunEnded { run, .. }) if self.is_measuring() => self.left_measuring.push(run),
            Effect::Keep(_) | Effect::Reply { .. } => {}
        }
    }
}

/// Insists that an event is as it is described to those who follow the stream.
fn check(event: &Event) {
    let found = schema::mistakes(event.name(), &event.payload(Utc::default()));
    assert!(found.is_empty(), "{event:?}: {found:#?}");
}
