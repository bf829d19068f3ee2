//! AK as the GASERA ONE speaks it: bytes <-> frames <-> typed commands and replies. No connection, no clock, no state
//! beyond a half-received frame: asking, waiting and reconnecting are `device::session`.
//!
//! ```text
//! request   STX SP ASTS SP K0 SP [data SP] ETX        SP after the last word: an undocumented need of some firmware
//! reply     STX SP ASTS SP 0 [SP data] ETX            0 is "no error"; for other digits see below
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
//! | SCON | which fields ACON has, until the next reboot: time, gas, concentration, inlet | |
//! | SCOR | in which order ACON gives the gases, until the next reboot | |
//! | STAM, STAT | start a task, by id or by name; not to be repeated blindly | |
//! | STPM | stop measuring | |
//! | SONL | 1 keeps results off the instrument's own disk, 0 stores them there | |
//! | STUN | laser tuning at every n-th iteration, until the next start | |
//! | ATSK | tasks | `id name id name …`, names unquoted, with blanks and digits in them |
//! | ATSP | parameters of a task | its gases first |
//! | ACLK | the instrument's clock | UTC, without a zone |
//! | ADEV | identity | quoted fields |
//! | ANAM | name | it may be empty, or several words |
//! | ANET, SNET | network, as it is and as it shall be after a reboot | `dhcp address netmask gateway` |
//! | APAR | one parameter by its name | its value |
//! | ASYP | all system parameters, several kilobytes | `name,value,min,max,unit` for each, with the word NULL |
//! | AMPS | inlets of the instrument's own sampler | `inlet active bypass`; status 2 where there is no sampler |
//! | STST, ASTR | begin a self-test, not to be repeated blindly; its result | −2 none, −1 running, 0 failed, 1 passed |
//! | RDEV | reboot, in any state; not to be repeated blindly | |
//!
//! The status digit has two meanings. The GASERA ONE says 1 for "refused", and then sends no data. Other AK instruments
//! count their changes of error status from 1 to 9 while they answer as usual, and refuse with a word in place of the
//! data: SE, DF, BS, OF, NA. The rule here: a word of refusal refuses, whatever the digit; 1 refuses, whatever the data;
//! with any other digit the reply is what its data say. Without data, 2 to 9 acknowledge an order and do not answer a
//! question, except AMPS, where 2 is an answer. An instrument that counts is refused while its count stands at 1: taking
//! an error of this analyzer for an answer would be worse.
//!
//! Real streams are less tidy than this. Accepted without complaint: bytes before STX, a start without an end before the
//! real one, any byte in place of the blank after STX, any number of blanks, line ends anywhere a blank may be, text that
//! is not UTF-8. What cannot be a reply is an [`Error`] that holds the offending line, never a guess and never a panic.

pub mod command;
pub mod frame;
mod instrument;
mod number;
pub mod reply;
mod request;
mod results;
mod stamp;
mod tasks;
mod words;

#[cfg(test)]
mod tests;

pub use command::{Command, Layout, write_network};
pub use frame::{Decoder, Frame};
pub use reply::{Error, Reply};
pub use request::AkRequest;
pub use tasks::{ListedTask, Tasks};
