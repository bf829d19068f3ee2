//! How things look: the wording for people, the JSON for scripts, the live view. Nothing here prints or waits.

pub mod instrument;
pub mod json;
pub mod line;
pub mod live;
pub mod model;
pub mod readers;
pub mod schedule;
pub mod status;
pub mod table;
pub mod words;
