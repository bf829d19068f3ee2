//! What the tests share.

mod manners;
pub mod processes;
pub mod world;
