//! What a schedule is to do now.
//!
//! A schedule remembers up to which time of the wall clock it has been decided on. So a clock that is set back fires
//! nothing twice, and one that is set forward, or a daemon that was away, makes up for one time at most. Only a clock
//! that goes back by more than a day is believed to have been wrong before: then it is reckoned anew.

use std::time::Duration;

use super::Times;
use crate::domain::{Misfire, Schedule, Utc};

/// By how much a clock can go back before what was decided by it is forgotten.
const BACK: Duration = Duration::from_secs(24 * 60 * 60);
/// Times that passed are counted up to here.
const MOST_COUNTED: u32 = 1000;
/// How far back the latest time is looked for first; then further.
const WINDOWS: [Duration; 4] = [
    Duration::from_secs(2 * 60),
    Duration::from_secs(2 * 60 * 60),
    Duration::from_secs(2 * 24 * 60 * 60),
    Duration::from_secs(63 * 24 * 60 * 60),
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The latest time that has come.
    pub due: Utc,
    /// How many before it have passed and come to nothing; at most 1000 are counted.
    pub passed: u32,
    pub late: Duration,
    pub verdict: Ruling,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// Start the run, if late then knowingly.
    Fire,
    /// It is too late for that.
    Missed,
}

/// What is to be done at `now`, if anything. What is not later than `on_time` is on time.
pub fn decide(schedule: &Schedule, times: &Times, now: Utc, on_time: Duration) -> Option<Decision> {
    if !schedule.enabled {
        return None;
    }
    let first = times.after(schedule.decided).filter(|first| *first <= now)?;
    let due = latest(times, first, now);
    let late = between(due, now);
    let makes_up = schedule.misfire == Misfire::Run && late <= schedule.grace;
    let verdict = if late <= on_time || makes_up { Ruling::Fire } else { Ruling::Missed };
    Some(Decision { due, passed: count(times, first, due), late, verdict })
}

/// From when on a schedule is minded that was not until `now`, or whose clock went back far.
pub fn reckon_from(decided: Utc, now: Utc) -> Utc {
    if decided < now || decided > now + BACK { now } else { decided }
}

/// The last time up to `now`; `first` is one.
fn latest(times: &Times, first: Utc, now: Utc) -> Utc {
    let near = WINDOWS.iter().map(|window| now - *window).take_while(|from| *from > first);
    let mut latest = near.filter_map(|from| times.after(from)).find(|found| *found <= now).unwrap_or(first);
    while let Some(next) = times.after(latest).filter(|next| *next <= now) {
        latest = next;
    }
    latest
}

/// How many times there are from `first` until before `due`.
fn count(times: &Times, first: Utc, due: Utc) -> u32 {
    let mut at = first;
    for passed in 0..MOST_COUNTED {
        if at >= due {
            return passed;
        }
        let Some(next) = times.after(at) else { return passed };
        at = next;
    }
    MOST_COUNTED
}

fn between(earlier: Utc, later: Utc) -> Duration {
    Duration::from_micros(u64::try_from(later.as_micros() - earlier.as_micros()).unwrap_or(0))
}
