//! A condition outside that must hold before the next visit, like dry weather: asked for between two visits, and asked
//! again now and then until it holds.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::state::{Run, Stage};
use super::{Effect, Turn};
use crate::domain::event::RunChange;
use crate::domain::{CommandId, Phase, Severity};

/// A condition outside that is asked for between two visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// How often it is asked again while it does not hold.
    #[serde(rename = "every_s", with = "crate::domain::duration::seconds")]
    pub every: Duration,
    #[serde(rename = "timeout_s", with = "crate::domain::duration::seconds")]
    pub timeout: Duration,
}

impl Turn {
    /// Goes on to the next stop, if nothing outside speaks against it.
    pub(super) fn go_on_if_guarded(&mut self) {
        let Some(guard) = self.state.guard else { return self.next_stop() };
        let id = self.state.next_command();
        self.effects.push(Effect::Guard { id });
        self.enter(Stage::Guarding(id), guard.timeout * 2);
    }

    pub(super) fn guard_did(&mut self, id: CommandId, verdict: Result<(), String>) {
        if self.awaits(id).is_none() {
            return;
        }
        match verdict {
            Ok(()) => self.guard_holds(),
            Err(why) => self.guard_speaks_against(why),
        }
    }

    fn guard_holds(&mut self) {
        let waited = self.state.run.as_mut().is_some_and(|run| std::mem::take(&mut run.guarded_off));
        if waited {
            self.reckon_from_now();
            self.updated(RunChange::Resumed, "the guard".into(), String::new());
        }
        self.next_stop();
    }

    fn guard_speaks_against(&mut self, why: String) {
        let Some(guard) = self.state.guard else { return };
        let first = self.state.run.as_mut().is_some_and(|run| !std::mem::replace(&mut run.guarded_off, true));
        self.enter(Stage::GuardedOff, guard.every);
        if first {
            let channel = self.state.run.as_ref().and_then(Run::target).map(|stop| stop.channel);
            self.alarm(Severity::Warning, "guard", format!("the guard speaks against the next visit: {why}"));
            self.updated(RunChange::Paused, "the guard".into(), why);
            self.show(Phase::Paused, channel);
        }
    }

    /// The guard did not answer in time, or it is time to ask it again.
    pub(super) fn guard_again(&mut self, stage: &Stage) {
        match stage {
            Stage::Guarding(_) => self.guard_speaks_against("it did not answer".into()),
            _ => self.go_on_if_guarded(),
        }
    }
}
