//! The rotary valve as its actuator presents it: the VICI actuators' language, in two dialects.
//!
//! Lines of text without their terminator come in and go out. What turns is the [`Rotor`]; the rate of the line is the
//! operating system's business, so setting one is remembered and changes nothing.

use super::faults::Faults;
use super::rotor::{Rotor, TurnWay};
use crate::domain::Tick;

const REFUSAL: &str = "Bad command";
const MODEL: &str = "GASERAD SIMULATED VALVE";
const FIRMWARE: &str = "2026-01-15";
const MULTIPOSITION: u8 = 3;
const MOST_PORTS: u8 = 40;
/// In hundreds of bits a second.
const RATES: [&str; 8] = ["12", "24", "48", "96", "192", "384", "576", "1152"];

#[derive(Debug)]
pub struct PlantValve {
    rotor: Rotor,
    ports: u8,
    legacy: bool,
    silent: bool,
    model: String,
    /// What its actuator had counted when it was made.
    counted: u32,
    settings: ActuatorMemory,
}

/// What the actuator remembers.
#[derive(Debug)]
struct ActuatorMemory {
    id: Option<char>,
    /// `NP`: how many ports it believes that the valve has.
    ports: u8,
    /// `AM`
    mode: u8,
    /// `IFM`: how many lines a move is answered with.
    echo: u8,
    /// `LG1`: a universal actuator words its replies like a legacy one.
    legacy_text: bool,
    rate: &'static str,
}

impl PlantValve {
    pub fn new(ports: u8, faults: &Faults, start: Tick) -> Self {
        Self {
            rotor: Rotor::new(ports, faults, start),
            ports,
            legacy: faults.legacy_valve,
            silent: faults.valve_silent,
            model: MODEL.to_owned(),
            counted: faults.valve_count,
            settings: ActuatorMemory {
                id: faults.valve_id,
                ports: faults.valve_np.unwrap_or(ports),
                mode: faults.valve_am.unwrap_or(MULTIPOSITION),
                echo: 0,
                legacy_text: false,
                rate: "96",
            },
        }
    }

    /// Another one than it would be, and where it stands.
    pub fn made_as(self, model: Option<&str>, counted: Option<u32>, at: Option<u8>) -> Self {
        Self {
            model: model.unwrap_or(MODEL).to_owned(),
            counted: counted.unwrap_or_default(),
            rotor: match at {
                Some(at) => self.rotor.left_at(at),
                None => self.rotor,
            },
            ..self
        }
    }

    pub const fn inlet(&self) -> u8 {
        self.rotor.inlet()
    }

    /// Where it stands; `None` while it travels and between ports.
    pub const fn standing(&self) -> Option<u8> {
        self.rotor.standing()
    }

    pub fn next_change(&self) -> Option<Tick> {
        self.rotor.next_change()
    }

    /// Does what is due at `now`.
    pub fn change(&mut self, now: Tick) {
        self.rotor.change(now);
    }

    /// Obeys one line and gives what it answers, if it does; several lines are apart by CR.
    pub fn obey(&mut self, line: &str, now: Tick) -> Option<String> {
        if self.silent {
            return None;
        }
        let line = line.trim().to_ascii_uppercase();
        if let Some(command) = line.strip_prefix('*') {
            // To everybody on the line; nobody answers.
            self.command(command, now);
            return None;
        }
        let Some(id) = self.settings.id else { return self.command(&line, now) };
        match line.strip_prefix('/') {
            Some(rest) => {
                let reply = self.command(rest.strip_prefix(id)?, now)?;
                Some(format!("/{id}{reply}"))
            }
            None => self.command(line.strip_prefix(id)?, now),
        }
    }

