//! One test binary; a module per subject.
#![expect(clippy::unwrap_used, clippy::float_cmp, reason = "a test that fails says where")]

mod ak;
mod cli;
mod config;
mod engine;
mod gpio_sim;
mod layers;
mod mutants;
mod store;
mod support;
mod udev;
mod whole;
mod worlds;
