//! The store: what is committed stays, whole and in order, and its files say the same.

use std::fs;
use std::path::Path;
use std::time::Duration;

use gasera::domain::event::{Event, LiveData};
use gasera::domain::plan::{Plan, PlanDraft};
use gasera::domain::{
    AnalyzerTime, Attribution, Cas, Channel, ChannelKind, Fact, Flag, Moment, Outcome, Phase, Position, Qc, Reading,
    Record, RunId, RunSummary, Sample, Sync, Tick, Utc, Verification, VisitId, VisitSummary,
};
use gasera::store::{Audit, Batch, ChannelLabels, Opened, Store, StoreError, csv};
use proptest::prelude::*;
use tempfile::TempDir;
use tokio::sync::mpsc;

const METHANE: &str = "74-82-8";
const CARBON_DIOXIDE: &str = "124-38-9";
const WATER: &str = "7732-18-5";

fn utc(seconds: i64) -> Utc {
    Utc::from_micros(1_768_464_000_000_000 + seconds * 1_000_000)
}

fn channel(number: u8) -> Channel {
    Channel::new(number).unwrap()
}

fn gases(numbers: &[&str]) -> Vec<Cas> {
    numbers.iter().map(|number| Cas((*number).to_owned())).collect()
}

fn labels() -> ChannelLabels {
    [
        (channel(1), ("barn, north".to_owned(), ChannelKind::Sample)),
        (channel(2), ("the \"zero\" gas".to_owned(), ChannelKind::Zero)),
    ]
    .into()
}

fn plan() -> Plan {
    Plan::new(PlanDraft {
        channels: "1-4".into(),
        channel_count: 31,
        repeats: 2,
        pause: Duration::from_millis(2500),
        measure: Duration::from_secs(4),
        iterations: None,
        task: "DEFAULT".into(),
        sync: Sync::Analyzer,
        save_on_device: true,
        label: "winter".into(),
        note: "first, of many".into(),
        operator: String::new(),
        settle: Duration::from_secs(5),
    })
    .unwrap()
}

fn summary(id: &str) -> RunSummary {
    RunSummary {
        id: RunId(id.into()),
        plan: plan(),
        started: utc(0),
        ended: None,
        outcome: None,
        reason: String::new(),
        records: 0,
        good_records: 0,
    }
}