    fn command(&mut self, line: &str, now: Tick) -> Option<String> {
        let letters = line.find(|byte: char| !byte.is_ascii_alphabetic()).unwrap_or(line.len());
        let (code, argument) = line.split_at(letters);
        let argument = argument.trim();
        match (code, argument) {
            ("GO" | "CW" | "CC", port) => self.order(line, code, port, now),
            ("CP", "") => Some(self.position()),
            ("NP", "") if self.is_multiposition() => Some(self.number("NP", self.settings.ports)),
            ("NP", ports) if self.is_multiposition() => self.set_ports(ports),
            ("VR", "") => Some(self.version()),
            ("SB", rate) => self.rate(rate),
            ("ID", id) => self.identify(id),
            _ if self.legacy => Some(REFUSAL.to_owned()),
            _ => self.universal(line, code, argument, now),
        }
    }

    /// What legacy actuators do not know.
    fn universal(&mut self, line: &str, code: &str, argument: &str, now: Tick) -> Option<String> {
        match (code, argument) {
            ("HM", "") => self.order(line, "GO", "1", now),
            ("AM", "") => Some(self.equation("AM", &self.settings.mode.to_string())),
            ("AM", mode) => set(&mut self.settings.mode, mode, 1..=3),
            ("IFM", "") => Some(self.equation("IFM", &self.settings.echo.to_string())),
            ("IFM", echo) => set(&mut self.settings.echo, echo, 0..=2),
            ("LG", "0" | "1") => {
                self.settings.legacy_text = argument == "1";
                None
            }
            // Sixteen bits, as long as the actuator lives.
            ("CNT", "") => Some(self.equation("CNT", &(self.moved() % 65_536).to_string())),
            // VR2 is the firmware of the interface.
            ("VR", "2") => Some(format!("{} INTERFACE\r{FIRMWARE}", self.model)),
            _ => Some(REFUSAL.to_owned()),
        }
    }

    const fn moved(&self) -> u32 {
        self.counted.wrapping_add(self.rotor.moves())
    }

    const fn is_multiposition(&self) -> bool {
        self.settings.mode == MULTIPOSITION
    }

    const fn in_legacy_words(&self) -> bool {
        self.legacy || self.settings.legacy_text
    }

    fn position(&self) -> String {
        let travels = self.rotor.standing().is_none();
        if self.rotor.is_between() || (self.in_legacy_words() && travels) {
            return format!("Position is near to = {}", self.rotor.inlet());
        }
        match (self.is_multiposition(), self.in_legacy_words()) {
            (true, false) => self.number("CP", self.rotor.at()),
            (true, true) => format!("Position is  = {}", self.rotor.at()),
            (false, legacy) => {
                let letter = if self.rotor.at() % 2 == 1 { 'A' } else { 'B' };
                if legacy { format!("Position is  = {letter}") } else { format!("CP{letter}") }
            }
        }
    }

    fn number(&self, code: &str, number: u8) -> String {
        if self.in_legacy_words() { format!("{code} = {number}") } else { format!("{code}{number:02}") }
    }

    fn equation(&self, code: &str, value: &str) -> String {
        let equals = if self.in_legacy_words() { " = " } else { "" };
        format!("{code}{equals}{value}")
    }

    fn version(&self) -> String {
        if self.legacy { self.model.clone() } else { format!("{}\r{FIRMWARE}", self.model) }
    }

    /// `GOnn` takes the shorter way, `CWnn` counts up, `CCnn` counts down; without a port it is one step.
    fn order(&mut self, line: &str, code: &str, port: &str, now: Tick) -> Option<String> {
        let way = match code {
            "CW" => TurnWay::Up,
            "CC" => TurnWay::Down,
            _ => TurnWay::Shortest,
        };
        let to = match port {
            "" => Some(self.rotor.beside(way != TurnWay::Down)),
            port => port.parse().ok().filter(|port| (1..=self.ports.min(self.settings.ports)).contains(port)),
        };
        let Some(to) = to.filter(|_| self.is_multiposition()) else { return Some(REFUSAL.to_owned()) };
        self.rotor.turn(to, way, now);
        match self.settings.echo {
            0 => None,
            1 => Some(line.to_owned()),
            _ => Some(format!("{line}\rBCD{to:02}")),
        }
    }

