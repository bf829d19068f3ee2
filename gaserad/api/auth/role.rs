//! What a caller may do.

use std::fmt;
use std::str::FromStr;

/// What somebody must be allowed to do to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needs {
    Nothing,
    /// To see how things stand and what happens.
    Viewer,
    /// To change something.
    Operator,
}

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads, and follows the stream.
    Viewer,
    /// Also changes things.
    Operator,
}

impl Role {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "viewer" => Ok(Self::Viewer),
            "operator" => Ok(Self::Operator),
            other => Err(format!("{other:?} is not a role; the roles are viewer and operator")),
        }
    }
}

impl Needs {
    pub const fn role(self) -> Option<Role> {
        match self {
            Self::Nothing => None,
            Self::Viewer => Some(Role::Viewer),
            Self::Operator => Some(Role::Operator),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_may_do_what_a_viewer_may() {
        assert!(Some(Role::Operator) >= Needs::Viewer.role());
        assert!(Some(Role::Viewer) < Needs::Operator.role());
        assert!(Some(Role::Viewer) > Needs::Nothing.role());
    }
}
