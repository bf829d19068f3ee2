//! The gRPC contract, generated from `proto/gasera/v1`, and what of it is also written as JSON.

pub mod json;

pub use generated::*;

mod generated {
    #![allow(
        clippy::all,
        clippy::pedantic,
        clippy::unwrap_used,
        clippy::disallowed_types,
        unused_qualifications,
        reason = "generated"
    )]
    tonic::include_proto!("gasera.v1");
}

/// A request: it belongs to one call.
pub trait Call: prost::Message + 'static {
    type Answer: prost::Message + Default + 'static;
    const PATH: &'static str;
}

include!(concat!(env!("OUT_DIR"), "/calls.rs"));

/// For server reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/gasera.bin"));
