//! What became of each channel: pieced together from what the stream tells, and where it told nothing, from the plan.

use std::collections::VecDeque;

use gasera::domain::event::{LiveData, PhaseChange, RunChange};
use gasera::domain::{Channel, Event, Phase, Progress, Qc, RunId, RunSummary, Status, VisitId};

/// So many visits are remembered: two repeats of the largest valve, with a background between all of them.
const MOST: usize = 512;

/// How a channel stands in the repeat under way, or in the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VisitMark {
    NotPlanned,
    Pending,
    Purging,
    Measuring,
    /// The run is paused here.
    Paused,
    /// The valve has left, and the last result is not there yet.
    Awaited,
    Done,
    /// The valve has left, and no sample is good.
    Empty,
    Skipped,
}

impl VisitMark {
    pub const ALL: [Self; 9] = [
        Self::Pending,
        Self::Purging,
        Self::Measuring,
        Self::Paused,
        Self::Awaited,
        Self::Done,
        Self::Empty,
        Self::Skipped,
        Self::NotPlanned,
    ];

    pub const fn sign(self) -> char {
        match self {
            Self::NotPlanned => ' ',
            Self::Pending => '.',
            Self::Purging => '~',
            Self::Measuring => '*',
            Self::Paused => '=',
            Self::Awaited => '?',
            Self::Done => '+',
            Self::Empty => '!',
            Self::Skipped => '-',
        }
    }

    pub const fn words(self) -> &'static str {
        match self {
            Self::NotPlanned => "not in the plan",
            Self::Pending => "still to come",
            Self::Purging => "purging",
            Self::Measuring => "measuring",
            Self::Paused => "paused here",
            Self::Awaited => "left, result awaited",
            Self::Done => "done",
            Self::Empty => "no good sample",
            Self::Skipped => "skipped",
        }
    }
}

#[derive(Debug)]
struct ScreenVisit {
    id: Option<VisitId>,
    channel: Channel,
    repeat: u32,
    good: u32,
    /// It was followed from its beginning.
    whole: bool,
    skipped: bool,
}

#[derive(Debug, Default)]
pub struct ScreenVisits {
    run: Option<RunId>,
    seen: VecDeque<ScreenVisit>,
}

impl ScreenVisits {
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::RunStarted { run } => self.belong_to(&run.id),
            Event::Phase(change) => self.phase(change),
            Event::LiveData(data) => self.result(data),
            Event::RunUpdated(update) if update.change == RunChange::Skipped => {
                let channel = update.text.strip_prefix("channel ");
                if let Some(visit) = self.seen.back_mut().filter(|visit| Some(&*visit.channel.to_string()) == channel) {
                    visit.skipped = true;
                }
            }
            _ => {}
        }
    }

    fn belong_to(&mut self, run: &RunId) {
        if self.run.as_ref() != Some(run) {
            *self = Self { run: Some(run.clone()), seen: VecDeque::new() };
        }
    }

    fn phase(&mut self, change: &PhaseChange) {
        self.belong_to(&change.run_id);
        let (Some(channel), Phase::Purging | Phase::Measuring) = (change.channel, change.phase) else { return };
        let known = |visit: &ScreenVisit| (visit.id, visit.channel, visit.repeat);
        if self.seen.back().map(known) == Some((change.visit_id, channel, change.repeat)) {
            return;
        }
        let whole = !matches!(change.previous, Phase::Purging | Phase::Measuring | Phase::Paused);
        let (id, repeat) = (change.visit_id, change.repeat);
        self.seen.push_back(ScreenVisit { id, channel, repeat, good: 0, whole, skipped: false });
        if self.seen.len() > MOST {
            self.seen.pop_front();
        }
    }

    fn result(&mut self, data: &LiveData) {
        if self.run.as_ref() != Some(&data.run_id) || data.visit_id.is_none() {
            return;
        }
        let visit = self.seen.iter_mut().rev().find(|visit| visit.id == data.visit_id);
        if let Some(visit) = visit.filter(|_| !data.discard && data.qc == Qc::Good) {
            visit.good += 1;
        }
    }

    /// How a channel stands.
    pub fn mark(&self, status: &Status, channel: Channel) -> VisitMark {
        let Some(run) = status.run.as_ref().or(status.last_run.as_ref()) else { return VisitMark::NotPlanned };
        if !run.plan.visits_channel(channel) {
            return VisitMark::NotPlanned;
        }
        let progress = &status.progress;
        let under_way = status.run.is_some();
        if under_way && Channel::new(progress.current_channel + 1) == Some(channel) {
            match progress.phase {
                Phase::Purging => return VisitMark::Purging,
                Phase::Measuring => return VisitMark::Measuring,
                Phase::Paused => return VisitMark::Paused,
                _ => {}
            }
        }
        match self.told(run, progress.repeat_index + 1, channel, under_way) {
            Some(mark) => mark,
            None if under_way => planned(run, progress, channel),
            None => VisitMark::NotPlanned,
        }
    }

    /// As far as the stream told it.
    fn told(&self, run: &RunSummary, repeat: u32, channel: Channel, under_way: bool) -> Option<VisitMark> {
        if self.run.as_ref() != Some(&run.id) {
            return None;
        }
        let repeat = if under_way { repeat } else { self.seen.back()?.repeat };
        let at = self.seen.iter().rposition(|visit| visit.channel == channel && visit.repeat == repeat)?;
        let visit = &self.seen[at];
        // The result of what was drawn last comes while the next channel is purged.
        let lately = at + 2 >= self.seen.len() && under_way;
        Some(match visit {
            ScreenVisit { good: 0, skipped: true, .. } => VisitMark::Skipped,
            ScreenVisit { good: 0, whole: true, .. } if lately => VisitMark::Awaited,
            ScreenVisit { good: 0, whole: true, .. } => VisitMark::Empty,
            _ => VisitMark::Done,
        })
    }
}

