//! gaseractl as scripts and people meet it: the real binary, against a daemon that follows a script.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod control;
mod fake;
mod instrument;
mod plan;
mod queue;
mod runs;
mod start;
mod support;
mod usage;
mod watch;
