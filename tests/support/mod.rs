//! What the tests share.

mod manners;
pub mod processes;
pub mod schema;
pub mod stack;
pub mod world;
