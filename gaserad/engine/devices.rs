//! What the analyzer tells, and what it means for the run under way.

use super::Turn;
use super::admit::Device;
use super::state::{Run, Stage};
use crate::attribution::{Exchanges, Origin, attribute};
use crate::domain::{
    AnalyzerAnswer, AnalyzerNews, AnalyzerState, Attribution, Cause, CommandId, DeviceErrors, Event, Fault, Seen,
    Severity, VisitId,
};

impl Turn {
    pub(super) fn hear_analyzer(&mut self, news: AnalyzerNews) {
        match news {
            AnalyzerNews::Online { identity } => self.online(&identity),
            AnalyzerNews::Offline { reason } => self.offline(reason),
            AnalyzerNews::Reconnected(told) => self.reconnected(told),
            AnalyzerNews::Seen(seen) => self.see(seen),
            AnalyzerNews::Result(read) => self.result(read),
            AnalyzerNews::ResultsUnreadable { reply } => self.results_unreadable(reply),
            AnalyzerNews::Errors(errors) => self.errors(errors),
            AnalyzerNews::Clock { offset_ms } => self.hear_clock(offset_ms),
        }
    }

    pub(super) fn online(&mut self, identity: &[String]) {
        self.state.analyzer.identity = identity.to_vec();
        if !self.meet_analyzer(identity) {
            return;
        }
        let analyzer = &mut self.state.analyzer;
        analyzer.offline_since = None;
        analyzer.reason.clear();
        if !std::mem::replace(&mut analyzer.online, true) {
            self.tell(Event::DeviceConnection { online: true, reason: String::new() });
            self.stop_if_owed();
            // How one that restarted is shows at the next look.
            if !self.state.run.as_ref().is_some_and(Run::is_getting_ready) {
                self.prepare_again();
            }
        }
    }

    pub(super) fn offline(&mut self, reason: String) {
        let at = self.at.tick;
        let analyzer = &mut self.state.analyzer;
        analyzer.offline_since.get_or_insert(at);
        analyzer.reason.clone_from(&reason);
        analyzer.online = false;
        analyzer.absence.unreachable = true;
        self.tell(Event::DeviceConnection { online: false, reason });
    }

    fn see(&mut self, seen: Seen) {
        let analyzer = &mut self.state.analyzer;
        let state = analyzer.state.replace(seen.state);
        let phase = analyzer.phase.replace(seen.phase);
        analyzer.iteration = seen.iteration;
        if self.state.identities.analyzer_is_strange() {
            // What another analyzer does says nothing of this run.
            return;
        }
        if state != Some(seen.state) {
            self.mind_strangers(seen.state);
            self.tell(Event::DeviceStatus { code: seen.state.code(), name: seen.state, previous: state });
        }
        if phase != Some(seen.phase) {
            self.tell(Event::DevicePhase { code: seen.phase.code(), name: seen.phase, iteration: seen.iteration });
        }
        // What is known of an exchange that is over may still change; that it is over is news only once.
        let newest = |exchanges: &Exchanges| exchanges.newest_ended().map(|exchange| exchange.began_before);
        let ended = newest(&self.state.exchanges);
        self.note_what_is_owed(seen.state);
        let awaited = self.awaited_of_the_visit();
        self.state.exchanges.see(seen);
        self.take_back(awaited.saturating_sub(self.awaited_of_the_visit()));
        if newest(&self.state.exchanges) > ended {
            self.exchange_ended();
        }
        self.look_after_the_run(seen);
    }

    /// How many samples of the visit under way may still come and be good.
    fn awaited_of_the_visit(&self) -> u32 {
        let visit = self.state.run.as_ref().and_then(|run| run.visit.as_ref()).map(|visit| visit.id);
        let awaited = self.awaited().filter(|awaited| visit.is_some() && *awaited == visit).count();
        u32::try_from(awaited).unwrap_or(u32::MAX)
    }

    /// So many gas exchanges of the visit are in doubt by what was just seen: it needs others.
    fn take_back(&mut self, doubted: u32) {
        if let Some(visit) = self.state.run.as_mut().and_then(|run| run.visit.as_mut()) {
            visit.clean_exchanges = visit.clean_exchanges.saturating_sub(doubted);
        }
    }

