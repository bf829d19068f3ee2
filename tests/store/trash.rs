//! Runs that are removed: out of sight at once, back on demand, and gone without a trace of the others missing.

use gasera::store::trash::find;

use super::*;

const RUNS: [&str; 3] = ["01KF000000000000000000000A", "01KF000000000000000000000B", "01KF000000000000000000000C"];

/// Three runs that are over, each with some records, events and lines of the journal of its own.
async fn three() -> (TempDir, Store) {
    let directory = TempDir::new().unwrap();
    for (run, day) in RUNS.into_iter().zip(0..) {
        // Each by a process of its own, so that the journal of each begins somewhere else.
        let (store, _) = open(directory.path());
        let journal = vec!["{\"began\":1}".to_owned(), "{}".to_owned()];
        store.commit(Batch { journal, ..Batch::default() }).await.unwrap();
        let run = RunSummary { started: utc(day * 86_400), ..summary(run) };
        let started = Event::RunStarted { run: run.clone() };
        let facts = vec![Fact::RunStarted(run.clone()), Fact::VisitStarted { run: run.id.clone(), visit: visit() }];
        store.commit(Batch { facts, events: vec![started], ..Batch::default() }).await.unwrap();
        for seq in 1..=5 {
            let record = record(&run.id.0, seq, &[(METHANE, 1.9)]);
            let live = Event::LiveData(LiveData::of(&record, Phase::Measuring));
            let facts = vec![Fact::Recorded(record)];
            store.commit(Batch { facts, events: vec![live, position_event(1)], ..Batch::default() }).await.unwrap();
        }
        let (outcome, reason) = (Outcome::Completed, String::new());
        let ended = Fact::RunEnded { run: run.id.clone(), ended: utc(day * 86_400 + 900), outcome, reason };
        let told = Event::RunFinished { run: run.clone() };
        store.commit(Batch { facts: vec![ended], events: vec![told], ..Batch::default() }).await.unwrap();
        store.close().await;
    }
    let (store, _) = open(directory.path());
    (directory, store)
}

fn id(number: usize) -> RunId {
    RunId(RUNS[number].into())
}

async fn put(store: &Store, number: usize) {
    let fact = Fact::RunTrashed { run: id(number), at: utc(1000), who: "ada".into() };
    store.commit(facts(vec![fact])).await.unwrap();
    store.settle_trash().await.unwrap();
}

async fn listed(store: &Store) -> Vec<String> {
    store.runs(10).await.unwrap().into_iter().map(|run| run.id.0).collect()
}

fn folders(directory: &TempDir, below: &str) -> usize {
    std::fs::read_dir(directory.path().join(below)).map_or(0, Iterator::count)
}

#[tokio::test]
async fn a_run_in_the_trash_is_out_of_sight_and_comes_back_as_it_was() {
    let (directory, store) = three().await;
    let (before, _) = store.run(&id(2)).await.unwrap();
    let file = store.run_folder(&before).join("samples.csv");
    let csv = std::fs::read(&file).unwrap();
    put(&store, 2).await;
    assert_eq!(listed(&store).await, [RUNS[1], RUNS[0]]);
    assert_eq!(store.find_run("last").await.unwrap(), id(1));
    assert!(matches!(store.find_run(RUNS[2]).await, Err(StoreError::NotFound(_))));
    assert!(!file.exists());
    let trash = store.trash().await.unwrap();
    assert_eq!(
        (trash.len(), trash[0].records, trash[0].label.as_str(), trash[0].who.as_str()),
        (1, 5, "winter", "ada")
    );
    assert_eq!(std::fs::read(store.trash_folder(&trash[0]).join("samples.csv")).unwrap(), csv);
    assert_eq!(find(&trash, "01kf").unwrap().id, id(2));
    assert!(matches!(find(&trash, "01KF0Z"), Err(StoreError::NotInTrash(_))));
    assert!(matches!(find(&trash, ""), Err(StoreError::NotInTrash(_))));
    // Also for the next process.
    store.close().await;
    let (store, opened) = open(directory.path());
    assert_eq!(opened.last_run.unwrap().id, id(1));

    store.commit(facts(vec![Fact::RunRestored { run: id(2) }])).await.unwrap();
    store.settle_trash().await.unwrap();
    assert_eq!(listed(&store).await, [RUNS[2], RUNS[1], RUNS[0]]);
    assert_eq!(store.run(&id(2)).await.unwrap().0, before);
    assert_eq!(std::fs::read(&file).unwrap(), csv);
    assert_eq!(folders(&directory, "trash"), 0);
}

#[tokio::test]
async fn a_run_under_way_never_gets_into_the_trash() {
    let (_directory, store, run) = measuring().await;
    let fact = Fact::RunTrashed { run: run.id.clone(), at: utc(1), who: "ada".into() };
    store.commit(facts(vec![fact])).await.unwrap();
    assert!(store.trash().await.unwrap().is_empty());
    assert!(!store.purge(&run.id).await.unwrap());
    assert_eq!(listed(&store).await, [run.id.0]);
}

