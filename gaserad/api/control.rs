//! What the interface needs of the rest of the daemon.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::mpsc;

use crate::domain::status::MultiplexerStatus;
use crate::domain::{
    self, Aborted, Channel, ChannelKind, Denied, DeviceKind, DriftPoint, GasInfo, GasTable, Inquiry, MirrorStatus,
    Misfire, Note, Overlap, PlanDraft, PlanRequest, RunId, RunSummary, Schedule, Service, StartRequest, Started,
    Status, Told, TrashedRun, Utc, ValveOrder, VisitMeans, VisitSummary, Wanted,
};
use crate::store::{Audit, Backup, Inspection, Piece};
use crate::stream::BoxFuture;

/// The measuring side.
pub trait Control: Send + Sync + 'static {
    /// Answers when the analyzer measures or the run waits to begin, or says why neither.
    fn start(&self, request: StartRequest) -> BoxFuture<'_, Result<Started, Denied>>;

    /// Answers when the analyzer is idle. `run` is the id or the beginning of it, for one that is under way or waits;
    /// else it is the one under way, or else the next one.
    fn abort(&self, who: String, run: Option<String>) -> BoxFuture<'_, Result<Aborted, Denied>>;

    /// Does something to the run under way. Answers as soon as it is admitted.
    fn control(&self, control: domain::Control, who: String) -> BoxFuture<'_, Result<RunId, Denied>>;

    /// Moves the valve, or asks it where it stands. Moving is refused while a run is under way.
    fn move_valve(&self, order: ValveOrder, who: String) -> BoxFuture<'_, Result<MultiplexerStatus, Denied>>;

    /// Changes something about the analyzer, and gives its reply. Refused while a run is under way.
    fn serve(&self, service: Service, who: String) -> BoxFuture<'_, Result<String, Denied>>;

    /// Means the device that is there now, and gives who that is.
    fn accept(&self, device: DeviceKind, who: String) -> BoxFuture<'_, Result<String, Denied>>;

    /// Asks the analyzer something that changes nothing.
    fn inquire(&self, inquiry: Inquiry) -> BoxFuture<'_, Result<Told, Denied>>;

    fn status(&self) -> BoxFuture<'_, Status>;

    /// A plan with every default of the settings, to be filled in.
    fn plan_draft(&self) -> PlanDraft;

    /// All lines of the multiplexer.
    fn channels(&self) -> Vec<ChannelLine>;

    /// All gases that are known.
    fn gases(&self) -> Vec<GasInfo> {
        GasTable::default().all()
    }
}

/// A line of the multiplexer, as the settings call it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChannelLine {
    pub channel: Channel,
    /// Empty if it has none.
    pub label: String,
    pub kind: ChannelKind,
}

/// A plan in a file, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanText {
    pub name: String,
    /// What mistakes call it.
    pub path: String,
    pub text: String,
}

/// Something in a plan's file that has to be mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanMistake {
    /// Counted from 1; 0 where there is no line.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    pub text: String,
}

/// Plans as files.
pub trait Plans: Send + Sync + 'static {
    /// What a file asks for, or all that is wrong with it. What it does not say is as in `defaults`.
    fn read(&self, text: &str, defaults: &PlanDraft) -> Result<PlanRequest, Vec<PlanMistake>>;

    /// The plan that is kept under that name.
    fn find(&self, name: String) -> BoxFuture<'_, Result<PlanText, Denied>>;

    /// All plans that are kept, by name.
    fn list(&self) -> BoxFuture<'_, Result<Vec<PlanText>, Denied>>;
}

/// A schedule that somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSchedule {
    pub name: String,
    pub cron: String,
    pub zone: String,
    pub plan: String,
    pub overlap: Overlap,
    pub misfire: Misfire,
    pub grace: Duration,
    pub enabled: bool,
    /// Also if there is one of that name.
    pub replace: bool,
    /// Only check it.
    pub dry_run: bool,
}

