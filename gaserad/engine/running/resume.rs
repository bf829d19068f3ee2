//! How a paused run goes on: with the visit it was in, which is purged again.

use super::turn::RunTurn;
use crate::domain::Cause;
use crate::domain::event::RunChange;
use crate::engine::state::Stage;

impl RunTurn<'_> {
    pub fn resume(&mut self, who: String) {
        let pending = self.run.pausing.asked.take().is_some();
        self.run.pausing.by_hand = false;
        self.run.pausing.causes.clear();
        self.resumed(who, if pending { "before it had paused" } else { "" }.into());
    }

    fn resumed(&mut self, who: String, text: String) {
        let guarded_off = self.run.stage == Stage::GuardedOff;
        let paused = self.run.stage.is_paused();
        self.updated(RunChange::Resumed, who, text);
        if guarded_off {
            self.reckon_from_now();
            self.next_stop();
        } else if paused && !self.doubted_no_more() {
            self.go_on_from_here();
            self.renew_visit();
            self.settled();
        }
    }

    /// What was in the way is gone. The run goes on if that was all, and if nobody else wants it to wait.
    pub fn out_of_the_way(&mut self, cause: Cause) {
        let pausing = &mut self.run.pausing;
        let free = pausing.causes.remove(&cause) && pausing.causes.is_empty() && !pausing.by_hand;
        if !free {
            return;
        }
        pausing.asked = None;
        if self.run.stage.is_paused() {
            self.resumed("gaserad".into(), "what was in the way is gone".into());
        }
    }
}
