//! The valve and the analyzer in somebody's hands, outside of runs.

use super::admit::{self, Device};
use super::event::RequestId;
use super::turn::Turn;
use crate::domain::{AnalyzerAnswer, AnalyzerOrder, CommandId, Done, Fault, Position, Service, ValveOrder};

impl Turn {
    pub fn move_valve(&mut self, request: RequestId, order: ValveOrder) {
        let station = &self.station;
        let known = || if order == ValveOrder::Where { Ok(()) } else { station.identities.valve_is_known() };
        let admitted = admit::by_hand(station, self.under_way.as_ref(), "move the valve").and_then(|()| known());
        if let Err(denied) = admitted {
            return self.reply(request, Err(denied));
        }
        let id = self.order_valve(order);
        self.station.errands.valve.insert(id, request);
    }

    pub fn serve(&mut self, request: RequestId, service: Service) {
        let admitted = admit::by_hand(&self.station, self.under_way.as_ref(), "change the analyzer")
            .and_then(|()| self.station.identities.analyzer_is_known())
            .and_then(|()| admit::online(&self.station));
        if let Err(denied) = admitted {
            return self.reply(request, Err(denied));
        }
        let id = self.order_analyzer(AnalyzerOrder::Serve(service));
        self.station.errands.analyzer.insert(id, request);
    }

    /// Somebody waits for this answer of the valve.
    pub fn valve_served(&mut self, id: CommandId, answer: &Result<Position, Fault>) {
        let Some(request) = self.station.errands.valve.remove(&id) else { return };
        let answer = match answer {
            Ok(position) => Ok(Done::Valve(*position)),
            Err(fault) => Err(admit::denied(fault, Device::Valve)),
        };
        self.reply(request, answer);
    }

    /// Whether somebody waits for this answer of the analyzer.
    pub fn analyzer_served(&mut self, id: CommandId, answer: &Result<AnalyzerAnswer, Fault>) -> bool {
        let Some(request) = self.station.errands.analyzer.remove(&id) else { return false };
        let answer = match answer {
            Ok(AnalyzerAnswer::Served(reply)) => Ok(Done::Served(reply.clone())),
            Ok(_) => Ok(Done::Served(String::new())),
            Err(fault) => Err(admit::denied(fault, Device::Analyzer)),
        };
        self.reply(request, answer);
        true
    }
}
