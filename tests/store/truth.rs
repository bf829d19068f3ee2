//! Whether the truth is sound, a copy of it while it is in use, and what it says of the analyzer.

use std::path::Path;

use gasera::domain::{Fact, drift};
use gasera::store::Store;
use rusqlite::Connection;
use tempfile::TempDir;

use super::fixture::*;
use super::folder::{about, ended, measured};

const FIRST: &str = "01KF000000000000000000000A";
const SECOND: &str = "01KF000000000000000000000B";

async fn two_runs() -> (TempDir, Store) {
    let directory = TempDir::new().unwrap();
    let (store, _) = Store::open(directory.path(), about()).unwrap();
    ended(&store, &measured(&store, FIRST).await).await;
    ended(&store, &measured(&store, SECOND).await).await;
    (directory, store)
}

#[tokio::test]
async fn a_sound_database_has_no_faults_and_counts_what_it_has() {
    let (_directory, store) = two_runs().await;
    let found = store.inspect().await.unwrap();
    assert_eq!(found.faults, Vec::<String>::new());
    assert_eq!((found.runs, found.records, found.events), (2, 8, 10));
}

#[tokio::test]
async fn whatever_is_wrong_is_said() {
    let damages = [
        ("DELETE FROM records WHERE seq = 2", "records are missing"),
        ("UPDATE runs SET records = 7", "the count of the run is wrong"),
        ("UPDATE visits SET good_records = 0 WHERE visit = 1", "the count of a visit is wrong"),
        ("DELETE FROM events WHERE seq = 3", "event numbers have a gap"),
        ("UPDATE runs SET outcome = NULL", "the run contradicts itself"),
        ("PRAGMA foreign_keys = OFF; DELETE FROM runs WHERE number = 1", "belongs to no row of runs"),
    ];
    for (damage, sentence) in damages {
        let (directory, store) = two_runs().await;
        Connection::open(directory.path().join("state.sqlite")).unwrap().execute_batch(damage).unwrap();
        let faults = store.inspect().await.unwrap().faults;
        assert!(faults.iter().any(|fault| fault.contains(sentence)), "{damage}: {faults:?}");
    }
}

fn listed(copy: &Path) -> u64 {
    let query = "SELECT count(*) FROM backup_files WHERE length(sha256) = 64 AND path LIKE 'runs/2026/%'";
    let count: i64 = Connection::open(copy).unwrap().query_row(query, [], |row| row.get(0)).unwrap();
    u64::try_from(count).unwrap()
}

#[tokio::test]
async fn a_backup_made_while_records_are_kept_is_a_whole_store() {
    let (_directory, store) = two_runs().await;
    let run = measured(&store, "01KF000000000000000000000C").await;
    let writing = {
        let (store, run) = (store.clone(), run.id.clone());
        tokio::spawn(async move {
            for seq in 5..200 {
                store.commit(facts(vec![Fact::Recorded(record(&run.0, seq, &[(METHANE, 1.9)]))])).await.unwrap();
            }
        })
    };
    let restored = TempDir::new().unwrap();
    let copy = restored.path().join("state.sqlite");
    let backup = store.backup(&copy).await.unwrap();
    writing.await.unwrap();
    assert_eq!((backup.runs, backup.files), (3, listed(&copy)));
    assert!(backup.files >= 18, "{backup:?}");

    let (again, opened) = Store::open(restored.path(), about()).unwrap();
    assert_eq!(opened.open_run.as_ref().map(|run| run.id.clone()), Some(run.id.clone()));
    let found = again.inspect().await.unwrap();
    assert_eq!((found.faults, found.records), (Vec::<String>::new(), backup.records));
    assert_eq!(again.compare_folder(&run.id).await.unwrap().differences, Vec::<String>::new());
    let (first, _) = again.run(&summary(FIRST).id).await.unwrap();
    assert_eq!((first.records, first.good_records), (4, 3));
}

#[tokio::test]
async fn known_gases_are_compared_with_what_was_measured_of_them() {
    let (_directory, store) = two_runs().await;
    let points = store.drift(None, None).await.unwrap();
    let told: Vec<_> =
        points.iter().map(|p| (p.run.0.as_str(), p.channel, p.gas.formula.as_str(), p.measured.count)).collect();
    assert_eq!(told, [(FIRST, channel(2), "CH4", 1), (SECOND, channel(2), "CH4", 1)]);
    assert!((points[0].deviation_ppm() - 0.5).abs() < 1e-12);
    assert_eq!(store.drift(Some(summary(SECOND).id), None).await.unwrap().len(), 1);
    assert_eq!(store.drift(None, Some(utc(1))).await.unwrap().len(), 0);
    assert_eq!(drift::trends(&points)[0].runs, 2);
}
