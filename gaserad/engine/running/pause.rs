//! What makes a run wait where it is: somebody, or what gets in its way. Either way it is told, and stands in the record.
//!
//! A paused run stays where it is, valve and analyzer as they are; what is drawn meanwhile is kept and not used. How it
//! goes on is `resume`.

use super::turn::RunTurn;
use crate::domain::event::RunChange;
use crate::domain::{Cause, Phase, Reaction, Severity};
use crate::engine::state::{PauseAsked, Stage};

const UNSYNCED: &str = "this machine's clock is not synchronized, so the times of samples may be wrong and they are flagged; \
                        see `timedatectl`, and check its time service and the network";

impl RunTurn<'_> {
    pub fn ask_to_pause(&mut self, who: String, now: bool) {
        self.run.pausing.asked = Some(PauseAsked { who: who.clone(), reason: "paused".into() });
        self.run.pausing.by_hand = true;
        let text = if now { "at once" } else { "after the sample under way" };
        self.updated(RunChange::PauseAsked, who, text.into());
        let sampling = self.is_sampling();
        let may_begin = self.run.may_be_paused();
        if may_begin && (now || !sampling) {
            self.pause_if_asked();
        }
    }

    /// Whether a sample that the plan wants is being drawn or may be.
    const fn is_sampling(&self) -> bool {
        matches!(self.run.stage, Stage::Measuring | Stage::MeasureOver(_) | Stage::Lingering | Stage::PurgeOver(_))
    }

    /// A sample that was waited for is drawn, or has come.
    pub fn sample_over(&mut self) {
        if self.run.may_be_paused() && self.is_sampling() {
            self.pause_if_asked();
        }
    }

    /// Begins the pause that was asked for, if one was.
    pub fn pause_if_asked(&mut self) -> bool {
        let Some(PauseAsked { who, reason }) = self.run.pausing.asked.take() else { return false };
        let at = self.at.tick;
        self.station.timeline.pause(at);
        self.pause(who, reason);
        true
    }

    /// Until somebody resumes it.
    pub fn pause(&mut self, who: String, reason: String) {
        let at = self.at.tick;
        self.enter_until(Stage::Paused(reason.clone()), at, at);
        self.updated(RunChange::Paused, who, reason);
        self.show(Phase::Paused, self.run.target_channel());
    }

    /// A run that was paused is paused again once it is back where it was.
    pub fn remember_pause(&mut self) {
        self.run.course.between_visits |= self.run.stage.is_guarded();
        if self.run.stage.is_paused() {
            self.run.pausing.ask("paused before the interruption");
        }
    }

    /// Something is in the way. Of what the settings wait for, the run waits where it is.
    pub fn in_the_way(&mut self, cause: Cause, text: &str) {
        let measures = self.run.stage.is_measured() && self.run.measurement.ordered_start;
        if self.goes_on(cause) || !measures {
            return;
        }
        self.run.pausing.causes.insert(cause);
        if self.run.stage.is_paused() {
            return;
        }
        self.run.pausing.ask(text);
        if self.run.may_be_paused() {
            self.pause_if_asked();
        }
    }

    fn goes_on(&self, cause: Cause) -> bool {
        self.station.settings.reactions.to(cause) == Reaction::GoOn
    }

    /// The disk begins to have little space left.
    pub fn disk_is_low(&mut self, text: &str) {
        self.alarm(Severity::Blocker, "disk_low", text.to_owned());
        self.in_the_way(Cause::Disk, text);
        self.wait_if_not_yet(Cause::Disk, text);
    }

    /// A run begins, on a disk with little space.
    pub fn begin_with_the_disk(&mut self) {
        if let Some(text) = self.station.little_space() {
            self.alarm(Severity::Blocker, "disk_low", text.clone());
            self.wait_as_soon_as_it_measures(Cause::Disk, &text);
        }
    }

    /// No time service keeps this machine's clock right, which is news.
    pub fn clock_is_unsynced(&mut self) {
        if self.run.is_recorded() {
            self.alarm(Severity::Warning, "clock_unsynced", UNSYNCED.into());
            self.in_the_way(Cause::ClockUnsynced, UNSYNCED);
            self.wait_if_not_yet(Cause::ClockUnsynced, UNSYNCED);
        }
    }

    /// A run begins, with the clock as it is.
    pub fn begin_with_the_clock(&mut self) {
        if self.station.host_clock.is_unsynced() {
            self.alarm(Severity::Warning, "clock_unsynced", UNSYNCED.into());
            self.wait_as_soon_as_it_measures(Cause::ClockUnsynced, UNSYNCED);
        }
    }

    fn wait_if_not_yet(&mut self, cause: Cause, text: &str) {
        let on_its_way = self.run.stage.is_measured() || matches!(self.run.stage, Stage::Recovering(_));
        if self.run.is_recorded() && !self.run.measurement.ordered_start && on_its_way {
            self.wait_as_soon_as_it_measures(cause, text);
        }
    }

    /// A run that does not measure yet waits as soon as it does.
    fn wait_as_soon_as_it_measures(&mut self, cause: Cause, text: &str) {
        if !self.goes_on(cause) {
            self.run.pausing.causes.insert(cause);
            self.run.pausing.ask(text);
        }
    }
}
