//! Whether the devices are those that were known: compared at each contact, and so at each start and each resume.
//!
//! A stranger is not moved, not started and not believed, until somebody accepts it or the known one is back. Another
//! analyzer is as if it were offline; the valve's position is unknown from when the known one was last read back. What a
//! device does not tell makes it no stranger, and the first of its kind is accepted as it is.

use serde::{Deserialize, Serialize};

use super::event::RequestId;
use super::state::Stage;
use super::{Effect, Turn, admit};
use crate::domain::{
    AnalyzerOrder, Cause, CommandId, Denied, DeviceKind, Done, Fact, Fault, FaultKind, KnownAnalyzer, KnownDevices,
    KnownMultiplexer, Position, Reason, Severity, Tick, ValveDescription, ValveOrder,
};

/// Devices that are no longer those that a run began with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Untouched {
    pub analyzer: bool,
    pub valve: bool,
}

/// Who was known, and who is there instead.
#[derive(Debug, Clone, Default)]
pub(super) struct Identities {
    known: KnownDevices,
    analyzer: Option<Stranger<KnownAnalyzer>>,
    multiplexer: Option<Stranger<KnownMultiplexer>>,
    /// The analyzer has told who it is since the process began.
    met_analyzer: bool,
    /// The order to stop that is given once it is known that it is the right one.
    held_stop: Option<CommandId>,
}

/// Another device in the place of a known one.
#[derive(Debug, Clone)]
struct Stranger<T> {
    found: T,
    /// What was known, what is there, and what to do.
    text: String,
}

impl Identities {
    pub(super) fn new(known: KnownDevices) -> Self {
        Self { known, ..Self::default() }
    }

    pub(super) const fn analyzer_is_strange(&self) -> bool {
        self.analyzer.is_some()
    }

    pub(super) const fn valve_is_strange(&self) -> bool {
        self.multiplexer.is_some()
    }

    pub(super) fn analyzer_is_known(&self) -> Result<(), Denied> {
        known(self.analyzer.as_ref())
    }

    pub(super) fn valve_is_known(&self) -> Result<(), Denied> {
        known(self.multiplexer.as_ref())
    }

    pub(super) fn are_known(&self) -> Result<(), Denied> {
        self.analyzer_is_known().and_then(|()| self.valve_is_known())
    }

    /// Who the analyzer is a stranger to, if it is one.
    pub(super) fn analyzer_stranger_to(&self) -> String {
        let known = self.known.analyzer.as_ref().filter(|_| self.analyzer.is_some());
        known.map(KnownAnalyzer::words).unwrap_or_default()
    }

    pub(super) fn valve_stranger_to(&self) -> String {
        let known = self.known.multiplexer.as_ref().filter(|_| self.multiplexer.is_some());
        known.map(KnownMultiplexer::words).unwrap_or_default()
    }

    /// What a stranger answers to an order that was meant for another is no answer to it.
    pub(super) fn unless_strange(&self, answer: Result<Position, Fault>) -> Result<Position, Fault> {
        match &self.multiplexer {
            Some(stranger) if answer.is_ok() => Err(Fault::new(FaultKind::Refused, stranger.text.clone())),
            _ => answer,
        }
    }
}

fn known<T>(stranger: Option<&Stranger<T>>) -> Result<(), Denied> {
    stranger.map_or(Ok(()), |stranger| Err(Denied::new(Reason::DeviceStranger, stranger.text.clone())))
}

fn sentence(device: DeviceKind, why: &str) -> String {
    let (word, accept) = (device.word(), device.accept());
    let held = match device {
        DeviceKind::Analyzer => "nothing is started on it and nothing that it measures is credited",
        DeviceKind::Multiplexer => "it is not moved and no sample is credited to a channel",
    };
    format!(
        "the {word} is another one than before: {why}; {held} until the known one is back, or `{accept}` says that this one is meant"
    )
}

impl super::State {
    /// The multiplexer that is to be there; `None` if there is none yet, or if it does not matter.
    pub fn known_multiplexer(&self) -> Option<&KnownMultiplexer> {
        self.identities.known.multiplexer.as_ref().filter(|_| self.identities.known.minds_multiplexer)
    }
}

