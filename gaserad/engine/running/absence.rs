//! An analyzer that does not measure although the run needs it to: a moment that passes, a restart, or a stop by others.
//!
//! What it is doing says most. A laser scan, a calibration, a state that is not known here: these pass, and the run waits
//! as long as `grace`. Where it has come to rest, it is given [`CONFIRMED`] to measure on by itself, and then judged:
//!
//! | what is known since it was last seen measuring | it |
//! |---|---|
//! | it was initializing; nobody was there who could answer for it; the result that it held is gone; its source warms up; its counter fell to where no stop puts it | restarted |
//! | none of this, but it could not be asked for a while | may have restarted, or may have been stopped meanwhile |
//! | none of this, and it could be asked all the time | was stopped: by a person, by another program, or by its own malfunction |
//!
//! One that restarted is prepared and started anew (`again`). One that was stopped stays stopped, and the run ends. Where
//! that cannot be told, the analyzer is left alone, since somebody may stand beside it; but the run is kept until
//! somebody says what is to become of it.

use super::turn::RunTurn;
use crate::domain::{AfterRestart, AnalyzerState, Fault, FaultKind, Outcome, Seen, Severity, duration};
use crate::engine::admit::Device;
use crate::engine::state::{Absence, Stage, began_anew, stays};

impl RunTurn<'_> {
    /// The analyzer was seen; false if the run goes no further for that.
    pub fn mind_absence(&mut self, seen: Seen) -> bool {
        let after_restart = self.station.settings.after_restart;
        let needed = self.run.needs_measuring();
        if after_restart.is_none() {
            return !self.ends_as_it_did(seen.state, needed);
        }
        if self.run.is_getting_ready() {
            self.prepare_when_ready();
            return false;
        }
        if seen.state == AnalyzerState::Measuring {
            let absence = std::mem::replace(&mut self.station.analyzer.absence, Absence::ended(seen));
            let others = absence.resting.is_some() && needed && began_anew(absence.counter, seen.iteration);
            if others {
                self.left_to_others();
            }
            return !others;
        }
        if self.run.minds_absence(after_restart) {
            let at = self.at.tick;
            self.station.analyzer.absence.note(seen, at, needed);
        }
        true
    }

    /// When it is first seen not to measure, what it still worked on is known better than it is afterwards.
    pub fn note_what_is_owed(&mut self, analyzer: AnalyzerState) {
        if analyzer != AnalyzerState::Measuring && self.station.analyzer.absence.owed.is_none() {
            let owed = self.owed_visits().map(|(visit, _)| visit).collect();
            self.station.analyzer.absence.owed = Some(owed);
        }
    }

    /// For the journals of versions that waited for nothing.
    fn ends_as_it_did(&mut self, analyzer: AnalyzerState, needed: bool) -> bool {
        let ends = stays(analyzer) && needed;
        if ends {
            self.fail_stopped();
        }
        ends
    }

    /// Whether it is time to judge an analyzer that does not measure.
    pub fn judge_absence(&mut self) -> bool {
        let due = self.station.absence_ends(&self.run).is_some_and(|(due, _)| due <= self.at.tick);
        if !due {
            return false;
        }
        let absence = &mut self.station.analyzer.absence;
        if absence.resting.is_some() {
            let (sign, unreachable) = (absence.sign, absence.unreachable);
            self.judge(sign, unreachable);
        } else if std::mem::replace(&mut absence.told, true) {
            self.absence_lasts_too_long();
        } else {
            self.absence_lasts();
        }
        true
    }

    fn judge(&mut self, sign: Option<&'static str>, unreachable: bool) {
        let broken = self.station.analyzer.state == Some(AnalyzerState::Malfunction);
        let resumes = self.station.settings.after_restart == Some(AfterRestart::Resume);
        match sign {
            Some(sign) => self.analyzer_restarted(sign),
            None if unreachable && !broken && resumes => self.ask_what_to_do(),
            None => self.fail_stopped(),
        }
    }

    fn absence_lasts(&mut self) {
        let grace = duration::format(self.station.settings.limits.grace);
        let text = format!(
            "the analyzer does not measure: it is {}; the run waits for it, {grace} in all ([analyzer] grace)",
            self.station.analyzer.words()
        );
        self.alarm(Severity::Warning, "analyzer_not_measuring", text);
    }

    fn absence_lasts_too_long(&mut self) {
        if self.run.stage == Stage::Draining {
            // A plan that is carried out does not fail for the last result.
            return self.drained();
        }
        let text = format!(
            "the analyzer did not measure for {}, longer than [analyzer] grace allows: it is {}; look at its display and \
             its errors",
            duration::format(self.station.settings.limits.grace),
            self.station.analyzer.words()
        );
        self.fail(&Fault::new(FaultKind::Refused, text), Device::Analyzer);
    }

    /// It was at rest, and what it measures now is not what the run began: that is left alone.
    fn left_to_others(&mut self) {
        let text = "the analyzer was stopped and measures again, and its iterations began anew: somebody at its display or \
                    another program has started it for themselves, so it is left measuring; start the run again when it is \
                    free";
        self.end(Outcome::Failed, text.into(), None);
    }
}
