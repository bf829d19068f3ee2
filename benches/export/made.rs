//! A store with one long run, as the daemon would have left it.

use std::path::Path;
use std::time::Duration;

use gasera::domain::{
    AnalyzerTime, Attribution, Cas, Channel, Fact, Outcome, Plan, PlanDraft, Qc, Reading, Record, RunId, RunSummary,
    Sample, Utc, Verification, VisitId, WithoutChannel,
};
use gasera::store::{Batch, ChannelLabels, Store};
use rusqlite::{Connection, params};

use crate::Fallible;

/// Each with about what there is of it, and the decimals that the analyzer gives it: six digits that count.
const GASES: [(&str, f64, usize); 5] = [
    ("74-82-8", 1.9, 5),
    ("124-38-9", 415.0, 3),
    ("7732-18-5", 12_000.0, 1),
    ("10024-97-2", 0.33, 6),
    ("7664-41-7", 0.02, 7),
];
const CHANNELS: u32 = 8;
const IN_A_VISIT: u32 = 10;
const START: i64 = 1_768_464_000_000_000;
const MINUTE: i64 = 60_000_000;

/// The run of the store in this directory, which is made if it is not there.
pub async fn store(directory: &Path, records: u32) -> Fallible<RunId> {
    let id = RunId(format!("01KF{records:022}"));
    if directory.join("state.sqlite").exists() {
        return Ok(id);
    }
    let label =
        |number| Some((Channel::new(number)?, (format!("chamber {number}"), gasera::domain::ChannelKind::Sample)));
    let labels: ChannelLabels = (1..=8).filter_map(label).collect();
    let (store, _) = Store::open(directory, labels)?;
    let gases = GASES.map(|(cas, ..)| Cas(cas.into())).into();
    let facts = vec![
        Fact::RunStarted(summary(&id)?),
        Fact::RunGases { run: id.clone(), gases },
        Fact::Recorded(record(&id)),
        Fact::RunEnded {
            run: id.clone(),
            ended: Utc::from_micros(START),
            outcome: Outcome::Completed,
            reason: String::new(),
        },
    ];
    store.commit(Batch { facts, ..Batch::default() }).await?;
    store.close().await;
    multiply(&directory.join("state.sqlite"), &id, records)?;
    Ok(id)
}

fn summary(id: &RunId) -> Fallible<RunSummary> {
    let draft = PlanDraft {
        channels: "1-8".into(),
        measure: Duration::from_secs(600),
        label: "long".into(),
        ..PlanDraft::default()
    };
    Ok(RunSummary {
        id: id.clone(),
        plan: Plan::new(draft)?,
        started: Utc::from_micros(START),
        ended: None,
        outcome: None,
        reason: String::new(),
        records: 0,
        good_records: 0,
        without_channel: WithoutChannel::default(),
    })
}

fn record(id: &RunId) -> Record {
    let readings: Vec<Reading> = GASES.map(|(cas, ppm, _)| Reading::new(Cas(cas.into()), Some(ppm))).into();
    let words: Vec<String> = GASES.map(|(cas, ppm, _)| format!("1768464060 {cas} {ppm}")).into();
    Record {
        run: id.clone(),
        seq: 1,
        sample: Sample { stamp: AnalyzerTime(1_768_464_060), readings, raw: format!(" ACON 0 {}", words.join(" ")) },
        attribution: Attribution::Exact,
        channel: Channel::new(1),
        visit: Some(VisitId(1)),
        repeat: Some(1),
        verification: Verification::Readback,
        elapsed_s: Some(60.0),
        sample_in_visit: Some(1),
        discard: false,
        qc: Qc::Good,
        flags: vec![],
        iteration: Some(1),
        sampled: Utc::from_micros(START + MINUTE),
        exchange: Some((Utc::from_micros(START), Utc::from_micros(START + MINUTE))),
        read: Utc::from_micros(START + MINUTE),
        clock_offset_s: Some(-0.25),
        stamp_meaning: None,
    }
}

/// What the first record says that does not change from one to the next is taken from it.
const NEXT: &str = "
    INSERT INTO records (run, seq, stamp, readings, raw, attribution, channel, visit, repeat, verification, elapsed_s,
        sample_in_visit, discard, qc, flags, iteration, sampled, exchange_from, exchange_until, read, clock_offset_s, good,
        stamp_meaning)
    SELECT run, ?2, stamp, ?3, raw, attribution, ?4, ?5, repeat, verification, ?6, ?7, ?8, qc, ?9, ?2, ?10, ?10, ?10, ?11,
        clock_offset_s, 1 - ?8, stamp_meaning
    FROM records WHERE run = ?1 AND seq = 1";

fn multiply(database: &Path, id: &RunId, records: u32) -> Fallible<()> {
    let mut connection = Connection::open(database)?;
    connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -20000;")?;
    let transaction = connection.transaction()?;
    {
        let mut next = transaction.prepare(NEXT)?;
        let mut noise = Noise(1);
        for seq in 2..=records {
            let visit = (seq - 1) / IN_A_VISIT + 1;
            let sample = (seq - 1) % IN_A_VISIT + 1;
            let discard = sample <= 2;
            let at = START + i64::from(seq) * MINUTE + i64::from(noise.below(1_000_000));
            next.execute(params![
                id.0,
                seq,
                noise.readings(),
                (visit - 1) % CHANNELS + 1,
                visit,
                f64::from(sample) * 60.0 + f64::from(sample) / 8.0,
                sample,
                discard,
                if discard { "[\"purge\"]" } else { "[]" },
                at,
                at + MINUTE / 2,
            ])?;
        }
    }
    transaction.commit()?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

/// The same numbers each time.
struct Noise(u64);

impl Noise {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 32).unwrap_or(0) % limit
    }

    fn readings(&mut self) -> String {
        let reading = |(cas, mean, decimals): (&str, f64, usize)| {
            let ppm = mean * (1.0 + f64::from(self.below(100_000)) / 1e6);
            let ppm: f64 = format!("{ppm:.decimals$}").parse().unwrap_or(mean);
            format!("{{\"cas\":\"{cas}\",\"ppm\":{ppm:?}}}")
        };
        format!("[{}]", GASES.map(reading).join(","))
    }
}
