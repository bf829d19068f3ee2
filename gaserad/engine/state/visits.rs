//! Visits as a run remembers them.

use crate::domain::{Channel, Tick, VisitId};

/// The visit under way.
#[derive(Debug, Clone)]
pub struct CurrentVisit {
    pub id: VisitId,
    pub channel: Channel,
    pub arrived: Tick,
    /// Gas exchanges that began after the purge, with the valve verified all the time, and are over.
    pub clean_exchanges: u32,
}

/// Where a visit stands in the plan.
#[derive(Debug, Clone, Copy)]
pub struct VisitPlace {
    pub channel: Channel,
    /// 1-based.
    pub repeat: u32,
    /// Index of its stop.
    pub stop: usize,
    pub arrived: Tick,
    /// Somebody did not want to wait for it.
    pub skipped: bool,
}

/// Where a run was when it went back to a visit whose only good result was lost in a crash.
#[derive(Debug, Clone)]
pub struct LeftOff {
    pub repeat: u32,
    pub stop: usize,
    /// The one that was under way there.
    pub visit: Option<CurrentVisit>,
    pub between_visits: bool,
}

/// How many samples a visit has.
#[derive(Debug, Clone, Copy, Default)]
pub struct SampleCount {
    pub all: u32,
    /// Drawn after the purge.
    pub clean: u32,
}
