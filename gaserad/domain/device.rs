//! What the analyzer says of itself.

use serde::{Deserialize, Serialize};

/// The analyzer's state (AK command ASTS).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnalyzerState {
    Initializing,
    InitializationError,
    Idle,
    SelfTest,
    Malfunction,
    Measuring,
    Calibrating,
    Cancelling,
    LaserScan,
    /// A code that this version does not know.
    Other(u8),
}

impl AnalyzerState {
    const CODES: [Self; 9] = [
        Self::Initializing,
        Self::InitializationError,
        Self::Idle,
        Self::SelfTest,
        Self::Malfunction,
        Self::Measuring,
        Self::Calibrating,
        Self::Cancelling,
        Self::LaserScan,
    ];

    pub fn from_code(code: u8) -> Self {
        Self::CODES.get(usize::from(code)).copied().unwrap_or(Self::Other(code))
    }

    pub fn code(self) -> u8 {
        match self {
            Self::Other(code) => code,
            known => (0..).zip(Self::CODES).find(|(_, state)| *state == known).map_or(0, |(code, _)| code),
        }
    }

    /// As a sentence goes on: "the analyzer is …".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Initializing => "initializing",
            Self::InitializationError => "stopped by an initialization error",
            Self::Idle => "idle",
            Self::SelfTest => "in self-test",
            Self::Malfunction => "in malfunction",
            Self::Measuring => "measuring",
            Self::Calibrating => "calibrating",
            Self::Cancelling => "cancelling a measurement",
            Self::LaserScan => "in a laser scan",
            Self::Other(_) => "in a state that is not known here",
        }
    }
}

/// What the analyzer does within an iteration (AK command AMST).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnalyzerPhase {
    #[default]
    None,
    GasExchange,
    Integration,
    Analysis,
    LaserTuning,
    Other(u8),
}

impl AnalyzerPhase {
    const CODES: [Self; 5] = [Self::None, Self::GasExchange, Self::Integration, Self::Analysis, Self::LaserTuning];

    pub fn from_code(code: u8) -> Self {
        Self::CODES.get(usize::from(code)).copied().unwrap_or(Self::Other(code))
    }

    pub fn code(self) -> u8 {
        match self {
            Self::Other(code) => code,
            known => (0..).zip(Self::CODES).find(|(_, phase)| *phase == known).map_or(0, |(code, _)| code),
        }
    }

    pub const fn words(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::GasExchange => "gas exchange",
            Self::Integration => "integration",
            Self::Analysis => "analysis",
            Self::LaserTuning => "laser tuning",
            Self::Other(_) => "not known here",
        }
    }
}

/// How bad an analyzer error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Warning,
    Blocker,
    Critical,
}

/// The error codes that are active (AK command AERR). They are strings: `8001`, `E001`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceErrors(pub Vec<String>);

impl DeviceErrors {
    /// The worst severity among the codes.
    pub fn worst(&self) -> Option<Severity> {
        self.0.iter().map(|code| describe(code).0).max()
    }

    /// `8003 (cell temperature low), 8023 (source intensity high)`.
    pub fn sentence(&self) -> String {
        let parts: Vec<String> = self.0.iter().map(|code| format!("{code} ({})", describe(code).1)).collect();
        parts.join(", ")
    }
}

/// Severity and meaning of an error code; an unknown one counts as a warning.
pub fn describe(code: &str) -> (Severity, &'static str) {
    use Severity::{Blocker, Critical, Warning};
    match code {
        "8001" => (Warning, "cell temperature low"),
        "8002" => (Warning, "cell temperature high"),
        "8003" => (Blocker, "cell temperature low"),
        "8004" => (Blocker, "cell temperature high"),
        "8011" => (Critical, "sampling line blocked"),
        "8012" => (Critical, "overpressure"),
        "8013" => (Warning, "cell pressure incorrect"),
        "8021" => (Blocker, "source intensity high"),
        "8022" => (Blocker, "source intensity low"),
        "8023" => (Warning, "source intensity high"),
        "8024" => (Warning, "source intensity low"),
        "8025" => (Warning, "source voltage low"),
        "8026" => (Blocker, "source warming up"),
        "8043" => (Blocker, "laser temperature low"),
        "8044" => (Blocker, "laser temperature high"),
        "8101" => (Critical, "sampling line blockade"),
        "E001" => (Critical, "UART failure"),
        "E002" => (Critical, "signal processor reset"),
        _ => (Warning, "meaning not known; see the analyzer's service manual"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_survive_the_way_there_and_back() {
        for code in 0..=12 {
            assert_eq!(AnalyzerState::from_code(code).code(), code);
            assert_eq!(AnalyzerPhase::from_code(code).code(), code);
        }
    }

    #[test]
    fn the_worst_error_decides() {
        let errors = DeviceErrors(vec!["8002".into(), "8004".into()]);
        assert_eq!(errors.worst(), Some(Severity::Blocker));
        assert_eq!(errors.sentence(), "8002 (cell temperature high), 8004 (cell temperature high)");
    }
}
