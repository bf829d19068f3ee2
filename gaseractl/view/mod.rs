//! How things look: the wording for people, the JSON for scripts, the live view. Nothing here prints or waits.

pub mod draw;
pub mod instrument;
pub mod json;
pub mod line;
pub mod model;
pub mod readers;
pub mod schedule;
pub mod screen;
pub mod status;
pub mod table;
pub mod words;