impl Turn {
    /// The analyzer was contacted; whether it may be worked with.
    pub(super) fn meet_analyzer(&mut self, words: &[String]) -> bool {
        let identities = &mut self.state.identities;
        identities.met_analyzer = true;
        let Some(found) = KnownAnalyzer::of(words).filter(|_| identities.known.minds_analyzer) else {
            // What is not told makes no stranger, and makes a stranger no less one.
            return identities.analyzer.is_none();
        };
        match identities.known.analyzer.as_ref().map(|known| known.differs(&found)) {
            Some(Some(why)) => {
                let text = sentence(DeviceKind::Analyzer, &why);
                identities.analyzer = Some(Stranger { found, text: text.clone() });
                self.shun_analyzer(text);
                return false;
            }
            Some(None) => identities.analyzer = None,
            None => {
                identities.known.analyzer = Some(found.clone());
                self.keep(Fact::AnalyzerKnown(found));
            }
        }
        true
    }

    fn shun_analyzer(&mut self, text: String) {
        self.alarm(Severity::Blocker, "analyzer_stranger", text.clone());
        self.state.analyzer.clock_offset_ms = None;
        self.offline(text.clone());
        let ending = |run: &super::state::Run| {
            matches!(run.stage, Stage::Stopping(..) | Stage::Parking(..) | Stage::Closing(..) | Stage::Interrupting(_))
        };
        if self.state.run.as_ref().is_some_and(|run| !ending(run) && run.stage != Stage::Interrupted) {
            self.fail_for_stranger(text, admit::Device::Analyzer);
        }
    }

    fn fail_for_stranger(&mut self, text: String, device: admit::Device) {
        let denied = Denied::new(Reason::DeviceStranger, text.clone());
        let Some(run) = &mut self.state.run else { return };
        if matches!(run.stage, Stage::Preparing(_)) {
            return self.refuse(&denied);
        }
        if let Some(request) = run.starter.take() {
            self.effects.push(Effect::Reply { request, answer: Err(denied) });
        }
        self.fail(&Fault::new(FaultKind::Refused, text), device);
    }

    /// Nothing is ordered of an analyzer that is a stranger, and no stop before it has told who it is.
    pub(super) fn is_held(&mut self, id: CommandId, order: &AnalyzerOrder) -> bool {
        let identities = &mut self.state.identities;
        let unmet = identities.known.minds_analyzer && identities.known.analyzer.is_some() && !identities.met_analyzer;
        let stops = *order == AnalyzerOrder::Stop;
        let held = identities.analyzer.is_some() || (unmet && stops);
        if held && stops {
            identities.held_stop = Some(id);
        }
        held
    }

    /// The known analyzer is there: it is told to stop, if somebody still waits for that.
    pub(super) fn give_held_stop(&mut self) -> bool {
        let Some(id) = self.state.identities.held_stop.take() else { return false };
        let awaited = self.state.owed_stop == Some(id) || self.awaits(id).is_some();
        if awaited {
            self.effects.push(Effect::Analyzer { id, order: AnalyzerOrder::Stop });
        }
        awaited
    }

    /// The multiplexer was contacted, and said what it is. Before that it was last seen at `seen`.
    pub(super) fn meet_multiplexer(&mut self, description: &ValveDescription, seen: Tick) {
        let identities = &mut self.state.identities;
        let found = KnownMultiplexer::of(description, self.at.utc).filter(|_| identities.known.minds_multiplexer);
        let Some(found) = found else { return };
        let differs = identities.known.multiplexer.as_ref().and_then(|known| known.differs(&found));
        // A stranger that has moved on until its count fits is one still.
        let is_it_still =
            identities.multiplexer.as_ref().is_some_and(|stranger| stranger.found.differs(&found).is_none());
        match differs {
            Some(why) => {
                let text = sentence(DeviceKind::Multiplexer, &why);
                identities.multiplexer = Some(Stranger { found, text: text.clone() });
                if is_it_still {
                    self.state.valve.fault = text;
                } else {
                    self.shun_multiplexer(text, seen);
                }
            }
            None if is_it_still => {}
            None => {
                let returned = identities.multiplexer.take().is_some();
                self.know_multiplexer(found);
                if returned {
                    self.trust_valve_again();
                }
            }
        }
    }

    fn know_multiplexer(&mut self, found: KnownMultiplexer) {
        let known = &mut self.state.identities.known.multiplexer;
        let before = known.clone();
        let renewed = before.clone().unwrap_or_default().renewed(found);
        *known = Some(renewed.clone());
        let undated = |known: KnownMultiplexer| KnownMultiplexer { seen: crate::domain::Utc::default(), ..known };
        if before.map(undated) != Some(undated(renewed.clone())) {
            self.keep(Fact::MultiplexerKnown(renewed));
        }
    }

