//! The rotary valve: where it stands, how long it travels, and what it says, in the VICI actuators' two dialects.
//!
//! Lines of text without their terminator come in and go out; what flows through it is the plant's business.

use std::time::Duration;

use super::faults::Faults;
use crate::domain::Tick;

const START_UP: Duration = Duration::from_millis(200);
const PER_PORT: Duration = Duration::from_millis(50);
const REFUSAL: &str = "Bad command";

#[derive(Debug)]
pub struct Valve {
    ports: u8,
    legacy: bool,
    stuck: bool,
    silent: bool,
    /// As it says: the old port until it has arrived.
    at: u8,
    /// The port the gas comes from: the old one for the first half of the way.
    inlet: u8,
    trip: Option<Trip>,
}

#[derive(Debug, Clone, Copy)]
struct Trip {
    to: u8,
    half_way: Tick,
    arrival: Tick,
}

impl Valve {
    pub const fn new(ports: u8, faults: &Faults) -> Self {
        Self {
            ports,
            legacy: faults.legacy_valve,
            stuck: faults.valve_stuck,
            silent: faults.valve_silent,
            at: 1,
            inlet: 1,
            trip: None,
        }
    }

    pub const fn inlet(&self) -> u8 {
        self.inlet
    }

    /// Where it stands; `None` while it travels.
    pub const fn standing(&self) -> Option<u8> {
        if self.trip.is_some() { None } else { Some(self.at) }
    }

    pub fn next_change(&self) -> Option<Tick> {
        self.trip.map(|trip| if self.inlet == trip.to { trip.arrival } else { trip.half_way })
    }

    /// Does what is due at `now`.
    pub fn change(&mut self, now: Tick) {
        let Some(trip) = self.trip else { return };
        if trip.half_way <= now {
            self.inlet = trip.to;
        }
        if trip.arrival <= now {
            self.at = trip.to;
            self.trip = None;
        }
    }

    /// Obeys one line and gives what it answers, if it does.
    pub fn obey(&mut self, line: &str, now: Tick) -> Option<String> {
        if self.silent {
            return None;
        }
        let line = line.trim().to_ascii_uppercase();
        let (code, argument) = line.split_at_checked(2).unwrap_or((&line, ""));
        match (code, argument.trim()) {
            ("GO" | "CW" | "CC", argument) => self.order(code, argument, now),
            ("HM", "") => self.travel(1, self.shortest(1), now),
            ("CP", "") => Some(self.position()),
            ("NP", "") => Some(self.number("NP", self.ports)),
            ("AM", "") => Some(if self.legacy { "AM = 3".to_owned() } else { "AM3".to_owned() }),
            ("VR", "") => Some("GASERAD SIMULATED VALVE".to_owned()),
            _ => Some(REFUSAL.to_owned()),
        }
    }

    fn position(&self) -> String {
        match (self.legacy, self.trip.is_some()) {
            (false, _) => self.number("CP", self.at),
            (true, false) => format!("Position is  = {}", self.at),
            (true, true) => format!("Position is near to = {}", self.inlet),
        }
    }

    fn number(&self, code: &str, number: u8) -> String {
        if self.legacy { format!("{code} = {number}") } else { format!("{code}{number:02}") }
    }

    /// `GOnn` takes the shorter way, `CWnn` counts up, `CCnn` counts down; without a port it is one step.
    fn order(&mut self, code: &str, argument: &str, now: Tick) -> Option<String> {
        let up = self.inlet % self.ports + 1;
        let to = match (argument, code) {
            ("", "CC") => (self.inlet + self.ports - 2) % self.ports + 1,
            ("", _) => up,
            (argument, _) => match argument.parse() {
                Ok(port) if (1..=self.ports).contains(&port) => port,
                _ => return Some(REFUSAL.to_owned()),
            },
        };
        let steps = match code {
            "CW" => self.steps_up(self.inlet, to),
            "CC" => self.steps_up(to, self.inlet),
            _ => self.shortest(to),
        };
        self.travel(to, steps, now)
    }

    const fn steps_up(&self, from: u8, to: u8) -> u8 {
        (to + self.ports - from) % self.ports
    }

    fn shortest(&self, to: u8) -> u8 {
        self.steps_up(self.inlet, to).min(self.steps_up(to, self.inlet))
    }

    /// An order on the way counts from the port that is the nearest one.
    fn travel(&mut self, to: u8, steps: u8, now: Tick) -> Option<String> {
        if self.stuck || (steps == 0 && self.trip.is_none()) {
            return None;
        }
        let time = START_UP + PER_PORT * u32::from(steps);
        self.at = self.inlet;
        self.trip = Some(Trip { to, half_way: now + time / 2, arrival: now + time });
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Tick {
        Tick::from_micros(millis * 1000)
    }

    fn valve(faults: &Faults) -> Valve {
        Valve::new(31, faults)
    }

    #[test]
    fn it_says_the_old_port_until_it_has_arrived() {
        let mut valve = valve(&Faults::default());
        assert_eq!(valve.obey("CP", at(0)).unwrap(), "CP01");
        assert_eq!(valve.obey("GO3", at(0)), None);
        assert_eq!((valve.standing(), valve.inlet()), (None, 1));
        assert_eq!(valve.next_change(), Some(at(150)));
        valve.change(at(150));
        assert_eq!((valve.obey("CP", at(150)).unwrap().as_str(), valve.inlet()), ("CP01", 3));
        assert_eq!(valve.next_change(), Some(at(300)));
        valve.change(at(300));
        assert_eq!((valve.obey("cp", at(300)).unwrap().as_str(), valve.standing()), ("CP03", Some(3)));
        assert_eq!(valve.next_change(), None);
    }

    #[test]
    fn the_legacy_dialect_says_near_to_on_the_way() {
        let mut valve = valve(&Faults { legacy_valve: true, ..Faults::default() });
        assert_eq!(valve.obey("CP", at(0)).unwrap(), "Position is  = 1");
        valve.obey("GO02", at(0));
        assert_eq!(valve.obey("CP", at(1)).unwrap(), "Position is near to = 1");
        assert_eq!(valve.obey("NP", at(1)).unwrap(), "NP = 31");
    }

    #[test]
    fn go_takes_the_shorter_way_and_the_others_their_own() {
        for (order, to, steps) in
            [("GO31", 31, 1), ("CW31", 31, 30), ("CC02", 2, 30), ("CW", 2, 1), ("CC", 31, 1), ("GO16", 16, 15)]
        {
            let mut valve = valve(&Faults::default());
            valve.obey(order, at(0));
            let time = at(200 + 50 * steps);
            valve.change(time);
            assert_eq!(valve.standing(), Some(to), "{order}");
        }
    }

    #[test]
    fn what_it_does_not_know_is_a_bad_command() {
        let mut valve = valve(&Faults::default());
        for order in ["GO32", "GO0", "GOx", "XY", "C", "é"] {
            assert_eq!(valve.obey(order, at(0)).unwrap(), "Bad command", "{order}");
        }
        assert_eq!(valve.standing(), Some(1));
    }

    #[test]
    fn a_stuck_valve_accepts_and_stays_and_a_silent_one_says_nothing() {
        let mut stuck = valve(&Faults { valve_stuck: true, ..Faults::default() });
        assert_eq!(stuck.obey("GO05", at(0)), None);
        assert_eq!(stuck.standing(), Some(1));
        let mut silent = valve(&Faults { valve_silent: true, ..Faults::default() });
        assert_eq!(silent.obey("CP", at(0)), None);
    }
}
