//! One visit: how it begins and ends, and which results it still waits for.

use super::turn::RunTurn;
use crate::attribution::{ClaimOrigin, Credit, Stay, attribute};
use crate::domain::{Attribution, Fact, VisitId, VisitSummary};
use crate::engine::state::{CurrentVisit, Stage, VisitPlace};

impl RunTurn<'_> {
    /// The valve confirmed the stop that it was sent to: if that is measured, a visit begins.
    pub fn arrive(&mut self) {
        let position = self.station.valve.position.channel();
        let stop = self.run.target().filter(|stop| stop.measured && Some(stop.channel) == position);
        let Some(stop) = stop.filter(|_| !self.run.course.between_visits) else { return };
        if self.run.visits.current.is_some() {
            return self.renew_visit();
        }
        let (at, repeat) = (self.at, self.run.course.repeat + 1);
        let (id, channel) = (VisitId(self.run.visits.begun + 1), stop.channel);
        self.run.begin_visit(CurrentVisit { id, channel, arrived: at.tick, clean_exchanges: 0 });
        self.station.timeline.arrive(Stay::new(id, channel, repeat, at.tick));
        let visit = VisitSummary { id, channel, repeat, arrived: at.utc, left: None, records: 0, good_records: 0 };
        let run = self.run.id.clone();
        self.keep(Fact::VisitStarted { run, visit });
    }

    /// Back on the channel of the visit under way, which goes on from here.
    pub fn renew_visit(&mut self) {
        let at = self.at.tick;
        let Some(visit) = &self.run.visits.current else { return };
        let stay = Stay::new(visit.id, visit.channel, self.run.course.repeat + 1, visit.arrived);
        let measures = matches!(self.run.stage, Stage::Measuring | Stage::MeasureOver(_) | Stage::Lingering);
        let paused = self.run.stage.is_paused();
        let (measured_from, paused_from) = (measures.then_some(at), paused.then_some(at));
        self.station.timeline.renew(at, Stay { measured_from, paused_from, ..stay });
    }

    pub fn end_visit(&mut self) {
        let Some(visit) = self.run.end_visit() else { return };
        let (run, left, at) = (self.run.id.clone(), self.at.utc, self.at.tick);
        self.keep(Fact::VisitEnded { run, visit: visit.id, left });
        let expected = self.station.next_left(&self.run, at);
        self.run.timing.lateness.left(at);
        self.run.timing.lateness.expected = expected;
    }

    /// Whether a good sample of this run may still come.
    pub fn awaits_results(&self) -> bool {
        self.awaited().next().is_some()
    }

    /// The visits of which a good sample may still come.
    pub fn awaited(&self) -> impl Iterator<Item = Option<VisitId>> + '_ {
        self.station.exchanges.awaited().filter_map(|exchange| {
            let credit = attribute(ClaimOrigin::Exchange { exchange, missed: 0 }, &self.station.timeline);
            counts(&credit).then(|| credit.stay.map(|stay| stay.visit))
        })
    }

    /// How many samples of the visit under way may still come and be good.
    pub fn awaited_of_the_visit(&self) -> u32 {
        let Some(visit) = &self.run.visits.current else { return 0 };
        let awaited = self.awaited().filter(|awaited| *awaited == Some(visit.id)).count();
        u32::try_from(awaited).unwrap_or(u32::MAX)
    }

    /// The visits, under way or left, that have no good sample because the result that would be one is lost.
    pub fn owed_visits(&self) -> impl Iterator<Item = (VisitId, VisitPlace)> + '_ {
        let barren = &self.run.visits.barren;
        let place = move |id: VisitId| Some((id, *barren.get(&id)?)).filter(|(_, place)| !place.skipped);
        let before = self.station.analyzer.absence.owed.iter().flatten().copied();
        before.chain(self.awaited().flatten()).filter_map(place)
    }

    /// Whatever the analyzer did for the visit is lost, and it has to be started again.
    pub fn break_off_the_visit(&mut self) {
        self.remember_pause();
        self.run.measurement.ordered_start = false;
        if let Some(visit) = self.run.visits.current.as_ref().map(|visit| visit.id) {
            self.begin_visit_anew(visit);
        }
        self.go_back();
    }

    /// The valve may have moved on while the analyzer still worked on the only good sample of a visit.
    fn go_back(&mut self) {
        let Some((id, place)) = self.owed_visits().find(|(id, _)| !self.run.is_to_finish(*id)) else { return };
        self.run.go_back_to(id, place);
        self.begin_visit_anew(id);
    }

    /// What the visit had of samples no longer counts.
    fn begin_visit_anew(&mut self, visit: VisitId) {
        if let Some(samples) = self.run.visits.samples.get_mut(&visit) {
            samples.clean = 0;
        }
        let run = self.run.id.clone();
        self.keep(Fact::VisitInterrupted { run, visit });
    }
}

/// Whether a sample with this credit is one that the plan wants.
pub fn counts(credit: &Credit) -> bool {
    credit.attribution == Attribution::Exact && !credit.discard
}