fn record(run: &str, seq: u32, readings: &[(&str, f64)]) -> Record {
    Record {
        run: RunId(run.into()),
        seq,
        sample: Sample {
            stamp: AnalyzerTime(1_768_464_192),
            readings: readings.iter().map(|(cas, ppm)| Reading { cas: Cas((*cas).into()), ppm: Some(*ppm) }).collect(),
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
    }
}

fn position_event(number: u8) -> Event {
    Event::MuxPosition {
        position: Position::At(channel(number), Verification::Readback),
        channel: Some(channel(number)),
    }
}

fn events(count: u8) -> Batch {
    Batch { events: (1..=count).map(position_event).collect(), ..Batch::default() }
}

fn facts(facts: Vec<Fact>) -> Batch {
    Batch { facts, ..Batch::default() }
}

fn open(directory: &Path) -> (Store, Opened) {
    Store::open(directory, labels()).unwrap()
}

/// A store with one run under way that knows methane.
async fn measuring() -> (TempDir, Store, RunSummary) {
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

fn visit() -> VisitSummary {
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

async fn exported(store: &Store, run: &RunId) -> String {
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

fn live_file(store: &Store, run: &RunSummary) -> String {
    fs::read_to_string(store.run_folder(run).join("samples.csv")).unwrap()
}

/// What a crash leaves: the files as they are on the disk while a store is at work.
fn as_after_a_crash(directory: &Path) -> TempDir {
    let copy = TempDir::new().unwrap();
    copy_directory(directory, copy.path());
    copy
}

fn copy_directory(from: &Path, to: &Path) {
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

#[tokio::test]
async fn sequence_numbers_go_on_without_a_gap_after_a_restart() {
    let directory = TempDir::new().unwrap();
    let (store, opened) = open(directory.path());
    assert_eq!((opened.last_seq, opened.last_tick, opened.last_utc), (0, Tick::ZERO, None));
    let first = store.commit(events(3)).await.unwrap();
    assert_eq!(first.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2, 3]);
    store.close().await;

    let (store, opened) = open(directory.path());
    assert_eq!(opened.last_seq, 3);
    let second = store.commit(events(2)).await.unwrap();
    assert_eq!(second.iter().map(|event| event.seq).collect::<Vec<_>>(), [4, 5]);
    let all = store.events_after(0, 100).await.unwrap();
    assert_eq!(all, [first, second].concat());
    assert_eq!(store.last_seq().await.unwrap(), 5);
}

#[tokio::test]
async fn the_last_moment_and_the_next_command_are_found_again() {
    let directory = TempDir::new().unwrap();
    let (store, _) = open(directory.path());
    let moment = Moment { tick: Tick::from_micros(7_000_001), utc: Utc::from_micros(1_768_464_000_000_123) };
    let journal = vec!["{\"x\":1}".to_owned()];
    let batch = Batch { moment, journal, next_command: Some(42), ..Batch::default() };
    store.commit(batch).await.unwrap();
    store.close().await;
    let (_store, opened) = open(directory.path());
    assert_eq!(opened.last_tick, moment.tick);
    assert_eq!(opened.last_utc, Some(moment.utc));
    assert_eq!(opened.next_command, 42);
}

#[tokio::test]
async fn events_are_kept_exactly_as_published() {
    let directory = TempDir::new().unwrap();
    let (store, _) = open(directory.path());
    let run = summary("01KF000000000000000000000A");
    let moment = Moment { tick: Tick::ZERO, utc: utc(1) };
    let live = LiveData::of(&record(&run.id.0, 1, &[(METHANE, 1.9)]), Phase::Measuring);
    let events = vec![position_event(4), Event::RunStarted { run: run.clone() }, Event::LiveData(live)];
    let audit = vec![Audit { who: "uid 1000".into(), what: "start".into(), result: "accepted".into() }];
    let published = store.commit(Batch { moment, events: events.clone(), audit, ..Batch::default() }).await.unwrap();
    assert_eq!(published[0].data, events[0].payload(moment.utc).to_string());
    assert_eq!(published[0].name, "mux.position");
    assert_eq!((published[1].run.as_ref(), published[1].channel), (Some(&run.id), None));
    assert_eq!((published[2].run.as_ref(), published[2].channel), (Some(&run.id), Some(1)));
    assert_eq!(store.events_after(0, 10).await.unwrap(), published);
}

#[tokio::test]
async fn commits_in_flight_keep_their_order() {
    let directory = TempDir::new().unwrap();
    let (store, _) = open(directory.path());
    let (first, second) = tokio::join!(store.commit(events(2)), store.commit(events(1)));
    assert_eq!(first.unwrap().last().unwrap().seq, 2);
    assert_eq!(second.unwrap().last().unwrap().seq, 3);
}

#[tokio::test]
async fn a_commit_that_fails_leaves_nothing_behind() {
    let (_directory, store, run) = measuring().await;
    let twice = record(&run.id.0, 1, &[(METHANE, 1.9)]);
    let batch = Batch {
        facts: vec![Fact::Recorded(twice.clone()), Fact::Recorded(twice.clone())],
        events: vec![position_event(1)],
        ..Batch::default()
    };
    assert!(matches!(store.commit(batch).await, Err(StoreError::Database(_))));
    assert_eq!(store.last_seq().await.unwrap(), 0);
    assert!(store.records(&run.id, 0, 10).await.unwrap().is_empty());
    let next = Batch { facts: vec![Fact::Recorded(twice)], events: vec![position_event(1)], ..Batch::default() };
    assert_eq!(store.commit(next).await.unwrap()[0].seq, 1);
    assert_eq!(live_file(&store, &run).lines().count(), 2);
}

#[tokio::test]
async fn ending_what_is_not_open_is_refused() {
    let (_directory, store, run) = measuring().await;
    let ended = |run: &str| Fact::RunEnded {
        run: RunId(run.into()),
        ended: utc(900),
        outcome: Outcome::Failed,
        reason: "the valve does not answer".into(),
    };
    assert!(matches!(store.commit(facts(vec![ended("nobody")])).await, Err(StoreError::Contradiction(_))));
    store.commit(facts(vec![ended(&run.id.0)])).await.unwrap();
    assert!(matches!(store.commit(facts(vec![ended(&run.id.0)])).await, Err(StoreError::Contradiction(_))));
    let (summary, _) = store.run(&run.id).await.unwrap();
    assert_eq!(summary.outcome, Some(Outcome::Failed));
    assert_eq!(summary.ended, Some(utc(900)));
    assert_eq!(summary.reason, "the valve does not answer");
}

#[tokio::test]
async fn runs_and_visits_count_their_records() {
    let (_directory, store, run) = measuring().await;
    let good = record(&run.id.0, 1, &[(METHANE, 1.9)]);
    let purged = Record { discard: true, flags: vec![Flag::Purge], ..record(&run.id.0, 2, &[(METHANE, 2.0)]) };
    let stray = Record { visit: None, channel: None, qc: Qc::Bad, ..record(&run.id.0, 3, &[(METHANE, 2.1)]) };
    let left = Fact::VisitEnded { run: run.id.clone(), visit: VisitId(1), left: utc(300) };
    let all = [good, purged, stray].map(Fact::Recorded).into_iter().chain([left]).collect();
    store.commit(facts(all)).await.unwrap();
    let (summary, visits) = store.run(&run.id).await.unwrap();
    assert_eq!((summary.records, summary.good_records), (3, 1));
    assert_eq!(visits, [VisitSummary { left: Some(utc(300)), records: 2, good_records: 1, ..visit() }]);
    assert_eq!(store.runs(5).await.unwrap(), [summary]);
}

#[tokio::test]
async fn the_newest_run_comes_first_and_the_open_one_is_found_on_opening() {
    let (directory, store, first) = measuring().await;
    let end = Fact::RunEnded { run: first.id, ended: utc(9), outcome: Outcome::Completed, reason: String::new() };
    let second = summary("01KF000000000000000000000B");
    store.commit(facts(vec![end, Fact::RunStarted(second.clone())])).await.unwrap();
    let ids: Vec<_> = store.runs(10).await.unwrap().into_iter().map(|run| run.id.0).collect();
    assert_eq!(ids, ["01KF000000000000000000000B", "01KF000000000000000000000A"]);
    store.close().await;
    let (_store, opened) = open(directory.path());
    assert_eq!(opened.open_run.unwrap().id, second.id);
    assert_eq!(opened.last_run.unwrap().id, second.id);
}

#[tokio::test]
async fn a_run_is_found_by_the_beginning_of_its_id() {
    let (_directory, store, first) = measuring().await;
    let second = summary("01KG000000000000000000000B");
    store.commit(facts(vec![Fact::RunStarted(second.clone())])).await.unwrap();
    assert_eq!(store.find_run("01kf").await.unwrap(), first.id);
    assert_eq!(store.find_run(&second.id.0).await.unwrap(), second.id);
    assert_eq!(store.find_run("last").await.unwrap(), second.id);
    let Err(StoreError::Ambiguous { matches, .. }) = store.find_run("01K").await else { panic!("not ambiguous") };
    assert_eq!(matches.len(), 2);
    for unknown in ["", "02", "%", "01K_"] {
        assert!(matches!(store.find_run(unknown).await, Err(StoreError::NotFound(_))), "{unknown:?}");
    }
}

#[tokio::test]
async fn the_live_file_and_the_export_are_the_same_and_quote_what_must_be() {
    let (_directory, store, run) = measuring().await;
    let first = record(&run.id.0, 1, &[(METHANE, 0.004_456_1)]);
    let second = Record { channel: Some(channel(2)), flags: vec![Flag::Purge, Flag::Gap], ..first.clone() };
    for record in [first, Record { seq: 2, ..second }] {
        store.commit(facts(vec![Fact::Recorded(record)])).await.unwrap();
    }
    let file = live_file(&store, &run);
    assert_eq!(exported(&store, &run.id).await, file);
    let lines: Vec<_> = file.lines().collect();
    assert_eq!(
        lines[0],
        "time_utc,time_unix_s,time_read_utc,run_id,seq,programme,repeat,visit_id,channel,channel_label,channel_kind,\
         attribution,elapsed_s,sample_in_visit,discard,ch4_ppm,qc,qc_flags,position_verified,iteration,cell_temp_c,\
         cell_pressure_hpa,air_temp_c,air_pressure_hpa"
    );
    assert_eq!(
        lines[1],
        "2026-01-15T08:03:12Z,1768464192.345,2026-01-15T08:03:50Z,01KF000000000000000000000A,1,winter,1,1,1,\
         \"barn, north\",sample,exact,12.25,1,0,0.0044561,0,,readback,1,,,,"
    );
    assert!(lines[2].contains(",2,\"the \"\"zero\"\" gas\",zero,exact,"), "{}", lines[2]);
    assert!(lines[2].contains(",0,purge;gap,readback,"), "{}", lines[2]);
}

#[tokio::test]
async fn a_run_keeps_the_labels_it_began_with() {
    let (directory, store, run) = measuring().await;
    store.commit(facts(vec![Fact::Recorded(record(&run.id.0, 1, &[(METHANE, 1.9)]))])).await.unwrap();
    let before = live_file(&store, &run);
    store.close().await;
    let renamed = [(channel(1), ("stable".to_owned(), ChannelKind::Target))].into();
    let (store, _) = Store::open(directory.path(), renamed).unwrap();
    assert_eq!(exported(&store, &run.id).await, before);
    assert_eq!(live_file(&store, &run), before);
}

#[tokio::test]
async fn an_export_of_a_run_that_does_not_exist_ends_with_the_error() {
    let (_directory, store, _run) = measuring().await;
    let (pieces, mut received) = mpsc::channel(4);
    store.export(&RunId("nobody".into()), pieces).await;
    assert!(matches!(received.recv().await, Some(Err(StoreError::NotFound(_)))));
    assert!(received.recv().await.is_none());
}

#[tokio::test]
async fn a_gas_that_appears_later_widens_the_file() {
    let (_directory, store, run) = measuring().await;
    let known = record(&run.id.0, 1, &[(METHANE, 1.9)]);
    let wider = record(&run.id.0, 2, &[(WATER, 11_600.5), (METHANE, 2.0)]);
    let narrow = record(&run.id.0, 3, &[(METHANE, 2.1)]);
    for record in [known, wider, narrow] {
        store.commit(facts(vec![Fact::Recorded(record)])).await.unwrap();
    }
    assert_eq!(store.gases(&run.id).await.unwrap(), gases(&[METHANE, WATER]));
    let file = live_file(&store, &run);
    let readings: Vec<_> = file.lines().map(|line| line.split(",0,").nth(1).unwrap_or_default()).collect();
    assert!(file.starts_with(csv::header(&gases(&[METHANE, WATER])).as_str()));
    assert_eq!(readings[1..], ["1.9,", "2,11600.5", "2.1,"]);
    assert_eq!(exported(&store, &run.id).await, file);
    assert!(!store.run_folder(&run).join("samples.csv.new").exists());
}

#[tokio::test]
async fn without_a_gas_list_the_first_record_gives_the_columns() {
    let directory = TempDir::new().unwrap();
    let (store, _) = open(directory.path());
    let run = summary("01KF000000000000000000000A");
    let none = Fact::RunGases { run: run.id.clone(), gases: vec![] };
    store.commit(facts(vec![Fact::RunStarted(run.clone()), none])).await.unwrap();
    assert_eq!(live_file(&store, &run), csv::header(&[]));
    let first = record(&run.id.0, 1, &[(CARBON_DIOXIDE, 415.0), (METHANE, 1.9)]);
    store.commit(facts(vec![Fact::Recorded(first)])).await.unwrap();
    assert!(live_file(&store, &run).starts_with(&csv::header(&gases(&[CARBON_DIOXIDE, METHANE]))));
}

#[tokio::test]
async fn after_a_crash_every_commit_is_there_and_half_a_line_is_mended() {
    let (directory, store, run) = measuring().await;
    for seq in 1..=3 {
        let batch = Batch {
            events: vec![position_event(1)],
            ..facts(vec![Fact::Recorded(record(&run.id.0, seq, &[(METHANE, 1.9)]))])
        };
        store.commit(batch).await.unwrap();
    }
    let whole = live_file(&store, &run);
    let crashed = as_after_a_crash(directory.path());
    let file = crashed.path().join(store.run_folder(&run).strip_prefix(directory.path()).unwrap()).join("samples.csv");
    fs::write(&file, &whole[..whole.len() - 20]).unwrap();

    let (restarted, opened) = open(crashed.path());
    assert_eq!(opened.last_seq, 3);
    assert_eq!(opened.open_run.unwrap().records, 3);
    assert_eq!(fs::read_to_string(&file).unwrap(), whole);
    let fourth = record(&run.id.0, 4, &[(METHANE, 2.0)]);
    restarted.commit(facts(vec![Fact::Recorded(fourth)])).await.unwrap();
    assert_eq!(exported(&restarted, &run.id).await, fs::read_to_string(&file).unwrap());
}

#[tokio::test]
async fn a_dropped_commit_is_kept_whole_all_the_same() {
    let (_directory, store, run) = measuring().await;
    let batch = facts((1..=50).map(|seq| Fact::Recorded(record(&run.id.0, seq, &[(METHANE, 1.9)]))).collect());
    let _ = tokio::time::timeout(Duration::ZERO, store.commit(batch)).await;
    store.commit(events(1)).await.unwrap();
    assert_eq!(store.records(&run.id, 0, 100).await.unwrap().len(), 50);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_costs_no_commit_and_catches_up() {
    let (_directory, store, run) = measuring().await;
    let folder = store.run_folder(&run);
    fs::remove_dir_all(&folder).unwrap();
    fs::write(&folder, "in the way").unwrap();
    let gas = Fact::Recorded(record(&run.id.0, 1, &[(WATER, 1.0)]));
    store.commit(facts(vec![gas])).await.unwrap();
    fs::remove_file(&folder).unwrap();
    let next = Fact::Recorded(record(&run.id.0, 2, &[(METHANE, 1.0)]));
    store.commit(facts(vec![next])).await.unwrap();
    assert_eq!(live_file(&store, &run), exported(&store, &run.id).await);
    assert_eq!(live_file(&store, &run).lines().count(), 3);
}

#[tokio::test]
async fn a_second_gaserad_on_the_same_directory_is_refused() {
    let directory = TempDir::new().unwrap();
    let (store, _) = open(directory.path());
    let Err(error) = Store::open(directory.path(), labels()) else { panic!("two stores on one directory") };
    let sentence = error.to_string();
    assert!(sentence.contains(&format!("process {}", std::process::id())), "{sentence}");
    assert!(sentence.contains("--state-dir"), "{sentence}");
    store.close().await;
    assert!(Store::open(directory.path(), labels()).is_ok());
    assert!(matches!(store.last_seq().await, Err(StoreError::Closed)));
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let directory = TempDir::new().unwrap();
    let (store, _) = open(directory.path());
    store.close().await;
    let database = rusqlite::Connection::open(directory.path().join("state.sqlite")).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    let Err(error) = Store::open(directory.path(), labels()) else { panic!("a newer schema was opened") };
    assert!(error.to_string().contains("newer gaserad (schema 99, this one reads up to 1)"), "{error}");
}

#[tokio::test]
async fn a_hundred_thousand_events_are_replayed_in_order() {
    let directory = TempDir::new().unwrap();
    let (store, _) = open(directory.path());
    for _ in 0..100 {
        let batch = Batch { events: (0..1000).map(|_| position_event(7)).collect(), ..Batch::default() };
        store.commit(batch).await.unwrap();
    }
    let replayed = store.events_after(0, 100_000).await.unwrap();
    assert_eq!(replayed.len(), 100_000);
    assert!(replayed.iter().zip(1..).all(|(event, seq)| event.seq == seq));
    let page = store.events_after(99_990, 500).await.unwrap();
    assert_eq!(page.iter().map(|event| event.seq).collect::<Vec<_>>(), (99_991..=100_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_long_export_comes_in_pieces_and_ends_with_what_was_there() {
    let (_directory, store, run) = measuring().await;
    let all = (1..=1201).map(|seq| Fact::Recorded(record(&run.id.0, seq, &[(METHANE, f64::from(seq))]))).collect();
    store.commit(facts(all)).await.unwrap();
    let (pieces, mut received) = mpsc::channel(1);
    let exporter = {
        let (store, id) = (store.clone(), run.id.clone());
        tokio::spawn(async move { store.export(&id, pieces).await })
    };
    let header = received.recv().await.unwrap().unwrap();
    assert_eq!(header, csv::header(&gases(&[METHANE])).into_bytes());
    store.commit(facts(vec![Fact::Recorded(record(&run.id.0, 1202, &[(METHANE, 0.0)]))])).await.unwrap();
    let mut sizes = Vec::new();
    while let Some(piece) = received.recv().await {
        sizes.push(String::from_utf8(piece.unwrap()).unwrap().lines().count());
    }
    exporter.await.unwrap();
    assert_eq!(sizes, [500, 500, 201]);
}

fn any_record() -> impl Strategy<Value = Record> {
    let reading = (any::<u16>(), proptest::option::of(proptest::num::f64::NORMAL | proptest::num::f64::ZERO))
        .prop_map(|(number, ppm)| Reading { cas: Cas(format!("{number}-00-0")), ppm });
    let sample = (any::<i64>(), proptest::collection::vec(reading, 0..6), any::<String>())
        .prop_map(|(stamp, readings, raw)| Sample { stamp: AnalyzerTime(stamp), readings, raw });
    let attribution = proptest::sample::select(vec![
        Attribution::Exact,
        Attribution::Mixed,
        Attribution::Stale,
        Attribution::Unattributed,
    ]);
    let verification =
        proptest::sample::select(vec![Verification::Readback, Verification::HomedCount, Verification::None]);
    let qc = proptest::sample::select(vec![Qc::Good, Qc::Suspect, Qc::Bad]);
    let flags =
        proptest::sample::subsequence(vec![Flag::Purge, Flag::PosChanged, Flag::ErrBlocker, Flag::ZeroExact], 0..4);
    let numbers = (proptest::option::of(1..=31_u8), any::<[Option<u32>; 4]>(), any::<bool>());
    let times = (any::<[i64; 2]>(), any::<Option<(i64, i64)>>());
    let floats = proptest::array::uniform2(proptest::option::of(proptest::num::f64::NORMAL));
    (sample, attribution, verification, qc, flags, numbers, times, floats).prop_map(
        |(sample, attribution, verification, qc, flags, (channel, counts, discard), (times, exchange), floats)| {
            Record {
                run: RunId("01KF000000000000000000000A".into()),
                seq: 1,
                sample,
                attribution,
                channel: channel.and_then(Channel::new),
                visit: counts[0].map(VisitId),
                repeat: counts[1],
                verification,
                elapsed_s: floats[0],
                sample_in_visit: counts[2],
                discard,
                qc,
                flags,
                iteration: counts[3],
                sampled: Utc::from_micros(times[0]),
                exchange: exchange.map(|(from, until)| (Utc::from_micros(from), Utc::from_micros(until))),
                read: Utc::from_micros(times[1]),
                clock_offset_s: floats[1],
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_record_reads_back_as_it_was(record in any_record()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (_directory, store, run) = measuring().await;
            store.commit(facts(vec![Fact::Recorded(record.clone())])).await.unwrap();
            prop_assert_eq!(store.records(&run.id, 0, 10).await.unwrap(), vec![record]);
            prop_assert_eq!(live_file(&store, &run), exported(&store, &run.id).await);
            Ok(())
        })?;
    }
}
