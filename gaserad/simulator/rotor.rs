//! The rotor of the valve: where it stands, how long it travels, which ports it opens on its way.
//!
//! It knows nothing of the actuator's language. What flows through it is the plant's business.

use std::time::Duration;

use super::faults::Faults;
use super::mishap::{Befalls, MovedByHand};
use crate::domain::Tick;

const START_UP: Duration = Duration::from_millis(200);
const PER_PORT: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub struct Rotor {
    ports: u8,
    start: Tick,
    /// As the actuator knows it: the port that it left, until it has arrived.
    at: u8,
    /// The port the gas comes from: the nearest one.
    inlet: u8,
    motion: Motion,
    /// How often it was set in motion.
    moves: u32,
    stuck: bool,
    stuck_after: Option<Duration>,
    between_ports: Option<Befalls>,
    wrong_port: Option<Befalls>,
    by_hand: Option<MovedByHand>,
}

#[derive(Debug, Clone, Copy)]
enum Motion {
    Still,
    Turning(Trip),
    /// It stopped where no port is.
    Between,
}

#[derive(Debug, Clone, Copy)]
struct Trip {
    /// When it really moves.
    begin: Tick,
    up: bool,
    steps: u8,
    /// How often the inlet has changed.
    passed: u8,
    /// It comes to no port.
    halts: bool,
}

impl Trip {
    fn next_change(&self) -> Tick {
        let half = if self.passed < self.steps { PER_PORT / 2 } else { Duration::ZERO };
        self.begin + PER_PORT * u32::from(self.passed) + half
    }
}

/// Which way it turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnWay {
    Shortest,
    Up,
    Down,
}

impl Rotor {
    pub const fn new(ports: u8, faults: &Faults, start: Tick) -> Self {
        Self {
            ports,
            start,
            at: 1,
            inlet: 1,
            motion: Motion::Still,
            moves: 0,
            stuck: faults.valve_stuck,
            stuck_after: faults.valve_stuck_after,
            between_ports: faults.valve_between_ports,
            wrong_port: faults.valve_wrong_port,
            by_hand: faults.valve_moved_by_hand,
        }
    }

    /// Where somebody left it.
    pub fn left_at(self, port: u8) -> Self {
        let port = port.clamp(1, self.ports);
        Self { at: port, inlet: port, ..self }
    }

    pub const fn at(&self) -> u8 {
        self.at
    }

    pub const fn inlet(&self) -> u8 {
        self.inlet
    }

    pub const fn moves(&self) -> u32 {
        self.moves
    }

    /// Where it stands; `None` while it travels and between ports.
    pub const fn standing(&self) -> Option<u8> {
        if matches!(self.motion, Motion::Still) { Some(self.at) } else { None }
    }

    /// It stands, and not on a port.
    pub const fn is_between(&self) -> bool {
        matches!(self.motion, Motion::Between)
    }

    pub fn next_change(&self) -> Option<Tick> {
        let trip = if let Motion::Turning(trip) = &self.motion { Some(trip.next_change()) } else { None };
        let by_hand = self.by_hand.map(|by_hand| self.start + by_hand.after);
        trip.into_iter().chain(by_hand).min()
    }

    /// Does what is due at `now`.
    pub fn change(&mut self, now: Tick) {
        while let Motion::Turning(trip) = self.motion
            && trip.next_change() <= now
        {
            self.go_on(trip);
        }
        if let Some(MovedByHand { after, to, back }) = self.by_hand
            && self.start + after <= now
        {
            let stood = self.inlet;
            self.by_hand = back.map(|back| MovedByHand { after: after + back, to: stood, back: None });
            self.motion = Motion::Still;
            self.inlet = to.clamp(1, self.ports);
            self.at = self.inlet;
        }
    }

    fn go_on(&mut self, mut trip: Trip) {
        if trip.passed == trip.steps {
            self.at = self.inlet;
            self.motion = Motion::Still;
            return;
        }
        self.inlet = self.beside(trip.up);
        trip.passed += 1;
        self.motion = if trip.halts && trip.passed == trip.steps { Motion::Between } else { Motion::Turning(trip) };
    }

    /// The port beside the nearest one.
    pub const fn beside(&self, up: bool) -> u8 {
        if up { self.inlet % self.ports + 1 } else { (self.inlet + self.ports - 2) % self.ports + 1 }
    }

    /// Sets it in motion. An order on the way counts from the port that is the nearest one.
    pub fn turn(&mut self, to: u8, way: TurnWay, now: Tick) {
        let age = now.since(self.start);
        if self.stuck || self.stuck_after.is_some_and(|after| after <= age) {
            return;
        }
        if to == self.inlet && matches!(self.motion, Motion::Still) {
            return;
        }
        self.moves += 1;
        let wrong = befalls(&mut self.wrong_port, self.moves, age);
        let halts = befalls(&mut self.between_ports, self.moves, age);
        let to = if wrong { to % self.ports + 1 } else { to };
        let (up, down) = (self.steps_up(self.inlet, to), self.steps_up(to, self.inlet));
        let up_it_is = match way {
            TurnWay::Shortest => up < down,
            TurnWay::Up => true,
            TurnWay::Down => false,
        };
        self.at = self.inlet;
        let steps = if up_it_is { up } else { down };
        self.motion = Motion::Turning(Trip { begin: now + START_UP, up: up_it_is, steps, passed: 0, halts });
    }

    const fn steps_up(&self, from: u8, to: u8) -> u8 {
        (to + self.ports - from) % self.ports
    }
}