/// A schedule and its next times, also as the clocks of its zone show them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub schedule: Schedule,
    pub next: Vec<(Utc, String)>,
}

/// What starts runs by the clock. `count` is how many times are told.
pub trait Schedules: Send + Sync + 'static {
    /// By name.
    fn list(&self, count: u32) -> BoxFuture<'_, Result<Vec<Listed>, Denied>>;

    fn add(&self, new: NewSchedule, who: String, count: u32) -> BoxFuture<'_, Result<Listed, Denied>>;

    fn remove(&self, name: String, who: String) -> BoxFuture<'_, Result<(), Denied>>;

    fn enable(&self, name: String, enabled: bool, who: String, count: u32) -> BoxFuture<'_, Result<Listed, Denied>>;
}

/// A run and where its files lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRun {
    pub run: RunSummary,
    pub folder: PathBuf,
}

/// Everything that is told of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    pub stored: StoredRun,
    pub visits: Vec<VisitSummary>,
    /// Oldest first.
    pub notes: Vec<Note>,
}

/// What came of working out anew whose gas the samples of a run are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Records that are kept of the run.
    pub records: u64,
    /// Rows of its samples.csv.
    pub rows: u64,
    /// Records whose channel was worked out anew.
    pub attributed_again: u64,
    /// Files of its folder that were compared.
    pub files: u32,
    /// A sentence for each thing that is not as it should be.
    pub differences: Vec<String>,
    /// A sentence for each record that what passed between gaserad and the analyzer, or another record, contradicts.
    pub doubts: Vec<String>,
    /// Records that the attribution of this version would keep otherwise.
    pub changes: Vec<Change>,
}

/// A record as it is kept, and as it would be kept now; empty where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub seq: u32,
    pub was: String,
    pub now: String,
}

/// A piece of a file, or why there are no more.
pub type Chunk = Result<Piece, String>;

/// What came of looking through all that is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    pub found: Inspection,
    /// Files of run folders that were compared.
    pub files: u64,
}

/// A copy of the database, piece by piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Copied {
    /// It is made, and has this in it.
    Begins(Backup),
    Piece(Vec<u8>),
}

/// All that is kept, as a whole.
pub trait Holdings: Send + Sync + 'static {
    /// Looks through the database, and, if they are wanted, compares the files of all runs that are over.
    fn check(&self, files: bool) -> BoxFuture<'_, Result<Checked, Denied>>;

    /// Sends a copy of the database until it is through or nobody receives any more.
    fn backup(&self, pieces: mpsc::Sender<Result<Copied, Denied>>) -> BoxFuture<'_, ()>;

    /// What was measured of known gases: in one run, or in all that began since then.
    fn drift(&self, run: Option<RunId>, since: Option<Utc>) -> BoxFuture<'_, Result<Vec<DriftPoint>, Denied>>;
}

/// The keeping side.
pub trait Archive: Holdings {
    /// The newest first.
    fn runs(&self, limit: u32) -> BoxFuture<'_, Result<Vec<StoredRun>, Denied>>;

    /// The run of that id, of which it is the only prefix, or the newest for `last`.
    fn find<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<RunId, Denied>>;

    fn run<'a>(&'a self, id: &'a RunId) -> BoxFuture<'a, Result<Detail, Denied>>;

    /// What was measured on each visit.
    fn visit_means<'a>(&'a self, id: &'a RunId) -> BoxFuture<'a, Result<Vec<VisitMeans>, Denied>>;

    /// Up to `limit` of what happened in the run after event number `seq`, in order; its results are not among it.
    fn events<'a>(
        &'a self,
        id: &'a RunId,
        seq: u64,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<domain::Published>, Denied>>;

    /// Compares the run's records and its file with what its stored facts say. Changes nothing.
    fn verify<'a>(&'a self, id: &'a RunId) -> BoxFuture<'a, Result<Verdict, Denied>>;

