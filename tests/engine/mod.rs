//! The engine in virtual time.

mod control;
mod dwell;
mod faults;
mod instruments;
mod restart;
mod runs;
mod suspend;
mod whatever_happens;
