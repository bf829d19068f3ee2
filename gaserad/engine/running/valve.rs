//! What the valve tells, and what it means for the run.
//!
//! A valve that is not where it should be is sent back; one that is lost is waited for. Either way only the visit under
//! way suffers, and its samples say so.

use std::time::Duration;

use super::turn::RunTurn;
use crate::domain::{
    Cause, CommandId, Fault, Position, Severity, Tick, ValveDescription, ValveNews, ValveOrder, duration,
};
use crate::engine::identity::MultiplexerContact;
use crate::engine::state::Stage;

impl RunTurn<'_> {
    pub fn hear_valve(&mut self, news: ValveNews) {
        match news {
            ValveNews::UnseenSince(since) => self.station.timeline.unseen_since(since),
            ValveNews::At(position) => self.valve_found(position),
            ValveNews::Is(description) => self.valve_contacted(description, self.at.tick),
            ValveNews::Contacted { description, seen } => self.valve_contacted(description, seen),
            ValveNews::Lost(fault) => self.valve_lost(&fault),
            ValveNews::Doubted { since, why } => self.valve_doubted(since, &why),
        }
    }

    /// Before that it was last seen at `seen`.
    fn valve_contacted(&mut self, description: ValveDescription, seen: Tick) {
        match self.meet_multiplexer(&description, seen) {
            MultiplexerContact::NoNews => {}
            MultiplexerContact::Stranger(text) => self.valve_is_strange(text),
            MultiplexerContact::Returned => self.trust_valve_again(),
        }
        self.describe_valve(description);
    }

    fn valve_is_strange(&mut self, text: String) {
        self.in_the_way(Cause::Valve, &text);
        if matches!(self.run.stage, Stage::Recovering(_)) {
            self.fail_for_stranger(text);
        }
    }

    /// The known valve is back, or this one is meant. Where it stands is not known before it was sent somewhere.
    pub fn trust_valve_again(&mut self) {
        self.station.valve.fault.clear();
        if let Stage::ValveLost(order) = self.run.stage {
            self.send(order);
        } else if let Some(expected) = self.run.course.stands_at.filter(|_| self.run.stage.is_at_a_stop()) {
            self.send_back_to(expected);
        }
        self.out_of_the_way(Cause::Valve);
    }

    /// The valve says unasked where it is: it is back, or somebody else moved it.
    fn valve_found(&mut self, position: Position) {
        if !self.note_valve_at(position) {
            return;
        }
        if let Stage::ValveLost(order) = self.run.stage {
            return self.send(order);
        }
        // While a run is in doubt, nothing is moved for it.
        let minded = self.run.stage.is_at_a_stop() && self.run.measurement.in_doubt.is_none();
        let Some(expected) = self.run.course.stands_at.filter(|_| minded) else { return };
        if position.channel() == Some(expected) {
            self.arrive();
            return self.out_of_the_way(Cause::Valve);
        }
        let found = position.channel().map_or_else(|| "between channels".to_owned(), |at| format!("at channel {at}"));
        let text = format!("the valve was found {found} instead of channel {expected}; it is sent back");
        self.alarm(Severity::Warning, "valve_moved", text);
        self.send_back_to(expected);
    }

    /// It is verified again from now on, and was not meanwhile. What it is ordered goes on.
    fn valve_doubted(&mut self, since: Tick, why: &str) {
        self.station.timeline.unseen_since(since);
        if self.run.stage.is_measured() {
            let span = duration::format(Duration::from_secs(self.at.tick.since(since).as_secs() + 1));
            let text = format!(
                "the valve's position was not verified for {span}: {why}; samples of that time have no channel"
            );
            self.alarm(Severity::Warning, "valve_unverified", text);
        }
        self.valve_found(self.station.valve.position);
    }

    fn valve_lost(&mut self, fault: &Fault) {
        self.note_valve_lost(fault);
        self.in_the_way(Cause::Valve, &fault.text);
    }

    pub fn valve_did(&mut self, id: CommandId, answer: Result<Position, Fault>) {
        let Some(answer) = self.note_valve_did(id, answer) else { return };
        let stage = self.awaits(id);
        match answer {
            Ok(position) => self.valve_arrived(stage, position),
            Err(fault) => self.valve_failed(stage, &fault),
        }
    }

    fn valve_arrived(&mut self, awaited: Option<Stage>, position: Position) {
        let took = self.at.tick.since(self.run.timing.since);
        (self.run.course.stands_at, self.run.course.arrived) = (position.channel(), self.at.tick);
        if let Some(Stage::Parking(_, ending)) = awaited {
            self.end_for_good(ending);
        } else if let Some(Stage::Homing(_)) = awaited {
            self.station.valve.learn_travel(took);
            self.homed();
        } else if let Some(Stage::Moving(_)) = awaited {
            self.station.valve.learn_travel(took);
            self.moved();
        }
    }

    fn valve_failed(&mut self, awaited: Option<Stage>, fault: &Fault) {
        if !self.station.identities.valve_is_strange() {
            self.in_the_way(Cause::Valve, &fault.text);
        }
        if let Some(Stage::Parking(_, ending)) = awaited {
            self.not_parked(ending, &fault.text);
        } else if let Some(Stage::Homing(_)) = awaited {
            self.travel_failed(Some(ValveOrder::Home), fault);
        } else if let Some(Stage::Moving(_)) = awaited {
            self.travel_failed(self.run.target_channel().map(ValveOrder::Goto), fault);
        }
    }
}
