//! The folder of a run: every file says what the truth says, at every instant, and after a crash again.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gasera::config;
use gasera::domain::event::{Event, RunChange, RunUpdate};
use gasera::domain::instrument::{Instrument, Task};
use gasera::domain::{
    Background, Cas, ChannelInfo, ChannelKind, ChannelPlan, Equipment, Fact, Outcome, Plan, PlanDraft, Provenance,
    Record, RunSummary, Site, VisitId, VisitSummary,
};
use gasera::store::{Batch, Circumstances, Store};
use serde_json::Value;
use tempfile::TempDir;

use super::fixture::*;

const RUN: &str = "01KF000000000000000000000A";

pub fn about() -> Circumstances {
    let north = ChannelInfo { label: "barn, north".into(), area_m2: Some(0.25), ..ChannelInfo::default() };
    let span = ChannelInfo {
        label: "span gas".into(),
        kind: ChannelKind::Span,
        reference: [(Cas(METHANE.into()), 2.0)].into(),
        ..ChannelInfo::default()
    };
    let site = Site { name: "Barn 4".into(), license: "CC-BY-4.0".into(), ..Site::default() };
    let provenance = Provenance { software: "gaserad 9.9.9".into(), site, ..Provenance::default() };
    Circumstances { channels: [(channel(1), north), (channel(2), span)].into(), provenance, ..Circumstances::default() }
}

/// A run of two visits, of which the first has two good samples and one that is discarded.
pub async fn measured(store: &Store, id: &str) -> RunSummary {
    let run = summary(id);
    let begun = Event::RunStarted { run: run.clone() };
    let started = vec![
        Fact::RunStarted(run.clone()),
        Fact::RunGases { run: run.id.clone(), gases: gases(&[METHANE, CARBON_DIOXIDE]) },
        Fact::VisitStarted { run: run.id.clone(), visit: visit() },
    ];
    store.commit(Batch { events: vec![begun], ..facts(started) }).await.unwrap();
    for (seq, ppm) in [(1, 9.0), (2, 2.0), (3, 2.2)] {
        let sample = record(id, seq, &[(METHANE, ppm), (CARBON_DIOXIDE, 400.0)]);
        let sample = Record { discard: seq == 1, ..sample };
        store.commit(Batch { events: vec![position_event(1)], ..facts(vec![Fact::Recorded(sample)]) }).await.unwrap();
    }
    let second = VisitSummary { id: VisitId(2), channel: channel(2), arrived: utc(300), ..visit() };
    let moved = vec![
        Fact::VisitEnded { run: run.id.clone(), visit: VisitId(1), left: utc(290) },
        Fact::VisitStarted { run: run.id.clone(), visit: second },
    ];
    store.commit(facts(moved)).await.unwrap();
    let span = record(id, 4, &[(METHANE, 2.5)]);
    let span = Record { channel: Some(channel(2)), visit: Some(VisitId(2)), ..span };
    store.commit(facts(vec![Fact::Recorded(span)])).await.unwrap();
    run
}

pub async fn ended(store: &Store, run: &RunSummary) -> RunSummary {
    let over = RunSummary { ended: Some(utc(600)), outcome: Some(Outcome::Completed), ..run.clone() };
    let left = Fact::VisitEnded { run: run.id.clone(), visit: VisitId(2), left: utc(590) };
    let end =
        Fact::RunEnded { run: run.id.clone(), ended: utc(600), outcome: Outcome::Completed, reason: String::new() };
    let events = vec![Event::RunFinished { run: over.clone() }];
    store.commit(Batch { events, ..facts(vec![left, end]) }).await.unwrap();
    over
}

fn read(store: &Store, run: &RunSummary, name: &str) -> String {
    fs::read_to_string(store.run_folder(run).join(name)).unwrap()
}

fn package(store: &Store, run: &RunSummary) -> Value {
    serde_json::from_str(&read(store, run, "datapackage.json")).unwrap()
}

async fn nothing_differs(store: &Store, run: &RunSummary) {
    assert_eq!(store.compare_folder(&run.id).await.unwrap().differences, Vec::<String>::new());
}

