//! Why the daemon cannot go on, and the exit code that says so.

use std::process::ExitCode;

use crate::api::{AddressError, BindError};
use crate::config::ConfigError;
use crate::simulator::SimulatorError;
use crate::store::StoreError;

/// Its code is one of sysexits.h.
#[derive(Debug)]
pub struct DaemonFailure {
    code: u8,
    error: anyhow::Error,
}

impl DaemonFailure {
    pub const USAGE: u8 = 64;
    const UNAVAILABLE: u8 = 69;
    const CANNOT_CREATE: u8 = 73;
    const IO: u8 = 74;
    const CONFIG: u8 = 78;

    fn new(code: u8, error: impl Into<anyhow::Error>) -> Self {
        Self { code, error: error.into() }
    }

    pub fn usage(text: impl Into<String>) -> Self {
        Self::new(Self::USAGE, anyhow::Error::msg(text.into()))
    }

    pub fn code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }

    /// The error and its causes, once each.
    pub fn sentence(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        for cause in self.error.chain() {
            let text = cause.to_string();
            if !parts.iter().any(|part| part.contains(&text)) {
                parts.push(text);
            }
        }
        parts.join(": ")
    }
}

impl From<anyhow::Error> for DaemonFailure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(Self::IO, error)
    }
}

impl From<ConfigError> for DaemonFailure {
    fn from(error: ConfigError) -> Self {
        Self::new(Self::CONFIG, error)
    }
}

impl From<BindError> for DaemonFailure {
    fn from(error: BindError) -> Self {
        Self::new(Self::UNAVAILABLE, error)
    }
}

impl From<AddressError> for DaemonFailure {
    fn from(error: AddressError) -> Self {
        Self::new(Self::USAGE, error)
    }
}

impl From<SimulatorError> for DaemonFailure {
    fn from(error: SimulatorError) -> Self {
        Self::new(Self::UNAVAILABLE, error)
    }
}

impl From<StoreError> for DaemonFailure {
    fn from(error: StoreError) -> Self {
        let code = match error {
            StoreError::InUse { .. } => Self::UNAVAILABLE,
            StoreError::Io { .. } => Self::CANNOT_CREATE,
            _ => Self::IO,
        };
        Self::new(code, error)
    }
}
