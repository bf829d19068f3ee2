//! A condition outside that must hold before the next visit, like dry weather: asked for between two visits, and asked
//! again now and then until it holds.

use super::turn::RunTurn;
use crate::domain::event::RunChange;
use crate::domain::{CommandId, Phase, Severity};
use crate::engine::effect::Effect;
use crate::engine::state::Stage;

impl RunTurn<'_> {
    /// Goes on to the next stop, if nothing outside speaks against it.
    pub fn go_on_if_guarded(&mut self) {
        let Some(guard) = self.station.settings.guard else { return self.next_stop() };
        let id = self.station.next_command();
        self.effects.push(Effect::Guard { id });
        self.enter(Stage::Guarding(id), guard.timeout * 2);
    }

    pub fn guard_did(&mut self, id: CommandId, verdict: Result<(), String>) {
        if self.awaits(id).is_none() {
            return;
        }
        match verdict {
            Ok(()) => self.guard_holds(),
            Err(why) => self.guard_speaks_against(why),
        }
    }

    fn guard_holds(&mut self) {
        if std::mem::take(&mut self.run.pausing.guarded_off) {
            self.reckon_from_now();
            self.updated(RunChange::Resumed, "the guard".into(), String::new());
        }
        self.next_stop();
    }

    pub fn guard_speaks_against(&mut self, why: String) {
        let Some(guard) = self.station.settings.guard else { return };
        self.enter(Stage::GuardedOff, guard.every);
        if !std::mem::replace(&mut self.run.pausing.guarded_off, true) {
            self.alarm(Severity::Warning, "guard", format!("the guard speaks against the next visit: {why}"));
            self.updated(RunChange::Paused, "the guard".into(), why);
            self.show(Phase::Paused, self.run.target_channel());
        }
    }
}
