//! Databases of versions before this one.

use std::fs;
use std::path::Path;
use std::time::Duration;

use gasera::domain::{
    Fact, KnownAnalyzer, KnownDevices, KnownMultiplexer, Misfire, Outcome, Overlap, Record, RunId, Schedule, VisitId,
};
use gasera::store::Batch;
use rusqlite::types::Value;
use rusqlite::{Connection, Row};
use tempfile::TempDir;

use super::fixture::*;

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

/// A state directory as a version of that schema left it.
fn left_by(version: u32) -> TempDir {
    let directory = TempDir::new().unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/released");
    let script = fs::read_to_string(folder.join(format!("{version}.sql"))).unwrap();
    Connection::open(directory.path().join("state.sqlite")).unwrap().execute_batch(&script).unwrap();
    directory
}

/// Every row of a table, as it was or is, in the columns that it had.
fn rows(directory: &Path, table: &str, columns: Option<&[String]>) -> (Vec<String>, Vec<Vec<Value>>) {
    let database = Connection::open(directory.join("state.sqlite")).unwrap();
    let mut columns = columns.map_or_else(
        || database.prepare(&format!("SELECT * FROM {table}")).unwrap().column_names().map(Into::into).collect(),
        <[String]>::to_vec,
    );
    // Once the files of a run are made anew.
    columns.retain(|column| column != "rebuild");
    let mut query = database.prepare(&format!("SELECT {} FROM {table} ORDER BY 1, 2", columns.join(", "))).unwrap();
    let row = |row: &Row<'_>| (0..columns.len()).map(|at| row.get(at)).collect::<Result<Vec<Value>, _>>();
    let rows = query.query_map([], row).unwrap().map(Result::unwrap).collect();
    (columns, rows)
}

/// A plan's purge was called its pause once.
fn in_the_words_of_today(value: Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(text.replace("\"pause_s\"", "\"purge_s\"")),
        other => other,
    }
}

