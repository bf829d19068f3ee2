//! The valve on its way: home, to a stop, and again where an order was lost.

use super::turn::RunTurn;
use crate::domain::{Channel, Fault, FaultKind, Phase, ValveOrder, duration};
use crate::engine::admit::Device;
use crate::engine::state::Stage;

impl RunTurn<'_> {
    /// Home, and then to the stop where the run is.
    pub fn home(&mut self) {
        self.set_out();
        self.run.shown.channel = Channel::HOME.index();
        self.send(ValveOrder::Home);
        self.show(Phase::Homing, None);
    }

    pub fn go(&mut self, channel: Channel) {
        self.set_out();
        self.send(ValveOrder::Goto(channel));
        self.show(Phase::Switching, Some(channel));
    }

    pub fn next_stop(&mut self) {
        let new_repeat = self.run.advance();
        match self.run.target() {
            _ if new_repeat => self.home(),
            Some(stop) => self.go(stop.channel),
            None => {}
        }
    }

    /// A valve that is not the known one is not moved, but waited for to be that again.
    pub fn send(&mut self, order: ValveOrder) {
        if self.station.identities.valve_is_strange() {
            return self.await_known_valve(order);
        }
        let id = self.order_valve(order);
        let stage = if order == ValveOrder::Home { Stage::Homing(id) } else { Stage::Moving(id) };
        self.enter(stage, self.station.settings.limits.valve);
    }

    /// It is found elsewhere, or another one than before: back to where the run left it.
    pub fn send_back_to(&mut self, channel: Channel) {
        let at_its_stop = self.run.measurement.ordered_start && self.run.target_channel() == Some(channel);
        if at_its_stop {
            self.reckon_from_now();
            self.go(channel);
        } else {
            self.send(ValveOrder::Home);
        }
    }

    /// A valve that must not be moved is waited for as one that is away; whoever waits for a start is told at once.
    fn await_known_valve(&mut self, order: ValveOrder) {
        let Some(stranger) = &self.station.identities.multiplexer else { return };
        if self.run.asked.starter.is_some() {
            return self.fail_for_stranger(stranger.text.clone());
        }
        self.await_valve(order);
    }

    fn await_valve(&mut self, order: ValveOrder) {
        let (at, grace) = (self.at.tick, self.station.settings.limits.grace);
        let since = *self.station.valve.lost_since.get_or_insert(at);
        self.enter_until(Stage::ValveLost(order), since, since + grace);
    }

    /// An order failed on which the run depends.
    pub fn travel_failed(&mut self, order: Option<ValveOrder>, fault: &Fault) {
        let Some(order) = order else { return self.fail(fault, Device::Valve) };
        if self.station.identities.valve_is_strange() {
            self.await_known_valve(order);
        } else if fault.kind == FaultKind::Refused && !std::mem::replace(&mut self.station.valve.tried_again, true) {
            // A single move that went wrong, or a hand on the valve, is no reason to give up a night.
            self.send(order);
        } else if self.may_wait_for_valve(fault) {
            self.await_valve(order);
        } else {
            self.fail(fault, Device::Valve);
        }
    }

    /// A valve that does not answer may be plugged in again. Whoever waits for a start is not kept waiting for that.
    fn may_wait_for_valve(&mut self, fault: &Fault) -> bool {
        let (at, grace) = (self.at.tick, self.station.settings.limits.grace);
        let since = *self.station.valve.lost_since.get_or_insert(at);
        fault.kind == FaultKind::Offline && self.run.asked.starter.is_none() && at < since + grace
    }

    /// The valve did not come back.
    pub fn valve_stays_lost(&mut self) {
        let grace = duration::format(self.station.settings.limits.grace);
        let why = &self.station.valve.fault;
        let text = format!("the multiplexer was lost for {grace}, longer than [analyzer] grace allows: {why}");
        self.fail(&Fault::new(FaultKind::Offline, text), Device::Valve);
    }
}
