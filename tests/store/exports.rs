//! Exports from the truth: the same as the live file, in every format a file, and only what was asked for.

use std::sync::Arc;

use gasera::domain::{Fact, Flag, Format, Record, RunSummary, Selection, Sheet, Table, Wanted};
use gasera::export::ExportJob;
use gasera::export::columns;
use gasera::store::{Piece, Store, StoreError};
use proptest::prelude::*;
use tokio::sync::mpsc;

use super::fixture::*;
use super::records::any_record;

async fn pieces(store: &Store, job: Arc<ExportJob>) -> Vec<Result<Piece, StoreError>> {
    let (sender, mut received) = mpsc::channel(1);
    let exporting = {
        let store = store.clone();
        tokio::spawn(async move { store.export_as(job, sender).await })
    };
    let mut pieces = Vec::new();
    while let Some(piece) = received.recv().await {
        pieces.push(piece);
    }
    exporting.await.unwrap();
    pieces
}

async fn sheet(store: &Store, run: &RunSummary) -> Sheet {
    store.sheet(&run.id).await.unwrap()
}

async fn file(store: &Store, runs: &[&RunSummary], wanted: Wanted) -> Vec<u8> {
    let mut sheets = Vec::new();
    for run in runs {
        sheets.push(sheet(store, run).await);
    }
    let made = pieces(store, ExportJob::new(wanted, sheets).unwrap()).await;
    made.into_iter().flat_map(|piece| piece.unwrap().bytes).collect()
}

async fn text(store: &Store, runs: &[&RunSummary], wanted: Wanted) -> String {
    String::from_utf8(file(store, runs, wanted).await).unwrap()
}

async fn keep(store: &Store, records: impl IntoIterator<Item = Record>) {
    store.commit(facts(records.into_iter().map(Fact::Recorded).collect())).await.unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn csv_is_the_live_file_to_the_letter(records in prop::collection::vec(any_record(), 1..6)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (_directory, store, run) = measuring().await;
            let numbered = (1..).zip(records).map(|(seq, record)| Record { seq, ..record });
            keep(&store, numbered).await;
            assert_eq!(text(&store, &[&run], Wanted::default()).await, live_file(&store, &run));
        });
    }
}

#[tokio::test]
async fn a_long_run_is_in_order_whoever_made_its_blocks_and_tells_how_far_it_is() {
    let (_directory, store, run) = measuring().await;
    keep(&store, (1..=20_000).map(|seq| record(&run.id.0, seq, &[(METHANE, f64::from(seq))]))).await;
    let job = ExportJob::new(Wanted::default(), vec![sheet(&store, &run).await]).unwrap();
    let made: Vec<Piece> = pieces(&store, job).await.into_iter().map(Result::unwrap).collect();
    let through: Vec<u64> = made.iter().map(|piece| piece.through).collect();
    assert!(through.is_sorted() && through.len() > 4, "{through:?}");
    assert_eq!((through[0], through.last(), made[0].of), (0, Some(&20_000), 20_000));
    let bytes: Vec<u8> = made.into_iter().flat_map(|piece| piece.bytes).collect();
    assert!(String::from_utf8(bytes).unwrap() == live_file(&store, &run));
}

#[tokio::test]
async fn whoever_stops_receiving_ends_the_export() {
    let (_directory, store, run) = measuring().await;
    keep(&store, (1..=20_000).map(|seq| record(&run.id.0, seq, &[(METHANE, 1.9)]))).await;
    for format in [Format::Csv, Format::Parquet] {
        let job = ExportJob::new(Wanted::of(format), vec![sheet(&store, &run).await]).unwrap();
        let (sender, mut received) = mpsc::channel(1);
        let exporting = {
            let store = store.clone();
            tokio::spawn(async move { store.export_as(job, sender).await })
        };
        received.recv().await.unwrap().unwrap();
        drop(received);
        exporting.await.unwrap();
    }
}

