//! The store: what is committed stays, whole and in order, and its files say the same.

mod exports;
mod files;
mod fixture;
mod folder;
mod frictionless;
mod long;
mod older;
mod records;
mod trash;
mod truth;
mod wire;

use std::time::Duration;

use gasera::domain::event::{Event, LiveData};
use gasera::domain::{
    Fact, Flag, Moment, Outcome, Phase, Qc, Record, RunId, RunSummary, Severity, Tick, Utc, VisitId, VisitSummary,
    WithoutChannel,
};
use gasera::store::{Audit, Batch, Store, StoreError};
use tempfile::TempDir;

use fixture::*;

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
async fn the_last_moment_is_found_again() {
    let directory = TempDir::new().unwrap();
    let (store, _) = open(directory.path());
    let moment = Moment { tick: Tick::from_micros(7_000_001), utc: Utc::from_micros(1_768_464_000_000_123) };
    let journal = vec!["{\"x\":1}".to_owned()];
    let batch = Batch { moment, journal, ..Batch::default() };
    store.commit(batch).await.unwrap();
    store.close().await;
    let (_store, opened) = open(directory.path());
    assert_eq!(opened.last_tick, moment.tick);
    assert_eq!(opened.last_utc, Some(moment.utc));
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
async fn what_a_run_lost_is_kept_and_replaced_by_what_it_lost_since() {
    let (_directory, store, run) = measuring().await;
    assert_eq!(store.run(&run.id).await.unwrap().0.without_channel, WithoutChannel::default());
    let mut so_far = WithoutChannel::default();
    for flags in [vec!["pos_unverified"], vec!["pos_changed", "evidence"], vec![]] {
        so_far.add(flags.into_iter(), "mixed");
        let fact = Fact::WithoutChannel { run: run.id.clone(), so_far: so_far.clone() };
        store.commit(facts(vec![fact])).await.unwrap();
        assert_eq!(store.run(&run.id).await.unwrap().0.without_channel, so_far);
    }
    let told = "3 samples without a channel: 1 evidence, 1 mixed, 1 pos_changed, 1 pos_unverified";
    assert_eq!(so_far.sentence(), told);
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
async fn a_dropped_commit_is_kept_whole_all_the_same() {
    let (_directory, store, run) = measuring().await;
    let batch = facts((1..=50).map(|seq| Fact::Recorded(record(&run.id.0, seq, &[(METHANE, 1.9)]))).collect());
    let _ = tokio::time::timeout(Duration::ZERO, store.commit(batch)).await;
    store.commit(events(1)).await.unwrap();
    assert_eq!(store.records(&run.id, 0, 100).await.unwrap().len(), 50);
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
    assert!(error.to_string().contains("newer gaserad (schema 99, this one reads up to 11)"), "{error}");
}

#[tokio::test]
async fn what_happened_in_a_run_is_found_among_all_else_and_piece_by_piece() {
    let (_directory, store, run) = measuring().await;
    let alarm = |run_id: Option<&str>, text: &str| Event::Alarm {
        severity: Severity::Warning,
        code: "x".into(),
        text: text.into(),
        run_id: run_id.map(|id| RunId(id.into())),
    };
    let events = (0..300).flat_map(|number| {
        [alarm(None, "nobody's"), alarm(Some("01KF000000000000000000000B"), "another's")]
            .into_iter()
            .chain((number % 3 == 0).then(|| alarm(Some(&run.id.0), &number.to_string())))
    });
    store.commit(Batch { events: events.collect(), ..Batch::default() }).await.unwrap();
    let (mut since, mut texts) = (0, Vec::new());
    loop {
        let page = store.events_of(&run.id, since, 7).await.unwrap();
        let Some(last) = page.last() else { break };
        since = last.seq;
        texts.extend(page.iter().map(|event| {
            let data: serde_json::Value = serde_json::from_str(&event.data).unwrap();
            data["text"].as_str().unwrap().to_owned()
        }));
    }
    assert_eq!(texts, (0..300).step_by(3).map(|number| number.to_string()).collect::<Vec<_>>());
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
