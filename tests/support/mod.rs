//! What the tests share.

pub mod frames;
mod manners;
pub mod processes;
pub mod schema;
pub mod stack;
pub mod terminal;
pub mod world;
