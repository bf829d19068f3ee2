//! The AK protocol as the GASERA ONE speaks it: frame <-> bytes, typed command, typed reply. Pure.
//!
//! ```text
//! question   STX ␣ CODE ␣ K0 ␣ [data] ETX        STX = 0x02, ETX = 0x03, CODE = four letters
//! reply      STX ␣ CODE ␣ status [␣ data] ETX    status 0: done; any other digit: not done
//! ```
//!
//! Text is ASCII. The byte after STX means nothing. Blanks, CR and LF may stand anywhere between words. There are no
//! request numbers: one question is in flight at a time, and a reply is known by its code. A reply can be long (some
//! are several kilobytes) and can come in pieces, with noise before it.
//!
//! | code | asks or orders |
//! |---|---|
//! | `ASTS` `AMST` `AITR` | state, phase within the iteration, iteration |
//! | `AERR` | active error codes |
//! | `ACON` | the last result, as triples of time, CAS number, ppm |
//! | `SCON` | how `ACON` is laid out |
//! | `ATSK` `ATSP` | the tasks; one task's gases and flush times |
//! | `STAM` `STPM` | start a task, stop measuring |
//! | `SONL` | whether results are kept on the analyzer: `0` keeps them |
//! | `ACLK` `ADEV` | clock (UTC), identity |

pub mod command;
pub mod frame;
pub mod reply;
mod tasks;

pub use command::{Command, Request};
pub use frame::{Decoder, Frame};
pub use reply::{Error, Reply};
pub use tasks::{Task, Tasks};