/// Whether it is this move, which it then was.
fn befalls(what: &mut Option<Befalls>, moves: u32, age: Duration) -> bool {
    let now = match *what {
        Some(Befalls::Move(number)) => number == moves,
        Some(Befalls::After(after)) => after <= age,
        None => false,
    };
    if now {
        *what = None;
    }
    now
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Tick {
        Tick::from_micros(millis * 1000)
    }

    fn rotor(faults: &Faults) -> Rotor {
        Rotor::new(31, faults, at(0))
    }

    /// The inlets that it has on its way, and when it is there.
    fn travel(rotor: &mut Rotor, to: u8, way: TurnWay, from: u64) -> (Vec<u8>, u64) {
        rotor.turn(to, way, at(from));
        let (mut inlets, mut time) = (vec![rotor.inlet()], from);
        while rotor.standing().is_none() && !rotor.is_between() {
            time += 1;
            rotor.change(at(time));
            if inlets.last() != Some(&rotor.inlet()) {
                inlets.push(rotor.inlet());
            }
        }
        (inlets, time - from)
    }

    #[test]
    fn it_opens_every_port_that_it_passes() {
        let mut rotor = rotor(&Faults::default());
        assert_eq!(travel(&mut rotor, 4, TurnWay::Shortest, 0), (vec![1, 2, 3, 4], 350));
        assert_eq!(travel(&mut rotor, 30, TurnWay::Shortest, 1000), (vec![4, 3, 2, 1, 31, 30], 450));
        let (up, time) = travel(&mut rotor, 29, TurnWay::Up, 5000);
        assert_eq!((up.len(), time), (31, 200 + 30 * 50));
        assert_eq!(travel(&mut rotor, 28, TurnWay::Down, 9000).0, [29, 28]);
        assert_eq!((rotor.standing(), rotor.moves()), (Some(28), 4));
    }

    #[test]
    fn an_order_to_where_it_stands_moves_nothing() {
        let mut rotor = rotor(&Faults::default());
        rotor.turn(1, TurnWay::Up, at(0));
        assert_eq!((rotor.standing(), rotor.moves(), rotor.next_change()), (Some(1), 0, None));
    }

    #[test]
    fn an_order_on_the_way_counts_from_the_nearest_port() {
        let mut rotor = rotor(&Faults::default());
        rotor.turn(9, TurnWay::Up, at(0));
        rotor.change(at(310));
        assert_eq!((rotor.inlet(), rotor.standing()), (3, None));
        assert_eq!(travel(&mut rotor, 2, TurnWay::Shortest, 310), (vec![3, 2], 250));
    }

    #[test]
    fn from_some_moment_on_it_is_stuck() {
        let mut rotor = rotor(&Faults { valve_stuck_after: Some(Duration::from_secs(2)), ..Faults::default() });
        assert_eq!(travel(&mut rotor, 2, TurnWay::Up, 0).0, [1, 2]);
        rotor.turn(3, TurnWay::Up, at(2000));
        assert_eq!((rotor.standing(), rotor.next_change()), (Some(2), None));
    }

    #[test]
    fn the_named_move_ends_between_two_ports_and_the_next_one_does_not() {
        let mut rotor = rotor(&Faults { valve_between_ports: Some(Befalls::Move(2)), ..Faults::default() });
        assert_eq!(travel(&mut rotor, 2, TurnWay::Up, 0).0, [1, 2]);
        assert_eq!(travel(&mut rotor, 5, TurnWay::Up, 1000).0, [2, 3, 4, 5]);
        assert_eq!((rotor.standing(), rotor.is_between(), rotor.at()), (None, true, 2));
        assert_eq!(travel(&mut rotor, 5, TurnWay::Up, 2000), (vec![5], 200));
        assert_eq!((rotor.standing(), rotor.is_between()), (Some(5), false));
    }

    #[test]
    fn the_first_move_after_a_time_arrives_one_further() {
        let after = Befalls::After(Duration::from_secs(1));
        let mut rotor = rotor(&Faults { valve_wrong_port: Some(after), ..Faults::default() });
        for (to, from, arrives) in [(3, 0, 3), (31, 1000, 1), (31, 2000, 31)] {
            travel(&mut rotor, to, TurnWay::Shortest, from);
            assert_eq!(rotor.standing(), Some(arrives));
        }
    }

    #[test]
    fn somebody_turns_it_by_hand_at_his_moment() {
        let by_hand = MovedByHand { after: Duration::from_secs(5), to: 7, back: None };
        let mut rotor = rotor(&Faults { valve_moved_by_hand: Some(by_hand), ..Faults::default() });
        assert_eq!(rotor.next_change(), Some(at(5000)));
        rotor.change(at(4999));
        assert_eq!(rotor.standing(), Some(1));
        rotor.change(at(5000));
        assert_eq!((rotor.standing(), rotor.inlet(), rotor.next_change()), (Some(7), 7, None));
    }

    #[test]
    fn turned_by_hand_there_and_back() {
        let back = Some(Duration::from_secs(3));
        let by_hand = MovedByHand { after: Duration::from_secs(5), to: 9, back };
        let mut rotor = rotor(&Faults { valve_moved_by_hand: Some(by_hand), ..Faults::default() });
        travel(&mut rotor, 5, TurnWay::Up, 0);
        let stood: Vec<Option<u8>> = [4999, 5000, 7999, 8000, 9000]
            .map(|millis| {
                rotor.change(at(millis));
                rotor.standing()
            })
            .into();
        assert_eq!(stood, [5, 9, 9, 5, 5].map(Some));
        assert_eq!((rotor.next_change(), rotor.moves()), (None, 1));
    }
}
