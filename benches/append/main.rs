//! What keeping results costs: commits that are synced one by one, as the daemon makes them, and the bytes that the
//! disk is given for each.
//!
//! A result is kept with its journal line and its event in one commit; an iteration of the analyzer has three more
//! commits for the phases that were seen. Bytes are those of `/proc/self/io`: what was handed to the disk for this process.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::cast_precision_loss, reason = "counts are small")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use gasera::domain::event::LiveData;
use gasera::domain::{
    AnalyzerPhase, AnalyzerTime, Attribution, Cas, Channel, Event, Fact, Moment, Phase, Plan, PlanDraft, Qc, Reading,
    Record, RunId, RunSummary, Sample, Tick, Utc, Verification, VisitId, VisitSummary, WithoutChannel,
};
use gasera::store::{Batch, Circumstances, Store};

const GASES: [&str; 5] = ["74-82-8", "124-38-9", "7732-18-5", "10024-97-2", "7664-41-7"];
const PER_VISIT: u32 = 5;
/// What this process writes is spread over so many checkpoints of the log at least.
const RECORDS: u32 = 2000;
const SUSTAINED: Duration = Duration::from_secs(30);
const PER_SECOND: u32 = 100;
/// Iterations of a day, one a minute.
const DAY: f64 = 1440.0;

struct Keeper {
    store: Store,
    run: RunId,
    seq: u32,
    phases: bool,
}

impl Keeper {
    async fn new(directory: &Path, phases: bool) -> Self {
        let (store, _) = Store::open(directory, Circumstances::default()).expect("the directory can be written");
        let run = RunId("01KF000000000000000000000A".into());
        let draft = PlanDraft { channels: "1-8".into(), channel_count: 31, ..draft() };
        let plan = Plan::new(draft).expect("the plan is valid");
        let summary = RunSummary {
            id: run.clone(),
            plan,
            started: at(0),
            ended: None,
            outcome: None,
            reason: String::new(),
            records: 0,
            good_records: 0,
            without_channel: WithoutChannel::default(),
        };
        let gases = GASES.map(|cas| Cas(cas.into())).to_vec();
        let facts = vec![Fact::RunStarted(summary.clone()), Fact::RunGases { run: run.clone(), gases }];
        keep(&store, Batch { facts, events: vec![Event::RunStarted { run: summary }], ..Batch::default() }).await;
        Self { store, run, seq: 0, phases }
    }

    /// An iteration of the analyzer.
    async fn next(&mut self) {
        let iteration = self.seq;
        if self.phases {
            for name in [AnalyzerPhase::GasExchange, AnalyzerPhase::Integration, AnalyzerPhase::Analysis] {
                let event = Event::DevicePhase { code: 1, name, iteration: Some(iteration) };
                self.keep(line("seen", 300), Vec::new(), vec![event]).await;
            }
        }
        self.seq += 1;
        let record = record(&self.run, self.seq);
        let mut facts = Vec::new();
        if self.seq % PER_VISIT == 1 {
            let visit = self.seq / PER_VISIT;
            if visit > 0 {
                facts.push(Fact::VisitEnded { run: self.run.clone(), visit: VisitId(visit), left: at(self.seq) });
            }
            facts.push(Fact::VisitStarted { run: self.run.clone(), visit: visited(visit + 1, self.seq) });
        }
        let event = Event::LiveData(LiveData::of(&record, Phase::Measuring));
        facts.push(Fact::Recorded(record));
        self.keep(line("result", 700), facts, vec![event]).await;
    }

    async fn keep(&self, journal: String, facts: Vec<Fact>, events: Vec<Event>) {
        let moment = Moment { tick: Tick::from_micros(u64::from(self.seq) * 60_000_000), utc: at(self.seq) };
        keep(&self.store, Batch { moment, journal: vec![journal], facts, events, audit: Vec::new() }).await;
    }
}

async fn keep(store: &Store, batch: Batch) {
    store.commit(batch).await.expect("it is kept");
}

fn draft() -> PlanDraft {
    PlanDraft {
        repeats: 100,
        purge: Duration::from_secs(60),
        measure: Duration::from_secs(300),
        task: "DEFAULT".into(),
        label: "bench".into(),
        ..PlanDraft::default()
    }
}

fn at(seq: u32) -> Utc {
    Utc::from_micros(1_768_464_000_000_000 + i64::from(seq) * 60_000_000)
}

