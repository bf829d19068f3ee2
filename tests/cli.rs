//! gaseractl as scripts and people meet it: the real binary, against a daemon that follows a script.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod contexts;
mod control;
mod doctor;
mod fake;
mod fake_script;
mod fake_web;
mod instrument;
pub mod json;
mod plan;
mod queue;
mod reconnect;
mod runs;
mod shells;
mod start;
mod stream;
mod support;
mod token;
mod upkeep;
mod usage;
mod view;
mod watch;
