//! What must be true of a life, whatever befell it.

use std::collections::{BTreeMap, BTreeSet};

use gasera::domain::{Attribution, Fact, Published, Record, RunId, RunSummary, Utc};
use gasera::engine::{self, Effect};
use gasera::store::Store;

use super::host::Host;
use crate::support::stack::ledger::matched;

/// What became of some lives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    pub runs: usize,
    pub by_outcome: BTreeMap<&'static str, usize>,
    pub boots: usize,
    pub crashes: usize,
    pub full: usize,
    pub records: usize,
    pub good: usize,
    pub events: usize,
    pub lines: usize,
}

impl Figures {
    pub fn add(&mut self, more: Self) {
        self.runs += more.runs;
        self.boots += more.boots;
        self.crashes += more.crashes;
        self.full += more.full;
        self.records += more.records;
        self.good += more.good;
        self.events += more.events;
        self.lines += more.lines;
        for (outcome, count) in more.by_outcome {
            *self.by_outcome.entry(outcome).or_default() += count;
        }
    }
}

/// All that is kept.
pub struct Kept {
    pub lines: Vec<String>,
    events: Vec<Published>,
    runs: Vec<RunSummary>,
    records: Vec<Record>,
}

impl Kept {
    pub async fn of(store: &Store) -> Self {
        let runs = store.runs(1000).await.unwrap();
        let mut records = Vec::new();
        for run in runs.iter().rev() {
            records.extend(store.records(&run.id, 0, u32::MAX).await.unwrap());
        }
        let (mut lines, mut journal) = (Vec::new(), store.journal(0));
        while let Some((_, line)) = journal.next().await.unwrap() {
            lines.push(line);
        }
        Self { lines, events: store.events_after(0, u32::MAX).await.unwrap(), runs, records }
    }

    pub fn figures(&self) -> Figures {
        let mut by_outcome = BTreeMap::new();
        for outcome in self.runs.iter().filter_map(|run| run.outcome) {
            *by_outcome.entry(outcome.as_str()).or_default() += 1;
        }
        Figures {
            runs: self.runs.len(),
            by_outcome,
            records: self.records.len(),
            good: self.records.iter().filter(|record| record.is_good()).count(),
            events: self.events.len(),
            lines: self.lines.len(),
            ..Figures::default()
        }
    }

    fn of_run(&self, name: &str, run: &RunId) -> usize {
        self.events.iter().filter(|event| event.name == name && event.run.as_ref() == Some(run)).count()
    }

    fn data(&self, name: &str) -> impl Iterator<Item = serde_json::Value> {
        let named = self.events.iter().filter(move |event| event.name == name);
        named.map(|event| serde_json::from_str(&event.data).unwrap())
    }

    fn alarmed(&self, code: &str) -> bool {
        self.data("alarm").any(|alarm| alarm["code"] == code)
    }
}

/// What is true whenever a daemon begins: what was told is there, and the newest run is what its journal and its file say.
pub async fn begins(host: &Host, store: &Store) -> Result<(), String> {
    // What the new daemon tells while it is read what is kept is for later.
    let told = host.told.lock().unwrap().clone();
    let events = store.events_after(0, u32::MAX).await.unwrap();
    if events.iter().map(|event| event.seq).ne(1..=events.len() as u64) {
        return Err("the events are not numbered one by one".into());
    }
    let kept: Vec<(u64, String)> = events
        .iter()
        .map(|Published { seq, name, data, .. }| {
            (*seq, format!("{{\"id\":{seq},\"type\":\"{name}\",\"data\":{data}}}\n"))
        })
        .collect();
    is_there(&told, &kept)?;
    let Some(newest) = store.runs(1).await.unwrap().pop() else { return Ok(()) };
    verified(store, &newest.id).await
}

fn is_there(told: &[(u64, String)], kept: &[(u64, String)]) -> Result<(), String> {
    if kept.starts_with(told) {
        return Ok(());
    }
    let differs = told.iter().zip(kept).find(|(told, kept)| told != kept);
    let last = (told.last(), kept.last());
    Err(format!("{} events were told and {} are kept: {differs:?}, at the end {last:?}", told.len(), kept.len()))
}

async fn verified(store: &Store, run: &RunId) -> Result<(), String> {
    let verdict = gasera::daemon::verify(store, run).await.map_err(|error| error.to_string())?;
    if verdict.differences.is_empty() { Ok(()) } else { Err(format!("{run}: {:?}", verdict.differences)) }
}

