//! Whether the devices are those that were known: compared at each contact, and so at each start and each resume.
//!
//! A stranger is not moved, not started and not believed, until somebody accepts it or the known one is back. Another
//! analyzer is as if it were offline; the valve's position is unknown from when the known one was last read back. What a
//! device does not tell makes it no stranger, and the first of its kind is accepted as it is. What a stranger means for
//! the run under way is `running::strangers`.

use super::effect::Effect;
use super::state::{State, Stranger};
use super::turn::Turn;
use crate::domain::{
    AnalyzerOrder, CommandId, Denied, DeviceKind, Event, Fact, KnownAnalyzer, KnownMultiplexer, Position, Reason,
    Severity, Tick, Utc, ValveDescription,
};

impl State {
    /// The multiplexer that is to be there; `None` if there is none yet, or if it does not matter.
    pub fn known_multiplexer(&self) -> Option<&KnownMultiplexer> {
        let known = &self.station.identities.known;
        known.multiplexer.as_ref().filter(|_| known.minds_multiplexer)
    }
}

/// The analyzer was contacted.
pub(super) enum AnalyzerContact {
    /// It is another one than before, and this says so.
    Stranger(String),
    /// The stranger that it was, as far as it tells.
    StillStrange,
    /// It was offline, and is not any more.
    Back,
    StillThere,
}

/// The multiplexer was contacted.
pub(super) enum MultiplexerContact {
    /// It is another one than before, and this says so.
    Stranger(String),
    /// The known one, after a stranger.
    Returned,
    NoNews,
}

impl Turn {
    pub fn contact_analyzer(&mut self, identity: &[String]) -> AnalyzerContact {
        self.station.analyzer.identity = identity.to_vec();
        match self.meet_analyzer(identity) {
            Err(Some(text)) => return AnalyzerContact::Stranger(text),
            Err(None) => return AnalyzerContact::StillStrange,
            Ok(()) => {}
        }
        let analyzer = &mut self.station.analyzer;
        analyzer.offline_since = None;
        analyzer.reason.clear();
        if std::mem::replace(&mut analyzer.online, true) {
            return AnalyzerContact::StillThere;
        }
        self.tell(Event::DeviceConnection { online: true, reason: String::new() });
        AnalyzerContact::Back
    }

    /// Whether it may be worked with; if not, the sentence that says so first.
    fn meet_analyzer(&mut self, words: &[String]) -> Result<(), Option<String>> {
        let identities = &mut self.station.identities;
        identities.met_analyzer = true;
        let Some(found) = KnownAnalyzer::of(words).filter(|_| identities.known.minds_analyzer) else {
            // What is not told makes no stranger, and makes a stranger no less one.
            return if identities.analyzer.is_none() { Ok(()) } else { Err(None) };
        };
        match identities.known.analyzer.as_ref().map(|known| known.differs(&found)) {
            Some(Some(why)) => {
                let text = sentence(DeviceKind::Analyzer, &why);
                identities.analyzer = Some(Stranger { found, text: text.clone() });
                self.shun_analyzer(&text);
                return Err(Some(text));
            }
            Some(None) => identities.analyzer = None,
            None => {
                identities.known.analyzer = Some(found.clone());
                self.keep(Fact::AnalyzerKnown(found));
            }
        }
        Ok(())
    }

    fn shun_analyzer(&mut self, text: &str) {
        self.alarm(Severity::Blocker, "analyzer_stranger", text.to_owned());
        self.station.analyzer.clock_offset_ms = None;
        self.analyzer_offline(text.to_owned());
    }

    pub fn analyzer_offline(&mut self, reason: String) {
        let at = self.at.tick;
        let analyzer = &mut self.station.analyzer;
        analyzer.offline_since.get_or_insert(at);
        analyzer.reason.clone_from(&reason);
        analyzer.online = false;
        analyzer.absence.unreachable = true;
        self.tell(Event::DeviceConnection { online: false, reason });
    }

    /// The known analyzer is there: it is told to stop, if somebody still waits for that.
    pub fn give_held_stop(&mut self, awaited: Option<CommandId>) -> bool {
        let Some(id) = self.station.identities.held_stop.take() else { return false };
        let is_awaited = self.station.owed_stop == Some(id) || awaited == Some(id);
        if is_awaited {
            self.effects.push(Effect::Analyzer { id, order: AnalyzerOrder::Stop });
        }
        is_awaited
    }

