//! What a caller may do, and what each call of the gRPC service needs.

use std::fmt;
use std::str::FromStr;

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

/// What a request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needs {
    /// Anybody may: whether the daemon lives, and how to log in.
    Nobody,
    Viewer,
    Operator,
}

impl Needs {
    pub const fn role(self) -> Option<Role> {
        match self {
            Self::Nobody => None,
            Self::Viewer => Some(Role::Viewer),
            Self::Operator => Some(Role::Operator),
        }
    }
}

/// Calls that change nothing.
const READING: [&str; 18] = [
    "GetStatus",
    "ListRuns",
    "GetRun",
    "ExportRun",
    "VerifyRun",
    "GetDevice",
    "ListTasks",
    "GetErrors",
    "GetClock",
    "GetSelfTest",
    "GetMux",
    "CheckPlan",
    "ListPlans",
    "Subscribe",
    "EventStats",
    "ListConnections",
    "UpdateSubscription",
    "WatchStatus",
];

/// What a gRPC call needs, by its path. One that is not known here is taken for one that changes things.
pub fn needs_of_call(path: &str) -> Needs {
    if path.starts_with("/grpc.health.") {
        return Needs::Nobody;
    }
    if path.starts_with("/grpc.reflection.") {
        return Needs::Viewer;
    }
    let reads = path.strip_prefix("/gasera.v1.GaseraService/").is_some_and(|call| READING.contains(&call));
    if reads { Needs::Viewer } else { Needs::Operator }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_may_do_what_a_viewer_may() {
        assert!(Some(Role::Operator) >= Needs::Viewer.role());
        assert!(Some(Role::Viewer) < Needs::Operator.role());
        assert!(Some(Role::Viewer) > Needs::Nobody.role());
    }

    #[test]
    fn calls_that_change_things_need_an_operator_and_so_do_unknown_ones() {
        for call in ["StartMeasurement", "AbortMeasurement", "RawAk", "HomeMux", "AddNote", "Whatever", ""] {
            assert_eq!(needs_of_call(&format!("/gasera.v1.GaseraService/{call}")), Needs::Operator, "{call}");
        }
        assert_eq!(needs_of_call("/gasera.v1.GaseraService/GetStatus"), Needs::Viewer);
        assert_eq!(needs_of_call("/grpc.health.v1.Health/Check"), Needs::Nobody);
        assert_eq!(needs_of_call("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"), Needs::Viewer);
    }
}
