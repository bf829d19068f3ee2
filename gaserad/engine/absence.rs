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

use std::time::Duration;

use super::Turn;
use super::admit::Device;
use super::state::{Run, Stage, State};
use crate::domain::{
    AfterRestart, AnalyzerState, DeviceErrors, Fault, FaultKind, Reconnection, Seen, Severity, Tick, VisitId, duration,
};

/// A state in which an analyzer stays holds so long before it is believed. Any restart takes longer.
const CONFIRMED: Duration = Duration::from_secs(3);
/// So long an analyzer may do something else before that is told.
const LASTING: Duration = Duration::from_secs(30);
/// The error of a source that was just switched on.
const WARMING_UP: &str = "8026";

/// What happened since the analyzer was last seen measuring for the run.
#[derive(Debug, Clone, Default)]
pub(super) struct Absence {
    /// When it was first seen not to measure.
    since: Option<Tick>,
    /// When it was first seen in a state in which it stays.
    resting: Option<Tick>,
    /// Somebody was told that it lasts.
    told: bool,
    /// It could not be asked for a while.
    pub unreachable: bool,
    /// What shows that it restarted.
    sign: Option<&'static str>,
    /// Its counter when it was last seen measuring.
    counter: Option<u32>,
    /// The visits whose only good sample it still worked on then.
    pub owed: Option<Vec<VisitId>>,
}

impl Absence {
    fn ended(seen: Seen) -> Self {
        Self { counter: seen.iteration, ..Self::default() }
    }

    /// The first sign is enough.
    fn shows(&mut self, sign: &'static str) {
        self.sign.get_or_insert(sign);
    }

    fn shown_by(&mut self, seen: Seen) {
        if matches!(seen.state, AnalyzerState::Initializing | AnalyzerState::InitializationError) {
            self.shows("it was initializing");
        }
        // A stop leaves a counter as it is, or sets it to zero.
        if seen.iteration > Some(0) && began_anew(self.counter, seen.iteration) && self.unreachable {
            self.shows("its counter of iterations began anew");
        }
    }

    /// Since when it has been away or at rest, whichever is to be judged next, and for how long at most.
    fn deadline(&self, grace: Duration) -> Option<(Tick, &'static str)> {
        if let Some(resting) = self.resting {
            return Some((resting + CONFIRMED, "the analyzer to measure again, or to stay as it is"));
        }
        let limit = if self.told { grace.max(CONFIRMED) } else { LASTING.min(grace).max(CONFIRMED) };
        Some((self.since? + limit, "the analyzer to measure again"))
    }
}

impl State {
    /// When an analyzer that does not measure is judged. One that cannot be asked is not.
    pub(super) fn absence_ends(&self) -> Option<(Tick, &'static str)> {
        let minded = self.run.as_ref().is_some_and(|run| run.minds_absence(self.after_restart));
        let absence = Some(&self.analyzer.absence).filter(|_| minded && self.analyzer.online);
        absence?.deadline(self.limits.grace)
    }
}

impl Run {
    /// Whether an analyzer that does not measure matters. Before the start only a restart does; and whoever waits for that
    /// start hears of it from the start itself.
    fn minds_absence(&self, after: Option<AfterRestart>) -> bool {
        let begins_alone = self.starter.is_none() && self.in_doubt.is_none() && after == Some(AfterRestart::Resume);
        after.is_some() && (self.needs_measuring() || (self.is_measured() && !self.ordered_start && begins_alone))
    }
}

impl Turn {
    /// The analyzer was seen; false if the run goes no further for that.
    pub(super) fn mind_absence(&mut self, seen: Seen) -> bool {
        let Some(run) = &self.state.run else { return true };
        if self.state.after_restart.is_none() {
            return !self.ends_as_it_did(seen.state);
        }
        if run.is_getting_ready() {
            self.prepare_when_ready();
            return false;
        }
        if seen.state == AnalyzerState::Measuring {
            let needed = run.needs_measuring();
            let absence = std::mem::replace(&mut self.state.analyzer.absence, Absence::ended(seen));
            return !absence.resting.is_some_and(|_| needed && began_anew(absence.counter, seen.iteration))
                || self.belongs_to_others();
        }
        if !run.minds_absence(self.state.after_restart) {
            return true;
        }
        let (at, needed) = (self.at.tick, run.needs_measuring());
        let absence = &mut self.state.analyzer.absence;
        absence.shown_by(seen);
        if !needed && absence.sign.is_none() {
            return true;
        }
        absence.since.get_or_insert(at);
        if stays(seen.state) {
            absence.resting.get_or_insert(at);
        } else {
            absence.resting = None;
        }
        true
    }

