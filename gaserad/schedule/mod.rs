//! When schedules are due, and what is to be done then: plain functions of the schedules and a time that is given.
//!
//! [`Times`] are the moments that a cron expression means in a time zone. [`decide`] says of a schedule what is to be
//! done now. It starts nothing, keeps nothing and reads no clock; `daemon::scheduler` does.

mod decide;
#[cfg(test)]
mod tests;
mod times;

pub use decide::{Decision, Ruling, decide, reckon_from};
pub use times::{Times, TimesError};
