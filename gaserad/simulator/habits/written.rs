//! How the analyzer writes what it says, where it does not write it as others do.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::super::faults::When;
use super::super::gas::known_gas;

/// Some replies to AMST tell a phase that is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FalsePhase {
    /// Of the replies to AMST.
    pub when: When,
    /// Any other one if it does not say.
    #[serde(default)]
    pub phase: Option<u8>,
}

/// Some results have a value that is not written as a plain number.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OddValue {
    /// Of the results.
    pub when: When,
    #[serde(rename = "as")]
    pub form: OddForm,
    /// By CAS number, or `all`; one of them if it does not say.
    #[serde(default, deserialize_with = "some_gas")]
    pub gas: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OddForm {
    /// `500,003000`
    Comma,
    /// `5.00003e2`
    Exponent,
    /// `1.#INF`
    Inf,
    /// `OVER`
    Over,
    /// `nan`
    Nan,
    /// `#`
    Hash,
    /// `----`
    Dashes,
    /// The gas is not in the reply.
    Missing,
}

impl OddForm {
    /// As ACON has it; `None` if it leaves the gas out.
    pub fn write(self, printed: &str) -> Option<String> {
        let written = match self {
            Self::Comma => printed.replace('.', ","),
            Self::Exponent => printed.parse::<f64>().map_or_else(|_| printed.to_owned(), |ppm| format!("{ppm:e}")),
            Self::Inf => "1.#INF".to_owned(),
            Self::Over => "OVER".to_owned(),
            Self::Nan => "nan".to_owned(),
            Self::Hash => "#".to_owned(),
            Self::Dashes => "----".to_owned(),
            Self::Missing => return None,
        };
        Some(written)
    }
}

/// Some results have a stamp that is not written in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OddStamp {
    /// Of the results.
    pub when: When,
    #[serde(rename = "as")]
    pub form: StampForm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StampForm {
    /// `1706785295.0`
    Float,
    /// `1706785295000`
    Milliseconds,
}

impl StampForm {
    pub fn write(self, stamp: i64) -> String {
        match self {
            Self::Float => format!("{stamp}.0"),
            Self::Milliseconds => stamp.saturating_mul(1000).to_string(),
        }
    }
}

fn some_gas<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let gas = String::deserialize(deserializer)?;
    let gases = known_gas(1).map(|(cas, _)| cas);
    if gas == "all" || gases.contains(&gas.as_str()) {
        return Ok(Some(gas));
    }
    Err(D::Error::custom(format!("{gas} does not flow here; write \"all\" or one of {}", gases.join(", "))))
}

/// A part of the whole.
pub(super) fn some_part<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let part = f64::deserialize(deserializer)?;
    if (0.0..1.0).contains(&part) { Ok(Some(part)) } else { Err(D::Error::custom(format!("{part} is not 0 to 1"))) }
}

/// More than one.
pub(super) fn some_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    match u32::deserialize(deserializer)? {
        number @ (0 | 1) => Err(D::Error::custom(format!("a counter that wraps at {number} counts nothing"))),
        number => Ok(Some(number)),
    }
}