/// As the plan has it: the channels are visited in ascending order.
fn planned(run: &RunSummary, progress: &Progress, channel: Channel) -> VisitMark {
    let Some(place) = run.plan.channels().iter().position(|planned| *planned == channel) else {
        return VisitMark::Pending;
    };
    let before = progress.repeat_index.saturating_mul(progress.enabled_count);
    let mut done = usize::try_from(progress.step_index.saturating_sub(before)).unwrap_or(usize::MAX);
    if run.plan.background.is_some() {
        // Visits of the background are steps too.
        done = run.plan.channels().iter().filter(|planned| planned.number() <= progress.current_channel).count();
    }
    if place < done { VisitMark::Done } else { VisitMark::Pending }
}

#[cfg(test)]
mod tests {
    use gasera::domain::event::RunUpdate;

    use super::*;
    use crate::view::model::tests::{run_summary, status};
    use crate::view::screen::tests::{phase, result};

    fn signs(visits: &ScreenVisits, status: &Status) -> String {
        (1..=status.multiplexer.channels).filter_map(Channel::new).map(|c| visits.mark(status, c).sign()).collect()
    }

    fn arrive(visits: &mut ScreenVisits, id: u32, channel: u8) {
        visits.apply(&Event::Phase(phase(Phase::Purging, Phase::Switching, channel, id)));
        visits.apply(&Event::Phase(phase(Phase::Measuring, Phase::Purging, channel, id)));
    }

    #[test]
    fn without_anything_told_the_plan_says_it() {
        let mut status = status();
        assert_eq!(signs(&ScreenVisits::default(), &status), "++*.  . ");
        status.progress.phase = Phase::Purging;
        assert_eq!(signs(&ScreenVisits::default(), &status), "++~.  . ");
        status.progress.phase = Phase::Paused;
        assert_eq!(signs(&ScreenVisits::default(), &status), "++=.  . ");
        status.run = None;
        assert_eq!(signs(&ScreenVisits::default(), &status), "        ");
    }

    #[test]
    fn a_visit_without_a_good_sample_is_told_once_its_results_are_in() {
        let mut visits = ScreenVisits::default();
        arrive(&mut visits, 1, 1);
        arrive(&mut visits, 2, 2);
        visits.apply(&Event::LiveData(LiveData { discard: true, visit_id: Some(VisitId(1)), ..result(1, 1) }));
        let mut status = status();
        status.progress.current_channel = 1;
        assert_eq!(signs(&visits, &status), "?*..  . ", "the last result may still come");
        visits.apply(&Event::LiveData(LiveData { visit_id: Some(VisitId(2)), ..result(2, 2) }));
        arrive(&mut visits, 3, 3);
        status.progress.current_channel = 2;
        assert_eq!(signs(&visits, &status), "!+*.  . ");
        let run = status.run.take();
        status.last_run = run;
        assert_eq!(signs(&visits, &status), "!+!     ", "what was never reached is not marked after the end");
    }

    #[test]
    fn a_channel_that_was_skipped_is_marked_unless_it_has_good_samples() {
        let skip = |visits: &mut ScreenVisits, channel: u8| {
            let (run_id, change) = (run_summary().id, RunChange::Skipped);
            let text = format!("channel {channel}");
            visits.apply(&Event::RunUpdated(RunUpdate { run_id, change, who: "ada".into(), text }));
        };
        let mut visits = ScreenVisits::default();
        arrive(&mut visits, 1, 1);
        skip(&mut visits, 1);
        arrive(&mut visits, 2, 2);
        visits.apply(&Event::LiveData(LiveData { visit_id: Some(VisitId(2)), ..result(2, 2) }));
        skip(&mut visits, 2);
        arrive(&mut visits, 3, 3);
        assert_eq!(signs(&visits, &status()), "-+*.  . ");
    }

    #[test]
    fn a_visit_that_was_joined_late_is_not_called_empty() {
        let mut visits = ScreenVisits::default();
        visits.apply(&Event::Phase(phase(Phase::Measuring, Phase::Purging, 1, 1)));
        arrive(&mut visits, 2, 2);
        arrive(&mut visits, 3, 3);
        assert_eq!(signs(&visits, &status()), "+?*.  . ");
    }

    #[test]
    fn another_run_begins_with_clean_marks() {
        let mut visits = ScreenVisits::default();
        arrive(&mut visits, 1, 1);
        visits.apply(&Event::RunStarted { run: RunSummary { id: RunId("NEXT".into()), ..run_summary() } });
        assert!(visits.seen.is_empty());
    }
}
