//! The real binaries, as people start them: a simulated plant, a daemon, and the command line, each a process.
//!
//! Time in plant and daemon runs faster than the world's. Nothing is asserted about durations: what is held against
//! the records is the plant's own account of what each iteration sampled.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod abort;
mod archive;
mod chart;
mod churn;
mod control;
mod cron;
mod dashboard;
mod demo;
mod disk;
mod doctor;
mod endurance;
mod evidence;
mod exports;
mod faults;
mod hostile;
mod identity;
mod kill;
mod lab;
mod measure;
mod outage;
mod plan;
mod queue;
mod readers;
mod refusals;
mod reload;
mod restart;
mod schedule;
mod stream;
mod timings;
mod trash;
mod trouble;
mod usb;
mod verdict;
mod view;
mod watch;
