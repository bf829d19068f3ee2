//! The outside interface: gRPC to ask and to order, HTTP to read and to follow, both on every listener.
//!
//! It translates, asks [`Control`], [`Archive`], [`Plans`] and the [`Hub`], and translates back; it decides nothing about
//! measuring.

use std::sync::Arc;

use crate::domain::Clock;
use crate::stream::Hub;

mod answer;
mod archive;
pub mod auth;
mod calls;
mod control;
mod convert;
mod describe;
mod document;
mod events;
mod export;
mod facts;
mod fanout;
mod form;
mod gate;
mod grpc;
mod health;
mod instrument;
mod listen;
mod memory;
mod metrics;
mod operation;
mod operations;
mod orders;
mod oversight;
mod page;
mod patience;
mod plans;
mod query;
mod router;
mod runs;
mod schedules;
mod schemas;
mod serve;
mod status_stream;
mod storage;
mod stuck;
mod table;
mod takeover;
pub mod tls;
mod upkeep;
// The clients in these tests come with the command line.
#[cfg(test)]
#[cfg(feature = "cli")]
mod tests;

pub use auth::{Access, AccessInEffect};
pub use control::{
    Archive, Change, ChannelLine, Checked, Chunk, ConfigReload, ConfigVerdict, Control, Copied, Detail, FileChunk,
    Folders, Holdings, InTrash, Ledger, Listed, NewSchedule, PlanMistake, PlanText, Plans, RunFile, Schedules, Setting,
    SettingChange, Storage, StoredRun, Upkeep, Verdict,
};
pub use listen::{Address, AddressError, BindError, Bound, bind};
pub use serve::serve;

/// Everything that requests are answered from.
#[derive(Clone)]
pub struct Services {
    pub control: Arc<dyn Control>,
    pub archive: Arc<dyn Archive>,
    pub plans: Arc<dyn Plans>,
    pub schedules: Arc<dyn Schedules>,
    pub folders: Arc<dyn Folders>,
    pub upkeep: Arc<dyn Upkeep>,
    pub hub: Arc<Hub>,
    pub clock: Arc<dyn Clock>,
    pub access: Arc<AccessInEffect>,
    pub ledger: Arc<dyn Ledger>,
}
