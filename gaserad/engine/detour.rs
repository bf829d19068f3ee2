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
    /// The visits, under way or left, that have no good sample because the result that would be one is lost.
    pub(super) fn owed_visits(&self) -> impl Iterator<Item = (VisitId, Place)> + '_ {
        let barren = self.state.run.as_ref().map(|run| &run.barren);
        let place = move |id: VisitId| Some((id, *barren?.get(&id)?)).filter(|(_, place)| !place.skipped);
        let before = self.state.analyzer.absence.owed.iter().flatten().copied();
        before.chain(self.awaited().flatten()).filter_map(place)
    }

    /// The valve may have moved on while the analyzer still worked on the only good sample of a visit.
    pub(super) fn go_back(&mut self) {
        let Some(run) = &self.state.run else { return };
        let Some((id, place)) = self.owed_visits().find(|(id, _)| !run.is_to_finish(*id)) else { return };
        let Some(run) = &mut self.state.run else { return };
        run.go_back_to(id, place);
        self.begin_visit_anew(id);
    }
}

impl Run {
    /// Whether this visit is under way, or was when the run went back: it is measured anew in any case.
    fn is_to_finish(&self, id: VisitId) -> bool {
        let left_off = self.left_off.iter().filter_map(|left_off| left_off.visit.as_ref());
        self.visit.iter().chain(left_off).any(|visit| visit.id == id)
    }

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
        let mut between_visits = true;
        while between_visits && let Some(left_off) = self.left_off.pop() {
            (self.repeat, self.stop, self.visit) = (left_off.repeat, left_off.stop, left_off.visit);
            between_visits = left_off.between_visits;
        }
        self.stop += usize::from(between_visits);
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
