//! What the tests share.

mod manners;
pub mod processes;
pub mod stack;
pub mod world;