#[tokio::test]
async fn a_visit_has_its_row_when_no_result_can_come_of_it_any_more() {
    let directory = TempDir::new().unwrap();
    let (store, _) = Store::open(directory.path(), about()).unwrap();
    let run = measured(&store, RUN).await;
    let rows = read(&store, &run, "visits.csv");
    let rows: Vec<&str> = rows.lines().collect();
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(rows[0].ends_with(",records,n,discards,ch4_n,ch4_mean_ppm,ch4_sd_ppm,co2_n,co2_mean_ppm,co2_sd_ppm"));
    let (before, gases) = rows[1].split_once(",3,2,1,").unwrap();
    assert!(
        before.starts_with(&format!("{RUN},1,1,1,\"barn, north\",sample,2026-01-15T08:00:05Z,2026-01-15T08:04:50Z,"))
    );
    let gases: Vec<f64> = gases.split(',').map(|number| number.parse().unwrap()).collect();
    assert!((gases[1] - 2.1).abs() < 1e-12 && (gases[2] - 0.02_f64.sqrt()).abs() < 1e-9, "{gases:?}");
    assert_eq!((gases[0], gases[3], gases[4], gases[5]), (2.0, 2.0, 400.0, 0.0));
    nothing_differs(&store, &run).await;

    let over = ended(&store, &run).await;
    assert_eq!(read(&store, &over, "visits.csv").lines().count(), 3);
    nothing_differs(&store, &over).await;
}

#[tokio::test]
async fn a_result_that_comes_late_is_in_the_row_of_its_visit() {
    let directory = TempDir::new().unwrap();
    let (store, _) = Store::open(directory.path(), about()).unwrap();
    let run = measured(&store, RUN).await;
    store.commit(facts(vec![Fact::Recorded(record(RUN, 5, &[(METHANE, 2.4)]))])).await.unwrap();
    assert!(read(&store, &run, "visits.csv").contains(",4,3,1,3,"));
    nothing_differs(&store, &run).await;
}

#[tokio::test]
async fn what_happened_is_a_row_each_and_what_was_before_and_after_is_not() {
    let directory = TempDir::new().unwrap();
    let (store, _) = Store::open(directory.path(), about()).unwrap();
    store.commit(events(2)).await.unwrap();
    let run = measured(&store, RUN).await;
    let note = RunUpdate {
        run_id: run.id.clone(),
        change: RunChange::Noted,
        who: "ada".into(),
        text: "opened \"the\" door,\nand closed it".into(),
    };
    store.commit(Batch { events: vec![Event::RunUpdated(note)], ..Batch::default() }).await.unwrap();
    let over = ended(&store, &run).await;
    store.commit(events(3)).await.unwrap();
    let rows = read(&store, &over, "events.csv");
    let names: Vec<&str> = rows.lines().skip(1).map(|row| row.split(',').nth(4).unwrap()).collect();
    assert_eq!(names, ["run.started", "mux.position", "mux.position", "mux.position", "run.updated", "run.finished"]);
    assert!(rows.contains(",\"opened \"\"the\"\" door, and closed it\",\"{"), "{rows}");
    nothing_differs(&store, &over).await;
}

#[tokio::test]
async fn the_package_says_what_was_measured_with_what_and_seals_a_run_that_is_over() {
    let directory = TempDir::new().unwrap();
    let (store, _) = Store::open(directory.path(), about()).unwrap();
    let run = measured(&store, RUN).await;
    let instrument = Instrument { manufacturer: "Gasera".into(), serial: "030109".into(), ..Instrument::default() };
    let task = Task { id: 11, name: "DEFAULT".into(), ..Task::default() };
    let equipment = Box::new(Equipment { instrument: Some(instrument), task: Some(task) });
    store.commit(facts(vec![Fact::RunEquipped { run: run.id.clone(), equipment }])).await.unwrap();
    let told = package(&store, &run);
    assert_eq!(
        (&told["instrument"]["serial_number"], &told["task"]["parameters"]["id"]),
        (&"030109".into(), &11.into())
    );
    assert_eq!((&told["licenses"][0]["name"], &told["software"]), (&"CC-BY-4.0".into(), &"gaserad 9.9.9".into()));
    let methane = told["resources"][0]["schema"]["fields"][15].clone();
    assert_eq!((&methane["name"], &methane["unit"]), (&"ch4_ppm".into(), &"ppm".into()));
    assert_eq!(methane["species"]["cas"], METHANE);
    assert_eq!(told["resources"][0]["hash"], Value::Null);

    let over = ended(&store, &run).await;
    let told = package(&store, &over);
    for resource in told["resources"].as_array().unwrap() {
        let file = store.run_folder(&over).join(resource["path"].as_str().unwrap());
        assert_eq!(resource["bytes"], fs::metadata(&file).unwrap().len());
        assert_eq!(resource["hash"].as_str().unwrap().len(), "sha256:".len() + 64);
        let header = fs::read_to_string(file).unwrap().lines().next().unwrap().to_owned();
        let fields = resource["schema"]["fields"].as_array().unwrap();
        let names: Vec<&str> = fields.iter().map(|field| field["name"].as_str().unwrap()).collect();
        assert_eq!(names.join(","), header);
    }
    assert!(read(&store, &over, "channels.csv").contains("\n2,span gas,span,,,,,,,,,,,2\n"));
    let plan = read(&store, &over, "plan.toml");
    assert!(plan.contains("\nchannels = \"1-4\"\n") && plan.contains("# sha256"), "{plan}");
}

