//! What the devices tell, and what it means for the run under way.

use super::Turn;
use super::admit::Device;
use super::state::Stage;
use crate::domain::{
    AnalyzerAnswer, AnalyzerNews, AnalyzerState, CommandId, DeviceErrors, Event, Fault, FaultKind, Position, Seen,
    Severity, ValveNews,
};

impl Turn {
    pub(super) fn hear_analyzer(&mut self, news: AnalyzerNews) {
        match news {
            AnalyzerNews::Online { identity } => self.online(identity),
            AnalyzerNews::Offline { reason } => self.offline(reason),
            AnalyzerNews::Seen(seen) => self.see(seen),
            AnalyzerNews::Result(read) => self.result(read),
            AnalyzerNews::Errors(errors) => self.errors(errors),
            AnalyzerNews::Clock { offset_ms } => self.state.analyzer.clock_offset_ms = Some(offset_ms),
        }
    }

    fn online(&mut self, identity: Vec<String>) {
        let analyzer = &mut self.state.analyzer;
        analyzer.identity = identity;
        analyzer.offline_since = None;
        analyzer.reason.clear();
        if !std::mem::replace(&mut analyzer.online, true) {
            self.tell(Event::DeviceConnection { online: true, reason: String::new() });
        }
    }

    fn offline(&mut self, reason: String) {
        let at = self.at.tick;
        let analyzer = &mut self.state.analyzer;
        analyzer.offline_since.get_or_insert(at);
        analyzer.reason.clone_from(&reason);
        analyzer.online = false;
        self.tell(Event::DeviceConnection { online: false, reason });
    }

    fn see(&mut self, seen: Seen) {
        let analyzer = &mut self.state.analyzer;
        let state = analyzer.state.replace(seen.state);
        let phase = analyzer.phase.replace(seen.phase);
        analyzer.iteration = seen.iteration;
        if state != Some(seen.state) {
            self.tell(Event::DeviceStatus { code: seen.state.code(), name: seen.state, previous: state });
        }
        if phase != Some(seen.phase) {
            self.tell(Event::DevicePhase { code: seen.phase.code(), name: seen.phase, iteration: seen.iteration });
        }
        let ended = self.state.exchanges.newest_ended();
        self.state.exchanges.see(seen);
        if self.state.exchanges.newest_ended() != ended {
            self.exchange_ended();
        }
        self.look_after_the_run(seen.state);
    }

    /// A gas exchange is over: it may be what the visit waited for.
    fn exchange_ended(&mut self) {
        let Some(exchange) = self.state.exchanges.newest_ended() else { return };
        let covered = self.state.timeline.stay().is_some_and(|stay| stay.covers(&exchange));
        let Some(run) = &mut self.state.run else { return };
        let Some(visit) = run.visit.as_mut().filter(|_| covered) else { return };
        visit.clean_exchanges += 1;
        let enough = run.plan.iterations.is_some_and(|wanted| visit.clean_exchanges >= wanted);
        if run.stage == Stage::Measuring && enough {
            self.measure_over();
        }
    }

    fn look_after_the_run(&mut self, analyzer: AnalyzerState) {
        let Some(run) = &self.state.run else { return };
        let gone = matches!(
            analyzer,
            AnalyzerState::Initializing
                | AnalyzerState::InitializationError
                | AnalyzerState::Idle
                | AnalyzerState::SelfTest
                | AnalyzerState::Malfunction
        );
        if gone && run.needs_measuring() {
            let text = format!(
                "the analyzer stopped measuring by itself: it is {}; look at its display and its errors",
                analyzer.words()
            );
            return self.fail(&Fault::new(FaultKind::Refused, text), Device::Analyzer);
        }
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
        if let Some(severity) = errors.worst().filter(|worst| *worst >= Severity::Blocker) {
            let run_id = self.state.run.as_ref().map(|run| run.id.clone());
            self.tell(Event::Alarm { severity, code: "analyzer_error".into(), text, run_id });
        }
        self.state.analyzer.errors = errors;
    }

    pub(super) fn analyzer_did(&mut self, id: CommandId, answer: Result<AnalyzerAnswer, Fault>) {
        if self.analyzer_served(id, &answer) {
            return;
        }
        let Some(stage) = self.awaits(id) else { return };
        match (stage, answer) {
            (Stage::Preparing(_), Ok(prepared)) => self.prepared(prepared),
            (Stage::Starting(_, settled), Ok(_)) => self.measuring_began(settled),
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
                | Stage::Draining,
                _,
            ) => {}
        }
    }

    pub(super) fn hear_valve(&mut self, news: ValveNews) {
        match news {
            ValveNews::At(position) => {
                self.state.valve.fault.clear();
                self.valve_is(position);
            }
            ValveNews::Is(description) => self.state.valve.description = description,
            ValveNews::Lost(fault) => self.valve_lost(&fault),
        }
    }

    fn valve_lost(&mut self, fault: &Fault) {
        self.state.valve.fault.clone_from(&fault.text);
        self.valve_is(Position::Unknown);
        let run_id = self.state.run.as_ref().map(|run| run.id.clone());
        let code = "multiplexer_fault".to_owned();
        self.tell(Event::Alarm { severity: Severity::Blocker, code, text: fault.text.clone(), run_id });
    }

    pub(super) fn valve_did(&mut self, id: CommandId, answer: Result<Position, Fault>) {
        self.valve_served(id, &answer);
        if self.state.valve.ordered != Some(id) {
            return;
        }
        self.state.valve.ordered = None;
        let stage = self.awaits(id);
        match answer {
            Ok(position) => {
                self.state.valve.fault.clear();
                self.valve_is(position);
                match stage {
                    Some(Stage::Homing(_)) => self.homed(),
                    Some(Stage::Moving(_)) => self.moved(),
                    _ => {}
                }
            }
            Err(fault) => {
                self.valve_lost(&fault);
                if stage.is_some() {
                    self.fail(&fault, Device::Valve);
                }
            }
        }
    }
}
