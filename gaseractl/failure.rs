//! What goes wrong, as a sentence and an exit code. The codes are a promise to scripts.

use std::error::Error as _;
use std::process::ExitCode;

use gasera::domain::Outcome;
use tonic::{Code, Status};
use tonic_types::StatusExt;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit(u8);

impl Exit {
    pub const DONE: Self = Self(0);
    pub const FAILURE: Self = Self(1);
    pub const USAGE: Self = Self(2);
    pub const REFUSED: Self = Self(3);
    pub const ANALYZER_OFFLINE: Self = Self(4);
    pub const DEVICE: Self = Self(5);
    pub const ABORTED: Self = Self(6);
    pub const PARTIAL: Self = Self(7);
    pub const UNREACHABLE: Self = Self(8);
    pub const RUN_FAILED: Self = Self(9);
    pub const NOT_FOUND: Self = Self(10);
    pub const NOT_PERMITTED: Self = Self(11);
    pub const TIMEOUT: Self = Self(124);
    pub const INTERRUPTED: Self = Self(130);

    pub const fn code(self) -> u8 {
        self.0
    }

    /// How a command ends that waited for a run.
    pub const fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Completed => Self::DONE,
            Outcome::Partial => Self::PARTIAL,
            Outcome::Aborted => Self::ABORTED,
            Outcome::Failed => Self::RUN_FAILED,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Failure {
    pub exit: Exit,
    /// Empty where nothing is to be said.
    pub text: String,
    /// The daemon's machine-readable reason, where it gave one.
    pub reason: String,
}

impl Failure {
    pub fn new(exit: Exit, text: impl Into<String>) -> Self {
        Self { exit, text: text.into(), reason: String::new() }
    }

    /// Whoever read our output has seen enough.
    pub fn quiet() -> Self {
        Self::new(Exit::DONE, "")
    }

    pub fn unreachable(tried: &str) -> Self {
        let text = format!(
            "cannot reach gaserad at {tried}; see whether it runs with `systemctl status gaserad`, \
             or say where it is with --endpoint"
        );
        Self::new(Exit::UNREACHABLE, text)
    }

    /// What the daemon at `endpoint` answered, or why it did not.
    pub fn of_status(status: &Status, endpoint: &str) -> Self {
        // Only what happened on this side has a source; what the daemon says has none.
        if let Some(source) = status.source() {
            return Self::new(Exit::UNREACHABLE, lost(endpoint, &chain(source)));
        }
        let reason = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
        let text = if status.message().is_empty() {
            format!("gaserad at {endpoint} answered {:?} and gave no explanation", status.code())
        } else {
            status.message().to_owned()
        };
        Self { exit: exit_of(status.code(), &reason), text, reason }
    }

    /// A run is under way, or the analyzer does something else.
    pub fn is_busy(&self) -> bool {
        matches!(self.reason.as_str(), "RUN_UNDER_WAY" | "ANALYZER_BUSY")
    }
}

fn lost(endpoint: &str, cause: &str) -> String {
    format!(
        "the connection to gaserad at {endpoint} broke before it answered: {cause}; whether the command was carried \
         out is not known: see `systemctl status gaserad` and `gaseractl status`"
    )
}

fn exit_of(code: Code, reason: &str) -> Exit {
    match (reason, code) {
        ("RUN_UNDER_WAY" | "NO_RUN" | "NOT_NOW" | "DISK_LOW" | "ANALYZER_BUSY", _) | ("", Code::FailedPrecondition) => {
            Exit::REFUSED
        }
        ("ANALYZER_OFFLINE", _) => Exit::ANALYZER_OFFLINE,
        ("ANALYZER_REFUSED" | "MULTIPLEXER_FAULT" | "DEVICE_STRANGER" | "ANALYZER_ERRORS", _) => Exit::DEVICE,
        ("TASK_UNKNOWN" | "RUN_UNKNOWN" | "PLAN_UNKNOWN" | "SCHEDULE_UNKNOWN" | "FILE_UNKNOWN", _)
        | ("", Code::NotFound) => Exit::NOT_FOUND,
        ("PLAN_INVALID" | "REQUEST_INVALID", _) | ("", Code::InvalidArgument) => Exit::USAGE,
        ("RUN_ABORTED", _) => Exit::ABORTED,
        (_, Code::PermissionDenied | Code::Unauthenticated) => Exit::NOT_PERMITTED,
        _ => Exit::FAILURE,
    }
}

/// An error and its causes in one line, without saying anything twice.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = plain(&error.to_string());
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = plain(&error.to_string());
        if !text.contains(&next) {
            text += &format!(": {next}");
        }
        cause = error.source();
    }
    text
}

/// The words of the operating system without its number: `connection refused`.
fn plain(text: &str) -> String {
    let text = text.split(" (os error").next().unwrap_or(text);
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if letters.clone().next().is_some_and(char::is_lowercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    fn answered(code: Code, reason: &str) -> Exit {
        let none: [(String, String); 0] = [];
        let mut details = ErrorDetails::new();
        if !reason.is_empty() {
            details.set_error_info(reason, "gasera", none);
        }
        Failure::of_status(&Status::with_error_details(code, "no", details), "unix:/x").exit
    }

    #[test]
    fn every_reason_has_its_exit_code() {
        for (reason, exit) in [
            ("RUN_UNDER_WAY", 3),
            ("DISK_LOW", 3),
            ("NO_RUN", 3),
            ("NOT_NOW", 3),
            ("ANALYZER_BUSY", 3),
            ("ANALYZER_OFFLINE", 4),
            ("ANALYZER_REFUSED", 5),
            ("MULTIPLEXER_FAULT", 5),
            ("DEVICE_STRANGER", 5),
            ("ANALYZER_ERRORS", 5),
            ("RUN_ABORTED", 6),
            ("TASK_UNKNOWN", 10),
            ("RUN_UNKNOWN", 10),
            ("PLAN_UNKNOWN", 10),
            ("SCHEDULE_UNKNOWN", 10),
            ("PLAN_INVALID", 2),
            ("REQUEST_INVALID", 2),
            ("SOMETHING_NEW", 1),
        ] {
            assert_eq!(answered(Code::FailedPrecondition, reason).code(), exit, "{reason}");
        }
    }

    #[test]
    fn without_a_reason_the_code_decides() {
        assert_eq!(answered(Code::PermissionDenied, ""), Exit::NOT_PERMITTED);
        assert_eq!(answered(Code::PermissionDenied, "ROLE"), Exit::NOT_PERMITTED);
        assert_eq!(answered(Code::NotFound, ""), Exit::NOT_FOUND);
        assert_eq!(answered(Code::Internal, ""), Exit::FAILURE);
    }

    #[test]
    fn what_broke_on_the_way_is_not_an_answer() {
        let broken = std::io::Error::from_raw_os_error(104);
        let failure = Failure::of_status(&Status::from_error(Box::new(broken)), "unix:/x");
        assert_eq!(failure.exit, Exit::UNREACHABLE);
        assert!(failure.text.contains("unix:/x broke before it answered: connection reset by peer;"), "{failure}");
    }

    #[test]
    fn the_systems_words_go_into_a_sentence() {
        assert_eq!(plain("Connection refused (os error 111)"), "connection refused");
        assert_eq!(plain("HTTP version not supported"), "HTTP version not supported");
    }
}
