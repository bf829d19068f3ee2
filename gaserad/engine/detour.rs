//! A run that goes back to a visit whose only good result was lost in a crash, and then on from where it was.

use super::Turn;
use super::state::{Place, Run, Visit};
use crate::domain::VisitId;

/// Where a run was when it went back.
#[derive(Debug, Clone)]
pub(super) struct LeftOff {
    repeat: u32,
    stop: usize,
    /// The one that was under way there.
    visit: Option<Visit>,
    between_visits: bool,
}

impl Turn {
    /// The visit, under way or left, that has no good sample because the result that would be one is lost.
    pub(super) fn owed_visit(&self) -> Option<(VisitId, Place)> {
        let run = self.state.run.as_ref()?;
        let barren = |id: VisitId| Some((id, *run.barren.get(&id)?)).filter(|(_, place)| !place.skipped);
        self.awaited().flatten().find_map(barren)
    }

    /// The valve may have moved on while the analyzer still worked on the only good sample of a visit.
    pub(super) fn go_back(&mut self) {
        let Some((id, place)) = self.owed_visit() else { return };
        let Some(run) = &mut self.state.run else { return };
        if run.visit.as_ref().is_some_and(|visit| visit.id == id) {
            return;
        }
        run.go_back_to(id, place);
        self.begin_visit_anew(id);
    }
}

impl Run {
    fn go_back_to(&mut self, id: VisitId, place: Place) {
        let visit = Visit { id, channel: place.channel, arrived: place.arrived, clean_exchanges: 0 };
        self.left_off.push(LeftOff {
            repeat: self.repeat,
            stop: self.stop,
            visit: self.visit.replace(visit),
            between_visits: std::mem::take(&mut self.between_visits),
        });
        (self.repeat, self.stop) = (place.repeat - 1, place.stop);
        self.visits_done = self.visits_done.saturating_sub(1);
    }

    /// On to the next stop: where the run left off, or the next of the plan. True if that is in another repeat.
    pub(super) fn advance(&mut self) -> bool {
        let repeat = self.repeat;
        match self.left_off.pop() {
            Some(left_off) => {
                (self.repeat, self.stop, self.visit) = (left_off.repeat, left_off.stop, left_off.visit);
                self.stop += usize::from(left_off.between_visits);
            }
            None => self.stop += 1,
        }
        if self.stop >= self.stops.len() {
            (self.repeat, self.stop) = (self.repeat + 1, 0);
        }
        self.repeat != repeat
    }

    /// Nobody wants the visits any more that it left off.
    pub(super) fn forget_what_it_left_off(&mut self) {
        for visit in self.left_off.drain(..).filter_map(|left_off| left_off.visit) {
            self.visits_begun -= 1;
            self.barren.remove(&visit.id);
        }
    }
}
