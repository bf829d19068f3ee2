//! What happens next: `step(state, event) -> (state, effects)`.
//!
//! ```text
//!          start                home          settled      STAM
//!  idle ---------> Preparing ---------> Homing -> Settling -> Starting --> Purging --> Measuring
//!   ^                  |                  ^           ^                                  |   |
//!   |                  | fault            | next      | next stop                        |   | last visit
//!   |                  v                  | repeat    +------------- Moving <------------+   v
//!   +- Parking <-- Stopping <- abort, fault, silence (from anywhere)                  Draining
//!         ^                                                                               |
//!         +---------------------------------- Closing <-----------------------------------+
//! ```
//!
//! With fixed timings the analyzer starts while the valve settles at home, and every line is passed on the way.
//!
//! No I/O, no clock, no randomness. Time comes in with each event. Deadlines are state ([`State::deadline`]), so no
//! timer can be stale. Every order has a number and an answer with an old number changes nothing. Every request is
//! answered exactly once. The valve is only ever sent to absolute positions, and only confirmed ones credit a channel.
//!
//! | file | holds |
//! |---|---|
//! | `event`, `effect` | all that comes in, all that goes out |
//! | `beginning` | what it is given when it begins |
//! | `state`, `stage` | all that is remembered; what a run waits for |
//! | `admit` | which request is granted when |
//! | `run` | the way of a run from stage to stage |
//! | `visit` | one visit: arrival, purge, measuring, when the valve may move on |
//! | `schedule` | when the stages of fixed timings are meant to be over |
//! | `queue` | runs that begin later |
//! | `control` | pause, resume, skip, finish, note |
//! | `guard` | a condition outside between two visits |
//! | `pause` | what gets in a run's way |
//! | `restart` | how a run goes on that was interrupted |
//! | `absence`, `again` | what it means that the analyzer does not measure; how it is started anew |
//! | `ending` | how it ends |
//! | `identity` | whether the devices are those that were known |
//! | `devices` | what the analyzer tells |
//! | `valve` | what the valve tells |
//! | `time` | when a clock was set |
//! | `service` | the valve and the analyzer outside of runs |
//! | `values` | what cannot be read of a result, and what it lacks |
//! | `results`, `losses` | from a result to a record; samples without a channel |
//! | `estimate` | how long the run under way takes as a whole |
//! | `progress` | how far it is, for people |

mod absence;
mod admit;
mod again;
mod beginning;
mod control;
mod detour;
mod devices;
mod effect;
mod ending;
mod estimate;
mod event;
mod guard;
mod identity;
mod losses;
mod pause;
mod progress;
mod queue;
mod restart;
mod results;
mod run;
mod schedule;
mod service;
mod stage;
mod state;
mod time;
mod values;
mod valve;
mod visit;

pub use beginning::{Beginning, Limits};
pub use effect::Effect;
pub use event::{Event, RequestId, What};
pub use guard::Guard;
pub use identity::Untouched;
pub use state::State;

pub use crate::attribution::Lags;

use crate::domain::{self, AnalyzerOrder, CommandId, Fact, Moment, Position, ValveOrder};

/// Takes in one event. The new state, and what is to be done, in this order.
pub fn step(state: State, event: Event) -> (State, Vec<Effect>) {
    let mut turn = Turn { state, at: event.at, effects: Vec::new() };
    // The wall clock went on while there was no process, and ticks did not.
    if !matches!(event.what, What::Began(_)) {
        turn.mind_the_clock();
    }
    match event.what {
        What::Began(began) => turn.begin(*began),
        What::Start { request, run, asked } => turn.start(request, run, *asked),
        What::Abort { request, who } => turn.abort(request, &who),
        What::AbortRun { request, who, run } => turn.abort_run(request, &who, &run),
        What::Control { request, who, control } => turn.control(request, who, control),
        What::MoveValve { request, order, .. } => turn.move_valve(request, order),
        What::Serve { request, service, .. } => turn.serve(request, service),
        What::GuardDid { id, verdict } => turn.guard_did(id, verdict),
        What::Disk { free_bytes, low } => turn.disk(free_bytes, low),
        What::ClockSync { synchronized } => turn.clock_sync(synchronized),
        What::Accept { request, device, .. } => turn.accept(request, device),
        What::Shutdown => turn.shut_down(),
        What::Analyzer(news) => turn.hear_analyzer(news),
        What::AnalyzerDid { id, answer } => turn.analyzer_did(id, answer),
        What::Valve(news) => turn.hear_valve(news),
        What::ValveDid { id, answer } => turn.valve_did(id, answer),
        What::DeadlineReached => turn.deadline_reached(),
    }
    turn.begin_the_next();
    (turn.state, turn.effects)
}

/// Steps through a journal again. The first event must be [`What::Began`]; each gives the effects it had then, if the
/// rules have not changed since.
pub fn replay(events: impl IntoIterator<Item = Event>) -> impl Iterator<Item = (Moment, Vec<Effect>)> {
    let mut state = State::default();
    events.into_iter().map(move |event| {
        let at = event.at;
        let (next, effects) = step(std::mem::take(&mut state), event);
        state = next;
        (at, effects)
    })
}

/// One step under way.
struct Turn {
    state: State,
    at: Moment,
    effects: Vec<Effect>,
}

impl Turn {
    fn tell(&mut self, event: domain::Event) {
        self.effects.push(Effect::Tell(event));
    }

    fn keep(&mut self, fact: Fact) {
        self.effects.push(Effect::Keep(fact));
    }

    fn order_analyzer(&mut self, order: AnalyzerOrder) -> CommandId {
        let id = self.state.next_command();
        if self.is_held(id, &order) {
            return id;
        }
        self.effects.push(Effect::Analyzer { id, order });
        id
    }

    fn order_valve(&mut self, order: ValveOrder) -> CommandId {
        let id = self.state.next_command();
        self.effects.push(Effect::Valve { id, order });
        self.state.valve.ordered = Some(id);
        if order != ValveOrder::Where {
            self.valve_is(Position::Moving);
        }
        id
    }

    /// From now on the valve is known to be here.
    fn valve_is(&mut self, position: Position) {
        self.state.timeline.position(self.at.tick, position);
        if self.state.valve.position != position {
            self.state.valve.position = position;
            self.tell(domain::Event::MuxPosition { position, channel: position.channel() });
        }
    }
}