#[tokio::test]
async fn only_what_is_asked_for_is_in_the_file() {
    let (_directory, store, run) = measuring().await;
    let at = |seq, seconds, number| Record {
        sampled: utc(seconds),
        channel: Some(channel(number)),
        ..record(&run.id.0, seq, &[(METHANE, 1.9)])
    };
    let bad = Record { discard: true, flags: vec![Flag::Purge], ..at(4, 30, 1) };
    keep(&store, [at(1, 0, 1), at(2, 10, 2), at(3, 20, 1), bad]).await;
    let seqs = async |selection: Selection| {
        let text = text(&store, &[&run], Wanted { selection, ..Wanted::default() }).await;
        text.lines().skip(1).map(|line| line.split(',').nth(4).unwrap().parse().unwrap()).collect::<Vec<u32>>()
    };
    let all = Selection::default;
    assert_eq!(seqs(all()).await, [1, 2, 3, 4]);
    assert_eq!(seqs(Selection { from: Some(utc(10)), until: Some(utc(30)), ..all() }).await, [2, 3]);
    assert_eq!(seqs(Selection { channels: [channel(1)].into(), ..all() }).await, [1, 3, 4]);
    assert_eq!(seqs(Selection { good_only: true, ..all() }).await, [1, 2, 3]);
    let good = Wanted { selection: Selection { good_only: true, ..all() }, ..Wanted::of(Format::Netcdf) };
    let counted = file(&store, &[&run], good).await;
    assert_eq!(counted[4..8], 3_u32.to_be_bytes());
}

#[tokio::test]
async fn every_format_and_every_table_of_it_can_be_had() {
    let (_directory, store, run) = measuring().await;
    keep(&store, (1..=3).map(|seq| record(&run.id.0, seq, &[(METHANE, 1.9), (WATER, 12_000.0)]))).await;
    for (name, format) in Format::ALL {
        for (table, _) in format.tables() {
            let bytes = file(&store, &[&run], Wanted { table: *table, ..Wanted::of(format) }).await;
            let least = if *table == Table::Visits { 50 } else { 80 };
            assert!(bytes.len() > least, "{name}: {}", String::from_utf8_lossy(&bytes));
        }
    }
}

#[tokio::test]
async fn several_runs_become_one_file() {
    let (_directory, store, first) = measuring().await;
    keep(&store, [record(&first.id.0, 1, &[(METHANE, 1.9)])]).await;
    let second = summary("01KF000000000000000000000B");
    let gases = Fact::RunGases { run: second.id.clone(), gases: gases(&[CARBON_DIOXIDE]) };
    let kept = Fact::Recorded(record(&second.id.0, 1, &[(CARBON_DIOXIDE, 415.0)]));
    store.commit(facts(vec![Fact::RunStarted(second.clone()), gases, kept])).await.unwrap();
    let text = text(&store, &[&first, &second], Wanted::default()).await;
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].contains(",ch4_ppm,co2_ppm,") && lines.len() == 3, "{text}");
    assert!(lines[1].contains("A,1,") && lines[1].contains(",0,1.9,,0,"), "{}", lines[1]);
    assert!(lines[2].contains("B,1,") && lines[2].contains(",0,,415,0,"), "{}", lines[2]);
}

/// The reference of the columns, as `docs/data.md` has it.
fn reference() -> String {
    let line = |name: &str, unit: &str, meaning: &str| {
        let unit = if unit == "1" { "" } else { unit };
        format!("| `{name}` | {unit} | {meaning} |\n")
    };
    let plain = |column: &columns::Column| line(column.name, column.unit, column.meaning);
    let (unit, meaning) = columns::OF_GAS;
    let gas = line("<gas>_ppm", unit, &format!("{meaning}; empty while this gas may still cling to the tubes"));
    let before: String = columns::BEFORE_GASES.iter().map(plain).collect();
    let after: String = columns::AFTER_GASES.iter().map(plain).collect();
    format!("\n| column | unit | meaning |\n|---|---|---|\n{before}{gas}{after}\n")
}

#[test]
fn the_documents_list_the_columns_of_a_sample() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/data.md");
    let text = std::fs::read_to_string(path).unwrap();
    let begins = "<!-- the columns of a sample: made by a test from gaserad/export/columns.rs -->\n";
    let (before, rest) = text.split_once(begins).unwrap();
    let (found, after) = rest.split_once("<!-- end -->").unwrap();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, format!("{before}{begins}{}<!-- end -->{after}", reference())).unwrap();
    } else {
        assert_eq!(found, reference(), "docs/data.md differs from the table; write it anew with BLESS=1");
    }
}
