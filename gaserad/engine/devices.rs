//! What the devices tell, as far as it does not matter whether a run is under way: it is noted, and told on.

use super::turn::Turn;
use crate::domain::{
    AnalyzerAnswer, AnalyzerState, CommandId, DeviceErrors, Event, Fault, Position, Reconnection, Seen, Severity,
};

/// The error of a source that was just switched on.
const WARMING_UP: &str = "8026";

impl Turn {
    /// The analyzer was seen. Whether what it does says something of the known one.
    pub fn note_seen(&mut self, seen: Seen) -> bool {
        let analyzer = &mut self.station.analyzer;
        let state = analyzer.state.replace(seen.state);
        let phase = analyzer.phase.replace(seen.phase);
        analyzer.iteration = seen.iteration;
        if self.station.identities.analyzer_is_strange() {
            return false;
        }
        if state != Some(seen.state) {
            self.mind_strangers(seen.state);
            self.tell(Event::DeviceStatus { code: seen.state.code(), name: seen.state, previous: state });
        }
        if phase != Some(seen.phase) {
            self.tell(Event::DevicePhase { code: seen.phase.code(), name: seen.phase, iteration: seen.iteration });
        }
        true
    }

    /// Somebody else may make the analyzer measure.
    fn mind_strangers(&mut self, analyzer: AnalyzerState) {
        if analyzer == AnalyzerState::Measuring && self.under_way.is_none() {
            let text = "the analyzer is measuring, but not for gaserad; a start can take it over (--if-measuring adopt) or \
                        stop it first (--if-measuring stop)";
            self.alarm(Severity::Warning, "analyzer_measuring", text.into());
        }
    }

    /// It can be asked again, and does not measure any more.
    pub fn note_reconnected(&mut self, told: Reconnection) {
        let absence = &mut self.station.analyzer.absence;
        absence.unreachable = true;
        if told.program_was_down {
            absence.shows("its machine answered, and its program did not");
        }
        if told.result_is_gone {
            absence.shows("the result that it held is gone");
        }
    }

    /// What it reports; whether that is news.
    pub fn note_errors(&mut self, errors: DeviceErrors) -> bool {
        let analyzer = &mut self.station.analyzer;
        if analyzer.errors == errors {
            return false;
        }
        let warming = |errors: &DeviceErrors| errors.0.iter().any(|code| code == WARMING_UP);
        if warming(&errors) && !warming(&analyzer.errors) && analyzer.absence.unreachable {
            analyzer.absence.shows("its source is warming up");
        }
        let (codes, text) = (errors.0.clone(), errors.sentence());
        analyzer.errors = errors;
        self.tell(Event::DeviceErrors { codes, text });
        true
    }

    /// Errors that block measuring, if there are any.
    pub fn alarm_of_errors(&mut self) -> Option<String> {
        let errors = &self.station.analyzer.errors;
        let severity = errors.worst().filter(|worst| *worst >= Severity::Blocker)?;
        let text = errors.sentence();
        self.alarm(severity, "analyzer_error", text.clone());
        Some(text)
    }

    /// The analyzer answered an order. Whether a run may be meant.
    pub fn note_analyzer_did(
        &mut self,
        id: CommandId,
        answer: &Result<AnalyzerAnswer, Fault>,
        within_a_run: bool,
    ) -> bool {
        if self.analyzer_served(id, answer) || self.station.identities.analyzer_is_strange() {
            return false;
        }
        if self.station.owed_stop == Some(id) && answer.is_ok() {
            self.stop_is_not_owed(within_a_run);
        }
        true
    }

    /// The valve says unasked where it is. Whether that is believed, and not to be answered by an order under way.
    pub fn note_valve_at(&mut self, position: Position) -> bool {
        if self.station.identities.valve_is_strange() {
            // Where another valve stands says nothing.
            return false;
        }
        self.station.valve.fault.clear();
        let is_news = self.station.valve.ordered.is_none();
        if is_news {
            self.valve_is(position);
        }
        is_news
    }

    pub fn note_valve_lost(&mut self, fault: &Fault) {
        self.station.valve.fault.clone_from(&fault.text);
        self.valve_is(Position::Unknown);
        self.alarm(Severity::Blocker, "multiplexer_fault", fault.text.clone());
    }

    /// The valve answered an order: what came of it, if it is the one that is awaited.
    pub fn note_valve_did(
        &mut self,
        id: CommandId,
        answer: Result<Position, Fault>,
    ) -> Option<Result<Position, Fault>> {
        self.valve_served(id, &answer);
        self.station.valve.ordered.take_if(|ordered| *ordered == id)?;
        let answer = self.station.identities.unless_strange(answer);
        match &answer {
            Ok(position) => {
                let valve = &mut self.station.valve;
                valve.fault.clear();
                valve.lost_since = None;
                valve.tried_again = false;
                self.valve_is(*position);
            }
            Err(_) if self.station.identities.valve_is_strange() => {}
            Err(fault) => self.note_valve_lost(fault),
        }
        Some(answer)
    }

    /// The disk of the state directory; the sentence that says that it has begun to be nearly full.
    pub fn note_disk(&mut self, free_bytes: u64, low: bool) -> Option<String> {
        let before = std::mem::replace(&mut self.station.disk_low, low.then_some(free_bytes));
        self.station.little_space().filter(|_| before.is_none())
    }
}
