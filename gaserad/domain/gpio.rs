//! Where a GPIO line is: what the configuration names, and what the driver looks for.

use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpioLine {
    pub at: LineAt,
    /// Active is the low level.
    pub active_low: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineAt {
    Name(String),
    /// On a chip, counted from 0.
    Offset(u32),
}

impl fmt::Display for LineAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{name:?}"),
            Self::Offset(offset) => write!(f, "{offset}"),
        }
    }
}
