//! What the tests share.

mod manners;
pub mod world;