#[tokio::test]
async fn old_words_for_purge_and_pause_are_renamed_in_events() {
    let directory = left_by(9);
    let said = [
        ("phase", r#"{"phase":"PAUSED","previous":"SWITCHING","channel":1}"#),
        ("phase", r#"{"phase":"SUSPENDED","previous":"PAUSED","channel":1}"#),
        ("run.updated", r#"{"change":"suspended","text":"suspended","who":"ada"}"#),
        ("live_data", r#"{"phase":"PAUSED","flags":["suspended","gap"],"label":"suspended"}"#),
        ("alarm", r#"{"text":"\"phase\":\"PAUSED\""}"#),
    ];
    {
        let database = Connection::open(directory.path().join("state.sqlite")).unwrap();
        for (name, data) in said {
            let sql = "INSERT INTO events (tick, utc, name, data) VALUES (1, 1, ?1, ?2)";
            database.execute(sql, [name, data]).unwrap();
        }
        let sql = "UPDATE records SET flags = '[\"purge\",\"suspended\"]' WHERE seq = 1";
        database.execute(sql, []).unwrap();
    }
    let (store, _) = open(directory.path());
    let database = Connection::open(directory.path().join("state.sqlite")).unwrap();
    let mut query = database.prepare("SELECT data FROM events WHERE seq > 5 ORDER BY seq").unwrap();
    let found: Vec<String> = query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(
        found,
        [
            r#"{"phase":"PURGING","previous":"SWITCHING","channel":1}"#,
            r#"{"phase":"PAUSED","previous":"PURGING","channel":1}"#,
            r#"{"change":"paused","text":"suspended","who":"ada"}"#,
            r#"{"phase":"PURGING","flags":["paused","gap"],"label":"suspended"}"#,
            r#"{"text":"\"phase\":\"PAUSED\""}"#,
        ]
    );
    let flags: String = database.query_row("SELECT flags FROM records WHERE seq = 1", [], |row| row.get(0)).unwrap();
    assert_eq!(flags, r#"["purge","paused"]"#);
    store.close().await;
}

#[tokio::test]
async fn a_database_of_every_version_before_has_all_it_had() {
    for version in 1..=10 {
        let directory = left_by(version);
        let tables =
            ["journal", "runs", "visits", "records", "events", "audit", "notes", "schedules", "sheets", "trash"];
        let tables: Vec<&str> = tables[..[6, 7, 7, 7, 8, 8, 9, 10, 10, 10][version as usize - 1]].into();
        let before: Vec<_> = tables.iter().map(|table| rows(directory.path(), table, None)).collect();

        let (store, opened) = open(directory.path());
        assert_eq!((opened.last_seq, opened.owes_stop), (5, false), "version {version}");
        assert_eq!(opened.schedules.len(), usize::from(version >= 5));
        assert_eq!(opened.known, KnownDevices::default(), "the first contact is accepted");
        let open_run = opened.open_run.unwrap();
        assert_eq!(
            (open_run.id.0.as_str(), open_run.records, open_run.good_records),
            ("01KF000000000000000000000B", 5, 3)
        );
        for (table, (columns, before)) in tables.iter().zip(before) {
            let before = before.into_iter().map(|row| row.into_iter().map(in_the_words_of_today).collect());
            let before: Vec<Vec<Value>> = before.collect();
            assert_eq!(rows(directory.path(), table, Some(&columns)).1, before, "{table} of version {version}");
        }
        let (run, visits) = store.run(&RunId("01KF000000000000000000000A".into())).await.unwrap();
        assert_eq!((run.records, run.good_records, run.outcome), (5, 3, Some(Outcome::Completed)));
        let counts: Vec<_> = visits.iter().map(|visit| (visit.records, visit.good_records)).collect();
        assert_eq!(counts, [(3, 2), (1, 1)]);
        let inspection = store.inspect().await.unwrap();
        assert_eq!((inspection.faults, inspection.records), (Vec::<String>::new(), 10), "version {version}");
        store.close().await;
    }
}

#[tokio::test]
async fn a_run_of_a_version_before_goes_on_and_gets_its_whole_folder() {
    for version in 1..=10 {
        let directory = left_by(version);
        let folder = directory.path().join("runs/2026/2026-01-15T081640Z_01KF000000000000000000000B");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("observations.csv"), "the name of visits.csv before\n").unwrap();
        let (store, opened) = open(directory.path());
        let run = opened.open_run.unwrap();
        store
            .commit(facts(vec![Fact::Recorded(Record {
                visit: Some(VisitId(2)),
                ..record(&run.id.0, 6, &[(METHANE, 2.0)])
            })]))
            .await
            .unwrap();
        store.commit(keep(Fact::Scheduled(Box::new(schedule("day"))))).await.unwrap();
        let verdict = store.compare_folder(&run.id).await.unwrap();
        assert_eq!((verdict.differences, verdict.rows), (Vec::<String>::new(), 6), "version {version}");
        assert!(folder.join("visits.csv").exists() && !folder.join("observations.csv").exists());
        assert_eq!(store.run(&run.id).await.unwrap().1[1].records, 2);
        let older = store.compare_folder(&RunId("01KF000000000000000000000A".into())).await.unwrap();
        assert_eq!(older.differences, Vec::<String>::new(), "the run before, of version {version}");
        let sheet = store.sheet(&run.id).await.unwrap();
        assert_eq!(sheet.channel(channel(1)).label, "barn, north");
        store.close().await;
    }
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

#[tokio::test]
async fn known_devices_are_kept_as_they_are_last() {
    let directory = TempDir::new().unwrap();
    let (store, opened) = open(directory.path());
    assert_eq!(opened.known, KnownDevices::default());
    let valve = |moves| KnownMultiplexer { identity: "V1".into(), coils: None, actuations: Some(moves), seen: utc(60) };
    store.commit(keep(Fact::AnalyzerKnown(KnownAnalyzer { serial: "17".into() }))).await.unwrap();
    for moves in [3, 1200] {
        store.commit(keep(Fact::MultiplexerKnown(valve(moves)))).await.unwrap();
    }
    store.close().await;
    let known = open(directory.path()).1.known;
    assert_eq!((known.analyzer.unwrap().serial.as_str(), known.multiplexer), ("17", Some(valve(1200))));
}
