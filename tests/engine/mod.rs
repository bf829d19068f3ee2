//! The engine in virtual time.

mod absence;
mod admission;
mod answers;
mod control;
mod dwell;
mod estimates;
mod everything;
mod faults;
mod guard;
mod identity;
mod instruments;
mod journals;
mod limits;
mod losses;
mod pause;
mod queue;
mod restart;
mod runs;
mod values;
mod whatever_happens;
