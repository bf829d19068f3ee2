//! The words of the actuators, read: pure.

pub use crate::config::Dialect;

impl Dialect {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Universal => "universal",
        }
    }
}

/// Where the valve says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportedPosition {
    At(u32),
    /// Between ports, or on its way.
    Near,
    /// A or B: the actuator is set up for a valve with two positions.
    TwoPosition,
}

impl ReportedPosition {
    /// As a sentence goes on: "CP says …".
    pub fn words(self) -> String {
        match self {
            Self::At(port) => format!("port {port}"),
            Self::Near => "between two ports".to_owned(),
            Self::TwoPosition => "A or B, as of a valve with two positions".to_owned(),
        }
    }
}

/// A reply to `CP`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValveStanding {
    pub dialect: Dialect,
    pub whereabouts: ReportedPosition,
}

/// `CP03`, `CP3`, `CP = 3`, `CPA`, `Position is  = 3`, `Position is near to = 3`.
pub fn position(reply: &str) -> Option<ValveStanding> {
    let reply = reply.to_ascii_lowercase();
    if let Some(place) = reply.strip_prefix("cp") {
        return place_of(place, false).map(|whereabouts| ValveStanding { dialect: Dialect::Universal, whereabouts });
    }
    let rest = reply.strip_prefix("position is")?.trim_start();
    let whereabouts = match rest.strip_prefix("near to") {
        Some(place) => place_of(place, true).map(|place| match place {
            ReportedPosition::TwoPosition => place,
            ReportedPosition::At(_) | ReportedPosition::Near => ReportedPosition::Near,
        }),
        None => place_of(rest, true),
    };
    whereabouts.map(|whereabouts| ValveStanding { dialect: Dialect::Legacy, whereabouts })
}

fn place_of(text: &str, equals: bool) -> Option<ReportedPosition> {
    let text = text.trim();
    let place = match text.strip_prefix('=') {
        Some(rest) => rest.trim_start(),
        None if equals => return None,
        None => text,
    };
    match place {
        "a" | "b" => Some(ReportedPosition::TwoPosition),
        digits => plain(digits).map(ReportedPosition::At),
    }
}

/// `NP31`, `NP = 31`.
pub fn ports(reply: &str) -> Option<u32> {
    number_after("np", reply)
}

/// For what valve an actuator is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// 1 with stops, 2 without.
    TwoPositions(u32),
    Multiposition,
}

impl Mode {
    /// What `AM` is.
    pub const fn number(self) -> u32 {
        match self {
            Self::TwoPositions(number) => number,
            Self::Multiposition => 3,
        }
    }
}

/// `AM3`, `AM = 3`, `Actuator mode is = 3 (multiposition)`. What can be read in two ways is `None`.
pub fn mode(reply: &str) -> Option<Mode> {
    let reply = reply.to_ascii_lowercase();
    let text = ["actuator mode", "mode", "am"].iter().find_map(|code| reply.strip_prefix(code))?.trim_start();
    let text = text.strip_prefix("is ").unwrap_or(text).trim_start();
    let text = text.strip_prefix(['=', ':']).unwrap_or(text).trim_start();
    let (number, words) = text.split_at(text.find(|part: char| !part.is_ascii_digit()).unwrap_or(text.len()));
    if words.starts_with(|part: char| part.is_alphanumeric()) {
        return None;
    }
    let says = |words: &str, any: &[&str]| any.iter().any(|word| words.contains(word));
    let two = says(words, &["two", "2", "stop", "1"]);
    let many = says(words, &["multi", "many", "3"]);
    match number.trim_start_matches('0') {
        "3" if !two => Some(Mode::Multiposition),
        "1" if !many => Some(Mode::TwoPositions(1)),
        "2" if !many => Some(Mode::TwoPositions(2)),
        _ => None,
    }
}

/// `CNT123`, `CNT = 123`.
pub fn actuations(reply: &str) -> Option<u32> {
    number_after("cnt", reply)
}

/// It has no such command, and says so. Anything less clear is no refusal.
pub fn is_refusal(reply: &str) -> bool {
    const REFUSALS: [&str; 6] = [
        "bad command",
        "invalid command",
        "unknown command",
        "illegal command",
        "unrecognized command",
        "command not recognized",
    ];
    let reply = reply.to_ascii_lowercase();
    REFUSALS.iter().any(|refusal| reply.contains(refusal))
}

