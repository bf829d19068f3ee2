//! What the analyzer tells, and what it means for the run.

use super::turn::RunTurn;
use crate::attribution::Exchanges;
use crate::domain::{AnalyzerAnswer, AnalyzerNews, Cause, CommandId, DeviceErrors, Fault, Seen};
use crate::engine::admit::Device;
use crate::engine::identity::AnalyzerContact;
use crate::engine::state::{Part, Stage, Stopped};
use crate::engine::unreadable::NOT_FOUND;

impl RunTurn<'_> {
    pub fn hear_analyzer(&mut self, news: AnalyzerNews) {
        match news {
            AnalyzerNews::Online { identity } => self.online(&identity),
            AnalyzerNews::Offline { reason } => self.analyzer_offline(reason),
            AnalyzerNews::Reconnected(told) => self.note_reconnected(told),
            AnalyzerNews::Seen(seen) => self.see(seen),
            AnalyzerNews::Result(read) => self.result(read),
            AnalyzerNews::ResultsUnreadable { reply } => {
                self.results_unreadable(&reply);
                self.note_unreadable(reply, NOT_FOUND.into());
            }
            AnalyzerNews::Errors(errors) => self.errors(errors),
            AnalyzerNews::Clock { offset_ms } => self.hear_clock(offset_ms),
        }
    }

    pub fn online(&mut self, identity: &[String]) {
        match self.contact_analyzer(identity) {
            AnalyzerContact::StillStrange | AnalyzerContact::StillThere => {}
            AnalyzerContact::Stranger(text) => {
                if !matches!(self.run.stage.part(), Part::Ending | Part::Interrupted) {
                    self.fail_for_stranger(text);
                }
            }
            AnalyzerContact::Back => {
                let awaited = self.run.stage.order();
                self.give_held_stop(awaited);
                self.prepare_after_contact();
            }
        }
    }

    fn see(&mut self, seen: Seen) {
        if !self.note_seen(seen) {
            // What another analyzer does says nothing of this run.
            return;
        }
        // What is known of an exchange that is over may still change; that it is over is news only once.
        let newest = |exchanges: &Exchanges| exchanges.newest_ended().map(|exchange| exchange.began_before);
        let ended = newest(&self.station.exchanges);
        self.note_what_is_owed(seen.state);
        let awaited = self.awaited_of_the_visit();
        self.station.exchanges.see(seen);
        self.take_back(awaited.saturating_sub(self.awaited_of_the_visit()));
        if newest(&self.station.exchanges) > ended {
            self.exchange_ended();
        }
        if self.mind_absence(seen) && self.run.stage == Stage::Lingering {
            self.leave_or_linger();
        }
    }

    fn errors(&mut self, errors: DeviceErrors) {
        if !self.note_errors(errors) {
            return;
        }
        self.prepare_when_ready();
        match self.alarm_of_errors() {
            Some(text) => self.in_the_way(Cause::AnalyzerErrors, &format!("the analyzer reports {text}")),
            None => self.out_of_the_way(Cause::AnalyzerErrors),
        }
    }

    pub fn analyzer_did(&mut self, id: CommandId, answer: Result<AnalyzerAnswer, Fault>) {
        if !self.turn.note_analyzer_did(id, &answer, self.run.is_recorded()) {
            return;
        }
        let Some(stage) = self.awaits(id) else { return };
        match (stage, answer) {
            (Stage::Preparing(_), Ok(prepared)) => self.prepared(prepared),
            (Stage::Recovering(_), answer) => self.prepared_again(answer),
            (Stage::Interrupting(_), _) => self.interrupted(),
            (Stage::Starting(_, settled), Ok(_)) => self.measuring_began(settled),
            (Stage::Starting(..), Err(fault)) => self.starting_failed(&fault),
            (Stage::Preparing(_), Err(fault)) => self.fail(&fault, Device::Analyzer),
            // A look that failed shows nothing; that the analyzer is gone is told by itself.
            (Stage::PurgeOver(_), _) => self.measure(),
            (Stage::MeasureOver(_), _) => self.leave_or_linger(),
            (Stage::Closing(order, _), answer) => {
                self.closing(order, answer.map_or_else(|fault| Stopped::Doubtful(fault.text), |_| Stopped::Yes));
            }
            (Stage::Stopping(_, ending), answer) => {
                self.end(ending.outcome, ending.reason, answer.err().map(|fault| fault.text));
            }
            (
                Stage::Homing(_)
                | Stage::Moving(_)
                | Stage::Settling
                | Stage::Purging
                | Stage::Measuring
                | Stage::Lingering
                | Stage::Draining
                | Stage::ValveLost(_)
                | Stage::Paused(_)
                | Stage::Guarding(_)
                | Stage::GuardedOff
                | Stage::Interrupted
                | Stage::Parking(..),
                _,
            ) => {}
        }
    }
}
