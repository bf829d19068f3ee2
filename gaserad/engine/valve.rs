//! What the valve tells, and what it means for the run under way.
//!
//! A valve that is not where it should be is sent back; one that is lost is waited for. Either way only the visit under
//! way suffers, and its samples say so.

use std::time::Duration;

use super::Turn;
use super::admit::Device;
use super::state::Stage;
use crate::domain::{
    Cause, CommandId, Event, Fault, FaultKind, Position, Severity, Tick, ValveDescription, ValveNews, ValveOrder,
    duration,
};

impl Turn {
    pub(super) fn hear_valve(&mut self, news: ValveNews) {
        match news {
            ValveNews::UnseenSince(since) => self.state.timeline.unseen_since(since),
            ValveNews::At(position) => self.valve_found(position),
            ValveNews::Is(description) => self.valve_is_a(description, self.at.tick),
            ValveNews::Contacted { description, seen } => self.valve_is_a(description, seen),
            ValveNews::Lost(fault) => self.valve_lost(&fault),
            ValveNews::Doubted { since, why } => self.valve_doubted(since, &why),
        }
    }

    /// Before that it was last seen at `seen`.
    fn valve_is_a(&mut self, description: ValveDescription, seen: Tick) {
        self.meet_multiplexer(&description, seen);
        if self.state.valve.description != description {
            self.state.valve.description = description;
            self.tell_metrics();
        }
    }

    /// The valve says unasked where it is: it is back, or somebody else moved it.
    fn valve_found(&mut self, position: Position) {
        if self.state.identities.valve_is_strange() {
            // Where another valve stands says nothing.
            return;
        }
        self.state.valve.fault.clear();
        if self.state.valve.ordered.is_some() {
            // The answer to the order will tell.
            return;
        }
        self.valve_is(position);
        let Some(run) = &self.state.run else { return };
        if let Stage::ValveLost(order) = run.stage {
            return self.send_again(order);
        }
        // While a run is in doubt, nothing is moved for it.
        let minded = run.is_at_a_stop() && run.in_doubt.is_none();
        let Some(expected) = run.stands_at.filter(|_| minded) else { return };
        if position.channel() == Some(expected) {
            self.arrive();
            return self.out_of_the_way(Cause::Valve);
        }
        let at_its_stop = run.ordered_start && run.target().is_some_and(|stop| stop.channel == expected);
        let found = position.channel().map_or_else(|| "between channels".to_owned(), |at| format!("at channel {at}"));
        let text = format!("the valve was found {found} instead of channel {expected}; it is sent back");
        self.alarm(Severity::Warning, "valve_moved", text);
        if at_its_stop {
            self.reckon_from_now();
            self.go(expected);
        } else {
            self.send_again(ValveOrder::Home);
        }
    }

    /// It is verified again from now on, and was not meanwhile. What it is ordered goes on.
    fn valve_doubted(&mut self, since: Tick, why: &str) {
        self.state.timeline.unseen_since(since);
        if self.state.run.as_ref().is_some_and(super::state::Run::is_measured) {
            let span = duration::format(Duration::from_secs(self.at.tick.since(since).as_secs() + 1));
            let text = format!(
                "the valve's position was not verified for {span}: {why}; samples of that time have no channel"
            );
            self.alarm(Severity::Warning, "valve_unverified", text);
        }
        self.valve_found(self.state.valve.position);
    }

    pub(super) fn valve_lost(&mut self, fault: &Fault) {
        self.state.valve.fault.clone_from(&fault.text);
        self.valve_is(Position::Unknown);
        self.alarm(Severity::Blocker, "multiplexer_fault", fault.text.clone());
        self.in_the_way(Cause::Valve, &fault.text);
    }