    /// A gas exchange is over: it may be what the visit waited for.
    fn exchange_ended(&mut self) {
        let Some(exchange) = self.state.exchanges.newest_ended() else { return };
        let credit = attribute(Origin::Exchange { exchange, missed: 0 }, &self.state.timeline);
        self.sample_over();
        if credit.attribution == Attribution::Exact && !credit.discard {
            self.drawn_for(credit.stay.map(|stay| stay.visit));
        }
    }

    /// The visit has one more sample that the plan wants, or will have once its result comes.
    pub(super) fn drawn_for(&mut self, visit: Option<VisitId>) {
        let Some(run) = &mut self.state.run else { return };
        let Some(stop) = run.target() else { return };
        let Some(visit) = run.visit.as_mut().filter(|under_way| Some(under_way.id) == visit) else { return };
        visit.clean_exchanges += 1;
        let wanted = stop.iterations.map(|wanted| wanted.saturating_add(stop.discard_first));
        let enough = wanted.is_some_and(|wanted| visit.clean_exchanges >= wanted);
        if run.stage == Stage::Measuring && enough {
            self.measure_over();
        }
    }

    /// Somebody else may make the analyzer measure.
    fn mind_strangers(&mut self, analyzer: AnalyzerState) {
        if analyzer == AnalyzerState::Measuring && self.state.run.is_none() {
            let text = "the analyzer is measuring, but not for gaserad; a start can take it over (--if-measuring adopt) or \
                        stop it first (--if-measuring stop)";
            self.alarm(Severity::Warning, "analyzer_measuring", text.into());
        }
    }

    fn look_after_the_run(&mut self, seen: Seen) {
        if !self.mind_absence(seen) {
            return;
        }
        let Some(run) = &self.state.run else { return };
        if run.stage == Stage::Lingering {
            self.leave_or_linger();
        }
    }

    fn errors(&mut self, errors: DeviceErrors) {
        if self.state.analyzer.errors == errors {
            return;
        }
        let text = errors.sentence();
        self.tell(Event::DeviceErrors { codes: errors.0.clone(), text: text.clone() });
        let blocking = errors.worst().filter(|worst| *worst >= Severity::Blocker);
        let before = std::mem::replace(&mut self.state.analyzer.errors, errors);
        self.mind_errors(&before);
        match blocking {
            Some(severity) => {
                self.alarm(severity, "analyzer_error", text.clone());
                self.in_the_way(Cause::AnalyzerErrors, &format!("the analyzer reports {text}"));
            }
            None => self.out_of_the_way(Cause::AnalyzerErrors),
        }
    }

    pub(super) fn analyzer_did(&mut self, id: CommandId, answer: Result<AnalyzerAnswer, Fault>) {
        if self.analyzer_served(id, &answer) || self.state.identities.analyzer_is_strange() {
            return;
        }
        if self.state.owed_stop == Some(id) && answer.is_ok() {
            self.stop_is_not_owed();
        }
        let Some(stage) = self.awaits(id) else { return };
        match (stage, answer) {
            (Stage::Preparing(_), Ok(prepared)) => self.prepared(prepared),
            (Stage::Recovering(_), answer) => self.prepared_again(answer),
            (Stage::Interrupting(_), _) => self.interrupted(),
            (Stage::Starting(_, settled), Ok(_)) => self.measuring_began(settled),
            (Stage::Starting(..), Err(fault)) if self.start_again(&fault) => {}
            (Stage::Preparing(_) | Stage::Starting(..), Err(fault)) => self.fail(&fault, Device::Analyzer),
            // A look that failed shows nothing; that the analyzer is gone is told by itself.
            (Stage::PurgeOver(_), _) => self.measure(),
            (Stage::MeasureOver(_), _) => self.leave_or_linger(),
            (stage @ (Stage::Closing(..) | Stage::Stopping(..)), answer) => self.stopped(stage, answer.map(|_| ())),
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
