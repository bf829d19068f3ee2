//! gaserad runs measurement plans on one gas analyzer and its multiplexer; this library is all of it but `main`.
//!
//! Who may import whom; `tests/layers.rs` enforces it:
//!
//! ```text
//! domain <- ak, attribution, config, export, schedule <- engine, device, simulator, store, stream <- runtime, mirror <- api <- daemon
//! ```
//!
//! Pure, without clock, disk, network or tokio: `domain`, `ak`, `attribution`, `engine`, `export`, `schedule`, `sse`.
//! `sse` is for readers of the stream and stands alone. `gaseractl` sees `domain`, `proto` and `sse` only.

#[cfg(feature = "daemon")]
pub mod ak;
#[cfg(feature = "daemon")]
pub mod api;
#[cfg(feature = "daemon")]
pub mod attribution;
#[cfg(feature = "daemon")]
pub mod config;
#[cfg(feature = "daemon")]
pub mod daemon;
#[cfg(feature = "daemon")]
pub mod device;
pub mod domain;
#[cfg(feature = "daemon")]
pub mod engine;
#[cfg(feature = "daemon")]
pub mod export;
#[cfg(feature = "daemon")]
pub mod mirror;
pub mod proto;
#[cfg(feature = "daemon")]
pub mod runtime;
#[cfg(feature = "daemon")]
pub mod schedule;
#[cfg(feature = "daemon")]
pub mod simulator;
pub mod sse;
#[cfg(feature = "daemon")]
pub mod store;
#[cfg(feature = "daemon")]
pub mod stream;