/// The state directory as a crash left it, with `damage` done to the folder of the run.
async fn after(damage: impl Fn(&Path)) -> (TempDir, Store, RunSummary) {
    let directory = TempDir::new().unwrap();
    let (store, _) = Store::open(directory.path(), about()).unwrap();
    let run = measured(&store, RUN).await;
    let crashed = as_after_a_crash(directory.path());
    let folder: PathBuf = crashed.path().join(store.run_folder(&run).strip_prefix(directory.path()).unwrap());
    damage(&folder);
    let (restarted, _) = Store::open(crashed.path(), about()).unwrap();
    (crashed, restarted, run)
}

const FILES: [&str; 6] = ["samples.csv", "events.csv", "visits.csv", "channels.csv", "plan.toml", "datapackage.json"];

#[tokio::test]
async fn whatever_a_crash_took_from_a_file_is_there_again() {
    for name in FILES {
        for kept in [0, 1, 7, 40, 90] {
            let (_crashed, store, run) = after(|folder| {
                let whole = fs::read(folder.join(name)).unwrap();
                fs::write(folder.join(name), &whole[..whole.len() * kept / 100]).unwrap();
            })
            .await;
            nothing_differs(&store, &run).await;
            let over = ended(&store, &run).await;
            nothing_differs(&store, &over).await;
        }
        let (_crashed, store, run) = after(|folder| fs::remove_file(folder.join(name)).unwrap()).await;
        nothing_differs(&store, &run).await;
    }
}

#[tokio::test]
async fn a_file_that_says_something_else_is_found_and_made_anew() {
    for name in &FILES[..3] {
        let change = |folder: &Path| {
            let text = fs::read_to_string(folder.join(name)).unwrap();
            fs::write(folder.join(name), text.replacen("2026-01-15", "2026-01-16", 1)).unwrap();
        };
        let directory = TempDir::new().unwrap();
        let (store, _) = Store::open(directory.path(), about()).unwrap();
        let over = ended(&store, &measured(&store, RUN).await).await;
        change(&store.run_folder(&over));
        let found = store.compare_folder(&over.id).await.unwrap().differences;
        assert_eq!(found.len(), 2, "the rows and the checksum differ: {found:?}");
        let (_crashed, store, run) = after(change).await;
        nothing_differs(&store, &run).await;
    }
}

#[tokio::test]
async fn the_plan_file_starts_the_same_plan_again() {
    let own = |number| ChannelPlan { measure: Some(Duration::from_millis(1500)), ..ChannelPlan::new(channel(number)) };
    let draft = PlanDraft {
        channels: "1-4,7".into(),
        iterations: Some(3),
        label: "a \"quoted\" label".into(),
        note: "two\nlines".into(),
        operator: "ada".into(),
        background: Some(Background { channel: channel(9), every: 2 }),
        exceptions: vec![own(3), own(9), own(20)],
        gas_discards: [(Cas(METHANE.into()), 2)].into(),
        ..PlanDraft::default()
    };
    let directory = TempDir::new().unwrap();
    let (store, _) = Store::open(directory.path(), about()).unwrap();
    let run = RunSummary { plan: Plan::new(draft).unwrap(), ..summary(RUN) };
    store.commit(facts(vec![Fact::RunStarted(run.clone())])).await.unwrap();
    let text = read(&store, &run, "plan.toml");
    let again = config::parse_plan(&text, "plan.toml", &PlanDraft::default()).unwrap();
    let again = again.plan(PlanDraft::default()).unwrap();
    // What is different on a channel that is not measured makes no difference.
    let mut wanted = run.plan;
    wanted.exceptions.truncate(2);
    assert_eq!(again, wanted);
}

#[tokio::test]
async fn a_run_that_ends_with_a_new_gas_in_the_same_commit_is_over_all_the_same() {
    let directory = TempDir::new().unwrap();
    let (store, _) = Store::open(directory.path(), about()).unwrap();
    let run = measured(&store, RUN).await;
    let last = Record { channel: Some(channel(2)), visit: Some(VisitId(2)), ..record(RUN, 5, &[(WATER, 9000.0)]) };
    let end =
        Fact::RunEnded { run: run.id.clone(), ended: utc(600), outcome: Outcome::Completed, reason: String::new() };
    store.commit(facts(vec![Fact::Recorded(last), end])).await.unwrap();
    let sealed = package(&store, &run);
    store.commit(events(2)).await.unwrap();
    let remark = Fact::Noted { run: run.id.clone(), at: utc(700), who: "ada".into(), text: "late".into() };
    store.commit(facts(vec![remark])).await.unwrap();
    store.commit(events(2)).await.unwrap();
    assert_eq!(package(&store, &run), sealed);
    nothing_differs(&store, &run).await;
}
