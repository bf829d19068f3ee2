//! AK as the GASERA ONE speaks it: bytes <-> frames <-> typed commands and replies. No connection, no clock, no state
//! beyond a half-received frame: asking, waiting and reconnecting are `device::session`.
//!
//! ```text
//! request   STX SP ASTS SP K0 SP [data SP] ETX        SP after the last word: an undocumented need of some firmware
//! reply     STX SP ASTS SP 0 [SP data] ETX            0 is "no error", any other digit is an error
//! ```
//!
//! STX is 0x02, ETX is 0x03, everything between is text. Nothing numbers the questions: one is in flight at a time, and
//! its reply is known by the four letters that it repeats.
//!
//! | command | asks or does | reply |
//! |---|---|---|
//! | ASTS | state | one code |
//! | AMST | phase within the iteration | one code |
//! | AITR | iteration counter | a number |
//! | AERR | active errors | codes, which are strings |
//! | ACON | the last result | `stamp cas ppm` for each gas; error 1 before the first result |
//! | SCON | which fields ACON has, until the next reboot | |
//! | STAM | start a task; the one command that must not be repeated blindly | |
//! | STPM | stop measuring | |
//! | SONL | 1 keeps results off the instrument's own disk, 0 stores them there | |
//! | ATSK | tasks | `id name id name …`, names unquoted, with blanks and digits in them |
//! | ATSP | parameters of a task | its gases first |
//! | ACLK | the instrument's clock | UTC, without a zone |
//! | ADEV | identity | quoted fields |
//!
//! Real streams are less tidy than this. Accepted without complaint: bytes before STX, a start without an end before the
//! real one, any byte in place of the blank after STX, any number of blanks, line ends anywhere a blank may be, text that
//! is not UTF-8. What cannot be a reply is an [`Error`] that holds the offending line, never a guess and never a panic.

pub mod command;
pub mod frame;
pub mod reply;
mod tasks;
mod words;

pub use command::{Command, Request};
pub use frame::{Decoder, Frame};
pub use reply::{Error, Reply};
pub use tasks::{Task, Tasks};
