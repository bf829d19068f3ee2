//! The analyzer as an instrument: what it can be asked and told beside measuring.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::device::DeviceErrors;
use super::gas::Cas;
use super::time::{AnalyzerTime, Utc};

/// One AK command as somebody wrote it: `ASTS`, `STAM 11`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AkLine {
    /// Four letters.
    pub code: String,
    pub data: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AkLineError {
    #[error(
        "{0:?} is not an AK command; it is four letters, and what the command needs behind them, like \"ASTS\" or \"APAR CELLTEMP\""
    )]
    Code(String),
    #[error("{0:?} cannot be sent to the analyzer; AK knows printable ASCII characters only")]
    Characters(String),
}

impl AkLine {
    /// AK asks with A; all else changes something.
    pub fn is_question(&self) -> bool {
        self.code.starts_with('A')
    }

    /// After these the analyzer may not be reached any more: it restarts, or has another address.
    pub fn is_drastic(&self) -> bool {
        matches!(self.code.as_str(), "RDEV" | "SNET")
    }
}

impl FromStr for AkLine {
    type Err = AkLineError;

    fn from_str(line: &str) -> Result<Self, AkLineError> {
        if !line.chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
            return Err(AkLineError::Characters(line.to_owned()));
        }
        let line = line.trim();
        let (code, data) = line.split_once(' ').unwrap_or((line, ""));
        if code.len() != 4 || !code.chars().all(|c| c.is_ascii_alphabetic()) {
            return Err(AkLineError::Code(line.to_owned()));
        }
        Ok(Self { code: code.to_ascii_uppercase(), data: data.trim().to_owned() })
    }
}

impl fmt::Display for AkLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)?;
        if self.data.is_empty() { Ok(()) } else { write!(f, " {}", self.data) }
    }
}

/// A question that changes nothing, and may be asked at any time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inquiry {
    Info,
    Tasks,
    Errors,
    Clock,
    SelfTest,
    Ak(AkLine),
}

/// The answer to an [`Inquiry`].
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    Info(Box<Instrument>),
    Tasks(TaskList),
    Errors(DeviceErrors),
    Clock(ClockReading),
    SelfTest(SelfTest),
    /// The reply as it came, without its frame.
    Ak(String),
}

/// Something that changes the instrument. It is refused while a run is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// Begin a self-test; it takes about two minutes.
    SelfTest,
    Ak(AkLine),
}

/// What the instrument says of itself. What it does not tell is empty or `None`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Instrument {
    pub manufacturer: String,
    pub serial: String,
    pub model: String,
    pub firmware: String,
    pub name: String,
    pub network: Option<Network>,
    /// `None` where no sampler is connected, or the firmware cannot say.
    pub inlets: Option<Vec<Inlet>>,
    pub parameters: Vec<Parameter>,
    pub cell_temperature_c: Option<f64>,
    /// AK commands that this firmware refused or did not answer.
    pub unsupported: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    pub dhcp: bool,
    /// Empty where there is none.
    pub address: String,
    pub netmask: String,
    pub gateway: String,
}

/// One inlet of the instrument's own sampler.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inlet {
    pub id: u32,
    pub active: bool,
    pub bypass_s: f64,
}

/// One system parameter, as the instrument writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    pub name: String,
    pub value: Option<String>,
    pub min: Option<String>,
    pub max: Option<String>,
    pub unit: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskList {
    pub tasks: Vec<Task>,
    /// The list can be read in more than one way.
    pub ambiguous: bool,
    /// As the instrument wrote it.
    pub raw: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Task {
    pub id: u32,
    pub name: String,
    /// The instrument knows a task of this id.
    pub confirmed: bool,
    pub parameters: Option<TaskParameters>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskParameters {
    pub gases: Vec<Cas>,
    pub pressure_mbar: Option<f64>,
    pub flush_bypass_s: Option<f64>,
    pub flush_cell_s: Option<f64>,
    pub flush_cycles: Option<u32>,
}

/// Both clocks at the same moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockReading {
    pub analyzer: AnalyzerTime,
    pub host: Utc,
    /// The analyzer's clock minus the host's.
    pub offset_ms: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SelfTest {
    NotAvailable,
    Running,
    Failed,
    Passed,
}

/// What the time stamp of a result means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StampMeaning {
    /// When the gas was drawn.
    Sampling,
    /// When the result was calculated.
    Calculated,
}

impl StampMeaning {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sampling => "sampling",
            Self::Calculated => "calculated",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_people_write_it() {
        let line: AkLine = " apar  CELLTEMP ".parse().unwrap();
        assert_eq!((line.code.as_str(), line.data.as_str()), ("APAR", "CELLTEMP"));
        assert_eq!(line.to_string(), "APAR CELLTEMP");
        assert!(line.is_question() && !line.is_drastic());
        let line: AkLine = "SNET 0 10.0.0.2 255.0.0.0 10.0.0.1".parse().unwrap();
        assert!(!line.is_question() && line.is_drastic());
    }

    #[test]
    fn what_would_break_the_frame_is_not_sent() {
        for line in ["ASTS\u{3}", "ASTS\nSTPM", "STAT Süd"] {
            assert!(matches!(line.parse::<AkLine>(), Err(AkLineError::Characters(_))), "{line:?}");
        }
        for line in ["", "AST", "ASTSS", "1234 5"] {
            assert!(matches!(line.parse::<AkLine>(), Err(AkLineError::Code(_))), "{line:?}");
        }
    }
}
