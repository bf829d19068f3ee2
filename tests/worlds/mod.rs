//! Whole worlds in virtual time, down to the bytes: every good record has the channel whose gas it is.

mod analyzer_faults;
mod chosen;
mod clocks;
mod lives;
mod rude;
mod seeded;
mod trouble;
mod valve_faults;