fn number_after(code: &str, reply: &str) -> Option<u32> {
    let reply = reply.to_ascii_lowercase();
    let text = reply.strip_prefix(code)?.trim();
    let text = text.strip_prefix('=').unwrap_or(text).trim_start();
    // Words may follow, but no other number.
    let (number, words) = text.split_at(text.find(|part: char| !part.is_ascii_digit()).unwrap_or(text.len()));
    let plainly = !words.contains(|part: char| part.is_ascii_digit()) && !words.starts_with(char::is_alphabetic);
    plain(number).filter(|_| plainly)
}

fn plain(digits: &str) -> Option<u32> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(reply: &str) -> Option<(Dialect, ReportedPosition)> {
        position(reply).map(|standing| (standing.dialect, standing.whereabouts))
    }

    #[test]
    fn reads_a_position_in_every_dialect() {
        for reply in ["CP03", "CP3", "CP = 3", "cp=3", "CP 03"] {
            assert_eq!(read(reply), Some((Dialect::Universal, ReportedPosition::At(3))), "{reply}");
        }
        for reply in ["Position is  = 3", "Position is = 3", "position is=3", "Position is  =  03"] {
            assert_eq!(read(reply), Some((Dialect::Legacy, ReportedPosition::At(3))), "{reply}");
        }
        assert_eq!(read("Position is near to = 3"), Some((Dialect::Legacy, ReportedPosition::Near)));
    }

    #[test]
    fn a_letter_is_the_position_of_another_kind_of_valve() {
        assert_eq!(read("CPA"), Some((Dialect::Universal, ReportedPosition::TwoPosition)));
        assert_eq!(read("Position is = B"), Some((Dialect::Legacy, ReportedPosition::TwoPosition)));
        assert_eq!(read("Position is near to = A"), Some((Dialect::Legacy, ReportedPosition::TwoPosition)));
    }

    #[test]
    fn what_is_no_position_is_none() {
        for reply in [
            "",
            "CP",
            "CPX",
            "CP+3",
            "GO03",
            "NP31",
            "Position",
            "Position is",
            "Position is 3",
            "CP03A",
            "CP 99999999999",
        ] {
            assert_eq!(position(reply), None, "{reply}");
        }
    }

    #[test]
    fn reads_a_setting_in_every_dialect() {
        for reply in ["NP31", "NP = 31", "np=31", "NP 31"] {
            assert_eq!(ports(reply), Some(31), "{reply}");
        }
        assert_eq!((ports("CP03"), actuations("CNT65535")), (None, Some(65_535)));
        assert_eq!(
            (ports("NP = 10 ports"), ports("NP = 10 of 40"), ports("NP10A"), ports("NP")),
            (Some(10), None, None, None)
        );
    }

    #[test]
    fn reads_a_mode_in_every_wording() {
        let three =
            ["AM3", "AM = 3", "AM  = 3", "am=3", "AM 03", "AM3 (multiposition)", "Actuator Mode is = 3", "Mode: 3"];
        for reply in three {
            assert_eq!(mode(reply), Some(Mode::Multiposition), "{reply}");
        }
        for (reply, number) in [("AM1", 1), ("AM = 2", 2), ("AM  =  1", 1), ("am = 2, two position without stops", 2)] {
            assert_eq!(mode(reply), Some(Mode::TwoPositions(number)), "{reply}");
        }
    }

    #[test]
    fn a_mode_that_may_be_another_is_none() {
        for reply in [
            "",
            "AM",
            "AM =",
            "AM = ?",
            "AM0",
            "AM4",
            "AM13",
            "AM3 two position",
            "AM = 3 of 2",
            "AM1 multi",
            "AM3x",
            "NP3",
            "3",
        ] {
            assert_eq!(mode(reply), None, "{reply}");
        }
    }

    #[test]
    fn bad_command_is_a_refusal_wherever_it_stands() {
        assert!(is_refusal("Bad command") && is_refusal("GO99 = Bad Command") && !is_refusal("GO03"));
        assert!(is_refusal("Unknown Command!") && !is_refusal("?") && !is_refusal("ERROR") && !is_refusal("bad"));
    }
}