    /// When it is first seen not to measure, what it still worked on is known better than it is afterwards.
    pub(super) fn note_what_is_owed(&mut self, analyzer: AnalyzerState) {
        if analyzer != AnalyzerState::Measuring && self.state.analyzer.absence.owed.is_none() {
            let owed = self.owed_visits().map(|(visit, _)| visit).collect();
            self.state.analyzer.absence.owed = Some(owed);
        }
    }

    /// For the journals of versions that waited for nothing.
    fn ends_as_it_did(&mut self, analyzer: AnalyzerState) -> bool {
        let ends = stays(analyzer) && self.state.run.as_ref().is_some_and(Run::needs_measuring);
        if ends {
            self.fail_stopped();
        }
        ends
    }

    /// It can be asked again, and does not measure any more.
    pub(super) fn reconnected(&mut self, told: Reconnection) {
        let absence = &mut self.state.analyzer.absence;
        absence.unreachable = true;
        if told.program_was_down {
            absence.shows("its machine answered, and its program did not");
        }
        if told.result_is_gone {
            absence.shows("the result that it held is gone");
        }
    }

    /// What it newly reports, after it could not be asked.
    pub(super) fn mind_errors(&mut self, before: &DeviceErrors) {
        let warming = |errors: &DeviceErrors| errors.0.iter().any(|code| code == WARMING_UP);
        let begun = !warming(before) && warming(&self.state.analyzer.errors);
        if begun && self.state.analyzer.absence.unreachable {
            self.state.analyzer.absence.shows("its source is warming up");
        }
        self.prepare_when_ready();
    }

    /// Whether it is time to judge an analyzer that does not measure.
    pub(super) fn judge_absence(&mut self) -> bool {
        let due = self.state.absence_ends().is_some_and(|(due, _)| due <= self.at.tick);
        if !due {
            return false;
        }
        let absence = &mut self.state.analyzer.absence;
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
        let broken = self.state.analyzer.state == Some(AnalyzerState::Malfunction);
        match sign {
            Some(sign) => self.analyzer_restarted(sign),
            None if unreachable && !broken && self.state.after_restart == Some(AfterRestart::Resume) => {
                self.ask_what_to_do();
            }
            None => self.fail_stopped(),
        }
    }

    fn absence_lasts(&mut self) {
        let grace = duration::format(self.state.limits.grace);
        let text = format!(
            "the analyzer does not measure: it is {}; the run waits for it, {grace} in all ([analyzer] grace)",
            self.analyzer_words()
        );
        self.alarm(Severity::Warning, "analyzer_not_measuring", text);
    }

    fn absence_lasts_too_long(&mut self) {
        if self.state.run.as_ref().is_some_and(|run| run.stage == Stage::Draining) {
            // A plan that is carried out does not fail for the last result.
            return self.drained();
        }
        let text = format!(
            "the analyzer did not measure for {}, longer than [analyzer] grace allows: it is {}; look at its display and \
             its errors",
            duration::format(self.state.limits.grace),
            self.analyzer_words()
        );
        self.fail(&Fault::new(FaultKind::Refused, text), Device::Analyzer);
    }

    pub(super) fn fail_stopped(&mut self) {
        let text = format!(
            "the analyzer stopped measuring, and not because gaserad told it to: it is {}; somebody at its display or \
             another program may have, or it restarted: look at its display and its errors",
            self.analyzer_words()
        );
        self.fail(&Fault::new(FaultKind::Refused, text), Device::Analyzer);
    }

    /// It was at rest, and what it measures now is not what the run began: that is left alone.
    fn belongs_to_others(&mut self) -> bool {
        let text = "the analyzer was stopped and measures again, and its iterations began anew: somebody at its display or \
                    another program has started it for themselves, so it is left measuring; start the run again when it is \
                    free";
        self.end(crate::domain::Outcome::Failed, text.into(), None);
        false
    }

    pub(super) fn analyzer_words(&self) -> &'static str {
        self.state.analyzer.state.map_or("not seen yet", AnalyzerState::words)
    }
}

fn began_anew(before: Option<u32>, now: Option<u32>) -> bool {
    before.zip(now).is_some_and(|(before, now)| now < before)
}

/// Whether an analyzer does not measure on by itself from there.
const fn stays(analyzer: AnalyzerState) -> bool {
    matches!(
        analyzer,
        AnalyzerState::Initializing
            | AnalyzerState::InitializationError
            | AnalyzerState::Idle
            | AnalyzerState::SelfTest
            | AnalyzerState::Malfunction
    )
}