    fn set_ports(&mut self, ports: &str) -> Option<String> {
        set(&mut self.settings.ports, ports, 2..=MOST_PORTS)
    }

    fn rate(&mut self, rate: &str) -> Option<String> {
        let shown = |rate: &str| if self.legacy { format!("SB = {rate}00") } else { self.equation("SB", rate) };
        if rate.is_empty() {
            return Some(shown(self.settings.rate));
        }
        let wanted = if self.legacy { rate.strip_suffix("00").unwrap_or_default() } else { rate };
        match RATES.iter().find(|known| **known == wanted) {
            Some(known) => self.settings.rate = known,
            None => return Some(REFUSAL.to_owned()),
        }
        None
    }

    /// `ID` says it, `ID3` sets it, `ID*` takes it away.
    fn identify(&mut self, id: &str) -> Option<String> {
        let mut letters = id.chars();
        match (letters.next(), letters.next()) {
            (None, _) => {
                let id = self.settings.id.map_or_else(|| "*".to_owned(), String::from);
                return Some(self.equation("ID", &id));
            }
            (Some('*'), None) => self.settings.id = None,
            (Some(id), None) if id.is_ascii_digit() => self.settings.id = Some(id),
            _ => return Some(REFUSAL.to_owned()),
        }
        None
    }
}

