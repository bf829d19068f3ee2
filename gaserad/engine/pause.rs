//! What gets in a run's way, and whether the run waits until it is gone. Either way it is told, and stands in the record.

use super::Turn;
use super::control::PauseAsked;
use super::state::{Run, Stage};
use crate::domain::{Cause, Reaction, Severity};

const UNSYNCED: &str = "this machine's clock is not synchronized, so the times of samples may be wrong and they are flagged; \
                        see `timedatectl`, and check its time service and the network";

impl Turn {
    /// Something is in the way. Of what the settings wait for, the run waits where it is.
    pub(super) fn in_the_way(&mut self, cause: Cause, text: &str) {
        if self.state.reactions.to(cause) == Reaction::GoOn {
            return;
        }
        let Some(run) = self.state.run.as_mut().filter(|run| run.is_measured() && run.ordered_start) else { return };
        run.causes.insert(cause);
        if matches!(run.stage, Stage::Paused(_)) {
            return;
        }
        run.pause_asked.get_or_insert(PauseAsked { who: "gaserad".into(), reason: text.to_owned() });
        if run.may_be_paused() {
            self.pause_if_asked();
        }
    }

    /// It is gone. The run goes on if that was all, and if nobody else wants it to wait.
    pub(super) fn out_of_the_way(&mut self, cause: Cause) {
        let Some(run) = &mut self.state.run else { return };
        let free = run.causes.remove(&cause) && run.causes.is_empty() && !run.paused_by_hand;
        if !free {
            return;
        }
        run.pause_asked = None;
        if matches!(run.stage, Stage::Paused(_)) {
            self.resumed("gaserad".into(), "what was in the way is gone".into());
        }
    }

    /// The disk has little space left, or enough again.
    pub(super) fn disk(&mut self, free_bytes: u64, low: bool) {
        let before = std::mem::replace(&mut self.state.disk_low, low.then_some(free_bytes));
        if !low {
            return self.out_of_the_way(Cause::Disk);
        }
        if before.is_none() {
            let text = little(free_bytes);
            self.alarm(Severity::Blocker, "disk_low", text.clone());
            self.in_the_way(Cause::Disk, &text);
            self.wait_if_not_yet(Cause::Disk, &text);
        }
    }

    /// A run begins, on a disk with little space.
    pub(super) fn begin_with_the_disk(&mut self) {
        if let Some(free_bytes) = self.state.disk_low {
            let text = little(free_bytes);
            self.alarm(Severity::Blocker, "disk_low", text.clone());
            self.wait_as_soon_as_it_measures(Cause::Disk, &text);
        }
    }
}

fn little(free_bytes: u64) -> String {
    format!(
        "the disk of the state directory has {} MB left; delete what is not needed, or make it larger",
        free_bytes / 1_000_000
    )
}

impl Turn {
    /// Whether a time service keeps this machine's clock right, which is news.
    pub(super) fn clock_sync(&mut self, synchronized: bool) {
        let is_news = self.state.host_clock.is_synchronized(synchronized, self.at.tick);
        if synchronized {
            self.out_of_the_way(Cause::ClockUnsynced);
        } else if is_news && self.state.run.as_ref().is_some_and(|run| run.started.is_some()) {
            self.alarm(Severity::Warning, "clock_unsynced", UNSYNCED.into());
            self.in_the_way(Cause::ClockUnsynced, UNSYNCED);
            self.wait_if_not_yet(Cause::ClockUnsynced, UNSYNCED);
        }
    }

    /// A run begins, with the clock as it is.
    pub(super) fn begin_with_the_clock(&mut self) {
        if self.state.host_clock.is_unsynced() {
            self.alarm(Severity::Warning, "clock_unsynced", UNSYNCED.into());
            self.wait_as_soon_as_it_measures(Cause::ClockUnsynced, UNSYNCED);
        }
    }

    fn wait_if_not_yet(&mut self, cause: Cause, text: &str) {
        let not_yet = |run: &Run| {
            run.started.is_some()
                && !run.ordered_start
                && (run.is_measured() || matches!(run.stage, Stage::Recovering(_)))
        };
        if self.state.run.as_ref().is_some_and(not_yet) {
            self.wait_as_soon_as_it_measures(cause, text);
        }
    }

    /// A run that does not measure yet waits as soon as it does.
    fn wait_as_soon_as_it_measures(&mut self, cause: Cause, text: &str) {
        if self.state.reactions.to(cause) == Reaction::GoOn {
            return;
        }
        let Some(run) = &mut self.state.run else { return };
        run.causes.insert(cause);
        run.pause_asked.get_or_insert(PauseAsked { who: "gaserad".into(), reason: text.to_owned() });
    }
}

impl Run {
    /// Whether a pause can begin right away where it is; else it begins when the run comes to the next such point.
    pub(super) fn may_be_paused(&self) -> bool {
        self.ordered_start
            && matches!(self.stage, Stage::Settling | Stage::Purging | Stage::Measuring | Stage::Lingering)
    }
}
