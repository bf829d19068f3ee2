//! The valve and the analyzer in somebody's hands, outside of runs.

use super::event::RequestId;
use super::{Effect, Turn, admit};
use crate::domain::{AnalyzerAnswer, AnalyzerOrder, CommandId, Done, Fault, Position, Service, ValveOrder};
use admit::Device;

impl Turn {
    /// Within a run the valve is not asked where it stands either: what is known of it is verified all the time.
    pub(super) fn move_valve(&mut self, request: RequestId, order: ValveOrder) {
        if order == ValveOrder::Where && self.state.run.is_some() {
            let position = self.state.valve.position;
            self.effects.push(Effect::Reply { request, answer: Ok(Done::Valve(position)) });
            return;
        }
        let known = || if order == ValveOrder::Where { Ok(()) } else { self.state.identities.valve_is_known() };
        if let Err(denied) = admit::by_hand(&self.state, "move the valve").and_then(|()| known()) {
            self.effects.push(Effect::Reply { request, answer: Err(denied) });
            return;
        }
        let id = self.order_valve(order);
        self.state.errands.valve.insert(id, request);
    }

    pub(super) fn serve(&mut self, request: RequestId, service: Service) {
        let admitted = admit::by_hand(&self.state, "change the analyzer")
            .and_then(|()| self.state.identities.analyzer_is_known())
            .and_then(|()| admit::online(&self.state));
        if let Err(denied) = admitted {
            self.effects.push(Effect::Reply { request, answer: Err(denied) });
            return;
        }
        let id = self.order_analyzer(AnalyzerOrder::Serve(service));
        self.state.errands.analyzer.insert(id, request);
    }

    /// Somebody waits for this answer of the valve.
    pub(super) fn valve_served(&mut self, id: CommandId, answer: &Result<Position, Fault>) {
        let Some(request) = self.state.errands.valve.remove(&id) else { return };
        let answer = match answer {
            Ok(position) => Ok(Done::Valve(*position)),
            Err(fault) => Err(admit::denied(fault, Device::Valve)),
        };
        self.effects.push(Effect::Reply { request, answer });
    }

    /// Somebody waits for this answer of the analyzer.
    pub(super) fn analyzer_served(&mut self, id: CommandId, answer: &Result<AnalyzerAnswer, Fault>) -> bool {
        let Some(request) = self.state.errands.analyzer.remove(&id) else { return false };
        let answer = match answer {
            Ok(AnalyzerAnswer::Served(reply)) => Ok(Done::Served(reply.clone())),
            Ok(_) => Ok(Done::Served(String::new())),
            Err(fault) => Err(admit::denied(fault, Device::Analyzer)),
        };
        self.effects.push(Effect::Reply { request, answer });
        true
    }
}