    /// It said what it is. Before that it was last seen at `seen`.
    pub fn meet_multiplexer(&mut self, description: &ValveDescription, seen: Tick) -> MultiplexerContact {
        let identities = &mut self.station.identities;
        let found = KnownMultiplexer::of(description, self.at.utc).filter(|_| identities.known.minds_multiplexer);
        let Some(found) = found else { return MultiplexerContact::NoNews };
        let differs = identities.known.multiplexer.as_ref().and_then(|known| known.differs(&found));
        // A stranger that has moved on until its count fits is one still.
        let is_it_still =
            identities.multiplexer.as_ref().is_some_and(|stranger| stranger.found.differs(&found).is_none());
        match differs {
            Some(why) => {
                let text = sentence(DeviceKind::Multiplexer, &why);
                identities.multiplexer = Some(Stranger { found, text: text.clone() });
                if is_it_still {
                    self.station.valve.fault = text;
                    return MultiplexerContact::NoNews;
                }
                self.shun_multiplexer(&text, seen);
                MultiplexerContact::Stranger(text)
            }
            None if is_it_still => MultiplexerContact::NoNews,
            None => {
                let returned = identities.multiplexer.take().is_some();
                self.know_multiplexer(found);
                if returned { MultiplexerContact::Returned } else { MultiplexerContact::NoNews }
            }
        }
    }

    fn know_multiplexer(&mut self, found: KnownMultiplexer) {
        let known = &mut self.station.identities.known.multiplexer;
        let before = known.clone();
        let renewed = before.clone().unwrap_or_default().renewed(found);
        *known = Some(renewed.clone());
        let undated = |known: KnownMultiplexer| KnownMultiplexer { seen: Utc::default(), ..known };
        if before.map(undated) != Some(undated(renewed.clone())) {
            self.keep(Fact::MultiplexerKnown(renewed));
        }
    }

    fn shun_multiplexer(&mut self, text: &str, seen: Tick) {
        self.station.timeline.unseen_since(seen);
        text.clone_into(&mut self.station.valve.fault);
        self.valve_is(Position::Unknown);
        self.alarm(Severity::Blocker, "multiplexer_stranger", text.to_owned());
    }

    /// What it is, apart from who.
    pub fn describe_valve(&mut self, description: ValveDescription) {
        if self.station.valve.description != description {
            self.station.valve.description = description;
            self.tell_metrics();
        }
    }

    /// Somebody means the device that is there now; the words that name it.
    pub fn accept_stranger(&mut self, device: DeviceKind, within_a_run: bool) -> Result<String, Denied> {
        if self.station.shutting_down {
            let text = format!("cannot accept the {}: gaserad is shutting down", device.word());
            return Err(Denied::new(Reason::ShuttingDown, text));
        }
        match device {
            DeviceKind::Analyzer => self.accept_analyzer(within_a_run),
            DeviceKind::Multiplexer => self.accept_multiplexer(),
        }
    }

    fn accept_analyzer(&mut self, within_a_run: bool) -> Result<String, Denied> {
        let identities = &mut self.station.identities;
        let known = identities.known.analyzer.as_ref().map(KnownAnalyzer::words);
        let Some(Stranger { found, .. }) = identities.analyzer.take() else {
            return Err(nothing_to_accept(DeviceKind::Analyzer, known));
        };
        identities.known.analyzer = Some(found.clone());
        // What was owed to the other one is no business of this one.
        identities.held_stop = None;
        self.station.stamps.forget_dating();
        self.stop_is_not_owed(within_a_run);
        let words = found.words();
        self.keep(Fact::AnalyzerKnown(found));
        Ok(words)
    }

    fn accept_multiplexer(&mut self) -> Result<String, Denied> {
        let identities = &mut self.station.identities;
        let known = identities.known.multiplexer.as_ref().map(KnownMultiplexer::words);
        let Some(Stranger { found, .. }) = identities.multiplexer.take() else {
            return Err(nothing_to_accept(DeviceKind::Multiplexer, known));
        };
        let words = found.words();
        identities.known.multiplexer = Some(found.clone());
        self.keep(Fact::MultiplexerKnown(found));
        Ok(words)
    }
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