    pub(super) fn valve_did(&mut self, id: CommandId, answer: Result<Position, Fault>) {
        self.valve_served(id, &answer);
        if self.state.valve.ordered != Some(id) {
            return;
        }
        self.state.valve.ordered = None;
        let stage = self.awaits(id);
        match self.state.identities.unless_strange(answer) {
            Ok(position) => {
                self.state.valve.fault.clear();
                self.state.valve.lost_since = None;
                self.state.valve.tried_again = false;
                self.valve_is(position);
                if let Some(run) = &mut self.state.run {
                    if matches!(stage, Some(Stage::Homing(_) | Stage::Moving(_))) {
                        let took = self.at.tick.since(run.since);
                        let travel = &mut self.state.valve.travel;
                        *travel = Some(travel.map_or(took, |before| (before * 3 + took) / 4));
                    }
                    (run.stands_at, run.arrived) = (position.channel(), self.at.tick);
                }
                match stage {
                    Some(Stage::Homing(_)) => self.homed(),
                    Some(Stage::Moving(_)) => self.moved(),
                    Some(Stage::Parking(_, ending)) => self.end_for_good(ending),
                    _ => {}
                }
            }
            Err(fault) => {
                if !self.state.identities.valve_is_strange() {
                    self.valve_lost(&fault);
                }
                self.valve_failed(stage, &fault);
            }
        }
    }

    fn valve_failed(&mut self, stage: Option<Stage>, fault: &Fault) {
        match stage {
            None => {}
            Some(Stage::Parking(_, ending)) => self.not_parked(ending, &fault.text),
            Some(stage) if self.await_known_valve_in(&stage) => {}
            Some(stage) if self.try_once_more(&stage, fault) || self.wait_for_the_valve(&stage, fault) => {}
            Some(_) => self.fail(fault, Device::Valve),
        }
    }

    /// A single move that went wrong, or a hand on the valve, is no reason to give up a night.
    fn try_once_more(&mut self, stage: &Stage, fault: &Fault) -> bool {
        let Some(order) = self.order_of(stage).filter(|_| fault.kind == FaultKind::Refused) else { return false };
        if std::mem::replace(&mut self.state.valve.tried_again, true) {
            return false;
        }
        self.send_again(order);
        true
    }

    /// What the valve was ordered in this stage.
    pub(super) fn order_of(&self, stage: &Stage) -> Option<ValveOrder> {
        match stage {
            Stage::Homing(_) => Some(ValveOrder::Home),
            Stage::Moving(_) => self.state.run.as_ref()?.target().map(|stop| ValveOrder::Goto(stop.channel)),
            _ => None,
        }
    }

    /// A valve that does not answer may be plugged in again. Whoever waits for a start is not kept waiting for that.
    fn wait_for_the_valve(&mut self, stage: &Stage, fault: &Fault) -> bool {
        let at = self.at.tick;
        let grace = self.state.limits.grace;
        let Some(order) = self.order_of(stage) else { return false };
        let Some(run) = &self.state.run else { return false };
        let since = *self.state.valve.lost_since.get_or_insert(at);
        if fault.kind != FaultKind::Offline || run.starter.is_some() || at >= since + grace {
            return false;
        }
        self.enter_until(Stage::ValveLost(order), since, since + grace);
        true
    }

    /// Within a run. A valve that is not the known one is not moved, but waited for to be that again.
    pub(super) fn send_again(&mut self, order: ValveOrder) {
        if self.state.identities.valve_is_strange() {
            return self.await_known_valve(order);
        }
        let id = self.order_valve(order);
        let stage = if order == ValveOrder::Home { Stage::Homing(id) } else { Stage::Moving(id) };
        self.enter(stage, self.state.limits.valve);
    }

    /// The valve did not come back.
    pub(super) fn valve_stays_lost(&mut self) {
        let grace = duration::format(self.state.limits.grace);
        let why = self.state.valve.fault.clone();
        let text = format!("the multiplexer was lost for {grace}, longer than [analyzer] grace allows: {why}");
        self.fail(&Fault::new(FaultKind::Offline, text), Device::Valve);
    }

    /// Told when something about the instruments is known better.
    pub(super) fn tell_metrics(&mut self) {
        let metrics = self.state.metrics();
        self.tell(Event::DeviceMetrics(metrics));
    }

    pub(super) fn alarm(&mut self, severity: Severity, code: &str, text: String) {
        let run_id = self.state.run.as_ref().map(|run| run.id.clone());
        self.tell(Event::Alarm { severity, code: code.into(), text, run_id });
    }
}
