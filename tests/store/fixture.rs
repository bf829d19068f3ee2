//! A small history to keep: one run of a plan, its records, and stores in temporary directories.

use std::fs;
use std::path::Path;
use std::time::Duration;

use gasera::domain::event::Event;
use gasera::domain::plan::{Plan, PlanDraft};
use gasera::domain::{
    AnalyzerTime, Attribution, Cas, Channel, ChannelKind, Fact, Position, Qc, Reading, Record, RunId, RunSummary,
    Sample, StampMeaning, Sync, Utc, Verification, VisitId, VisitSummary, WithoutChannel,
};
use gasera::store::{Batch, ChannelLabels, Opened, Store};
use tempfile::TempDir;
use tokio::sync::mpsc;

pub const METHANE: &str = "74-82-8";
pub const CARBON_DIOXIDE: &str = "124-38-9";
pub const WATER: &str = "7732-18-5";

pub fn utc(seconds: i64) -> Utc {
    Utc::from_micros(1_768_464_000_000_000 + seconds * 1_000_000)
}

pub fn channel(number: u8) -> Channel {
    Channel::new(number).unwrap()
}

pub fn gases(numbers: &[&str]) -> Vec<Cas> {
    numbers.iter().map(|number| Cas((*number).to_owned())).collect()
}

pub fn labels() -> ChannelLabels {
    [
        (channel(1), ("barn, north".to_owned(), ChannelKind::Sample)),
        (channel(2), ("the \"zero\" gas".to_owned(), ChannelKind::Zero)),
    ]
    .into()
}

pub fn plan() -> Plan {
    Plan::new(PlanDraft {
        channels: "1-4".into(),
        repeats: 2,
        purge: Duration::from_millis(2500),
        measure: Duration::from_secs(4),
        sync: Sync::Analyzer,
        save_on_device: true,
        label: "winter".into(),
        note: "first, of many".into(),
        ..PlanDraft::default()
    })
    .unwrap()
}

pub fn summary(id: &str) -> RunSummary {
    RunSummary {
        id: RunId(id.into()),
        plan: plan(),
        started: utc(0),
        ended: None,
        outcome: None,
        reason: String::new(),
        records: 0,
        good_records: 0,
        without_channel: WithoutChannel::default(),
    }
}

pub fn record(run: &str, seq: u32, readings: &[(&str, f64)]) -> Record {
    Record {
        run: RunId(run.into()),
        seq,
        sample: Sample {
            stamp: AnalyzerTime(1_768_464_192),
            readings: readings.iter().map(|(cas, ppm)| Reading::new(Cas((*cas).into()), Some(*ppm))).collect(),
            raw: "\u{2} ACON 0 1768464192 74-82-8 1.9 \u{3}".into(),
        },
        attribution: Attribution::Exact,
        channel: Some(channel(1)),
        visit: Some(VisitId(1)),
        repeat: Some(1),
        verification: Verification::Readback,
        elapsed_s: Some(12.25),
        sample_in_visit: Some(seq),
        discard: false,
        qc: Qc::Good,
        flags: vec![],
        iteration: Some(seq),
        sampled: utc(192) + Duration::from_millis(345),
        exchange: Some((utc(180), utc(192))),
        read: utc(230),
        clock_offset_s: Some(-3600.5),
        stamp_meaning: Some(StampMeaning::Sampling),
    }
}

pub fn position_event(number: u8) -> Event {
    Event::MuxPosition {
        position: Position::At(channel(number), Verification::Readback),
        channel: Some(channel(number)),
    }
}

pub fn events(count: u8) -> Batch {
    Batch { events: (1..=count).map(position_event).collect(), ..Batch::default() }
}

pub fn facts(facts: Vec<Fact>) -> Batch {
    Batch { facts, ..Batch::default() }
}

pub fn open(directory: &Path) -> (Store, Opened) {
    Store::open(directory, labels()).unwrap()
}

/// A store with one run under way that knows methane.
pub async fn measuring() -> (TempDir, Store, RunSummary) {
    let directory = TempDir::new().unwrap();
    let (store, _) = open(directory.path());
    let run = summary("01KF000000000000000000000A");
    let started = vec![
        Fact::RunStarted(run.clone()),
        Fact::RunGases { run: run.id.clone(), gases: gases(&[METHANE]) },
        Fact::VisitStarted { run: run.id.clone(), visit: visit() },
    ];
    store.commit(facts(started)).await.unwrap();
    (directory, store, run)
}

pub fn visit() -> VisitSummary {
    VisitSummary {
        id: VisitId(1),
        channel: channel(1),
        repeat: 1,
        arrived: utc(5),
        left: None,
        records: 0,
        good_records: 0,
    }
}

pub async fn exported(store: &Store, run: &RunId) -> String {
    let (pieces, mut received) = mpsc::channel(1);
    let (store, run) = (store.clone(), run.clone());
    let exporting = tokio::spawn(async move { store.export(&run, pieces).await });
    let mut bytes = Vec::new();
    while let Some(piece) = received.recv().await {
        bytes.extend(piece.unwrap());
    }
    exporting.await.unwrap();
    String::from_utf8(bytes).unwrap()
}

pub fn live_file(store: &Store, run: &RunSummary) -> String {
    fs::read_to_string(store.run_folder(run).join("samples.csv")).unwrap()
}

/// What a crash leaves: the files as they are on the disk while a store is at work.
pub fn as_after_a_crash(directory: &Path) -> TempDir {
    let copy = TempDir::new().unwrap();
    copy_directory(directory, copy.path());
    copy
}

pub fn copy_directory(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_directory(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
