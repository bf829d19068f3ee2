//! Which devices were known, and which stranger is there instead. What that means is for `identity` and `running::identity`.

use crate::domain::{
    AnalyzerOrder, CommandId, Denied, Fault, FaultKind, KnownAnalyzer, KnownDevices, KnownMultiplexer, Position, Reason,
};

/// Who was known, and who is there instead.
#[derive(Debug, Clone, Default)]
pub struct Identities {
    pub known: KnownDevices,
    pub analyzer: Option<Stranger<KnownAnalyzer>>,
    pub multiplexer: Option<Stranger<KnownMultiplexer>>,
    /// The analyzer has told who it is since the process began.
    pub met_analyzer: bool,
    /// The order to stop that is given once it is known that it is the right one.
    pub held_stop: Option<CommandId>,
}

/// Another device in the place of a known one.
#[derive(Debug, Clone)]
pub struct Stranger<T> {
    pub found: T,
    /// What was known, what is there, and what to do.
    pub text: String,
}

impl Identities {
    pub fn new(known: KnownDevices) -> Self {
        Self { known, ..Self::default() }
    }

    pub const fn analyzer_is_strange(&self) -> bool {
        self.analyzer.is_some()
    }

    pub const fn valve_is_strange(&self) -> bool {
        self.multiplexer.is_some()
    }

    pub fn analyzer_is_known(&self) -> Result<(), Denied> {
        known(self.analyzer.as_ref())
    }

    pub fn valve_is_known(&self) -> Result<(), Denied> {
        known(self.multiplexer.as_ref())
    }

    pub fn are_known(&self) -> Result<(), Denied> {
        self.analyzer_is_known().and_then(|()| self.valve_is_known())
    }

    /// Who the analyzer is a stranger to, if it is one.
    pub fn analyzer_stranger_to(&self) -> String {
        let known = self.known.analyzer.as_ref().filter(|_| self.analyzer.is_some());
        known.map(KnownAnalyzer::words).unwrap_or_default()
    }

    pub fn valve_stranger_to(&self) -> String {
        let known = self.known.multiplexer.as_ref().filter(|_| self.multiplexer.is_some());
        known.map(KnownMultiplexer::words).unwrap_or_default()
    }

    /// Nothing is ordered of an analyzer that is a stranger, and no stop before it has told who it is.
    pub fn holds_back(&mut self, id: CommandId, order: &AnalyzerOrder) -> bool {
        let unmet = self.known.minds_analyzer && self.known.analyzer.is_some() && !self.met_analyzer;
        let stops = *order == AnalyzerOrder::Stop;
        let held = self.analyzer.is_some() || (unmet && stops);
        if held && stops {
            self.held_stop = Some(id);
        }
        held
    }

    /// What a stranger answers to an order that was meant for another is no answer to it.
    pub fn unless_strange(&self, answer: Result<Position, Fault>) -> Result<Position, Fault> {
        match &self.multiplexer {
            Some(stranger) if answer.is_ok() => Err(Fault::new(FaultKind::Refused, stranger.text.clone())),
            _ => answer,
        }
    }
}

fn known<T>(stranger: Option<&Stranger<T>>) -> Result<(), Denied> {
    stranger.map_or(Ok(()), |stranger| Err(Denied::new(Reason::DeviceStranger, stranger.text.clone())))
}
