//! How long a store of ten million records takes to open, and then a list of its runs.
//!
//! The records are spread over `RUNS` runs. The newest, whose files are looked at, is under way and has a tenth of them, as
//! after a year in which one run went on and on. They are written with SQL, since keeping them one by one would take
//! hours.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::path::Path;
use std::time::{Duration, Instant};

use gasera::domain::{Fact, Outcome, Plan, PlanDraft, RunId, RunSummary, Utc, WithoutChannel};
use gasera::store::{Batch, Circumstances, Store};
use rusqlite::{Connection, params};

const RUNS: u32 = 1000;
const RECORDS: u32 = 10_000_000;
const NEWEST: u32 = RECORDS / 10;
const PER_VISIT: u32 = 5;
const STARTED: i64 = 1_768_464_000_000_000;

fn run(number: u32) -> RunSummary {
    let draft = PlanDraft {
        channels: "1-8".into(),
        channel_count: 31,
        repeats: 100,
        purge: Duration::from_secs(60),
        measure: Duration::from_secs(300),
        task: "DEFAULT".into(),
        label: format!("run {number}"),
        ..PlanDraft::default()
    };
    RunSummary {
        id: RunId(format!("01KF{number:022}")),
        plan: Plan::new(draft).expect("the plan is valid"),
        started: Utc::from_micros(STARTED + i64::from(number) * 1_000_000),
        ended: None,
        outcome: None,
        reason: String::new(),
        records: 0,
        good_records: 0,
        without_channel: WithoutChannel::default(),
    }
}

async fn begin(directory: &Path) {
    let (store, _) = Store::open(directory, Circumstances::default()).expect("the directory can be written");
    for number in 1..=RUNS {
        let run = run(number);
        let end = Fact::RunEnded {
            run: run.id.clone(),
            ended: run.started + Duration::from_secs(1),
            outcome: Outcome::Completed,
            reason: String::new(),
        };
        let gases = Fact::RunGases { run: run.id.clone(), gases: vec![gasera::domain::Cas("74-82-8".into())] };
        let mut facts = vec![Fact::RunStarted(run), gases];
        if number < RUNS {
            facts.push(end);
        }
        store.commit(Batch { facts, ..Batch::default() }).await.expect("it is kept");
    }
    store.close().await;
}

fn fill(directory: &Path) -> rusqlite::Result<()> {
    let database = Connection::open(directory.join("state.sqlite"))?;
    database.execute_batch("PRAGMA synchronous = OFF; BEGIN;")?;
    for number in 1..=RUNS {
        let records = if number == RUNS { NEWEST } else { (RECORDS - NEWEST).div_ceil(RUNS - 1) };
        let id = run(number).id.0;
        database.prepare_cached(
            "WITH RECURSIVE seqs (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM seqs WHERE seq < ?2)
            INSERT INTO records (run, seq, stamp, readings, raw, attribution, channel, visit, repeat, verification, elapsed_s,
                sample_in_visit, discard, qc, flags, iteration, sampled, read, good)
            SELECT ?1, seq, 1768464000 + seq, '[{\"cas\":\"74-82-8\",\"ppm\":1.9' || seq || '}]', 'ACON 0 1 74-82-8 1.9',
                'exact', 1, (seq - 1) / ?3 + 1, 1, 'readback', 12.5, 1, 0, 'good', '[]', seq,
                ?4 + seq * 1000000, ?4 + seq * 1000000, 1 FROM seqs",
        )?
        .execute(params![id, records, PER_VISIT, STARTED])?;
        database.execute(
            "UPDATE runs SET records = ?2, good_records = ?2, rebuild = 0 WHERE id = ?1",
            params![id, records],
        )?;
    }
    database.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE);")
}

/// Opens the store, as the daemon does, lists the runs, and closes it.
async fn timed(directory: &Path) -> (f64, f64) {
    let begun = Instant::now();
    let (store, opened) = Store::open(directory, Circumstances::default()).expect("it opens");
    let open = begun.elapsed();
    assert_eq!(opened.last_run.map(|run| run.records), Some(u64::from(NEWEST)));
    let asked = Instant::now();
    let runs = store.runs(RUNS).await.expect("they are listed");
    let list = asked.elapsed();
    assert_eq!(runs.len(), RUNS as usize);
    store.close().await;
    (open.as_secs_f64() * 1e3, list.as_secs_f64() * 1e3)
}

fn main() {
    let root = std::env::var("BENCH_DIRECTORY").unwrap_or_else(|_| env!("CARGO_TARGET_TMPDIR").into());
    let directory = tempfile::tempdir_in(&root).expect("a directory");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let begun = Instant::now();
    runtime.block_on(begin(directory.path()));
    fill(directory.path()).expect("it is filled");
    println!("{RECORDS} records in {RUNS} runs, made in {:.0} s", begun.elapsed().as_secs_f64());
    for what in ["first, which makes the files of the newest run", "again", "again", "again"] {
        let (open, list) = runtime.block_on(timed(directory.path()));
        println!("open {open:8.1} ms, list {RUNS} runs {list:6.1} ms  ({what})");
    }
}