/// Sets what may be set, silently.
fn set(what: &mut u8, value: &str, range: std::ops::RangeInclusive<u8>) -> Option<String> {
    match value.parse::<u8>().ok().filter(|value| range.contains(value)) {
        Some(value) => *what = value,
        None => return Some(REFUSAL.to_owned()),
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Tick {
        Tick::from_micros(millis * 1000)
    }

    fn valve(faults: &Faults) -> PlantValve {
        PlantValve::new(31, faults, at(0))
    }

    fn legacy() -> PlantValve {
        valve(&Faults { legacy_valve: true, ..Faults::default() })
    }

    /// Each line with what it is answered at the start; `-` is silence.
    fn converse(valve: &mut PlantValve, lines: &[(&str, &str)]) {
        for (line, answer) in lines {
            assert_eq!(valve.obey(line, at(0)).as_deref().unwrap_or("-"), *answer, "{line}");
        }
    }

    #[test]
    fn it_says_the_old_port_until_it_has_arrived() {
        let mut valve = valve(&Faults::default());
        converse(&mut valve, &[("CP", "CP01"), ("GO3", "-")]);
        assert_eq!((valve.standing(), valve.inlet()), (None, 1));
        valve.change(at(275));
        assert_eq!((valve.obey("CP", at(275)).unwrap().as_str(), valve.inlet()), ("CP01", 3));
        assert_eq!(valve.next_change(), Some(at(300)));
        valve.change(at(300));
        assert_eq!((valve.obey("cp", at(300)).unwrap().as_str(), valve.standing()), ("CP03", Some(3)));
        assert_eq!(valve.next_change(), None);
    }

    #[test]
    fn the_legacy_dialect_says_near_to_on_the_way_and_knows_less() {
        let mut valve = legacy();
        converse(&mut valve, &[("CP", "Position is  = 1"), ("GO02", "-"), ("CP", "Position is near to = 1")]);
        converse(&mut valve, &[("NP", "NP = 31"), ("VR", MODEL), ("SB", "SB = 9600"), ("ID", "ID = *")]);
        converse(
            &mut valve,
            &[("AM", REFUSAL), ("HM", REFUSAL), ("CNT", REFUSAL), ("VR2", REFUSAL), ("IFM1", REFUSAL)],
        );
    }

    #[test]
    fn a_universal_actuator_tells_and_takes_its_settings() {
        let mut valve = valve(&Faults::default());
        converse(&mut valve, &[("NP", "NP31"), ("AM", "AM3"), ("SB", "SB96"), ("CNT", "CNT0"), ("ID", "ID*")]);
        converse(&mut valve, &[("NP10", "-"), ("NP", "NP10"), ("GO11", REFUSAL), ("NP1", REFUSAL), ("NP41", REFUSAL)]);
        converse(&mut valve, &[("SB192", "-"), ("SB", "SB192"), ("SB7", REFUSAL), ("LG1", "-"), ("NP", "NP = 10")]);
        converse(&mut valve, &[("IFM1", "-"), ("GO02", "GO02"), ("IFM2", "-"), ("CW", "CW\rBCD02"), ("IFM3", REFUSAL)]);
        assert_eq!(valve.obey("CNT", at(0)).unwrap(), "CNT = 2");
    }

    #[test]
    fn set_up_for_two_positions_it_knows_no_ports() {
        let mut valve = valve(&Faults { valve_am: Some(2), ..Faults::default() });
        converse(&mut valve, &[("AM", "AM2"), ("CP", "CPA"), ("NP", REFUSAL), ("GO03", REFUSAL), ("AM4", REFUSAL)]);
        converse(&mut valve, &[("AM3", "-"), ("CP", "CP01"), ("NP", "NP31")]);
    }

    #[test]
    fn with_an_id_it_hears_only_what_is_addressed_to_it() {
        let mut valve = valve(&Faults { valve_id: Some('3'), ..Faults::default() });
        converse(&mut valve, &[("CP", "-"), ("4CP", "-"), ("3CP", "CP01"), ("/3CP", "/3CP01"), ("/4CP", "-")]);
        converse(&mut valve, &[("*ID7", "-"), ("3CP", "-"), ("7ID", "ID7"), ("*ID*", "-"), ("CP", "CP01")]);
    }

    #[test]
    fn go_takes_the_shorter_way_and_the_others_their_own() {
        for (order, to, steps) in [
            ("GO31", 31, 1),
            ("CW31", 31, 30),
            ("CC02", 2, 30),
            ("CW", 2, 1),
            ("CC", 31, 1),
            ("GO16", 16, 15),
            ("GO", 2, 1),
        ] {
            let mut valve = valve(&Faults::default());
            valve.obey(order, at(0));
            valve.change(at(199 + 50 * steps));
            assert_eq!(valve.standing(), None, "{order}");
            valve.change(at(200 + 50 * steps));
            assert_eq!(valve.standing(), Some(to), "{order}");
        }
    }

    #[test]
    fn what_it_does_not_know_is_a_bad_command() {
        let mut valve = valve(&Faults::default());
        for order in ["GO32", "GO0", "GOx", "XY", "C", "é", "CP3", ""] {
            converse(&mut valve, &[(order, REFUSAL)]);
        }
        assert_eq!(valve.standing(), Some(1));
    }

    #[test]
    fn a_stuck_valve_accepts_and_stays_and_a_silent_one_says_nothing() {
        let mut stuck = valve(&Faults { valve_stuck: true, ..Faults::default() });
        converse(&mut stuck, &[("GO05", "-")]);
        assert_eq!(stuck.standing(), Some(1));
        let mut silent = valve(&Faults { valve_silent: true, ..Faults::default() });
        converse(&mut silent, &[("CP", "-")]);
    }

    #[test]
    fn between_ports_both_dialects_say_so() {
        for legacy_valve in [false, true] {
            let between = Some(super::super::mishap::Befalls::Move(1));
            let mut valve = valve(&Faults { legacy_valve, valve_between_ports: between, ..Faults::default() });
            valve.obey("GO03", at(0));
            valve.change(at(5000));
            assert_eq!(valve.obey("CP", at(5000)).unwrap(), "Position is near to = 3");
            assert_eq!(valve.standing(), None);
        }
    }
}
