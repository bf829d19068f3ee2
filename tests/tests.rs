//! One test binary; a module per subject.
#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod ak;
