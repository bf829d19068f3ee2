//! The engine in virtual time.

mod dwell;
mod faults;
mod runs;
mod whatever_happens;