#[tokio::test]
async fn what_is_purged_is_gone_and_all_else_is_as_it_was() {
    let (directory, store) = three().await;
    let newest = store.last_seq().await.unwrap();
    let of_others = store.events_of(&id(1), 0, 100).await.unwrap();
    assert!(!store.purge(&id(0)).await.unwrap(), "only what is in the trash can be purged");
    put(&store, 0).await;
    assert!(store.purge(&id(0)).await.unwrap());
    assert!(matches!(store.run(&id(0)).await, Err(StoreError::NotFound(_))));
    assert!(store.records(&id(0), 0, 10).await.unwrap().is_empty());
    assert!(store.trash().await.unwrap().is_empty());
    assert_eq!(folders(&directory, "trash"), 0);
    assert_eq!(listed(&store).await, [RUNS[2], RUNS[1]]);
    assert_eq!(store.records(&id(1), 0, 10).await.unwrap().len(), 5);
    assert_eq!(store.events_of(&id(1), 0, 100).await.unwrap(), of_others);
    let left = store.events_after(0, 1000).await.unwrap();
    assert!(left.iter().all(|event| event.run.as_ref() != Some(&id(0))), "{left:?}");
    // The numbers go on from where they were.
    assert_eq!(store.commit(events(1)).await.unwrap()[0].seq, newest + 1);
    // A hole that is in the audit is none; any other one would be.
    assert_eq!(store.inspect().await.unwrap().faults.len(), 1);
    let audit = vec![Audit { who: "ada".into(), what: format!("runs purge {}", RUNS[0]), result: String::new() }];
    store.commit(Batch { audit, ..Batch::default() }).await.unwrap();
    assert_eq!(store.inspect().await.unwrap().faults, Vec::<String>::new());
}

#[tokio::test]
async fn what_only_runs_needed_that_are_gone_is_forgotten() {
    let (_directory, store) = three().await;
    assert_eq!(store.forget_before_runs().await.unwrap(), 0, "all of it belongs to runs that are kept");
    let first = store.journal_of(&id(1)).await.unwrap().unwrap();
    put(&store, 0).await;
    assert_eq!(store.forget_before_runs().await.unwrap(), 0, "what is in the trash may come back");
    store.purge(&id(0)).await.unwrap();
    assert!(store.forget_before_runs().await.unwrap() > 0);
    assert_eq!(store.journal(0).next().await.unwrap().unwrap().0, first);
    let events = store.events_after(0, 1000).await.unwrap();
    assert_eq!(events[0].run, Some(id(1)), "the first event is one of the oldest run");
    // With no run at all, the numbers are still not given again.
    let newest = store.last_seq().await.unwrap();
    for number in [1, 2] {
        put(&store, number).await;
        store.purge(&id(number)).await.unwrap();
    }
    store.forget_before_runs().await.unwrap();
    assert_eq!(store.commit(super::events(1)).await.unwrap()[0].seq, newest + 1);
    let used = store.usage().await.unwrap();
    assert!(used.used > 0);
}

#[tokio::test]
async fn a_purge_that_was_interrupted_is_known_and_ends_later() {
    let (directory, store) = three().await;
    put(&store, 0).await;
    store.close().await;
    let database = rusqlite::Connection::open(directory.path().join("state.sqlite")).unwrap();
    database.execute("UPDATE trash SET purging = 1", []).unwrap();
    database.execute("DELETE FROM records WHERE run = ? AND seq < 4", [RUNS[0]]).unwrap();
    drop(database);
    let (store, _) = open(directory.path());
    assert!(store.trash().await.unwrap().is_empty(), "it cannot be restored any more");
    store.commit(facts(vec![Fact::RunRestored { run: id(0) }])).await.unwrap();
    assert_eq!(listed(&store).await, [RUNS[2], RUNS[1]]);
    assert_eq!(store.half_gone().await.unwrap(), [id(0)]);
    assert!(store.purge(&id(0)).await.unwrap());
    assert!(store.half_gone().await.unwrap().is_empty());
    assert_eq!(folders(&directory, "trash"), 0);
}

#[tokio::test]
async fn folders_follow_the_database_after_a_crash_in_between() {
    let (directory, store) = three().await;
    // Kept, and then nothing was moved.
    let fact = Fact::RunTrashed { run: id(1), at: utc(1000), who: "ada".into() };
    store.commit(facts(vec![fact])).await.unwrap();
    // Purged, and its folder was left.
    std::fs::create_dir_all(directory.path().join("trash/2020-01-01T000000Z_01GONE")).unwrap();
    store.settle_trash().await.unwrap();
    assert_eq!(folders(&directory, "trash"), 1);
    let (run, _) = store.run(&id(1)).await.unwrap();
    assert!(!store.run_folder(&run).exists());
}