    /// Begins to export these runs to one file: what comes is made piece by piece, as long as it is received.
    fn export(&self, ids: Vec<RunId>, wanted: Wanted) -> BoxFuture<'_, Result<mpsc::Receiver<Chunk>, Denied>>;
}

/// A piece of a file as it is, or why there are no more.
pub type FileChunk = Result<Vec<u8>, String>;

/// A file in a run's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFile {
    pub name: String,
    pub bytes: u64,
    pub changed: Utc,
}

/// A run in the trash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InTrash {
    pub run: TrashedRun,
    /// What its files take.
    pub bytes: u64,
    pub gone_after: Utc,
}

/// The folders of runs, and runs that are removed.
pub trait Folders: Send + Sync + 'static {
    /// The files in the run's folder, by name.
    fn files<'a>(&'a self, id: &'a RunId) -> BoxFuture<'a, Result<Vec<RunFile>, Denied>>;

    /// One of them, as long as it was when it was listed.
    fn read(&self, id: RunId, file: RunFile, chunks: mpsc::Sender<FileChunk>) -> BoxFuture<'_, ()>;

    /// What is in the trash, the latest first.
    fn trash(&self) -> BoxFuture<'_, Result<Vec<InTrash>, Denied>>;

    /// Puts all of these runs into the trash, or none; with `purge` they are gone for good.
    fn remove(&self, names: Vec<String>, who: String, purge: bool) -> BoxFuture<'_, Result<Vec<RunId>, Denied>>;

    fn restore(&self, name: String, who: String) -> BoxFuture<'_, Result<RunId, Denied>>;

    /// All that is in the trash is gone for good.
    fn empty(&self, who: String) -> BoxFuture<'_, Result<Vec<RunId>, Denied>>;
}

/// What is kept, where, and how much room is left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Storage {
    pub directory: PathBuf,
    pub free_bytes: Option<u64>,
    /// How large the disk is.
    pub total_bytes: Option<u64>,
    /// With less left there is a warning.
    pub min_free_bytes: u64,
    pub database_bytes: u64,
    /// Of those, what is written to next, before the file grows.
    pub reusable_bytes: u64,
    /// With the bytes in their folders, the newest first.
    pub runs: Vec<(RunSummary, u64)>,
    /// How many runs are in the trash, and the bytes in their folders.
    pub trash: (u64, u64),
    /// The copy on another drive, if there is to be one.
    pub mirror: Option<MirrorStatus>,
    /// What removes runs by itself, in words; empty if nothing does.
    pub retention: String,
    /// A sentence for each thing that is not as it should be.
    pub faults: Vec<String>,
}

/// A setting in effect, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    pub key: String,
    pub value: String,
    pub origin: String,
}

/// What is wrong with a configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigVerdict {
    pub mistakes: Vec<PlanMistake>,
    pub warnings: Vec<String>,
}

/// A setting that is another one than before, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingChange {
    pub key: String,
    pub was: Option<String>,
    pub is: Option<String>,
}

/// What came of reading the configuration again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigReload {
    pub changed: Vec<SettingChange>,
    pub needs_restart: Vec<SettingChange>,
    pub warnings: Vec<String>,
}

/// What the daemon knows of itself.
pub trait Upkeep: Send + Sync + 'static {
    fn storage(&self) -> BoxFuture<'_, Result<Storage, Denied>>;

    fn settings(&self) -> Vec<Setting>;

    /// What is allowed in the settings but should be known.
    fn warnings(&self) -> Vec<String>;

    /// Reads a configuration without opening what it names.
    fn check(&self, name: &str, text: &str) -> ConfigVerdict;

    /// Reads the configuration again, and takes of it what can be taken; nothing, if there is any mistake.
    fn reload(&self, who: String) -> BoxFuture<'_, Result<ConfigReload, Denied>>;
}

/// Keeps who asked for what, where the measuring side does not.
pub trait Ledger: Send + Sync + 'static {
    /// Does not wait.
    fn note(&self, entry: Audit);
}
