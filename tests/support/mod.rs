//! What the tests share.

pub mod processes;
pub mod world;
