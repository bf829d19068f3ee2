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
//! The state is the *station* (the devices and all else that outlives a run) and an *activity*: idle, or running a run.
//! [`step`] asks once which it is. Files depend on each other one way, from the bottom of this table to its top; those of
//! `running` do so in the order of its own table.
//!
//! | file | holds |
//! |---|---|
//! | `event`, `effect`, `beginning` | all that comes in, all that goes out, what is given when a process begins |
//! | `state` | all that is remembered: `station`; `run` in parts, `stage`, `course` and `visits` of its plan; `absence`, `clock`, `identity`, `lacks`, `lateness` |
//! | `admit` | which request is granted when |
//! | `estimate` | how long the run under way takes |
//! | `turn` | one step under way: telling, keeping, ordering, answering |
//! | `queue`, `deadline`, `progress` | which runs wait, when to be woken, how far the run is |
//! | `identity`, `devices`, `clocks`, `unreadable`, `by_hand`, `prepare` | what is the same whether or not a run is under way |
//! | `idle` | everything that comes in while no run is under way |
//! | `running` | everything that comes in while one is |

mod admit;
mod beginning;
mod by_hand;
mod clocks;
mod deadline;
mod devices;
mod effect;
mod estimate;
mod event;
mod identity;
mod idle;
mod prepare;
mod progress;
mod queue;
mod running;
mod state;
mod turn;
mod unreadable;

pub use beginning::{Beginning, Guard, Limits, Untouched};
pub use effect::Effect;
pub use event::{Event, RequestId, What};
pub use state::State;

pub use crate::attribution::Lags;

use crate::domain::Moment;
use state::Activity;
use turn::Turn;

/// Takes in one event. The new state, and what is to be done, in this order.
pub fn step(state: State, event: Event) -> (State, Vec<Effect>) {
    let State { station, activity } = state;
    let mut turn = Turn { station, at: event.at, under_way: activity.run_id(), effects: Vec::new() };
    let activity = match activity {
        Activity::Idle => idle::step(&mut turn, event.what),
        Activity::Running(run) => running::step(&mut turn, run, event.what),
    };
    let activity = begin_the_next(&mut turn, activity);
    (State { station: turn.station, activity }, turn.effects)
}

/// Whatever has happened, a run that waits may begin now, or have missed its time.
fn begin_the_next(turn: &mut Turn, activity: Activity) -> Activity {
    match activity {
        Activity::Idle => match turn.take_the_next() {
            None => Activity::Idle,
            Some(waiting) => Activity::Running(Box::new(turn.prepare_waiting(waiting))),
        },
        Activity::Running(run) => {
            turn.skip_the_missed();
            Activity::Running(run)
        }
    }
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