    fn shun_multiplexer(&mut self, text: String, seen: Tick) {
        self.state.timeline.unseen_since(seen);
        self.state.valve.fault.clone_from(&text);
        self.valve_is(Position::Unknown);
        self.alarm(Severity::Blocker, "multiplexer_stranger", text.clone());
        self.in_the_way(Cause::Valve, &text);
        if self.state.run.as_ref().is_some_and(|run| matches!(run.stage, Stage::Recovering(_))) {
            self.fail_for_stranger(text, admit::Device::Valve);
        }
    }

    /// The known valve is back, or this one is meant. Where it stands is not known before it was sent somewhere.
    fn trust_valve_again(&mut self) {
        self.state.valve.fault.clear();
        let Some(run) = &self.state.run else {
            if self.state.valve.ordered.is_none() {
                self.order_valve(ValveOrder::Where);
            }
            return;
        };
        if let Stage::ValveLost(order) = run.stage {
            self.send_again(order);
        } else if let Some(expected) = run.stands_at.filter(|_| run.is_at_a_stop()) {
            let at_its_stop = run.ordered_start && run.target().is_some_and(|stop| stop.channel == expected);
            if at_its_stop {
                self.reckon_from_now();
                self.go(expected);
            } else {
                self.send_again(ValveOrder::Home);
            }
        }
        self.out_of_the_way(Cause::Valve);
    }

    /// A valve that must not be moved is waited for as one that is away; whoever waits for a start is told at once.
    pub(super) fn await_known_valve(&mut self, order: ValveOrder) {
        let at = self.at.tick;
        let Some(stranger) = &self.state.identities.multiplexer else { return };
        let text = stranger.text.clone();
        let Some(run) = &self.state.run else { return };
        if run.starter.is_some() {
            return self.fail_for_stranger(text, admit::Device::Valve);
        }
        let since = *self.state.valve.lost_since.get_or_insert(at);
        self.enter_until(Stage::ValveLost(order), since, since + self.state.limits.grace);
    }

    /// The same in a stage that waited for an answer; whether it is so.
    pub(super) fn await_known_valve_in(&mut self, stage: &Stage) -> bool {
        let order = self.order_of(stage).filter(|_| self.state.identities.valve_is_strange());
        order.map(|order| self.await_known_valve(order)).is_some()
    }

    /// Somebody means the device that is there now.
    pub(super) fn accept(&mut self, request: RequestId, device: DeviceKind) {
        let answer = match device {
            _ if self.state.shutting_down => {
                let text = format!("cannot accept the {}: gaserad is shutting down", device.word());
                Err(Denied::new(Reason::ShuttingDown, text))
            }
            DeviceKind::Analyzer => self.accept_analyzer(),
            DeviceKind::Multiplexer => self.accept_multiplexer(),
        };
        self.effects.push(Effect::Reply { request, answer: answer.map(Done::Accepted) });
    }

    fn accept_analyzer(&mut self) -> Result<String, Denied> {
        let identities = &mut self.state.identities;
        let known = identities.known.analyzer.as_ref().map(KnownAnalyzer::words);
        let Some(Stranger { found, .. }) = identities.analyzer.take() else {
            return Err(nothing_to_accept(DeviceKind::Analyzer, known));
        };
        identities.known.analyzer = Some(found.clone());
        // What was owed to the other one is no business of this one.
        identities.held_stop = None;
        self.state.stamps.forget_dating();
        self.stop_is_not_owed();
        let words = found.words();
        self.keep(Fact::AnalyzerKnown(found));
        let identity = self.state.analyzer.identity.clone();
        self.online(&identity);
        Ok(words)
    }

    fn accept_multiplexer(&mut self) -> Result<String, Denied> {
        let identities = &mut self.state.identities;
        let known = identities.known.multiplexer.as_ref().map(KnownMultiplexer::words);
        let Some(Stranger { found, .. }) = identities.multiplexer.take() else {
            return Err(nothing_to_accept(DeviceKind::Multiplexer, known));
        };
        let words = found.words();
        identities.known.multiplexer = Some(found.clone());
        self.keep(Fact::MultiplexerKnown(found));
        self.trust_valve_again();
        Ok(words)
    }
}

fn nothing_to_accept(device: DeviceKind, known: Option<String>) -> Denied {
    let word = device.word();
    let text = match known {
        Some(known) => format!("there is nothing to accept: no other {word} was met than the known one ({known})"),
        None => format!(
            "there is nothing to accept: no {word} was met yet that tells who it is, and the first one is accepted by itself"
        ),
    };
    Denied::new(Reason::NotNow, text)
}
