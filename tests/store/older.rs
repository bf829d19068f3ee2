//! Databases of versions before this one.

use std::path::Path;
use std::time::Duration;

use gasera::domain::{Fact, Misfire, Overlap, Schedule};
use gasera::store::Batch;
use rusqlite::Connection;
use tempfile::TempDir;

use super::fixture::*;

/// Takes the database back to the version that knew no schedules.
fn forget_schedules(directory: &Path) {
    let database = Connection::open(directory.join("state.sqlite")).unwrap();
    database.execute_batch("DROP TABLE schedules; DROP INDEX events_of_runs; PRAGMA user_version = 4;").unwrap();
}

fn schedule(name: &str) -> Schedule {
    Schedule {
        name: name.into(),
        cron: "30 2 * * *".into(),
        zone: "Europe/Berlin".into(),
        plan: "weekly".into(),
        overlap: Overlap::Wait,
        misfire: Misfire::Skip,
        grace: Duration::from_secs(600),
        enabled: true,
        who: "ada".into(),
        decided: utc(0),
        last: None,
    }
}

fn keep(fact: Fact) -> Batch {
    Batch { facts: vec![fact], ..Batch::default() }
}

#[tokio::test]
async fn a_database_from_before_schedules_keeps_all_it_has_and_takes_them() {
    let directory = TempDir::new().unwrap();
    let (store, _) = open(directory.path());
    store.commit(keep(Fact::RunStarted(summary("01KAHA")))).await.unwrap();
    let before = store.commit(events(3)).await.unwrap();
    store.close().await;
    forget_schedules(directory.path());

    let (store, opened) = open(directory.path());
    assert_eq!((opened.last_seq, opened.schedules.len()), (3, 0));
    assert_eq!(opened.open_run.unwrap().id, summary("01KAHA").id);
    assert_eq!(store.events_after(0, 10).await.unwrap(), before);
    store.commit(keep(Fact::Scheduled(Box::new(schedule("night"))))).await.unwrap();
    store.close().await;
    assert_eq!(open(directory.path()).1.schedules, [schedule("night")]);
}

#[tokio::test]
async fn schedules_are_kept_as_they_are_last_until_they_are_removed() {
    let directory = TempDir::new().unwrap();
    let (store, _) = open(directory.path());
    for name in ["night", "day"] {
        store.commit(keep(Fact::Scheduled(Box::new(schedule(name))))).await.unwrap();
    }
    let changed = Schedule { enabled: false, decided: utc(60), ..schedule("night") };
    store.commit(keep(Fact::Scheduled(Box::new(changed.clone())))).await.unwrap();
    store.close().await;
    let (store, opened) = open(directory.path());
    assert_eq!(opened.schedules, [schedule("day"), changed.clone()]);
    store.commit(keep(Fact::Unscheduled { name: "day".into() })).await.unwrap();
    store.close().await;
    assert_eq!(open(directory.path()).1.schedules, [changed]);
}
