//! One test binary; a module per subject.

mod engine;
mod support;
