//! How the devices of a world behave.

use std::time::Duration;

use gasera::domain::{Fault, Tick};

use super::world::SECOND;

/// How the devices behave.
#[derive(Debug, Clone)]
pub struct Manners {
    /// `None`: the analyzer measures without ever drawing gas.
    pub cycle: Option<Duration>,
    /// Each iteration's length differs by up to this many permille.
    pub jitter: u64,
    pub poll: Duration,
    /// How long an ordered look is on its way back.
    pub looking: Duration,
    pub travel: Duration,
    /// How much too late the engine is woken when a deadline is reached.
    pub lateness: Duration,
    pub cancelling: Duration,
    pub has_counter: bool,
    /// How long after its iteration a result shows.
    pub result_lag: Duration,
    pub prepare: Option<Fault>,
    pub start: Option<Fault>,
    /// The valve does not answer from this tick on.
    pub valve_silent_from: Option<Tick>,
    pub valve_refuses_from: Option<Tick>,
    /// The valve cannot be reached meanwhile.
    pub valve_away: Option<(Tick, Tick)>,
    /// While the analyzer is not reached by looks, it is not reached by orders either.
    pub deaf_to_orders: bool,
    /// The analyzer does not tell its phase.
    pub hides_phase: bool,
    /// Why the guard speaks against the next visit.
    pub guard: Option<String>,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            cycle: None,
            jitter: 0,
            poll: SECOND,
            looking: Duration::ZERO,
            travel: Duration::ZERO,
            lateness: Duration::ZERO,
            cancelling: Duration::ZERO,
            has_counter: true,
            result_lag: Duration::ZERO,
            prepare: None,
            start: None,
            valve_silent_from: None,
            valve_refuses_from: None,
            valve_away: None,
            deaf_to_orders: false,
            hides_phase: false,
            guard: None,
        }
    }
}
