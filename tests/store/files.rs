//! The run folder and the export say what the truth says, whatever happens to them.

use std::fs;

use gasera::domain::{ChannelKind, Fact, Flag, Record, RunId};
use gasera::store::{Batch, ChannelLabels, Store, StoreError, csv};
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::fixture::*;

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
        "time_utc,time_unix_s,time_read_utc,run_id,seq,run_label,repeat,visit_id,channel,channel_label,channel_kind,\
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
    let renamed: ChannelLabels = [(channel(1), ("stable".to_owned(), ChannelKind::Target))].into();
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