/// As long as such a line of the journal is.
fn line(what: &str, length: usize) -> String {
    format!("{{\"what\":{what:?},\"filler\":\"{}\"}}", "x".repeat(length))
}

fn visited(visit: u32, seq: u32) -> VisitSummary {
    let channel = Channel::new(u8::try_from(1 + visit % 8).unwrap_or(1)).expect("there are so many");
    let (id, repeat) = (VisitId(visit), 1);
    VisitSummary { id, channel, repeat, arrived: at(seq), left: None, records: 0, good_records: 0 }
}

fn record(run: &RunId, seq: u32) -> Record {
    let readings = GASES.map(|cas| Reading::new(Cas(cas.into()), Some(1.9 + f64::from(seq) / 1e4)));
    let raw = GASES.map(|cas| format!("1768464192 {cas} {}", 1.9 + f64::from(seq) / 1e4)).join(" ");
    Record {
        run: run.clone(),
        seq,
        sample: Sample {
            stamp: AnalyzerTime(1_768_464_192),
            readings: readings.to_vec(),
            raw: format!("ACON 0 {raw}"),
        },
        attribution: Attribution::Exact,
        channel: Channel::new(1),
        visit: Some(VisitId((seq - 1) / PER_VISIT + 1)),
        repeat: Some(1),
        verification: Verification::Readback,
        elapsed_s: Some(12.25),
        sample_in_visit: Some(1),
        discard: seq % PER_VISIT == 1,
        qc: Qc::Good,
        flags: Vec::new(),
        iteration: Some(seq),
        sampled: at(seq),
        exchange: Some((at(seq), at(seq))),
        read: at(seq),
        clock_offset_s: Some(0.5),
        stamp_meaning: None,
    }
}

/// Bytes that were handed to the disk for this process.
fn written() -> u64 {
    let text = fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    line.and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
}

fn percentile(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    times.get((times.len() * percent / 100).min(times.len() - 1)).map_or(0.0, Duration::as_secs_f64) * 1e3
}

async fn as_fast_as_it_goes(directory: &Path, phases: bool) {
    let mut keeper = Keeper::new(directory, phases).await;
    let (before, begun) = (written(), Instant::now());
    for _ in 0..RECORDS {
        keeper.next().await;
    }
    let (rate, bytes) = (f64::from(RECORDS) / begun.elapsed().as_secs_f64(), written() - before);
    keeper.store.close().await;
    let per_record = bytes as f64 / f64::from(RECORDS);
    let what = if phases { "iterations, four commits each" } else { "results, a commit each      " };
    println!(
        "{what}  {rate:7.0} /s  {:7.1} kB written per result  {:6.1} MB a day at one a minute",
        per_record / 1e3,
        per_record * DAY / 1e6
    );
}

async fn sustained(directory: &Path) {
    let mut keeper = Keeper::new(directory, false).await;
    let (before, begun, every) = (written(), Instant::now(), Duration::from_secs(1) / PER_SECOND);
    let (mut times, mut late) = (Vec::new(), 0);
    let mut due = begun;
    while begun.elapsed() < SUSTAINED {
        tokio::time::sleep_until(due.into()).await;
        let asked = Instant::now();
        keeper.next().await;
        times.push(asked.elapsed());
        due += every;
        late += u32::from(Instant::now() > due);
    }
    let (rate, bytes) = (times.len() as f64 / begun.elapsed().as_secs_f64(), (written() - before) as f64);
    println!(
        "sustained at {PER_SECOND} results/s        {rate:7.0} /s  {:7.1} kB written per result  commit p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms, {late} late",
        bytes / times.len() as f64 / 1e3,
        percentile(&mut times, 50),
        percentile(&mut times, 99),
        percentile(&mut times, 100),
    );
    keeper.store.close().await;
}

fn main() {
    let root = std::env::var("BENCH_DIRECTORY").unwrap_or_else(|_| env!("CARGO_TARGET_TMPDIR").into());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    for phases in [false, true] {
        let directory = tempfile::tempdir_in(&root).expect("a directory");
        runtime.block_on(as_fast_as_it_goes(directory.path(), phases));
    }
    let directory = tempfile::tempdir_in(&root).expect("a directory");
    runtime.block_on(sustained(directory.path()));
}
