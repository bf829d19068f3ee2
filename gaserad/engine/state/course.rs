//! The way of a run through its plan: on, past a stop, and back to a visit whose only good result was lost in a crash.

use super::run::Run;
use super::visits::{CurrentVisit, LeftOff, SampleCount, VisitPlace};
use crate::domain::{FinishAfter, VisitId};

/// Samples are numbered within this many of the latest visits; later none can come any more.
const NUMBERED_VISITS: usize = 8;

impl Run {
    /// Whether the visit under way is the last one, by the plan or because somebody wants to finish.
    pub fn is_in_its_last_visit(&self) -> bool {
        let last_stop = self.course.stop + 1 >= self.asked.stops.len() && self.course.left_off.is_empty();
        let planned = last_stop && self.course.repeat + 1 >= self.asked.plan.repeats;
        let asked = self.ending.finish_asked.as_ref().is_some_and(|asked| match asked.after {
            FinishAfter::Channel => true,
            FinishAfter::Repeat => last_stop,
        });
        planned || asked
    }

    /// The valve confirmed the stop that it was sent to.
    pub fn begin_visit(&mut self, visit: CurrentVisit) {
        let (channel, repeat, stop) = (visit.channel, self.course.repeat + 1, self.course.stop);
        let place = VisitPlace { channel, repeat, stop, arrived: visit.arrived, skipped: false };
        self.visits.begun = visit.id.0;
        self.visits.barren.insert(visit.id, place);
        self.visits.current = Some(visit);
    }

    /// The visit under way is over.
    pub fn end_visit(&mut self) -> Option<CurrentVisit> {
        let visit = self.visits.current.take()?;
        self.visits.done += 1;
        self.measurement.restarts = 0;
        Some(visit)
    }

    /// Nobody wants to come back to the visit under way.
    pub fn spare_the_visit(&mut self) {
        if let Some(place) = self.visits.current.as_ref().and_then(|visit| self.visits.barren.get_mut(&visit.id)) {
            place.skipped = true;
        }
    }

    /// The stop that the valve is on its way to is not visited.
    pub fn pass_over(&mut self) {
        let Some(stop) = self.target().filter(|stop| stop.measured && self.visits.current.is_none()) else { return };
        self.visits.done += 1;
        self.visits.begun += 1;
        let (channel, repeat, stop) = (stop.channel, self.course.repeat + 1, self.course.stop);
        let place = VisitPlace { channel, repeat, stop, arrived: self.timing.until, skipped: true };
        self.visits.barren.insert(VisitId(self.visits.begun), place);
    }

    /// Whether this visit is under way, or was when the run went back: it is measured anew in any case.
    pub fn is_to_finish(&self, id: VisitId) -> bool {
        let left_off = self.course.left_off.iter().filter_map(|left_off| left_off.visit.as_ref());
        self.visits.current.iter().chain(left_off).any(|visit| visit.id == id)
    }

    pub fn go_back_to(&mut self, id: VisitId, place: VisitPlace) {
        let visit = CurrentVisit { id, channel: place.channel, arrived: place.arrived, clean_exchanges: 0 };
        self.course.left_off.push(LeftOff {
            repeat: self.course.repeat,
            stop: self.course.stop,
            visit: self.visits.current.replace(visit),
            between_visits: std::mem::take(&mut self.course.between_visits),
        });
        (self.course.repeat, self.course.stop) = (place.repeat - 1, place.stop);
        self.visits.done = self.visits.done.saturating_sub(1);
    }

    /// On to the next stop: where the run left off, or the next of the plan. True if that is in another repeat.
    pub fn advance(&mut self) -> bool {
        let repeat = self.course.repeat;
        let mut between_visits = true;
        while between_visits && let Some(left_off) = self.course.left_off.pop() {
            (self.course.repeat, self.course.stop, self.visits.current) =
                (left_off.repeat, left_off.stop, left_off.visit);
            between_visits = left_off.between_visits;
        }
        self.course.stop += usize::from(between_visits);
        if self.course.stop >= self.asked.stops.len() {
            (self.course.repeat, self.course.stop) = (self.course.repeat + 1, 0);
        }
        self.course.repeat != repeat
    }

    /// Nobody wants the visits any more that it left off.
    pub fn forget_what_it_left_off(&mut self) {
        for visit in self.course.left_off.drain(..).filter_map(|left_off| left_off.visit) {
            self.visits.begun -= 1;
            self.visits.barren.remove(&visit.id);
        }
    }

    /// Counts the samples of a visit, this one included.
    pub fn count_sample(&mut self, visit: VisitId, clean: bool) -> SampleCount {
        let samples = &mut self.visits.samples;
        let count = samples.entry(visit).or_default();
        count.all += 1;
        count.clean += u32::from(clean);
        let counted = *count;
        while samples.len() > NUMBERED_VISITS {
            samples.pop_first();
        }
        counted
    }
}