/// What is true in the end.
pub async fn ended(host: &Host, store: &Store, park: u8) -> Result<Figures, String> {
    let kept = Kept::of(store).await;
    begins(host, store).await?;
    for run in &kept.runs {
        verified(store, &run.id).await?;
        let (begun, over) = (kept.of_run("run.started", &run.id), kept.of_run("run.finished", &run.id));
        if run.outcome.is_none() || (begun, over) != (1, 1) {
            return Err(format!("{} began {begun} times and ended {over} times: {:?}", run.id, run.outcome));
        }
    }
    credited(&kept, host)?;
    told_once(&kept)?;
    replayed(&kept)?;
    parked(&kept, park)?;
    rests(&kept, host).await?;
    Ok(kept.figures())
}

/// Each result once, with the gas of its channel.
fn credited(kept: &Kept, host: &Host) -> Result<(), String> {
    host.simulator.catch_up();
    let fresh: Vec<&Record> = kept.records.iter().filter(|record| record.attribution != Attribution::Stale).collect();
    matched(&fresh, &host.truth.truth()).map(drop)
}

/// Each record is one event, in order.
fn told_once(kept: &Kept) -> Result<(), String> {
    let told: BTreeSet<(String, u64)> = kept
        .data("live_data")
        .map(|data| (data["run_id"].as_str().unwrap_or_default().to_owned(), data["seq"].as_u64().unwrap_or_default()))
        .collect();
    let records: BTreeSet<(String, u64)> =
        kept.records.iter().map(|record| (record.run.0.clone(), record.seq.into())).collect();
    if told != records || told.len() != kept.data("live_data").count() {
        return Err(format!("{} results were told, {} are kept", kept.data("live_data").count(), kept.records.len()));
    }
    Ok(())
}

/// The journal gives all that was told again, but for what the store and the shutdown say of themselves.
fn replayed(kept: &Kept) -> Result<(), String> {
    let events = kept.lines.iter().map(|line| serde_json::from_str::<engine::Event>(line).expect(line));
    let effects = engine::replay(events).flat_map(|(_, effects)| effects);
    let (mut again, mut facts) = (Vec::new(), 0);
    for effect in effects {
        match effect {
            Effect::Tell(event) => again.push((event.name().to_owned(), bare(event.payload(Utc::default())))),
            Effect::Keep(Fact::Recorded(_)) => facts += 1,
            _ => {}
        }
    }
    let by_engine = |event: &&Published| {
        let data = &event.data;
        let of_store = event.name == "alarm" && data.contains("\"disk_full\"");
        let of_recovery = event.name == "run.updated" && data.contains("gaserad was started again");
        !of_store && !of_recovery && event.name != "system.shutdown"
    };
    let parsed = |data: &str| bare(serde_json::from_str(data).unwrap());
    let kept_events = kept.events.iter().filter(by_engine).map(|event| (event.name.clone(), parsed(&event.data)));
    let kept_events: Vec<_> = kept_events.collect();
    if again != kept_events || facts != kept.records.len() {
        let at = again.iter().zip(&kept_events).position(|(again, kept)| again != kept).unwrap_or_default();
        return Err(format!(
            "replay tells {} events, {} are kept; after {at} {:?} instead of {:?}",
            again.len(),
            kept_events.len(),
            again.get(at..again.len().min(at + 4)),
            kept_events.get(at..kept_events.len().min(at + 4)),
        ));
    }
    Ok(())
}

/// But for when it was published, which is when it was kept.
fn bare(mut data: serde_json::Value) -> serde_json::Value {
    data.as_object_mut().map(|data| data.remove("timestamp"));
    data
}

/// The analyzer measures for nobody, or an alarm says so.
async fn rests(kept: &Kept, host: &Host) -> Result<(), String> {
    const MEASURES: &str = "ASTS 0 5";
    let state = host.somebody_else_asks("ASTS K0").await;
    if state == MEASURES && !kept.alarmed("analyzer_not_idle") {
        return Err(format!("the analyzer is left measuring: {state}"));
    }
    Ok(())
}

/// At the end of each run the valve stands where it is parked, or an alarm has said why not.
fn parked(kept: &Kept, park: u8) -> Result<(), String> {
    let (mut at, mut excused) = (serde_json::Value::Null, false);
    for event in &kept.events {
        let data: serde_json::Value = serde_json::from_str(&event.data).unwrap();
        match event.name.as_str() {
            "mux.position" => at = data["channel"].clone(),
            "alarm" => excused |= data["code"] == "valve_not_parked",
            "run.started" => excused = false,
            "run.finished" if at != park && !excused => {
                return Err(format!("{:?} leaves the valve at {at}: {data}", event.run));
            }
            _ => {}
        }
    }
    Ok(())
}
